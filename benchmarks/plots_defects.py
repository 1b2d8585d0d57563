"""Defects planted between two neighbours, each with what an exact check has to say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["KINDS", "Change", "Expect", "Kind", "Planted", "Site", "plant"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expect:
    """One line that a check should report.

    Parameters
    ----------
    code : str
        A key of :data:`geoplan.catalogue.checks.DEFECTS`.
    rows : tuple of int
        Rows of the file, from 1, in order.
    area_m2 : float or None
        Exact area.
    wkt : str
        The exact place.
    """

    code: str
    rows: tuple[int, ...]
    area_m2: float | None
    wkt: str


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted place; without ``expects`` it is a trap in which nothing may be reported."""

    kind: str
    expects: tuple[Expect, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """Plot ``a`` and its right neighbour ``b``.

    ``left``, ``middle`` and ``right`` are the ends (below, above) of a's left edge, of the edge
    that both share, and of b's right edge; the numbers are rows of the file.
    """

    left: Floats
    middle: Floats
    right: Floats
    a: int
    b: int
    above: int
    below: int

    def into(self, side: Floats, distance: float) -> Floats:
        """Return the shared edge moved along the edges above and below, towards ``side``."""
        way = side - self.middle
        moved: Floats = self.middle + way * (distance / np.linalg.norm(way, axis=1))[:, None]
        return moved

    def bent(self, distance: float) -> Floats:
        """Return two points on the inner half of the shared edge, pushed into b."""
        low, high = self.middle
        along = high - low
        right = np.array([along[1], -along[0]]) / np.linalg.norm(along) * distance
        return np.array([low + 0.25 * along + right, low + 0.75 * along + right])

    def ring_a(self, *inner: Floats) -> shapely.Polygon:
        """Return plot a with its shared edge, upwards, given."""
        edge = np.vstack(inner or (self.middle,))
        return shapely.Polygon(np.vstack([self.left[0], edge, self.left[1]]))

    def ring_b(self, *inner: Floats) -> shapely.Polygon:
        """Return plot b with its shared edge, upwards, given."""
        edge = np.vstack(inner or (self.middle,))
        return shapely.Polygon(np.vstack([edge, self.right[1], self.right[0]]))

    def arc(self, chords: int, height: float) -> Floats:
        """Return a circular arc over the shared edge that bulges into b by ``height``."""
        low, high = self.middle
        half = np.linalg.norm(high - low) / 2
        radius = (half**2 + height**2) / (2 * height)
        reach = np.arcsin(half / radius)
        angle = np.linspace(-reach, reach, chords + 1)
        along = (high - low) / (2 * half)
        right = np.array([along[1], -along[0]])
        rise = radius * (np.cos(angle) - np.cos(reach))
        points: Floats = (
            (low + high) / 2 + np.outer(radius * np.sin(angle), along) + np.outer(rise, right)
        )
        points[0], points[-1] = low, high
        return points


@dataclass(frozen=True, slots=True)
class Change:
    """Plots to put in the place of others by row, plots to add, and the truth."""

    planted: Planted
    changed: dict[int, shapely.Polygon] = field(default_factory=dict)
    added: tuple[shapely.Polygon, ...] = ()


Make = Callable[[Site, int, np.random.Generator], Change]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of defect: where it fits, how many rows it adds, and its maker."""

    name: str
    place: str
    extra: int
    make: Make


def plant(name: str, site: Site, free: int, rng: np.random.Generator) -> Change:
    """Return the change that plants a defect; added plots get rows from ``free`` on."""
    return _BY_NAME[name].make(site, free, rng)


def _area(code: str, rows: tuple[int, ...], shape: shapely.Geometry) -> Expect:
    return Expect(code, tuple(sorted(rows)), shape.area, shape.wkt)


def _alone(point: Floats, *rows: int) -> Expect:
    return Expect("unmatched-vertex", tuple(sorted(rows)), None, shapely.Point(point).wkt)


def _log(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _overlap(s: Site, _: int, rng: np.random.Generator) -> Change:
    moved = s.into(s.right, _log(rng, 0.005, 3.0))
    a = s.ring_a(s.middle[0], moved, s.middle[1])
    over = shapely.Polygon(np.vstack([s.middle[0], moved, s.middle[1]]))
    return Change(
        Planted("overlap", (_area("overlap", (s.a, s.b), over),)),
        {s.a: a},
    )


def _overlap_bump(s: Site, _: int, rng: np.random.Generator) -> Change:
    bump = s.bent(_log(rng, 0.005, 3.0))
    over = shapely.Polygon(np.vstack([s.middle[0], bump, s.middle[1]]))
    return Change(
        Planted("overlap-bump", (_area("overlap", (s.a, s.b), over),)),
        {s.a: s.ring_a(s.middle[0], bump, s.middle[1])},
    )


def _moved_back(s: Site, name: str, width: float) -> Change:
    moved = s.into(s.left, width)
    gap = shapely.Polygon(np.vstack([moved[0], s.middle, moved[1]]))
    return Change(
        Planted(
            name,
            (
                _area("gap", (s.a, s.b, s.above, s.below), gap),
                _alone(moved[0], s.a, s.below),
                _alone(moved[1], s.a, s.above),
            ),
        ),
        {s.a: s.ring_a(moved)},
    )


def _gap(s: Site, _: int, rng: np.random.Generator) -> Change:
    return _moved_back(s, "gap", _log(rng, 0.005, 0.9))


def _gap_wide(s: Site, _: int, rng: np.random.Generator) -> Change:
    return _moved_back(s, "gap-wide", _log(rng, 3.0, 6.0))


def _gap_bump(s: Site, _: int, rng: np.random.Generator) -> Change:
    bump = s.bent(-_log(rng, 0.005, 0.9))
    gap = shapely.Polygon(np.vstack([s.middle[0], bump, s.middle[1]]))
    return Change(
        Planted("gap-bump", (_area("gap", (s.a, s.b), gap),)),
        {s.a: s.ring_a(s.middle[0], bump, s.middle[1])},
    )


def _wedge(s: Site, _: int, rng: np.random.Generator) -> Change:
    mouth = s.into(s.left, _log(rng, 0.02, 0.8))[0]
    gap = shapely.Polygon(np.vstack([mouth, s.middle]))
    return Change(
        Planted("wedge", (_area("gap", (s.a, s.b), gap),)),
        {s.a: s.ring_a(mouth, s.middle[1])},
    )


def _slit(s: Site, _: int, rng: np.random.Generator) -> Change:
    moved = s.into(s.left, _log(rng, 0.02, 0.8))
    gap = shapely.Polygon(np.vstack([moved[0], s.middle, moved[1]]))
    return Change(
        Planted(
            "slit",
            (_area("gap", (s.a, s.b), gap), _alone(moved[1], s.a, s.above)),
        ),
        {s.a: s.ring_a(moved)},
    )


def _bow_tie(s: Site, _: int, __: np.random.Generator) -> Change:
    crossed = shapely.Polygon(np.vstack([s.left[0], s.middle[::-1], s.left[1]]))
    return Change(
        Planted("bow-tie", (Expect("invalid-ring", (s.a,), None, crossed.wkt),)), {s.a: crossed}
    )


def _t_junction(s: Site, _: int, rng: np.random.Generator) -> Change:
    point = s.middle[0] + rng.uniform(0.2, 0.8) * (s.middle[1] - s.middle[0])
    return Change(
        Planted("t-junction", (_alone(point, s.a, s.b),)),
        {s.a: s.ring_a(s.middle[0], point, s.middle[1])},
    )


def _square(s: Site, side: float) -> shapely.Polygon:
    x, y = (s.left + s.middle).mean(axis=0) / 2
    return shapely.box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def _hole(s: Site, _: int, rng: np.random.Generator) -> Change:
    hole = _square(s, _log(rng, 0.2, 8.0))
    return Change(Planted("hole", (_area("gap", (s.a,), hole),)), {s.a: s.ring_a() - hole})


def _enclave(s: Site, _: int, rng: np.random.Generator) -> Change:
    hole = _square(s, _log(rng, 2.0, 8.0))
    return Change(Planted("enclave"), {s.a: s.ring_a() - hole}, (hole,))


def _inside(s: Site, free: int, rng: np.random.Generator) -> Change:
    inner = _square(s, _log(rng, 1.2, 8.0))
    return Change(Planted("inside", (_area("overlap", (s.a, free), inner),)), {}, (inner,))


def _sliver(s: Site, free: int, rng: np.random.Generator) -> Change:
    corner = s.middle.mean(axis=0)
    along = s.middle[1] - s.middle[0]
    left = np.array([-along[1], along[0]]) / np.linalg.norm(along)
    corner = corner + left * rng.uniform(0.1, 0.4)
    thin = shapely.Polygon(np.vstack([corner, s.middle]))
    return Change(
        Planted("sliver", (Expect("sliver", (free,), thin.area, thin.wkt),)),
        {s.a: s.ring_a(s.middle[0], corner, s.middle[1])},
        (thin,),
    )


def _duplicate(s: Site, free: int, _: np.random.Generator) -> Change:
    a = s.ring_a()
    return Change(Planted("duplicate", (_area("duplicate-geometry", (s.a, free), a),)), {}, (a,))


def _turned(s: Site, free: int, rng: np.random.Generator) -> Change:
    ring = np.array(s.ring_a().exterior.coords)[:-1]
    again = shapely.Polygon(np.roll(ring, int(rng.integers(1, len(ring))), axis=0)[::-1])
    return Change(
        Planted("duplicate-turned", (_area("duplicate-geometry", (s.a, free), again),)),
        {},
        (again,),
    )


def _curve(s: Site, _: int, rng: np.random.Generator) -> Change:
    arc = s.arc(int(rng.integers(8, 24)), rng.uniform(1.0, 3.0))
    return Change(Planted("curve"), {s.a: s.ring_a(arc), s.b: s.ring_b(arc)})


def _curve_twice(s: Site, _: int, rng: np.random.Generator) -> Change:
    height = rng.uniform(2.0, 4.0)
    arcs = s.arc(6, height), s.arc(9, height)
    a, b = s.ring_a(arcs[0]), s.ring_b(arcs[1])
    pair = (s.a, s.b)
    over = a & b
    # Both chains are inscribed in one arc, so they cross: every face between them is a lens that
    # belongs to both plots or to neither.
    chains = shapely.node(shapely.MultiLineString([shapely.LineString(arc) for arc in arcs]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(chains)))
    lenses = [f for f in faces if not a.contains(f.representative_point()) and f.area > 0.01]
    return Change(
        Planted(
            "curve-twice",
            (_area("overlap", pair, over), *(_area("gap", pair, p) for p in lenses)),
        ),
        {s.a: a, s.b: b},
    )


def _jitter(s: Site, _: int, rng: np.random.Generator) -> Change:
    def near(points: Floats) -> Floats:
        return points + rng.uniform(-0.0003, 0.0003, points.shape)

    a = shapely.Polygon(np.vstack([near(s.left[:1]), near(s.middle), near(s.left[1:])]))
    return Change(Planted("jitter"), {s.a: a})


KINDS = (
    Kind("overlap", "inside", 0, _overlap),
    Kind("gap", "inside", 0, _gap),
    Kind("gap-wide", "inside", 0, _gap_wide),
    Kind("wedge", "street", 0, _wedge),
    Kind("slit", "street", 0, _slit),
    Kind("overlap-bump", "any", 0, _overlap_bump),
    Kind("gap-bump", "any", 0, _gap_bump),
    Kind("bow-tie", "any", 0, _bow_tie),
    Kind("t-junction", "any", 0, _t_junction),
    Kind("hole", "any", 0, _hole),
    Kind("enclave", "any", 1, _enclave),
    Kind("inside", "any", 1, _inside),
    Kind("sliver", "any", 1, _sliver),
    Kind("duplicate", "any", 1, _duplicate),
    Kind("duplicate-turned", "any", 1, _turned),
    Kind("curve", "any", 0, _curve),
    Kind("curve-twice", "any", 0, _curve_twice),
    Kind("jitter", "any", 0, _jitter),
)
"""Every kind. ``place``: inside a contiguous block, on a street, or any."""

_BY_NAME = {kind.name: kind for kind in KINDS}
