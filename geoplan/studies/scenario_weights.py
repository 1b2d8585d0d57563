"""Checks of a scenario's weights."""

from __future__ import annotations

import math
from collections import Counter

from geoplan.catalogue import Scenario
from geoplan.errors import GeoPlanError, Problem, ProblemsFound
from geoplan.mcda.ahp_hierarchy import group_problems
from geoplan.studies.weighting import judged

__all__ = ["weight_problems"]

_WEIGH = "give every criterion a weight, or use weights: {method: ahp, pairs: …}"


def weight_problems(scenario: Scenario) -> list[Problem]:
    """Return every problem of the weights that can be seen without data.

    Unknown and missing criteria, judgments off the scale, not reciprocal or too contradictory
    (the consistency ratio speaks here, before anything runs), weights that are all zero.
    """
    names = list(scenario.criteria)
    spec = scenario.weights
    out: list[Problem] = []
    if spec.method == "direct":
        out += _direct_problems(scenario)
    if spec.order is not None:
        out += _order_problems(names, [name for tied in spec.ties for name in tied])
    if spec.groups is not None:
        groups = {name: group.criteria for name, group in spec.groups.items()}
        out += group_problems(names, groups, where="weights.groups")
    if out:
        return out
    try:
        judged(scenario)
    except ProblemsFound as error:
        out += error.problems
    except GeoPlanError as error:
        out.append(
            Problem(error.where or "weights", error.what, error.remedy or "mend the weights")
        )
    return out


def _direct_problems(scenario: Scenario) -> list[Problem]:
    spec = scenario.weights
    given: dict[str, float | None] = dict(spec.weights or {}) or {
        n: c.weight for n, c in scenario.criteria.items()
    }
    out = [
        Problem(f"weights.weights.{name}", "no such criterion", "remove it")
        for name in sorted(set(given) - set(scenario.criteria))
    ]
    for name in sorted(scenario.criteria):
        weight = given.get(name)
        at = f"weights.weights.{name}" if spec.weights else f"criteria.{name}.weight"
        if weight is None:
            out.append(Problem(f"criteria.{name}.weight", "no weight", _WEIGH))
        elif not (math.isfinite(weight) and weight >= 0):
            out.append(Problem(at, f"the weight is {weight:g}", "give a number of 0 or more"))
    if not any(w for w in given.values()):
        out.append(Problem("weights", "all weights are 0", "give at least one above 0"))
    return out


def _order_problems(names: list[str], order: list[str]) -> list[Problem]:
    out = [
        Problem("weights.order", f"no criterion '{name}'", f"use {', '.join(names)}")
        for name in dict.fromkeys(order)
        if name not in names
    ]
    out += [
        Problem("weights.order", f"'{name}' stands {count} times", "keep one place")
        for name, count in Counter(order).items()
        if count > 1
    ]
    out += [
        Problem("weights.order", f"criterion '{name}' has no place", "put it where it belongs")
        for name in names
        if name not in order
    ]
    return out
