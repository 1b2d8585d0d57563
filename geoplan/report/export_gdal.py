"""GeoPackage and FlatGeobuf: written by GDAL from one Arrow stream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from geoplan.errors import InputError, Problem
from geoplan.report.export_about import Provenance
from geoplan.report.export_frames import GEOMETRY, Outgoing

__all__ = ["write_arrow", "write_flatgeobuf", "write_geopackage"]

_CURRENT_DATE = "OGR_CURRENT_DATE"
_WRITTEN = "2000-01-01T00:00:00.000Z"


@contextmanager
def _fixed_date() -> Iterator[None]:
    """Write a fixed date into the file, so that the same rows give the same bytes."""
    before = pyogrio.get_gdal_config_option(_CURRENT_DATE)
    pyogrio.set_gdal_config_options({_CURRENT_DATE: _WRITTEN})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({_CURRENT_DATE: before})


def write_arrow(
    path: Path,
    frames: Outgoing,
    driver: str,
    prepare: Callable[[pa.Table], pa.Table] | None = None,
    **options: Any,
) -> None:
    """Write the stream with a driver of GDAL; an error of the stream itself is raised as it was."""
    try:
        pyogrio.write_arrow(
            frames.arrow(prepare), path, driver=driver, geometry_name=GEOMETRY,
            geometry_type=frames.geometry_type, crs=frames.crs_name, **options,
        )  # fmt: skip
    except Exception:
        # The stream's reader says only that it ended; what ended it is the reason.
        if frames.error is not None:
            raise frames.error from None
        raise


def write_geopackage(path: Path, frames: Outgoing, about: Provenance) -> list[Problem]:
    """Write a GeoPackage with the layer and a table ``about``."""
    with _fixed_date():
        write_arrow(
            path, frames, "GPKG", layer=about.layer,
            layer_options={"GEOMETRY_NAME": "geom", "FID": _free_name(frames, "fid")},
            layer_metadata={"about": about.json(crs=frames.crs_name)},
        )  # fmt: skip
        items = about.items(crs=frames.crs_name, rows=frames.rows)
        table = pd.DataFrame({"name": list(items), "value": list(items.values())})
        pyogrio.write_dataframe(table, path, layer="about", driver="GPKG")
    return []


def _free_name(frames: Outgoing, name: str) -> str:
    taken = {n.lower() for n in frames.schema.names}
    while name in taken:
        name += "_"
    return name


def write_flatgeobuf(path: Path, frames: Outgoing, about: Provenance) -> list[Problem]:
    """Write a FlatGeobuf whose description says where the data come from.

    Raises
    ------
    InputError
        A batch has a row without geometry: the index of the format has no place for it.
    """
    if frames.without is None:
        frames.batches = _all_placed(frames.batches, about.layer)
    write_arrow(
        path, frames, "FlatGeobuf", layer=about.layer,
        layer_options={
            "TITLE": about.title.en, "DESCRIPTION": about.json(crs=frames.crs_name),
            "TEMPORARY_DIR": str(path.parent),
            "SPATIAL_INDEX": "NO" if frames.without else "YES",
        },
    )  # fmt: skip
    if not frames.without:
        return []
    return [
        Problem(
            about.layer, "rows without geometry leave the file without a spatial index",
            "export to GeoPackage, which indexes the others", "info", "no-index",
        )
    ]  # fmt: skip


def _all_placed(
    batches: Iterator[tuple[pa.Table, Any]], layer: str
) -> Iterator[tuple[pa.Table, Any]]:
    for table, shapes in batches:
        bare = int(shapely.is_missing(shapes).sum())
        if bare:
            raise InputError(
                f"{bare:,} rows have no geometry, which the index of a FlatGeobuf cannot hold",
                where=layer,
                remedy="export to GeoPackage",
            )
        yield table, shapes
