"""The outline of one entity of a drawing as vertices."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import ezdxf.path
import numpy as np
import numpy.typing as npt
from ezdxf.lldxf.const import DXFAttributeError
from ezdxf.lldxf.encoding import decode_dxf_unicode
from ezdxf.tools.text import fast_plain_mtext, plain_mtext, plain_text
from scipy.interpolate import BSpline

from geoplan.errors import RangeError
from geoplan.ingest.reader.arc import MOST_CHORDS, bulge_arc, chords_of
from geoplan.ingest.reader.dxf_sieve import PlainEntity

__all__ = ["OUTLINES", "attribute", "hatch_rings", "readable", "text_content", "text_place"]

Floats = npt.NDArray[np.float64]
Outline = tuple[Floats, bool]
Place = tuple[float, float, float]

_UNEXPLAINED = re.compile("[\ud800-\udfff]")
_CODES = re.compile(r"%%|\^")
_LETTER_WIDTH = 0.6  # of the height; the mean of the fonts that plans use
_LINE_HEIGHT = 5 / 3
_LARGEST = 1e12
_MOST_VERTICES = 1_000_000


def _to_wcs(entity: Any, xyz: Floats) -> Floats:
    """Return points of an entity's own plane in the coordinates of its container."""
    if not entity.dxf.hasattr("extrusion"):
        return xyz
    ocs = entity.ocs()
    if not ocs.transform:
        return xyz
    axes = np.array([list(ocs.ux), list(ocs.uy), list(ocs.uz)], dtype=np.float64)
    return xyz @ axes


def _lifted(xy: Floats, z: float) -> Floats:
    out = np.empty((len(xy), 3))
    out[:, :2] = xy
    out[:, 2] = z
    return out


def _bulged(vertices: Floats, closed: bool, tolerance: float) -> Floats:
    """Return the vertices (x, y, bulge) of a polyline with chords for its arcs."""
    bent = np.flatnonzero(vertices[:, 2] if closed else vertices[:-1, 2])
    if not len(bent):
        return vertices[:, :2]
    pieces = []
    done = made = 0
    count = len(vertices)
    for k in bent.tolist():
        pieces.append(vertices[done : k + 1, :2])
        start, end = vertices[k, :2], vertices[(k + 1) % count, :2]
        pieces.append(bulge_arc(start, end, float(vertices[k, 2]), tolerance)[1:-1])
        made += len(pieces[-1])
        if made > _MOST_VERTICES:
            raise RangeError(f"its arcs need more than {_MOST_VERTICES:,} chords")
        done = k + 1
    pieces.append(vertices[done:, :2])
    return np.concatenate(pieces)


def _lwpolyline(entity: Any, tolerance: float) -> Outline:
    if isinstance(entity, PlainEntity):
        vertices = entity.points
    else:
        values = np.array(entity.lwpoints.values, dtype=np.float64).reshape(-1, 5)
        vertices = values[:, [0, 1, 4]]
    closed = bool(entity.dxf.flags & 1)
    xy = _bulged(vertices, closed, tolerance)
    return _to_wcs(entity, _lifted(xy, float(entity.dxf.get("elevation", 0.0)))), closed


def _polyline(entity: Any, tolerance: float) -> Outline | None:
    flags = int(entity.dxf.flags)
    if flags & (16 | 64):  # meshes and polyfaces
        return None
    if isinstance(entity, PlainEntity):
        xyzb = entity.points
    else:
        # A polyline fitted with a spline keeps its control points (16) beside the fitted ones.
        rows = [
            (*v.dxf.location, float(v.dxf.get("bulge", 0.0)))
            for v in entity.vertices
            if not (flags & 4 and int(v.dxf.get("flags", 0)) & 16)
        ]
        xyzb = np.array(rows, dtype=np.float64).reshape(-1, 4)
    closed = bool(flags & 1)
    if flags & 8:  # 3D: no arcs, no plane of its own
        return np.ascontiguousarray(xyzb[:, :3]), closed
    xy = _bulged(xyzb[:, [0, 1, 3]], closed, tolerance)
    elevation = entity.dxf.get("elevation")
    return _to_wcs(entity, _lifted(xy, float(elevation[2]) if elevation else 0.0)), closed


def _line(entity: Any, tolerance: float) -> Outline:  # noqa: ARG001 - one signature for all
    return np.array([tuple(entity.dxf.start), tuple(entity.dxf.end)], dtype=np.float64), False


def _round(entity: Any, first: float, sweep: float, tolerance: float) -> Floats:
    x, y, z = entity.dxf.center
    radius = abs(float(entity.dxf.radius))
    count = chords_of(sweep, radius, tolerance)
    angle = first + np.arange(count + 1) / count * sweep
    xy = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])
    return _to_wcs(entity, _lifted(xy, z))


def _arc(entity: Any, tolerance: float) -> Outline:
    first, last = math.radians(entity.dxf.start_angle), math.radians(entity.dxf.end_angle)
    sweep = (last - first) % (2 * math.pi) or 2 * math.pi
    return _round(entity, first, sweep, tolerance), False


def _circle(entity: Any, tolerance: float) -> Outline:
    return _round(entity, 0.0, 2 * math.pi, tolerance)[:-1], True


def _flat(entity: Any, tolerance: float, sizes: Floats) -> Floats:
    """Flatten by ezdxf, once the numbers cannot make it divide without end."""
    if not np.isfinite(sizes).all() or np.abs(sizes).max(initial=0) > _LARGEST:
        raise RangeError("its coordinates are no numbers of a plan")
    spread = float(np.ptp(sizes, axis=0).max(initial=0)) if sizes.ndim == 2 else float(sizes.max())
    chords_of(math.pi, spread, tolerance)
    return np.array([tuple(p) for p in entity.flattening(tolerance)], dtype=np.float64)


def _ellipse(entity: Any, tolerance: float) -> Outline:
    major = np.array(tuple(entity.dxf.major_axis), dtype=np.float64)
    angles = [entity.dxf.ratio, entity.dxf.start_param, entity.dxf.end_param]
    if not np.isfinite(angles).all():
        raise RangeError("its angles are no numbers")
    xyz = _flat(entity, tolerance, np.abs(major))
    return xyz.reshape(-1, 3), False


def _spline(entity: Any, tolerance: float) -> Outline:
    """Follow a spline over the part of its knots where it is defined.

    ezdxf flattens over all knots, which is wrong for the closed splines whose ends are not
    clamped.
    """
    tool = entity.construction_tool()
    points = np.array([tuple(p) for p in tool.control_points], dtype=np.float64).reshape(-1, 3)
    knots, degree = np.array(tool.knots(), dtype=np.float64), int(tool.order) - 1
    weights = np.array(tool.weights() or np.ones(len(points)), dtype=np.float64).reshape(-1, 1)
    numbers = np.concatenate([points.ravel(), knots, weights.ravel()])
    if not np.isfinite(numbers).all() or np.abs(numbers).max(initial=0) > _LARGEST:
        raise RangeError("its coordinates are no numbers of a plan")
    if len(knots) != len(points) + degree + 1 or (np.diff(knots) < 0).any() or degree > 25:
        raise RangeError(f"{len(points)} points and {len(knots)} knots are no spline")
    if (weights <= 0).any():
        raise RangeError("a weight is not above zero")
    made = BSpline(knots, np.hstack([points * weights, weights]), degree)
    spans = np.unique(knots[degree : len(points) + 1])
    at = np.unique(np.linspace(spans[:-1], spans[1:], 5))
    while True:
        xyz = _project(made(at))
        middle = (at[1:] + at[:-1]) / 2
        away = np.linalg.norm(_project(made(middle)) - (xyz[1:] + xyz[:-1]) / 2, axis=1)
        coarse = away > tolerance
        if not coarse.any():
            return xyz, bool(entity.closed) or bool((xyz[0] == xyz[-1]).all())
        if len(at) > MOST_CHORDS:
            raise RangeError(f"it needs more than {MOST_CHORDS:,} chords")
        at = np.sort(np.concatenate([at, middle[coarse]]))


def _project(points: Floats) -> Floats:
    return points[:, :3] / points[:, 3:]


OUTLINES: dict[str, Callable[[Any, float], Outline | None]] = {
    "ARC": _arc,
    "CIRCLE": _circle,
    "ELLIPSE": _ellipse,
    "LINE": _line,
    "LWPOLYLINE": _lwpolyline,
    "POLYLINE": _polyline,
    "SPLINE": _spline,
}
"""By kind of entity: vertices (x, y, z) in the coordinates of its container, and whether they are
closed; None for a kind of polyline that is no outline. Raises RangeError and what ezdxf raises."""


def hatch_rings(entity: Any, tolerance: float) -> Iterator[Floats]:
    """Yield the closed boundaries of a hatch."""
    for path in ezdxf.path.from_hatch(entity):
        points = np.array([tuple(p) for p in path.control_vertices()], dtype=np.float64)
        if not np.isfinite(points).all() or np.abs(points).max(initial=0) > _LARGEST:
            raise RangeError("its coordinates are no numbers of a plan")
        chords_of(math.pi, float(np.ptp(points, axis=0).max(initial=0)), tolerance)
        yield np.array([tuple(p) for p in path.flattening(tolerance)], dtype=np.float64)


def readable(text: str) -> str:
    r"""Return a text with ``\U+XXXX`` decoded and bytes that no encoding explains as U+FFFD."""
    if "\\U+" in text or "\\u+" in text:
        text = decode_dxf_unicode(text.replace("\\u+", "\\U+"))
    return _UNEXPLAINED.sub("\ufffd", text)


def attribute(entity: Any, name: str, default: Any) -> Any:
    """Return an attribute of an entity, or the default where its kind knows no such attribute."""
    try:
        found = entity.dxf.get(name, default)
    except DXFAttributeError:
        return default
    return default if found is None else found


def text_content(entity: Any) -> str:
    """Return the text of TEXT, ATTRIB or MTEXT without its formatting codes, in one line.

    Text of old shape fonts that is stored reversed or in a font's own code is returned as it is
    stored.
    """
    if entity.dxftype() == "MTEXT":
        raw = readable(entity.text)
        # The quick one leaves codes without their closing semicolon.
        plain = (
            plain_mtext(raw) if re.search(r"\\[ACHQTWFfp][^;]*$", raw) else fast_plain_mtext(raw)
        )
    else:
        embedded = getattr(entity, "_embedded_mtext", None)
        raw = readable(embedded.text if embedded is not None else str(entity.dxf.get("text", "")))
        if embedded is not None:
            plain = fast_plain_mtext(raw)
        else:
            plain = plain_text(raw) if _CODES.search(raw) else raw
    return " ".join(str(plain).split())


def text_place(entity: Any, text: str) -> tuple[Place, Place]:
    """Return the anchor of a text and, by its length and height, about where its middle is."""
    if entity.dxftype() == "MTEXT":
        return _mtext_place(entity.dxf, text)
    dxf = entity.dxf
    x, y, z = dxf.get("insert", (0.0, 0.0, 0.0))
    halign, valign = int(dxf.get("halign", 0)), int(dxf.get("valign", 0))
    aligned = dxf.get("align_point")
    height = float(dxf.get("height", 2.5))
    width = height * _LETTER_WIDTH * len(text) * abs(float(dxf.get("width", 1.0)))
    along = {1: 0.0, 2: -width / 2, 4: 0.0}.get(halign, width / 2)
    up = {2: 0.0, 3: -height / 2}.get(valign, height / 2)
    if (halign or valign) and aligned is not None:
        if halign in (3, 5):  # between two points
            x, y, z, along = (x + aligned[0]) / 2, (y + aligned[1]) / 2, aligned[2], 0.0
        else:
            x, y, z = aligned
    if halign == 4:
        up = 0.0
    middle = _moved(x, y, z, float(dxf.get("rotation", 0.0)), along, up)
    if not dxf.hasattr("extrusion"):
        return (x, y, z), middle
    both = _to_wcs(entity, np.array([(x, y, z), middle], dtype=np.float64))
    return tuple(both[0].tolist()), tuple(both[1].tolist())


def _mtext_place(dxf: Any, text: str) -> tuple[Place, Place]:
    x, y, z = dxf.insert
    height = float(dxf.get("char_height", 2.5))
    row, column = divmod(int(dxf.get("attachment_point", 1)) - 1, 3)
    width = height * _LETTER_WIDTH * len(text)
    limit = float(dxf.get("width", 0.0) or 0.0)
    lines = max(1, math.ceil(width / limit)) if 0 < limit < width else 1
    width = min(width, limit) if limit > 0 else width
    direction = dxf.get("text_direction")
    angle = float(dxf.get("rotation", 0.0))
    if direction is not None:
        angle = math.degrees(math.atan2(direction[1], direction[0]))
    up = (row - 1) * (0.5 * height * (1 + (lines - 1) * _LINE_HEIGHT))
    return (x, y, z), _moved(x, y, z, angle, (0.5 - column / 2) * width, up)


def _moved(x: float, y: float, z: float, degrees: float, along: float, up: float) -> Place:
    if degrees == 0:
        return x + along, y + up, z
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x + along * cos - up * sin, y + along * sin + up * cos, z
