"""Damage to files as it happens, and as someone who means harm would do it."""

# ruff: noqa: ARG001 - all mutations have one signature

from __future__ import annotations

import io
import re
import shutil
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

__all__ = ["BYTE_MUTATIONS", "TEXT_MUTATIONS", "ZIP_MUTATIONS", "mutate"]

Rng = np.random.Generator

_EXTREME = (
    b"1e308", b"-1e308", b"nan", b"inf", b"-inf", b"1e-320", b"99999999999999999999", b"-0", b"",
    b"0x1F", b"1,5", "۱۲".encode(), b"2147483648", b"-2147483649", b"1e400",
)  # fmt: skip
_LENGTHS = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE)
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_EVIL_NAMES = (
    "../../../../tmp/geoplan-fuzz-escape", "/tmp/geoplan-fuzz-escape", "a/../../b", "C:\\x.shp",
    "plots.shp\0.txt", "x" * 300, "نقشه.shp", "", "plots.gdb/../../x", "/vsicurl/http://[::1]/x",
)  # fmt: skip
_ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE a [<!ENTITY a "' + b"x" * 1000 + b'">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + k, b"&%c;" % (97 + k) * 10) for k in range(9))
    + b"]>",
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
)  # fmt: skip


def _span(data: bytearray, rng: Rng, most: int = 512) -> tuple[int, int]:
    start = int(rng.integers(0, len(data)))
    return start, min(len(data), start + int(rng.integers(1, most)))


def _flip(data: bytearray, rng: Rng, other: bytes) -> None:
    for _ in range(int(rng.choice([1, 1, 2, 8, 64]))):
        data[int(rng.integers(0, len(data)))] ^= 1 << int(rng.integers(0, 8))


def _flip_head(data: bytearray, rng: Rng, other: bytes) -> None:
    for _ in range(int(rng.integers(1, 5))):
        data[int(rng.integers(0, min(len(data), 200)))] = int(rng.integers(0, 256))


def _truncate(data: bytearray, rng: Rng, other: bytes) -> None:
    del data[int(rng.integers(0, len(data))) :]


def _splice(data: bytearray, rng: Rng, other: bytes) -> None:
    start, stop = _span(data, rng)
    at = int(rng.integers(0, max(1, len(other))))
    data[start:stop] = other[at : at + int(rng.integers(0, 512))]


def _move(data: bytearray, rng: Rng, other: bytes) -> None:
    start, stop = _span(data, rng)
    at = int(rng.integers(0, len(data)))
    data[at : at + stop - start] = data[start:stop]


def _length(data: bytearray, rng: Rng, other: bytes) -> None:
    for _ in range(int(rng.integers(1, 4))):
        value = int(rng.choice(np.array(_LENGTHS, dtype=np.uint64)))
        layout = str(rng.choice(["<I", ">I", "<H", "<Q"]))
        size = struct.calcsize(layout)
        at = int(rng.integers(0, max(1, len(data) - size)))
        value &= (1 << (8 * size)) - 1
        data[at : at + size] = struct.pack(layout, value)


def _repeat(data: bytearray, rng: Rng, other: bytes) -> None:
    start, stop = _span(data, rng, 256)
    data[start:start] = data[start:stop] * int(rng.choice([2, 10, 100, 1000]))


def _zeros(data: bytearray, rng: Rng, other: bytes) -> None:
    start, stop = _span(data, rng, 2048)
    data[start:stop] = bytes([int(rng.choice([0, 0xFF]))]) * (stop - start)


def _swap_head(data: bytearray, rng: Rng, other: bytes) -> None:
    size = int(rng.choice([4, 8, 16, 100, 512]))
    data[:size] = other[:size]


def _delete(data: bytearray, rng: Rng, other: bytes) -> None:
    start, stop = _span(data, rng)
    del data[start:stop]


BYTE_MUTATIONS: tuple[Callable[[bytearray, Rng, bytes], None], ...] = (
    _flip, _flip_head, _truncate, _splice, _move, _length, _repeat, _zeros, _swap_head, _delete,
)  # fmt: skip
"""Change bytes in place: ``(data, rng, bytes of another seed)``."""


def _numbers(data: bytearray, rng: Rng, other: bytes) -> None:
    found = list(_NUMBER.finditer(data))
    for k in (
        sorted(rng.choice(len(found), min(len(found), 3), replace=False))[::-1] if found else ()
    ):
        data[found[k].start() : found[k].end()] = _EXTREME[int(rng.integers(0, len(_EXTREME)))]


def _encoding(data: bytearray, rng: Rng, other: bytes) -> None:
    way = int(rng.integers(0, 5))
    if way == 0:
        data[:] = data.decode("utf-8", "replace").encode("utf-16")
    elif way == 1:
        data[:] = data.decode("utf-8", "replace").encode("cp1256", "replace")
    elif way == 2:
        data[:0] = b"\xef\xbb\xbf"
    elif way == 3:
        for _ in range(8):
            data[int(rng.integers(0, len(data)))] = int(rng.integers(128, 256))
    else:
        start, stop = _span(data, rng)
        data[start:stop] = b"\xed\xa0\x80" * ((stop - start) // 3)  # a lone surrogate


def _lines(data: bytearray, rng: Rng, other: bytes) -> None:
    lines = data.splitlines(keepends=True)
    for _ in range(int(rng.integers(1, 4))):
        a, b = (int(rng.integers(0, len(lines))) for _ in range(2))
        way = int(rng.integers(0, 3))
        if way == 0:
            lines[a], lines[b] = lines[b], lines[a]
        elif way == 1:
            del lines[a : a + int(rng.integers(1, 6))]
        else:
            lines[a:a] = lines[b : b + int(rng.integers(1, 20))] * int(rng.choice([1, 3, 50]))
        if not lines:
            break
    data[:] = b"".join(lines)


def _nest(data: bytearray, rng: Rng, other: bytes) -> None:
    at = int(rng.integers(0, len(data)))
    data[at:at] = bytes(rng.choice([b"[", b"{", b"(", b'"', b"<a>", b"&", b"\0"])) * int(
        rng.choice([1, 100, 20_000])
    )


def _entities(data: bytearray, rng: Rng, other: bytes) -> None:
    at = data.find(b"?>") + 2 if b"?>" in data else 0
    data[at:at] = _ENTITIES[int(rng.integers(0, len(_ENTITIES)))]
    end = data.find(b"</", at)
    if end > 0:
        data[end:end] = b"&e;&j;"


TEXT_MUTATIONS: tuple[Callable[[bytearray, Rng, bytes], None], ...] = (
    _numbers, _numbers, _encoding, _lines, _nest, _entities,
)  # fmt: skip
"""Change text in place."""

_TEXT = frozenset(
    {
        ".geojson",
        ".geojsonl",
        ".gml",
        ".kml",
        ".csv",
        ".dxf",
        ".prj",
        ".cpg",
        ".xml",
        ".xsd",
        ".rels",
    }
)


def _bytes(data: bytes, suffix: str, rng: Rng, other: bytes) -> bytes:
    made = bytearray(data)
    choices = BYTE_MUTATIONS + (TEXT_MUTATIONS * 2 if suffix in _TEXT else ())
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        if made:
            choices[int(rng.integers(0, len(choices)))](made, rng, other)
    return bytes(made)


def _zip_member(members: list[tuple[str, bytes]], rng: Rng, other: bytes) -> None:
    """Damage what is packed and keep the archive itself sound: the deepest way in."""
    k = int(rng.integers(0, len(members)))
    name, data = members[k]
    members[k] = (name, _bytes(data, Path(name).suffix, rng, other))


def _zip_name(members: list[tuple[str, bytes]], rng: Rng, other: bytes) -> None:
    k = int(rng.integers(0, len(members)))
    members[k] = (_EVIL_NAMES[int(rng.integers(0, len(_EVIL_NAMES)))], members[k][1])


def _zip_twice(members: list[tuple[str, bytes]], rng: Rng, other: bytes) -> None:
    name, _ = members[int(rng.integers(0, len(members)))]
    members.append((name, other[:1000]))


def _zip_drop(members: list[tuple[str, bytes]], rng: Rng, other: bytes) -> None:
    del members[int(rng.integers(0, len(members)))]


def _zip_bomb(members: list[tuple[str, bytes]], rng: Rng, other: bytes) -> None:
    k = int(rng.integers(0, len(members)))
    members[k] = (members[k][0], members[k][1] + bytes(int(rng.choice([1_000_000, 50_000_000]))))


def _zip_many(members: list[tuple[str, bytes]], rng: Rng, other: bytes) -> None:
    members.extend((f"{k}/x.txt", b"") for k in range(int(rng.choice([100, 3_000]))))


ZIP_MUTATIONS: tuple[Callable[[list[tuple[str, bytes]], Rng, bytes], None], ...] = (
    _zip_member, _zip_member, _zip_member, _zip_member, _zip_name, _zip_twice, _zip_drop, _zip_bomb,
    _zip_many,
)  # fmt: skip
"""Change the members of an archive in place."""


def _archive(data: bytes, rng: Rng, other: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(i.filename, archive.read(i)) for i in archive.infolist()]
    ZIP_MUTATIONS[int(rng.integers(0, len(ZIP_MUTATIONS)))](members, rng, other)
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        warnings.simplefilter("ignore")  # names that are there twice: meant
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def mutate(seed: Path, into: Path, rng: Rng, other: bytes) -> Path:
    """Copy a seed with its siblings into an empty folder, damage it, and return what to open.

    Parameters
    ----------
    seed : Path
        File or folder (FileGDB) to start from.
    into : Path
        An empty folder.
    rng : numpy.random.Generator
        Decides everything: the same state makes the same damage.
    other : bytes
        Bytes of another format, for splices and swapped headers.
    """
    shutil.copytree(seed.parent, into, dirs_exist_ok=True)
    made = into / seed.name
    files = sorted(p for p in into.rglob("*") if p.is_file())
    if len(files) > 1 and rng.random() < 0.15:  # a file of the set is missing, or is another one
        victim = files[int(rng.integers(0, len(files)))]
        if rng.random() < 0.5 and victim != made:
            victim.unlink()
        else:
            victim.write_bytes(files[int(rng.integers(0, len(files)))].read_bytes())
        return made
    victim = files[int(rng.integers(0, len(files)))]
    data = victim.read_bytes()
    if victim.suffix in (".zip", ".kmz", ".xlsx") and rng.random() < 0.7:
        victim.write_bytes(_archive(data, rng, other))
    else:
        victim.write_bytes(_bytes(data, victim.suffix, rng, other))
    if made.is_file() and rng.random() < 0.05:  # a wrong extension
        suffix = str(
            rng.choice([".shp", ".gpkg", ".csv", ".dxf", ".zip", ".tif", ".parquet", ".xyz"])
        )
        made = made.rename(made.with_suffix(suffix))
    return made
