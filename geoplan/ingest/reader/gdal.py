"""Vector files through GDAL: one driver, no network, Arrow batches straight from the file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from geoplan.errors import FileMissing, InputError, RangeError, UnknownName
from geoplan.ingest.reader.encoding import dbf_encoding
from geoplan.ingest.reader.kind import DRIVERS, refuse_entities
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.request import GEOMETRY, Note, ReadRequest, SourceInfo

__all__ = ["layers_of", "open_vector", "set_environment"]

_BATCH = 16_384

_OFFLINE = {
    # A file can name other files or addresses; none of them is ever followed.
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_PAM_ENABLED": "NO",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "GML_INVERT_AXIS_ORDER_IF_LAT_LONG": "YES",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "OGR_SQLITE_LIST_VIRTUAL_OGR": "NO",
    "OGR_GML_NULL_AUTOCREATE": "NO",
    "SHAPE_RESTORE_SHX": "NO",
    "OGR_ARC_MAX_GAP": "0",
}

# Every vector driver that the wheel knows; all but one are switched off before GDAL starts.
_ALL = (
    "PCIDSK", "PDS4", "VICAR", "PDF", "MBTiles", "EEDA", "OGCAPI", "GDALG", "ESRI Shapefile",
    "MapInfo File", "LVBAG", "S57", "DGN", "OGR_VRT", "CSV", "GML", "GPX", "LIBKML", "KML",
    "GeoJSON", "GeoJSONSeq", "ESRIJSON", "TopoJSON", "OGR_GMT", "GPKG", "SQLite", "WAsP",
    "OpenFileGDB", "DXF", "FlatGeobuf", "GeoRSS", "VFK", "PGDUMP", "OSM", "GPSBabel", "OGR_PDS",
    "WFS", "OAPIF", "EDIGEO", "Idrisi", "ODS", "XLSX", "Elasticsearch", "Carto", "AmigoCloud",
    "SXF", "Selafin", "JML", "PLSCENES", "CSW", "VDV", "MVT", "NGW", "MapML", "GTFS", "PMTiles",
    "JSONFG", "MiraMonVector", "ADBC", "AVCBin", "AVCE00", "AIVector", "HTTP", "PostgreSQL",
    "MySQL", "MSSQLSpatial", "ODBC", "OCI", "Parquet", "Arrow", "SOSI", "CAD", "HANA", "MongoDBv3",
    "TIGER", "Interlis 1", "Interlis 2", "ARCGEN", "SVG", "GTM", "OpenAir", "SEGUKOOA", "SEGY",
    "SUA", "XPLANE", "Walk", "PGeo", "DODS", "DB2ODBC", "INGRES", "netCDF", "JP2OpenJPEG",
)  # fmt: skip


def set_environment(kind: str) -> None:
    """Switch off all drivers but one, and every way out; before GDAL is imported."""
    os.environ.update(_OFFLINE)
    # pyogrio imports these where they are there, and only its frames would use them: a third of
    # the time that the process takes to start.
    for name in ("geopandas", "pyproj"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    wanted = DRIVERS.get(kind)
    os.environ["GDAL_SKIP"] = ",".join(d for d in _ALL if d != wanted)


def layers_of(path: Path) -> list[str]:
    """Return the layers of a file."""
    import pyogrio

    return [str(name) for name in pyogrio.list_layers(path)[:, 0]]


def open_vector(path: Path, kind: str, request: ReadRequest, folder: Path) -> Opened:
    """Open a vector file.

    Parameters
    ----------
    path : Path
        A real file.
    kind : str
        From :func:`geoplan.ingest.reader.kind.kind_of_file`.
    request : ReadRequest
        Layer, encoding, limits.
    folder : Path
        Private folder: files beside which GDAL would write are copied there.
    """
    import pyogrio
    from pyogrio.raw import open_arrow

    where = request.path.name
    notes: list[Note] = []
    encoding = how = None
    if kind in ("GML", "KML"):
        refuse_entities(path, where=where)
    if kind == "GML" and path.parent != folder:
        # GDAL keeps a .gfs beside the file, and would read one that somebody put there.
        path = Path(shutil.copy(path, folder / "source.gml"))
    if kind == "Shapefile":
        _whole_shapefile(path, where)
        found, doubt = dbf_encoding(path, request.encoding)
        encoding, how = found.name, found.how
        if doubt:
            notes.append(Note("encoding-wrong", doubt, "read as detected; --encoding decides"))
        elif how == "detected" and found.evidence != "only ASCII":
            notes.append(
                Note(
                    "encoding-detected",
                    f"the file does not say its encoding; it is read as {encoding} "
                    f"({found.evidence})",
                    "name it with --encoding, or deliver a .cpg",
                )
            )
    try:
        layers = layers_of(path)
        layer = _layer(layers, request.source_layer, where)
        info = pyogrio.read_info(path, layer=layer, encoding=encoding)
        if len(info["fields"]) > request.limits.columns:
            raise RangeError(
                f"{len(info['fields']):,} columns; the limit is {request.limits.columns:,}",
                where=where,
                remedy="leave out columns that no field needs",
            )
        # An encoding that GDAL cannot recode through Arrow falls back to UTF-8 on its own side.
        manager = open_arrow(
            path, layer=layer, batch_size=_BATCH, use_pyarrow=True, encoding=encoding
        )
    except pyogrio.errors.DataSourceError as error:
        raise _damaged(kind, error, where) from error
    except (pyogrio.errors.DataLayerError, ValueError, UnicodeDecodeError, RuntimeError) as error:
        raise _damaged(kind, error, where) from error
    rows = int(info["features"])
    columns = tuple(zip(map(str, info["fields"]), map(str, info["dtypes"]), strict=True))
    crs = info["crs"]
    geometry = info["geometry_type"]
    said = SourceInfo(
        kind, layer, tuple(layers), str(crs) if crs else None,
        encoding or "UTF-8", how or "declared", str(geometry) if geometry else None,
        rows if rows >= 0 else None, columns,
    )  # fmt: skip
    return Opened(said, _batches(manager, kind, where), notes)


def _batches(manager: Any, kind: str, where: str) -> Iterator[pa.RecordBatch]:
    import pyogrio

    try:
        with manager as (meta, reader):
            name = meta.get("geometry_name") or "wkb_geometry"
            fields = [str(f) for f in meta["fields"]]
            for batch in reader:
                yield _shaped(batch, name, fields)
    except (
        pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
        pa.ArrowException, UnicodeDecodeError, RuntimeError,
    ) as error:  # fmt: skip
        raise _damaged(kind, error, where) from error


def _shaped(batch: pa.RecordBatch, geometry: str, fields: list[str]) -> pa.RecordBatch:
    """Return a batch with the geometry under its own name, and the attributes in order."""
    names = batch.schema.names
    at = names.index(geometry) if geometry in names else len(names) - 1
    columns = [_plain(batch.column(at))]
    out = [GEOMETRY]
    for name in fields:
        columns.append(_attribute(batch.column(names.index(name))))
        out.append(name)
    return pa.RecordBatch.from_arrays(columns, names=out)


def _plain(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _attribute(column: pa.Array) -> pa.Array:
    column = _plain(column)
    kind = column.type
    if pa.types.is_nested(kind):
        import json

        texts = [
            None if v is None else json.dumps(v, ensure_ascii=False) for v in column.to_pylist()
        ]
        return pa.array(texts, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())
    return column


def _layer(layers: list[str], wanted: str | None, where: str) -> str:
    if wanted is not None and wanted not in layers:
        raise UnknownName(
            f"the file has no layer '{wanted}'",
            where=where,
            remedy=f"its layers: {', '.join(layers) or 'none'}",
        )
    if wanted is None and len(layers) > 1:
        raise InputError(
            f"the file has {len(layers)} layers",
            where=where,
            remedy=f"name one with --source-layer: {', '.join(layers[:40])}",
        )
    if not layers:
        raise InputError("the file has no layer", where=where, remedy="deliver it with data")
    return wanted if wanted is not None else layers[0]


def _whole_shapefile(path: Path, where: str) -> None:
    for needed in (".dbf", ".shx"):
        if not any(path.with_suffix(x).is_file() for x in (needed, needed.upper())):
            raise FileMissing(
                f"the Shapefile has no {needed} part", where=where, remedy="deliver all parts"
            )


def _damaged(kind: str, error: Exception, where: str) -> InputError:
    text = " ".join(str(error).split())[:200]
    return InputError(
        f"the {kind} cannot be read: {text}",
        where=where,
        remedy="deliver it again; it may be cut off or damaged",
    )
