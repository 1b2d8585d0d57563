"""Why each candidate is in the plan or not, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan.catalogue.profile import Profile
from geoplan.catalogue.scenario import Criterion
from geoplan.catalogue.text import Text
from geoplan.siting.flow import Transport, network_of
from geoplan.siting.portfolio import Plan, PortfolioProblem
from geoplan.siting.problem import Prepared, Resource
from geoplan.siting.result import Reason
from geoplan.siting.sentences import RESOURCE_NAMES, Amount, Named, both, joined

__all__ = ["explain"]

_ASSUMED = Named(" (assumed)", " (فرضی)")
_NOTHING = Named("", "")
_TOP = 3


@dataclass
class _Case:
    """What every sentence draws on."""

    problem: PortfolioProblem
    plan: Plan
    candidates: pd.DataFrame
    criteria: Mapping[str, Criterion]
    level_title: Text | None
    chosen: list[int]
    networks: list[Transport]
    residual: list[list[int]]
    distance: dict[tuple[str, str], float]
    per_region: dict[int, int] = field(default_factory=dict)
    bits: int = 0

    @property
    def prepared(self) -> Prepared:
        """The checked problem."""
        return self.plan.prepared


def explain(
    problem: PortfolioProblem,
    plan: Plan,
    *,
    candidates: pd.DataFrame,
    criteria: Mapping[str, Criterion],
    profile: Profile,
) -> dict[str, tuple[Reason, ...]]:
    """Return for every candidate the reasons why it is in the plan or not.

    Parameters
    ----------
    problem : PortfolioProblem
    plan : Plan
        Of this problem.
    candidates : DataFrame, index ``site_id``
        ``rank`` and, where known, ``contribution_<criterion>``, ``region{n}_name_en`` and
        ``region{n}_name_local``; as ``SitingResult.candidates``.
    criteria : mapping
        Titles of the criteria.
    profile : Profile
        Names of the region levels.

    Returns
    -------
    dict of str to tuple of Reason
        Chosen: ``chosen``, ``contributions``, ``less-industrialised``, ``supply`` (one per
        resource), ``used-up``. Not chosen: ``not-served`` alone, or any of ``spacing``,
        ``region-cap``, ``quota``, ``capacity``, ``score``, ``budget``, ``cost``, ``joint``, and
        ``swap``, the chosen site whose place it could take at the least loss. Without a plan:
        ``not-served`` or ``no-plan``.

    Notes
    -----
    "Short" is exact: what is missing when the chosen sites and this one are served together with
    all flows free to move between sources (for a resource with one source per site: with the
    others left where they are). Swaps are single exchanges.
    """
    prepared = plan.prepared
    number = {s: k for k, s in enumerate(prepared.site_ids)}
    chosen = [number[s] for s in plan.chosen]
    pairs = problem.conflicts.pairs
    distance = {
        key: float(km)
        for a, b, km in zip(pairs["a"], pairs["b"], pairs["distance_km"], strict=True)
        for key in ((a, b), (b, a))
    }
    levels = {level.level: level.title for level in profile.region_levels}
    case = _Case(
        problem=problem,
        plan=plan,
        candidates=candidates,
        criteria=criteria,
        level_title=levels.get(problem.spec.region_level),
        chosen=chosen,
        networks=[_served(r, prepared, plan, chosen) for r in prepared.resources],
        residual=[r.residual.tolist() for r in prepared.resources],
        distance=distance,
    )
    for j in chosen:
        case.bits |= 1 << j
        r = int(prepared.region[j])
        case.per_region[r] = case.per_region.get(r, 0) + 1
    used_up = _used_up(plan)
    out: dict[str, tuple[Reason, ...]] = {}
    for site in candidates.index:
        j = number[str(site)]
        if j in chosen:
            out[str(site)] = tuple(_why_in(case, j, used_up))
        else:
            out[str(site)] = tuple(_why_out(case, j))
    return out


def _served(resource: Resource, prepared: Prepared, plan: Plan, chosen: list[int]) -> Transport:
    """Return the sources with the chosen sites placed, own supply and reuse in full."""
    transport = network_of(resource, range(len(prepared.site_ids)))
    residual = resource.residual
    if resource.rule.single_source:
        number = {s: k for k, s in enumerate(resource.source_ids)}
        mine = plan.supply[
            (plan.supply["resource"] == resource.name) & (plan.supply["kind"] == "network")
        ]
        source = dict(zip(mine["site_id"], mine["source_id"], strict=True))
        for j in chosen:
            if prepared.site_ids[j] in source:
                transport.put(j, number[source[prepared.site_ids[j]]], int(residual[j]))
        return transport
    for j in sorted(chosen, key=lambda j: (-int(residual[j]), j)):
        transport.place(j, int(residual[j]))
    return transport


def _used_up(plan: Plan) -> dict[tuple[str, str], tuple[float, float, str]]:
    """Return the network sources of which the plan leaves nothing: used, headroom, unit."""
    rules = plan.prepared.problem.rules
    full = {}
    for row in plan.sources.itertuples(index=False):
        if row.kind == "own" or not row.used > 0:
            continue
        limit = row.headroom * rules[row.resource].headroom_share_max
        if row.used >= limit * (1 - 1e-6):
            full[row.resource, row.source_id] = (row.used, limit, row.unit)
    return full


def _region_name(case: _Case, j: int) -> Named:
    level = case.problem.spec.region_level
    row = case.candidates.loc[case.prepared.site_ids[j]]
    code = case.prepared.region_codes[int(case.prepared.region[j])]
    return Named.of(row.get(f"region{level}_name_en"), row.get(f"region{level}_name_local"), code)


def _score(value: float) -> Amount:
    return Amount(value, "", 3)


def _why_in(
    case: _Case, j: int, used_up: Mapping[tuple[str, str], tuple[float, float, str]]
) -> list[Reason]:
    prepared = case.prepared
    site = prepared.site_ids[j]
    row = case.candidates.loc[site]
    score = _score(float(prepared.score[j]))
    rank, total = int(row["rank"]), len(case.candidates)
    reasons = [
        Reason(
            "chosen",
            both(
                "Chosen. Its score is {score}, rank {rank} of {total} candidates.",
                "برگزیده شد. امتیاز آن {score} و رتبه‌اش {rank} از {total} نامزد است.",
                score=score,
                rank=rank,
                total=total,
            ),
        )
    ]
    reasons += _contributions(case, row)
    if prepared.less[j]:
        reasons.append(
            Reason(
                "less-industrialised",
                both(
                    "It lies in a less-industrialised region; the plan needs at least {quota} "
                    "such sites.",
                    "در منطقه‌ای کمترصنعتی است؛ برنامه دست‌کم {quota} شهرک در چنین "
                    "منطقه‌هایی می‌خواهد.",
                    quota=case.problem.quota,
                )
                if case.problem.quota
                else both("It lies in a less-industrialised region.", "در منطقه‌ای کمترصنعتی است."),
            )
        )
    mine = case.plan.supply[case.plan.supply["site_id"] == site]
    for resource in prepared.resources:
        rows = mine[mine["resource"] == resource.name]
        if len(rows):
            reasons.append(_supply(resource, rows))
    for flow in mine.itertuples(index=False):
        full = used_up.get((flow.resource, flow.source_id))
        if full is not None:
            used, _, unit = full
            reasons.append(
                Reason(
                    "used-up",
                    both(
                        "{source} is used up: the plan takes all {used} that it may.",
                        "ظرفیت {source} پر شده است: برنامه همهٔ {used} مجاز را می‌گیرد.",
                        source=Named.of(
                            flow.source_name_en, flow.source_name_local, flow.source_id
                        ),
                        used=Amount(used, unit),
                    ),
                )
            )
    return reasons


def _contributions(case: _Case, row: pd.Series) -> list[Reason]:
    parts = []
    for name, criterion in case.criteria.items():
        value = row.get(f"contribution_{name}")
        if value is not None and np.isfinite(value) and value > 0:
            title = criterion.title or Text(en=name.replace("_", " "))
            parts.append((float(value), title))
    if not parts:
        return []
    parts.sort(key=lambda p: -p[0])
    top = [
        Named(f"{t.en} ({_score(v).en})", f"{t.fa or t.en} ({_score(v).fa})")
        for v, t in parts[:_TOP]
    ]
    return [
        Reason(
            "contributions",
            both(
                "Most of its score comes from {top}.",
                "بیشترین سهم امتیاز آن از {top} است.",
                top=joined(top),
            ),
        )
    ]


def _supply(resource: Resource, rows: pd.DataFrame) -> Reason:
    parts = []
    for flow in rows.itertuples(index=False):
        amount = Amount(float(flow.amount), str(flow.unit))
        source = Named.of(flow.source_name_en, flow.source_name_local, str(flow.source_id))
        assumed = _ASSUMED if "assumed" in str(flow.basis) else _NOTHING
        if flow.kind == "network":
            km = Amount(float(flow.distance_km), "km")
            parts.append(
                Named(
                    f"{amount.en} from {source.en}, {km.en} away{assumed.en}"
                    if resource.name != "wastewater"
                    else f"{amount.en} at {source.en}, {km.en} away{assumed.en}",
                    f"{amount.fa} از {source.fa} در {km.fa}ی{assumed.fa}"
                    if resource.name != "wastewater"
                    else f"{amount.fa} در {source.fa} به فاصلهٔ {km.fa}{assumed.fa}",
                )
            )
        else:
            parts.append(
                Named(
                    f"{amount.en} on the site, {source.en}{assumed.en}",
                    f"{amount.fa} در خود شهرک، {source.fa}{assumed.fa}",
                )
            )
    name = RESOURCE_NAMES.get(resource.name) or Text(en=resource.name)
    joint = Named("; ".join(p.en for p in parts), "؛ ".join(p.fa for p in parts))
    return Reason(
        "supply",
        both(
            "{name}: {parts}.",
            "{name}: {parts}.",
            name=Named(name.en.capitalize(), name.fa or name.en),
            parts=joint,
        ),
    )


def _why_out(case: _Case, j: int) -> list[Reason]:
    prepared = case.prepared
    alone = [
        _not_alone(case, k, j)
        for k in range(len(prepared.resources))
        if prepared.shortage[k, j] > 0
    ]
    if alone:
        return alone
    if not case.chosen:
        return [
            Reason(
                "no-plan",
                both(
                    "It could be served alone, but no plan of {count} sites was found.",
                    "به‌تنهایی تأمین می‌شود، ولی برنامه‌ای با {count} شهرک یافت نشد.",
                    count=case.problem.spec.count,
                ),
            )
        ]
    reasons = _near(case, j) + _region_full(case, j) + _joint_capacity(case, j)
    swap = _swap(case, j)
    least = min(case.chosen, key=lambda i: (prepared.score[i], i))
    mine, lowest = float(prepared.score[j]), float(prepared.score[least])
    if mine < lowest:
        reasons.append(
            Reason(
                "score",
                both(
                    "Its score of {mine} is below {lowest}, the lowest among the chosen ({site}).",
                    "امتیاز آن، {mine}، از {lowest} که کمترین امتیاز برگزیدگان ({site}) است "
                    "کمتر است.",
                    mine=_score(mine),
                    lowest=_score(lowest),
                    site=prepared.site_ids[least],
                ),
            )
        )
    if swap is None:
        quota = _quota_blocks(case, j)
        if quota:
            reasons.append(quota)
        if not reasons:
            reasons.append(_only_jointly())
        return reasons
    loss = float(prepared.score[swap]) - mine
    site = prepared.site_ids[swap]
    if loss >= 0:
        reasons.append(
            Reason(
                "swap",
                both(
                    "It could take the place of {site}; the plan's score would fall by {loss}.",
                    "می‌تواند جای {site} را بگیرد؛ امتیاز برنامه {loss} کم می‌شود.",
                    site=site,
                    loss=_score(loss),
                ),
            )
        )
        return reasons
    reasons.append(_better_but(case, site, -loss))
    return reasons


def _not_alone(case: _Case, k: int, j: int) -> Reason:
    prepared = case.prepared
    resource = prepared.resources[k]
    name = RESOURCE_NAMES.get(resource.name) or Text(en=resource.name)
    short = Amount(resource.amount(int(prepared.shortage[k, j])), resource.unit)
    need = Amount(resource.amount(int(resource.demand[j])), resource.unit)
    km = Amount(resource.rule.max_km, "km")
    if not (resource.link_site == j).any():
        return Reason(
            "not-served",
            both(
                "It cannot be served: no {name} source with headroom lies within {km}, and it "
                "lacks {short} of the {need} that it needs.",
                "تأمین نمی‌شود: هیچ منبع {name} با ظرفیت آزاد تا {km}ی آن نیست و از {need} نیاز "
                "آن {short} کم است.",
                name=name,
                km=km,
                short=short,
                need=need,
            ),
        )
    return Reason(
        "not-served",
        both(
            "It cannot be served even alone: the {name} sources within {km} are {short} short of "
            "the {need} that it needs.",
            "حتی به‌تنهایی تأمین نمی‌شود: منابع {name} تا {km}ی آن از {need} نیاز آن "
            "{short} کم دارند.",
            name=name,
            km=km,
            short=short,
            need=need,
        ),
    )


def _near(case: _Case, j: int) -> list[Reason]:
    site = case.prepared.site_ids[j]
    near = [case.prepared.site_ids[i] for i in case.chosen if case.prepared.near[j] >> i & 1]
    near.sort(key=lambda s: case.distance[site, s])
    return [
        Reason(
            "spacing",
            both(
                "It lies {km} from the chosen site {other}; sites must be {spacing} apart.",
                "تا شهرک برگزیدهٔ {other} تنها {km} فاصله دارد؛ فاصلهٔ شهرک‌ها باید {spacing} باشد.",
                km=Amount(case.distance[site, other], "km"),
                other=other,
                spacing=Amount(case.problem.spec.spacing_km, "km"),
            ),
        )
        for other in near
    ]


def _region_full(case: _Case, j: int) -> list[Reason]:
    r = int(case.prepared.region[j])
    cap = case.prepared.region_cap[r] if r >= 0 else None
    if cap is None or case.per_region.get(r, 0) < cap:
        return []
    level = case.level_title or Text(en="region", fa="منطقه")
    return [
        Reason(
            "region-cap",
            both(
                "{region} already has {cap} of the chosen sites, the most that one {level} may "
                "have.",
                "{region} هم‌اکنون {cap} شهرک برگزیده دارد که بیشترین شمار مجاز هر {level} است.",
                region=_region_name(case, j),
                cap=cap,
                level=Text(en=level.en.lower(), fa=level.fa or level.en),
            ),
        )
    ]


def _joint_capacity(case: _Case, j: int) -> list[Reason]:
    reasons = []
    for k, resource in enumerate(case.prepared.resources):
        short = case.networks[k].copy().place(j, case.residual[k][j])
        if short <= 0:
            continue
        reasons.append(
            Reason(
                "capacity",
                both(
                    "Beside the chosen sites there is not enough {name}: {short} of the {need} "
                    "that it needs would be missing.",
                    "در کنار شهرک‌های برگزیده {name} کافی نیست: از {need} نیاز آن {short} کم می‌آید.",
                    name=RESOURCE_NAMES.get(resource.name) or Text(en=resource.name),
                    short=Amount(resource.amount(short), resource.unit),
                    need=Amount(resource.amount(int(resource.demand[j])), resource.unit),
                ),
            )
        )
    return reasons


def _fits(case: _Case, j: int, i: int) -> bool:
    """Return whether j may stand in the place of i, all limits but cost kept."""
    prepared = case.prepared
    if prepared.near[j] & (case.bits & ~(1 << i)):
        return False
    r = int(prepared.region[j])
    cap = prepared.region_cap[r] if r >= 0 else None
    if cap is not None and case.per_region.get(r, 0) - (int(prepared.region[i]) == r) >= cap:
        return False
    less = sum(bool(prepared.less[c]) for c in case.chosen)
    if less - bool(prepared.less[i]) + bool(prepared.less[j]) < case.problem.quota:
        return False
    for k, network in enumerate(case.networks):
        trial = network.copy()
        trial.remove(i)
        if trial.place(j, case.residual[k][j]):
            return False
    return True


def _swap(case: _Case, j: int) -> int | None:
    """Return the chosen site of the lowest score whose place j could take."""
    order = sorted(case.chosen, key=lambda i: (case.prepared.score[i], i))
    return next((i for i in order if _fits(case, j, i)), None)


def _quota_blocks(case: _Case, j: int) -> Reason | None:
    prepared = case.prepared
    less = sum(bool(prepared.less[i]) for i in case.chosen)
    if prepared.less[j] or less > case.problem.quota or not case.problem.quota:
        return None
    return Reason(
        "quota",
        both(
            "It lies in a more-industrialised region, and the plan has no more than the {quota} "
            "sites in less-industrialised regions that it needs.",
            "در منطقه‌ای صنعتی‌تر است و برنامه بیش از {quota} شهرک لازم در منطقه‌های کمترصنعتی ندارد.",
            quota=case.problem.quota,
        ),
    )


def _only_jointly() -> Reason:
    return Reason(
        "joint",
        both(
            "It can take no chosen site's place: each exchange would break a limit of spacing, "
            "region, quota or joint supply.",
            "نمی‌تواند جای هیچ شهرک برگزیده‌ای را بگیرد: هر جابه‌جایی یکی از حدهای فاصله، منطقه، "
            "سهم یا تأمین مشترک را می‌شکند.",
        ),
    )


def _better_but(case: _Case, site: str, gain: float) -> Reason:
    """Say why an exchange that would raise the score was not made."""
    spec = case.problem.spec
    words = {"site": site, "gain": _score(gain)}
    if spec.budget is not None:
        return Reason(
            "budget",
            both(
                "In the place of {site} it would raise the score by {gain}, but its supply would "
                "break the budget.",
                "به جای {site} امتیاز را {gain} بالا می‌برد، ولی هزینهٔ تأمین آن از بودجه می‌گذرد.",
                **words,
            ),
        )
    if spec.cost_per_score_point is not None:
        return Reason(
            "cost",
            both(
                "In the place of {site} it would raise the score by {gain}, but its supply costs "
                "more than that is worth.",
                "به جای {site} امتیاز را {gain} بالا می‌برد، ولی هزینهٔ تأمین آن بیش از ارزش "
                "این افزایش است.",
                **words,
            ),
        )
    gap = case.plan.record.gap or 0.0
    return Reason(
        "gap",
        both(
            "In the place of {site} it would raise the score by {gain}; the plan is proven only "
            "to within {gap} % of the best.",
            "به جای {site} امتیاز را {gain} بالا می‌برد؛ برنامه تا {gap} درصدِ بهترین اثبات شده است.",
            gap=Amount(gap * 100, "", 4),
            **words,
        ),
    )
