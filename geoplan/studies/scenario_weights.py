"""Checks of a scenario's weights."""

from __future__ import annotations

from geoplan.catalogue import Scenario
from geoplan.errors import Problem

__all__ = ["weight_problems"]


def weight_problems(scenario: Scenario) -> list[Problem]:
    """Return the problems of the weights: missing, for unknown criteria, or all zero."""
    names = set(scenario.criteria)
    spec = scenario.weights
    out: list[Problem] = []
    if spec.method == "ahp":
        used = {part for pair in spec.pairs or {} for part in pair.split("/")}
        for name in sorted(used - names):
            out.append(
                Problem("weights.pairs", f"no criterion '{name}'", "use the ids under 'criteria'")
            )
        for name in sorted(names - used):
            if len(names) > 1:
                out.append(
                    Problem("weights.pairs", f"criterion '{name}' is in no pair", "compare it")
                )
        return out
    given: dict[str, float | None] = dict(spec.weights or {}) or {
        n: c.weight for n, c in scenario.criteria.items()
    }
    for name in sorted(set(given) - names):
        out.append(Problem(f"weights.weights.{name}", "no such criterion", "remove it"))
    for name in sorted(names):
        if given.get(name) is None:
            out.append(
                Problem(
                    f"criteria.{name}.weight",
                    "no weight",
                    "give every criterion a weight, or use weights: {method: ahp, pairs: …}",
                )
            )
    if not any(w for w in given.values()):
        out.append(Problem("weights", "all weights are 0", "give at least one above 0"))
    return out
