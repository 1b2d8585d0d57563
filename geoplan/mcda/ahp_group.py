"""Judgments of several judges, merged into one set of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from geoplan.errors import GeoPlanError, Problem, ProblemsFound, RangeError
from geoplan.mcda.ahp import AhpResult
from geoplan.mcda.ahp_hierarchy import (
    AhpRules,
    HierarchyResult,
    Judgments,
    Tables,
    hierarchy,
    tables_of,
)
from geoplan.mcda.judgments import Table

__all__ = ["Gate", "GroupResult", "Merging", "group_ahp", "merged_priorities", "merged_table"]

Merging = Literal["judgments", "priorities"]
"""``judgments``: AIJ, one table of the geometric means of all judges' judgments. ``priorities``:
AIP, the geometric means of all judges' weights (Forman & Peniwati 1998)."""

Gate = Literal["each", "group"]
"""Whose consistency ratio must be within the limit: each judge's too, or that of the merged table
alone."""


@dataclass(frozen=True, slots=True)
class GroupResult:
    """Weights from several judges, with the evidence.

    Parameters
    ----------
    weights : dict
        Criterion → weight; sums to 1.
    merging : {"judgments", "priorities"}
    shares : dict
        Judge → share in the mean; sums to 1.
    judges : dict
        Judge → their own result, with their own consistency ratios.
    merged : AhpResult, HierarchyResult or None
        Result of the merged tables; None where priorities are merged.
    gate : {"each", "group"}
    """

    weights: dict[str, float]
    merging: Merging
    shares: dict[str, float]
    judges: dict[str, AhpResult | HierarchyResult]
    merged: AhpResult | HierarchyResult | None
    gate: Gate

    def record(self) -> dict[str, Any]:
        """Return the evidence as plain values, for a run's record."""
        return {
            **({} if self.merged is None else self.merged.record()),
            "method": "ahp",
            "criteria": list(self.weights),
            "weights": list(self.weights.values()),
            "merging": "geometric mean of judgments (AIJ)"
            if self.merging == "judgments"
            else "geometric mean of priorities (AIP)",
            "gate": self.gate,
            "judges": {
                name: {"share": self.shares[name], **found.record()}
                for name, found in self.judges.items()
            },
        }


def _shares(judge_weights: Mapping[str, float], where: str) -> dict[str, float]:
    bad = {k: w for k, w in judge_weights.items() if not (w > 0 and math.isfinite(w))}
    if bad or not judge_weights:
        raise RangeError(
            f"weights of judges must be above 0: {bad}" if bad else "there is no judge",
            where=where,
            remedy="leave a judge out who is not to count" if bad else "name at least one",
        )
    total = math.fsum(judge_weights.values())
    return {k: w / total for k, w in judge_weights.items()}


def merged_table(tables: Sequence[Table], shares: Sequence[float]) -> Table:
    """Return the weighted geometric mean of judges' tables, element by element (AIJ).

    Parameters
    ----------
    tables : sequence of ndarray, shape (n, n)
        Reciprocal; NaN is a judgment that this judge did not make.
    shares : sequence of float, above 0
        One per table.

    Returns
    -------
    ndarray of float, shape (n, n)
        Π a_ijᵏ^(shareₖ), over those who judged the pair, whose shares are scaled to sum to 1.
        Reciprocal: only the geometric mean keeps that (Aczél & Saaty 1983, J. Math. Psychology
        27). NaN where nobody judged.
    """
    logs = np.log(np.stack(tables))
    weight = np.where(np.isnan(logs), 0.0, np.asarray(shares, dtype=float)[:, None, None])
    total = weight.sum(axis=0)
    summed = np.where(np.isnan(logs), 0.0, logs * weight).sum(axis=0)
    mean = np.full(total.shape, np.nan)
    np.divide(summed, total, out=mean, where=total > 0)
    upper = np.triu(np.exp(mean), 1)
    out = np.eye(len(mean)) + upper
    lower = np.tril_indices(len(mean), -1)
    out[lower] = 1.0 / out.T[lower]  # to the last bit
    return out


def merged_priorities(
    weights: Sequence[Mapping[str, float]], shares: Sequence[float]
) -> dict[str, float]:
    """Return the weighted geometric mean of judges' weights, scaled to sum to 1 (AIP)."""
    raw = {
        name: math.exp(
            math.fsum(s * math.log(w[name]) for w, s in zip(weights, shares, strict=True))
        )
        for name in weights[0]
    }
    total = math.fsum(raw.values())
    return {name: x / total for name, x in raw.items()}


def _contradictions(error: GeoPlanError) -> list[Problem]:
    if isinstance(error, ProblemsFound):
        return list(error.problems)
    return [Problem(error.where, error.what, error.remedy)]


def group_ahp(
    names: Sequence[str],
    judges: Mapping[str, Judgments],
    groups: Mapping[str, Sequence[str]],
    *,
    judge_weights: Mapping[str, float] | None = None,
    merging: Merging = "judgments",
    gate: Gate = "each",
    rules: AhpRules | None = None,
    where: str = "weights.judges",
) -> GroupResult:
    """Return weights from the judgments of several judges.

    Parameters
    ----------
    names : sequence of str
        All criteria.
    judges : mapping
        Judge → judgments.
    groups : mapping
        Group → its criteria; empty where there are none.
    judge_weights : mapping, optional
        Judge → weight, above 0; default: all alike.
    merging : {"judgments", "priorities"}
        See :data:`Merging`.
    gate : {"each", "group"}
        See :data:`Gate`. Merged priorities have no merged table, and are held to ``each``.

    Raises
    ------
    ProblemsFound
        All problems of all judges at once, and every table that contradicts itself, with judge,
        group and pair.

    Notes
    -----
    The merged tables are held to the limit in either case.
    """
    rules = rules or AhpRules()
    shares = _shares(judge_weights or dict.fromkeys(judges, 1.0), where)
    problems: list[Problem] = []
    tables: dict[str, Tables] = {}
    found: dict[str, AhpResult | HierarchyResult] = {}
    free = gate == "group" and merging == "judgments"
    for judge, given in judges.items():
        at, at_within = f"{where}.{judge}.pairs", f"{where}.{judge}.within.{{group}}"
        try:
            tables[judge] = tables_of(
                names, given, groups, rules=rules, where=at, where_within=at_within
            )
            found[judge] = hierarchy(
                names,
                tables[judge],
                groups,
                rules=replace(rules, limit=math.inf) if free else rules,
                where=at,
                where_within=at_within,
                whose=f"of judge '{judge}'",
            )
        except (ProblemsFound, RangeError) as error:
            problems += _contradictions(error)
    if problems:
        raise ProblemsFound(
            f"the judgments of the judges have {len(problems)} problems", problems, where=where
        )
    share = [shares[j] for j in judges]
    if merging == "priorities":
        weights = merged_priorities([found[j].weights for j in judges], share)
        return GroupResult(weights, merging, shares, found, None, "each")
    whole = Tables(
        merged_table([tables[j].top for j in judges], share),
        {g: merged_table([tables[j].within[g] for j in judges], share) for g in groups},
    )
    merged = hierarchy(
        names,
        whole,
        groups,
        rules=rules,
        where=where,
        where_within=f"{where} ({{group}})",
        whose="of all judges together",
    )
    return GroupResult(merged.weights, merging, shares, found, merged, gate)
