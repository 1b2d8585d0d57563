"""The front of efficiency against regional equity as one SVG, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from geoplan.catalogue.text import Text
from geoplan.report.language import Language

__all__ = ["pareto_svg"]

_WIDTH, _HEIGHT = 760.0, 460.0
_SIDE, _TOP, _BOTTOM, _FREE = 84.0, 46.0, 74.0, 30.0
_INK, _MUTED, _LINE, _POINT, _PLAN = "#1f2a24", "#5a665e", "#c9d1cb", "#2f6f8f", "#b3541e"
_NUMBERED = 40

_WORDS = {
    "title": Text(en="Efficiency against regional equity", fa="کارایی در برابر عدالت منطقه‌ای"),
    "efficiency": Text(
        en="Efficiency (sum of scores, less cost)", fa="کارایی (مجموع امتیازها منهای هزینه)"
    ),
    "deprivation": Text(
        en="{unit} weighted by lack of industry: more is fairer",
        fa="{unit}، موزون با کمبود صنعت: بیشتر یعنی عادلانه‌تر",
    ),
    "shortfall": Text(
        en="Largest shortfall of a region, {unit}: less is fairer",
        fa="بزرگ‌ترین کمبود یک منطقه، {unit}: کمتر یعنی عادلانه‌تر",
    ),
    "gini": Text(
        en="Gini of {unit} per person over regions: less is fairer",
        fa="ضریب جینی {unit} سرانه میان مناطق: کمتر یعنی عادلانه‌تر",
    ),
    "deviation": Text(
        en="Hoover index of {unit} per person over regions: less is fairer",
        fa="شاخص هوور {unit} سرانه میان مناطق: کمتر یعنی عادلانه‌تر",
    ),
    "jobs": Text(en="jobs", fa="شغل"),
    "area_ha": Text(en="hectares", fa="هکتار"),
    "point": Text(en="Plan on the front", fa="طرح روی مرز کارایی"),
    "open": Text(en="Not proven in time", fa="در زمان داده‌شده اثبات نشده"),
    "plan": Text(en="The plan of this run", fa="طرح این اجرا"),
    "none": Text(en="No plan of the front was found.", fa="هیچ طرحی از مرز کارایی یافت نشد."),
    "tip": Text(
        en="Plan {n}: efficiency {a}, equity {b}", fa="طرح {n}: کارایی {a}، عدالت منطقه‌ای {b}"
    ),
}


def pareto_svg(document: Mapping[str, Any], language: Language) -> str:
    """Return the picture of a front.

    Parameters
    ----------
    document : mapping
        As `geoplan.studies.equity.front_of` returns it.
    language : Language
        Words, digits and direction: where writing runs from right to left, so does equity, and
        efficiency stands at the right.

    Returns
    -------
    str
        The same bytes for the same document. To the reading end is fairer, whether more or less of
        the number is; up is more efficient.
    """
    rtl = language.direction == "rtl"
    title = escape(_word("title", language))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" '
        f'class="pareto" role="img" aria-label="{title}" direction="{language.direction}" '
        f'font-family="Vazirmatn, sans-serif" font-size="13" fill="{_INK}">'
    )
    points: Sequence[Mapping[str, Any]] = document["points"]
    if not points:
        text = escape(_word("none", language))
        return (
            f'{head}<text x="{_WIDTH / 2:g}" y="{_HEIGHT / 2:g}" text-anchor="middle">{text}'
            "</text></svg>"
        )
    plan = document.get("plan")
    shown = [*points, plan] if plan else list(points)
    across = _Axis.of([float(p["equity"]) for p in shown], bool(document["more_is_better"]))
    up = _Axis.of([float(p["efficiency"]) for p in shown], True)
    place = _Place(across, up, rtl)
    parts = [head, _axes(place, document, language), _steps(points, place)]
    for p in points:
        parts.append(_mark(p, place, language, numbered=len(points) <= _NUMBERED))
    if plan:
        x, y = place.xy(plan)
        parts.append(
            f'<path d="M{x:g} {y - 11:g}l11 11l-11 11l-11 -11z" fill="none" stroke="{_PLAN}" '
            f'stroke-width="2.2"><title>{escape(_word("plan", language))}</title></path>'
        )
    parts.append(_legend(points, plan is not None, rtl, language))
    return "".join(parts) + "</svg>"


def _word(key: str, language: Language, **values: str) -> str:
    text = _WORDS[key].in_language(language.code)
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


@dataclass(frozen=True)
class _Axis:
    """From a number to 0–1 of an axis, with round ticks that hold every number."""

    low: float
    high: float
    step: float
    rising: bool

    @classmethod
    def of(cls, values: Sequence[float], rising: bool) -> _Axis:
        low, high = min(values), max(values)
        width = high - low or abs(high) * 0.1 or 1.0
        raw = width / 5
        size = 10.0 ** math.floor(math.log10(raw))
        step = size * next(m for m in (1, 2, 2.5, 5, 10) if m * size >= raw * (1 - 1e-9))
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        # A point on the frame would be cut in two.
        first -= low - first * step < 0.08 * step and first > 0
        last += last * step - high < 0.08 * step
        return cls(first * step, max(last, first + 1) * step, step, rising)

    @property
    def ticks(self) -> list[float]:
        """Round numbers along the axis."""
        n = round((self.high - self.low) / self.step)
        return [self.low + k * self.step for k in range(n + 1)]

    @property
    def decimals(self) -> int:
        """Decimals that tell the ticks apart."""
        return max(0, -math.floor(math.log10(self.step) + 1e-9)) + (
            0 if round(self.step / 10 ** math.floor(math.log10(self.step) + 1e-9), 6) != 2.5 else 1
        )

    def share(self, value: float) -> float:
        """Return where a number lies, 0 worst to 1 best."""
        found = (value - self.low) / (self.high - self.low)
        return found if self.rising else 1.0 - found


@dataclass(frozen=True)
class _Place:
    """From equity and efficiency to the picture; mirrored where writing runs from the right."""

    across: _Axis
    up: _Axis
    rtl: bool

    def x(self, equity: float) -> float:
        inner = _WIDTH - _SIDE - _FREE
        at = _SIDE + inner * self.across.share(equity)
        return round(_WIDTH - at if self.rtl else at, 1)

    def y(self, efficiency: float) -> float:
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * self.up.share(efficiency), 1)

    def xy(self, point: Mapping[str, Any]) -> tuple[float, float]:
        return self.x(float(point["equity"])), self.y(float(point["efficiency"]))


def _axes(place: _Place, document: Mapping[str, Any], language: Language) -> str:
    left, right = (_FREE, _WIDTH - _SIDE) if place.rtl else (_SIDE, _WIDTH - _FREE)
    top, bottom = _TOP, _HEIGHT - _BOTTOM
    lines, labels = [], []
    for v in place.across.ticks:
        x = place.x(v)
        lines.append(f"M{x:g} {top:g}V{bottom:g}")
        text = language.number(v, place.across.decimals)
        labels.append(f'<text x="{x:g}" y="{bottom + 20:g}" text-anchor="middle">{text}</text>')
    side = right + 10 if place.rtl else left - 10
    for v in place.up.ticks:
        y = place.y(v)
        lines.append(f"M{left:g} {y:g}H{right:g}")
        text = language.number(v, place.up.decimals)
        # Anchored at its end in either direction: away from the axis is where numbers begin.
        labels.append(f'<text x="{side:g}" y="{y + 4.5:g}" text-anchor="end">{text}</text>')
    unit = _word(str(document["measure"]), language)
    across = _word(str(document["objective"]), language, unit=unit)
    across = across[:1].upper() + across[1:]
    turned = _WIDTH - 20 if place.rtl else 22
    middle = (top + bottom) / 2
    names = (
        f'<text x="{(left + right) / 2:g}" y="{bottom + 46:g}" text-anchor="middle" '
        f'font-weight="600">{escape(across)}</text>'
        f'<text transform="translate({turned:g} {middle:g}) rotate(-90)" text-anchor="middle" '
        f'font-weight="600">{escape(_word("efficiency", language))}</text>'
    )
    return (
        f'<path d="{"".join(lines)}" stroke="{_LINE}" stroke-width="1" fill="none"/>'
        f'<g fill="{_MUTED}" font-size="12">{"".join(labels)}</g>{names}'
    )


def _steps(points: Sequence[Mapping[str, Any]], place: _Place) -> str:
    """Return the border of what can be reached: between two plans there is nothing better."""
    path = ""
    for k, p in enumerate(points):
        x, y = place.xy(p)
        path += f"M{x:g} {y:g}" if k == 0 else f"V{y:g}H{x:g}"
    return (
        f'<path d="{path}" stroke="{_POINT}" stroke-width="1.2" stroke-dasharray="3 3" '
        'fill="none" opacity="0.6"/>'
    )


def _mark(point: Mapping[str, Any], place: _Place, language: Language, *, numbered: bool) -> str:
    x, y = place.xy(point)
    number = language.digits(point["point"])
    tip = _word(
        "tip", language, n=number, a=language.number(point["efficiency"], 3),
        b=language.number(point["equity"], place.across.decimals + 2),
    )  # fmt: skip
    fill = _POINT if point["proven"] else "#ffffff"
    label = ""
    if numbered:
        label = (
            f'<text x="{x + (-8 if place.rtl else 8):g}" y="{y - 8:g}" font-size="11" '
            f'fill="{_MUTED}">{number}</text>'
        )
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="5" fill="{fill}" stroke="{_POINT}" stroke-width="1.6">'
        f"<title>{escape(tip)}</title></circle>{label}"
    )


def _legend(points: Sequence[Mapping[str, Any]], plan: bool, rtl: bool, language: Language) -> str:
    items = [("point", f'<circle r="5" fill="{_POINT}" stroke="{_POINT}" stroke-width="1.6"/>')]
    if not all(p["proven"] for p in points):
        items.append(
            ("open", f'<circle r="5" fill="#ffffff" stroke="{_POINT}" stroke-width="1.6"/>')
        )
    if plan:
        items.append(
            (
                "plan",
                f'<path d="M0 -8l8 8l-8 8l-8 -8z" fill="none" stroke="{_PLAN}" '
                'stroke-width="2.2"/>',
            )
        )
    parts = []
    wide = 210.0
    for k, (key, sign) in enumerate(items):
        x = _SIDE + 8 + k * wide
        x = _WIDTH - x if rtl else x
        parts.append(
            f'<g transform="translate({x:g} 22)">{sign}<text x="{-16 if rtl else 16}" y="4.5">'
            f"{escape(_word(key, language))}</text></g>"
        )
    return "".join(parts)
