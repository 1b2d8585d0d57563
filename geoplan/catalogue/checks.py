"""Tolerances of a cadastral check: one set for loading and for editing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geoplan.catalogue.text import Strict, Text

__all__ = ["DEFECTS", "CheckRules", "DefectKind"]

Level = Literal["error", "warning", "info", "off"]


class DefectKind(Strict):
    """What can be wrong with a row, and how bad that is by default."""

    title: Text
    severity: Level


def _kind(severity: Level, en: str, fa: str) -> DefectKind:
    return DefectKind.model_validate({"severity": severity, "title": {"en": en, "fa": fa}})


DEFECTS: dict[str, DefectKind] = {
    # geometry of one row
    "empty-geometry": _kind("error", "No geometry", "بدون هندسه"),
    "wrong-kind": _kind("error", "Wrong kind of geometry", "نوع نادرست هندسه"),
    "unsupported-kind": _kind("error", "Unsupported kind of geometry", "نوع پشتیبانی‌نشدهٔ هندسه"),
    "unreadable-geometry": _kind("error", "Geometry that cannot be read", "هندسهٔ ناخوانا"),
    "broken-coordinate": _kind("error", "Coordinate that is no number", "مختصات غیرعددی"),
    "invalid-ring": _kind("error", "Invalid ring", "حلقهٔ نامعتبر"),
    "curve": _kind("info", "Curve made of chords", "منحنی تبدیل‌شده به پاره‌خط"),
    "height": _kind("info", "Heights or measures left out", "ارتفاع یا سنجهٔ کنارگذاشته"),
    "height-refused": _kind("error", "Heights or measures not wanted", "ارتفاع یا سنجهٔ ناخواسته"),
    "spike": _kind("warning", "Spike", "زایدهٔ تیز"),
    "sliver": _kind("warning", "Sliver", "قطعهٔ باریک"),
    "repeated-vertex": _kind("info", "Repeated vertex", "رأس تکراری"),
    "stated-area": _kind("warning", "Area differs from the stated one", "اختلاف با مساحت اظهاری"),
    # between rows
    "duplicate-geometry": _kind("error", "Same outline twice", "هندسهٔ تکراری"),
    "overlap": _kind("error", "Overlap", "هم‌پوشانی"),
    "gap": _kind("error", "Gap", "شکاف"),
    "unmatched-vertex": _kind("info", "Vertex without partner (T)", "رأس بدون متناظر"),
    "outside-parent": _kind(
        "error", "Outside its block, phase or estate", "بیرون از محدودهٔ بالادست"
    ),
    "unknown-parent": _kind("error", "Unknown block, phase or estate", "محدودهٔ بالادست ناشناخته"),
    # attributes
    "missing-key": _kind("error", "No key", "بدون کلید"),
    "duplicate-key": _kind("error", "Same key twice", "کلید تکراری"),
    "required-missing": _kind("error", "A required value is missing", "نبود مقدار لازم"),
    "wrong-type": _kind("warning", "Value of the wrong type", "نوع نادرست مقدار"),
    "not-whole": _kind("warning", "Not a whole number, rounded", "عدد غیرصحیح، گردشده"),
    "out-of-range": _kind("warning", "Value out of its range", "مقدار خارج از بازه"),
    "unknown-code": _kind("warning", "Value outside the code list", "مقدار خارج از فهرست کد"),
    "destroyed-text": _kind("warning", "Text destroyed by an encoding", "متن خراب‌شده"),
    # the file
    "ring-closed": _kind("info", "Open ring closed", "حلقهٔ باز بسته‌شده"),
    "open-ring": _kind("error", "Open ring", "حلقهٔ باز"),
    "unplaced-text": _kind("warning", "Text that names no plot", "متن بی‌قطعه"),
    "repaired": _kind("info", "Repaired as asked", "تعمیرشده به درخواست"),
    "repair-refused": _kind("error", "Repair would change the area too much", "تعمیر ردشده"),
    "outside-country": _kind("warning", "Outside the country", "بیرون از کشور"),
}
"""Every defect of a row by its code. ``severity`` is the default; a layer may set its own."""


class CheckRules(Strict):
    """Tolerances and severities of the checks of a layer (``checks`` in its YAML)."""

    tolerance_m: float = Field(
        0.001, gt=0, le=1, description="Vertices nearer than this are one vertex, m"
    )
    overlap_min_m2: float = Field(
        0.01, ge=0, description="Overlaps up to this area are within survey accuracy, m²"
    )
    gap_min_m2: float = Field(
        0.01, ge=0, description="Gaps up to this area are within survey accuracy, m²"
    )
    gap_max_width_m: float = Field(
        1.0, gt=0, le=100, description="Wider spaces between plots are streets, not gaps, m"
    )
    sliver_width_m: float = Field(
        0.5, ge=0, description="A polygon narrower than this (2 × area / perimeter) is a sliver, m"
    )
    spike_angle_deg: float = Field(
        5.0, ge=0, lt=90, description="A corner sharper than this, both sides long, is a spike, °"
    )
    spike_side_m: float = Field(
        0.1, ge=0, description="Both sides of a spike are longer than this, m"
    )
    area_difference_share: float = Field(
        0.01, ge=0, description="Largest share by which area and stated area may differ"
    )
    area_difference_m2: float = Field(
        1.0, ge=0, description="Differences up to this are always accepted, m²"
    )
    repair_area_share: float = Field(
        0.001, ge=0, description="A repair that changes an area by a larger share is refused"
    )
    curve_tolerance_m: float = Field(
        0.01, gt=0, description="Largest distance between an arc and its chords, m"
    )
    close_tolerance_m: float = Field(
        0.05, ge=0, description="Open rings whose ends are this near are closed, m"
    )
    outside_min_m2: float = Field(
        0.1, ge=0, description="A plot may stick out of its block by this area, m²"
    )
    stated_area: str | None = Field(
        None, description="Field that holds the stated area in m², compared with the measured one"
    )
    parent: str | None = Field(
        None, description="Layer whose polygon must hold this one, by 'parent_field'"
    )
    parent_field: str | None = Field(None, description="Field that names the row of 'parent'")
    coverage: bool = Field(
        False, description="Rows are neighbours that may neither overlap nor leave gaps"
    )
    heights: Literal["drop", "refuse"] = Field(
        "drop", description="What happens to Z and M: dropped and told, or refused"
    )
    severity: dict[str, Level] = Field(
        default_factory=dict, description="Severity by code, where it is not the default"
    )

    def severity_of(self, code: str) -> Level:
        """Return how bad a defect is in this layer."""
        return self.severity.get(code, DEFECTS[code].severity)
