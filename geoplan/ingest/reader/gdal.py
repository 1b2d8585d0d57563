"""Vector files through GDAL: one driver, no network, Arrow batches straight from the file."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from geoplan.errors import InputError, RangeError, Unavailable, UnknownName
from geoplan.ingest.reader.columns import distinct
from geoplan.ingest.reader.flatgeobuf import EXTRA, every_row_of, has_index
from geoplan.ingest.reader.kind import DRIVERS
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.plain import shaped
from geoplan.ingest.reader.prolog import refuse_cut_off, refuse_entities
from geoplan.ingest.reader.request import Note, ReadRequest, SourceInfo
from geoplan.ingest.reader.stage import staged

__all__ = ["layers_of", "open_vector", "set_environment"]

_BATCH = 8_192
_WARNINGS = 1000

_OFFLINE = {
    # A file can name other files or addresses; none of them is ever followed.
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_CONFIG_FILE": "/dev/null",
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_PAM_ENABLED": "NO",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "GML_INVERT_AXIS_ORDER_IF_LAT_LONG": "YES",
    # A code such as 0012 is no number; types come from the layer's fields, later.
    "GML_FIELDTYPES": "ALWAYS_STRING",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "1000",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "OGR_SQLITE_LIST_VIRTUAL_OGR": "NO",
    "SHAPE_RESTORE_SHX": "NO",
    "SHAPE_ENCODING": "",
    "OGR_ARC_MAX_GAP": "0",
}


def set_environment(kind: str, request: ReadRequest) -> None:
    """Start GDAL with one driver, and with every way out switched off.

    Raises
    ------
    Unavailable
        Its other drivers could not be switched off.
    """
    os.environ.update(_OFFLINE)
    # A batch is cut where its bytes reach this, so that memory does not follow the features.
    os.environ["OGR_ARROW_MEM_LIMIT"] = str(max(1 << 26, 2 * request.limits.feature_bytes))
    import pyogrio
    from pyogrio import _ogr

    wanted = DRIVERS[kind]
    others = set(pyogrio.list_drivers()) - {wanted, "MEM", "Memory"}
    pyogrio.set_gdal_config_options({"GDAL_SKIP": ",".join(sorted(others))})
    _ogr._register_drivers()  # registering is when drivers are skipped
    left = set(pyogrio.list_drivers())
    if left & others or wanted not in left:
        raise Unavailable(
            f"GDAL does not start with the driver {wanted} alone",
            where=request.path.name,
            remedy="install pyogrio from PyPI",
        )


def layers_of(file: Path, path: Path, kind: str) -> dict[str, str]:
    """Return the layers of a file: name for GDAL → name as a person knows it.

    Parameters
    ----------
    file, path : Path
        The file where GDAL sees it, and as it was delivered.
    kind : str
        What it is.
    """
    import pyogrio

    names = [str(name) for name in pyogrio.list_layers(file)[:, 0]]
    if kind in ("Shapefile", "GeoJSON", "GeoJSONSeq", "FlatGeobuf") and names == [file.stem]:
        return {names[0]: path.name.rsplit(".", 1)[0]}  # the layer is called as the file
    return {name: name for name in names}


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
        Private folder, where GDAL sees the file.

    Raises
    ------
    InputError, UnknownName, RangeError, FileMissing
        It is damaged, points elsewhere, lacks a part or the layer, or has too many columns.
    """
    import pyogrio
    from pyogrio.raw import open_arrow

    where = request.path.name
    notes: list[Note] = []
    encoding = how = coded = None
    if kind == "GML":
        root = refuse_entities(path, where=where)
        refuse_cut_off(path, root, where=where)
    elif kind == "Shapefile":
        from geoplan.ingest.reader.shapefile import check_parts, text_encoding

        notes += check_parts(path, where=where)
        found = text_encoding(path, request, notes)
        encoding, how = found.name, found.how
        coded = found.name.upper()  # GDAL knows ISO-8859-1 in capitals only
    elif kind in ("GeoJSON", "GeoJSONSeq"):
        from geoplan.ingest.reader.geojson import refuse_linked_crs

        refuse_linked_crs(path, where=where)
    file = staged(path, kind, folder, notes)
    if kind == "Shapefile" and not file.with_suffix(".shx").exists():
        # The index is rebuilt beside the private link, never beside the file.
        pyogrio.set_gdal_config_options({"SHAPE_RESTORE_SHX": True})
    options = {"IMMUTABLE": "YES"} if kind == "GeoPackage" else {}
    try:
        layers, layer = _chosen(file, path, kind, request)
        info = pyogrio.read_info(file, layer=layer, encoding=coded, **options)
        if len(info["fields"]) > request.limits.columns:
            raise RangeError(
                f"{len(info['fields']):,} columns; the limit is {request.limits.columns:,}",
                where=where,
                remedy="leave out columns that no field needs",
            )
        asked = {"layer": layer}
        if kind == "FlatGeobuf" and not has_index(path):
            asked = {"sql": every_row_of(layer), "sql_dialect": "OGRSQL"}
        manager = open_arrow(
            file, **asked, batch_size=_BATCH, use_pyarrow=True, encoding=coded, **options
        )
    except (
        pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError, RuntimeError,
    ) as error:  # fmt: skip
        raise _damaged(kind, error, where) from error
    rows = int(info["features"])
    columns = tuple(zip(map(str, info["fields"]), map(str, info["dtypes"]), strict=True))
    crs = info["crs"]
    geometry = info["geometry_type"]
    said = SourceInfo(
        kind, layers.get(layer, layer), tuple(layers.values()), str(crs) if crs else None,
        encoding or "UTF-8", how or "declared", str(geometry) if geometry else None,
        rows if rows >= 0 else None, columns,
    )  # fmt: skip
    return Opened(said, _batches(manager, file, path, said, notes, request), notes)


def _chosen(file: Path, path: Path, kind: str, request: ReadRequest) -> tuple[dict[str, str], str]:
    """Return the layers (name in GDAL → name as the person knows it), and the one that is read."""
    if kind in ("GeoPackage", "SpatiaLite"):
        from geoplan.ingest.reader.database import refuse_reaching_out

        refuse_reaching_out(file, request.source_layer, where=request.path.name)
    layers = layers_of(file, path, kind)
    shown = _layer(list(layers.values()), request.source_layer, request.path.name)
    layer = next(name for name, said in layers.items() if said == shown)
    if kind in ("GeoPackage", "SpatiaLite") and layer != request.source_layer:
        refuse_reaching_out(file, layer, where=request.path.name)
    return layers, layer


def _batches(
    manager: Any, file: Path, path: Path, info: SourceInfo, notes: list[Note], request: ReadRequest
) -> Iterator[pa.RecordBatch]:
    import pyogrio

    where, kind = request.path.name, info.format
    rows = 0
    names: list[str] | None = None
    lost = cells = None
    if kind in ("GeoPackage", "SpatiaLite") and info.layer is not None:
        from geoplan.ingest.reader.cell import CellCheck

        cells = CellCheck(file, info.layer, days=kind == "GeoPackage")
    elif kind == "Shapefile":
        from geoplan.ingest.reader.shapefile import LostShapes

        lost = LostShapes(path, request.limits)
    try:
        with warnings.catch_warnings(record=True) as said, manager as (meta, reader):
            warnings.simplefilter("always")
            for batch in reader:
                if names is None:
                    names = distinct([str(f) for f in meta["fields"] if f != EXTRA], notes)
                if EXTRA in batch.schema.names:
                    batch = batch.drop_columns([EXTRA])
                out = shaped(batch, meta.get("geometry_name"), names)
                if lost is not None:
                    lost.look_at(out.column(0), rows)
                rows += len(batch)
                yield out
                del said[_WARNINGS:]
            notes += _warned(said) + (lost.notes() if lost is not None else [])
    except (
        pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError,
        pa.ArrowException, UnicodeDecodeError, RuntimeError, OSError,
    ) as error:  # fmt: skip
        if isinstance(error, (MemoryError, OSError)) and getattr(error, "errno", None):
            raise  # of the system, and not of the file
        raise _damaged(kind, error, where) from error
    _check_count(path, file, info, rows, where)
    if cells is not None:
        cells.finish(where=where)


def _check_count(path: Path, file: Path, info: SourceInfo, rows: int, where: str) -> None:
    """Refuse a file of which fewer rows came than it has."""
    kind = info.format
    if kind == "GeoJSONSeq":
        from geoplan.ingest.reader.geojson import check_every_line

        check_every_line(path, rows, where=where)
    if rows == info.rows or (info.rows is not None and rows > info.rows):
        return
    if kind in ("GeoPackage", "SpatiaLite") and info.layer is not None:
        from geoplan.ingest.reader.database import check_every_row

        # What the file says of its number of rows may be stale; SQLite counts them.
        check_every_row(file, info.layer, rows, where=where)
    elif kind in ("Shapefile", "FlatGeobuf", "FileGDB") and info.rows is not None:
        if kind == "Shapefile":
            from geoplan.ingest.reader.shapefile import deleted_rows

            rows += deleted_rows(path)
        if rows < info.rows:
            raise InputError(
                f"only {rows:,} of {info.rows:,} features can be read",
                where=where,
                remedy="deliver it again; it may be cut off or damaged",
            )


def _warned(said: list[warnings.WarningMessage]) -> list[Note]:
    """Return what GDAL warned of, each thing once."""
    texts = dict.fromkeys(" ".join(str(w.message).split())[:300] for w in said)
    return [Note("reader-warning", text) for text in list(texts)[:10]]


def _layer(layers: list[str], wanted: str | None, where: str) -> str:
    if not layers:
        raise InputError("the file has no layer", where=where, remedy="deliver it with data")
    if wanted is not None and wanted not in layers:
        raise UnknownName(
            f"the file has no layer '{wanted}'",
            where=where,
            remedy=f"its layers: {', '.join(layers[:40])}",
        )
    if wanted is None and len(layers) > 1:
        raise InputError(
            f"the file has {len(layers)} layers",
            where=where,
            remedy=f"name one with --source-layer: {', '.join(layers[:40])}",
        )
    return wanted if wanted is not None else layers[0]


def _damaged(kind: str, error: Exception, where: str) -> InputError:
    text = " ".join(str(error).split()).partition("; It might help")[0]
    text = re.sub(r"'?/[^\s']*/\.open/[^\s']*'?", where, text)[:200]  # a path that nobody knows
    if "too complex/large" in text:
        return RangeError(
            "one feature of the GeoJSON takes more than 1 GB to read",
            where=where,
            remedy="split it into parts, or deliver it as GeoPackage",
        )
    remedy = "deliver it again; it may be cut off or damaged"
    if isinstance(error, UnicodeDecodeError):
        remedy = "name its encoding with --encoding, for example windows-1256"
    return InputError(
        f"the {kind} cannot be read: {text}",
        where=where,
        remedy=remedy,
    )
