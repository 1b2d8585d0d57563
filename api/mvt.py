"""Make vector tiles in PostGIS from indexed EPSG:4326 geometry; what is left out is declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Float,
    Numeric,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from api.current import CurrentLayer
from api.tile_address import EXTENT, MARGIN, TileAddress
from api.tile_store import MadeTile
from geoplan.errors import UnknownName
from geoplan.store import tables

__all__ = ["TileQuery", "candidate_query", "layer_query", "make_tile", "region_query"]

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
        where=[region.version_id.in_([x.version.id for x in layers]), region.level == level],
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


def make_tile(
    connection: Connection, query: TileQuery, tile: TileAddress, *, most: int
) -> MadeTile:
    """Return the tile of ``query``.

    Parameters
    ----------
    connection : Connection
        A read-only transaction.
    query : TileQuery
        What goes in.
    tile : TileAddress
        Where.
    most : int
        Most features. When more lie there, the first by ``query.first``, then by extent, are
        kept, and a layer ``meta`` with one point says ``truncated``, ``shown`` and ``matched``.
    """
    # The box is in the geometry's own CRS, so that the GiST index serves the condition.
    box = func.ST_MakeEnvelope(*tile.box(MARGIN), 4326)
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
    hit = source.order_by(*order, query.id).limit(most).cte("hit")

    shape: Any = hit.c.geom
    if not query.points:
        # Clip before projecting: less to transform, and no pole reaches the projection.
        shape = func.ST_ClipByBox2D(shape, func.ST_MakeEnvelope(*tile.box(_CLIP_UNITS), 4326))
        shape = func.ST_Simplify(shape, _SIMPLIFY_UNITS * tile.unit_degrees, True)
    shape = func.ST_AsMVTGeom(
        func.ST_Transform(shape, 3857),
        func.ST_TileEnvelope(tile.z, tile.x, tile.y),
        EXTENT,
        MARGIN,
        True,
    )
    drawn = select(
        hit.c.fid,
        *(hit.c[f"p{n}"].label(name) for n, name in enumerate(query.properties)),
        shape.label("geom"),
    ).cte("drawn")
    row = connection.execute(
        select(
            select(
                func.ST_AsMVT(literal_column("drawn"), "layer", EXTENT, "geom", "fid"),
            )
            .select_from(drawn)
            .where(literal_column("drawn.geom IS NOT NULL"))
            .scalar_subquery()
            .label("body"),
            select(func.count()).select_from(hit).scalar_subquery().label("shown"),
            select(func.max(hit.c.matched)).scalar_subquery().label("matched"),
        )
    ).one()
    body = bytes(row.body) if row.body is not None else b""
    shown, matched = int(row.shown), int(row.matched or 0)
    if matched > shown:
        # A tile is a list of layers, so the bytes of two tiles are one tile.
        body += _meta(connection, shown, matched)
    return MadeTile.make(body, shown=shown, matched=matched)


def _meta(connection: Connection, shown: int, matched: int) -> bytes:
    row = select(
        func.ST_MakePoint(EXTENT / 2, EXTENT / 2).label("geom"),
        literal_column("true").label("truncated"),
        cast(shown, BigInteger).label("shown"),
        cast(matched, BigInteger).label("matched"),
    ).cte("meta")
    query = select(func.ST_AsMVT(literal_column("meta"), "meta", EXTENT, "geom")).select_from(row)
    return bytes(connection.execute(query).scalar_one())
