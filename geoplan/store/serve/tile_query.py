"""What goes into the tiles of a layer, of regions, of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Float,
    FromClause,
    Numeric,
    Table,
    Text,
    and_,
    any_,
    case,
    cast,
    column,
    func,
    quoted_name,
)
from sqlalchemy import table as table_named
from sqlalchemy.orm import InstrumentedAttribute

from geoplan.errors import UnknownName
from geoplan.store import tables
from geoplan.store.serve.current import CurrentLayer

__all__ = ["TileQuery", "candidate_query", "has_tiles", "layer_query", "region_query"]

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
_NOT_SHOWN = {"id", "version_id", "attrs", "geom", "source_geom", "source_srid", "search"}


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
    only : table, optional
        A table that is read without the tables that inherit from it.
    points : bool
        Geometry is points: neither clipped nor simplified.
    first : sequence
        Order of importance, used when not everything fits.
    """

    geom: ColumnElement[Any] | InstrumentedAttribute[Any]
    id: ColumnElement[Any] | InstrumentedAttribute[Any]
    properties: dict[str, Any]
    where: Sequence[ColumnElement[bool]]
    join: tuple[Any, ColumnElement[bool]] | None = None
    only: FromClause | None = None
    points: bool = False
    first: Sequence[ColumnElement[Any]] = field(default=())


def has_tiles(layer: CurrentLayer) -> bool:
    """Return whether a layer can be drawn as vector tiles."""
    return layer.kind == "vector" and layer.table in _TABLES


def layer_query(layer: CurrentLayer) -> TileQuery:
    """Return the query of a layer: its table's own columns, then its catalogue fields."""
    table = _TABLES.get(layer.table)
    if table is None or not has_tiles(layer):
        raise UnknownName(
            f"layer '{layer.id}' is a {layer.kind} and has no vector tiles",
            where="layer",
            remedy="ask for a layer of kind vector; each of those lists a tile address",
        )
    source = _rows(layer, table.__table__)
    columns = source.c
    properties: dict[str, Any] = {}
    for own in columns:
        if own.name not in _NOT_SHOWN:
            text = isinstance(own.type, Date)
            properties[own.name] = cast(own, Text) if text else own
    if "basis" in columns:
        properties["assumed"] = columns["basis"] == "assumed"
    fields = layer.spec.get("fields")
    for name, spec in (fields if isinstance(fields, dict) else {}).items():
        kind = spec.get("type") if isinstance(spec, dict) else None
        properties.setdefault(_name(name), _attribute(columns.attrs, name, kind))
    ranked = [columns[c].desc().nulls_last() for c in ("headroom", "capacity") if c in columns]
    return TileQuery(
        geom=columns["geom"],
        id=columns["id"],
        properties=properties,
        where=[columns["version_id"] == layer.version.id] if source is table.__table__ else [],
        only=source if source is table.__table__ else None,
        points=layer.spec.get("geometry") == "point" or layer.table == "utility_nodes",
        first=ranked,
    )


def _rows(layer: CurrentLayer, shared: Table) -> FromClause:
    """Return the table in which a layer's version lies: its own, else the shared one."""
    relation = layer.version.relation
    if relation is None:
        return shared
    parts = [column(c.name, c.type) for c in shared.columns]
    return table_named(quoted_name(relation, quote=True), *parts)


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
