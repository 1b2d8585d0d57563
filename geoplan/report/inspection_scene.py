"""What a map of findings or differences draws: outlines in metres, small enough for one page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from geoplan.report.inspection_place import Floats, Shapes, known_crs, places, points_in

__all__ = ["CONTEXT_MOST", "Context", "Item", "Scene", "scene", "scene_json"]

CONTEXT_MOST = 8_000
"""Outlines of the file that are drawn beneath the findings."""

_CONTEXT_VERTICES = 250_000
_VERTICES_MOST = 4_000  # of one finding
_NEAR_M = 60.0
_FINE_SHARE = 1 / 4_000


@dataclass(frozen=True, slots=True)
class Item:
    """One numbered thing on the map.

    Parameters
    ----------
    number : int
        Its number in the list.
    kind : str
        Decides its colour and the layer that a reader switches on and off.
    shape : shapely.Geometry or None
        Where it is, in the CRS of the scene.
    tip : str
        Safe HTML, a block for each language.
    """

    number: int
    kind: str
    shape: shapely.Geometry | None
    tip: str


@dataclass(frozen=True, slots=True)
class Context:
    """How much of the surroundings is drawn.

    Parameters
    ----------
    shown, total : int
        Outlines drawn, and outlines there are.
    simplified_m : float
        By how much outlines away from all items were simplified, m; 0 where none was.
    """

    shown: int = 0
    total: int = 0
    simplified_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What the page draws, and what it has to say about that."""

    data: dict[str, Any] = field(default_factory=dict)
    context: Context = field(default_factory=Context)
    drawn: int = 0
    metric: bool = True


def scene(
    items: Sequence[Item], crs: str, context: Iterable[shapely.Geometry | None] | None = None
) -> Scene:
    """Return the drawing of items over faint outlines.

    Parameters
    ----------
    items : sequence of Item
        Those without a finite place are left out.
    crs : str
        Of the items and of the context.
    context : iterable of Geometry, optional
        Outlines of the whole file. At most `CONTEXT_MOST` are drawn, those near items first and
        as they are; the others are simplified to 1/4000 of the extent.
    """
    found, around = places([[i.shape for i in items], () if context is None else context], crs)
    at = points_in(found.shapes)
    known: list[int] = np.flatnonzero(np.isfinite(at).all(axis=1)).tolist()
    origin = _origin(at[known], around.shapes)
    outlines, about = _context(around.shapes, at[known])
    # The millimetre is enough for metres; what has unknown units may be degrees.
    decimals = 3 if found.metric else 9
    data = {
        "metric": found.metric,
        "context": [ring for shape in outlines for ring in _rings(shape, origin, decimals)],
        "view": _view(outlines or [found.shapes[i] for i in known], origin),
        "items": [
            {
                "n": items[i].number,
                "k": items[i].kind,
                "p": _rounded(at[i] - origin, decimals),
                "d": int(shapely.get_dimensions(found.shapes[i])),
                "g": _rings(_light(found.shapes[i]), origin, decimals),
                "t": items[i].tip,
            }
            for i in known
        ],
    }
    return Scene(data, about, len(known), found.metric and known_crs(crs) is not None)


def scene_json(drawing: Scene) -> str:
    """Return the drawing as JSON that may stand inside a script element."""
    text = json.dumps(drawing.data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _origin(points: Floats, around: Shapes) -> Floats:
    """Return a whole-number place near everything: small numbers in the page, and exact ones."""
    every = [points]
    bounds = shapely.bounds(around) if len(around) else np.empty((0, 4))
    every.append(bounds[np.isfinite(bounds).all(axis=1)][:, :2])
    stacked = np.concatenate(every)
    return np.floor(np.median(stacked, axis=0)) if len(stacked) else np.zeros(2)


def _context(shapes: Shapes, points: Floats) -> tuple[list[shapely.Geometry], Context]:
    total = len(shapes)
    usable = shapes[shapely.get_dimensions(shapes) >= 1] if total else shapes
    if not len(usable):
        return [], Context(0, total)
    near = np.zeros(len(usable), dtype=bool)
    if len(points):
        tree = shapely.STRtree(usable)
        _, hit = tree.query(shapely.points(points), predicate="dwithin", distance=_NEAR_M)
        near[hit] = True
    order = np.concatenate([np.flatnonzero(near), _spread(np.flatnonzero(~near))])[:CONTEXT_MOST]
    bounds = shapely.total_bounds(usable)
    fine = float(max(bounds[2] - bounds[0], bounds[3] - bounds[1])) * _FINE_SHARE
    chosen = usable[order].copy()
    far = ~near[order]
    before = int(shapely.get_num_coordinates(chosen[far]).sum())
    chosen[far] = shapely.simplify(chosen[far], fine, preserve_topology=True)
    simplified = int(shapely.get_num_coordinates(chosen[far]).sum()) < before
    count = np.cumsum(shapely.get_num_coordinates(chosen))
    kept = list(chosen[: max(1, int(np.searchsorted(count, _CONTEXT_VERTICES)))])
    return kept, Context(len(kept), total, fine if simplified else 0.0)


def _spread(which: np.ndarray[Any, np.dtype[np.int64]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the indices in an order in which any beginning is spread over all."""
    step = max(1, len(which) // CONTEXT_MOST + 1)
    return np.concatenate([which[first::step] for first in range(step)]) if len(which) else which


def _view(shapes: Sequence[shapely.Geometry], origin: Floats) -> list[float]:
    """Return the first view: where most of it is, so that one stray row does not hide the rest."""
    if not shapes:
        return [0.0, 0.0, 1.0, 1.0]
    boxes = shapely.bounds(np.array([*shapes, None], dtype=object)[:-1])
    low, high = np.percentile(boxes[:, :2], 5, axis=0), np.percentile(boxes[:, 2:], 95, axis=0)
    room = np.maximum(high - low, 1e-9)
    near = (boxes[:, :2] >= low - room).all(axis=1) & (boxes[:, 2:] <= high + room).all(axis=1)
    boxes = boxes[near] if near.any() else boxes
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return [*_rounded(low - origin, 9), *_rounded(high - origin, 9)]


def _light(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape that a page can carry; a country-wide gap has more vertices than a screen."""
    step = 0.01
    while shapely.get_num_coordinates(shape) > _VERTICES_MOST and step < 1e6:
        shape = shapely.simplify(shape, step, preserve_topology=False)
        step *= 4
    return shape


def _rings(shape: shapely.Geometry, origin: Floats, decimals: int) -> list[list[float]]:
    """Return rings and lines as flat lists x, y, x, y …; a point is a list of two numbers."""
    out: list[list[float]] = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            lines = [part.exterior, *part.interiors]
        elif part.geom_type == "GeometryCollection" or part.geom_type.startswith("Multi"):
            out += _rings(part, origin, decimals)
            continue
        else:
            lines = [part]
        for line in lines:
            xy = shapely.get_coordinates(line)
            if len(xy):
                out.append(_rounded((xy - origin).ravel(), decimals))
    return out


def _rounded(values: Floats, decimals: int) -> list[float]:
    return [float(v) for v in np.round(values, decimals) + 0.0]
