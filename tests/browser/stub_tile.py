"""Encode Mapbox vector tiles, for a server that has no PostGIS."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

__all__ = ["Feature", "encode_tile"]

Feature = tuple[BaseGeometry, dict[str, Any]]

_EXTENT = 4096
_MARGIN = 64


def encode_tile(features: Iterable[Feature], z: int, x: int, y: int) -> bytes:
    """Return the tile as bytes; empty when nothing lies in it."""
    size = _EXTENT * 2**z
    box = shapely.box(-_MARGIN, -_MARGIN, _EXTENT + _MARGIN, _EXTENT + _MARGIN)

    def project(coordinates: Any) -> Any:
        lon, lat = coordinates[:, 0], coordinates[:, 1]
        out = coordinates.copy()
        out[:, 0] = (lon / 360 + 0.5) * size - x * _EXTENT
        sine = [math.sin(math.radians(v)) for v in lat]
        out[:, 1] = [
            (0.5 - math.log((1 + s) / (1 - s)) / (4 * math.pi)) * size - y * _EXTENT for s in sine
        ]
        return out

    keys: dict[str, int] = {}
    values: dict[tuple[type, Any], int] = {}
    body = b""
    for number, (geometry, properties) in enumerate(features, start=1):
        placed = shapely.transform(geometry, project)
        if not placed.intersects(box):
            continue
        placed = shapely.set_precision(shapely.intersection(placed.simplify(2), box), 1)
        kind, commands = _commands(placed)
        if not commands:
            continue
        tags: list[int] = []
        for key, value in properties.items():
            if value is not None:
                tags.append(keys.setdefault(key, len(keys)))
                tags.append(values.setdefault((type(value), value), len(values)))
        body += _field(
            2,
            _number(1, number)
            + _field(2, _packed(tags))
            + _number(3, kind)
            + _field(4, _packed(commands)),
        )
    if not body:
        return b""
    layer = _number(15, 2) + _field(1, b"layer") + body
    layer += b"".join(_field(3, key.encode()) for key in keys)
    layer += b"".join(_field(4, _value(value)) for _, value in values)
    return _field(3, layer + _number(5, _EXTENT))


def _commands(geometry: BaseGeometry) -> tuple[int, list[int]]:
    parts = list(_simple(geometry))
    most = max((shapely.get_dimensions(p) for p in parts), default=-1)
    out: list[int] = []
    at = (0, 0)
    for part in parts:
        if shapely.get_dimensions(part) != most:
            continue
        rings = [part.coords] if most < 2 else [r.coords for r in _rings(part)]
        for ring in rings:
            points = [(round(px), round(py)) for px, py in ring]
            points = points[:-1] if most == 2 else points
            for n, (px, py) in enumerate(points):
                if n == 0:
                    out.append(1 | 1 << 3)
                elif n == 1:
                    out.append(2 | (len(points) - 1) << 3)
                out += [_zigzag(px - at[0]), _zigzag(py - at[1])]
                at = (px, py)
            if most == 2:
                out.append(7 | 1 << 3)
    return most + 1, out


def _simple(geometry: BaseGeometry) -> Iterator[Any]:
    if geometry.is_empty:
        return
    if hasattr(geometry, "geoms"):
        for part in geometry.geoms:
            yield from _simple(part)
    else:
        yield geometry


def _rings(polygon: Any) -> list[Any]:
    turned = orient(polygon, 1.0)
    return [turned.exterior, *turned.interiors]


def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 31)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _packed(numbers: Iterable[int]) -> bytes:
    return b"".join(map(_varint, numbers))


def _field(tag: int, data: bytes) -> bytes:
    return _varint(tag << 3 | 2) + _varint(len(data)) + data


def _number(tag: int, value: int) -> bytes:
    return _varint(tag << 3) + _varint(value)


def _value(value: object) -> bytes:
    if isinstance(value, bool):
        return _number(7, int(value))
    if isinstance(value, int):
        return _number(6, _zigzag(value))
    if isinstance(value, float):
        return _varint(3 << 3 | 1) + struct.pack("<d", value)
    return _field(1, str(value).encode())
