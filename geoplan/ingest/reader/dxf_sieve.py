"""The plain entities of a drawing, read from its text before the parser of the rest sees them.

A plan is a hundred thousand polylines and texts in the model space and little else. They are
taken out of the stream here, at a tenth of the time and memory, and everything that is not plain
(another plane, paper space, meshes, embedded objects, anything odd) goes on to ezdxf.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

__all__ = ["PlainEntity", "Sieve"]

_CHUNK = 1 << 22
# A code 0 is followed by a name; a value 0 by the number of the next code.
_START = re.compile(rb"(?:(?<=\n)|\A)[ \t]*0[ \t]*\r?\n(?=[ \t]*(?:[A-Z_]|3D))")
_NAMES: dict[str, dict[int, str]] = {
    "LINE": {},
    "POINT": {},
    "LWPOLYLINE": {38: "elevation", 70: "flags"},
    "ARC": {40: "radius", 50: "start_angle", 51: "end_angle"},
    "CIRCLE": {40: "radius"},
    "TEXT": {1: "text", 40: "height", 41: "width", 50: "rotation", 72: "halign", 73: "valign"},
    "MTEXT": {40: "char_height", 41: "width", 50: "rotation", 71: "attachment_point"},
}
_POINTS: dict[str, dict[int, str]] = {
    "LINE": {10: "start", 11: "end"},
    "ARC": {10: "center"},
    "CIRCLE": {10: "center"},
    "TEXT": {10: "insert", 11: "align_point"},
    "MTEXT": {10: "insert", 11: "text_direction"},
}
_NEEDED = {
    "LINE": ("start", "end"),
    "ARC": ("center", "radius", "start_angle", "end_angle"),
    "CIRCLE": ("center", "radius"),
    "TEXT": ("insert", "text"),
    "MTEXT": ("insert",),
}
_WHOLE = frozenset({"flags", "halign", "valign", "attachment_point"})
_TEXT = frozenset({"text"})


class PlainEntity:
    """An entity of the model space in its plainest form; it answers as one of ezdxf does.

    Parameters
    ----------
    kind : str
        ``LWPOLYLINE``, ``LINE``, ``TEXT`` …
    held : dict
        Its attributes under the names that ezdxf gives them.
    points : ndarray of float, optional
        Vertices x, y, bulge of a LWPOLYLINE; x, y, z, bulge of a POLYLINE.
    """

    __slots__ = ("_held", "kind", "points")

    def __init__(self, kind: str, held: dict[str, Any], points: Any = None) -> None:
        self.kind, self._held, self.points = kind, held, points

    def dxftype(self) -> str:
        """Return the kind."""
        return self.kind

    @property
    def dxf(self) -> PlainEntity:
        """Its attributes, which are on itself: one object less for each of many."""
        return self

    def get(self, name: str, default: Any = None) -> Any:
        """Return an attribute."""
        return self._held.get(name, default)

    def hasattr(self, name: str) -> bool:
        """Tell whether it has an attribute."""
        return name in self._held

    def __getattr__(self, name: str) -> Any:
        try:
            return self._held[name]
        except KeyError:
            raise AttributeError(name) from None


class Sieve:
    """A text stream for ``ezdxf``, without the plain entities of its ENTITIES section.

    Parameters
    ----------
    stream : BinaryIO
        A drawing as text.
    encoding : str
        Of its text.

    Attributes
    ----------
    plain : list of (int, PlainEntity)
        What was taken out, each with its number in the section.
    order : dict
        Handle of an entity that went on → its number in the section.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream, self._encoding = stream, encoding
        self._lines = self._sieved()
        self._layers: dict[bytes, str] = {}
        self.plain: list[tuple[int, PlainEntity]] = []
        self.order: dict[str, int] = {}

    def readline(self) -> str:
        """Return the next line with its end; an empty text at the end."""
        return next(self._lines, "")

    def _text(self, raw: bytes) -> str:
        return raw.decode(self._encoding, "surrogateescape")

    def _line(self, raw: bytes) -> str:
        return self._text(raw).rstrip("\r\n") + "\n"

    def _sieved(self) -> Iterator[str]:
        before = b""
        for raw in self._stream:
            yield self._line(raw)
            # names of other things may be ENTITIES too; a section's stands after its code 2
            if raw.strip() == b"ENTITIES" and before.strip() == b"2":
                break
            before = raw
        number = 0
        held: list[bytes] = []
        rest = b""
        for block, tail in self._entities():
            number += 1
            name = block[: block.find(b"\n")].strip()
            if held:  # vertices up to the end of their polyline
                held.append(block)
                if name == b"VERTEX":
                    continue
                made = self._polyline(held) if name == b"SEQEND" else None
                blocks, held = held, []
            elif name == b"POLYLINE":
                held = [block]
                continue
            else:
                made, blocks = self._plain(name, block), [block]
            if made is not None:
                self.plain.append((number, made))
            else:
                for passed in blocks:
                    yield from self._pass(passed, number)
            rest = tail
        for passed in held:
            yield from self._pass(passed, number)
        yield from (self._line(raw) for raw in rest.splitlines(keepends=True))
        for raw in self._stream:
            yield self._line(raw)

    def _pass(self, block: bytes, number: int) -> Iterator[str]:
        handle = re.search(rb"\n[ \t]*5[ \t]*\r?\n[ \t]*([0-9A-Fa-f]+)", block)
        if handle:
            self.order.setdefault(handle[1].decode().upper(), number)
        yield "  0\n"
        lines = block.split(b"\n")
        yield from (self._line(raw) for raw in lines[:-1])
        if lines[-1]:
            yield self._line(lines[-1])

    def _entities(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield what follows each code 0 up to the next; with ENDSEC, the rest of what was read."""
        left = b""
        while True:
            chunk = self._stream.read(_CHUNK)
            data = left + chunk
            starts = [m.span() for m in _START.finditer(data)]
            if not starts:
                if not chunk:
                    yield data, b""
                    return
                left = data
                continue
            # the last may be cut by the end of the chunk
            usable = starts if not chunk else starts[:-1]
            for k, (_, begin) in enumerate(usable):
                end = starts[k + 1][0] if k + 1 < len(starts) else len(data)
                block = data[begin:end]
                if block.lstrip().startswith(b"ENDSEC"):
                    first = block.find(b"\n") + 1
                    yield block[:first], data[begin + first :]
                    return
                yield block, b""
            if not chunk:
                return
            left = data[starts[-1][0] :]

    def _plain(self, name: bytes, block: bytes) -> PlainEntity | None:
        kind = name.decode("ascii", "replace")
        names = _NAMES.get(kind)
        if names is None:
            return None
        try:
            codes, values = _tags(block)
            if kind == "LWPOLYLINE":
                return self._lwpolyline(codes, values)
            found = dict(zip(codes, values, strict=True))
            held = self._inherited(found)
            if held is None or 101 in found:
                return None
            for code, attribute in names.items():
                raw = found.get(code)
                if raw is not None:
                    held[attribute] = self._value(attribute, raw)
            for code, attribute in _POINTS.get(kind, {}).items():
                if code in found:
                    held[attribute] = _point(found, code)
            if any(n not in held for n in _NEEDED.get(kind, ())):
                return None
            if kind == "MTEXT":
                pieces = [v for c, v in zip(codes, values, strict=True) if c in (1, 3)]
                held["text"] = "".join(self._text(v.rstrip(b"\r")) for v in pieces)
            return PlainEntity(kind, held)
        except (ValueError, KeyError):
            return None

    def _value(self, attribute: str, raw: bytes) -> Any:
        if attribute in _TEXT:
            return self._text(raw.rstrip(b"\r"))
        return int(raw) if attribute in _WHOLE else float(raw)

    def _inherited(self, found: dict[int, bytes]) -> dict[str, Any] | None:
        """Return layer, handle and colour; None where the entity is not plain."""
        if 67 in found and int(found[67]) != 0:  # paper space
            return None
        if 210 in found and _point(found, 210) != (0.0, 0.0, 1.0):
            return None
        raw = found.get(8, b"0")
        layer = self._layers.get(raw)
        if layer is None:
            layer = self._layers[raw] = self._text(raw.rstrip(b"\r"))
        held: dict[str, Any] = {"layer": layer}
        if 5 in found:
            held["handle"] = found[5].strip().decode("ascii", "replace")
        if 62 in found:
            held["color"] = int(found[62])
        if 60 in found:
            held["invisible"] = int(found[60])
        return held

    def _lwpolyline(self, codes: list[int], values: list[bytes]) -> PlainEntity | None:
        xs: list[float] = []
        ys: list[float] = []
        bulges: list[float] = []
        found: dict[int, bytes] = {}
        for code, value in zip(codes, values, strict=True):
            if code == 10:
                xs.append(float(value))
                bulges.append(0.0)
            elif code == 20:
                ys.append(float(value))
            elif code == 42 and bulges:
                bulges[-1] = float(value)
            else:
                found[code] = value
        held = self._inherited(found)
        if held is None or len(xs) != len(ys):
            return None
        held["flags"] = int(found.get(70, b"0"))
        if 38 in found:
            held["elevation"] = float(found[38])
        points = np.empty((len(xs), 3))
        points[:, 0], points[:, 1], points[:, 2] = xs, ys, bulges
        return PlainEntity("LWPOLYLINE", held, points)

    def _polyline(self, blocks: list[bytes]) -> PlainEntity | None:
        try:
            head, *vertices, _ = (dict(zip(*_tags(b), strict=True)) for b in blocks)
            held = self._inherited(head)
            flags = int(head.get(70, b"0"))
            if held is None or flags & (2 | 4 | 16 | 64):  # curve-fitted, meshes
                return None
            held["flags"] = flags
            held["elevation"] = (0.0, 0.0, float(head.get(30, b"0")))
            points = np.array(
                [(*_point(v, 10), float(v.get(42, b"0"))) for v in vertices], dtype=np.float64
            )
            return PlainEntity("POLYLINE", held, points.reshape(-1, 4))
        except (ValueError, KeyError):
            return None


def _tags(block: bytes) -> tuple[list[int], list[bytes]]:
    """Return codes and values after the name of an entity."""
    lines = block.split(b"\n")
    if lines[-1].strip() == b"":
        lines.pop()
    if len(lines) % 2 == 0:  # the name, and pairs
        raise ValueError("a code without its value")
    return [int(c) for c in lines[1::2]], lines[2::2]


def _point(found: dict[int, bytes], code: int) -> tuple[float, float, float]:
    return float(found[code]), float(found[code + 10]), float(found.get(code + 20, b"0"))
