"""Which old plots became which new ones: split, merged, redivided, renumbered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import shapely
from sqlalchemy import delete, insert, text
from sqlalchemy.orm import Session

from geoplan.cadastre.reproject import ellipsoidal_areas
from geoplan.cadastre.wkb import parse
from geoplan.errors import InputError
from geoplan.store import tables
from geoplan.store.diff import DiffRow, NotComparable, diff_rows

__all__ = [
    "ACCOUNTED",
    "MOST",
    "SHARED",
    "Descent",
    "Ground",
    "Lineage",
    "Link",
    "descents",
    "lineage",
    "lineage_of",
    "record_lineage",
]

SHARED = 0.05
"""Two plots share ground when what they share is at least this part of the smaller one; less is
the sliver that a new survey leaves between neighbours."""

ACCOUNTED = 0.95
"""Old plots became new ones when the ground that they share is at least this part of the old area
and of the new area."""

MOST = 100_000
"""Rows that came, went or moved of which lineage is traced; a layer with more of them is another
survey, and tracing it would take memory that grows with the file."""

_AT_ONCE = 5_000  # kept rows looked at together

Kind = Literal["split", "merge", "redivision", "renumbering"]


@dataclass(frozen=True, slots=True)
class Ground:
    """A plot of one version.

    Parameters
    ----------
    key : str
    wkb : bytes
        Outline, EPSG:4326.
    area_m2 : float, m²
        Geodesic.
    """

    key: str
    wkb: bytes
    area_m2: float


@dataclass(frozen=True, slots=True)
class Descent:
    """Old plots that became new ones.

    Parameters
    ----------
    kind : {"split", "merge", "redivision", "renumbering"}
        One to many, many to one, many to many; one to one under another key.
    old, new : tuple of Ground
        In the order of their keys.
    shared : tuple of (str, str, float)
        Old key, new key, and the ground that both cover, m².
    """

    kind: Kind
    old: tuple[Ground, ...]
    new: tuple[Ground, ...]
    shared: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A step from an old plot to a new one, ``generation`` steps from the plot asked for."""

    generation: int
    from_number: int
    to_number: int
    kind: Kind
    old_key: str
    new_key: str
    old_m2: float
    new_m2: float
    shared_m2: float


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a plot came from and what became of it, nearest first."""

    key: str
    ancestors: tuple[Link, ...]
    descendants: tuple[Link, ...]


def descents(old: Sequence[Ground], new: Sequence[Ground]) -> list[Descent]:
    """Find which old plots became which new ones, by the ground that they share.

    Plots that share :data:`SHARED` of the smaller one belong together; a group is a descent when
    :data:`ACCOUNTED` of its old and of its new area is shared. A plot that kept its key and its
    ground is none.

    Parameters
    ----------
    old, new : sequence of Ground
        Plots of the version before and after that are not the same in both.

    Returns
    -------
    list of Descent
        In the order of the first old key.
    """
    if not old or not new:
        return []
    before, after = (
        _valid(shapely.from_wkb(np.array([g.wkb for g in side], dtype=object)))
        for side in (old, new)
    )
    i, j = shapely.STRtree(after).query(before, predicate="intersects")
    # Ground is compared in degrees, in which a plot is stretched the same on both sides.
    flat_old, flat_new = shapely.area(before), shapely.area(after)
    common = shapely.area(shapely.intersection(before[i], after[j]))
    near = (common > 0) & (common >= SHARED * np.minimum(flat_old[i], flat_new[j]))
    pairs: dict[int, list[tuple[int, int, float]]] = {}
    group = _groups(len(old), len(new), i[near], j[near])
    for a, b, part in zip(i[near].tolist(), j[near].tolist(), common[near].tolist(), strict=True):
        shared = part / flat_old[a] * old[a].area_m2
        pairs.setdefault(group[a], []).append((a, b, float(shared)))
    found = [_descent(members, old, new) for members in pairs.values()]
    return sorted((d for d in found if d is not None), key=lambda d: d.old[0].key)


def lineage(session: Session, layer_id: str, a: int, b: int) -> list[Descent]:
    """Find which plots of version ``a`` became which of the later version ``b``.

    Raises
    ------
    UnknownName
        There is no such layer or version.
    NotComparable
        The rows cannot be matched by key, or more than :data:`MOST` of them changed.
    InputError
        ``b`` is not later than ``a``.
    """
    if not a < b:
        raise InputError(
            f"version {b} is not later than version {a}",
            where=layer_id,
            remedy="name the older version first",
        )
    old: list[tuple[str, bytes]] = []
    new: list[tuple[str, bytes]] = []
    waiting: list[DiffRow] = []
    for row in diff_rows(session, layer_id, a, b, attributes=False, areas=False):
        if row.before is not None and row.after is not None:
            waiting.append(row)
            if len(waiting) < _AT_ONCE:
                continue
            moved, waiting = _moved(waiting), []
        else:
            moved = [row]
        old += [(r.key, r.before) for r in moved if r.before is not None]
        new += [(r.key, r.after) for r in moved if r.after is not None]
        if len(old) + len(new) > MOST:
            raise NotComparable(
                f"more than {MOST:,} rows came, went or moved; their lineage is not traced",
                where=layer_id,
            )
    for row in _moved(waiting):
        old.append((row.key, row.before or b""))
        new.append((row.key, row.after or b""))
    return descents(_measured(old), _measured(new))


def record_lineage(session: Session, layer_id: str, a: int, b: int) -> list[Descent] | None:
    """Find the lineage between two versions and keep it; found again, it replaces what was kept.

    Returns
    -------
    list of Descent, or None
        ``None`` where the rows cannot be compared (keys that stand twice, another table) or where
        more than :data:`MOST` of them changed: they have no lineage.

    Raises
    ------
    UnknownName
        There is no such layer or version.
    InputError
        ``b`` is not later than ``a``.
    """
    traced: list[Descent] | None
    try:
        found = traced = lineage(session, layer_id, a, b)
    except NotComparable:
        traced = None
        found = []
    kept: Any = tables.PlotLineage
    session.execute(
        delete(kept).where(kept.layer_id == layer_id, kept.from_number == a, kept.to_number == b)
    )
    rows = []
    for part, descent in enumerate(found, start=1):
        areas_old = {g.key: g.area_m2 for g in descent.old}
        areas_new = {g.key: g.area_m2 for g in descent.new}
        rows += [
            {
                "layer_id": layer_id, "from_number": a, "to_number": b, "part": part,
                "kind": descent.kind, "old_key": one, "new_key": other,
                "old_m2": areas_old[one], "new_m2": areas_new[other], "shared_m2": shared,
            }
            for one, other, shared in descent.shared
        ]  # fmt: skip
    if rows:
        session.execute(insert(kept), rows)
    return traced


def lineage_of(session: Session, layer_id: str, key: str) -> Lineage:
    """Return where a plot came from and what became of it, through all versions.

    Parameters
    ----------
    key : str
        Of the plot in any version; one that was never split or merged has an empty lineage.
    """
    values = {"layer": layer_id, "key": key}
    return Lineage(
        key,
        tuple(Link(*row) for row in session.execute(_UP, values)),
        tuple(Link(*row) for row in session.execute(_DOWN, values)),
    )


# Numbers of versions only grow along a walk, so that it ends.
_COLUMNS = (
    "l.from_number, l.to_number, l.kind, l.old_key, l.new_key, l.old_m2, l.new_m2, l.shared_m2"
)
_WALK = (
    "with recursive walk as ("
    "select 1 as generation, {columns} from plot_lineage l "
    "where l.layer_id = :layer and l.{here} = :key "
    "union select w.generation + 1, {columns} from walk w join plot_lineage l "
    "on l.layer_id = :layer and l.{here} = w.{there} and {order}) "
    "select * from walk order by generation, from_number, to_number, "
    'old_key collate "C", new_key collate "C"'
)
_DOWN = text(
    _WALK.format(
        columns=_COLUMNS, here="old_key", there="new_key", order="l.from_number >= w.to_number"
    )
)
_UP = text(
    _WALK.format(
        columns=_COLUMNS, here="new_key", there="old_key", order="l.to_number <= w.from_number"
    )
)


def _moved(rows: list[DiffRow]) -> list[DiffRow]:
    """Return the rows whose outline left its ground; others were only measured anew."""
    if not rows:
        return []
    before, after = (
        shapely.from_wkb(np.array(side, dtype=object))
        for side in ([row.before for row in rows], [row.after for row in rows])
    )
    larger = np.maximum(shapely.area(before), shapely.area(after))
    left = np.flatnonzero(~(_bound(before, after) <= (1 - ACCOUNTED) * larger))
    one, other = _valid(before[left]), _valid(after[left])
    common = shapely.area(shapely.intersection(one, other))
    stayed = common >= ACCOUNTED * np.maximum(shapely.area(one), shapely.area(other))
    return [rows[n] for n in left[~stayed]]


def _bound(before: Any, after: Any) -> Any:
    """Return an area that is no smaller than what lies in one of two outlines only; else infinity.

    Where vertex for vertex no one moved by more than d, the outlines differ only within d of
    their edges: 2 d per length of edge on both, and a circle at each end.
    """
    count, rings = shapely.get_num_coordinates(before), shapely.get_num_geometries(before)
    alike = (count == shapely.get_num_coordinates(after)) & (count > 0)
    alike &= rings == shapely.get_num_geometries(after)
    bound = np.full(len(before), np.inf)
    if alike.any():
        step = shapely.get_coordinates(before[alike]) - shapely.get_coordinates(after[alike])
        first = np.concatenate([[0], np.cumsum(count[alike])[:-1]])
        d = np.maximum.reduceat(np.hypot(step[:, 0], step[:, 1]), first)
        edges = shapely.length(before[alike]) + shapely.length(after[alike])
        bound[alike] = 2 * d * edges + np.pi * d * d * count[alike]
    return bound


def _measured(plots: list[tuple[str, bytes]]) -> list[Ground]:
    """Return the plots that have an area, with it."""
    if not plots:
        return []
    shapes = _valid(shapely.from_wkb(np.array([wkb for _, wkb in plots], dtype=object)))
    mended = shapely.to_wkb(shapes)
    areas = ellipsoidal_areas(parse(pa.array(mended.tolist(), pa.binary())).rings)
    return [
        Ground(key, wkb, float(area))
        for (key, _), wkb, area in zip(plots, mended.tolist(), areas.tolist(), strict=True)
        if area > 0
    ]


def _valid(shapes: Any) -> Any:
    wrong = ~shapely.is_valid(shapes)
    shapes[wrong] = shapely.make_valid(shapes[wrong])
    return shapes


def _groups(old: int, new: int, i: Any, j: Any) -> list[int]:
    """Return the group of each old plot; plots that share ground are in one."""
    parent = list(range(old + new))

    def top(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for a, b in zip(i.tolist(), j.tolist(), strict=True):
        one, other = top(a), top(old + b)
        parent[max(one, other)] = min(one, other)
    return [top(node) for node in range(old)]


def _descent(
    members: list[tuple[int, int, float]], old: Sequence[Ground], new: Sequence[Ground]
) -> Descent | None:
    ones = sorted({a for a, _, _ in members}, key=lambda a: old[a].key)
    others = sorted({b for _, b, _ in members}, key=lambda b: new[b].key)
    shared = sum(part for _, _, part in members)
    areas = (sum(old[a].area_m2 for a in ones), sum(new[b].area_m2 for b in others))
    if shared < ACCOUNTED * max(areas):
        return None
    if len(ones) == len(others) == 1:
        if old[ones[0]].key == new[others[0]].key:
            return None
        kind: Kind = "renumbering"
    elif len(ones) == 1:
        kind = "split"
    else:
        kind = "merge" if len(others) == 1 else "redivision"
    lines = sorted((old[a].key, new[b].key, part) for a, b, part in members)
    return Descent(kind, tuple(old[a] for a in ones), tuple(new[b] for b in others), tuple(lines))
