"""Why each candidate is in the plan or not, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan.catalogue.profile import Profile
from geoplan.catalogue.scenario import Criterion
from geoplan.catalogue.text import Text
from geoplan.siting.case import Case, points
from geoplan.siting.objections import why_out
from geoplan.siting.portfolio import Plan, PortfolioProblem
from geoplan.siting.problem import Resource
from geoplan.siting.result import Reason
from geoplan.siting.sentences import RESOURCE_NAMES, Amount, Named, both, joined

__all__ = ["explain"]

_ASSUMED = Named(" (assumed)", " (فرضی)")
_NOTHING = Named("", "")
_TOP = 3


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
    case = Case.of(problem, plan, candidates=candidates, criteria=criteria, profile=profile)
    number = {s: k for k, s in enumerate(plan.prepared.site_ids)}
    used_up = _used_up(plan)
    out: dict[str, tuple[Reason, ...]] = {}
    for site in candidates.index:
        j = number[str(site)]
        if case.bits >> j & 1:
            out[str(site)] = tuple(_why_in(case, j, used_up))
        else:
            out[str(site)] = tuple(why_out(case, j))
    return out


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


def _why_in(
    case: Case, j: int, used_up: Mapping[tuple[str, str], tuple[float, float, str]]
) -> list[Reason]:
    prepared = case.prepared
    site = prepared.site_ids[j]
    row = case.candidates.loc[site]
    score = points(float(prepared.score[j]))
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


def _contributions(case: Case, row: pd.Series) -> list[Reason]:
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
        Named(f"{t.en} ({points(v).en})", f"{t.fa or t.en} ({points(v).fa})")
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
