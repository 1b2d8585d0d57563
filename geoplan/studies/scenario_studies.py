"""Checks of how values join, and of what a scenario asks beside the plan."""

from __future__ import annotations

from geoplan.errors import GeoPlanError
from geoplan.mcda.order_weights import order_weights_of
from geoplan.mcda.value import check_unit
from geoplan.studies.scenario_case import Case

__all__ = ["check_studies"]


def check_studies(case: Case) -> None:
    """Note the problems of ``aggregation``, value units, ``supply.terrain`` and ``backtest``."""
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
    if scenario.backtest is not None:
        case.layer("backtest.layer", scenario.backtest.layer, kind="vector")
        case.expression("backtest.where", scenario.backtest.layer, scenario.backtest.where)


def _told(case: Case, check: object) -> None:
    """Note what a check raises as a problem of the scenario."""
    try:
        check()  # type: ignore[operator]
    except GeoPlanError as error:
        case.add(error.where, error.what, error.remedy, "value")
