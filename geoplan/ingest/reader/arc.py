"""Circular arcs as chords: the same vertices whichever way an arc is drawn."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError

__all__ = ["MOST_CHORDS", "arc_through", "bulge_arc", "chords_of"]

Floats = npt.NDArray[np.float64]

MOST_CHORDS = 200_000
"""More chords than this for one arc is a mistake in the file, not a curve of a plan."""


def chords_of(angle: float, radius: float, tolerance: float) -> int:
    """Return how many equal chords follow an arc closely enough.

    Parameters
    ----------
    angle : float, radians
        Angle that the arc sweeps; its sign does not matter.
    radius, tolerance : float, units of the drawing
        The tolerance is the largest distance between arc and chord (the sagitta).

    Returns
    -------
    int
        At least one, and no chord spans more than a quarter circle, so that a circle smaller
        than the tolerance keeps an area.

    Raises
    ------
    RangeError
        The tolerance is not above zero, or the arc would need more than ``MOST_CHORDS``.

    Notes
    -----
    A chord over the angle a has the sagitta ``r (1 − cos(a/2))``, so that
    ``n = ceil(angle / (2 acos(1 − tol/r)))``; ``acos(1 − x) = 2 asin(sqrt(x/2))`` keeps its
    digits where ``x`` is tiny.

    Examples
    --------
    >>> chords_of(math.pi, 10.0, 0.01)
    36
    """
    if not tolerance > 0:
        raise RangeError(
            f"the tolerance of curves is {tolerance:g}", remedy="give a distance above zero"
        )
    share = min(tolerance / radius, 1 - math.sqrt(0.5)) if radius > 0 else 1 - math.sqrt(0.5)
    step = 4 * math.asin(math.sqrt(share / 2))
    count = abs(angle) / step if step > 0 else math.inf
    if not count <= MOST_CHORDS:
        raise RangeError(
            f"an arc of radius {radius:g} needs {count:.3g} chords at a tolerance of "
            f"{tolerance:g}; at most {MOST_CHORDS:,} are made",
            remedy="correct the arc, or allow a larger tolerance for curves",
        )
    # a count that is whole but for rounding must not gain a chord in one direction only
    return max(1, math.ceil(count - 1e-9))


def arc_through(start: Floats, middle: Floats, end: Floats, tolerance: float) -> Floats:
    """Return the chords of the arc through three points, ends included.

    Parameters
    ----------
    start, middle, end : ndarray of float, shape (2 or more,)
        Coordinates x, y and any others; the others run evenly along the arc. Where ``start``
        is ``end`` the arc is a full circle and ``middle`` lies opposite (ISO 13249-3).
    tolerance : float
        Largest distance between arc and chord.

    Returns
    -------
    ndarray of float, shape (points, 2 or more)
        The first and last rows are ``start`` and ``end`` to the bit. Drawn from ``end`` to
        ``start``, the same rows come in reverse, so that neighbours keep sharing vertices.
        Points on one line, and coordinates that are no numbers, come back as they are.

    Raises
    ------
    RangeError
        See :func:`chords_of`.
    """
    given = np.stack([start, middle, end])
    if not np.isfinite(given).all():
        return given
    if (start[:2] == end[:2]).all():
        return _circle(start, middle, end, tolerance)
    # One direction for both drawers: rounding differs between the two.
    if tuple(end[:2]) < tuple(start[:2]):
        return arc_through(end, middle, start, tolerance)[::-1]
    # Relative to the start: eastings and northings of millions leave no digits otherwise.
    bx, by = float(middle[0] - start[0]), float(middle[1] - start[1])
    cx, cy = float(end[0] - start[0]), float(end[1] - start[1])
    cross = 2 * (bx * cy - by * cx)
    if not abs(cross) > 1e-12 * math.hypot(bx, by) * math.hypot(cx, cy):
        return given
    b2, c2 = bx * bx + by * by, cx * cx + cy * cy
    ux, uy = (cy * b2 - by * c2) / cross, (bx * c2 - cx * b2) / cross
    if not (math.isfinite(ux) and math.isfinite(uy)):
        return given
    radius = math.hypot(ux, uy)
    first = math.atan2(-uy, -ux)
    sweep = (math.atan2(cy - uy, cx - ux) - first) % (2 * math.pi)
    if cross < 0:  # clockwise
        sweep -= 2 * math.pi
    count = chords_of(sweep, radius, tolerance)
    share = np.arange(count + 1) / count
    out = start + share[:, None] * (end - start)
    out[:, 0] = start[0] + (ux + radius * np.cos(first + share * sweep))
    out[:, 1] = start[1] + (uy + radius * np.sin(first + share * sweep))
    out[0], out[-1] = start, end
    return out


def _circle(start: Floats, middle: Floats, end: Floats, tolerance: float) -> Floats:
    """Return a circle counter-clockwise from ``start``; opposite starts give one set of points."""
    if (start[:2] == middle[:2]).all():
        return np.stack([start, middle, end])
    turned = tuple(middle[:2]) < tuple(start[:2])
    low, high = (middle, start) if turned else (start, middle)
    half = (high[:2] - low[:2]) / 2
    radius = math.hypot(*half)
    count = chords_of(math.pi, radius, tolerance)
    if not math.isfinite(radius):
        return np.stack([start, middle, end])
    angle = math.atan2(half[1], half[0]) + np.arange(1, count) * (math.pi / count)
    # Two mirrored halves: what is right of the middle is minus what is left of it.
    swing = radius * np.column_stack([np.cos(angle), np.sin(angle)])
    centre = low[:2] + half
    above = np.vstack([high[:2], centre + swing, low[:2]])
    below = np.vstack([low[:2], centre - swing, high[:2]])
    first, second = (above, below) if turned else (below, above)
    out = np.empty((2 * count + 1, len(start)))
    out[:, :2] = np.vstack([first, second[1:]])
    share = np.linspace(0, 1, count + 1)[:, None]
    if len(start) > 2:
        out[: count + 1, 2:] = start[2:] + share * (middle[2:] - start[2:])
        out[count:, 2:] = middle[2:] + share * (end[2:] - middle[2:])
    out[0], out[-1] = start, end
    return out


def bulge_arc(start: Floats, end: Floats, bulge: float, tolerance: float) -> Floats:
    """Return the chords of an arc that a drawing gives by its bulge, ends included.

    Parameters
    ----------
    start, end : ndarray of float, shape (2,)
        Ends of the arc.
    bulge : float, unitless
        Tangent of a quarter of the angle swept; positive is counter-clockwise, 1 a half circle.
    tolerance : float
        Largest distance between arc and chord.

    Returns
    -------
    ndarray of float, shape (points, 2)
        As :func:`arc_through`: the same vertices in both directions.

    Raises
    ------
    RangeError
        See :func:`chords_of`.
    """
    x, y = float(end[0] - start[0]), float(end[1] - start[1])
    chord = math.hypot(x, y)
    if bulge == 0 or not math.isfinite(bulge) or not 0 < chord < math.inf:
        return np.stack([start, end])
    if tuple(end) < tuple(start):
        return bulge_arc(end, start, -bulge, tolerance)[::-1]
    # Autodesk DXF Reference, LWPOLYLINE group 42: bulge = tan(sweep / 4); the sagitta of the
    # whole arc is bulge × chord / 2, and the centre lies (1 − bulge²) / (4 bulge) chords left.
    sweep = 4 * math.atan(bulge)
    away = (1 - bulge * bulge) / (4 * bulge)
    ux, uy = x / 2 - away * y, y / 2 + away * x
    radius = chord * (1 + bulge * bulge) / (4 * abs(bulge))
    count = chords_of(sweep, radius, tolerance)
    if count == 1 or not math.isfinite(radius):
        return np.stack([start, end])
    first = math.atan2(-uy, -ux)
    angle = first + np.arange(count + 1) / count * sweep
    out = np.column_stack(
        [start[0] + (ux + radius * np.cos(angle)), start[1] + (uy + radius * np.sin(angle))]
    )
    out[0], out[-1] = start, end
    return out
