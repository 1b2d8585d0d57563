"""What changed between two versions, as a GeoPackage that QGIS opens in colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from geoplan.report.diff import DiffView, missing
from geoplan.report.export_file import new_file
from geoplan.report.inspection_layers import add_layer_styles
from geoplan.report.inspection_style import Kind
from geoplan.report.inspection_words import speaking
from geoplan.report.language import Language

__all__ = ["DIFF_COLOURS", "write_diff_gpkg"]

DIFF_COLOURS = {
    "removed": "#c62828", "added": "#2e7d32", "reshaped_before": "#ef8c1a",
    "reshaped_after": "#6a1b9a", "changed": "#1565c0",
}  # fmt: skip
"""Colours of the differences on maps and in QGIS."""

_TYPES: tuple[tuple[str, Kind], ...] = (
    ("MultiPoint", "marker"), ("MultiLineString", "line"), ("MultiPolygon", "fill"),
)  # fmt: skip


def write_diff_gpkg(view: DiffView, path: Path, *, overwrite: bool = False) -> None:
    """Write layers ``added``, ``removed``, ``reshaped_before``, ``reshaped_after``, ``changed``.

    Parameters
    ----------
    view : DiffView
        The difference.
    path : Path
        File to make; written beside and renamed.
    overwrite : bool
        Replace a file that is there.

    Raises
    ------
    InputError, FileMissing, DiskFull
        As :func:`geoplan.report.export_file.new_file`.

    Notes
    -----
    All layers are always there, also when empty, in EPSG:4326. ``difference`` repeats the name
    of the layer, so that layers can be put together.
    """
    reshaped = view.reshaped.drop(columns=["geometry_before"])
    reshaped["area_change_m2"] = reshaped["area_after_m2"] - reshaped["area_before_m2"]
    earlier = np.array([*view.reshaped["geometry_before"], None], dtype=object)[:-1]
    layers = {
        "added": view.added,
        "removed": view.removed,
        "reshaped_before": reshaped.set_geometry(
            gpd.GeoSeries(earlier, index=reshaped.index, crs=view.reshaped.crs)
        ),
        "reshaped_after": reshaped,
        "changed": view.changed.assign(
            before=_texts(view.changed["before"]), after=_texts(view.changed["after"])
        ),
    }
    english, persian = speaking(Language("en")), speaking(Language("fa"))
    styles: dict[str, tuple[Kind, list[tuple[str, str, str]]]] = {}
    with new_file(path, overwrite=overwrite) as part:
        for name, frame in layers.items():
            geometry, symbol = _type_of(frame)
            plain_frame = gpd.GeoDataFrame(
                {
                    "difference": [name] * len(frame),
                    **{
                        str(c): _held(frame[c])
                        for c in frame.columns
                        if c != frame.geometry.name and str(c).lower() not in ("fid", "geom")
                    },
                },
                geometry=frame.geometry.to_numpy(),
                crs="EPSG:4326",
            )
            pyogrio.write_dataframe(
                plain_frame, part, layer=name, driver="GPKG", geometry_type=geometry,
                promote_to_multi=geometry != "Unknown",
            )  # fmt: skip
            label = f"{english.t(name)} / {persian.t(name)}"
            styles[name] = (symbol, [(name, label, DIFF_COLOURS[name])])
        add_layer_styles(part, styles, attribute="difference")


def _texts(values: Any) -> list[str | None]:
    return [None if missing(value) else str(value) for value in values]


def _held(column: Any) -> Any:
    """Return a column that a file can hold: lists and mappings as text."""
    if column.dtype != object:
        return column.to_numpy()
    plain = all(v is None or isinstance(v, (str, int, float, bool)) for v in column)
    return column.to_numpy() if plain else _texts(column)


def _type_of(frame: gpd.GeoDataFrame) -> tuple[str, Kind]:
    shapes = frame.geometry.to_numpy()
    found = set(shapely.get_dimensions(shapes[~shapely.is_missing(shapes)]).tolist()) - {-1}
    if not found:
        return _TYPES[2]
    if len(found) > 1:
        return "Unknown", _TYPES[max(found)][1]
    return _TYPES[found.pop()]
