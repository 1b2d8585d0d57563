"""The front of efficiency against regional equity, from a scenario's question to its tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue import Profile, Scenario
from geoplan.catalogue.equity import EquitySpec
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError, UnknownName
from geoplan.regions import IndexResult
from geoplan.regions.inequality import gini, theil_t
from geoplan.siting.equity import EquityTerms
from geoplan.siting.front import PlanFront, PlanWorth, front_of_plans, worth_of
from geoplan.siting.portfolio import Plan
from geoplan.siting.problem import PortfolioProblem, Prepared, prepare
from geoplan.siting.sentences import both
from geoplan.studies.equity_figures import equity_regions, figures, needed

__all__ = ["PARETO_COLUMNS", "front_of"]

FloatArray = npt.NDArray[np.float64]

PARETO_COLUMNS = (
    "point", "efficiency", "equity", "gap", "proven", "cost", "benefit",
    "share_less_industrialised", "gini_before", "gini_after", "theil_t_before", "theil_t_after",
    "is_plan", "sites", "entering", "leaving",
)  # fmt: skip
"""Columns of the frame; site ids are joined by a space."""

_UNITS = {"jobs": "jobs", "area_ha": "ha"}


def front_of(
    problem: PortfolioProblem,
    frame: pd.DataFrame,
    scenario: Scenario,
    regions: pd.DataFrame,
    facts: pd.DataFrame,
    *,
    index: IndexResult,
    profile: Profile,
    plan: Plan | None = None,
) -> tuple[pd.DataFrame, dict[str, Any], tuple[Text, ...]]:
    """Return the front that ``scenario.equity`` asks for.

    Parameters
    ----------
    problem : PortfolioProblem
        The plan's own question.
    frame : DataFrame, index ``site_id``
        Candidates: ``jobs``, ``area_ha``, ``region{level}_code``.
    scenario : Scenario
        With ``equity``.
    regions : DataFrame
        All regions: ``code``, ``parent_code``, ``level``, ``name_en``, ``name_local``,
        ``population``.
    facts : DataFrame
        As `geoplan.store.read.region_facts`.
    index, profile
        As in `equity_regions`.
    plan : Plan, optional
        The plan that was chosen: the first search begins there, and its place is marked.

    Returns
    -------
    DataFrame
        One row per point, most efficient first; see `PARETO_COLUMNS`. Empty where no plan exists.
    dict
        The same and the regions, as JSON holds it (``documents["pareto"]``).
    tuple of Text
        What a reader must know: regions left out, points not proven.

    Raises
    ------
    UnknownName, RangeError
        A fact variable, region or level does not exist, or no region has the figures needed.
    """
    spec = scenario.equity
    if spec is None:
        raise RangeError("the scenario has no 'equity'", remedy="add the key, or leave it out")
    table = figures(equity_regions(regions, index, profile, spec.level), regions, facts, spec)
    prepared = prepare(problem)
    ground = _Ground.of(prepared, frame, table, spec)
    notices = _left_out(ground, table, spec)
    chosen = _variants(prepared, plan)
    front = front_of_plans(
        prepared,
        ground.terms,
        points=spec.points,
        time_limit_s=spec.time_limit_s,
        seed=scenario.seed % 2**31,
        start=chosen,
    )
    own = (
        worth_of(prepared, ground.terms, chosen, cost=plan.cost)
        if plan is not None and chosen
        else None
    )
    at = _place(front, ground.terms, own, chosen)
    rows = [_row(k, front, prepared, ground, table, at) for k in range(len(front.points))]
    out = pd.DataFrame(rows, columns=list(PARETO_COLUMNS))
    notices += _unproven(front, spec)
    document = _document(front, out, ground, table, spec, own, at)
    return out, document, tuple(notices)


@dataclass(frozen=True)
class _Ground:
    """The terms of equity, and the regions by their order in the table."""

    terms: EquityTerms
    counted: pd.Index[str]
    lost_sites: int
    place: npt.NDArray[np.int64]
    """Row of ``table`` of each site's region, −1 without one."""

    @classmethod
    def of(
        cls, prepared: Prepared, frame: pd.DataFrame, table: pd.DataFrame, spec: EquitySpec
    ) -> _Ground:
        column = f"region{spec.level}_code"
        for name in (column, spec.measure):
            if name not in frame.columns:
                raise UnknownName(
                    f"the candidates have no column '{name}'",
                    where="equity",
                    remedy="choose a level that the profile has",
                )
        whole = table[needed(spec)].notna().all(axis=1)
        counted = table.index[whole]
        if not len(counted):
            raise RangeError(
                f"no region of level {spec.level} has {' and '.join(needed(spec))}",
                where="equity",
                remedy="load these figures, or choose another level or objective",
            )
        ids = [prepared.site(j) for j in range(len(prepared.site_ids))]
        mine = frame.reindex(ids)
        share = prepared.variants.level
        benefit = mine[spec.measure].astype("float64").to_numpy() * share
        number = {code: k for k, code in enumerate(counted)}
        row = {code: k for k, code in enumerate(table.index)}
        codes = [None if pd.isna(c) else str(c) for c in mine[column]]
        region = np.array([number.get(c, -1) for c in codes], dtype=np.int64)
        some = table.loc[counted]
        terms = EquityTerms(
            objective=spec.objective,
            benefit=benefit,
            region=region,
            codes=tuple(str(c) for c in counted),
            population=some["population"].to_numpy(dtype=np.float64),
            base=some["base"].to_numpy(dtype=np.float64),
            industrialisation=some["industrialisation"].to_numpy(dtype=np.float64),
            targets=some["target"].to_numpy(dtype=np.float64)
            if isinstance(spec.targets, dict) and spec.objective == "shortfall"
            else None,
        )
        lost = len({ids[j] for j in np.flatnonzero(region < 0)})
        place = np.array([row.get(c, -1) for c in codes], dtype=np.int64)
        return cls(terms, counted, lost, place)


def _variants(prepared: Prepared, plan: Plan | None) -> tuple[int, ...]:
    """Return a plan's sites by number, each at the level at which it is built."""
    if plan is None:
        return ()
    level = dict(plan.level.items())
    number = {
        (prepared.site(j), round(float(v), 9)): j for j, v in enumerate(prepared.variants.level)
    }
    return tuple(number[s, round(float(level[s]), 9)] for s in plan.chosen)


def _place(
    front: PlanFront, terms: EquityTerms, own: PlanWorth | None, chosen: Sequence[int]
) -> int | None:
    """Return the point that is the plan, or is worth the same."""
    if own is None:
        return None
    exact = front.index_of(chosen)
    if exact is not None:
        return exact
    for k, p in enumerate(front.points):
        same = abs(p.worth.efficiency - own.efficiency) < 1e-6
        if same and abs(p.worth.equity - own.equity) < terms.step:
            return k
    return None


def _spread(
    chosen: Sequence[int], ground: _Ground, table: pd.DataFrame
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return before and after per person, and people, of the regions where both are known."""
    got = np.zeros(len(table))
    for j in sorted(chosen):
        if ground.place[j] >= 0:
            got[ground.place[j]] += ground.terms.benefit[j]
    known = (table["population"].notna() & table["base"].notna()).to_numpy()
    people = table["population"].to_numpy(dtype=np.float64)[known]
    before = table["base"].to_numpy(dtype=np.float64)[known]
    return before / people, (before + got[known]) / people, people


def _row(
    k: int,
    front: PlanFront,
    prepared: Prepared,
    ground: _Ground,
    table: pd.DataFrame,
    at: int | None,
) -> dict[str, Any]:
    p = front.points[k]
    before, after, people = _spread(p.chosen, ground, table)
    return {
        "point": k + 1,
        "efficiency": p.worth.efficiency,
        "equity": p.worth.equity,
        "gap": p.gap,
        "proven": p.proven,
        "cost": p.worth.cost,
        "benefit": float(math.fsum(ground.terms.benefit[j] for j in sorted(p.chosen))),
        "share_less_industrialised": float(prepared.less[list(p.chosen)].mean()),
        "gini_before": gini(before, weights=people) if len(people) else math.nan,
        "gini_after": gini(after, weights=people) if len(people) else math.nan,
        "theil_t_before": theil_t(before, weights=people) if len(people) else math.nan,
        "theil_t_after": theil_t(after, weights=people) if len(people) else math.nan,
        "is_plan": k == at,
        "sites": " ".join(p.sites),
        "entering": " ".join(p.entering),
        "leaving": " ".join(p.leaving),
    }


def _left_out(ground: _Ground, table: pd.DataFrame, spec: EquitySpec) -> list[Text]:
    out: list[Text] = []
    lost = len(table) - len(ground.counted)
    by_target = isinstance(spec.targets, dict) and spec.objective == "shortfall"
    if lost and not by_target:
        out.append(
            both(
                "equity: {n} of {all} regions lack a figure ({what}) and are left out",
                "عدالت منطقه‌ای: {n} منطقه از {all} منطقه رقم لازم ({what}) را ندارند و کنار "
                "گذاشته شدند",
                n=lost,
                all=len(table),
                what=Text(
                    en=", ".join(_WORDS[w].en for w in needed(spec)),
                    fa="، ".join(str(_WORDS[w].fa) for w in needed(spec)),
                ),
            )
        )
    if ground.lost_sites:
        out.append(
            both(
                "equity: {n} candidates lie in regions that are not counted; what they bring "
                "counts for no region",
                "عدالت منطقه‌ای: {n} مکان نامزد در مناطقی است که به حساب نمی‌آیند؛ آنچه می‌آورند "
                "به حساب هیچ منطقه‌ای نمی‌آید",
                n=ground.lost_sites,
            )
        )
    return out


_WORDS = {
    "industrialisation": Text(en="industrialisation index", fa="شاخص صنعتی‌بودن"),
    "population": Text(en="population", fa="جمعیت"),
    "base": Text(en="what it has before the plan", fa="وضع پیش از طرح"),
    "target": Text(en="target", fa="هدف"),
}


def _unproven(front: PlanFront, spec: EquitySpec) -> list[Text]:
    if front.status != "time-limit":
        return []
    open_ = sum(not p.proven for p in front.points)
    if not front.points:
        return [
            both(
                "equity: no plan of the front was found in {s} s; give 'equity.time_limit_s' more",
                "عدالت منطقه‌ای: در {s} ثانیه هیچ طرحی از مرز کارایی یافت نشد؛ "
                "«equity.time_limit_s» را بیشتر کنید",
                s=spec.time_limit_s,
            )
        ]
    return [
        both(
            "equity: the front was not finished in {s} s; {n} of its {all} points are not proven, "
            "and others may lie between or beyond them",
            "عدالت منطقه‌ای: مرز کارایی در {s} ثانیه به پایان نرسید؛ {n} نقطه از {all} نقطهٔ آن "
            "اثبات نشده و شاید نقطه‌های دیگری میان یا فراتر از آن‌ها باشد",
            s=spec.time_limit_s,
            n=open_,
            all=len(front.points),
        )
    ]


def _document(
    front: PlanFront,
    rows: pd.DataFrame,
    ground: _Ground,
    table: pd.DataFrame,
    spec: EquitySpec,
    own: PlanWorth | None,
    at: int | None,
) -> dict[str, Any]:
    """Return what the pages and the service show; no clock in it, so that runs compare."""
    deprivation = spec.objective == "deprivation"
    share = spec.objective in ("gini", "deviation")
    counted = set(ground.counted)
    points = [
        {
            **{name: _plain(row[name]) for name in PARETO_COLUMNS[:13]},
            **{name: row[name].split() for name in PARETO_COLUMNS[13:]},
            "bound": _plain(p.bound),
            "gained": _gained(p.chosen, ground, table),
        }
        for row, p in zip(rows.to_dict("records"), front.points, strict=True)
    ]
    return {
        "objective": spec.objective,
        "level": spec.level,
        "measure": spec.measure,
        "equity_unit": "" if share else _UNITS[spec.measure],
        "more_is_better": deprivation,
        "status": front.status,
        "complete": front.complete,
        "asked": spec.points,
        "efficiency_step": 1e-6,
        "equity_step": front.equity_step,
        "open_between": [list(pair) for pair in front.open_between],
        "plan": None
        if own is None
        else {
            "efficiency": own.efficiency,
            "equity": _plain(own.equity),
            "cost": _plain(own.cost),
            "point": None if at is None else at + 1,
        },
        "regions": [
            {
                "code": str(code),
                "name_en": _plain(r["name_en"]),
                "name_local": _plain(r["name_local"]),
                "population": _plain(r["population"]),
                "before": _plain(r["base"]) if spec.base is not None else None,
                "industrialisation": _plain(r["industrialisation"]),
                "counted": code in counted,
            }
            for code, r in zip(table.index, table.to_dict("records"), strict=True)
        ],
        "points": points,
    }


def _gained(chosen: Sequence[int], ground: _Ground, table: pd.DataFrame) -> dict[str, float]:
    out: dict[str, float] = {}
    for j in sorted(chosen):
        if ground.place[j] >= 0:
            code = str(table.index[ground.place[j]])
            out[code] = out.get(code, 0.0) + float(ground.terms.benefit[j])
    return dict(sorted(out.items()))


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; what is missing or endless is null."""
    if isinstance(value, str | Mapping):
        return value
    if value is None or pd.isna(value):
        return None
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    return float(value) if math.isfinite(value) else None
