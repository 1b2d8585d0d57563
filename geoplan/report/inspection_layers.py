"""The places of findings as a GeoPackage that QGIS opens with the colours of the report."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely

from geoplan.ingest.inspection import Finding, Inspection
from geoplan.report.export_file import new_file
from geoplan.report.inspection_order import ordered_findings
from geoplan.report.inspection_place import finite, known_crs
from geoplan.report.inspection_style import Kind, colour, qgis_style
from geoplan.report.inspection_words import remedy, says, speaking, title
from geoplan.report.language import Language

__all__ = ["add_layer_styles", "write_problem_gpkg"]

_LAYERS: tuple[tuple[str, int, str, Kind], ...] = (
    ("problem_areas", 2, "MultiPolygon", "fill"),
    ("problem_lines", 1, "MultiLineString", "line"),
    ("problem_points", 0, "MultiPoint", "marker"),
)
_STYLES = """
create table layer_styles (
  id integer primary key autoincrement not null, f_table_catalog text, f_table_schema text,
  f_table_name text, f_geometry_column text, styleName text, styleQML text, styleSLD text,
  useAsDefault boolean, description text, owner text, ui text,
  update_time datetime default (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""


def write_problem_gpkg(inspection: Inspection, path: Path, *, overwrite: bool = False) -> None:
    """Write every finding that was kept, with its geometry in the CRS of the file.

    Parameters
    ----------
    inspection : Inspection
        What was found.
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
    Layers ``problem_areas``, ``problem_lines`` and ``problem_points`` are always there, also when
    empty; ``problem_rows`` has the findings without a place, ``file_problems`` what concerns the
    file. ``number`` is the number of the finding in the report.
    """
    listed = ordered_findings(inspection)
    table = _table(inspection, listed)
    shapes = finite(finding.geometry for _, finding in listed)
    dimension = shapely.get_dimensions(shapes)
    crs = known_crs(inspection.crs)
    with new_file(path, overwrite=overwrite) as part, warnings.catch_warnings():
        # A file without a known CRS has places all the same; the report says that it has none.
        warnings.filterwarnings("ignore", message=".*crs.*not provided.*")
        for name, size, kind, _ in _LAYERS:
            here = dimension == size
            frame = gpd.GeoDataFrame(
                table[here].reset_index(drop=True),
                geometry=[_of_dimension(shape, size) for shape in shapes[here]],
                crs=crs,
            )
            pyogrio.write_dataframe(
                frame, part, layer=name, driver="GPKG", geometry_type=kind, promote_to_multi=True,
            )  # fmt: skip
        placeless = table[dimension < 0].reset_index(drop=True)
        if len(placeless):
            pyogrio.write_dataframe(placeless, part, layer="problem_rows", driver="GPKG")
        if inspection.problems:
            pyogrio.write_dataframe(_problems(inspection), part, layer="file_problems")
        codes = {finding.code: finding for _, finding in listed}
        add_layer_styles(part, {n: (kind, _legend(list(codes))) for n, _, _, kind in _LAYERS})


def _of_dimension(shape: shapely.Geometry, size: int) -> shapely.Geometry:
    """Return the parts of the highest dimension: a layer holds one kind of geometry."""
    if shape.geom_type == "LinearRing":
        return shapely.linestrings(shape.coords)
    if shape.geom_type != "GeometryCollection":
        return shape
    flat = [p for part in shape.geoms for p in shapely.get_parts(part)]
    parts = [part for part in flat if shapely.get_dimensions(part) == size]
    make = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[size]
    return make(parts)


def _legend(codes: Sequence[str]) -> list[tuple[str, str, str]]:
    english, persian = Language("en"), Language("fa")
    return [
        (code, f"{title(code, english)} / {title(code, persian)}", colour(code)) for code in codes
    ]


def _table(inspection: Inspection, listed: Sequence[tuple[int, Finding]]) -> pd.DataFrame:
    english, persian = speaking(Language("en")), speaking(Language("fa"))
    names = sorted({name for _, f in listed for name in f.numbers})
    texts = {
        "code": [f.code for _, f in listed],
        "severity": [f.severity for _, f in listed],
        "title_en": [title(f.code, english) for _, f in listed],
        "title_fa": [title(f.code, persian) for _, f in listed],
        "rows": [", ".join(str(r) for r in f.rows) for _, f in listed],
        "keys": [", ".join(f.keys) for _, f in listed],
        "text": [f.text or None for _, f in listed],
        "sentence_en": [says(f, english) for _, f in listed],
        "sentence_fa": [says(f, persian) for _, f in listed],
        "remedy_en": [remedy(f.code, english, inspection.rules) for _, f in listed],
        "remedy_fa": [remedy(f.code, persian, inspection.rules) for _, f in listed],
    }
    columns: dict[str, Any] = {
        "number": np.array([n for n, _ in listed], dtype=np.int64),
        **{name: pd.Series(cells, dtype="object") for name, cells in texts.items()},
        "area_m2": pd.Series([f.area_m2 for _, f in listed], dtype="float64"),
    }
    taken = {name.lower() for name in columns} | {"fid", "geom", "geometry"}
    for name in names:
        column = name if name.lower() not in taken else f"number_{name}"
        taken.add(column.lower())
        columns[column] = pd.Series([f.numbers.get(name) for _, f in listed], dtype="float64")
    return pd.DataFrame(columns)


def _problems(inspection: Inspection) -> pd.DataFrame:
    names = ("code", "severity", "where", "what", "remedy", "count")
    rows = [{name: getattr(p, name) for name in names} for p in inspection.problems]
    return pd.DataFrame(rows, columns=list(names)).rename(columns={"where": "place"})


def add_layer_styles(
    path: Path,
    styles: Mapping[str, tuple[Kind, Sequence[tuple[str, str, str]]]],
    *,
    attribute: str = "code",
) -> None:
    """Add the table from which QGIS takes the style of a layer when it opens it.

    Parameters
    ----------
    path : Path
        A GeoPackage that has the layers.
    styles : mapping
        Layer → kind of symbol, and (value, label, colour) of each category.
    attribute : str
        Column whose values the categories are.
    """
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(_STYLES)
        for name, (kind, values) in styles.items():
            base.execute(
                "insert into layer_styles (f_table_catalog, f_table_schema, f_table_name, "
                "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
                "owner) values ('', '', ?, 'geom', 'problems', ?, '', 1, 'GeoPlan', '')",
                (name, qgis_style(kind, values, attribute=attribute)),
            )
        base.execute(
            "insert into gpkg_contents (table_name, data_type, identifier, description) "
            "values ('layer_styles', 'attributes', 'layer_styles', '')"
        )
