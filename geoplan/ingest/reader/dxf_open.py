"""Open a drawing: its text encoding, its damage, its units, and where on Earth it says it is."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import ezdxf.filemanagement
import ezdxf.recover
import numpy as np
import numpy.typing as npt
from ezdxf.document import Drawing
from ezdxf.lldxf.validator import is_binary_dxf_file, is_dxf_file

from geoplan.errors import FileMissing, InputError
from geoplan.ingest.reader.dxf_encoding import encoding_of
from geoplan.ingest.reader.dxf_shape import attribute
from geoplan.ingest.reader.dxf_sieve import Sieve
from geoplan.ingest.reader.request import Note

__all__ = ["UNITS", "OpenDrawing", "open_drawing"]

Floats = npt.NDArray[np.float64]

UNITS = {
    1: ("inches", 0.0254),
    2: ("feet", 0.3048),
    4: ("millimetres", 0.001),
    5: ("centimetres", 0.01),
    6: ("metres", 1.0),
    7: ("kilometres", 1000.0),
    10: ("yards", 0.9144),
    14: ("decimetres", 0.1),
    15: ("decametres", 10.0),
    16: ("hectometres", 100.0),
    21: ("US survey feet", 1200 / 3937),
}
"""Units of a drawing by ``$INSUNITS``: name and metres (Autodesk DXF Reference, HEADER)."""

_HEADER_BYTES = 1 << 20
_PARTS = frozenset({b"VERTEX", b"ATTRIB", b"SEQEND"})
_NO_DRAWING = "save it as DXF (R2000 or later) in the CAD program; DWG is not read"
_DAMAGED = "ask for the drawing again, or open it in a CAD program with RECOVER and save it"


@dataclass(slots=True)
class OpenDrawing:
    """A drawing in memory.

    Parameters
    ----------
    doc : ezdxf.document.Drawing
        Its entities, without those that the sieve holds.
    sieve : Sieve or None
        The plain entities of its model space; None where ``doc`` holds them all.
    encoding, encoding_how : str
        As in :class:`~geoplan.ingest.reader.request.SourceInfo`.
    unit : str
        Name of its unit; ``metre`` is what one unit is in metres.
    declared_unit : bool
        Whether the drawing says its unit.
    crs : str or None
        ``EPSG:…`` where its GEODATA says so.
    placing : ndarray of float, shape (4, 4), or None
        What its GEODATA says must be done to coordinates (row vectors), in its own units.
    notes : list of Note
        What was found.
    """

    doc: Any
    sieve: Sieve | None
    encoding: str
    encoding_how: str
    unit: str = "metres"
    metre: float = 1.0
    declared_unit: bool = False
    crs: str | None = None
    placing: Floats | None = None
    notes: list[Note] = field(default_factory=list)

    def entities(self) -> Iterator[Any]:
        """Yield the entities of the model space in the order of the drawing."""
        if self.sieve is None:
            yield from self.doc.modelspace()
            return
        order = self.sieve.order
        # Entities without a handle in the file are named by ezdxf: they come last.
        rest = sorted(
            (
                (order.get(str(attribute(e, "handle", "")), len(order) + 1 << 40), k, e)
                for k, e in enumerate(self.doc.modelspace())
            ),
            key=lambda found: found[:2],
        )
        plain = iter(self.sieve.plain)
        held = next(plain, None)
        for number, _, entity in rest:
            while held is not None and held[0] < number:
                yield held[1]
                held = next(plain, None)
            yield entity
        if held is not None:
            yield held[1]
        yield from (entity for _, entity in plain)


class _Whole:
    r"""A damaged stream, of which only whole entities are passed on.

    What the end of the file cuts off in its middle is left out, and the end mark is added. Text
    beyond ASCII is written as ``\U+XXXX``, which the recovering parser reads in any encoding.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._lines = self._whole(stream)
        self._encoding = encoding

    def readline(self) -> bytes:
        line = next(self._lines, b"")
        if line.isascii():
            return line
        text = line.decode(self._encoding, "replace")
        return b"".join(
            c.encode() if c.isascii() else b"\\U+%04X" % min(ord(c), 0xFFFD) for c in text
        )

    @staticmethod
    def _whole(stream: BinaryIO) -> Iterator[bytes]:
        held: list[bytes] = []
        while True:
            code, value = stream.readline(), stream.readline()
            if not value:
                yield from (b"  0\n", b"ENDSEC\n", b"  0\n", b"EOF\n")
                return
            if code.strip() == b"0":
                name = value.strip().upper()
                # the vertices of a polyline belong to it, up to their end
                if name not in _PARTS:
                    yield from held
                    held = []
                if name == b"EOF":
                    yield from (code, value)
                    return
            held += (code, value)


def open_drawing(path: Path, encoding: str | None = None) -> OpenDrawing:
    """Read a drawing whole, R12 to the newest, text or binary; recover what damage left.

    Parameters
    ----------
    path : Path
        The file. External references, images and fonts that it names are not opened.
    encoding : str, optional
        Encoding of its text; wins over what it says and over what is found.

    Raises
    ------
    FileMissing
        It cannot be read.
    InputError
        It is no drawing, is damaged beyond recovery, or the encoding is unknown.
    """
    if encoding is not None:
        try:
            codecs.lookup(encoding)
        except LookupError:
            raise InputError(
                f"the encoding '{encoding}' is unknown",
                where=path.name,
                remedy="name one such as utf-8 or cp1256",
            ) from None
    try:
        binary = is_binary_dxf_file(str(path))
        found, how, notes = encoding_of(path, encoding, binary)
    except OSError as error:
        raise FileMissing(f"cannot be read: {error.strerror}", where=path.name) from error
    doc, sieve, said = _load(path, found, binary)
    drawing = OpenDrawing(doc, sieve, found, how, notes=[*notes, *said])
    _read_units(drawing)
    _read_place(drawing)
    return drawing


def _parse(path: Path, encoding: str, binary: bool) -> tuple[Any, Sieve | None]:
    if binary:
        return ezdxf.filemanagement.readfile(path), None
    if not is_dxf_file(str(path)):
        raise ValueError("it does not begin with a section")
    with path.open("rb") as stream:
        sieve = Sieve(stream, encoding)
        return Drawing.read(cast(TextIO, sieve)), sieve


def _load(path: Path, encoding: str, binary: bool) -> tuple[Any, Sieve | None, list[Note]]:
    if binary or _has_end(path):
        try:
            return *_parse(path, encoding, binary), []
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - the parser raises whatever damage makes of it
            why = str(error).strip().split("\n")[0] or type(error).__name__
    else:  # the plain parser takes the last section for missing, without a word
        why = "it has no end mark, and may have been cut off"
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEADER_BYTES)
            stream.seek(0)
            if binary or not re.search(rb"(?m)^[ \t]*0[ \t]*\r?\n[ \t]*SECTION", head):
                raise InputError(f"no DXF drawing: {why}", where=path.name, remedy=_NO_DRAWING)
            doc, audit = ezdxf.recover.read(cast(BinaryIO, _Whole(stream, encoding)))
    except (MemoryError, InputError):
        raise
    except Exception as error:
        raise InputError(
            f"the drawing is damaged: {why}", where=path.name, remedy=_DAMAGED
        ) from error
    mended = len(audit.fixes) + len(audit.errors)
    note = Note(
        "dxf-recovered",
        f"the drawing is damaged ({why}); what could be recovered was read, {mended:,} places "
        "were mended or left out, and shapes may be missing",
        _DAMAGED,
        count=max(1, mended),
    )
    return doc, None, [note]


def _has_end(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 4096))
        return re.search(rb"(?m)^[ \t]*EOF\s*$", stream.read()) is not None


def _read_units(drawing: OpenDrawing) -> None:
    try:
        code = int(drawing.doc.header.get("$INSUNITS", 0))
    except (TypeError, ValueError):
        code = 0
    if code in UNITS:
        drawing.unit, drawing.metre = UNITS[code]
        drawing.declared_unit = True
        if code != 6:
            what = f"the drawing is in {drawing.unit}; its coordinates were turned into metres"
            drawing.notes.append(Note("dxf-units", what, f"1 unit is {drawing.metre:g} m"))
        return
    what = (
        f"the drawing names the unit {code}, which is no unit of plans"
        if code
        else "the drawing names no unit"
    )
    drawing.notes.append(
        Note("dxf-units", f"{what}; metres are assumed", "set $INSUNITS (UNITS in CAD) to be sure")
    )


def _read_place(drawing: OpenDrawing) -> None:
    """Take the reference system of GEODATA, with the placing that goes with it."""
    try:
        geodata = drawing.doc.modelspace().get_geodata()
        if geodata is None:
            return
        epsg, east_first = geodata.get_crs()
        kind = int(geodata.dxf.get("coordinate_type", 0))
        placing = None
        if kind == 1:  # a local grid: its coordinates are moved and turned
            matrix, _ = geodata.get_crs_transformation(no_checks=True)
            rows = np.array([list(r) for r in matrix.rows()], dtype=np.float64)
            placing = None if np.allclose(rows, np.eye(4), rtol=0, atol=1e-9) else rows
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - XML and matrices of any making
        why = str(error).split("\n")[0] or type(error).__name__
        note = Note("dxf-geodata", f"the drawing's GEODATA says no usable CRS: {why}", "give --crs")
        drawing.notes.append(note)
        return
    usable = east_first and math.isclose(drawing.metre, 1.0)
    if placing is not None and not (usable and np.isfinite(placing).all()):
        what = f"GEODATA (EPSG:{epsg}) moves a drawing in {drawing.unit}: it was not followed"
        drawing.notes.append(Note("dxf-geodata", what, "give --crs, and check where it falls"))
        return
    drawing.crs, drawing.placing = f"EPSG:{epsg}", placing
    if placing is not None:
        what = f"the drawing was moved and turned to EPSG:{epsg} as its GEODATA says"
        drawing.notes.append(Note("dxf-geodata", what))
