"""The map inside the report: one SVG, drawn on the equal-area grid, sharp on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.catalogue import RESOURCES
from geoplan.report.language import Language
from geoplan.report.order import site_numbers
from geoplan.report.outline import BREAKS, NO_DATA, RESOURCE_STYLES, SCALE, Outlines, class_of
from geoplan.siting.result import SitingResult

__all__ = ["picture_base", "picture_svg"]

_BASE = "map-base"

_WIDTH = 1000.0
_MARGIN = 14.0


class _Frame:
    """From metres on the grid to units of the picture."""

    def __init__(self, bounds: Sequence[float]) -> None:
        x0, y0, x1, y1 = bounds
        self.scale = (_WIDTH - 2 * _MARGIN) / max(x1 - x0, (y1 - y0) / 1.15, 1.0)
        self.x0, self.y1 = x0, y1
        self.width = (x1 - x0) * self.scale + 2 * _MARGIN
        self.height = (y1 - y0) * self.scale + 2 * _MARGIN

    def xy(self, points: np.ndarray) -> np.ndarray:
        out = np.empty_like(points, dtype="float64")
        out[:, 0] = (points[:, 0] - self.x0) * self.scale + _MARGIN
        out[:, 1] = (self.y1 - points[:, 1]) * self.scale + _MARGIN
        return np.round(out, 1)


def _frame(result: SitingResult, shapes: Outlines) -> _Frame:
    if len(shapes.regions):
        return _Frame(shapes.regions.total_bounds)
    if len(shapes.candidates):
        return _Frame(shapes.candidates.total_bounds)
    return _Frame(result.grid.bounds)


def _path(shape: shapely.Geometry, frame: _Frame) -> str:
    """Return an SVG path; rings are closed, lines are open."""
    words: list[str] = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            rings = (part.exterior, *part.interiors)
            words.extend(_line(ring, frame) + "Z" for ring in rings)
        elif part.geom_type in ("LineString", "LinearRing"):
            words.append(_line(part, frame))
        elif part.geom_type in ("MultiPolygon", "MultiLineString", "GeometryCollection"):
            words.append(_path(part, frame))
    return "".join(words)


def _line(line: shapely.Geometry, frame: _Frame) -> str:
    xy = frame.xy(shapely.get_coordinates(line))
    keep = np.ones(len(xy), dtype=bool)
    keep[1:] = np.any(xy[1:] != xy[:-1], axis=1)
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in xy[keep])


def picture_base(result: SitingResult, shapes: Outlines) -> str:
    """Return what is the same in every language, once for the page: regions, candidates, lines.

    The pictures refer to it, so it must not stand in a part of the page that is not displayed.
    """
    frame = _frame(result, shapes)
    size = f'viewBox="0 0 {frame.width:g} {frame.height:g}"'
    parts = [f'<svg class="store" aria-hidden="true"><symbol id="{_BASE}" {size}>']
    parts += ['<g stroke="#93a296" stroke-width="0.5" stroke-linejoin="round">']
    for shape, index in zip(
        shapes.regions.geometry, shapes.regions["industrialisation"], strict=True
    ):
        place = class_of(float(index)) if pd.notna(index) else None
        fill = NO_DATA if place is None else SCALE[place]
        parts.append(f'<path fill="{fill}" d="{_path(shape, frame)}"/>')
    parts.append('</g><g fill="none" stroke="#4d5a50" stroke-width="1.1">')
    parts += [f'<path d="{_path(shape, frame)}"/>' for shape in shapes.borders]
    parts.append('</g><g fill="#8f6a1d" stroke="#8f6a1d" stroke-width="0.9">')
    chosen = result.candidates["in_portfolio"].to_numpy(dtype=bool)
    parts += [
        f'<path d="{_path(s, frame)}"/>'
        for s, picked in zip(shapes.candidates, chosen, strict=True)
        if not picked
    ]
    parts.append("</g>")
    parts += [_lines(result, resource, frame) for resource in RESOURCES]
    parts.append("</symbol></svg>")
    return "".join(parts)


def _lines(result: SitingResult, resource: str, frame: _Frame) -> str:
    rows = result.supply
    if not len(rows):
        return ""
    rows = rows[(rows["resource"] == resource) & (rows["kind"] == "network")]
    places = ["source_lon", "source_lat", "site_lon", "site_lat"]
    rows = rows[rows[places].notna().all(axis=1)].sort_values(["site_id", "source_id"])
    if not len(rows):
        return ""
    ends = rows[places].to_numpy(dtype="float64").reshape(-1, 2)
    flat = _project(ends, result).reshape(-1, 4)
    colour, dash = RESOURCE_STYLES[resource]
    drawn = "".join(
        "M{:g} {:g}L{:g} {:g}".format(*frame.xy(row.reshape(2, 2)).ravel()) for row in flat
    )
    tips = "".join(
        f'<circle cx="{x:g}" cy="{y:g}" r="3"/>' for x, y in frame.xy(flat[:, :2].copy())
    )
    return (
        f'<path fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" '
        f'd="{drawn}"/><g fill="{colour}" stroke="#fff" stroke-width="0.8">{tips}</g>'
    )


def _project(points: np.ndarray, result: SitingResult) -> np.ndarray:
    series = gpd.GeoSeries(shapely.points(points), crs="EPSG:4326").to_crs(result.grid.crs)
    return np.asarray(shapely.get_coordinates(series.to_numpy()))


def picture_svg(result: SitingResult, shapes: Outlines, language: Language) -> str:
    """Return the whole picture in one language.

    Parameters
    ----------
    result : SitingResult
        A finished run.
    shapes : Outlines
        Its simplified shapes.
    language : Language
        Language of names, digits and legend.
    """
    frame = _frame(result, shapes)
    legend, legend_height = _legend(language, frame, result)
    height = frame.height + legend_height
    title = escape(language.t("map_caption"))
    return (
        f'<svg viewBox="0 0 {frame.width:g} {height:g}" role="img" aria-label="{title}" '
        f'direction="{language.direction}">'
        f'<use href="#{_BASE}" width="{frame.width:g}" height="{frame.height:g}"/>'
        f"{_sites(result, frame, language)}{_scale_bar(frame, language)}{legend}</svg>"
    )


def _sites(result: SitingResult, frame: _Frame, language: Language) -> str:
    numbers = site_numbers(result)
    if not numbers:
        return ""
    rows = result.candidates.loc[list(numbers)]
    at = frame.xy(_project(rows[["lon", "lat"]].to_numpy(dtype="float64"), result))
    level = max(spec.level for spec in result.profile.region_levels)
    taken: list[tuple[float, ...]] = [(x - 12, y - 12, x + 12, y + 12) for x, y in at]
    marks, labels = [], []
    for n, (x, y), row in zip(numbers.values(), at, rows.itertuples(), strict=True):
        marks.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="11" fill="#c8102e" stroke="#fff" stroke-width="2"/>'
            f'<text x="{x:g}" y="{y + 4.6:g}" text-anchor="middle" font-size="13" '
            f'font-weight="700" fill="#fff">{language.number(n)}</text>'
        )
        name = language.name(
            getattr(row, f"region{level}_name_en"), getattr(row, f"region{level}_name_local")
        )
        labels.append(_label(name, x, y, taken, frame, language))
    halo = 'paint-order="stroke" stroke="#fff" stroke-width="3.5" stroke-linejoin="round"'
    return f'<g font-size="14" fill="#1d2724" {halo}>{"".join(labels)}</g>{"".join(marks)}'


def _label(
    name: str, x: float, y: float, taken: list[tuple[float, ...]], frame: _Frame, language: Language
) -> str:
    wide = 7.4 * len(name)
    # The free side of the mark with the least overlap; the order is the order of preference.
    best: tuple[float, float, tuple[float, ...]] | None = None
    for dx, dy in ((16, 5), (-16 - wide, 5), (-wide / 2, -16), (-wide / 2, 27)):
        box: tuple[float, ...] = (x + dx, y + dy - 13, x + dx + wide, y + dy + 4)
        outside = max(0.0, -box[0]) + max(0.0, box[2] - frame.width)
        cost = 50 * outside + sum(_overlap(box, other) for other in taken)
        if best is None or cost < best[0]:
            best = (cost, dx, box)
    if best is None:  # unreachable with four sides; says so to the type checker
        return ""
    place = best[2]
    taken.append(place)
    middle = (place[0] + place[2]) / 2
    return (
        f'<text x="{middle:.1f}" y="{place[3] - 4:.1f}" text-anchor="middle" '
        f'lang="{language.code}">{escape(name)}</text>'
    )


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _scale_bar(frame: _Frame, language: Language) -> str:
    target = frame.width / 6 / frame.scale / 1000  # km in a sixth of the picture
    power = 10 ** math.floor(math.log10(target))
    km = max(step * power for step in (1, 2, 5) if step * power <= target)
    length = km * 1000 * frame.scale
    x, y = _MARGIN, frame.height - _MARGIN
    label = f"{language.compact(km)} {language.unit('km')}"
    return (
        f'<path d="M{x:g} {y - 6:.1f}V{y:.1f}H{x + length:.1f}V{y - 6:.1f}" fill="none" '
        f'stroke="#1d2724" stroke-width="1.6"/><text x="{x + length / 2:.1f}" y="{y - 9:.1f}" '
        f'text-anchor="middle" font-size="13" fill="#1d2724">{escape(label)}</text>'
    )


def _legend(language: Language, frame: _Frame, result: SitingResult) -> tuple[str, float]:
    """Return the legend below the picture and its height."""
    right = language.direction == "rtl"
    rows: list[list[tuple[str, str]]] = [[], []]
    edges = (0.0, *BREAKS, 1.0)
    for colour, low, high in zip(SCALE, edges, edges[1:], strict=False):
        rows[0].append((_box(colour), f"{language.number(low, 1)}–{language.number(high, 1)}"))
    if result.regions["industrialisation"].isna().any():
        rows[0].append((_box(NO_DATA), language.t("no_data")))
    rows[1].append((_box("#8f6a1d"), language.t("candidate")))
    rows[1].append(('<circle cx="11" cy="-5" r="7" fill="#c8102e"/>', language.t("chosen")))
    for resource in RESOURCES:
        colour, dash = RESOURCE_STYLES[resource]
        key = f'<path d="M0 -5H26" stroke="{colour}" stroke-width="2.4" stroke-dasharray="{dash}"/>'
        rows[1].append((key, language.t(resource)))
    parts = []
    for n, row in enumerate(rows):
        y = frame.height + 22 + 26 * n
        lead = f"{language.t('industrialisation')}" if n == 0 else ""
        at = _MARGIN
        if lead:
            at += 7.6 * len(lead) + 12
            x = frame.width - _MARGIN if right else _MARGIN
            parts.append(f'<text x="{x:g}" y="{y:g}" font-weight="700">{escape(lead)}</text>')
        for key, words in row:
            x = frame.width - at - 26 if right else at
            parts.append(f'<g transform="translate({x:.1f} {y:g})">{key}</g>')
            tx = frame.width - at - 32 if right else at + 32
            parts.append(f'<text x="{tx:.1f}" y="{y:g}">{escape(words)}</text>')
            at += 32 + 7.6 * len(words) + 18
    return f'<g font-size="13.5" fill="#1d2724">{"".join(parts)}</g>', 26.0 * len(rows) + 10


def _box(colour: str) -> str:
    return f'<rect x="0" y="-12" width="24" height="14" fill="{colour}" stroke="#93a296"/>'
