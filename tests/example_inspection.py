"""A messy cadastral file as it was found: one finding of many kinds, with hostile names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import shapely

from geoplan.catalogue.checks import DEFECTS, CheckRules
from geoplan.catalogue.text import Text
from geoplan.errors import Problem
from geoplan.ingest.inspection import CrsEvidence, Finding, Inspection, Repair, Tally
from geoplan.ingest.reader.request import SourceInfo

HOSTILE = "<script>alert('k')</script>\"&\n\x1b[31m\u202e"
X, Y = 562_000.0, 3_611_000.0  # near Esfahan in UTM zone 39


def box(x: float, y: float, w: float, h: float) -> shapely.Geometry:
    return shapely.box(X + x, Y + y, X + x + w, Y + y + h)


def example_outlines() -> np.ndarray[Any, Any]:
    """Ten blocks of 2 × 12 plots of 20 m × 40 m, with streets of 16 m between them."""
    shapes = [
        box(block % 2 * 256 + at % 12 * 20, block // 2 * 96 + at // 12 * 40, 20, 40)
        for block in range(10)
        for at in range(24)
    ]
    return np.array(shapes, dtype=object)


def _findings() -> list[Finding]:
    bow = shapely.Polygon(
        [(X + 40, Y + 96), (X + 60, Y + 136), (X + 60, Y + 96), (X + 40, Y + 136)]
    )
    return [
        Finding("overlap", "error", (3, 4), ("۱۲/الف", "۱۳"), 6.0, {"width_m": 0.15},
                geometry=box(59.85, 0, 0.15, 40)),
        Finding("overlap", "error", (30, 42), ("۳۰", HOSTILE), 0.0185, {"width_m": 0.0012},
                geometry=box(360, 39.9985, 12.3, 0.0015)),
        Finding("gap", "error", (55, 56, 67, 68, 69, 70), ("55", "56", "67", "68", "69", "70"),
                3.2, {"width_m": 0.08}, geometry=box(139.92, 96, 0.08, 40)),
        Finding("invalid-ring", "error", (51,), ("۵۱",), None, {},
                "Self-intersection[562050 3611116]", bow),
        Finding("duplicate-geometry", "error", (80, 81), ("۸۰", "۸۰ مکرر"), 800.0,
                geometry=box(256 + 140, 96, 20, 40)),
        Finding("outside-parent", "error", (120,), ("۱۲۰",), 57.5, {"outside_share": 0.0719},
                geometry=box(256 + 240, 230, 2.5, 23)),
        Finding("duplicate-key", "error", (14, 99), ("١٤", "14"), text="14"),
        Finding("missing-key", "error", (77,), ("",), geometry=box(80, 232, 20, 40)),
        Finding("destroyed-text", "warning", (18,), ("۱۸",), text="????? ???"),
        Finding("stated-area", "warning", (200,), ("۲۰۰",), 41.0,
                {"stated_m2": 841.0, "measured_m2": 800.0}, geometry=box(140, 384, 20, 40)),
        Finding("sliver", "warning", (201,), ("۲۰۱",), 8.0, {"width_m": 0.2},
                geometry=box(256, 424, 40, 0.2)),
        Finding("spike", "warning", (5,), ("۵",), None, {"angle_deg": 0.8, "length_m": 14.2},
                geometry=shapely.Point(X + 90, Y + 54.2)),
        Finding("unmatched-vertex", "info", (60, 61), ("۶۰", "۶۱"),
                geometry=shapely.Point(X + 220, Y + 110)),
        Finding("curve", "info", (7, 8), ("۷", "۸"),
                geometry=shapely.LineString([(X + 130, Y), (X + 140, Y + 3), (X + 150, Y)])),
        Finding("broken-coordinate", "error", (9,), ("۹",),
                geometry=shapely.Point(float("nan"), 3.0)),
    ]  # fmt: skip


def example_inspection(**changes: Any) -> Inspection:
    """Return the inspection of a shapefile with defects of many kinds."""
    found = _findings()
    tallies: dict[str, Tally] = {}
    for finding in found:
        before = tallies.get(finding.code, Tally(finding.severity, 0))
        area = (before.area_m2 or 0.0) + finding.area_m2 if finding.area_m2 is not None else None
        tallies[finding.code] = Tally(finding.severity, before.count + 1, area)
    # Not each note is kept, but all are counted.
    tallies["unmatched-vertex"] = Tally("info", 1_284)
    inspection = Inspection(
        file="قطعات شهرک نمونه ۱۴۰۲.zip",
        sha256="9f2c" * 16,
        layer="plots",
        title=Text(en="Plots", fa="قطعه‌ها"),
        source=SourceInfo(
            format="Shapefile",
            layer="plots_1402",
            layers=("plots_1402", "texts"),
            crs="EPSG:32640",
            encoding="windows-1256",
            encoding_how="detected",
            geometry_type="Polygon",
            rows=240,
            columns=(("SHOMARE", "string"), ("MASAHAT", "double"), ("SHAPE_LENG", "double")),
        ),
        crs="EPSG:32639",
        crs_how="proposed",
        evidence=CrsEvidence(
            "EPSG:32639", "EPSG:32640", "zone-off", False, 1.0, 0.0, (("EPSG:32638", 0.12),)
        ),
        columns=(("code", "SHOMARE", "string"), ("area_m2", "MASAHAT", "number")),
        unused=("SHAPE_LENG", "توضیحات"),
        rows_read=240,
        rows_good=225,
        rows_refused=15,
        findings=tuple(found),
        tallies=tallies,
        problems=(
            Problem(
                "plots_1402.dbf", "the text is Windows-1256, which no .cpg file says",
                "check the names below, or state --encoding", "warning", "encoding-detected",
            ),
        ),
        repairs=(
            Repair(33, "۳۳", "make_valid", 800.0, 799.6),
            Repair(150, "<b>150</b>", "remove_spikes", 802.25, 800.0),
        ),
        rules=CheckRules(coverage=True, stated_area="area_m2", parent="blocks",
                         parent_field="block_key"),
        synthetic=True,
        seconds=1.84,
    )  # fmt: skip
    return replace(inspection, **changes)


def clean_inspection() -> Inspection:
    """Return the inspection of a file without a defect."""
    return example_inspection(
        findings=(), tallies={}, problems=(), repairs=(), rows_good=240, rows_refused=0,
        crs_how="declared",
        evidence=CrsEvidence("EPSG:32639", "EPSG:32639", "fits", False, 1.0, 1.0),
    )  # fmt: skip


def every_kind() -> Inspection:
    """Return an inspection with one finding of every code there is."""
    found = tuple(
        Finding(code, "error" if kind.severity == "off" else kind.severity, (n,), (f"k{n}",), 1.5)
        for n, (code, kind) in enumerate(DEFECTS.items(), 1)
    )
    return example_inspection(
        findings=found, tallies={f.code: Tally(f.severity, 1, 1.5) for f in found}
    )
