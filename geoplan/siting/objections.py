"""Why a candidate is not in the plan, and whose place it could take."""

from __future__ import annotations

from geoplan.catalogue.text import Text
from geoplan.siting.case import Case, points
from geoplan.siting.result import Reason
from geoplan.siting.sentences import RESOURCE_NAMES, Amount, Named, both

__all__ = ["why_out"]


def _region_name(case: Case, j: int) -> Named:
    level = case.problem.spec.region_level
    row = case.candidates.loc[case.prepared.site_ids[j]]
    code = case.prepared.region_codes[int(case.prepared.region[j])]
    return Named.of(row.get(f"region{level}_name_en"), row.get(f"region{level}_name_local"), code)


def why_out(case: Case, j: int) -> list[Reason]:
    """Return the reasons why site ``j`` is not chosen; see `geoplan.siting.explain.explain`."""
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
                    mine=points(mine),
                    lowest=points(lowest),
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
                    loss=points(loss),
                ),
            )
        )
        return reasons
    reasons.append(_better_but(case, site, -loss))
    return reasons


def _not_alone(case: Case, k: int, j: int) -> Reason:
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


def _near(case: Case, j: int) -> list[Reason]:
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


def _region_full(case: Case, j: int) -> list[Reason]:
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


def _joint_capacity(case: Case, j: int) -> list[Reason]:
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


def _fits(case: Case, j: int, i: int) -> bool:
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


def _swap(case: Case, j: int) -> int | None:
    """Return the chosen site of the lowest score whose place j could take."""
    order = sorted(case.chosen, key=lambda i: (case.prepared.score[i], i))
    return next((i for i in order if _fits(case, j, i)), None)


def _quota_blocks(case: Case, j: int) -> Reason | None:
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


def _better_but(case: Case, site: str, gain: float) -> Reason:
    """Say why an exchange that would raise the score was not made."""
    spec = case.problem.spec
    words = {"site": site, "gain": points(gain)}
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
