"""How often candidates take each rank, as one SVG: the darker, the more often."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from geoplan.report.language import Language

__all__ = ["ranks_svg"]

_INK, _MUTED, _LINE, _FILL = "#1f2a24", "#5a665e", "#c9d1cb", "#2f6f8f"
_NAMES, _CELL, _ROW, _TOP, _EDGE = 250.0, 25.0, 24.0, 50.0, 8.0
_TOLD = 0.095
"""Share from which a cell says its number."""


def ranks_svg(
    rows: Sequence[tuple[str, Sequence[float]]], language: Language, *, marked: int | None = None
) -> str:
    """Return rank acceptabilities as a picture.

    Parameters
    ----------
    rows : sequence of (str, sequence of float)
        Name of a candidate and the shares, 0–1, of the draws in which it takes rank 1, 2, …
    language : Language
        Words, digits and direction: names stand where writing begins, ranks rise from there.
    marked : int, optional
        A line after this rank: as many sites as the plan has.

    Returns
    -------
    str
        The same bytes for the same numbers; each cell says its share to a pointer that rests on it.
    """
    ranks = max((len(shares) for _, shares in rows), default=0)
    width = _NAMES + ranks * _CELL + 2 * _EDGE
    height = _TOP + len(rows) * _ROW + _EDGE
    rtl = language.direction == "rtl"

    def at(x: float) -> float:
        return round(width - x if rtl else x, 1)

    title = escape(language.t("ranks_picture"))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" class="ranks" '
        f'style="max-width:{width:g}px" role="img" aria-label="{title}" '
        f'direction="{language.direction}" '
        f'font-family="Vazirmatn, sans-serif" font-size="12" fill="{_INK}">',
        f'<text x="{at(_EDGE):g}" y="18" font-weight="600">{title}</text>',
    ]
    for rank in range(ranks):
        middle = at(_EDGE + _NAMES + (rank + 0.5) * _CELL)
        parts.append(
            f'<text x="{middle:g}" y="{_TOP - 8:g}" text-anchor="middle" fill="{_MUTED}" '
            f'font-size="11">{language.digits(rank + 1)}</text>'
        )
    for k, (name, shares) in enumerate(rows):
        y = _TOP + k * _ROW
        parts.append(f'<text x="{at(_EDGE):g}" y="{y + 16:g}">{escape(name)}</text>')
        for rank, share in enumerate(shares):
            edge = _EDGE + _NAMES + rank * _CELL
            x = at(edge + _CELL) if rtl else edge
            tip = language.t(
                "ranks_tip", rank=language.digits(rank + 1), share=language.percent(share, 1)
            )
            parts.append(
                f'<rect x="{x + 0.5:g}" y="{y + 0.5:g}" width="{_CELL - 1:g}" '
                f'height="{_ROW - 1:g}" fill="{_FILL}" fill-opacity="{_depth(share):.3f}">'
                f"<title>{escape(name)}: {escape(tip)}</title></rect>"
            )
            if share >= _TOLD:
                ink = "#ffffff" if _depth(share) > 0.55 else _INK
                parts.append(
                    f'<text x="{x + _CELL / 2:g}" y="{y + 16:g}" text-anchor="middle" '
                    f'font-size="10.5" fill="{ink}">{language.number(100 * share)}</text>'
                )
    if marked is not None and 0 < marked < ranks:
        x = at(_EDGE + _NAMES + marked * _CELL)
        parts.append(
            f'<path d="M{x:g} {_TOP - 20:g}V{height - _EDGE:g}" stroke="#b3541e" '
            'stroke-width="1.6" stroke-dasharray="4 3"/>'
        )
    base = _TOP + len(rows) * _ROW
    parts.append(
        f'<path d="M{_EDGE:g} {_TOP:g}H{width - _EDGE:g}M{_EDGE:g} {base:g}H{width - _EDGE:g}" '
        f'stroke="{_LINE}"/>'
    )
    return "".join(parts) + "</svg>"


def _depth(share: float) -> float:
    """Return how dark a cell is; small shares stay visible beside large ones."""
    return float(min(max(share, 0.0), 1.0) ** 0.6) if share > 0 else 0.02
