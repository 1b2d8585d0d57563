"""DXF: rings as polylines and numbers as texts, for people who draw."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import shapely
from ezdxf import units
from ezdxf.filemanagement import new

from geoplan.errors import CrsProblem, Problem
from geoplan.report.export_about import Provenance
from geoplan.report.export_frames import Outgoing, Shapes, utm_of
from geoplan.report.inspection_place import points_in

__all__ = ["write_dxf"]

_STYLE = "GEOPLAN"
_HEIGHTS = (0.2, 10.0)
_SHARE = 0.6  # of the width of a square of the same area that a number may take
_ENTITIES = "  2\nENTITIES\n"


def write_dxf(
    path: Path, frames: Outgoing, about: Provenance, *, theme: str, label: str | None
) -> list[Problem]:
    """Write a drawing of AutoCAD 2010 (UTF-8), in metres.

    Parameters
    ----------
    path : Path
        File to make.
    frames : Outgoing
        In a projected CRS whose unit is the metre.
    about : Provenance
        Kept as custom properties of the drawing.
    theme : str
        Layer of the outlines; numbers stand on the layer ``<theme>-number``.
    label : str or None
        Column whose text is written on each shape.

    Returns
    -------
    list of Problem
        The columns that a drawing cannot hold.

    Raises
    ------
    CrsProblem
        The CRS is geographic or not in metres; the remedy names the UTM zone of the data.

    Notes
    -----
    ezdxf makes everything but the entities. Those are written as they come: an object for each of
    half a million plots would take gigabytes and minutes. Texts are UTF-8, as this version
    prescribes; GDAL, and QGIS with it, reads them so with ``DXF_ENCODING=UTF-8``.
    """
    batches = iter(frames.batches)
    first = next(batches, None)
    _metres_only(frames, first[1] if first else np.empty(0, dtype=object))
    drawing = new("R2010")
    drawing.units = units.M
    drawing.header["$MEASUREMENT"] = 1
    # SHX fonts have no Persian letters.
    drawing.styles.add(_STYLE, font="arial.ttf")
    outline, number = _layer_name(theme), f"{_layer_name(theme)}-number"
    drawing.layers.add(outline, color=7)
    drawing.layers.add(number, color=3)
    scratch = path.with_suffix(".entities")
    with scratch.open("w", encoding="utf-8", newline="\n") as out:
        pen = _Pen(out, drawing)
        for table, shapes in _chained(first, batches):
            pen.draw(shapes, outline)
            if label is not None and label in table.column_names:
                pen.write(shapes, table[label].to_pylist(), number)
    for name, text in about.items(crs=frames.crs_name, rows=frames.rows).items():
        drawing.header.custom_vars.append(f"geoplan:{name}", re.sub(r"\s+", " ", text))
    _join(path, drawing, scratch, pen)
    others = [n for n in frames.schema.names if n != label]
    if not others:
        return []
    return [
        Problem(
            about.layer, f"a drawing holds outlines and numbers only, not {', '.join(others)}",
            "export to GeoPackage for the attributes", "info", "no-attributes", len(others),
        )
    ]  # fmt: skip


def _join(path: Path, drawing: Any, scratch: Path, pen: _Pen) -> None:
    """Write the drawing around its entities."""
    drawing.header["$EXTMIN"], drawing.header["$EXTMAX"] = pen.corners()
    frame = io.StringIO()
    drawing.entitydb.handles.reset(f"{pen.handle + 1:X}")
    drawing.write(frame)
    before, after = frame.getvalue().split(_ENTITIES)
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(before + _ENTITIES)
        with scratch.open(encoding="utf-8", newline="\n") as entities:
            shutil.copyfileobj(entities, out, 1 << 20)
        out.write(after)
    scratch.unlink()


def _chained(first: Any, rest: Any) -> Iterator[Any]:
    if first is not None:
        yield first
    yield from rest


def _metres_only(frames: Outgoing, shapes: Shapes) -> None:
    metric = frames.crs.is_projected and all(
        axis.unit_conversion_factor == 1.0 for axis in frames.crs.axis_info[:2]
    )
    if not metric:
        raise CrsProblem(
            f"a drawing is in metres, and {frames.crs_name} is not",
            where="DXF",
            remedy=f"export with --crs {utm_of(frames, shapes)}",
        )


def _layer_name(text: str) -> str:
    # Letters that a layer's name may not have (AutoCAD 2010).
    return re.sub(r'[<>/\\":;?*|=`\x00-\x1f,]', "_", text).strip() or "0"


class _Pen:
    """Writes entities as group codes (DXF Reference, AutoCAD 2010, ENTITIES section)."""

    def __init__(self, out: TextIO, drawing: Any) -> None:
        self.out = out
        self.owner = drawing.modelspace().layout_key
        self.handle = int(str(drawing.entitydb.handles), 16)
        self.low, self.high = np.full(2, np.inf), np.full(2, -np.inf)

    def corners(self) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Return the least and the greatest corner of what was drawn."""
        if not np.isfinite(self.low).all():
            return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
        low, high = self.low.tolist(), self.high.tolist()
        return (low[0], low[1], 0.0), (high[0], high[1], 0.0)

    def _entity(self, kind: str, layer: str, subclass: str) -> str:
        self.handle += 1
        return (
            f"  0\n{kind}\n  5\n{self.handle:X}\n330\n{self.owner}\n100\nAcDbEntity\n"
            f"  8\n{layer}\n100\n{subclass}\n"
        )

    def draw(self, shapes: Shapes, layer: str) -> None:
        """Draw rings and lines as LWPOLYLINE, points as POINT."""
        known = shapes[~shapely.is_missing(shapes)]
        if len(known):
            box = shapely.total_bounds(known)
            self.low, self.high = np.minimum(self.low, box[:2]), np.maximum(self.high, box[2:])
        parts = shapely.get_parts(known)
        while (shapely.get_type_id(parts) >= 4).any():
            parts = shapely.get_parts(parts)
        kinds = shapely.get_type_id(parts)
        for part, kind in zip(parts, kinds, strict=True):
            if kind == 0:
                self.out.write(self._entity("POINT", layer, "AcDbPoint") + _at(part.x, part.y))
            elif kind == 3:
                for ring in shapely.get_rings(part):
                    self._polyline(shapely.get_coordinates(ring)[:-1].tolist(), layer, closed=True)
            else:
                self._polyline(shapely.get_coordinates(part).tolist(), layer, closed=False)

    def _polyline(self, xy: list[list[float]], layer: str, *, closed: bool) -> None:
        vertices = "".join(f" 10\n{x!r}\n 20\n{y!r}\n" for x, y in xy)
        head = self._entity("LWPOLYLINE", layer, "AcDbPolyline")
        self.out.write(f"{head} 90\n{len(xy)}\n 70\n{int(closed)}\n 43\n0.0\n{vertices}")

    def write(self, shapes: Shapes, texts: list[Any], layer: str) -> None:
        """Write a text in the middle of each shape, as high as there is room."""
        points = points_in(shapes)
        side = np.sqrt(shapely.area(shapes))
        for text, (x, y), size in zip(texts, points.tolist(), side.tolist(), strict=True):
            words = "" if text is None else re.sub(r"[\s\x00-\x1f]+", " ", str(text)).strip()
            if not words or not np.isfinite(x):
                continue
            room = size * _SHARE / max(len(words) * 0.7, 2.0) if size > 0 else 1.0
            height = min(max(room, _HEIGHTS[0]), _HEIGHTS[1])
            # 72 and 73: centred and in the middle, about the second point.
            self.out.write(
                f"{self._entity('TEXT', layer, 'AcDbText')}{_at(x, y)} 40\n{height:.3f}\n"
                f"  1\n{words}\n  7\n{_STYLE}\n 72\n1\n 11\n{x!r}\n 21\n{y!r}\n 31\n0.0\n"
                "100\nAcDbText\n 73\n2\n"
            )


def _at(x: float, y: float) -> str:
    return f" 10\n{x!r}\n 20\n{y!r}\n 30\n0.0\n"
