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
    _check_supply(case)
    _check_portfolio(case)
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


def _check_supply(case: Case) -> None:
    """Check caps, routes and reinforcement against the layers of sources."""
    supply = case.scenario.supply
    for number, cap in enumerate(supply.caps):
        where = f"supply.caps[{number}]"
        rule = getattr(supply, cap.resource)
        if not rule.layers:
            case.add(
                where,
                f"cap '{cap.id}' limits sources of {cap.resource}, and there are no such layers",
                f"name layers in supply.{cap.resource}.layers, or remove the cap",
                "no-supply",
            )
            continue
        if not isinstance(cap.sources, dict):
            continue
        known = set(_SOURCE_COLUMNS)
        for name in rule.layers:
            known |= set(case.layers[name].fields) if name in case.layers else set()
        for column in cap.sources:
            if column not in known and not column.endswith("_code"):
                case.add(
                    f"{where}.sources.{column}",
                    f"sources of {cap.resource} have no column '{column}'",
                    near(column, sorted(known)),
                    "unknown-column",
                )
    for resource in ("water", "power", "wastewater"):
        rule = getattr(supply, resource)
        if rule.reinforcement is not None and not rule.layers:
            case.add(
                f"supply.{resource}.reinforcement",
                f"reinforcement raises sources of {resource}, and there are no such layers",
                f"name layers in supply.{resource}.layers, or remove it",
                "no-supply",
            )


_SOURCE_COLUMNS = ("source_id", "kind", "basis", "name_en", "name_local", "unit")


def _check_portfolio(case: Case) -> None:
    """Check quotas, levels and shortfall against the profile and each other."""
    spec, profile = case.scenario.portfolio, case.profile
    levels = {level.level for level in profile.region_levels}
    for number, quota in enumerate(spec.quotas):
        where = f"portfolio.quotas[{number}]"
        level = quota.level or spec.region_level
        if (quota.regions or quota.each) and level not in levels:
            case.add(
                f"{where}.level",
                f"the profile has no region level {level}",
                f"use one of: {', '.join(map(str, sorted(levels)))}",
                "unknown-level",
            )
        if quota.min is not None and quota.min > spec.count:
            case.add(
                f"{where}.min",
                f"quota '{quota.id}' asks for {quota.min} of {spec.count} sites",
                "ask for fewer, or raise portfolio.count",
                "impossible-size",
            )
    if len(spec.lock_in) > spec.count:
        case.add(
            "portfolio.lock_in",
            f"{len(spec.lock_in)} sites are locked into a plan of {spec.count}",
            "lock fewer in, or raise portfolio.count",
            "impossible-size",
        )
    high = case.scenario.candidates.area_ha[1]
    most = spec.count * high * max(spec.levels)
    if spec.area_ha_min is not None and spec.area_ha_min > most:
        case.add(
            "portfolio.area_ha_min",
            f"{spec.area_ha_min:g} ha are asked for, {spec.count} sites of at most {high:g} ha "
            f"make {most:g}",
            "ask for less area, or for more or larger sites",
            "impossible-size",
        )
    for resource in spec.shortfall:
        if resource not in ("water", "power", "wastewater"):
            case.add(
                f"portfolio.shortfall.{resource}",
                f"unknown resource '{resource}'",
                near(resource, ["water", "power", "wastewater"]),
                "unknown-resource",
            )
