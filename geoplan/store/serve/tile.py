"""Make vector tiles in PostGIS from indexed EPSG:4326 geometry; what is left out is declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Float,
    Integer,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from geoplan.store.serve.address import EXTENT, MARGIN, TileAddress
from geoplan.store.serve.database import Database
from geoplan.store.serve.tile_query import TileQuery

__all__ = ["TileBody", "TileStatement", "TileStatements", "make_tile", "tile_statement"]

_SIMPLIFY_UNITS = 2.0  # a quarter of a pixel where a tile is drawn 512 pixels wide
_OWN = {"w", "s", "e", "n", "cw", "cs", "ce", "cn", "z", "x", "y", "tolerance", "most"}
_DIALECT: Dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
_CLIP_UNITS = 4 * MARGIN  # clip edges must lie beyond what ST_AsMVTGeom keeps


@dataclass(frozen=True, slots=True)
class TileBody:
    """A Mapbox vector tile, empty where nothing lies; how many features there are and it shows."""

    body: bytes
    shown: int
    matched: int


@dataclass(frozen=True, slots=True)
class TileStatement:
    """A tile query as text, written once per layer version: building it costs more than a tile."""

    sql: str
    fixed: dict[str, Any]

    def values(self, tile: TileAddress, most: int) -> dict[str, Any]:
        """Return the bound values for one tile and at most ``most`` features."""
        return {
            **self.fixed,
            **dict(zip(("w", "s", "e", "n"), tile.box(MARGIN), strict=True)),
            **dict(zip(("cw", "cs", "ce", "cn"), tile.box(_CLIP_UNITS), strict=True)),
            "z": tile.z,
            "x": tile.x,
            "y": tile.y,
            "tolerance": _SIMPLIFY_UNITS * tile.unit_degrees,
            "most": most,
        }


def tile_statement(query: TileQuery) -> TileStatement:
    """Return the SQL of ``query``: one row with ``body``, ``shown`` and ``matched``.

    When more features lie in a tile than it may hold, the first by ``query.first`` and then by
    extent are kept.
    """
    # The box is in the geometry's own CRS, so that the GiST index serves the condition.
    box = func.ST_MakeEnvelope(*_binds("w", "s", "e", "n"), 4326)
    geom = query.geom
    width = func.ST_XMax(geom) - func.ST_XMin(geom)
    height = func.ST_YMax(geom) - func.ST_YMin(geom)
    order: list[ColumnElement[Any]] = list(query.first)
    if not query.points:
        order.append((width + height).desc())
    source = select(
        query.id.label("fid"),
        *(column.label(f"p{n}") for n, column in enumerate(query.properties.values())),
        literal_column("count(*) OVER ()").label("matched"),
        geom.label("geom"),
    ).where(*query.where, geom.op("&&")(box))
    if query.join is not None:
        source = source.outerjoin(*query.join)
    if query.only is not None:
        source = source.with_hint(query.only, "ONLY", "postgresql")
    hit = source.order_by(*order, query.id).limit(bindparam("most", type_=Integer)).cte("hit")

    shape: Any = hit.c.geom
    if not query.points:
        # Clip before projecting: less to transform, and no pole reaches the projection.
        clip = func.ST_MakeEnvelope(*_binds("cw", "cs", "ce", "cn"), 4326)
        shape = func.ST_ClipByBox2D(shape, clip)
        shape = func.ST_Simplify(shape, *_binds("tolerance"), True)
    shape = func.ST_AsMVTGeom(
        func.ST_Transform(shape, 3857),
        func.ST_TileEnvelope(*(bindparam(n, type_=Integer) for n in ("z", "x", "y"))),
        EXTENT,
        MARGIN,
        True,
    )
    drawn = select(
        hit.c.fid,
        *(hit.c[f"p{n}"].label(name) for n, name in enumerate(query.properties)),
        shape.label("geom"),
    ).cte("drawn")
    # ST_AsMVT leaves out rows without a shape; to ask for them here would shape each row twice.
    body = select(
        func.ST_AsMVT(literal_column("drawn"), "layer", EXTENT, "geom", "fid")
    ).select_from(drawn)
    compiled = select(
        body.scalar_subquery().label("body"),
        select(func.count()).select_from(hit).scalar_subquery().label("shown"),
        select(func.max(hit.c.matched)).scalar_subquery().label("matched"),
    ).compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return TileStatement(str(compiled), {k: v for k, v in compiled.params.items() if k not in _OWN})


class TileStatements:
    """The statements of the last ``room`` layer versions."""

    def __init__(self, room: int = 256) -> None:
        self._room = room
        self._held: dict[tuple[object, ...], TileStatement] = {}

    def get(self, key: tuple[object, ...], query: Callable[[], TileQuery]) -> TileStatement:
        """Return the statement of ``key``; write it from ``query`` where it is not held."""
        statement = self._held.get(key)
        if statement is None:
            statement = tile_statement(query())
            if len(self._held) >= self._room:
                self._held = {}  # rare, and each is written again in milliseconds
            self._held[key] = statement
        return statement


def _binds(*names: str) -> list[Any]:
    return [bindparam(name, type_=Float(53)) for name in names]


def make_tile(
    database: Database, statement: TileStatement, tile: TileAddress, *, most: int, seconds: float
) -> TileBody:
    """Return a tile; where features are left out, a layer ``meta`` says how many.

    Parameters
    ----------
    database : Database
        Where the features lie.
    statement : TileStatement
        From :func:`tile_statement`.
    tile : TileAddress
        Which tile.
    most : int
        Most features in it.
    seconds : float
        Time the database may take.
    """
    row = database.one(statement.sql, statement.values(tile, most), seconds=seconds)
    body = bytes(row.body) if row.body is not None else b""
    shown, matched = int(row.shown), int(row.matched or 0)
    if matched > shown:
        # A tile is a list of layers, so the bytes of two tiles are one tile.
        meta = database.one(_META, {"shown": shown, "matched": matched}, seconds=seconds)
        body += bytes(meta.body)
    return TileBody(body, shown, matched)


# One point in the middle of the tile carries the counts.
_META = f"""
SELECT ST_AsMVT(meta, 'meta', {EXTENT}, 'geom') AS body
FROM (
    SELECT ST_MakePoint({EXTENT // 2}, {EXTENT // 2}) AS geom, true AS truncated,
           %(shown)s::bigint AS shown, %(matched)s::bigint AS matched
) AS meta
"""  # noqa: S608  (whole numbers of this file, nothing from outside)
