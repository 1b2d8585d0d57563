"""What differs between two versions of a layer, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from psycopg2 import sql
from sqlalchemy.orm import Session

from geoplan.errors import InputError
from geoplan.store import tables
from geoplan.store.merge import key_column
from geoplan.store.rows import VersionRows, driver_of, version_rows

__all__ = ["TOLERANCE_M2", "Diff", "DiffRow", "NotComparable", "diff", "diff_rows"]

TOLERANCE_M2 = 0.01
"""Two outlines that differ by no more than this area are one outline, m²."""

_HIDDEN = {"id", "version_id", "attrs", "geom", "source_geom", "source_srid", "search"}


class NotComparable(InputError):
    """Rows of two versions cannot be told apart or matched."""


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A row that is not the same in both versions.

    Parameters
    ----------
    what : {"added", "removed", "kept"}
        In the second version only, in the first only, or in both and different.
    key : str
        What names the row.
    before, after : bytes or None
        Outlines as WKB, EPSG:4326. Of a kept row only where they differ.
    area_before_m2, area_after_m2, moved_m2 : float or None, m²
        Geodesic areas of the two, and of what lies in one of them only; None where there is no
        polygon.
    fields : tuple of (str, value, value)
        Attributes that differ: name, old, new. A missing one is ``None``.
    """

    what: Literal["added", "removed", "kept"]
    key: str
    before: bytes | None
    after: bytes | None
    area_before_m2: float | None
    area_after_m2: float | None
    moved_m2: float | None
    fields: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True)
class Diff:
    """Two versions compared.

    Parameters
    ----------
    layer_id : str
    a, b : int
        Numbers of the two versions.
    rows_a, rows_b : int
        Rows of each.
    added_count, removed_count, reshaped_count, changed_count, unchanged_count : int
        Exact, whatever the tables below leave out. A row may be both reshaped and changed.
    added, removed : GeoDataFrame, EPSG:4326
        ``key``, ``area_m2``, ``geometry``.
    reshaped : GeoDataFrame, EPSG:4326
        ``key``, ``area_before_m2``, ``area_after_m2``, ``moved_m2``, ``geometry_before``,
        ``geometry`` (after).
    changed : DataFrame
        ``key``, ``field``, ``old``, ``new``; one row for each attribute.
    """

    layer_id: str
    a: int
    b: int
    rows_a: int
    rows_b: int
    added_count: int
    removed_count: int
    reshaped_count: int
    changed_count: int
    unchanged_count: int
    added: gpd.GeoDataFrame
    removed: gpd.GeoDataFrame
    reshaped: gpd.GeoDataFrame
    changed: pd.DataFrame

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (
            self.added_count or self.removed_count or self.reshaped_count or self.changed_count
        )


def diff(
    session: Session,
    layer_id: str,
    a: int,
    b: int,
    *,
    tolerance_m2: float = TOLERANCE_M2,
    most: int | None = None,
) -> Diff:
    """Compare two versions of a layer by key.

    Parameters
    ----------
    a, b : int
        Numbers of the versions: before and after.
    tolerance_m2 : float, m²
        As for :func:`diff_rows`.
    most : int, optional
        Most rows in each table of the answer; counts stay exact.

    Raises
    ------
    UnknownName
        There is no such layer or version.
    NotComparable
        The rows have no key, keys that stand twice, or lie in tables that do not compare.
    """
    room = float("inf") if most is None else most
    added: list[DiffRow] = []
    removed: list[DiffRow] = []
    reshaped: list[DiffRow] = []
    changed: list[tuple[str, str, Any, Any]] = []
    counts = {"added": 0, "removed": 0, "kept": 0, "reshaped": 0, "changed": 0}
    for row in diff_rows(session, layer_id, a, b, tolerance_m2=tolerance_m2):
        counts[row.what] += 1
        if row.what != "kept":
            kept = added if row.what == "added" else removed
            if len(kept) < room:
                kept.append(row)
            continue
        if row.before is not None or row.after is not None:
            counts["reshaped"] += 1
            if len(reshaped) < room:
                reshaped.append(row)
        if row.fields:
            counts["changed"] += 1
            changed += [(row.key, *field) for field in row.fields if len(changed) < room]
    rows_a, rows_b = (_rows(session, layer_id, number) for number in (a, b))
    return Diff(
        layer_id=layer_id, a=a, b=b, rows_a=rows_a, rows_b=rows_b,
        added_count=counts["added"], removed_count=counts["removed"],
        reshaped_count=counts["reshaped"], changed_count=counts["changed"],
        unchanged_count=rows_b - counts["added"] - counts["kept"],
        added=_one_sided(added, "after"), removed=_one_sided(removed, "before"),
        reshaped=_reshaped(reshaped),
        changed=pd.DataFrame(changed, columns=["key", "field", "old", "new"], dtype=object),
    )  # fmt: skip


def diff_rows(
    session: Session,
    layer_id: str,
    a: int,
    b: int,
    *,
    tolerance_m2: float = TOLERANCE_M2,
    attributes: bool = True,
    areas: bool = True,
) -> Iterator[DiffRow]:
    """Give the rows that differ, in the order of their keys, as the database finds them.

    Outlines that are equal to the last bit are not looked at further. Area is geodesic; what was
    moved is the area of the symmetric difference. A polygon that is not valid is measured as
    ``ST_MakeValid`` mends it.

    Parameters
    ----------
    a, b : int
        Numbers of the versions: before and after.
    tolerance_m2 : float, m²
        Outlines that differ by no more are the same, for example with another first vertex.
    attributes : bool
        Compare attributes too.
    areas : bool
        Measure; without it every area is None, and no outline is left out by the tolerance.

    Raises
    ------
    UnknownName, NotComparable
        As :func:`diff`, before the first row.
    """
    before, after = (version_rows(session, layer_id, number) for number in (a, b))
    if before.table is not after.table:
        raise NotComparable(
            f"version {a} lies in table '{before.table.name}', version {b} in '{after.table.name}'",
            where=layer_id,
        )
    for rows in (before, after):
        _refuse_double_keys(session, rows)
    return _stream(session, _statement(before, after, attributes, areas), tolerance_m2, attributes)


def _stream(
    session: Session, statement: sql.Composable, tolerance_m2: float, attributes: bool
) -> Iterator[DiffRow]:
    connection = driver_of(session)
    with connection.cursor() as cursor:
        # The sides of the join are hashed with their outlines; the default would go to disk.
        cursor.execute("set local work_mem = '64MB'")
    with connection.cursor(name="geoplan_diff") as cursor:
        cursor.itersize = 2_000
        cursor.execute(statement)
        for key, what, before, after, area_a, area_b, moved, old, new in cursor:
            fields = _fields(old or {}, new or {}) if attributes and what == "kept" else ()
            same = moved is not None and moved <= tolerance_m2
            if what == "kept" and same:
                before = after = None
            if what == "kept" and before is None and after is None and not fields:
                continue
            yield DiffRow(
                what, key, _bytes(before), _bytes(after),
                None if what == "kept" and same else area_a,
                None if what == "kept" and same else area_b,
                None if same else moved, fields,
            )  # fmt: skip


def _statement(
    before: VersionRows, after: VersionRows, attributes: bool, areas: bool
) -> sql.Composable:
    columns = before.table.columns
    own = [c.name for c in columns if c.name not in _HIDDEN and c.name != before.key]
    shape = sql.SQL("geom" if "geom" in before.table.c else "null::geometry as geom")
    parts = [sql.Identifier(name) for name in own] + (
        [sql.Identifier("attrs")] if "attrs" in before.table.c else []
    )
    names = [sql.SQL("{} as k").format(sql.Identifier(before.key)), shape, *parts]
    sides = [
        sql.SQL("(select {} from {} where {})").format(
            sql.SQL(", ").join(names), rows.source, rows.only()
        )
        for rows in (before, after)
    ]
    differ = sql.SQL(" or ").join(
        sql.SQL("a.{0} is distinct from b.{0}").format(part)
        for part in [sql.Identifier("geom"), *(parts if attributes else [])]
    )
    return sql.SQL(
        "select coalesce(a.k, b.k), "
        "case when a.k is null then 'added' when b.k is null then 'removed' else 'kept' end, "
        "case when m.moved then st_asbinary(a.geom) end, "
        "case when m.moved then st_asbinary(b.geom) end, "
        "st_area(p.a::geography), st_area(p.b::geography), "
        "case when p.a is not null and p.b is not null "
        "then st_area(st_symdifference(p.a, p.b)::geography) end, "
        "case when a.k is not null and b.k is not null then {old} end, "
        "case when a.k is not null and b.k is not null then {new} end "
        "from {a} a full join {b} b on a.k = b.k "
        "cross join lateral (select a.geom is distinct from b.geom as moved offset 0) m "
        "cross join lateral (select {pa} as a, {pb} as b offset 0) p "
        "where a.k is null or b.k is null or {differ} "
        'order by coalesce(a.k, b.k) collate "C"'
    ).format(
        a=sides[0], b=sides[1], differ=differ, pa=_polygon("a", areas), pb=_polygon("b", areas),
        old=_document("a", own, before, attributes), new=_document("b", own, before, attributes),
    )  # fmt: skip


def _polygon(side: str, areas: bool) -> sql.Composable:
    if not areas:
        return sql.SQL("null::geometry")
    return sql.SQL(
        "case when m.moved and st_dimension({0}.geom) = 2 then st_collectionextract("
        "case when st_isvalid({0}.geom) then {0}.geom else st_makevalid({0}.geom) end, 3) end"
    ).format(sql.Identifier(side))


def _document(side: str, own: list[str], rows: VersionRows, attributes: bool) -> sql.Composable:
    if not attributes:
        return sql.SQL("null::jsonb")
    attrs = sql.SQL("{}.attrs || " if "attrs" in rows.table.c else "").format(sql.Identifier(side))
    pairs = sql.SQL(", ").join(
        sql.SQL("{}::text, {}.{}").format(
            sql.Literal(name), sql.Identifier(side), sql.Identifier(name)
        )
        for name in own
    )
    return sql.SQL("{}jsonb_build_object({})").format(attrs, pairs)


def _fields(old: dict[str, Any], new: dict[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    return tuple(
        (name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name) or isinstance(old.get(name), bool) !=
        isinstance(new.get(name), bool)
    )  # fmt: skip


def _refuse_double_keys(session: Session, rows: VersionRows) -> None:
    if key_column(rows.table) is not None:
        return  # the database keeps them apart
    with driver_of(session).cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "select {key}, count(*) from {rows} where {only} group by {key} "
                "having count(*) > 1 limit 1"
            ).format(key=sql.Identifier(rows.key), rows=rows.source, only=rows.only())
        )
        found = cursor.fetchone()
    if found is not None:
        raise NotComparable(
            f"{found[1]} rows of version {rows.number} have the key '{found[0]}'; rows without a "
            "key of their own cannot be compared",
            where=f"layer '{rows.layer_id}'",
            remedy="name a field whose values differ as 'key', and load it again",
        )


def _rows(session: Session, layer_id: str, number: int) -> int:
    place = version_rows(session, layer_id, number)
    return int(session.get_one(tables.LayerVersion, place.version_id).rows_stored)


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)


def _shapes(wkb: list[bytes | None]) -> Any:
    return shapely.from_wkb(np.array(wkb, dtype=object)) if wkb else np.array([], dtype=object)


def _one_sided(rows: list[DiffRow], side: Literal["before", "after"]) -> gpd.GeoDataFrame:
    area = [getattr(row, f"area_{side}_m2") for row in rows]
    return gpd.GeoDataFrame(
        {"key": pd.Series([row.key for row in rows], dtype=object),
         "area_m2": pd.Series(area, dtype="float64")},
        geometry=gpd.GeoSeries(_shapes([getattr(row, side) for row in rows]), crs=tables.SRID),
        crs=tables.SRID,
    )  # fmt: skip


def _reshaped(rows: list[DiffRow]) -> gpd.GeoDataFrame:
    numbers = {
        name: pd.Series([getattr(row, name) for row in rows], dtype="float64")
        for name in ("area_before_m2", "area_after_m2", "moved_m2")
    }
    frame = gpd.GeoDataFrame(
        {"key": pd.Series([row.key for row in rows], dtype=object), **numbers},
        geometry=gpd.GeoSeries(_shapes([row.after for row in rows]), crs=tables.SRID),
        crs=tables.SRID,
    )
    old = gpd.GeoSeries(_shapes([row.before for row in rows]), crs=tables.SRID)
    frame.insert(len(frame.columns) - 1, "geometry_before", old)
    return frame
