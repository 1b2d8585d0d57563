"""How unequally regions share a fact: once, before and after a plan, or at two dates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound
from geoplan.regions import ancestors
from geoplan.regions.inequality import (
    atkinson,
    between_within,
    gini,
    hhi,
    hoover,
    theil_l,
    theil_t,
)
from geoplan.store import read
from geoplan.studies.index import all_regions
from geoplan.studies.region_fact import PERSONS, FactColumn, fact_column, facts_in_persons
from geoplan.studies.region_inequality_words import assumptions_of, notices_of
from geoplan.studies.region_plan import PlanJobs

__all__ = ["MEASURES", "Inequality", "InequalityQuestion", "inequality_of"]

MEASURES: dict[str, Text] = {
    "mean": Text(en="Mean: whole amount / whole divisor", fa="میانگین: کل مقدار بر کل مخرج"),
    "gini": Text(en="Gini", fa="جینی"),
    "hoover": Text(en="Hoover: share that would have to move", fa="هوور: سهمی که باید جابه‌جا شود"),
    "theil_t": Text(en="Theil T, GE(1)", fa="تایل T، GE(1)"),
    "theil_l": Text(en="Theil L, mean log deviation, GE(0)",
                    fa="تایل L، میانگین انحراف لگاریتمی، GE(0)"),
    "atkinson_05": Text(en="Atkinson, aversion 0.5", fa="اتکینسون، گریز ۰٫۵"),
    "atkinson_1": Text(en="Atkinson, aversion 1", fa="اتکینسون، گریز ۱"),
    "hhi": Text(en="Herfindahl–Hirschman, of the amounts", fa="هرفیندال–هیرشمن، از مقدارها"),
    "hhi_normalised": Text(en="Herfindahl–Hirschman, 0 even to 1 all in one region",
                           fa="هرفیندال–هیرشمن، از ۰ یکسان تا ۱ همه در یک منطقه"),
}  # fmt: skip
"""Rows of `Inequality.measures`, in order."""

_DECOMPOSED = ("theil_t", "theil_l")


@dataclass(frozen=True)
class InequalityQuestion:
    """What is compared.

    Parameters
    ----------
    fact : str or None
        Amount of each region; ``None`` with a plan: the index's indicator that counts persons.
    per : str or None
        What it is divided by and weighed with; ``None``: ``population``, or the index's.
    level : int
    fact_later, per_later : str, optional
        The same at a later date; ``per_later`` absent: ``per``.
    sum_up : bool
        Figures of a finer level may be added up.
    """

    fact: str | None
    per: str | None
    level: int
    fact_later: str | None = None
    per_later: str | None = None
    sum_up: bool = False


@dataclass(frozen=True, eq=False)
class Inequality:
    """The answer.

    Parameters
    ----------
    frame : DataFrame, index code
        ``name_en``, ``name_local``, ``parent_code``, ``group`` (code of its region of level 1),
        ``amount``, ``per``, ``value`` (amount per unit of ``per``), ``counted``; with a plan or a
        later date ``amount_after``, ``per_after``, ``value_after``, ``change``; with a plan
        ``added`` (jobs).
    measures : DataFrame, index measure
        ``before`` and, where there are two, ``after`` and ``change``; infinite where the formula
        says so.
    parts : DataFrame
        Of a level below the first: ``measure``, ``total``, ``between``, ``within``,
        ``between_share`` and the same with ``_after``.
    groups : DataFrame, index code of level 1
        What each adds to ``within``: ``theil_t``, ``theil_l``, with ``_after``.
    question : dict
        As answered: facts, units, dates, sources.
    notices, assumptions : tuple of Text
    """

    frame: pd.DataFrame
    measures: pd.DataFrame
    parts: pd.DataFrame
    groups: pd.DataFrame
    question: dict[str, Any]
    notices: tuple[Text, ...]
    assumptions: tuple[Text, ...]

    @property
    def two(self) -> bool:
        """Whether there is an after."""
        return "value_after" in self.frame.columns


def inequality_of(
    session: Session, profile: Profile, question: InequalityQuestion, *, plan: PlanJobs | None
) -> Inequality:
    """Measure how unequally the regions of a level share a fact.

    Parameters
    ----------
    session : Session
        Database.
    profile : Profile
    question : InequalityQuestion
    plan : PlanJobs, optional
        Jobs that are added to the regions in which the chosen sites lie.

    Raises
    ------
    ProblemsFound
        Facts or levels that are not there, a plan beside a later date or beside a fact that counts
        no persons, fewer than two regions with figures: all that can be known at once.
    """
    regions = all_regions(session, profile)
    facts = read.region_facts(session)
    fact, per = _asked(profile, facts, question, plan)
    columns = _columns(facts, regions, profile, question, (fact, per), plan)
    frame = _frame(regions, question.level, columns, plan)
    counted = frame["counted"]
    if int(counted.sum()) < 2:
        raise ProblemsFound(
            "there is nothing to compare",
            [Problem("--fact", f"{int(counted.sum())} regions have both '{fact}' and '{per}'",
                     "give facts that at least two regions have", code="too-few")],
        )  # fmt: skip
    suffixes = ("", "_after") if "value_after" in frame.columns else ("",)
    measures = _measures(frame[counted], suffixes)
    parts, groups = _parts(frame[counted], suffixes, question.level)
    notices = notices_of(frame, columns, question.level)
    assumptions = assumptions_of(plan, frame, columns, question.level) if plan else ()
    record = {
        "level": question.level,
        "regions": len(frame),
        "counted": int(counted.sum()),
        "columns": {k: _described(c) for k, c in columns.items()},
        "plan": None if plan is None else plan.record(),
    }
    return Inequality(frame, measures, parts, groups, record, notices, assumptions)


def _asked(
    profile: Profile, facts: pd.DataFrame, question: InequalityQuestion, plan: PlanJobs | None
) -> tuple[str, str]:
    """Return the fact and what it is divided by."""
    problems = []
    if plan is not None and question.fact_later is not None:
        problems.append(
            Problem("--run, --fact2", "a plan and a later date are both asked for",
                    "ask for one, then for the other", code="two-questions")
        )  # fmt: skip
    fact, per = question.fact, question.per
    if fact is None and plan is not None:
        people = set(facts.loc[facts["unit"].isin(PERSONS), "variable"])
        named = [i for i in profile.index.indicators if i.variable in people and i.per]
        if named:
            fact, per = named[0].variable, per or named[0].per
    if fact is None:
        problems.append(
            Problem("--fact", "no fact is named", "name one, for example --fact population",
                    code="no-fact")
        )  # fmt: skip
    levels = [r.level for r in profile.region_levels]
    if question.level not in levels:
        problems.append(
            Problem("--level", f"profile '{profile.id}' has no level {question.level}",
                    f"levels: {', '.join(map(str, levels))}", code="level")
        )  # fmt: skip
    if problems or fact is None:
        raise _refused(problems)
    return fact, per or "population"


def _refused(problems: list[Problem]) -> ProblemsFound:
    n = len(problems)
    return ProblemsFound(f"the question has {n} problem{'s' if n > 1 else ''}", problems)


def _columns(
    facts: pd.DataFrame,
    regions: gpd.GeoDataFrame,
    profile: Profile,
    question: InequalityQuestion,
    names: tuple[str, str],
    plan: PlanJobs | None,
) -> dict[str, FactColumn]:
    wanted = {"fact": (names[0], "--fact"), "per": (names[1], "--per")}
    if question.fact_later is not None:
        wanted["fact_later"] = (question.fact_later, "--fact2")
        wanted["per_later"] = (question.per_later or names[1], "--per2")
    found: dict[str, FactColumn] = {}
    problems: list[Problem] = []
    for key, (name, where) in wanted.items():
        column = fact_column(
            facts, regions, name, question.level,
            where=where, crs=profile.analysis_crs, sum_up=question.sum_up,
        )  # fmt: skip
        if isinstance(column, Problem):
            problems.append(column)
        else:
            found[key] = column
    base = found.get("fact")
    if plan is not None and base is not None and not base.in_persons:
        fit = facts_in_persons(facts, question.level)
        problems.append(
            Problem("--fact, --run", f"a plan adds jobs, but '{base.variable}' is in {base.unit}",
                    f"name a fact in persons: {', '.join(fit) or 'none is loaded at this level'}",
                    code="unit")
        )  # fmt: skip
    later = found.get("fact_later")
    if later is not None and base is not None and later.unit != base.unit:
        problems.append(
            Problem("--fact2", f"'{later.variable}' is in {later.unit}, '{base.variable}' in "
                    f"{base.unit}", "compare one variable at two dates", code="unit")
        )  # fmt: skip
    if plan is not None:
        problems += plan.problems(regions, question.level)
    if problems:
        raise _refused(problems)
    return found


def _frame(
    regions: pd.DataFrame, level: int, columns: Mapping[str, FactColumn], plan: PlanJobs | None
) -> pd.DataFrame:
    own = regions[regions["level"] == level].set_index("code").sort_index()
    out = pd.DataFrame(own[["name_en", "name_local", "parent_code"]])
    out["group"] = ancestors(regions, level)[1].reindex(out.index)
    out["amount"] = columns["fact"].value
    out["per"] = columns["per"].value
    per = out["per"].where(out["per"] > 0)
    out["value"] = out["amount"] / per
    known = out["value"].notna()
    if plan is not None:
        out["added"] = plan.by_region(level).reindex(out.index).fillna(0.0)
        out["amount_after"] = out["amount"] + out["added"]
        out["per_after"] = out["per"]
    elif "fact_later" in columns:
        out["amount_after"] = columns["fact_later"].value
        out["per_after"] = columns["per_later"].value
    if "amount_after" in out.columns:
        after = out["per_after"].where(out["per_after"] > 0)
        out["value_after"] = out["amount_after"] / after
        out["change"] = out["value_after"] - out["value"]
        known &= out["value_after"].notna()
    out["counted"] = known
    return out


def _measures(frame: pd.DataFrame, suffixes: tuple[str, ...]) -> pd.DataFrame:
    found: dict[str, dict[str, float]] = {}
    for suffix, name in zip(suffixes, ("before", "after"), strict=False):
        y = frame[f"value{suffix}"].to_numpy()
        w = frame[f"per{suffix}"].to_numpy()
        amount = frame[f"amount{suffix}"].to_numpy()
        found[name] = {
            "mean": float(amount.sum() / w.sum()),
            "gini": gini(y, weights=w),
            "hoover": hoover(y, weights=w),
            "theil_t": theil_t(y, weights=w),
            "theil_l": theil_l(y, weights=w),
            "atkinson_05": atkinson(y, aversion=0.5, weights=w),
            "atkinson_1": atkinson(y, aversion=1.0, weights=w),
            "hhi": hhi(amount),
            "hhi_normalised": hhi(amount, normalised=True),
        }
    out = pd.DataFrame(found, index=pd.Index(list(MEASURES), name="measure"))
    if "after" in out.columns:
        # Two infinities have no difference: NaN.
        with np.errstate(invalid="ignore"):
            out["change"] = out["after"] - out["before"]
    return out


def _parts(
    frame: pd.DataFrame, suffixes: tuple[str, ...], level: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    grouped = frame[frame["group"].notna()]
    if level == 1 or grouped.empty:
        return pd.DataFrame(), pd.DataFrame()
    rows: list[dict[str, Any]] = []
    groups: dict[str, pd.Series] = {}
    for measure in _DECOMPOSED:
        row: dict[str, Any] = {"measure": measure}
        for suffix in suffixes:
            found = between_within(
                grouped[f"value{suffix}"].to_numpy(),
                grouped["group"].to_numpy(),
                measure=measure,
                weights=grouped[f"per{suffix}"].to_numpy(),
            )
            finite = np.isfinite(found.total) and found.total > 0
            row |= {
                f"total{suffix}": found.total,
                f"between{suffix}": found.between,
                f"within{suffix}": found.within,
                f"between_share{suffix}": found.between / found.total if finite else np.nan,
            }
            groups[f"{measure}{suffix}"] = pd.Series(found.group, dtype="float64")
        rows.append(row)
    return pd.DataFrame(rows), pd.DataFrame(groups).rename_axis("code").sort_index()


def _described(column: FactColumn) -> dict[str, Any]:
    return {"variable": column.variable, "unit": column.unit, "as_of": column.as_of,
            "source": column.source, "how": column.how,
            "known": int(column.value.notna().sum())}  # fmt: skip
