"""Make vector tiles in PostGIS from indexed EPSG:4326 geometry; what is left out is declared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Dialect,
    Float,
    Integer,
    Numeric,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.orm import InstrumentedAttribute

from api.current import CurrentLayer
from api.database import Database
from api.limits import Limits
from api.tile_address import EXTENT, MARGIN, TileAddress
from api.tile_store import MadeTile
from geoplan.errors import UnknownName
from geoplan.store import tables

__all__ = [
    "TileQuery",
    "TileStatement",
    "TileStatements",
    "candidate_query",
    "layer_query",
    "make_tile",
    "region_query",
    "tile_statement",
]

_TABLES: dict[str, Any] = {
    "features": tables.Feature,
    "regions": tables.Region,
    "estates": tables.Estate,
    "phases": tables.Phase,
    "blocks": tables.Block,
    "plots": tables.Plot,
    "utility_nodes": tables.UtilityNode,
    "utility_lines": tables.UtilityLine,
}
_NOT_SHOWN = {"id", "version_id", "attrs", "geom", "source_geom", "source_srid"}
_SIMPLIFY_UNITS = 2.0  # a quarter of a pixel where a tile is drawn 512 pixels wide
_OWN = {"w", "s", "e", "n", "cw", "cs", "ce", "cn", "z", "x", "y", "tolerance", "most"}
_DIALECT: Dialect = PGDialect_psycopg2()  # type: ignore[no-untyped-call]
_CLIP_UNITS = 4 * MARGIN  # clip edges must lie beyond what ST_AsMVTGeom keeps


@dataclass(frozen=True)
class TileQuery:
    """What goes into a tile.

    Parameters
    ----------
    geom : column
        EPSG:4326 geometry with a GiST index.
    id : column
        Whole number that becomes the feature's id.
    properties : dict
        Property name → column; a NULL is left out of the feature.
    where : sequence
        Conditions besides the tile's box.
    join : tuple, optional
        Table and condition of an outer join.
    points : bool
        Geometry is points: neither clipped nor simplified.
    first : sequence
        Order of importance, used when not everything fits.
    """

    geom: InstrumentedAttribute[Any]
    id: ColumnElement[Any] | InstrumentedAttribute[Any]
    properties: dict[str, Any]
    where: Sequence[ColumnElement[bool]]
    join: tuple[Any, ColumnElement[bool]] | None = None
    points: bool = False
    first: Sequence[ColumnElement[Any]] = field(default=())


def layer_query(layer: CurrentLayer) -> TileQuery:
    """Return the query of a layer: its table's own columns, then its catalogue fields."""
    table = _TABLES.get(layer.table)
    if table is None or layer.kind != "vector":
        raise UnknownName(
            f"layer '{layer.id}' is a {layer.kind} and has no vector tiles",
            where="layer",
            remedy="/api/layers has a tile address for each layer that has tiles",
        )
    columns = table.__table__.c
    properties: dict[str, Any] = {}
    for column in columns:
        if column.name not in _NOT_SHOWN:
            text = isinstance(column.type, Date)
            properties[column.name] = cast(column, Text) if text else column
    if "basis" in columns:
        properties["assumed"] = columns["basis"] == "assumed"
    fields = layer.spec.get("fields")
    for name, spec in (fields if isinstance(fields, dict) else {}).items():
        kind = spec.get("type") if isinstance(spec, dict) else None
        properties.setdefault(_name(name), _attribute(table.attrs, name, kind))
    ranked = [columns[c].desc().nulls_last() for c in ("headroom", "capacity") if c in columns]
    return TileQuery(
        geom=table.geom,
        id=columns["id"],
        properties=properties,
        where=[columns["version_id"] == layer.version.id],
        points=layer.spec.get("geometry") == "point" or layer.table == "utility_nodes",
        first=ranked,
    )


def region_query(layers: Sequence[CurrentLayer], level: int, run_id: str | None) -> TileQuery:
    """Return the query of the regions of one level, with the index of a run."""
    region, seen = tables.Region, tables.RunRegion
    return TileQuery(
        geom=region.geom,
        id=region.id,
        properties={
            "code": region.code,
            "level": region.level,
            "parent_code": region.parent_code,
            "name_en": region.name_en,
            "name_local": region.name_local,
            "industrialisation": seen.industrialisation,
            "coverage": seen.coverage,
            "less_industrialised": seen.less_industrialised,
            "rank": seen.rank,
        },
        where=[
            region.version_id == any_(cast([x.version.id for x in layers], ARRAY(BigInteger))),
            region.level == level,
        ],
        join=(
            seen,
            and_(seen.run_id == run_id, seen.code == region.code, seen.level == region.level),
        ),
    )


def candidate_query(run_id: str) -> TileQuery:
    """Return the query of a run's candidates, best first."""
    site = tables.Candidate
    return TileQuery(
        geom=site.geom,
        id=site.rank,
        properties={
            "site_id": site.site_id,
            "rank": site.rank,
            "score": site.score,
            "area_ha": site.area_ha,
            "in_portfolio": site.in_portfolio,
            "served_alone": site.served_alone,
        },
        where=[site.run_id == run_id],
        first=[site.in_portfolio.desc(), site.rank.asc()],
    )


def _name(name: str) -> str:
    # PostgreSQL cuts identifiers at 63 bytes; cut here, at a whole letter.
    return name.encode()[:63].decode(errors="ignore")


def _attribute(attrs: Any, name: str, kind: str | None) -> ColumnElement[Any]:
    """Return one member of ``attrs`` with the type that the catalogue gives it.

    A value of another type gives no property: one odd row must not fail its whole tile.
    """
    value = attrs[name]
    text: ColumnElement[Any] = value.astext
    if kind in ("integer", "number"):
        number = cast(text, Numeric)
        whole: Any = cast(number, BigInteger) if kind == "integer" else cast(number, Float(53))
        return case((func.jsonb_typeof(value) == "number", whole))
    if kind == "boolean":
        return case((func.jsonb_typeof(value) == "boolean", cast(text, Boolean)))
    return text


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
    body = (
        select(func.ST_AsMVT(literal_column("drawn"), "layer", EXTENT, "geom", "fid"))
        .select_from(drawn)
        .where(literal_column("drawn.geom IS NOT NULL"))
    )
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
    database: Database, statement: TileStatement, tile: TileAddress, limits: Limits
) -> MadeTile:
    """Return a tile; where features are left out, a layer ``meta`` says how many.

    Parameters
    ----------
    database : Database
        Where the features lie.
    statement : TileStatement
        From :func:`tile_statement`.
    tile : TileAddress
        Which tile.
    limits : Limits
        Most features, and how long the database may take.
    """
    seconds = limits.tile_seconds
    row = database.one(statement.sql, statement.values(tile, limits.tile_features), seconds=seconds)
    body = bytes(row.body) if row.body is not None else b""
    shown, matched = int(row.shown), int(row.matched or 0)
    if matched > shown:
        # A tile is a list of layers, so the bytes of two tiles are one tile.
        meta = database.one(_META, {"shown": shown, "matched": matched}, seconds=seconds)
        body += bytes(meta.body)
    return MadeTile.make(body, shown=shown, matched=matched)


# One point in the middle of the tile carries the counts.
_META = f"""
SELECT ST_AsMVT(meta, 'meta', {EXTENT}, 'geom') AS body
FROM (
    SELECT ST_MakePoint({EXTENT // 2}, {EXTENT // 2}) AS geom, true AS truncated,
           %(shown)s::bigint AS shown, %(matched)s::bigint AS matched
) AS meta
"""  # noqa: S608  (whole numbers of this file, nothing from outside)
