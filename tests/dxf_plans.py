"""Small drawings whose plots are known by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ezdxf
import ezdxf.filemanagement
import pyarrow as pa
import shapely
from ezdxf.enums import TextEntityAlignment

from geoplan.ingest.reader import GEOMETRY, Note, ReadRequest, SourceInfo
from geoplan.ingest.reader.dxf import read_dxf

__all__ = ["EAST", "NORTH", "Read", "block_of_plots", "drawing", "label", "read", "square"]

EAST, NORTH = 512_000.0, 3_945_000.0


class Read:
    """What the reader made of one drawing."""

    def __init__(self, info: SourceInfo, table: pa.Table, notes: list[Note]) -> None:
        self.info, self.notes = info, notes
        self.rows = table.to_pylist()
        self.shapes = [shapely.from_wkb(r[GEOMETRY]) for r in self.rows]

    def noted(self, code: str) -> list[Note]:
        return [n for n in self.notes if n.code == code]

    def by_text(self) -> dict[str | None, shapely.Geometry]:
        return {r["text"]: s for r, s in zip(self.rows, self.shapes, strict=True)}


def drawing(version: str = "R2010", units: int = 6) -> tuple[Any, Any]:
    doc = ezdxf.filemanagement.new(version)
    doc.units = units
    return doc, doc.modelspace()


def read(doc: Any, folder: Path, **asked: Any) -> Read:
    """Save a drawing (or take the path of one) and read it."""
    path = doc
    if not isinstance(doc, Path):
        path = folder / "plan.dxf"
        doc.saveas(path)
    info, batches, notes = read_dxf(ReadRequest(path, **asked))
    made = list(batches)
    table = pa.Table.from_batches(made) if made else pa.table({GEOMETRY: pa.array([], pa.binary())})
    assert info.rows == table.num_rows
    return Read(info, table, notes)


def square(x: float, y: float, side: float = 10.0) -> list[tuple[float, float]]:
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]


def label(space: Any, text: str, x: float, y: float, layer: str = "0", height: float = 1.0) -> Any:
    made = space.add_text(text, height=height, dxfattribs={"layer": layer})
    made.set_placement((x, y), align=TextEntityAlignment.MIDDLE_CENTER)
    return made


def block_of_plots(version: str = "R2010", across: int = 5, up: int = 4) -> Any:
    """Return a plan of adjacent plots of 20 × 30 m with Persian numbers, a street and a hatch."""
    doc, msp = drawing(version)
    for name in ("PLOT", "متن"):
        doc.layers.add(name)
    for k in range(across * up):
        x, y = EAST + 20 * (k % across), NORTH + 30 * (k // across)
        corners = [(x, y), (x + 20, y), (x + 20, y + 30), (x, y + 30)]
        if version == "R12":
            msp.add_polyline2d(corners, close=True, dxfattribs={"layer": "PLOT"})
        else:
            msp.add_lwpolyline(corners, close=True, dxfattribs={"layer": "PLOT"})
        label(msp, f"قطعه {k + 1}", x + 10, y + 15, layer="متن")
    msp.add_line((EAST, NORTH - 8), (EAST + 20 * across, NORTH - 8))
    msp.add_circle((EAST - 20, NORTH), 6, dxfattribs={"layer": "PLOT"})
    block = doc.blocks.new("POST")
    block.add_lwpolyline(square(0, 0, 2), close=True) if version != "R12" else block.add_polyline2d(
        square(0, 0, 2), close=True
    )
    msp.add_blockref("POST", (EAST - 40, NORTH), dxfattribs={"rotation": 30})
    return doc
