"""Pictures of value functions for the report: the curve, its thresholds, the cells behind it."""

from __future__ import annotations

import math
from html import escape

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.text import Text
from geoplan.catalogue.value import CategoricalValue, IdentityValue, Shape, ValueSpec
from geoplan.errors import GeoPlanError
from geoplan.mcda.value import apply_value
from geoplan.mcda.value_curve import curve_of
from geoplan.mcda.value_fit import fitted
from geoplan.mcda.value_statistics import Histogram, ValueStatistics
from geoplan.report.language import Language
from geoplan.report.value_axes import BOTTOM, LEFT, RIGHT, TOP, Axes, range_of, ticks
from geoplan.report.value_words import value_words

__all__ = ["value_picture"]

_WIDTH = 480.0
_STEPS = 240
_INK, _QUIET, _GRID = "#1d2724", "#56645d", "#dfe5e1"
_CURVE, _BARS, _NONE, _LIMIT = "#0b5d4e", "#cfdad4", "#f6e4df", "#a2441c"

_WORDS = {
    "measure": Text(en="Measure", fa="اندازه"),
    "class": Text(en="Class", fa="طبقه"),
    "cells": Text(en="Bars behind: allowed cells", fa="ستون‌های پشت: سلول‌های مجاز"),
    "none": Text(en="no value", fa="بدون مقدار"),
    "range": Text(en="Allowed cells: {low} to {high}.", fa="سلول‌های مجاز: از {low} تا {high}."),
    "missing": Text(en="No measure in any allowed cell.", fa="در هیچ سلول مجازی اندازه‌ای نیست."),
}


def _word(key: str, language: Language) -> str:
    return language.text(_WORDS[key])


def _text(x: float, y: float, words: str, anchor: str, size: float = 12, ink: str = _QUIET) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" '
        f'fill="{ink}">{escape(words)}</text>'
    )


def _levels(axes: Axes) -> str:
    parts = [
        f'<path stroke="{_GRID}" fill="none" d="'
        + "".join(f"M{LEFT:g} {axes.y(v):.1f}H{RIGHT:g}" for v in (0.25, 0.5, 0.75, 1))
        + '"/>'
    ]
    right = axes.anchor("right")
    parts += [_text(LEFT - 7, axes.y(v) + 4, axes.language.compact(v), right) for v in (0, 0.5, 1)]
    parts.append(_text(12, TOP - 18, axes.language.t("value_word"), axes.anchor("left")))
    return "".join(parts)


def _bottom(axes: Axes, unit: str) -> str:
    language = axes.language
    at = ticks(axes.low, axes.high)
    marks = "".join(f"M{axes.x(t):.1f} {BOTTOM:g}v5" for t in at)
    parts = [f'<path stroke="{_QUIET}" fill="none" d="M{LEFT:g} {BOTTOM:g}H{RIGHT:g}{marks}"/>']
    for tick in at:
        number = 0.0 if abs(tick) < 1e-9 * (axes.high - axes.low) else tick
        parts.append(_text(axes.x(number), BOTTOM + 19, language.compact(number), "middle"))
    bare = unit in ("", "1", "class", "index")
    name = _word("measure", language) + ("" if bare else f" ({language.unit(unit)})")
    parts.append(_text((LEFT + RIGHT) / 2, BOTTOM + 37, name, "middle"))
    return "".join(parts)


def _cells(axes: Axes, histogram: Histogram | None) -> str:
    if histogram is None or not histogram.counts or max(histogram.counts) == 0:
        return ""
    most = max(histogram.counts)
    out = []
    for left, right, count in zip(
        histogram.edges, histogram.edges[1:], histogram.counts, strict=False
    ):
        x0, x1 = max(axes.x(left), LEFT), min(axes.x(right), RIGHT)
        if left == right:  # one bin of no width: all cells have the same measure
            x0, x1 = x0 - 2, x1 + 2
        if count and x1 > x0:
            top = axes.y(0.9 * count / most)
            out.append(f"M{x0:.1f} {BOTTOM:g}V{top:.1f}H{x1:.1f}V{BOTTOM:g}Z")
    note = _text((LEFT + RIGHT) / 2, BOTTOM + 54, _word("cells", axes.language), "middle", 11)
    return f'<path fill="{_BARS}" d="{"".join(out)}"/>{note}'


def _limits(axes: Axes, spec: ValueSpec) -> tuple[str, str]:
    """Return the ground beyond a threshold where there is no value, and the thresholds."""
    if not isinstance(spec, Shape):
        return "", ""
    ground: list[str] = []
    lines: list[str] = []
    for at, beyond, end in ((spec.lower, spec.below, LEFT), (spec.upper, spec.above, RIGHT)):
        if at is None or not axes.low <= at <= axes.high:
            continue
        x = axes.x(at)
        if beyond == "missing" and abs(x - end) > 1:
            left, width = min(x, end), abs(x - end)
            ground.append(
                f'<rect x="{left:.1f}" y="{TOP:g}" width="{width:.1f}" '
                f'height="{BOTTOM - TOP:g}" fill="{_NONE}"/>'
            )
            if width > 60:
                words = _word("none", axes.language)
                lines.append(_text(left + width / 2, axes.y(0.5) - 5, words, "middle", 11, _LIMIT))
        lines.append(
            f'<path stroke="{_LIMIT}" stroke-dasharray="4 3" fill="none" '
            f'd="M{x:.1f} {TOP:g}V{BOTTOM:g}"/>'
        )
        number = axes.language.compact(at, 4)
        half = 3.4 * len(number)
        middle = min(max(x, LEFT + half), RIGHT - half)
        lines.append(_text(middle, TOP - 5, number, "middle", 11, _LIMIT))
    return "".join(ground), "".join(lines)


def _curve(axes: Axes, spec: ValueSpec, turns: tuple[float, ...], invert: bool) -> str:
    at = np.linspace(axes.low, axes.high, _STEPS)
    sides = [s for t in turns for s in (np.nextafter(t, -np.inf), t, np.nextafter(t, np.inf))]
    inside = [s for s in sides if axes.low <= s <= axes.high]
    x: npt.NDArray[np.float64] = np.unique(np.concatenate([at, np.array(inside)]))
    value = apply_value(spec, x, invert=invert, threads=1)
    words: list[str] = []
    last: tuple[float, float] | None = None
    for measure, v in zip(x, value, strict=True):
        if math.isnan(v):
            last = None
            continue
        place = (round(axes.x(float(measure)), 1), round(axes.y(float(v)), 1))
        if place == last:
            continue
        # Two measures side by side with different values are a jump, not a line.
        jump = last is not None and place[0] == last[0] and abs(place[1] - last[1]) > 1.5
        words.append(f"{'M' if last is None or jump else 'L'}{place[0]:g} {place[1]:g}")
        last = place
    return (
        f'<path fill="none" stroke="{_CURVE}" stroke-width="2.6" stroke-linejoin="round" '
        f'stroke-linecap="round" d="{"".join(words)}"/>'
    )


def _classes(spec: CategoricalValue, invert: bool, language: Language) -> str:
    keys = sorted(spec.values)
    axes = Axes(0, len(keys), language)
    room = (RIGHT - LEFT) / len(keys)
    wide = min(0.7 * room, 56)
    every = max(1, math.ceil(30 / room))
    parts = [_levels(axes)]
    for place, key in enumerate(keys):
        value = 1 - spec.values[key] if invert else spec.values[key]
        middle = axes.x(place + 0.5)
        top = axes.y(value)
        parts.append(
            f'<rect x="{middle - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" '
            f'height="{max(BOTTOM - top, 0):.1f}" fill="{_CURVE}"/>'
        )
        if room >= 30:
            parts.append(_text(middle, top - 5, language.compact(value), "middle", 11, _INK))
        if place % every == 0:
            parts.append(_text(middle, BOTTOM + 19, language.digits(key), "middle"))
    parts.append(f'<path stroke="{_QUIET}" fill="none" d="M{LEFT:g} {BOTTOM:g}H{RIGHT:g}"/>')
    parts.append(_text((LEFT + RIGHT) / 2, BOTTOM + 37, _word("class", language), "middle"))
    return "".join(parts)


def _about(
    spec: ValueSpec,
    unit: str,
    statistics: ValueStatistics | None,
    language: Language,
    invert: bool,
) -> str:
    words = value_words(spec, unit, language, invert=invert) + "."
    if statistics is None:
        return words
    if statistics.missing:
        return f"{words} {_word('missing', language)}"
    if isinstance(spec, CategoricalValue):
        return words
    reach = _word("range", language)
    reach = reach.replace("{low}", language.measured(statistics.min, unit))
    return f"{words} {reach.replace('{high}', language.measured(statistics.max, unit))}"


def value_picture(
    criterion_title: Text | str,
    spec: ValueSpec,
    unit: str,
    statistics: ValueStatistics | None,
    histogram: Histogram | None,
    language: Language,
    *,
    invert: bool = False,
) -> str:
    """Return the picture of a value function as one SVG element.

    Parameters
    ----------
    criterion_title : Text or str
    spec : ValueSpec
    unit : str
        Unit of the measure.
    statistics : ValueStatistics or None
        Of the measure over the allowed cells: says what range is shown. Needed by functions that
        take numbers from the data.
    histogram : Histogram or None
        Of the same cells; drawn behind the curve, its highest bar at nine tenths of the height.
    language : Language
        Words, digits and direction; numbers rise to the right in every language.
    invert : bool
        The criterion uses 1 − value; that is what is drawn.

    Returns
    -------
    str
        The same bytes for the same input; nothing outside is referred to; ``title`` and ``desc``
        say in words what the picture shows.

    Raises
    ------
    GeoPlanError
        The function takes numbers from the data that are missing or do not do; ``where`` is the
        title.
    """
    if isinstance(criterion_title, Text):
        title = language.text(criterion_title)
    else:
        title = criterion_title
    try:
        whole = fitted(spec, statistics)
        curve = curve_of(whole)
        if isinstance(whole, CategoricalValue):
            body = _classes(whole, invert, language)
        else:
            low, high = range_of(whole, curve.turns, statistics)
            if isinstance(whole, IdentityValue):
                low, high = 0.0, 1.0
            axes = Axes(low, high, language)
            ground, lines = _limits(axes, spec)
            body = (
                ground
                + _levels(axes)
                + _cells(axes, histogram)
                + lines
                + _bottom(axes, unit)
                + _curve(axes, whole, curve.turns, invert)
            )
    except GeoPlanError as error:
        error.where = error.where or title
        raise
    bars = histogram is not None and not isinstance(whole, CategoricalValue)
    height = BOTTOM + (62 if bars else 45)
    about = _about(whole, unit, statistics, language, invert)
    side = "left" if language.direction == "ltr" else "right"
    edge = 12.0 if side == "left" else _WIDTH - 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}" lang="{language.code}" direction="{language.direction}" '
        'font-family="Vazirmatn, Tahoma, Arial, sans-serif">'
        f"<title>{escape(title)}</title><desc>{escape(about)}</desc>"
        f'<text x="{edge:g}" y="19" text-anchor="start" font-size="14" font-weight="600" '
        f'fill="{_INK}">{escape(title)}</text>{body}</svg>'
    )
