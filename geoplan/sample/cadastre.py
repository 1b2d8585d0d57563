"""Inside an estate: phases, blocks between streets, and plots that partition each block."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

__all__ = ["PLOT_CLASSES", "Cadastre", "Frame", "lay_out"]

PLOT_CLASSES = {"workshop": (18, 36), "small": (28, 55), "medium": (48, 95), "large": (95, 170)}
"""Frontage and depth of a plot by class, m."""

_MARGIN = 30.0  # green belt inside the boundary, m
_STREET = 20.0
_MAIN_STREET = 36.0
_STATUS = (
    ("operating", 0.50), ("under_construction", 0.16), ("allotted", 0.10), ("idle", 0.08),
    ("serviced", 0.09), ("reserved", 0.03), ("planned", 0.04),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """A turned rectangle: centre (east, north; m), turn (radians), width and height (m).

    Points inside are given from the lower left corner before turning. Coordinates are rounded to
    the millimetre, so a corner that two plots share is one and the same point.
    """

    east: float
    north: float
    turn: float
    width: int
    height: int

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return the coordinates of an inside point, m."""
        u, v = x - self.width / 2, y - self.height / 2
        c, s = math.cos(self.turn), math.sin(self.turn)
        return round(self.east + u * c - v * s, 3), round(self.north + u * s + v * c, 3)

    def ring(self, corners: list[tuple[float, float]]) -> shapely.Polygon:
        """Return the polygon through inside points."""
        return shapely.Polygon([self.point(x, y) for x, y in corners])

    def outline(self) -> shapely.Polygon:
        """Return the whole rectangle, with a vertex where two phases meet on its edge."""
        cuts = self.phase_cuts()
        bottom = [(x, 0.0) for x in cuts]
        top = [(x, float(self.height)) for x in reversed(cuts)]
        return self.ring(bottom + top)

    def phase_cuts(self) -> list[float]:
        """Return the x of the phases' edges, from 0 to the width, m."""
        count = max(1, min(3, round(self.width * self.height / 1e4 / 90)))
        return [round(self.width * i / count, 3) for i in range(count + 1)]


@dataclass(frozen=True, slots=True)
class Cadastre:
    """``phases``, ``blocks`` and ``plots`` of one estate."""

    phases: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    plots: gpd.GeoDataFrame


def lay_out(code: str, frame: Frame, rng: np.random.Generator, *, opened: int) -> Cadastre:
    """Lay out an estate.

    Parameters
    ----------
    code : str
        Code of the estate; codes below begin with it.
    frame : Frame
        Its ground.
    rng : numpy.random.Generator
        Where block sizes, merged plots and states come from.
    opened : int
        Year in which the first phase opened.

    Returns
    -------
    Cadastre

    Notes
    -----
    A phase is cut into bands of blocks, each two plots deep with a street on every side, so every
    plot touches a street. A block's ring has a vertex at each corner of its plots: block and plots
    meet point for point, and areas add up exactly.
    """
    phases: list[dict[str, object]] = []
    blocks: list[dict[str, object]] = []
    plots: list[dict[str, object]] = []
    cuts = frame.phase_cuts()
    for number, (left, right) in enumerate(itertools.pairwise(cuts), start=1):
        phase = f"{code}-{number}"
        corners = [(left, 0.0), (right, 0.0), (right, float(frame.height)), (left, frame.height)]
        first = len(plots)
        in_phase = _blocks(frame, left, right, rng)
        for count, (box, kind) in enumerate(in_phase, start=1):
            block = f"{phase}-{count:02d}"
            ring = _plots(block, frame, box, kind, number, rng, plots)
            blocks.append(
                {
                    "code": block,
                    "phase_code": phase,
                    "number": f"{count:02d}",
                    "geometry": frame.ring(ring),
                }
            )
        net = sum(p["area_m2"] for p in plots[first:] if p["zone"] == "industrial")  # type: ignore[misc]
        phases.append(
            {
                "code": phase,
                "estate_code": code,
                "number": str(number),
                "gross_ha": round((right - left) * frame.height / 1e4, 3),
                "industrial_ha": round(float(net) / 1e4, 4),
                "opened_on": f"{opened + 4 * number}-06-01",
                "geometry": frame.ring(corners),
            }
        )
    return Cadastre(
        *(gpd.GeoDataFrame(part, geometry="geometry") for part in (phases, blocks, plots))
    )


Box = tuple[float, float, float, float]


def _blocks(
    frame: Frame, left: float, right: float, rng: np.random.Generator
) -> list[tuple[Box, str]]:
    """Return boxes (x0, y0, x1, y1) with the class of their plots; 'services' for one of them."""
    x0 = left + (_MARGIN if left == 0 else _MAIN_STREET / 2)
    x1 = right - (_MARGIN if right == frame.width else _MAIN_STREET / 2)
    top = frame.height - _MARGIN
    y = _MARGIN
    found: list[tuple[Box, str]] = []
    while True:
        kind = str(rng.choice(list(PLOT_CLASSES), p=[0.22, 0.38, 0.28, 0.12]))
        depth = 2 * PLOT_CLASSES[kind][1]
        if y + depth > top:
            kind, depth = "small", 2 * PLOT_CLASSES["small"][1]
            if y + depth > top:
                break
        columns = max(1, round((x1 - x0) / float(rng.uniform(190, 280))))
        wide = (x1 - x0 - (columns - 1) * _STREET) / columns
        for i in range(columns):
            start = round(x0 + i * (wide + _STREET), 3)
            found.append(((start, y, round(start + wide, 3), y + depth), kind))
        y += depth + _STREET
    if len(found) > 3:
        middle = len(found) // 2
        found[middle] = (found[middle][0], "services")
    return found


def _plots(
    block: str,
    frame: Frame,
    box: Box,
    kind: str,
    phase: int,
    rng: np.random.Generator,
    out: list[dict[str, object]],
) -> list[tuple[float, float]]:
    """Add the plots of a block to ``out`` and return the block's ring."""
    x0, y0, x1, y1 = box
    front, _ = PLOT_CLASSES.get(kind, (x1 - x0, y1 - y0))
    count = max(1, int((x1 - x0) // front))
    xs = [round(x0 + (x1 - x0) * i / count, 3) for i in range(count)] + [x1]
    middle = (y0 + y1) / 2
    rows = [(y0, y1)] if kind == "services" else [(y0, middle), (middle, y1)]
    number = 0
    for low, high in rows:
        i = 0
        while i < count:
            span = 2 if kind in ("small", "medium") and i + 1 < count and rng.random() < 0.12 else 1
            part = xs[i : i + span + 1]
            ring = [(x, low) for x in part] + [(x, high) for x in reversed(part)]
            if kind == "services":  # the block's own vertices, no back row
                ring = [(x0, y0), (x1, y0), (x1, middle), (x1, y1), (x0, y1), (x0, middle)]
            number += 1
            i += span
            out.append(
                _plot(block, number, frame, ring, part[-1] - part[0], high - low, kind, phase, rng)
            )
    bottom = [(x, y0) for x in xs]
    over = [(x, y1) for x in reversed(xs)]
    return [*bottom, (x1, middle), *over, (x0, middle)]


def _plot(
    block: str,
    number: int,
    frame: Frame,
    ring: list[tuple[float, float]],
    front: float,
    depth: float,
    kind: str,
    phase: int,
    rng: np.random.Generator,
) -> dict[str, object]:
    polygon = frame.ring(ring)
    chance = np.array([p for _, p in _STATUS])
    if phase > 1:  # later phases are emptier
        chance = chance * np.array([0.5, 1.2, 1.3, 0.8, 2.5, 1.5, 3.0]) ** (phase - 1)
    status = str(rng.choice([s for s, _ in _STATUS], p=chance / chance.sum()))
    return {
        "code": f"{block}-{number:03d}",
        "block_code": block,
        "number": f"{number:03d}",
        "area_m2": round(polygon.area, 2),
        "frontage_m": round(front, 2),
        "depth_m": round(depth, 2),
        "zone": "services" if kind == "services" else "industrial",
        "class": kind,
        "status": "operating" if kind == "services" else status,
        "geometry": polygon,
    }
