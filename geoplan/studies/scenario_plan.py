"""Checks of what a scenario asks of candidates, demand, supply and the plan."""

from __future__ import annotations

from geoplan.studies.scenario_case import Case, near

__all__ = ["check_plan"]


def check_plan(case: Case) -> None:
    """Note the problems of ``candidates``, ``demand``, ``supply`` and ``portfolio``."""
    scenario, profile = case.scenario, case.profile
    known_classes = set(profile.demand_classes)
    for name in scenario.demand.mix:
        if name not in known_classes:
            case.add(
                f"demand.mix.{name}",
                f"profile '{profile.id}' has no activity class '{name}'",
                near(name, sorted(known_classes)),
                "unknown-class",
            )
    for resource in ("water", "power", "wastewater"):
        supply = getattr(scenario.supply, resource)
        for number, name in enumerate(supply.layers):
            case.layer(
                f"supply.{resource}.layers[{number}]", name, kind="vector", table="utility_nodes"
            )
        if not supply.layers and not supply.own:
            case.add(
                f"supply.{resource}",
                f"no source of {resource} and no own supply",
                "name at least one layer of sources, or own supply",
                "no-supply",
            )
    levels = {level.level for level in profile.region_levels}
    if scenario.portfolio.per_region_max is not None and (
        scenario.portfolio.region_level not in levels
    ):
        case.add(
            "portfolio.region_level",
            f"the profile has no region level {scenario.portfolio.region_level}",
            f"use one of: {', '.join(map(str, sorted(levels)))}",
            "unknown-level",
        )
    low, high = scenario.candidates.area_ha
    cell_ha = scenario.grid.cell_m**2 / 10_000
    if high < cell_ha:
        case.add(
            "candidates.area_ha",
            f"the largest site ({high:g} ha) is smaller than one cell ({cell_ha:g} ha)",
            "use a smaller grid.cell_m",
            "impossible-size",
        )
    elif low < 4 * cell_ha:
        case.add(
            "candidates.area_ha",
            f"the smallest site ({low:g} ha) has fewer than 4 cells of {cell_ha:g} ha",
            f"use grid.cell_m ≤ {int((low * 10_000 / 4) ** 0.5)}",
            "impossible-size",
        )
    if scenario.candidates.keep < scenario.portfolio.count:
        case.add(
            "candidates.keep",
            f"{scenario.candidates.keep} candidates are kept for {scenario.portfolio.count} sites",
            "keep more candidates than sites",
            "impossible-size",
        )
