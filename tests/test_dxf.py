"""Plots of hand-made drawings: exact areas, blocks, open rings, texts, units."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
from dxf_plans import EAST, NORTH, block_of_plots, drawing, label, read, square
from ezdxf.enums import TextEntityAlignment

from geoplan.errors import FileMissing, InputError, RangeError, UnknownName
from geoplan.ingest.reader.dxf_note import MOST_PLACES
from geoplan.ingest.reader.request import Limits


@pytest.mark.parametrize("version", ["R12", "R2000", "R2004", "R2007", "R2010", "R2013", "R2018"])
def test_a_plan_of_every_version(tmp_path: Path, version: str) -> None:
    found = read(block_of_plots(version), tmp_path)
    assert found.info.format == "DXF" and found.info.crs is None
    assert {"PLOT", "متن"} <= set(found.info.layers)
    assert [r["__row__"] for r in found.rows] == list(range(1, 23))
    plots = found.by_text()
    for k in (1, 7, 20):
        x, y = EAST + 20 * ((k - 1) % 5), NORTH + 30 * ((k - 1) // 5)
        assert plots[f"قطعه {k}"].equals(shapely.box(x, y, x + 20, y + 30))
    assert found.rows[0]["dxf_layer"] == "PLOT" and found.rows[0]["color"] == 7
    assert [n.code for n in found.notes if n.code not in ("dxf-units", "encoding-detected")] == [
        "dxf-loose-lines"
    ]
    post = found.shapes[-1]
    assert post.area == pytest.approx(4)
    # turned by 30° about its corner: the far corner is at 2√2 under 75°
    far = (
        EAST - 40 + math.sqrt(8) * math.cos(math.radians(75)),
        NORTH + math.sqrt(8) * math.sin(math.radians(75)),
    )
    assert shapely.Point(far).distance(post) < 1e-6
    assert "/" in found.rows[-1]["handle"]


@pytest.mark.parametrize("tolerance", [0.001, 0.01, 0.1])
def test_half_circles_by_their_bulge(tmp_path: Path, tolerance: float) -> None:
    doc, msp = drawing()
    # a square of 20 with a half circle out of its right side; a circle of two half circles
    msp.add_lwpolyline(
        [(*p, b) for p, b in zip(square(EAST, NORTH, 20), (0, 1, 0, 0), strict=True)],
        format="xyb",
        close=True,
    )
    msp.add_lwpolyline([(EAST + 50, NORTH, 1), (EAST + 60, NORTH, 1)], format="xyb", close=True)
    found = read(doc, tmp_path, curve_tolerance_m=tolerance)
    outward, circle = found.shapes
    exact = 400 + math.pi * 100 / 2
    # an inscribed polygon lacks less than (2/3) × sagitta × arc length, and a little
    assert exact - 0.7 * tolerance * math.pi * 10 < outward.area < exact
    assert math.pi * 25 - 0.7 * tolerance * math.pi * 10 < circle.area < math.pi * 25
    assert outward.is_valid and outward.bounds[2] <= EAST + 30 + 1e-9


def test_bulged_neighbours_share_their_vertices(tmp_path: Path) -> None:
    doc, msp = drawing()
    a, b = (EAST + 20.3, NORTH + 0.7), (EAST + 23.1, NORTH + 31.9)
    msp.add_lwpolyline(
        [(*a, 0.37), (*b, 0), (EAST, NORTH + 30, 0), (EAST, NORTH, 0)], format="xyb", close=True
    )
    msp.add_lwpolyline(
        [(*b, -0.37), (*a, 0), (EAST + 60, NORTH, 0), (EAST + 60, NORTH + 30, 0)],
        format="xyb",
        close=True,
    )
    shapes = read(doc, tmp_path).shapes
    assert shapely.coverage_is_valid(shapes)
    assert shapes[0].intersection(shapes[1]).area == 0


def test_lines_arcs_and_splines_are_joined(tmp_path: Path) -> None:
    doc, msp = drawing()
    x, y = EAST, NORTH
    msp.add_line((x, y), (x + 20, y))
    msp.add_line((x, y + 10), (x, y))  # drawn the other way, not in order
    msp.add_arc((x + 20, y + 5), 5, 270, 90)
    msp.add_line((x, y + 10), (x + 20, y + 10))
    msp.add_ellipse((x + 100, y), (10, 0), 0.5)
    msp.add_ellipse((x + 200, y), (10, 0), 0.5, 0, math.pi)
    msp.add_line((x + 190, y), (x + 210, y))
    corners = [(x + 300, y, 0), (x + 310, y, 0), (x + 310, y + 10, 0), (x + 300, y + 10, 0)]
    msp.add_spline().set_closed(corners)
    found = read(doc, tmp_path, curve_tolerance_m=0.001)
    assert len(found.shapes) == 4
    stadium, ellipse, half, spline = found.shapes
    assert stadium.area == pytest.approx(200 + math.pi * 25 / 2, abs=0.02)
    assert ellipse.area == pytest.approx(math.pi * 50, abs=0.1)
    assert half.area == pytest.approx(math.pi * 25, abs=0.05)
    # the uniform closed B-spline of a square of side a: 61/90 a² by its exact integral
    assert spline.is_valid and spline.area == pytest.approx(6100 / 90, abs=0.05)
    assert found.rows[0]["handle"].count("+") == 3
    assert not found.noted("open-ring") and not found.noted("ring-closed")


def test_gaps_within_the_tolerance_are_closed_and_told(tmp_path: Path) -> None:
    doc, msp = drawing()
    x, y = EAST, NORTH
    msp.add_lwpolyline([*square(x, y), (x, y + 0.03)])  # open by 3 cm
    msp.add_lwpolyline([*square(x + 20, y), (x + 20, y + 0.2)])  # open by 20 cm
    msp.add_lwpolyline([*square(x + 40, y), (x + 40, y)])  # closed by its last point
    msp.add_line((x + 60, y), (x + 70, y))  # two lines and an arc, one joint 4 cm apart
    msp.add_line((x + 70.04, y), (x + 70, y + 10))
    msp.add_line((x + 70, y + 10), (x + 60, y))
    found = read(doc, tmp_path)
    assert len(found.rows) == 3
    closed = found.noted("ring-closed")
    assert [n.rows for n in closed] == [(1,), (3,)]
    assert "0.03 m" in closed[0].what and "0.04 m" in closed[1].what
    gap = shapely.from_wkb(closed[0].wkb)
    assert gap.length == pytest.approx(0.03) and gap.distance(shapely.Point(x, y)) < 0.031
    (wide,) = found.noted("open-ring")
    assert "0.2 m" in wide.what
    assert shapely.from_wkb(wide.wkb).length == pytest.approx(0.2)
    assert len(read(doc, tmp_path, close_tolerance_m=0.25).rows) == 4
    assert len(read(doc, tmp_path, close_tolerance_m=0.0).rows) == 1


def test_lines_shorter_than_the_tolerance_stay_lines(tmp_path: Path) -> None:
    """A circle exploded into pieces of 2 cm, closed at 5 cm: every piece keeps both ends."""
    doc, msp = drawing()
    angle = np.linspace(0, 2 * math.pi, 101)
    xy = np.column_stack([EAST + 0.3 * np.cos(angle), NORTH + 0.3 * np.sin(angle)])
    xy[-1] = xy[0]
    for a, b in pairwise(xy):
        msp.add_line(a, b)
    (shape,) = read(doc, tmp_path).shapes
    assert len(shape.exterior.coords) == 101
    assert shape.area == pytest.approx(100 / 2 * 0.09 * math.sin(2 * math.pi / 100))


def test_plots_that_share_their_lines(tmp_path: Path) -> None:
    """Three plots in a row drawn with ten lines; one line twice, one sticking out."""
    doc, msp = drawing()
    for k in range(4):
        msp.add_line((EAST + 10 * k, NORTH), (EAST + 10 * k, NORTH + 20))
    for k in range(3):
        for y in (0, 20):
            msp.add_line((EAST + 10 * k, NORTH + y), (EAST + 10 * k + 10, NORTH + y))
    msp.add_line((EAST + 10, NORTH + 20), (EAST + 10, NORTH))
    msp.add_line((EAST + 30, NORTH), (EAST + 45, NORTH))
    label(msp, "2", EAST + 15, NORTH + 10)
    found = read(doc, tmp_path)
    assert sorted(s.area for s in found.shapes) == pytest.approx([200, 200, 200])
    assert shapely.coverage_is_valid(found.shapes)
    assert found.by_text()["2"].equals(shapely.box(EAST + 10, NORTH, EAST + 20, NORTH + 20))
    assert found.noted("dxf-loose-lines")[0].count == 1


def test_nested_turned_scaled_and_mirrored_blocks(tmp_path: Path) -> None:
    doc, msp = drawing()
    plot = doc.blocks.new("PLOT", base_point=(1, 1))
    plot.add_lwpolyline([(1, 1), (5, 1), (5, 3), (1, 3)], close=True)  # 4 × 2 at the base point
    plot.add_lwpolyline([(6, 1, 1), (8, 1, 1)], format="xyb", close=True)  # a circle, r = 1
    plot.add_text("N", height=0.1).set_placement((2, 1.5))
    row = doc.blocks.new("ROW")
    row.add_blockref("PLOT", (0, 0))
    row.add_blockref("PLOT", (0, -5), dxfattribs={"xscale": -1})  # mirrored
    msp.add_blockref("ROW", (EAST, NORTH), dxfattribs={"rotation": 90, "xscale": 3, "yscale": 3})
    found = read(doc, tmp_path, curve_tolerance_m=0.001)
    plain, circle, mirrored, other = found.shapes
    # (0..4, 0..2) × 3, turned by 90°: x −6..0, y 0..12
    assert plain.normalize().equals_exact(
        shapely.box(EAST - 6, NORTH, EAST, NORTH + 12).normalize(), 1e-6
    )
    assert mirrored.normalize().equals_exact(
        shapely.box(EAST + 9, NORTH - 12, EAST + 15, NORTH).normalize(), 1e-6
    )
    for ring in (circle, other):
        assert math.pi * 9 - 0.7 * 0.001 * math.pi * 6 < ring.area < math.pi * 9
    assert [r["text"] for r in found.rows] == ["N", None, "N", None]
    assert found.rows[0]["handle"].count("/") == 2


def test_blocks_with_attributes_layers_and_grids(tmp_path: Path) -> None:
    doc, msp = drawing()
    doc.layers.add("قطعات", color=3)
    block = doc.blocks.new("P")
    block.add_lwpolyline(square(0, 0), close=True)  # on layer 0: the layer of the reference
    block.add_attdef("NO", (4, 4), height=1)
    insert = msp.add_blockref("P", (EAST, NORTH), dxfattribs={"layer": "قطعات"})
    insert.add_attrib("NO", "۱۲/۳", (EAST + 4, NORTH + 4))
    grid = {"row_count": 2, "column_count": 3, "row_spacing": 20, "column_spacing": 15}
    grid["rotation"] = 90
    msp.add_blockref(
        "P", (EAST + 100, NORTH),
        dxfattribs=grid,
    )  # fmt: skip
    loop = doc.blocks.new("LOOP")
    loop.add_blockref("LOOP", (0, 0))
    msp.add_blockref("LOOP", (0, 0))
    msp.add_blockref("NOWHERE", (0, 0))
    found = read(doc, tmp_path)
    first = found.rows[0]
    assert (first["dxf_layer"], first["text"], first["color"]) == ("قطعات", "۱۲/۳", 3)
    assert len(found.rows) == 7
    corner = {(round(s.bounds[2] - EAST), round(s.bounds[1] - NORTH)) for s in found.shapes[1:]}
    # columns run up and rows to the left, because the grid is turned by 90°
    assert corner == {(100 - 20 * r, 15 * c) for r in range(2) for c in range(3)}
    what = found.noted("dxf-unused")[0].what
    assert "block in itself" in what and "missing block" in what


def test_blocks_that_never_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geoplan.ingest.reader.dxf_walk.MOST_UNFOLDED", 10_000)
    doc, msp = drawing()
    doc.blocks.new("B0").add_line((0, 0), (1, 0))
    for k in range(1, 12):
        block = doc.blocks.new(f"B{k}")
        for _ in range(10):
            block.add_blockref(f"B{k - 1}", (0, 0))
    msp.add_blockref("B11", (0, 0))
    with pytest.raises(InputError, match=r"unfold to more than 10,000"):
        read(doc, tmp_path)


def test_arcs_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doc, msp = drawing()
    zigzag = [(1e9 * (k % 2), float(k), 0.9) for k in range(200)]  # 10⁵ chords each
    msp.add_lwpolyline(zigzag, format="xyb", close=True)
    msp.add_circle((0, 0), 1e15)
    msp.add_circle((EAST, NORTH), 5)
    found = read(doc, tmp_path)
    assert len(found.rows) == 1
    why = [n.what for n in found.noted("dxf-broken-entity")]
    assert len(why) == 2 and all("chords" in w for w in why)
    monkeypatch.setattr("geoplan.ingest.reader.dxf_walk.MOST_VERTICES", 20)
    with pytest.raises(InputError, match="more than 20 vertices"):
        read(tmp_path / "plan.dxf", tmp_path)


def test_coordinates_that_are_no_numbers(tmp_path: Path) -> None:
    """They reach the check of figures, which names the row; without any number there is no row."""
    doc, msp = drawing()
    for k in range(3):
        msp.add_lwpolyline([(111.25 if k else 5, 7), *square(EAST, NORTH)[1:]], close=True)
    msp.add_lwpolyline([(111.25, 111.25)] * 3, close=True)
    path = tmp_path / "plan.dxf"
    doc.saveas(path)
    path.write_bytes(path.read_bytes().replace(b"111.25", b"nan"))
    found = read(path, tmp_path)
    assert [np.isnan(shapely.get_coordinates(s)).any() for s in found.shapes] == [False, True, True]
    assert len(found.noted("broken-coordinate")) == 1


def test_a_drawing_seen_from_below(tmp_path: Path) -> None:
    """Extrusion (0, 0, −1) mirrors x: what a mirror command leaves behind."""
    doc, msp = drawing()
    down = {"extrusion": (0, 0, -1)}
    msp.add_lwpolyline(square(-EAST - 10, NORTH), close=True, dxfattribs=down)
    msp.add_circle((-EAST - 30, NORTH + 5), 5, dxfattribs=down)
    text = msp.add_text("A", height=1, dxfattribs=down)
    text.dxf.insert = (-EAST - 6, NORTH + 5)
    found = read(doc, tmp_path)
    assert found.shapes[0].equals(shapely.box(EAST, NORTH, EAST + 10, NORTH + 10))
    assert found.shapes[1].centroid.distance(shapely.Point(EAST + 30, NORTH + 5)) < 1e-3
    assert found.rows[0]["text"] == "A"


def test_where_texts_go(tmp_path: Path) -> None:
    doc, msp = drawing()
    msp.add_lwpolyline(square(EAST, NORTH, 100), close=True)  # a block of land …
    msp.add_lwpolyline(square(EAST + 10, NORTH + 10, 20), close=True)  # … and a plot in it
    label(msp, "12", EAST + 20, NORTH + 20)
    label(msp, "500 m²", EAST + 20, NORTH + 14)
    label(msp, "گوشه", EAST + 12, NORTH + 28)
    label(msp, "بلوک", EAST + 60, NORTH + 60)
    # starts left of the plot, but its middle is in it
    msp.add_text("x" * 20, height=1).set_placement((EAST - 105, NORTH + 5))
    msp.add_lwpolyline(square(EAST - 104, NORTH), close=True)
    label(msp, "lost", EAST + 300, NORTH)
    label(msp, "  ", EAST + 300, NORTH)
    found = read(doc, tmp_path)
    assert [(r["text"], r["other_texts"]) for r in found.rows] == [
        ("بلوک", None),
        ("12", "500 m² | گوشه"),
        ("x" * 20, None),
    ]
    (lost,) = found.noted("unplaced-text")
    assert "'lost'" in lost.what
    assert shapely.from_wkb(lost.wkb).equals(shapely.Point(EAST + 300, NORTH))


def test_layers_by_their_names(tmp_path: Path) -> None:
    doc, msp = drawing()
    doc.layers.add("FROZEN").freeze()
    for k, layer in enumerate(["PLOT-A", "plot-B", "ROAD", "قطعه‌هاي كل", "FROZEN"]):
        msp.add_lwpolyline(square(EAST + 20 * k, NORTH), close=True, dxfattribs={"layer": layer})
        label(msp, str(k), EAST + 20 * k + 5, NORTH + 5, layer="NO" if k % 2 else "AREA")
    msp.add_lwpolyline(square(EAST, NORTH - 50), dxfattribs={"layer": "PLOT-A"})
    msp.add_lwpolyline(square(EAST, NORTH - 50)[:2], dxfattribs={"layer": "ROAD"})

    found = read(doc, tmp_path)
    assert [r["text"] for r in found.rows] == ["0", "1", "2", "3", "4"]
    assert "FROZEN" in found.noted("dxf-hidden-layer")[0].what
    assert len(found.noted("open-ring")) == 1  # half of a square; the line is no ring
    assert found.noted("dxf-loose-lines")[0].count == 1

    roles = {"Plot-*": "plot", "no": "text"}
    found = read(doc, tmp_path, dxf_layers=roles)
    assert [(r["dxf_layer"], r["text"]) for r in found.rows] == [("PLOT-A", None), ("plot-B", "1")]
    assert len(found.noted("open-ring")) == 1  # a person said that PLOT-A holds plots
    assert "outlines of layer ROAD" in found.noted("dxf-left-out")[0].what

    found = read(doc, tmp_path, dxf_layers={"ROAD": "ignore", "AREA": "ignore"})
    assert [r["text"] for r in found.rows] == [None, "1", "3", None]
    found = read(doc, tmp_path, source_layer="قطعه‌های کل")
    assert [(r["dxf_layer"], r["text"]) for r in found.rows] == [("قطعه‌هاي كل", "3")]
    with pytest.raises(UnknownName, match="no layer of the drawing is named 'PLOTS'"):
        read(doc, tmp_path, dxf_layers={"PLOTS": "plot"})
    with pytest.raises(InputError, match="role 'parcel'"):
        read(doc, tmp_path, dxf_layers={"PLOT*": "parcel"})


def test_hatches_only_where_asked(tmp_path: Path) -> None:
    doc, msp = drawing()
    hatch = msp.add_hatch(dxfattribs={"layer": "H"})
    hatch.paths.add_polyline_path([(*p, 0) for p in square(EAST, NORTH)], is_closed=True)
    edges = hatch.paths.add_edge_path()
    edges.add_arc((EAST + 50, NORTH), 5, 0, 360)
    assert read(doc, tmp_path).rows == []
    found = read(doc, tmp_path, dxf_layers={"H": "hatch"})
    assert [round(s.area, 1) for s in found.shapes] == [100.0, pytest.approx(math.pi * 25, abs=0.4)]


def test_what_is_not_read_is_counted(tmp_path: Path) -> None:
    doc, msp = drawing()
    msp.add_lwpolyline(square(EAST, NORTH), close=True, dxfattribs={"elevation": 7})
    msp.add_polyline3d(
        [(EAST + 20, NORTH, 1), (EAST + 30, NORTH, 2), (EAST + 30, NORTH + 9, 3)], close=True
    )
    for _ in range(3):
        msp.add_3dface([(0, 0, 0), (1, 0, 0), (1, 1, 0)])
    msp.add_point((1, 1))
    msp.add_solid([(0, 0), (1, 0), (1, 1)])
    msp.add_polymesh((2, 2))
    hidden = msp.add_lwpolyline(square(0, 0), close=True)
    hidden.dxf.invisible = 1
    msp.add_lwpolyline([(EAST, NORTH), (EAST + 5, NORTH)], close=True)
    doc.layout("Layout1").add_lwpolyline(square(0, 0), close=True)
    found = read(doc, tmp_path)
    assert len(found.rows) == 2 and not any(s.has_z for s in found.shapes)
    (unused,) = found.noted("dxf-unused")
    for part in ("3 3DFACE", "1 POINT", "1 SOLID", "POLYLINE that is a mesh"):
        assert part in unused.what
    assert unused.count == 6
    assert found.noted("height")[0].count == 2
    assert "invisible" in found.noted("dxf-left-out")[0].what
    assert "fewer than three" in found.noted("dxf-degenerate")[0].what
    assert "1 LWPOLYLINE" in found.noted("dxf-paper-space")[0].what


@pytest.mark.parametrize(
    ("code", "metre"), [(1, 0.0254), (2, 0.3048), (4, 0.001), (5, 0.01), (7, 1000)]
)
def test_units_become_metres(tmp_path: Path, code: int, metre: float) -> None:
    doc, msp = drawing(units=code)
    side = 20 / metre
    msp.add_lwpolyline(square(0, 0, side), close=True)
    msp.add_circle((100 / metre, 0), 10 / metre)
    msp.add_lwpolyline([*square(300 / metre, 0, side), (300 / metre, 0.03 / metre)])
    found = read(doc, tmp_path)
    assert found.shapes[0].equals_exact(shapely.box(0, 0, 20, 20), 1e-6) or found.shapes[
        0
    ].area == pytest.approx(400)
    assert math.pi * 100 - 0.7 * 0.01 * math.pi * 20 < found.shapes[1].area < math.pi * 100
    assert "0.03 m" in found.noted("ring-closed")[0].what
    assert f"{metre:g} m" in found.noted("dxf-units")[0].remedy


def test_units_that_are_not_said_or_cannot_be(tmp_path: Path) -> None:
    found = read(block_of_plots(), tmp_path)
    assert not found.noted("dxf-units")
    doc = block_of_plots()
    doc.units = 0
    assert "metres are assumed" in read(doc, tmp_path).noted("dxf-units")[0].what
    # a template's millimetres in a drawing whose coordinates are those of a UTM zone
    doc.units = 4
    found = read(doc, tmp_path)
    assert found.by_text()["قطعه 1"].area == 600
    assert "millimetres" in found.noted("dxf-units-doubtful")[0].what


def test_where_on_earth_the_drawing_says_it_is(tmp_path: Path) -> None:
    doc = block_of_plots()
    geodata = doc.modelspace().new_geodata()
    geodata.setup_local_grid(design_point=(0, 0), reference_point=(0, 0))
    from ezdxf.entities.geodata import EPSG_3395

    geodata.coordinate_system_definition = EPSG_3395
    found = read(doc, tmp_path)
    assert found.info.crs == "EPSG:3395"
    geodata.setup_local_grid(
        design_point=(EAST, NORTH), reference_point=(1000, 2000), north_direction=(0, 1)
    )
    geodata.coordinate_system_definition = EPSG_3395
    found = read(doc, tmp_path)
    assert found.by_text()["قطعه 1"].equals_exact(
        shapely.box(1000, 2000, 1020, 2030).normalize(), 1e-6
    ) or (found.by_text()["قطعه 1"].bounds == pytest.approx((1000, 2000, 1020, 2030)))
    assert found.noted("dxf-geodata")
    geodata.coordinate_system_definition = "<broken"
    found = read(doc, tmp_path)
    assert found.info.crs is None and "no usable CRS" in found.noted("dxf-geodata")[0].what


def test_a_drawing_that_is_all_wrong_stays_readable(tmp_path: Path) -> None:
    doc, msp = drawing()
    for k in range(MOST_PLACES + 40):
        label(msp, str(k), EAST + k, NORTH)
    notes = read(doc, tmp_path).noted("unplaced-text")
    assert len(notes) == MOST_PLACES + 1
    assert sum(n.count for n in notes) == MOST_PLACES + 40
    assert len(shapely.from_wkb(notes[-1].wkb).geoms) == 40


def test_what_is_no_drawing(tmp_path: Path) -> None:
    path = tmp_path / "a.dxf"
    with pytest.raises(FileMissing):
        read(path, tmp_path)
    for content in (
        b"",
        b"\0" * 100,
        b"not a drawing\n" * 50,
        b"PK\x03\x04",
        b"AC1032" + bytes(99),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"no DXF drawing|damaged"):
            read(path, tmp_path)
    doc = block_of_plots()
    with pytest.raises(RangeError):
        read(doc, tmp_path, curve_tolerance_m=0.0)
    with pytest.raises(InputError, match="encoding"):
        read(doc, tmp_path, encoding="persian-1")
    with pytest.raises(InputError, match="22 outlines"):
        read(doc, tmp_path, limits=Limits(rows=10))


def test_a_damaged_drawing_is_recovered_and_told(tmp_path: Path) -> None:
    doc = block_of_plots()
    path = tmp_path / "a.dxf"
    doc.saveas(path)
    whole = path.read_bytes()
    cut = whole.index(b"\nENTITIES") + 3000
    path.write_bytes(whole[:cut])
    found = read(path, tmp_path)
    assert 0 < len(found.rows) < 22
    assert found.noted("dxf-recovered")
    for row, shape in zip(found.rows, found.shapes, strict=True):  # none of them cut short
        assert shape.area == (600 if row["dxf_layer"] == "PLOT" else 4)
    path.write_bytes(whole.replace(b"AcDbPolyline\n 90\n", b"AcDbPolyline\nx 90\n", 1))
    found = read(path, tmp_path)
    assert len(found.rows) >= 20 and "damaged" in found.noted("dxf-recovered")[0].what
    assert found.by_text()["قطعه 5"].area == 600


@pytest.mark.parametrize("version", ["R12", "R2000", "R2018"])
def test_the_quick_way_reads_what_ezdxf_reads(
    tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    doc = block_of_plots(version)
    msp = doc.modelspace()
    label(msp, "vertical %%d", EAST + 5, NORTH + 5).dxf.rotation = 90
    msp.add_text("fit").set_placement(
        (EAST + 21, NORTH + 2), (EAST + 31, NORTH + 2), align=TextEntityAlignment.FIT
    )
    msp.add_arc((EAST - 50, NORTH), 5, 0, 180)
    msp.add_line((EAST - 55, NORTH), (EAST - 45, NORTH))
    msp.add_point((0, 0))
    msp.add_polyline3d([(EAST, NORTH - 50, 1), (EAST + 9, NORTH - 50, 2), (EAST, NORTH - 41, 3)])
    msp.add_polyline2d(
        [(EAST - 80, NORTH, 0.5), (EAST - 70, NORTH, 0), (EAST - 70, NORTH + 9, -0.2)],
        format="xyb",
        close=True,
        dxfattribs={"color": 5},
    )
    if version != "R12":
        msp.add_lwpolyline(square(-EAST, NORTH + 200), dxfattribs={"extrusion": (0, 0, -1)})
        msp.add_mtext(
            "{\\C1;قطعه}\\Pدو" + "x" * 300,
            dxfattribs={"insert": (EAST + 1, NORTH + 29), "width": 12, "attachment_point": 3},
        )
    quick = read(doc, tmp_path)
    monkeypatch.setattr("geoplan.ingest.reader.dxf_sieve._NAMES", {})
    monkeypatch.setattr("geoplan.ingest.reader.dxf_sieve.Sieve._polyline", lambda *_: None)
    slow = read(tmp_path / "plan.dxf", tmp_path)
    assert quick.rows == slow.rows
    assert quick.notes == slow.notes
    assert quick.info == slow.info


def test_chunks_may_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doc = block_of_plots("R12")
    whole = read(doc, tmp_path)
    for size in (7, 64, 1000):
        monkeypatch.setattr("geoplan.ingest.reader.dxf_sieve._CHUNK", size)
        assert read(tmp_path / "plan.dxf", tmp_path).rows == whole.rows
    raw = (tmp_path / "plan.dxf").read_bytes()
    (tmp_path / "crlf.dxf").write_bytes(raw.replace(b"\n", b"\r\n"))
    assert read(tmp_path / "crlf.dxf", tmp_path).rows == whole.rows
