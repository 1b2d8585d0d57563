"""GeoParquet: row groups as they lie, the CRS from the file's own metadata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geoplan.errors import InputError, RangeError
from geoplan.ingest.reader.columns import distinct
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.request import GEOMETRY, Note, ReadRequest, SourceInfo

__all__ = ["open_parquet"]

_BATCH = 16_384
_AGAIN = "write it as GeoParquet, for example with geopandas or GDAL"
_BYTES = (
    pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)  # fmt: skip


def open_parquet(path: Path, request: ReadRequest) -> Opened:
    """Open a GeoParquet file (version 1, geometry as WKB).

    Raises
    ------
    InputError
        It is damaged, has no ``geo`` metadata, or another encoding than WKB.
    """
    where = request.path.name
    try:
        file = pq.ParquetFile(path)
        schema = file.schema_arrow
    except MemoryError:
        raise  # Arrow's is both
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error, where) from error
    geo = _metadata(schema, where)
    name = str(geo.get("primary_column", "geometry"))
    described = geo.get("columns")
    about = described.get(name) if isinstance(described, dict) else None
    if not isinstance(about, dict) or name not in schema.names:
        raise InputError(
            f"its metadata names a geometry column '{name}' that is not there",
            where=where,
            remedy=_AGAIN,
        )
    if about.get("encoding") != "WKB":
        raise InputError(
            f"its geometry is encoded as {about.get('encoding')!r}",
            where=where,
            remedy="write it with encoding WKB",
        )
    kind = schema.field(schema.names.index(name)).type
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    if not any(is_one(kind) for is_one in _BYTES):
        raise InputError(
            f"its geometry column '{name}' holds {kind}, and no bytes", where=where, remedy=_AGAIN
        )
    columns = [i for i, n in enumerate(schema.names) if n != name]
    notes: list[Note] = []
    names = distinct([schema.names[i] for i in columns], notes)
    if about.get("edges") == "spherical":
        notes.append(Note("spherical-edges", "its edges are arcs on the globe; read as straight"))
    if len(columns) > request.limits.columns:
        raise RangeError(
            f"{len(columns):,} columns; the limit is {request.limits.columns:,}",
            where=where,
            remedy="leave out columns that no field needs",
        )
    types = about.get("geometry_types")
    types = types if isinstance(types, list) else []
    info = SourceInfo(
        "GeoParquet", None, (), _crs(about), "UTF-8", "declared",
        ", ".join(map(str, types)) or "Unknown", file.metadata.num_rows,
        tuple((n, str(schema.field(i).type)) for i, n in zip(columns, names, strict=True)),
    )  # fmt: skip
    return Opened(info, _batches(file, schema.names.index(name), columns, names, where), notes)


def _metadata(schema: pa.Schema, where: str) -> dict[str, Any]:
    raw = (schema.metadata or {}).get(b"geo")
    if raw is None:
        raise InputError(
            "the Parquet file does not say where its geometry is ('geo' metadata)",
            where=where,
            remedy=_AGAIN,
        )
    try:
        found = json.loads(raw)
    except ValueError as error:
        raise InputError(
            f"its 'geo' metadata is no JSON: {error}", where=where, remedy=_AGAIN
        ) from error
    if not isinstance(found, dict):
        raise InputError("its 'geo' metadata is no JSON object", where=where, remedy=_AGAIN)
    return found


def _crs(about: dict[str, Any]) -> str | None:
    if "crs" not in about:
        return "OGC:CRS84"  # what the specification says of an absent CRS
    crs = about["crs"]
    if crs is None:
        return None
    code = crs.get("id") if isinstance(crs, dict) else None
    if isinstance(code, dict) and {"authority", "code"} <= set(code):
        crs_or_code: Any = f"{code['authority']}:{code['code']}"
    else:
        crs_or_code = crs
    # A text that is no code could name a file to whoever looks it up.
    if isinstance(crs_or_code, str) and re.fullmatch(r"[A-Za-z]{2,20}:\w{1,20}", crs_or_code):
        return crs_or_code
    return json.dumps(crs)


def _batches(
    file: pq.ParquetFile, at: int, columns: list[int], names: list[str], where: str
) -> Iterator[pa.RecordBatch]:
    try:
        for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
            geometry = batch.column(at)
            if isinstance(geometry, pa.ExtensionArray):
                geometry = geometry.storage
            if not (pa.types.is_binary(geometry.type) or pa.types.is_large_binary(geometry.type)):
                geometry = geometry.cast(pa.binary())
            yield pa.RecordBatch.from_arrays(
                [geometry, *(_plain(batch.column(c)) for c in columns)], names=[GEOMETRY, *names]
            )
    except MemoryError:
        raise  # Arrow's is both
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error, where) from error


def _plain(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        texts = [None if v is None else _text(v) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    return column.cast(pa.string()) if pa.types.is_dictionary(kind) else column


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return json.dumps(value, ensure_ascii=False, default=str)


def _damaged(error: Exception, where: str) -> InputError:
    text = " ".join(str(error).split())[:200]
    return InputError(
        f"the Parquet file cannot be read: {text}",
        where=where,
        remedy="deliver it again; it may be cut off or damaged",
    )
