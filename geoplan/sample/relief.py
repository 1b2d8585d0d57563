"""Relief: an island raised along its ranges and cut by its own rivers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from geoplan.sample.flow import accumulate, route
from geoplan.sample.place import BoolArray, FloatArray, Place

__all__ = ["Relief", "fractal", "make_relief", "slope_of"]

_ROUNDS = 22
_HIGHEST_M = {"small": 1_500.0, "standard": 2_900.0}


@dataclass(frozen=True, slots=True)
class Relief:
    """Heights of the country.

    Parameters
    ----------
    z : ndarray of float, shape (rows, cols), m above sea level
        Negative under the sea.
    land : ndarray of bool
        True on land, lakes included.
    basin : ndarray of bool
        True on the closed lake in the dry interior; may be empty.
    ridge : ndarray of float, 0–1
        Nearness to the axis of a range.
    slope : ndarray of float, %
        Slope between cells.
    """

    z: FloatArray
    land: BoolArray
    basin: BoolArray
    ridge: FloatArray
    slope: FloatArray


def fractal(
    shape: tuple[int, int], rng: np.random.Generator, *, beta: float, longest: float = np.inf
) -> FloatArray:
    """Return Gaussian noise whose power falls as frequency**−beta, mean 0, deviation 1.

    Parameters
    ----------
    shape : tuple of int
        (rows, cols).
    rng : numpy.random.Generator
        Where the noise comes from.
    beta : float
        2 is rough, 4 is smooth.
    longest : float
        Longest wave, cells.
    """
    rows, cols = shape[0] + shape[0] // 2, shape[1] + shape[1] // 2  # no wrapping round at edges
    white = np.fft.rfft2(rng.standard_normal((rows, cols)))
    frequency = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(cols)[None, :])
    frequency[0, 0] = np.inf
    keep = np.maximum(frequency, 1.0 / longest if np.isfinite(longest) else 0.0)
    noise = np.fft.irfft2(white * keep ** (-beta / 2), s=(rows, cols))[: shape[0], : shape[1]]
    return np.asarray((noise - noise.mean()) / noise.std())


def slope_of(z: FloatArray, cell_m: float) -> FloatArray:
    """Return the slope, % (central differences)."""
    dy, dx = np.gradient(z, cell_m)
    return np.asarray(100.0 * np.hypot(dx, dy))


def _axis(points: list[tuple[float, float]], u: FloatArray, v: FloatArray) -> FloatArray:
    """Return the distance to a polyline, in half-widths of the country."""
    best = np.full(u.shape, np.inf)
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        t = np.clip(((u - x0) * (x1 - x0) + (v - y0) * (y1 - y0)) / length, 0, 1)
        best = np.minimum(best, np.hypot(u - x0 - t * (x1 - x0), v - y0 - t * (y1 - y0)))
    return best


def _largest(mask: BoolArray, least: int) -> BoolArray:
    """Return the largest 4-connected piece, with other pieces of at least ``least`` cells."""
    label, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(label.ravel())
    sizes[0] = 0
    keep = sizes >= least
    keep[sizes.argmax()] = True
    keep[0] = False
    return np.asarray(keep[label])


def make_relief(place: Place) -> Relief:
    """Make the heights.

    Notes
    -----
    Uplift is greatest along two bent ranges. On a coarse grid it works against the stream-power
    law dz/dt = U − K·√A·S, solved implicitly from the sea upward (Braun & Willett 2013, eq. 21),
    which leaves branching valleys; the plains beside the ranges rise little and stay flat. The
    coarse relief is then refined with noise in proportion to the local relief.
    """
    rng = place.rng("relief")
    rows, cols = place.grid.shape[0] // place.coarse, place.grid.shape[1] // place.coarse
    shape = (rows, cols)
    u, v = np.meshgrid(np.linspace(-1, 1, cols), np.linspace(1, -1, rows))
    wobble_u, wobble_v = (0.16 * fractal(shape, rng, beta=3.4, longest=cols / 2) for _ in "uv")
    bend = rng.uniform(-0.08, 0.08, 6)
    main = _axis(
        [(-0.72, 0.50 + bend[0]), (-0.30, 0.28 + bend[1]), (0.12, -0.18), (0.62, -0.52 + bend[2])],
        u + wobble_u,
        v + wobble_v,
    )
    second = _axis(
        [(0.05, 0.62 + bend[3]), (0.42, 0.46 + bend[4]), (0.72, 0.10 + bend[5])],
        u + wobble_u,
        v + wobble_v,
    )
    ridge = np.maximum(np.exp(-((main / 0.20) ** 2)), 0.75 * np.exp(-((second / 0.15) ** 2)))
    edge = 1.0 - (np.abs(u * 1.02) ** 2.6 + np.abs(v * 1.02) ** 2.6)
    potential = edge + 0.26 * fractal(shape, rng, beta=2.9, longest=cols * 0.7) + 0.2 * ridge
    # Sea all round: near the frame the land gives way before the frame could cut it straight.
    frame = np.minimum(1 - np.abs(u), 1 - np.abs(v))
    potential -= 1.6 * np.exp(-np.maximum(frame + 0.25 * (wobble_u + wobble_v), 0.0) / 0.05)
    potential = np.where(frame < 0.03, -9.0, potential)
    land = ndimage.binary_fill_holes(_largest(potential > np.quantile(potential, 0.36), 10**9))
    land = np.asarray(land, dtype=bool)
    inland = ndimage.distance_transform_edt(land) / cols
    # The dry interior lies between the ranges: the inland place farthest from both.
    hollow = np.where(inland > 0.12, 0.9 - ridge + 0.8 * np.minimum(inland, 0.2), -1.0)
    hollow = ndimage.gaussian_filter(hollow, cols / 40)
    centre = np.unravel_index(hollow.argmax(), shape)
    radius = np.hypot(
        (np.arange(rows)[:, None] - centre[0]) * 1.5, np.arange(cols)[None, :] - centre[1]
    )
    basin = land & (radius + 0.012 * cols * wobble_u * 8 < 0.035 * cols)
    basin = _largest(basin, 10**9)
    noise = np.clip(1 + 0.35 * fractal(shape, rng, beta=2.5, longest=cols / 3), 0.3, 2.0)
    uplift = (0.03 + ridge**1.3 * noise) * np.clip(inland / 0.05, 0.12, 1.0) * land
    z = _carve(uplift, land, basin, rng)
    z *= _HIGHEST_M[place.size] / np.quantile(z[land], 0.9995)
    return _refine(place, z, land, basin, ridge, rng)


def _carve(
    uplift: FloatArray, land: BoolArray, basin: BoolArray, rng: np.random.Generator
) -> FloatArray:
    outlet = ~land | basin
    z = np.asarray(0.3 * uplift + 0.02 * rng.random(land.shape) * land)
    base = np.where(basin, 0.12, 0.0)
    for _ in range(_ROUNDS):
        z = np.where(outlet, base, z)
        flow = route(z, outlet, rise=1e-5)
        wear = (0.35 * np.sqrt(accumulate(flow, land.astype(float)))).ravel().tolist()
        height = (flow.filled + 0.25 * uplift).ravel().tolist()
        receiver = flow.receiver.tolist()
        for cell in np.argsort(flow.filled.ravel(), kind="stable").tolist():
            target = receiver[cell]
            if target != cell:
                height[cell] = (height[cell] + wear[cell] * height[target]) / (1 + wear[cell])
        z = np.array(height).reshape(land.shape)
    return np.where(basin, base, np.where(land, np.maximum(z, 1e-4), 0.0))


def _refine(
    place: Place,
    z: FloatArray,
    land: BoolArray,
    basin: BoolArray,
    ridge: FloatArray,
    rng: np.random.Generator,
) -> Relief:
    k = place.coarse
    shape = place.grid.shape

    def fine(a: FloatArray, order: int = 1) -> FloatArray:
        up = ndimage.zoom(a, k, order=order, mode="nearest", grid_mode=True)
        return np.asarray(up[: shape[0], : shape[1]], dtype=np.float64)

    rough = fractal(shape, rng, beta=2.2, longest=24)
    shore = ndimage.gaussian_filter(fine(land.astype(float)), k * 0.6) + 0.13 * rough
    is_land = np.asarray(ndimage.binary_fill_holes(_largest(shore > 0.5, 60)), dtype=bool)
    local = ndimage.gaussian_filter(
        ndimage.maximum_filter(z, 3) - ndimage.minimum_filter(z, 3), 1.0
    )
    detail = fractal(shape, rng, beta=2.6, longest=16)
    height = ndimage.gaussian_filter(fine(z, 3), k * 0.35)
    height = height + 0.10 * fine(local) * detail + 1.5 * rough
    coast = ndimage.distance_transform_edt(is_land) * place.grid.cell_m
    height = np.maximum(height, 0) + 4.0 + np.minimum(coast / 1_000.0, 12.0) * 1.6
    in_basin = _largest(ndimage.gaussian_filter(fine(basin.astype(float)), k * 0.5) > 0.45, 10**9)
    if in_basin.any():
        level = float(np.quantile(height[in_basin], 0.25))
        height = np.where(in_basin, level, height)
    depth = ndimage.distance_transform_edt(~is_land) * place.grid.cell_m
    height = np.where(is_land, np.maximum(height, 1.0), -np.minimum(0.012 * depth, 900.0) - 1.0)
    return Relief(
        z=height,
        land=is_land,
        basin=in_basin & is_land,
        ridge=np.clip(fine(ridge), 0.0, 1.0),
        slope=slope_of(height, place.grid.cell_m),
    )
