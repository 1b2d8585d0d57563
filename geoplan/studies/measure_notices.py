"""What a reader must be told about the measures of a run, and what stops it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.text import Text
from geoplan.errors import EmptyLayer, GeoPlanError
from geoplan.siting.criteria import Measure, value_of
from geoplan.siting.sentences import Amount, both
from geoplan.studies.measure_way import node_step_m
from geoplan.studies.surface import BoolArray, Ground

__all__ = ["assumed_measures", "measure_notice", "measure_notices", "road_notices"]

_SAMPLE = 4_096


def measure_notices(measures: Mapping[str, Measure], allowed: BoolArray) -> list[Text]:
    """Return a warning for each criterion that cannot tell one allowed cell from another.

    Parameters
    ----------
    measures : mapping
        Criterion id → measure on the grid.
    allowed : ndarray of bool, shape (rows, cols)
        At least one cell is True.

    Raises
    ------
    EmptyLayer
        A criterion is missing on all of the allowed land; the message names it and its layer.
    """
    found = (
        measure_notice(name, measure.criterion, measure.array(), allowed)
        for name, measure in measures.items()
    )
    return [notice for notice in found if notice is not None]


def measure_notice(
    name: str,
    criterion: Criterion,
    raw: npt.NDArray[np.floating],
    allowed: BoolArray,
) -> Text | None:
    """Return the warning of :func:`measure_notices` for one criterion, if there is one."""
    inside = raw[allowed]
    known = inside[~np.isnan(inside)]
    if known.size == 0:
        raise EmptyLayer(
            f"no allowed cell has a {criterion.measure.replace('_', ' ')} of {_data_of(criterion)}",
            where=f"criteria.{name}",
            remedy="load data that cover the area, widen the criterion's reach, or take it out",
        )
    low, high = float(known.min()), float(known.max())
    title = criterion.title or Text(en=name)
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        return both(
            "{title}: {value} on all allowed land, so this criterion tells no place from "
            "another; its weight changes no rank",
            "{title}: در همهٔ زمین‌های مجاز {value} است؛ پس این معیار جایی را از جای دیگر جدا "
            "نمی‌کند و وزن آن هیچ رتبه‌ای را تغییر نمی‌دهد",
            title=title,
            value=Amount(low, criterion.unit),
        )
    if _flat(criterion, known):
        return both(
            "{title}: from {low} to {high} on allowed land, and the value function gives all of "
            "it the same value; this criterion tells no place from another",
            "{title}: در زمین‌های مجاز از {low} تا {high} است و تابع ارزش به همهٔ آن یک ارزش "
            "می‌دهد؛ پس این معیار جایی را از جای دیگر جدا نمی‌کند",
            title=title,
            low=Amount(low, criterion.unit),
            high=Amount(high, criterion.unit),
        )
    return None


def _flat(criterion: Criterion, known: npt.NDArray[np.floating]) -> bool:
    """Return whether all known measures have one value; a sample first, then all of them."""
    ends = known[[int(known.argmin()), int(known.argmax())]]
    for part in (np.append(known[:: max(1, known.size // _SAMPLE)], ends), known):
        try:
            value = value_of(criterion, part)
        except GeoPlanError:
            return False  # it needs numbers of all cells, or cannot be applied: told elsewhere
        seen = value[~np.isnan(value)]
        if seen.size and float(seen.max()) - float(seen.min()) > 1e-6:
            return False
    return True


def _data_of(criterion: Criterion) -> str:
    """Return what a criterion reads, for an error."""
    for kind, name in (("layer", criterion.layer), ("raster", criterion.raster),
                       ("fact", criterion.fact), ("index", criterion.index)):  # fmt: skip
        if name is not None:
            chosen = f" where {criterion.where}" if criterion.where else ""
            return f"{kind} '{name}'{chosen}"
    return "its data"


def road_notices(ground: Ground, criteria: Mapping[str, Criterion]) -> list[Text]:
    """Return a notice for each road layer of which a part is joined to nothing.

    Roads are built once per `RoadsSpec`; call this after the measures.
    """
    out = []
    told: set[tuple[str, str | None]] = set()
    for criterion in criteria.values():
        roads = criterion.roads
        if roads is None or (roads.layer, roads.where) in told:
            continue
        told.add((roads.layer, roads.where))
        network = ground.network(
            roads,
            step_m=node_step_m(ground, criterion.measure),
            timed=criterion.measure != "network_distance",
        )
        parts = network.component_km
        if len(parts) < 2:
            continue
        spec = ground.layers.get(roads.layer)
        out.append(
            both(
                "{title}: the roads fall into {parts} parts that no road joins; {loose} of {all} "
                "lie outside the largest. Ways lead only over the parts that reach a destination",
                "{title}: راه‌ها {parts} بخش جدا از هم دارند که راهی آن‌ها را به هم نمی‌پیوندد؛ "
                "{loose} از {all} بیرون از بزرگ‌ترین بخش است. مسیرها تنها از بخش‌هایی می‌گذرند که "
                "به مقصدی می‌رسند",
                title=spec.title if spec is not None else Text(en=roads.layer),
                parts=len(parts),
                loose=Amount(float(parts[1:].sum()), "km"),
                all=Amount(float(parts.sum()), "km"),
            )
        )
    return out


def assumed_measures(criteria: Mapping[str, Criterion]) -> list[Text]:
    """Return what the measures assume, in words, to be shown as assumed."""
    out = []
    for name, criterion in criteria.items():
        title = criterion.title or Text(en=name)
        if criterion.working_age_share is not None:
            out.append(
                both(
                    "{title}: {share} of all persons are assumed to be of working age",
                    "{title}: فرض شده است که {share} از همهٔ افراد در سن کار باشند",
                    title=title,
                    share=Amount(100.0 * criterion.working_age_share, "%"),
                )
            )
        if criterion.roads is not None and criterion.measure != "network_distance":
            out.append(
                both(
                    "{title}: travel times assume a speed per class of road and {speed} off the "
                    "roads; traffic and one-way roads are not known",
                    "{title}: زمان‌ها بر پایهٔ سرعت فرضی هر ردهٔ راه و {speed} بیرون از راه است؛ "
                    "ترافیک و یک‌طرفه بودن راه‌ها معلوم نیست",
                    title=title,
                    speed=Amount(float(criterion.roads.off_road_km_h or 0.0), "km/h"),
                )
            )
        terrain = criterion.terrain
        if terrain is not None and terrain.method == "construction":
            out.append(
                both(
                    "{title}: the multipliers of cost by slope are "
                    + (
                        "assumed"
                        if terrain.multipliers
                        else "those of power lines in the western "
                        "United States (2014) and assumed here"
                    ),
                    "{title}: ضریب‌های هزینه بر پایهٔ شیب "
                    + (
                        "فرضی است"
                        if terrain.multipliers
                        else "از خط‌های برق غرب ایالات متحده (۲۰۱۴) گرفته شده و در اینجا فرضی است"
                    ),
                    title=title,
                )
            )
        if criterion.wind is not None and criterion.wind.basis is None:
            out.append(
                both(
                    "{title}: the wind directions are assumed; no station is named",
                    "{title}: جهت‌های باد فرضی است و ایستگاهی برای آن نام برده نشده است",
                    title=title,
                )
            )
    return out
