"""Outlines of a drawing joined into rings where their ends meet, and what stays open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geoplan.ingest.reader.dxf_walk import Piece

__all__ = ["MEETING_M", "Open", "Ring", "rings_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEETING_M = 1e-6
"""Ends this near are one point: rounding of the drawing, not a gap."""


@dataclass(slots=True)
class Ring:
    """A closed outline.

    Parameters
    ----------
    xy : ndarray of float, shape (points, 2), m
        Vertices, the first not repeated at the end.
    pieces : tuple of int
        Outlines that it is made of, by their number in the drawing.
    gap_m : float
        The largest gap that was closed; 0 where the ends met.
    gap : ndarray of float, shape (2, 2), or None
        The two ends of that gap.
    """

    xy: Floats
    pieces: tuple[int, ...]
    gap_m: float = 0.0
    gap: Floats | None = None


@dataclass(slots=True)
class Open:
    """Outlines that were joined and still do not close: ``ends`` (2, 2) and their length in m."""

    ends: Floats
    length_m: float
    segments: int
    pieces: tuple[int, ...]


def rings_of(pieces: list[Piece], close_m: float) -> tuple[list[Ring], list[Open]]:
    """Join outlines, each layer for itself.

    Parameters
    ----------
    pieces : list of Piece
        Outlines; those with coordinates that are no numbers count as they are, unjoined.
    close_m : float, m
        Ends that meet nothing are joined to the nearest end within this distance.

    Returns
    -------
    rings : list of Ring
        In the order of their first piece. Where more than two ends meet in a point, every face
        that the lines enclose is a ring; lines are not cut where they cross or touch between
        their ends.
    rest : list of Open
        What encloses nothing.
    """
    rings: list[Ring] = []
    rest: list[Open] = []
    loose: dict[str, list[int]] = defaultdict(list)
    for k, piece in enumerate(pieces):
        xy = piece.xy
        if piece.closed:
            rings.append(Ring(_bare(xy), (k,)))
            continue
        if not np.isfinite(xy[[0, -1]]).all():
            rest.append(Open(xy[[0, -1]], float("nan"), len(xy) - 1, (k,)))
            continue
        gap = float(np.hypot(*(xy[-1] - xy[0])))
        if len(xy) > 3 and gap <= close_m and _length(xy) > 4 * gap:
            rings.append(_closed(xy, (k,), gap))
        else:
            loose[piece.layer].append(k)
    for members in loose.values():
        _join([pieces[k].xy for k in members], members, close_m, rings, rest)
    rings.sort(key=lambda r: r.pieces[0])
    return rings, rest


def _bare(xy: Floats) -> Floats:
    return xy[:-1] if len(xy) > 1 and (xy[0] == xy[-1]).all() else xy


def _length(xy: Floats) -> float:
    return float(np.hypot(*np.diff(xy, axis=0).T).sum())


def _closed(xy: Floats, pieces: tuple[int, ...], gap: float) -> Ring:
    if gap <= MEETING_M:
        return Ring(xy[:-1], pieces)
    return Ring(xy, pieces, gap, xy[[-1, 0]])


def _join(
    lines: list[Floats], names: list[int], close_m: float, rings: list[Ring], rest: list[Open]
) -> None:
    """Join the open outlines of one layer."""
    ends = np.array([(xy[0], xy[-1]) for xy in lines]).reshape(-1, 2)
    node = _meet(ends, close_m)
    first, last = node[0::2], node[1::2]
    nodes = int(node.max()) + 1
    degree = np.bincount(node, minlength=nodes)
    graph = coo_matrix((np.ones(len(lines), np.int8), (first, last)), shape=(nodes, nodes))
    _, part = connected_components(graph, directed=False)
    branching = np.zeros(part.max() + 1, dtype=bool)
    branching[part[degree > 2]] = True
    of_line = part[first]
    by_part: dict[int, list[int]] = defaultdict(list)
    for k in np.flatnonzero(~branching[of_line]).tolist():
        by_part[int(of_line[k])].append(k)
    for members in by_part.values():
        _chain(lines, members, first, last, names, rings, rest)
    tangled = np.flatnonzero(branching[of_line]).tolist()
    if tangled:
        _faces(lines, tangled, first, last, ends, names, rings, rest)


def _meet(ends: Floats, close_m: float) -> Ints:
    """Return the number of the node of every end.

    Ends that meet are one node. A node at which only one end lies is a gap, and is joined to the
    nearest other node within the tolerance: only there, so that lines shorter than the tolerance
    keep both their ends.
    """
    cells = np.round(ends / MEETING_M)
    _, first, node = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    node = node.reshape(-1).astype(np.int64)
    at = ends[first]
    lone = np.flatnonzero(np.bincount(node) == 1)
    reach = max(close_m, 2 * MEETING_M)
    if not len(lone) or len(at) < 2:
        return node
    other_end = np.full(len(at), -1, dtype=np.int64)
    other_end[node[0::2]] = node[1::2]
    other_end[node[1::2]] = node[0::2]
    away, near = cKDTree(at).query(at[lone], k=min(3, len(at)), distance_upper_bound=reach)
    pairs: list[tuple[float, int, int]] = []
    for k, n in enumerate(lone.tolist()):
        for distance, m in zip(away[k].tolist(), near[k].tolist(), strict=True):
            # its own line's other end would fold a short line to a point
            if m < len(at) and m not in (n, other_end[n]):
                pairs.append((distance, n, m))
                break
    root = np.arange(len(at))
    taken: set[int] = set()
    single = set(lone.tolist())
    for _, n, m in sorted(pairs):  # nearest first: a gap is closed once
        if n in taken or (m in single and m in taken):
            continue
        taken.add(n)
        if m in single:
            taken.add(m)
        root[n] = root[m] = min(int(root[n]), int(root[m]))
    return root[node]


def _chain(
    lines: list[Floats],
    members: list[int],
    first: Ints,
    last: Ints,
    names: list[int],
    rings: list[Ring],
    rest: list[Open],
) -> None:
    """Walk lines that form one ring or one open line."""
    at: dict[int, list[int]] = defaultdict(list)
    for k in members:
        at[int(first[k])].append(k)
        at[int(last[k])].append(k)
    tips = [n for n, found in at.items() if len(found) == 1]
    here = tips[0] if tips else int(first[members[0]])
    used: set[int] = set()
    pieces: list[Floats] = []
    order: list[int] = []
    while True:
        onward = next((k for k in at[here] if k not in used), None)
        if onward is None:
            break
        used.add(onward)
        order.append(onward)
        forward = int(first[onward]) == here
        pieces.append(lines[onward] if forward else lines[onward][::-1])
        here = int(last[onward] if forward else first[onward])
    named = tuple(sorted(names[k] for k in order))
    joints = list(zip(pieces, [*pieces[1:], *([] if tips else pieces[:1])], strict=False))
    gaps = [float(np.hypot(*(b[0] - a[-1]))) for a, b in joints]
    xy = np.concatenate(
        [pieces[0]]
        + [p[1:] if g <= MEETING_M else p for p, g in zip(pieces[1:], gaps, strict=False)]
    )
    if tips:
        rest.append(Open(np.stack([xy[-1], xy[0]]), _length(xy), len(xy) - 1, named))
        return
    if gaps[-1] <= MEETING_M:
        xy = xy[:-1]
    worst = int(np.argmax(gaps))
    if gaps[worst] <= MEETING_M:
        rings.append(Ring(xy, named))
    else:
        a, b = joints[worst]
        rings.append(Ring(xy, named, gaps[worst], np.stack([a[-1], b[0]])))


def _faces(
    lines: list[Floats],
    members: list[int],
    first: Ints,
    last: Ints,
    ends: Floats,
    names: list[int],
    rings: list[Ring],
    rest: list[Open],
) -> None:
    """Take every face that lines with shared corners enclose."""
    at: dict[int, Floats] = {}
    gaps: dict[int, float] = defaultdict(float)
    drawn: dict[bytes, int] = {}
    owner: dict[tuple[float, float, float, float], int] = {}
    made: list[shapely.Geometry] = []
    for k in members:
        xy = lines[k].copy()
        for side, n in ((0, int(first[k])), (-1, int(last[k]))):
            corner = at.setdefault(n, ends[2 * k - side])
            gaps[n] = max(gaps[n], float(np.hypot(*(xy[side] - corner))))
            xy[side] = corner
        straight = shapely.normalize(shapely.LineString(xy))
        if drawn.setdefault(straight.wkb, k) != k or straight.length == 0:
            continue  # the same line drawn twice encloses nothing
        made.append(straight)
        for a, b in _sides(shapely.get_coordinates(straight).tolist()):
            owner.setdefault(_side(a, b), k)
    found, cuts, dangles, _ = shapely.polygonize_full(made)
    corner_gap = {tuple(p.tolist()): gaps[n] for n, p in at.items() if gaps[n] > MEETING_M}
    for face in shapely.get_parts(found):
        points = shapely.get_coordinates(face.exterior)[:-1]
        around = points.tolist()
        used = {owner[s] for a, b in _sides([*around, around[0]]) if (s := _side(a, b)) in owner}
        pieces = tuple(sorted(names[k] for k in used))
        if not pieces:
            continue
        gap, where = max(((corner_gap.get(tuple(p), 0.0), p) for p in around), key=lambda g: g[0])
        place = None if gap == 0 else np.array([where, where])
        rings.append(Ring(points, pieces, gap, place))
    for line in [*shapely.get_parts(cuts), *shapely.get_parts(dangles)]:
        points = shapely.get_coordinates(line)
        tagged = {owner.get(_side(a, b), members[0]) for a, b in _sides(points.tolist())}
        rest.append(
            Open(
                points[[-1, 0]],
                float(line.length),
                len(points) - 1,
                tuple(sorted(names[k] for k in tagged)),
            )
        )


def _sides(points: list[list[float]]) -> Iterable[tuple[list[float], list[float]]]:
    return pairwise(points)


def _side(a: list[float], b: list[float]) -> tuple[float, float, float, float]:
    low, high = (a, b) if a <= b else (b, a)
    return low[0], low[1], high[0], high[1]
