"""Walk a drawing: outlines and texts of its model space, with its blocks unfolded."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.errors import InputError, RangeError
from geoplan.ingest.reader.dxf_layer import LayerRoles
from geoplan.ingest.reader.dxf_note import NoteBook
from geoplan.ingest.reader.dxf_open import OpenDrawing
from geoplan.ingest.reader.dxf_shape import (
    OUTLINES,
    attribute,
    hatch_rings,
    readable,
    text_content,
    text_place,
)
from geoplan.ingest.reader.request import Note

__all__ = ["MOST_UNFOLDED", "MOST_VERTICES", "Label", "Piece", "Walk", "walk"]

Floats = npt.NDArray[np.float64]

MOST_UNFOLDED = 2_000_000
"""Entities that blocks may unfold to; blocks in blocks grow without bound otherwise."""

MOST_VERTICES = 50_000_000
"""Vertices of all outlines, chords included; a few bytes of arcs may ask for any number."""

_DEEPEST = 32
_TEXTS = frozenset({"TEXT", "MTEXT", "ATTRIB"})


@dataclass(slots=True)
class Piece:
    """An outline: ``xy`` (points, 2) in metres, whether it is closed, and what it is called."""

    xy: Floats
    closed: bool
    layer: str
    handle: str
    colour: int


@dataclass(slots=True)
class Label:
    """A text, its anchor and about its middle, in metres."""

    text: str
    anchor: tuple[float, ...]
    middle: tuple[float, ...]
    layer: str


@dataclass(slots=True)
class Walk:
    """What a drawing holds: outlines, texts, and by kind what is neither."""

    pieces: list[Piece] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    unused: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    heights: int = 0


@dataclass(frozen=True, slots=True)
class _Frame:
    """How the coordinates of a container become metres, and what its entities inherit."""

    matrix: Floats
    stretch: float
    layer: str | None = None
    colour: int = 7
    handle: str = ""
    blocks: tuple[str, ...] = ()
    plain: bool = False


def walk(
    drawing: OpenDrawing, roles: LayerRoles, matrix: Floats, tolerance: float, where: str
) -> tuple[Walk, NoteBook]:
    """Return all outlines and texts of the model space.

    Parameters
    ----------
    drawing : OpenDrawing
        The drawing.
    roles : LayerRoles
        What is read of which layer.
    matrix : ndarray of float, shape (4, 4)
        Row-vector transform from units of the drawing to metres.
    tolerance : float, m
        Largest distance between an arc and its chords, after the transform.
    where : str
        Name of the file, for messages.

    Raises
    ------
    InputError
        Blocks unfold to more than ``MOST_UNFOLDED`` entities.
    """
    walker = _Walker(drawing.doc, roles, tolerance, where)
    frame = _Frame(matrix, _stretch(matrix), plain=bool((matrix == np.eye(4)).all()))
    for entity in drawing.entities():
        walker.take(entity, frame)
    walker.finish()
    return walker.found, walker.book


def _stretch(matrix: Floats) -> float:
    return float(np.linalg.norm(matrix[:3, :3], 2))


class _Walker:
    def __init__(self, doc: Any, roles: LayerRoles, tolerance: float, where: str) -> None:
        self._doc, self._roles, self._tolerance, self._where = doc, roles, tolerance, where
        self.found, self.book = Walk(), NoteBook()
        self._unfolded = self._vertices = 0
        self._layers: dict[str, str] = {}

    def take(self, entity: Any, frame: _Frame) -> None:
        """Read one entity; one that breaks its reader is counted and left out."""
        kind = entity.dxftype()
        try:
            self._take(entity, kind, frame)
        except (InputError, MemoryError) as error:
            if not isinstance(error, RangeError):
                raise
            self._refuse(entity, kind, error.what)
        except Exception as error:  # noqa: BLE001 - ezdxf raises whatever a broken entity does
            self._refuse(entity, kind, str(error).split("\n")[0] or type(error).__name__)

    def _refuse(self, entity: Any, kind: str, why: str) -> None:
        self.found.broken[kind] += 1
        self.book.add(
            Note(
                "dxf-broken-entity",
                f"{kind[:40]} {attribute(entity, 'handle', '?')} was left out: {why}",
                "correct it in the drawing",
            )
        )

    def _take(self, entity: Any, kind: str, frame: _Frame) -> None:
        dxf = entity.dxf
        name = str(attribute(entity, "layer", "0"))
        layer = self._layers.get(name)
        if layer is None:
            layer = self._layers[name] = readable(name)
        if layer == "0" and frame.layer is not None:
            layer = frame.layer
        if attribute(entity, "invisible", 0):
            self.found.left_out["invisible entities"] += 1
            return
        if kind == "INSERT":
            self._unfold(entity, layer, frame)
            return
        rings, hatches, texts = self._roles.of(layer)
        if kind in _TEXTS or (kind == "ATTDEF" and frame.blocks and int(dxf.get("flags", 0)) & 2):
            if not texts:
                self.found.left_out[f"texts of layer {layer}"] += 1
                return
            text = text_content(entity)
            if text:
                anchor, middle = text_place(entity, text)
                if not frame.plain:
                    ends = self._place(np.array([anchor, middle], dtype=np.float64), frame)
                    anchor, middle = ends.tolist()
                self.found.labels.append(Label(text, tuple(anchor[:2]), tuple(middle[:2]), layer))
            return
        if kind == "HATCH" and hatches:
            for ring in hatch_rings(entity, self._tolerance / frame.stretch):
                self._keep(entity, ring, True, layer, frame)
            return
        outline = OUTLINES.get(kind)
        if outline is None:
            self.found.unused[kind] += 1
            return
        if not rings:
            self.found.left_out[f"outlines of layer {layer}"] += 1
            return
        # A tolerance too small for floats would ask for endless chords: arcs refuse it.
        made = outline(entity, self._tolerance / frame.stretch if frame.stretch > 0 else math.inf)
        if made is None:
            self.found.unused[f"{kind} that is a mesh"] += 1
        elif len(made[0]) < 2:
            self.found.unused[f"{kind} of fewer than two points"] += 1
        else:
            self._keep(entity, made[0], made[1], layer, frame)

    def _keep(self, entity: Any, xyz: Floats, closed: bool, layer: str, frame: _Frame) -> None:
        if xyz[:, 2].any():
            self.found.heights += 1
        colour = int(entity.dxf.get("color", 256))
        if colour == 256:
            colour = self._roles.colours.get(layer, 7)
        elif colour == 0:
            colour = frame.colour
        handle = f"{frame.handle}{entity.dxf.get('handle') or '?'}"
        xy = np.ascontiguousarray((xyz if frame.plain else self._place(xyz, frame))[:, :2])
        self._vertices += len(xy)
        if self._vertices > MOST_VERTICES:
            raise InputError(
                f"its outlines have more than {MOST_VERTICES:,} vertices",
                where=self._where,
                remedy="split the drawing, or allow a larger tolerance for curves",
            )
        self.found.pieces.append(Piece(xy, closed, layer, handle, colour))

    @staticmethod
    def _place(xyz: Floats, frame: _Frame) -> Floats:
        return xyz @ frame.matrix[:3, :3] + frame.matrix[3, :3]

    def _unfold(self, insert: Any, layer: str, frame: _Frame) -> None:
        for attrib in insert.attribs:
            self.take(attrib, _Frame(frame.matrix, frame.stretch, layer, handle=frame.handle))
        name = str(insert.dxf.get("name", ""))
        key = name.casefold()
        block = self._doc.blocks.get(name)
        if block is None:
            self.found.unused["INSERT of a missing block"] += 1
            return
        if block.block is not None and int(block.block.dxf.get("flags", 0)) & 0b101100:
            self.found.unused[f"external drawing {readable(name)} (xref)"] += 1
            return
        if key in frame.blocks or len(frame.blocks) >= _DEEPEST:
            self.found.unused["INSERT of a block in itself"] += 1
            return
        colour = int(insert.dxf.get("color", 256))
        if colour == 256:
            colour = self._roles.colours.get(layer, 7)
        elif colour == 0:
            colour = frame.colour
        handle = f"{frame.handle}{insert.dxf.get('handle') or '?'}/"
        rows = np.array([list(r) for r in insert.matrix44().rows()], dtype=np.float64)
        if not np.isfinite(rows).all():
            raise RangeError("its scale or place is no number")
        for shift in _grid(insert, rows):
            local = rows.copy()
            local[3, :3] += shift
            matrix = local @ frame.matrix
            stretch = _stretch(matrix)
            inner = _Frame(matrix, stretch, layer, colour, handle, (*frame.blocks, key))
            self._count()
            for entity in block:
                self._count()
                self.take(entity, inner)

    def _count(self) -> None:
        self._unfolded += 1
        if self._unfolded > MOST_UNFOLDED:
            raise InputError(
                f"its blocks unfold to more than {MOST_UNFOLDED:,} entities",
                where=self._where,
                remedy="explode the blocks that hold plots in the drawing, and purge the others",
            )

    def finish(self) -> None:
        """Count what lies in paper space."""
        model = self._doc.modelspace()
        paper = Counter(
            entity.dxftype()
            for layout in self._doc.layouts
            if layout is not model
            for entity in layout
        )
        del paper["VIEWPORT"]
        if paper:
            listed = ", ".join(f"{n:,} {kind}" for kind, n in paper.most_common())
            self.book.add(
                Note(
                    "dxf-paper-space",
                    f"not read, because it lies in paper space: {listed}",
                    count=paper.total(),
                )
            )


def _grid(insert: Any, rows: Floats) -> Iterator[Floats]:
    """Yield how far each copy of a block stands from the first (MINSERT), in the container."""
    across, down = int(insert.dxf.get("column_count", 1)), int(insert.dxf.get("row_count", 1))
    dx, dy = float(insert.dxf.get("column_spacing", 0)), float(insert.dxf.get("row_spacing", 0))
    # Steps run along the axes of the insert, turned but not scaled.
    lengths = np.linalg.norm(rows[:2, :3], axis=1, keepdims=True)
    signs = np.array([[np.sign(insert.dxf.xscale) or 1], [np.sign(insert.dxf.yscale) or 1]])
    axes = rows[:2, :3] / np.where(lengths > 0, lengths, 1) * signs
    for row in range(max(1, down) if dy else 1):
        for column in range(max(1, across) if dx else 1):
            yield column * dx * axes[0] + row * dy * axes[1]
