"""Read one layer's rows back as a frame: what COPY put in comes out the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from psycopg2 import sql
from sqlalchemy import select
from sqlalchemy.orm import Session

from geoplan.errors import UnknownName
from geoplan.store import tables
from geoplan.store.rows import VersionRows, driver_of, version_rows

__all__ = ["current_version", "layer_frame"]

_HIDDEN = ("id", "version_id", "attrs", "geom", "source_geom", "source_srid", "search")
_MOST_PICKED = 45  # a PostgreSQL function takes 100 arguments, two for each name


def layer_frame(
    session: Session,
    layer_id: str,
    *,
    columns: Sequence[str] | None = None,
    number: int | None = None,
) -> gpd.GeoDataFrame:
    """Return one version of a vector or table layer.

    Parameters
    ----------
    layer_id : str
        Catalogue id.
    columns : sequence of str, optional
        Only these, in this order; geometry always comes along. ``source_geom`` (WKB as surveyed)
        and ``source_srid`` come only when named.
    number : int, optional
        Number of the version; absent: the current one.

    Returns
    -------
    GeoDataFrame, EPSG:4326, index 0 … n-1 in the order of ``key``
        ``key``, the table's own columns, every attribute as a column by name, ``geometry`` last.
        Missing is NaN.

    Raises
    ------
    UnknownName
        The layer was never loaded, or has no such column or version.
    InputError
        It is a raster.
    """
    if number is None:
        current_version(session, layer_id)  # its error knows which other layer may be meant
    place = version_rows(session, layer_id, number)
    table, spec = place.table, place.spec
    own = _own_columns(table)
    fields = spec.get("fields") or {}
    if columns is None:
        names, attrs = list(own), None
    else:
        loaded = _attribute_names(session, place)
        _check_columns(columns, [*own, "source_geom", "source_srid", *fields, *loaded], layer_id)
        own |= {c: c for c in ("source_geom", "source_srid") if c in table.c}
        names = [c for c in columns if c in own]
        attrs = [c for c in columns if c not in own and c != "geometry"]
    parts = [sql.Identifier(own[name]) for name in names]
    if "attrs" in table.c:
        few = attrs is not None and len(attrs) <= _MOST_PICKED
        wanted = _subset(attrs or ()) if few else sql.SQL("attrs")
        parts.append(sql.SQL("({})::text").format(wanted))
    if "geom" in table.c:
        parts.append(sql.SQL("ST_AsBinary(geom)"))
    key = own.get("key", "id")
    # Ordered by bytes, whatever the server's language: the same rows give the same file anywhere.
    order = sql.SQL('{} collate "C", id' if key != "id" else "{}").format(sql.Identifier(key))
    statement = sql.SQL("select {} from {} where {} order by {}").format(
        sql.SQL(", ").join(parts), place.source, place.only(), order
    )
    rows = _fetch(session, statement)
    read = list(zip(*rows, strict=True)) if rows else [() for _ in parts]
    data: dict[str, Any] = {
        name: _typed(values, table.c[own[name]].type.python_type)
        for name, values in zip(names, read, strict=False)
    }
    at = len(names)
    if "attrs" in table.c:
        data |= _unpack(read[at], fields, attrs, taken=set(data))
        at += 1
    if "geom" in table.c:
        shapes = shapely.from_wkb([None if v is None else bytes(v) for v in read[at]])
    else:
        shapes = [None] * len(rows)
    ordered = data if columns is None else {c: data[c] for c in columns if c != "geometry"}
    frame = pd.DataFrame(ordered, index=pd.RangeIndex(len(rows)))
    return gpd.GeoDataFrame(
        frame, geometry=gpd.GeoSeries(shapes, index=frame.index), crs=tables.SRID
    )


def current_version(session: Session, layer_id: str) -> tuple[int, dict[str, Any]]:
    """Return the id and the catalogue entry of a layer's current version.

    Raises
    ------
    UnknownName
        The layer was never loaded.
    """
    row = session.execute(
        select(tables.Layer.current_version_id, tables.Layer.spec).where(
            tables.Layer.id == layer_id, tables.Layer.current_version_id.is_not(None)
        )
    ).first()
    if row is None:
        known = list(
            session.scalars(
                select(tables.Layer.id).where(tables.Layer.current_version_id.is_not(None))
            )
        )
        close = get_close_matches(layer_id, known, n=1)
        meant = f"did you mean '{close[0]}'? Otherwise " if close else ""
        raise UnknownName(
            f"layer '{layer_id}' was never loaded",
            where=layer_id,
            remedy=f"{meant}load it: geoplan pack load",
        )
    return int(row[0]), dict(row[1])


def _own_columns(table: Any) -> dict[str, str]:
    """Return shown name → column; regions show their code as key too."""
    own = {c.name: c.name for c in table.columns if c.name not in _HIDDEN}
    return {"key": "code", **own} if "code" in own else own


def _attribute_names(session: Session, place: VersionRows) -> list[str]:
    if "attrs" not in place.table.c:
        return []
    # Every row of one load has the same attributes, so one row tells them.
    statement = sql.SQL("select attrs from {} where {} limit 1").format(place.source, place.only())
    row = _fetch(session, statement)
    return list(row[0][0]) if row and isinstance(row[0][0], dict) else []


def _check_columns(columns: Sequence[str], known: Sequence[str], layer_id: str) -> None:
    for name in columns:
        if name != "geometry" and name not in known:
            close = get_close_matches(name, known, n=1)
            raise UnknownName(
                f"layer '{layer_id}' has no column '{name}'",
                where=layer_id,
                remedy=f"did you mean '{close[0]}'?"
                if close
                else f"known: {', '.join(sorted(set(known)))}",
            )


def _subset(names: Sequence[str]) -> sql.Composable:
    pairs = [
        sql.SQL("{}, attrs -> {}").format(sql.Literal(name), sql.Literal(name)) for name in names
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))


def _fetch(session: Session, statement: sql.Composable) -> list[Any]:
    with driver_of(session).cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _unpack(
    texts: Sequence[str], fields: dict[str, Any], names: Sequence[str] | None, *, taken: set[str]
) -> dict[str, Any]:
    rows = json.loads(f"[{','.join(texts)}]")  # one call is half the time of one for each row
    if names is None:
        found = {name for row in rows for name in row} if rows else set(fields)
        names = sorted(name for name in found if name not in taken and name != "geometry")
    out = {}
    for name in names:
        kind = (fields.get(name) or {}).get("type")
        out[name] = _typed([row.get(name) for row in rows], _KINDS.get(kind))
    return out


_KINDS: dict[str | None, type] = {"number": float, "integer": int, "boolean": bool, "string": str}


def _typed(values: Sequence[Any], kind: type | None) -> Any:
    """Return a column: numbers as float64 or int64, the rest as pandas sees it."""
    if kind in (float, int):
        numbers = pd.to_numeric(pd.Series(list(values), dtype=object)).astype("float64")
        if kind is int and not numbers.isna().any() and (numbers.abs() < 2**53).all():
            return numbers.astype("int64")
        return numbers
    known = any(value is not None for value in values)
    return pd.Series(list(values), dtype=None if known else object)
