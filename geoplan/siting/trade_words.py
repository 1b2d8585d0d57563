"""What was found by solving the plan again, in sentences."""

from __future__ import annotations

import math

import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.siting.case import points
from geoplan.siting.result import Reason
from geoplan.siting.robustness import Inclusion
from geoplan.siting.sentences import Amount, Named, both, joined

__all__ = ["inclusion_notice", "inclusion_reason", "trade_reasons"]

_SHOWN = 4
_LEAST = 5e-4  # half of the last digit that is told


def _sites(ids: tuple[str, ...]) -> Named:
    shown = [Named(s, s) for s in ids[:_SHOWN]]
    more = len(ids) - _SHOWN
    if more > 0:
        rest = both("{n} more", "{n} شهرک دیگر", n=more)
        shown.append(Named(rest.en, rest.fa or rest.en))
    return joined(shown)


def trade_reasons(forced: pd.DataFrame) -> dict[str, Reason]:
    """Return one sentence for each site that was kept out or put in.

    Parameters
    ----------
    forced : DataFrame
        From `geoplan.siting.forced.forced`.
    """
    out: dict[str, Reason] = {}
    for row in forced.itertuples(index=False):
        site = str(row.site_id)
        kept_out = row.direction == "out"
        if row.status == "infeasible":
            text = (
                both(
                    "Without it no plan keeps all limits.",
                    "بدون آن هیچ برنامه‌ای همهٔ محدودیت‌ها را رعایت نمی‌کند.",
                )
                if kept_out
                else both(
                    "No plan that holds it keeps all limits.",
                    "هیچ برنامه‌ای که آن را در بر گیرد همهٔ محدودیت‌ها را رعایت نمی‌کند.",
                )
            )
            out[site] = Reason("keep-out" if kept_out else "put-in", text)
            continue
        if math.isnan(row.loss):
            text = both(
                "No plan was found in time to say what it would cost.",
                "در زمان داده‌شده برنامه‌ای برای گفتن هزینهٔ آن یافت نشد.",
            )
            out[site] = Reason("keep-out" if kept_out else "put-in", text)
            continue
        out[site] = _cost(row, site, kept_out=kept_out)
    return out


def _cost(row: object, site: str, *, kept_out: bool) -> Reason:
    leave = tuple(s for s in row.leave if s != site)  # type: ignore[attr-defined]
    enter = tuple(s for s in row.enter if s != site)  # type: ignore[attr-defined]
    if float(row.loss) < -_LEAST:  # type: ignore[attr-defined]
        return _gain(-float(row.loss), kept_out=kept_out)  # type: ignore[attr-defined]
    loss = points(max(float(row.loss), 0.0))  # type: ignore[attr-defined]
    unproven = _unproven(float(row.loss_at_least), row.status == "time-limit")  # type: ignore[attr-defined]
    moves = _moves(enter, leave, kept_out=kept_out)
    if kept_out:
        return Reason(
            "keep-out",
            both(
                "Keeping it out would cost the plan {loss} points{unproven}{moves}.",
                "کنار گذاشتن آن {loss} امتیاز از برنامه می‌کاهد{unproven}{moves}.",
                loss=loss,
                unproven=unproven,
                moves=moves,
            ),
        )
    return Reason(
        "put-in",
        both(
            "Putting it in would cost the plan {loss} points{unproven}{moves}.",
            "آوردن آن به برنامه {loss} امتیاز از برنامه می‌کاهد{unproven}{moves}.",
            loss=loss,
            unproven=unproven,
            moves=moves,
        ),
    )


def _unproven(at_least: float, timed_out: bool) -> Named:
    """Say what of a loss is proven, where the plan that shows it is not proven to be the best."""
    if not timed_out:
        return Named("", "")
    if math.isnan(at_least):
        return Named(" (at most; not proven)", " (دست‌بالا؛ اثبات نشده)")
    text = both(
        " (at least {bound}; not proven further)",
        " (دست‌کم {bound}؛ بیش از این اثبات نشد)",
        bound=points(at_least),
    )
    return Named(text.en, text.fa or text.en)


def _gain(gain: float, *, kept_out: bool) -> Reason:
    """Say that a better plan came to light; that happens where the plan is not proven."""
    if kept_out:
        text = both(
            "A plan without it was found that is worth {gain} points more: the plan shown is not "
            "proven to be the best.",
            "برنامه‌ای بدون آن یافت شد که {gain} امتیاز بیشتر می‌ارزد: اثبات نشده است که برنامهٔ "
            "نشان‌داده‌شده بهترین باشد.",
            gain=points(gain),
        )
        return Reason("keep-out", text)
    text = both(
        "A plan with it was found that is worth {gain} points more: the plan shown is not proven "
        "to be the best.",
        "برنامه‌ای با آن یافت شد که {gain} امتیاز بیشتر می‌ارزد: اثبات نشده است که برنامهٔ "
        "نشان‌داده‌شده بهترین باشد.",
        gain=points(gain),
    )
    return Reason("put-in", text)


def _moves(enter: tuple[str, ...], leave: tuple[str, ...], *, kept_out: bool) -> Named:
    parts: list[Text] = []
    if enter:
        parts.append(both("{sites} would come in", "{sites} به برنامه می‌آید", sites=_sites(enter)))
    if leave:
        parts.append(both("{sites} would go", "{sites} از برنامه می‌رود", sites=_sites(leave)))
    if not parts:
        return Named("", "")
    link = "; then" if kept_out else "; for it"
    link_fa = "؛ آنگاه" if kept_out else "؛ به‌جای آن"
    return Named(
        f"{link} " + " and ".join(p.en for p in parts),
        f"{link_fa} " + " و ".join(str(p.fa) for p in parts),
    )


def inclusion_reason(share: float, error: float, plans: int) -> Reason:
    """Return how often a site stood in the plans solved again, as a sentence."""
    return Reason(
        "inclusion",
        both(
            "It stands in {share} of {plans} plans solved again with weights, demand and headroom "
            "drawn anew (standard error {error}).",
            "در {share} از {plans} برنامه‌ای که با وزن‌ها، نیازها و ظرفیت‌های تازه قرعه‌کشی‌شده "
            "دوباره حل شد جای دارد (خطای معیار {error}).",
            share=Amount(100 * share, "%", 0),
            plans=plans,
            error=Amount(100 * error, "%", 1),
        ),
    )


def inclusion_notice(found: Inclusion, chosen: int) -> Text:
    """Return what a reader must know of the plans solved again."""
    kept = found.base_kept[found.base_kept >= 0]
    mean = float(kept.mean()) if kept.size else math.nan
    if not kept.size:
        return both(
            "No plan exists in any of the {asked} drawn states of weights, demand and headroom.",
            "در هیچ‌یک از {asked} حالت قرعه‌کشی‌شدهٔ وزن‌ها، نیازها و ظرفیت‌ها برنامه‌ای وجود ندارد.",
            asked=found.asked,
        )
    return both(
        "The plan was solved again {asked} times with weights, demand and headroom drawn anew; on "
        "average {mean} of its {chosen} sites stayed; in {none} draws no plan exists and {open} "
        "were not proven in time.",
        "برنامه {asked} بار با وزن‌ها، نیازها و ظرفیت‌های تازه دوباره حل شد؛ به‌طور میانگین {mean} "
        "از {chosen} شهرک آن ماند؛ در {none} بار برنامه‌ای وجود نداشت و {open} بار در زمان "
        "داده‌شده اثبات نشد.",
        asked=found.asked,
        mean=Amount(mean, "", 1),
        chosen=chosen,
        none=found.infeasible,
        open=found.unproven,
    )
