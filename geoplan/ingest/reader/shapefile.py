"""The parts of a Shapefile: all there, as long as they say, and in which encoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from geoplan.errors import FileMissing, InputError
from geoplan.ingest.reader.encoding import Encoding, dbf_encoding
from geoplan.ingest.reader.request import Limits, Note, ReadRequest
from geoplan.ingest.reader.stage import part_of
from geoplan.ingest.reader.unread import Unread

__all__ = ["LostShapes", "check_parts", "deleted_rows", "text_encoding"]

_NULL_SHAPE = 4
"""Bytes of a record that says that the row has no geometry."""


def check_parts(shp: Path, *, where: str) -> list[Note]:
    """Return notes about parts that are missing and can be done without.

    Raises
    ------
    FileMissing
        There is no ``.dbf``.
    InputError
        A part is shorter than it says.
    """
    dbf, shx = part_of(shp, ".dbf"), part_of(shp, ".shx")
    if dbf is None:
        raise FileMissing(
            "the Shapefile has no .dbf part, which holds its attributes",
            where=where,
            remedy="deliver all parts: .shp, .shx, .dbf, .prj",
        )
    with shp.open("rb") as stream:
        head = stream.read(100)
    _long_enough(shp, int.from_bytes(head[24:28], "big") * 2, where)
    with dbf.open("rb") as stream:
        head = stream.read(32)
    rows, start, size = (
        int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12))
    )
    _long_enough(dbf, start + rows * size, where)
    notes = []
    if shx is None:
        notes.append(
            Note(
                "missing-part",
                "the Shapefile has no .shx part (index of its rows)",
                "rebuilt from the .shp; deliver all parts",
            )
        )
    else:
        with shx.open("rb") as stream:
            head = stream.read(100)
        said = int.from_bytes(head[24:28], "big") * 2
        _long_enough(shx, said, where)
        places = (said - 100) // 8
        if places != rows:
            raise InputError(
                f"the .shx has {places:,} rows and the .dbf {rows:,}: they are parts of two files",
                where=where,
                remedy="deliver the parts that belong together",
            )
    if part_of(shp, ".prj") is None:
        notes.append(
            Note(
                "missing-part",
                "the Shapefile has no .prj part, so it does not say its coordinate system",
                "deliver it with its .prj, or name --crs",
            )
        )
    return notes


def _long_enough(path: Path, said: int, where: str) -> None:
    size = path.stat().st_size
    if size < said:
        raise InputError(
            f"the {path.suffix.lower()} is cut off: it has {size:,} bytes and says {said:,}",
            where=where,
            remedy="deliver it again",
        )


class LostShapes:
    """Finds rows whose record GDAL passed over without a word.

    Parameters
    ----------
    shp : Path
        The Shapefile; its index tells the size of each record.
    limits : Limits
        Named where a record is larger.
    """

    def __init__(self, shp: Path, limits: Limits) -> None:
        self._limits = limits
        self._unread = Unread()
        self._sizes: npt.NDArray[np.int64] | None = None
        shx = part_of(shp, ".shx")
        # Rows that are marked as deleted are passed over, and rows no longer tell records.
        if shx is not None and not deleted_rows(shp):
            raw = np.fromfile(shx, ">u4", offset=100)
            self._sizes = raw[: len(raw) // 2 * 2].reshape(-1, 2)[:, 1].astype(np.int64) * 2

    def look_at(self, geometry: pa.Array, first: int) -> None:
        """Hold the geometries of one batch, ``first`` rows into the file, against the records."""
        if self._sizes is None or not geometry.null_count:
            return
        said = self._sizes[first : first + len(geometry)]
        missing = ~np.asarray(geometry.is_valid())[: len(said)]
        self._unread.passed = first
        for i in np.flatnonzero(missing & (said > _NULL_SHAPE)).tolist():
            size, most = int(said[i]), self._limits.feature_bytes
            over = f"; the limit is {most:,}" if size > most else ""
            self._unread.add(i, f"its record of {size:,} bytes is no outline{over}")

    def notes(self) -> list[Note]:
        """Return what was found, row by row."""
        return self._unread.notes()


def deleted_rows(shp: Path) -> int:
    """Return how many rows of the attribute table are marked as deleted."""
    dbf = part_of(shp, ".dbf")
    if dbf is None:
        return 0
    with dbf.open("rb") as stream:
        head = stream.read(32)
        rows, start, size = (
            int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12))
        )
        if not size:
            return 0
        stream.seek(start)
        deleted = 0
        step = max(1, (1 << 22) // size)
        while rows > 0 and (block := stream.read(min(step, rows) * size)):
            deleted += block[::size].count(b"*")
            rows -= step
    return deleted


def text_encoding(shp: Path, request: ReadRequest, notes: list[Note]) -> Encoding:
    """Return the encoding of the attributes, and note what had to be found out."""
    found, doubt = dbf_encoding(shp, request.encoding)
    if doubt:
        notes.append(
            Note("encoding-wrong", doubt, f"read as {found.name}; --encoding decides otherwise")
        )
    elif found.how == "detected" and found.confidence < 1.0:
        notes.append(
            Note(
                "encoding-detected",
                f"the file does not say its encoding; it is read as {found.name} "
                f"({found.evidence})",
                "name it with --encoding, or deliver a .cpg",
            )
        )
    return found
