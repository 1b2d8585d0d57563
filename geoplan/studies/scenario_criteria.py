"""Checks of a scenario's criteria."""

from __future__ import annotations

from geoplan.studies.scenario_case import Case

__all__ = ["check_criteria"]


def check_criteria(case: Case) -> None:
    """Note the problems of ``criteria``."""
    scenario, layers = case.scenario, case.layers
    for name, criterion in scenario.criteria.items():
        where = f"criteria.{name}"
        if criterion.layer is not None:
            case.layer(f"{where}.layer", criterion.layer, kind="vector")
            case.expression(f"{where}.where", criterion.layer, criterion.where)
            case.expression(f"{where}.weight_field", criterion.layer, criterion.weight_field)
        if criterion.raster is not None:
            case.layer(f"{where}.raster", criterion.raster, kind="raster")
            spec = layers.get(criterion.raster)
            if spec and spec.unit and criterion.unit and spec.unit != criterion.unit:
                case.add(
                    f"{where}.unit",
                    f"raster '{criterion.raster}' is in {spec.unit}, not {criterion.unit}",
                    f"write unit: {spec.unit} and thresholds in {spec.unit}",
                    "unit",
                )
            if spec and spec.categorical != (criterion.value.kind == "categorical"):
                kind = "classes" if spec.categorical else "numbers"
                case.add(
                    f"{where}.value",
                    f"raster '{criterion.raster}' holds {kind}",
                    "use kind categorical for classes, and only for classes",
                    "value-kind",
                )
        if criterion.measure in ("distance", "density") and criterion.value.kind == "identity":
            case.add(
                f"{where}.value",
                f"a {criterion.measure} needs a value function",
                "add value: {kind: linear, best: …, worst: …}",
                "value-kind",
            )
