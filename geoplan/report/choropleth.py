"""A national choropleth as one small SVG, with its legend, in English or Persian."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from html import escape

import geopandas as gpd
import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.report.choropleth_classes import Classes, Classing, classify, signed
from geoplan.report.choropleth_shapes import LightRegions, light_regions, names_of, svg_path
from geoplan.report.language import Language

__all__ = ["CLASS_WORDS", "NO_DATA_LABEL", "choropleth_svg", "legend_heading"]

NO_DATA_LABEL = Text(en="no data", fa="بدون داده")

CLASS_WORDS = {
    "quantiles": Text(
        en="classes of about equally many regions", fa="رده‌هایی با شمار کم‌وبیش برابر منطقه"
    ),
    "equal": Text(en="classes of equal width", fa="رده‌هایی با پهنای برابر"),
    "given": Text(en="fixed classes", fa="رده‌های ثابت"),
    "diverging": Text(en="classes on both sides of {centre}", fa="رده‌هایی در دو سوی {centre}"),
}
_REGIONS = Text(en="regions", fa="منطقه")

_MAP = 760.0
_SIDE = 236.0
_MARGIN = 16.0
_HEAD = 46.0
_FINE = 10  # units of a path in one unit of the picture
_FONT = "Vazirmatn, Tahoma, 'DejaVu Sans', 'Segoe UI', Roboto, Arial, sans-serif"


def choropleth_svg(
    regions: gpd.GeoDataFrame,
    values: pd.Series,
    *,
    title: Text,
    unit: str,
    language: Language,
    crs: str,
    classes: Classing = "quantiles",
    count: int = 5,
    breaks: Sequence[float] | None = None,
    centre: float = 0.0,
    decimals: int | None = None,
    no_data: Text = NO_DATA_LABEL,
    note: Text | None = None,
    light: LightRegions | None = None,
) -> str:
    """Return the map.

    Parameters
    ----------
    regions : GeoDataFrame
        ``code``, ``name_en``, ``name_local``, ``parent_code`` (its borders are drawn stronger)
        and polygons of one level.
    values : Series of float, index ``code``
        What is shown, in ``unit``. Missing, infinite and absent ones are hatched.
    title : Text
        Heading.
    unit : str
        Unit of the values; empty for none.
    language : Language
        Language of all words; Persian runs right to left, with Persian digits.
    crs : str
        Equal-area CRS of the picture.
    classes, count, breaks, centre, decimals
        See :func:`geoplan.report.choropleth_classes.classify`.
    no_data : Text
        What the hatching means.
    note : Text, optional
        One line under the map: source and date.
    light : LightRegions, optional
        The same regions already simplified, where several maps are drawn.

    Returns
    -------
    str
        An ``<svg>`` element; the same text for the same input, whatever the order of rows.

    Raises
    ------
    RangeError, EmptyLayer, ShapeError, CrsProblem
        Classes that cannot be; no shapes; a code twice; a CRS that does not keep areas.
    """
    drawn = light or light_regions(regions, crs=crs)
    frame = drawn.frame
    shown = values.copy()
    shown.index = shown.index.astype(str)
    shown = shown.reindex(frame.index)
    found = classify(shown, method=classes, count=count, breaks=breaks, centre=centre,
                     decimals=decimals)  # fmt: skip
    x0, y0, x1, y1 = frame.total_bounds
    scale = min((_MAP - 2 * _MARGIN) / (x1 - x0), 1.2 * _MAP / (y1 - y0))
    wide, high = (x1 - x0) * scale + 2 * _MARGIN, (y1 - y0) * scale + 2 * _MARGIN
    right = language.direction == "rtl"
    left = _SIDE if right else 0.0
    heading = _wrapped(language.text(title), int((wide + _SIDE) / 10.5))
    top = _HEAD + 24 * (len(heading) - 1)
    legend, legend_high = _legend(found, language, unit, no_data, centre)
    foot = 26.0 if note is not None else 6.0
    width, height = wide + _SIDE, top + max(high, legend_high) + foot

    body = _regions(frame, shown, found, language, unit, (x0, y1, scale))
    key = hashlib.sha256((body + legend).encode()).hexdigest()[:8]
    hatch = f"hatch-{key}"
    edge = width - _MARGIN if right else _MARGIN
    texts = "".join(
        f'<text x="{edge:g}" y="{30 + 24 * n}" font-size="20" font-weight="700" '
        f'fill="#17443a">{escape(line)}</text>'
        for n, line in enumerate(heading)
    )
    if note is not None:
        texts += (
            f'<text x="{edge:g}" y="{height - 9:.1f}" font-size="12" fill="#4d5a50">'
            f"{escape(language.text(note))}</text>"
        )
    side = _MARGIN if right else wide
    borders = "".join(
        f'<path d="{svg_path(line, x0, y1, scale * _FINE)}"/>' for line in drawn.borders
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" '
        f'role="img" lang="{language.code}" direction="{language.direction}" '
        f'aria-label="{escape(language.text(title), quote=True)}" font-family="{_FONT}">'
        f'<defs><pattern id="{hatch}" width="6" height="6" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="6" height="6" fill="#fff"/>'
        '<path d="M0 0V6" stroke="#8c8c8c" stroke-width="2.4"/></pattern>'
        f'<pattern id="{hatch}-map" width="60" height="60" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="60" height="60" fill="#fff"/>'
        '<path d="M0 0V60" stroke="#8c8c8c" stroke-width="20"/></pattern></defs>'
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="#fff"/>{texts}'
        f'<g transform="translate({left + _MARGIN:.1f} {top + _MARGIN:.1f}) scale({1 / _FINE:g})" '
        f'stroke="#7b857d" stroke-width="4" stroke-linejoin="round" fill-rule="evenodd">'
        f"{body.replace(_HATCH, f'url(#{hatch}-map)')}"
        f'<g fill="none" stroke="#2b352e" stroke-width="10">{borders}</g></g>'
        f'<g transform="translate({side:.1f} {top + _MARGIN:.1f})">'
        f"{legend.replace(_HATCH, f'url(#{hatch})')}</g>"
        f"{_scale_bar(language, left, top + high, scale, wide)}</svg>"
    )


_HATCH = "url(#hatch)"


def _regions(
    frame: gpd.GeoDataFrame,
    shown: pd.Series,
    found: Classes,
    language: Language,
    unit: str,
    place: tuple[float, float, float],
) -> str:
    x0, y1, scale = place
    parts = []
    names = names_of(frame, language.code)
    for name, shape, value, number in zip(
        names, frame.geometry, shown.to_numpy(), found.place.to_numpy(), strict=True
    ):
        path = svg_path(shape, x0, y1, scale * _FINE)
        if not path:
            continue
        fill = _HATCH if number < 0 else found.colours[number]
        said = "–" if number < 0 else f"{signed(language, value, found.decimals)}"
        tail = f" {language.unit(unit)}" if unit and number >= 0 else ""
        tip = escape(f"{name}: {said}{tail}")
        parts.append(f'<path fill="{fill}" d="{path}"><title>{tip}</title></path>')
    return "".join(parts)


def legend_heading(found: Classes, language: Language, centre: float) -> str:
    """Return how the classes were made, in words."""
    words = language.text(CLASS_WORDS[found.method])
    return words.replace("{centre}", signed(language, centre, found.decimals).strip())


def _legend(
    found: Classes, language: Language, unit: str, no_data: Text, centre: float
) -> tuple[str, float]:
    right = language.direction == "rtl"
    room = _SIDE - _MARGIN
    text_x = room - 38 if right else 38.0
    box_x = room - 30 if right else 0.0
    count_x = 0.0 if right else room
    parts: list[str] = []
    y = 14.0
    if unit:
        parts.append(_line(room if right else 0.0, y, language.unit(unit), size=14, bold=True))
        y += 22
    for line in _wrapped(legend_heading(found, language, centre), 32):
        parts.append(_line(room if right else 0.0, y, line, size=12, colour="#4d5a50"))
        y += 17
    y += 8
    rows = list(zip(found.colours, found.labels(language), found.counts, strict=True))
    # The highest class on top, as heights are drawn.
    rows.reverse()
    if found.missing:
        rows.append((_HATCH, language.text(no_data), found.missing))
    parts.append(
        f'<text x="{count_x:g}" y="{y:g}" font-size="11" fill="#4d5a50" '
        f'text-anchor="end">{escape(language.text(_REGIONS))}</text>'
    )
    y += 6
    for fill, label, regions in rows:
        parts.append(
            f'<rect x="{box_x:g}" y="{y:g}" width="30" height="18" fill="{fill}" '
            f'stroke="#7b857d" stroke-width=".6"/>{_line(text_x, y + 14, label, size=13)}'
            f'<text x="{count_x:g}" y="{y + 14:g}" font-size="12" fill="#4d5a50" '
            f'text-anchor="end">{language.number(regions)}</text>'
        )
        y += 24
    return "".join(parts), y + 2 * _MARGIN


def _line(x: float, y: float, text: str, *, size: int, bold: bool = False,
          colour: str = "#1d2724") -> str:  # fmt: skip
    weight = ' font-weight="700"' if bold else ""
    style = f'font-size="{size}"{weight} fill="{colour}"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(text)}</text>'


def _wrapped(text: str, letters: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > letters:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _scale_bar(language: Language, left: float, bottom: float, scale: float, wide: float) -> str:
    target = wide / 6 / scale / 1000
    power = 10 ** math.floor(math.log10(target))
    km = max(step * power for step in (1, 2, 5) if step * power <= target)
    length = km * 1000 * scale
    x, y = left + _MARGIN, bottom - 4
    label = f"{language.compact(km)} {language.unit('km')}"
    return (
        f'<path d="M{x:.1f} {y - 6:.1f}V{y:.1f}H{x + length:.1f}V{y - 6:.1f}" fill="none" '
        f'stroke="#1d2724" stroke-width="1.4"/><text x="{x + length / 2:.1f}" y="{y - 9:.1f}" '
        f'text-anchor="middle" font-size="12" fill="#1d2724">{escape(label)}</text>'
    )
