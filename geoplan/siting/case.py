"""A plan and everything that the sentences about its sites draw on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from geoplan.catalogue.profile import Profile
from geoplan.catalogue.scenario import Criterion
from geoplan.catalogue.text import Text
from geoplan.siting.flow import Transport, network_of
from geoplan.siting.portfolio import Plan, PortfolioProblem
from geoplan.siting.problem import Prepared, Resource
from geoplan.siting.sentences import Amount

__all__ = ["Case", "points"]


@dataclass
class Case:
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

    @classmethod
    def of(
        cls,
        problem: PortfolioProblem,
        plan: Plan,
        *,
        candidates: pd.DataFrame,
        criteria: Mapping[str, Criterion],
        profile: Profile,
    ) -> Case:
        """Return the case of a plan; see `geoplan.siting.explain.explain`."""
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
        case = cls(
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
        return case


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


def points(value: float) -> Amount:
    """Return points of score for a sentence."""
    return Amount(value, "", 3)
