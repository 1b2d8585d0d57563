"""Checks of how values join, and of what a scenario asks beside the plan."""

from __future__ import annotations

from geoplan.errors import GeoPlanError, InputError, UnknownName
from geoplan.mcda.order_weights import order_weights_of
from geoplan.mcda.value import check_unit
from geoplan.studies.pattern import read_pattern
from geoplan.studies.scenario_case import Case

__all__ = ["check_studies"]


def check_studies(case: Case) -> None:
    """Note the problems of aggregation, value units, terrain, other plans, demand, back-test."""
    scenario = case.scenario
    for name, criterion in scenario.criteria.items():
        _told(case, lambda c=criterion, n=name: check_unit(c.value, c.unit, where=f"criteria.{n}"))
    if scenario.aggregation.method == "owa":
        number = len(scenario.criteria)
        _told(case, lambda: order_weights_of(scenario.aggregation, number))
    terrain = scenario.supply.terrain
    if terrain is not None:
        case.layer("supply.terrain.slope", terrain.slope, kind="raster")
        for k, barrier in enumerate(terrain.barriers):
            where = f"supply.terrain.barriers[{k}]"
            case.layer(f"{where}.layer", barrier.layer, kind="vector")
            case.expression(f"{where}.where", barrier.layer, barrier.where)
    alternatives, count = scenario.alternatives, scenario.portfolio.count
    if alternatives is not None and alternatives.differ_min > count:
        case.add(
            "alternatives.differ_min",
            f"plans of {count} sites cannot differ in {alternatives.differ_min}",
            f"give at most {count}, the portfolio's count",
            "value",
        )
    if scenario.demand.mix_by_region is not None:
        _told(case, lambda: _pattern_of_country(case, str(scenario.demand.mix_by_region)))
    if scenario.backtest is not None:
        case.layer("backtest.layer", scenario.backtest.layer, kind="vector")
        case.expression("backtest.where", scenario.backtest.layer, scenario.backtest.where)


def _pattern_of_country(case: Case, name: str) -> None:
    """Look whether the pattern exists, before hours are spent on the land."""
    where = "demand.mix_by_region"
    try:
        pattern = read_pattern(name)
    except UnknownName as error:
        # A scenario names a pattern by its id alone, not by a path.
        raise UnknownName(error.what, where=where, remedy=error.remedy.partition(";")[0]) from error
    if pattern.profile != case.profile.id:
        raise InputError(
            f"pattern '{name}' is for profile '{pattern.profile}', not '{case.profile.id}'",
            where=where,
            remedy="give a pattern of this country",
        )


def _told(case: Case, check: object) -> None:
    """Note what a check raises as a problem of the scenario."""
    try:
        check()  # type: ignore[operator]
    except GeoPlanError as error:
        case.add(error.where, error.what, error.remedy, "value")
