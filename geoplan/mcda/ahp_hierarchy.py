"""Judgments on criteria that stand in groups: a hierarchy of tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geoplan.errors import GeoPlanError, Problem, ProblemsFound, RangeError
from geoplan.mcda.ahp import CR_LIMIT, AhpResult, ahp
from geoplan.mcda.judgments import Table, table_of_pairs

__all__ = [
    "AhpRules",
    "HierarchyResult",
    "Judgments",
    "Tables",
    "group_problems",
    "hierarchy",
    "tables_of",
]


@dataclass(frozen=True, slots=True)
class AhpRules:
    """What all tables of one question are held to.

    Parameters
    ----------
    table : str
        Random-index table.
    limit : float
        Largest consistency ratio that is accepted.
    incomplete : bool
        Judgments may be missing, as long as the others join all that is compared.
    scale_max : float or None
        Largest judgment of the scale.
    """

    table: str = "saaty-newer"
    limit: float = CR_LIMIT
    incomplete: bool = False
    scale_max: float | None = 9.0


@dataclass(frozen=True, slots=True)
class Judgments:
    """What one judge said, by name.

    Parameters
    ----------
    pairs : mapping
        Between the groups, or between the criteria where there are none.
    within : mapping
        Group → pairs of its criteria.
    """

    pairs: Mapping[str, float]
    within: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tables:
    """The same as reciprocal tables: ``top`` between groups, ``within`` by group."""

    top: Table
    within: dict[str, Table]


@dataclass(frozen=True, slots=True)
class HierarchyResult:
    """Weights of criteria in groups, with the evidence.

    Parameters
    ----------
    weights : dict
        Criterion → weight of its group × weight within the group; sums to 1.
    top : AhpResult
        Groups against each other.
    within : dict
        Group → its criteria against each other.
    ci, random_index, cr : float
        Of the hierarchy: CI_top + Σ w_g CI_g, the same of the random indices, and their ratio
        (Saaty 1980, The Analytic Hierarchy Process, chapter 4); 0 where nothing can contradict.
    """

    weights: dict[str, float]
    top: AhpResult
    within: dict[str, AhpResult]
    ci: float
    random_index: float
    cr: float

    def record(self) -> dict[str, Any]:
        """Return the evidence as plain values, for a run's record."""
        return {
            "method": "ahp",
            "criteria": list(self.weights),
            "weights": list(self.weights.values()),
            "hierarchy": {
                "ci": self.ci,
                "random_index": self.random_index,
                "cr": self.cr,
                "cr_limit": CR_LIMIT,
            },
            "groups": self.top.record(),
            "within": {name: found.record() for name, found in self.within.items()},
        }


def group_problems(
    names: Sequence[str], groups: Mapping[str, Sequence[str]], *, where: str
) -> list[Problem]:
    """Return what keeps groups from holding every criterion exactly once."""
    found = []
    home: dict[str, str] = {}
    for group, members in groups.items():
        at = f"{where}.{group}.criteria"
        if not members:
            found.append(Problem(at, "the group is empty", "add its criteria, or remove it"))
        for name in members:
            if name not in names:
                found.append(Problem(at, f"no criterion '{name}'", f"use {', '.join(names)}"))
            elif name in home:
                found.append(
                    Problem(at, f"'{name}' is in group '{home[name]}' already", "keep it in one")
                )
            home.setdefault(name, group)
    found += [
        Problem(where, f"criterion '{name}' is in no group", "add it to one")
        for name in names
        if name not in home
    ]
    return found


def _place(where_within: str, group: str) -> str:
    return where_within.replace("{group}", group)


def _gathered(error: GeoPlanError) -> list[Problem]:
    if isinstance(error, ProblemsFound):
        return list(error.problems)
    return [Problem(error.where, error.what, error.remedy)]


def tables_of(
    names: Sequence[str],
    given: Judgments,
    groups: Mapping[str, Sequence[str]],
    *,
    rules: AhpRules,
    where: str,
    where_within: str,
) -> Tables:
    """Return the tables of one judge.

    Parameters
    ----------
    names : sequence of str
        All criteria.
    given : Judgments
    groups : mapping
        Group → its criteria; empty where criteria are compared with each other directly.
    where, where_within : str
        Places of the pairs between groups, and, with ``{group}`` in it, within one.

    Raises
    ------
    ProblemsFound
        Of all tables at once.
    """
    problems = group_problems(names, groups, where="weights.groups") if groups else []

    def read(compared: Sequence[str], pairs: Mapping[str, float], at: str) -> Table | None:
        try:
            return table_of_pairs(
                compared,
                pairs,
                incomplete=rules.incomplete,
                scale_max=rules.scale_max,
                where=at,
            )
        except ProblemsFound as error:
            problems.extend(error.problems)
            return None

    top = read(list(groups) or names, given.pairs, where)
    problems += [
        Problem(
            _place(where_within, group),
            "no such group",
            f"use {', '.join(groups)}" if groups else "name it under 'groups', or leave it out",
        )
        for group in given.within
        if group not in groups
    ]
    within = {
        group: read(members, given.within.get(group, {}), _place(where_within, group))
        for group, members in groups.items()
    }
    if problems or top is None:
        raise ProblemsFound(f"the judgments have {len(problems)} problems", problems, where=where)
    return Tables(top, {group: table for group, table in within.items() if table is not None})


def hierarchy(
    names: Sequence[str],
    tables: Tables,
    groups: Mapping[str, Sequence[str]],
    *,
    rules: AhpRules,
    where: str,
    where_within: str,
    whose: str = "",
) -> AhpResult | HierarchyResult:
    """Return the weights of criteria from the tables of their groups.

    Parameters
    ----------
    names : sequence of str
        All criteria, in the order of the weights.
    tables : Tables
        As :func:`tables_of` gives them.
    groups : mapping
        Group → its criteria, which together are ``names``; empty: one table of all criteria,
        whose own result is returned.
    whose : str
        Of which judge, for an error: ``"of judge b"``.

    Raises
    ------
    ProblemsFound
        The consistency ratio of a table, or of the hierarchy, is above the limit: every such
        table with the pair to mend first.

    Notes
    -----
    Weight of a criterion = weight of its group × its weight within the group (Saaty 1980).
    """
    problems: list[Problem] = []

    def solve(table: Table, compared: Sequence[str], at: str, of: str) -> AhpResult:
        try:
            return ahp(
                table,
                compared,
                table=rules.table,
                limit=rules.limit,
                incomplete=rules.incomplete,
                where=at,
                whose=of,
            )
        except RangeError as error:
            if len(compared) > 15:
                raise
            problems.extend(_gathered(error))
            return ahp(
                table,
                compared,
                table=rules.table,
                limit=math.inf,
                incomplete=rules.incomplete,
                where=at,
            )

    between = f"between groups {whose}".strip() if groups else whose
    top = solve(tables.top, list(groups) or list(names), where, between)
    within = {
        group: solve(
            tables.within[group],
            list(members),
            _place(where_within, group),
            f"in group '{group}' {whose}".strip(),
        )
        for group, members in groups.items()
    }
    ci = top.ci + math.fsum(top.weights[g] * found.ci for g, found in within.items())
    index = top.random_index + math.fsum(
        top.weights[g] * found.random_index for g, found in within.items()
    )
    cr = ci / index if index > 0 else 0.0
    if problems:
        raise ProblemsFound(
            f"the judgments contradict each other in {len(problems)} tables", problems, where=where
        )
    if not groups:
        return top
    if cr > rules.limit:  # each table is within the limit, so their mean is: kept as a safeguard
        raise RangeError(
            f"consistency ratio of the hierarchy {cr:.4f}, above {rules.limit:.2f}", where=where
        )
    whole = {
        name: top.weights[group] * weight
        for group, found in within.items()
        for name, weight in found.weights.items()
    }
    return HierarchyResult({n: whole[n] for n in names}, top, within, ci, index, cr)
