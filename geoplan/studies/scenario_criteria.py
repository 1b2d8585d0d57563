"""Checks of a scenario's criteria."""

from __future__ import annotations

from geoplan.catalogue.criterion import UNITS, Criterion
from geoplan.catalogue.value import IdentityValue
from geoplan.catalogue.way import RoadsSpec, TerrainSpec
from geoplan.errors import GeoPlanError
from geoplan.mcda.value import check_unit, monotone
from geoplan.studies.scenario_case import Case, near

__all__ = ["check_criteria"]

_GEOMETRY = {"line_density": ("line", "polygon"), "share": ("polygon",)}
_OPPOSITE = {"rising": "falling", "falling": "rising"}


def check_criteria(case: Case) -> None:
    """Note the problems of ``criteria``."""
    for name, criterion in case.scenario.criteria.items():
        where = f"criteria.{name}"
        if criterion.layer is not None:
            case.layer(f"{where}.layer", criterion.layer, kind="vector")
            case.expression(f"{where}.where", criterion.layer, criterion.where)
            case.expression(f"{where}.weight_field", criterion.layer, criterion.weight_field)
            _geometry(
                case, f"{where}.layer", criterion.layer, criterion.measure,
                _GEOMETRY.get(criterion.measure, ()),
            )  # fmt: skip
            _number(case, f"{where}.weight_field", criterion)
        if criterion.raster is not None:
            _raster(case, where, criterion, criterion.raster)
        if criterion.roads is not None:
            _roads(case, f"{where}.roads", criterion.roads, criterion.measure)
        if criterion.terrain is not None:
            _terrain(case, f"{where}.terrain", criterion.terrain)
        _level(case, where, criterion)
        _value(case, where, criterion)


def _geometry(case: Case, where: str, name: str, measure: str, kinds: tuple[str, ...]) -> None:
    spec = case.layers.get(name)
    if spec is None or not kinds or spec.geometry in (None, "any", *kinds):
        return
    case.add(
        where,
        f"layer '{name}' holds {spec.geometry}s; measure '{measure}' needs {' or '.join(kinds)}s",
        f"name a layer of {' or '.join(kinds)}s",
        "kind",
    )


def _number(case: Case, where: str, criterion: Criterion) -> None:
    spec = case.layers.get(str(criterion.layer))
    known = spec.fields.get(criterion.weight_field or "") if spec else None
    if known is None or known.type in ("number", "integer"):
        return
    numbers = [n for n, f in spec.fields.items() if f.type in ("number", "integer")] if spec else []
    case.add(
        where,
        f"field '{criterion.weight_field}' of layer '{criterion.layer}' is a {known.type}, and "
        "only numbers can be summed",
        f"fields of numbers: {', '.join(numbers) or 'none'}",
        "field-type",
    )


def _raster(case: Case, where: str, criterion: Criterion, name: str) -> None:
    case.layer(f"{where}.raster", name, kind="raster")
    spec = case.layers.get(name)
    if spec is None:
        return
    if criterion.measure == "share":
        if not spec.categorical:
            case.add(
                f"{where}.raster",
                f"raster '{name}' holds numbers, and a share counts classes",
                "name a raster of classes",
                "value-kind",
            )
        return
    if spec.unit and criterion.unit and spec.unit != criterion.unit:
        case.add(
            f"{where}.unit",
            f"raster '{name}' is in {spec.unit}, not {criterion.unit}",
            f"write unit: {spec.unit} and thresholds in {spec.unit}",
            "unit",
        )
    if spec.categorical != (criterion.value.kind == "categorical"):
        kind = "classes" if spec.categorical else "numbers"
        case.add(
            f"{where}.value",
            f"raster '{name}' holds {kind}",
            "use kind categorical for classes, and only for classes",
            "value-kind",
        )


def _roads(case: Case, where: str, roads: RoadsSpec, measure: str) -> None:
    case.layer(f"{where}.layer", roads.layer, kind="vector")
    _geometry(case, f"{where}.layer", roads.layer, "roads", ("line",))
    case.expression(f"{where}.where", roads.layer, roads.where)
    spec = case.layers.get(roads.layer)
    if spec is None or measure == "network_distance":
        return
    known = spec.fields.get(roads.class_field)
    if known is None:
        case.add(
            f"{where}.class_field",
            f"layer '{roads.layer}' has no field '{roads.class_field}'",
            near(roads.class_field, list(spec.fields)),
            "unknown-column",
        )
        return
    if known.codes is None:
        return
    for given in roads.speeds_km_h:
        if given not in known.codes:
            case.add(
                f"{where}.speeds_km_h.{given}",
                f"layer '{roads.layer}' has no class '{given}'",
                near(given, list(known.codes)),
                "unknown-class",
            )
    lacking = [code for code in known.codes if code not in roads.speeds_km_h]
    if lacking and roads.where is None:
        case.add(
            f"{where}.speeds_km_h",
            f"no speed for {'class' if len(lacking) == 1 else 'classes'} {', '.join(lacking)} of "
            f"layer '{roads.layer}'",
            "give each class a speed, or leave its roads out by 'roads.where'",
            "speed",
        )


def _terrain(case: Case, where: str, terrain: TerrainSpec) -> None:
    case.layer(f"{where}.slope", terrain.slope, kind="raster")
    spec = case.layers.get(terrain.slope)
    if spec is not None and spec.unit not in (None, "%"):
        case.add(
            f"{where}.slope",
            f"raster '{terrain.slope}' is in {spec.unit}, not %",
            "name a raster of slope in %",
            "unit",
        )
    for number, barrier in enumerate(terrain.barriers):
        at = f"{where}.barriers.{number}"
        case.layer(f"{at}.layer", barrier.layer, kind="vector")
        case.expression(f"{at}.where", barrier.layer, barrier.where)


def _level(case: Case, where: str, criterion: Criterion) -> None:
    levels = [level.level for level in case.profile.region_levels]
    if criterion.level is not None and criterion.level not in levels:
        case.add(
            f"{where}.level",
            f"profile '{case.profile.id}' has no regions of level {criterion.level}",
            f"levels: {', '.join(map(str, levels))}",
            "unknown-level",
        )


def _value(case: Case, where: str, criterion: Criterion) -> None:
    """Check that the value function fits the measure, its unit and its declared direction."""
    measured = criterion.measure in UNITS or criterion.measure == "density"
    if measured and isinstance(criterion.value, IdentityValue):
        name = criterion.measure.replace("_", " ")
        case.add(
            f"{where}.value",
            f"a {name} needs a value function",
            "add value: {kind: linear, best: …, worst: …}",
            "value-kind",
        )
        return
    if measured and criterion.value.kind == "categorical":
        case.add(
            f"{where}.value",
            f"a {criterion.measure.replace('_', ' ')} is a number, not a class",
            "use kind categorical for rasters of classes only",
            "value-kind",
        )
        return
    try:
        check_unit(criterion.value, criterion.unit)
    except GeoPlanError as error:
        case.add(f"{where}.value.unit", error.what, error.remedy, "unit")
    if criterion.must_be is None:
        return
    try:
        found = monotone(criterion.value, invert=criterion.invert)
    except GeoPlanError:
        return  # the direction depends on the data
    if found != criterion.must_be:
        words = {"neither": "neither rises nor falls throughout", "flat": "is flat"}
        remedy = (
            "swap best and worst, or set 'invert'"
            if found == _OPPOSITE[criterion.must_be]
            else f"choose a function that is {criterion.must_be} throughout, or take 'must_be' out"
        )
        case.add(
            f"{where}.must_be",
            f"the value function must be {criterion.must_be} with the measure, and it "
            f"{words.get(found, f'is {found}')}",
            remedy,
            "direction",
        )
