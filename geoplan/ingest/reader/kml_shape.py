"""The geometry of one placemark as well-known binary."""

from __future__ import annotations

import re
import struct

import numpy as np
import numpy.typing as npt

__all__ = ["Shape"]

Floats = npt.NDArray[np.float64]

_CODES = {"Point": 1, "LineString": 2, "LinearRing": 2, "Polygon": 3, "MultiGeometry": 7}
_COLLECTIONS = {1: 4, 2: 5, 3: 6}
_OTHER = ("Model", "Track", "MultiTrack")
_DEEPEST = 32


class Shape:
    """Takes the elements of a placemark's geometry as they come.

    Parameters
    ----------
    most_bytes : int
        Limit of the geometry; more is not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._why = ""
        # Each open element: its name, and the rings that it has so far.
        self._open: list[tuple[str, list[Floats]]] = []
        self._parts: list[tuple[int, list[Floats]]] = []

    def start(self, name: str) -> None:
        """Begin an element."""
        if name in _OTHER:
            self._why = f"the kind {name} is not supported"
        if name in _CODES:
            if len(self._open) >= _DEEPEST:
                self._why = f"it is nested more than {_DEEPEST} deep"
                return
            self._open.append((name, []))

    def coordinates(self, text: str) -> None:
        """Take the coordinates of the innermost element."""
        if not self._open:
            return
        try:
            xyz = _numbers(text)
        except ValueError as error:
            self._why = str(error)
            return
        self._size += xyz.nbytes
        if self._size > self._most:
            self._why = f"it has more than {self._most:,} bytes"
            return
        self._open[-1][1].append(xyz)

    def end(self, name: str) -> None:
        """End an element, and give it to the one around it."""
        if name not in _CODES or not self._open or self._open[-1][0] != name:
            return
        _, rings = self._open.pop()
        if name == "MultiGeometry":
            return
        around = self._open[-1][0] if self._open else ""
        if name == "LinearRing" and around == "Polygon":
            self._open[-1][1].extend(rings)
        elif rings or name == "Polygon":
            self._parts.append((_CODES[name], rings))

    def wkb(self) -> tuple[bytes | None, str]:
        """Return the geometry, ``None`` where there is none, and why it could not be read."""
        if self._why:
            return None, self._why
        if not self._parts:
            return None, ""
        # An altitude that one vertex lacks is not zero: then the place alone is kept.
        deep = all(ring.shape[1] == 3 for _, rings in self._parts for ring in rings)
        made = [_one(code, rings, deep) for code, rings in self._parts]
        if len(made) == 1:
            return made[0], ""
        codes = {code for code, _ in self._parts}
        outer = _COLLECTIONS[codes.pop()] if len(codes) == 1 else 7
        return _head(outer, deep) + struct.pack("<I", len(made)) + b"".join(made), ""


def _numbers(text: str) -> Floats:
    """Return tuples ``lon,lat[,altitude]`` as rows; a blank after a comma is forgiven.

    Raises
    ------
    ValueError
        A tuple has another number of values than the first, or one is no number.
    """
    tuples = re.sub(r"\s*,\s*", ",", text).split()
    if not tuples:
        return np.empty((0, 2))
    width = tuples[0].count(",") + 1
    if width not in (2, 3):
        raise ValueError(f"{tuples[0][:40]!r} is no longitude, latitude")
    values = ",".join(tuples).split(",")
    if len(values) != width * len(tuples):
        # Some tuples have an altitude and some not: the place alone is sure.
        pairs = [t.split(",")[:2] for t in tuples]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError("a coordinate has no latitude")
        values, width = [v for pair in pairs for v in pair], 2
    try:
        found = np.array(values, dtype=np.float64)
    except ValueError:
        raise ValueError("a coordinate is no number") from None
    return found.reshape(-1, width)


def _head(code: int, deep: bool) -> bytes:
    return struct.pack("<BI", 1, code + 1000 * deep)


def _one(code: int, rings: list[Floats], deep: bool) -> bytes:
    rings = [ring[:, : 2 + deep] for ring in rings]
    if code == 1:
        point = rings[0][:1] if len(rings[0]) else np.full((1, 2 + deep), np.nan)
        return _head(1, deep) + point.astype("<f8").tobytes()
    bodies = [struct.pack("<I", len(ring)) + ring.astype("<f8").tobytes() for ring in rings]
    if code == 2:
        return _head(2, deep) + bodies[0]
    return _head(3, deep) + struct.pack("<I", len(bodies)) + b"".join(bodies)
