"""A version of a layer, or the rows that a load refused, as a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely
from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.catalogue.text import Text
from geoplan.errors import EmptyLayer, Problem, UnknownName
from geoplan.ingest.reader import GEOMETRY, ROW
from geoplan.report.export import FORMATS, Exported, Provenance, export_layer, format_of
from geoplan.store import read
from geoplan.store.history import history
from geoplan.store.quarantine import RefusedLoad, quarantine_loads, quarantined
from geoplan.store.session import transaction

__all__ = ["export_quarantine", "export_version", "quarantine_name"]

_CADASTRE = ("estates", "phases", "blocks", "plots")
_WRITTEN_AS = {
    "GeoPackage": "geopackage", "Shapefile": "shapefile", "GeoJSON": "geojson",
    "GeoJSONSeq": "geojsonl", "FlatGeobuf": "flatgeobuf", "GeoParquet": "geoparquet",
    "CSV": "csv", "DXF": "dxf",
}  # fmt: skip
"""Format of a source → format in which its refused rows are given back."""


def export_version(
    engine: Engine,
    catalogue: Catalogue,
    layer: str,
    path: Path,
    *,
    number: int | None = None,
    crs: str | None = None,
    format: str | None = None,  # noqa: A002
    encoding: str = "utf-8",
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Write one version of a layer to a file.

    Parameters
    ----------
    engine, catalogue : Engine, Catalogue
        The database; titles and themes.
    layer, path : str, Path
        Layer and file.
    number : int, optional
        Version; absent: the current one.
    crs, format, encoding, overwrite, progress
        As for :func:`geoplan.report.export.export_layer`.

    Raises
    ------
    UnknownName
        No such layer, version or format.
    InputError
        The format does not hold this layer, or the file is there already.
    """
    spec = catalogue.layer(layer)
    with transaction(engine) as session:
        known = history(session, layer)
        chosen = next(
            (v for v in known.versions if (v.current if number is None else v.number == number)),
            None,
        )
        if chosen is None:
            there = ", ".join(str(v.number) for v in known.versions)
            raise UnknownName(
                f"layer '{layer}' has no version {number}", where=layer, remedy=f"it has {there}"
            )
        frame = read.layer_frame(session, layer, number=chosen.number)
        surveyed = None
        if spec.table in _CADASTRE:
            own = read.layer_frame(
                session, layer, number=chosen.number, columns=["source_geom", "source_srid"]
            )
            frame["source_geom"], frame["source_srid"] = own["source_geom"], own["source_srid"]
            surveyed = ("source_geom", "source_srid")
        facts = read.layer_versions(session, [layer]).get(layer, {})
    return export_layer(
        frame,
        path,
        provenance=Provenance(
            layer=layer,
            title=spec.title,
            version=chosen.number,
            as_of=chosen.as_of or "",
            source=chosen.source,
            licence=str(facts.get("licence") or ""),
            confidence=str(facts.get("confidence") or ""),
            synthetic=chosen.synthetic,
            assumed=facts.get("basis") == "assumed",
            sha256=chosen.sha256,
            loaded_at=chosen.loaded_at.isoformat(),
            loaded_by=chosen.loaded_by,
        ),
        format=format,
        crs=crs,
        encoding=encoding,
        kind=spec.geometry if spec.geometry != "any" else None,
        surveyed=surveyed,
        theme=spec.theme,
        label="number" if "number" in frame else None,
        overwrite=overwrite,
        progress=progress,
    )


def quarantine_name(engine: Engine, load_id: str) -> str:
    """Return the usual file name for the refused rows of a load, in the format of its source.

    Raises
    ------
    UnknownName
        There is no such load.
    """
    load = _load(engine, load_id)
    ending = FORMATS[_WRITTEN_AS.get(load.source_format, "geopackage")][0]
    return f"{Path(load.source_file).stem}-refused-{load_id}{ending}"


def export_quarantine(
    engine: Engine, load_id: str, path: Path, *, overwrite: bool = False
) -> Exported:
    """Write the refused rows of a load to a file: the source's own columns, and why.

    Parameters
    ----------
    load_id : str
        Name of the load.
    path : Path
        File; :func:`quarantine_name` gives a name in the format of the source. Formats that are
        only read (GML, KML, FileGDB, SpatiaLite, XLSX) are given back as GeoPackage.

    Raises
    ------
    UnknownName
        There is no such load, or no format has this ending.
    """
    load = _load(engine, load_id)
    format_of(path)
    with transaction(engine) as session:
        frames = [_frame(batch, load.source_crs) for batch in quarantined(session, load_id)]
    if not frames:
        raise EmptyLayer("the load refused no row", where=load_id)
    whole = gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), crs=load.source_crs)
    done = export_layer(
        whole,
        path,
        provenance=Provenance(
            layer=f"{load.layer_id}_refused",
            title=Text(en=f"Rows of {load.source_file} that were refused"),
            source=load.source_file,
            loaded_at=load.at.isoformat(),
            loaded_by=load.who,
        ),
        overwrite=overwrite,
    )
    if load.source_format in _WRITTEN_AS:
        return done
    note = Problem(
        path.name, f"{load.source_format} is only read, not written",
        "given back in another format", "info", "other-format",
    )  # fmt: skip
    return replace(done, notes=(*done.notes, note))


def _load(engine: Engine, load_id: str) -> RefusedLoad:
    with transaction(engine) as session:
        for load in quarantine_loads(session):
            if load.id == load_id:
                return load
    raise UnknownName(
        f"there are no refused rows of a load '{load_id}'",
        where="quarantine",
        remedy="'geoplan layers quarantine' lists them",
    )


def _frame(batch: pa.RecordBatch, crs: str | None) -> gpd.GeoDataFrame:
    names = [n for n in batch.schema.names if not n.startswith("__")]
    frame = batch.select(names).to_pandas()
    frame.insert(0, "source_row", batch.column(ROW).to_pylist())
    frame["reasons"] = batch.column("__reasons__").to_pylist()
    shapes = shapely.from_wkb(batch.column(GEOMETRY).to_pylist(), on_invalid="ignore")
    return gpd.GeoDataFrame(frame, geometry=list(shapes), crs=crs)
