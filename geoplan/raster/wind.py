"""Sums of points in reach, weighted by distance and by the wind that would carry smoke to them.

Directions are compass bearings in degrees, clockwise from north. A wind is named by where it
blows FROM, as in every wind rose: a north-west wind (315°) carries the smoke of a site to the
south-east (135°). So the persons who are exposed to a site under a wind FROM a bearing live TO the
opposite bearing, seen from the site. The grid's north is taken as true north; in a conic or
azimuthal projection it turns away from it by a few degrees towards the edges of a country.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["BEARINGS", "Decay", "downwind_within", "prevailing", "rose", "weighted_within"]

BEARINGS: dict[str, float] = {
    name: 22.5 * k
    for k, name in enumerate(
        ("N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
         "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW")
    )
}  # fmt: skip
"""Compass point → bearing, degrees clockwise from north."""

Decay = Literal["none", "linear", "inverse", "quartic"]
"""What a point at distance d counts within the radius R: 1; 1 − d/R; min(1, 1 km / d);
(1 − d²/R²)² (the quartic or biweight kernel, without its constant)."""

_DECAYS = ("none", "linear", "inverse", "quartic")

Floats = npt.NDArray[np.float64]


def rose(shares: Mapping[str, float]) -> Floats:
    """Return the share of time that the wind blows FROM each degree's sector, shape (360,).

    Parameters
    ----------
    shares : mapping
        Compass point that the wind blows FROM → share of time, 0 to 1; they sum to 1 (within
        0.01; calms are spread over the others in proportion). Points left out have 0. With a
        point such as NNE there are 16 sectors of 22.5°, else 8 of 45°; each is centred on its
        point.

    Returns
    -------
    ndarray of float64, shape (360,), 0 to 1
        Entry ``k`` holds for bearings from k to k + 1 degrees: the share of the sector in which
        its middle lies. Edges of sectors at half degrees fall on the middle of an entry, which
        then belongs to the sector clockwise of it.

    Raises
    ------
    UnknownName
        Not a compass point.
    RangeError
        A share is negative or missing, or the shares do not sum to 1.
    """
    for name, share in shares.items():
        if name not in BEARINGS:
            raise UnknownName(f"'{name}' is no compass point", remedy=f"use {', '.join(BEARINGS)}")
        if not share >= 0:
            raise RangeError(f"the share of wind from {name} is {share!r}", remedy="give 0 to 1")
    total = math.fsum(shares.values())
    if not abs(total - 1.0) <= 0.01:
        raise RangeError(
            f"the shares of the wind rose sum to {total:g}, not to 1",
            remedy="give the share of time that the wind blows from each direction",
        )
    count = 16 if any(len(name) == 3 for name in shares) else 8
    wide = 360.0 / count
    each = np.zeros(count)
    for name, share in shares.items():
        each[round(BEARINGS[name] / wide)] = share / total
    sector = np.floor((np.arange(360) + 0.5 + wide / 2.0) / wide).astype(int) % count
    found: Floats = each[sector]
    return found


def prevailing(from_deg: float, spread_deg: float) -> Floats:
    """Return the rose of one wind, shape (360,): 1 where it blows FROM, else 0.

    Parameters
    ----------
    from_deg : float, degrees clockwise from north, 0 to 360
        Where the wind blows FROM.
    spread_deg : float, degrees, above 0 up to 360
        Whole width of the sector centred on it.
    """
    if not 0 <= from_deg <= 360:
        raise RangeError(f"a wind from {from_deg!r}°", remedy="give a bearing from 0 to 360")
    if not 0 < spread_deg <= 360:
        raise RangeError(f"a spread of {spread_deg!r}°", remedy="give a width above 0 up to 360")
    off = np.abs((np.arange(360) + 0.5 - from_deg + 180.0) % 360.0 - 180.0)
    found: Floats = (off <= spread_deg / 2.0).astype(np.float64)
    return found


@kernel
def _rows(
    x: Floats,
    y: Floats,
    mass: Floats,
    radius: float,
    kilometre: float,
    decay: int,
    to_rose: Floats,
    out: npt.NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Sum over the points in reach of each cell, in their order; lengths in cells, y sorted."""
    cols = out.shape[1]
    total = np.empty(cols, np.float64)
    turning = len(to_rose) > 0
    for r in range(start, stop):
        centre = r + 0.5
        total[:] = 0.0
        for k in range(np.searchsorted(y, centre - radius), len(y)):
            dy = y[k] - centre
            if dy > radius:
                break
            reach = math.sqrt(max(radius * radius - dy * dy, 0.0))
            a = max(math.ceil(x[k] - reach - 0.5), 0)
            b = min(math.floor(x[k] + reach - 0.5) + 1, cols)
            for c in range(a, b):
                dx = x[k] - (c + 0.5)
                far = math.sqrt(dx * dx + dy * dy)
                weight = 1.0
                if decay == 1:
                    weight = max(1.0 - far / radius, 0.0)
                elif decay == 2:
                    weight = min(1.0, kilometre / far) if far > 0.0 else 1.0
                elif decay == 3:
                    weight = max(1.0 - far * far / (radius * radius), 0.0) ** 2
                if turning and far > 0.0:
                    # rows grow to the south; the bearing TO the point, clockwise from north
                    bearing = math.degrees(math.atan2(dx, -dy)) % 360.0
                    weight *= to_rose[min(int(bearing), 359)]
                total[c] += mass[k] * weight
        for c in range(cols):
            out[r, c] = np.float32(total[c])


def weighted_within(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    radius_m: float,
    grid: Grid,
    decay: Decay = "none",
    wind_from: Floats | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the sum of the points in a disk around each cell centre, weighted by how they lie.

    Parameters
    ----------
    x, y : array_like of float, shape (points,), m
    weights : array_like of float, shape (points,)
        0 or more, for example persons.
    radius_m : float, m
        Above 0.
    grid : Grid
    decay : {"none", "linear", "inverse", "quartic"}
        See :data:`Decay`.
    wind_from : ndarray of float, shape (360,), optional
        Share of time that the wind blows FROM each degree: :func:`rose` or :func:`prevailing`.

    Returns
    -------
    ndarray of float32, shape (rows, cols), unit of ``weights``

    Raises
    ------
    RangeError, ShapeError, UnknownName
        As in :func:`geoplan.raster.zone.sum_within`; an unknown decay.

    Notes
    -----
    O(points · cells in the disk). Points are added from north to south and west to east, those of
    one place by weight, so the sum does not depend on their order or on threads.
    """
    px = np.asarray(x, dtype=np.float64).ravel()
    py = np.asarray(y, dtype=np.float64).ravel()
    w = np.asarray(weights, dtype=np.float64).ravel()
    if not len(px) == len(py) == len(w):
        raise ShapeError(f"{len(px)} x, {len(py)} y and {len(w)} weights")
    if decay not in _DECAYS:
        raise UnknownName(f"decay '{decay}' is unknown", remedy=f"use {', '.join(_DECAYS)}")
    if not (radius_m > 0 and math.isfinite(radius_m)):
        raise RangeError(f"a radius of {radius_m!r} m", remedy="give a radius above 0 m")
    bad = ~(np.isfinite(px) & np.isfinite(py) & np.isfinite(w) & (w >= 0))
    if bad.any():
        raise RangeError(
            f"{int(bad.sum())} of {len(w)} points have no finite place, or a weight that is "
            f"missing or negative; the first: ({px[bad][0]:g}, {py[bad][0]:g}), {w[bad][0]!r}",
            remedy="leave those points out, or fill the field by a stated rule",
        )
    # the wind that carries smoke TO a bearing blows FROM the opposite one
    to_rose = np.empty(0) if wind_from is None else np.roll(wind_from, 180)
    row_y = (grid.y_max - py) / grid.cell_m
    col_x = (px - grid.x_min) / grid.cell_m
    order = np.lexsort((w, col_x, row_y))
    out = np.zeros(grid.shape, dtype=np.float32)
    over_blocks(
        lambda a, b: _rows(
            col_x[order], row_y[order], w[order], radius_m / grid.cell_m, 1000.0 / grid.cell_m,
            _DECAYS.index(decay), to_rose, out, a, b,
        ),
        grid.rows,
        threads=threads,
    )  # fmt: skip
    return out


def downwind_within(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    persons: npt.ArrayLike,
    *,
    wind_from: Floats,
    radius_m: float,
    grid: Grid,
    decay: Decay = "linear",
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the persons who lie downwind of each cell: whom a plant there would reach.

    Parameters
    ----------
    x, y : array_like of float, shape (places,), m
        Where the persons live.
    persons : array_like of float, shape (places,)
    wind_from : ndarray of float, shape (360,), 0 to 1
        Share of time that the wind blows FROM each degree: :func:`rose` or :func:`prevailing`.
    radius_m : float, m
        Above 0; nobody beyond counts.
    grid : Grid
    decay : {"none", "linear", "inverse", "quartic"}
        See :data:`Decay`.

    Returns
    -------
    ndarray of float32, shape (rows, cols), persons
        Σ persons · share(bearing TO them + 180°) · decay(distance). Without decay, the number of
        persons downwind at a time, on the mean over the year; a rose that is even over 8 points
        gives an eighth of all persons in reach. Persons at the very cell centre count in full.

    Notes
    -----
    A screening figure: no stack height, no stability class, no terrain. Use a dispersion model
    for a permit.
    """
    return weighted_within(
        x, y, persons, radius_m=radius_m, grid=grid, decay=decay, wind_from=wind_from,
        threads=threads,
    )  # fmt: skip
