"""Plots of a DXF drawing: closed outlines, each with the text that lies in it."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from geoplan.errors import InputError, RangeError
from geoplan.ingest.reader.dxf_label import labels_of
from geoplan.ingest.reader.dxf_layer import LayerRoles
from geoplan.ingest.reader.dxf_note import NoteBook, place
from geoplan.ingest.reader.dxf_open import OpenDrawing, open_drawing
from geoplan.ingest.reader.dxf_ring import Open, Ring, rings_of
from geoplan.ingest.reader.dxf_walk import Walk, walk
from geoplan.ingest.reader.request import GEOMETRY, ROW, Note, ReadRequest, SourceInfo

__all__ = ["BATCH_ROWS", "COLUMNS", "read_dxf"]

Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]

BATCH_ROWS = 16_384

COLUMNS = {
    "dxf_layer": pa.string(),
    "text": pa.string(),
    "other_texts": pa.string(),
    "handle": pa.string(),
    "color": pa.int32(),
}
"""Columns of a drawing. ``handle`` names the entities of the outline, those of blocks after the
handle of the block's reference and ``/``, joined ones with ``+``; ``color`` is the AutoCAD index,
taken from the layer or block where the entity says so."""

_PLAN_X, _PLAN_Y = (100_000.0, 900_000.0), (1_000_000.0, 10_000_000.0)
_MOST_HANDLES = 8


@dataclass(slots=True)
class _Plan:
    walk: Walk
    book: NoteBook
    rings: list[Ring]
    rest: list[Open]
    shapes: Shapes


def read_dxf(
    request: ReadRequest,
) -> tuple[SourceInfo, Iterator[pa.RecordBatch], list[Note]]:
    """Read the plots of a drawing.

    Parameters
    ----------
    request : ReadRequest
        ``path``, ``encoding``, ``dxf_layers``, ``source_layer`` (a glob over the layers whose
        outlines are plots), ``curve_tolerance_m``, ``close_tolerance_m`` and ``limits.rows``.

    Returns
    -------
    info : SourceInfo
        Format ``DXF``; the CRS is that of the drawing's GEODATA, or none.
    batches : iterator of pyarrow.RecordBatch
        ``__row__``, ``__geometry__`` (polygons without holes, in metres) and ``COLUMNS``; one
        empty batch where there is no plot.
        Outlines come in the order of the drawing. Polygons in polygons are all there; a text
        goes to the smallest that holds it. Of several texts, ``text`` is the one nearest to the
        centroid and ``other_texts`` the others, nearest first, joined with `` | ``.
    notes : list of Note
        ``ring-closed``, ``open-ring``, ``unplaced-text``, ``height``, ``encoding-detected``,
        ``dxf-units``, ``dxf-recovered``, ``dxf-geodata``, ``dxf-unused``, ``dxf-left-out``,
        ``dxf-broken-entity``, ``dxf-degenerate``, ``dxf-hidden-layer``, ``dxf-paper-space``,
        ``dxf-loose-lines``.

    Raises
    ------
    FileMissing, InputError, UnknownName, RangeError
        See :func:`~geoplan.ingest.reader.dxf_open.open_drawing`,
        :class:`~geoplan.ingest.reader.dxf_layer.LayerRoles` and
        :func:`~geoplan.ingest.reader.dxf_walk.walk`; a tolerance that is no distance; more
        outlines than ``limits.rows``.

    Notes
    -----
    An open outline is reported as ``open-ring`` where a person said which layers hold plots, and
    elsewhere where it comes back towards its start (its gap is less than half its length);
    other open lines are streets and the like, and are counted as ``dxf-loose-lines``.
    """
    # Hundreds of thousands of small objects that all stay: looking for garbage among them takes a
    # third of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _read(request)
    finally:
        if collecting:
            gc.enable()


def _read(request: ReadRequest) -> tuple[SourceInfo, Iterator[pa.RecordBatch], list[Note]]:
    where = request.path.name
    for name, value in (
        ("curve", request.curve_tolerance_m),
        ("close", request.close_tolerance_m),
    ):
        if not 0 <= value < float("inf") or (name == "curve" and value == 0):
            raise RangeError(f"{name}_tolerance_m is {value:g}", remedy="give a distance above 0")
    drawing = open_drawing(request.path, request.encoding)
    roles = LayerRoles(drawing, request.dxf_layers, request.source_layer, where=where)
    plan = _plan(drawing, roles, request)
    if _wrong_unit(drawing, plan):
        drawing.notes.append(
            Note(
                "dxf-units-doubtful",
                f"the drawing says that it is in {drawing.unit}, but its coordinates are those of "
                "a UTM zone in metres and its plots would be smaller than 1 m²: metres were taken",
                "set $INSUNITS (UNITS in CAD) to metres",
            )
        )
        drawing.metre = 1.0
        drawing.notes = [n for n in drawing.notes if n.code != "dxf-units"]
        plan = _plan(drawing, roles, request)
    if len(plan.rings) > request.limits.rows:
        raise InputError(
            f"the drawing holds {len(plan.rings):,} outlines; at most {request.limits.rows:,} "
            "rows are read",
            where=where,
        )
    texts, others = _name(plan)
    _tell(plan, roles)
    plan.book.extend(roles.notes())
    info = SourceInfo(
        format="DXF",
        layer=request.source_layer,
        layers=roles.names,
        crs=drawing.crs,
        encoding=drawing.encoding,
        encoding_how=drawing.encoding_how,
        geometry_type="Polygon",
        rows=len(plan.rings),
        columns=tuple((name, str(kind)) for name, kind in COLUMNS.items()),
    )
    return info, _batches(plan, texts, others), [*drawing.notes, *plan.book.all()]


def _plan(drawing: OpenDrawing, roles: LayerRoles, request: ReadRequest) -> _Plan:
    matrix = np.diag([drawing.metre, drawing.metre, drawing.metre, 1.0])
    if drawing.placing is not None:
        matrix = matrix @ drawing.placing
    found, book = walk(drawing, roles, matrix, request.curve_tolerance_m, request.path.name)
    rings, rest = rings_of(found.pieces, request.close_tolerance_m)
    sound = [r for r in rings if len(r.xy) >= 3 and _starts_well(r)]
    for ring in rings:
        if len(ring.xy) >= 3 and not _starts_well(ring):
            what = f"{_handle(found, ring)} has no coordinate that is a number"
            book.add(Note("broken-coordinate", what, "correct it in the drawing"))
        if len(ring.xy) < 3:
            book.add(
                Note(
                    "dxf-degenerate",
                    f"{_handle(found, ring)} has fewer than three corners and encloses nothing",
                    wkb=place(ring.xy[0]) if len(ring.xy) else None,
                )
            )
    return _Plan(found, book, sound, rest, _polygons(sound))


def _starts_well(ring: Ring) -> bool:
    """Turn a ring so that it starts with numbers: GEOS compares its ends; False without any."""
    good = np.flatnonzero(np.isfinite(ring.xy).all(axis=1))
    if not len(good):
        return False
    if good[0]:
        ring.xy = np.roll(ring.xy, -int(good[0]), axis=0)
    return True


def _polygons(rings: list[Ring]) -> Shapes:
    if not rings:
        return np.empty(0, dtype=object)
    owner = np.repeat(np.arange(len(rings)), [len(r.xy) for r in rings])
    made: Shapes = shapely.polygons(
        shapely.linearrings(np.concatenate([r.xy for r in rings]), indices=owner)
    )
    return made


def _sound(shapes: Shapes) -> Shapes:
    """Return the polygons whose coordinates are numbers; None in place of the others."""
    out = shapes.copy()
    out[~np.isfinite(shapely.bounds(shapes)).all(axis=1)] = None
    return out


def _wrong_unit(drawing: OpenDrawing, plan: _Plan) -> bool:
    """Tell whether a template left its unit in a drawing that is in metres."""
    shapes = _sound(plan.shapes) if len(plan.shapes) else plan.shapes
    shapes = shapes[~shapely.is_missing(shapes)]
    if drawing.metre in (1.0, 1000.0) or not len(shapes):
        return False
    x, y = np.median(shapely.get_coordinates(shapely.centroid(shapes)), axis=0) / drawing.metre
    in_zone = _PLAN_X[0] <= x <= _PLAN_X[1] and _PLAN_Y[0] <= y <= _PLAN_Y[1]
    return bool(in_zone and np.median(shapely.area(shapes)) < 1.0)


def _name(plan: _Plan) -> tuple[list[str | None], list[str | None]]:
    """Return the text of every ring and the other texts in it; report texts in no ring."""
    labels = plan.walk.labels
    texts: list[str | None] = [None] * len(plan.rings)
    others: list[str | None] = [None] * len(plan.rings)
    if not labels:
        return texts, others
    anchors = np.array([label.anchor for label in labels])
    middles = np.array([label.middle for label in labels])
    shapes = _sound(plan.shapes) if len(plan.shapes) else plan.shapes
    owner, away = labels_of(shapes, anchors, middles)
    for k in np.lexsort((np.arange(len(labels)), away)).tolist():
        ring, text = int(owner[k]), labels[k].text
        if ring < 0:
            continue
        if texts[ring] is None:
            texts[ring] = text
        else:
            before = others[ring]
            others[ring] = text if before is None else f"{before} | {text}"
    for k in np.flatnonzero(owner < 0).tolist():
        plan.book.add(
            Note(
                "unplaced-text",
                f"the text '{labels[k].text[:80]}' on layer {labels[k].layer} lies in no plot",
                "move it into its plot, or give its layer the role 'ignore'",
                wkb=place(anchors[k]),
            )
        )
    return texts, others


def _tell(plan: _Plan, roles: LayerRoles) -> None:
    """Add the notes of rings that were closed, of lines that stay open, of what was not used."""
    found, book = plan.walk, plan.book
    for row, ring in enumerate(plan.rings, start=1):
        if ring.gap_m > 0:
            book.add(
                Note(
                    "ring-closed",
                    f"{_handle(found, ring)} was open by {ring.gap_m:.4g} m and was closed",
                    "close it in the drawing",
                    rows=(row,),
                    wkb=None if ring.gap is None else place(ring.gap),
                )
            )
    loose = 0
    for line in plan.rest:
        gap = float(np.hypot(*(line.ends[1] - line.ends[0])))
        if roles.explicit or (line.segments > 1 and gap < 0.5 * line.length_m):
            layer = found.pieces[line.pieces[0]].layer
            book.add(
                Note(
                    "open-ring",
                    f"{_handle(found, line)} on layer {layer} is open by {gap:.4g} m",
                    "close it in the drawing, or allow a larger gap to be closed",
                    wkb=place(line.ends),
                )
            )
        else:
            loose += 1
    if loose:
        what = f"{loose:,} open lines enclose nothing and were left out"
        book.add(Note("dxf-loose-lines", what, count=loose))
    if found.heights:
        what = f"{found.heights:,} outlines have heights, which were left out"
        book.add(Note("height", what, count=found.heights))
    _count(book, "dxf-unused", "not read, because they are no outline or text", found.unused)
    _count(book, "dxf-left-out", "left out as asked", found.left_out)


def _count(book: NoteBook, code: str, why: str, kinds: Counter[str]) -> None:
    if kinds:
        listed = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common(50))
        more = f" and {len(kinds) - 50} more kinds" if len(kinds) > 50 else ""
        book.add(Note(code, f"{why}: {listed}{more}", count=kinds.total()))


def _handle(found: Walk, made: Ring | Open) -> str:
    handles = [found.pieces[k].handle for k in made.pieces]
    more = "+…" if len(handles) > _MOST_HANDLES else ""
    return "+".join(handles[:_MOST_HANDLES]) + more


def _batches(
    plan: _Plan, texts: list[str | None], others: list[str | None]
) -> Iterator[pa.RecordBatch]:
    names = [ROW, GEOMETRY, *COLUMNS]
    # A drawing without a plot gives one empty batch: its notes say what is wrong with it.
    for start in range(0, max(1, len(plan.rings)), BATCH_ROWS):
        rings = plan.rings[start : start + BATCH_ROWS]
        stop = start + len(rings)
        pieces = [plan.walk.pieces[r.pieces[0]] for r in rings]
        wkb = shapely.to_wkb(plan.shapes[start:stop], flavor="iso")
        values = [
            pa.array(np.arange(start + 1, stop + 1), pa.int64()),
            pa.array(wkb, pa.binary()),
            pa.array([p.layer for p in pieces], pa.string()),
            pa.array(texts[start:stop], pa.string()),
            pa.array(others[start:stop], pa.string()),
            pa.array([_handle(plan.walk, r) for r in rings], pa.string()),
            pa.array([p.colour for p in pieces], pa.int32()),
        ]
        yield pa.RecordBatch.from_arrays(values, names=names)
