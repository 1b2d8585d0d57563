"""The colours of findings, and the style by which QGIS shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from xml.sax.saxutils import quoteattr

__all__ = ["COLOURS", "colour", "qgis_style"]

COLOURS: Mapping[str, str] = {
    "overlap": "#d62728", "gap": "#1f77b4", "duplicate-geometry": "#9467bd",
    "invalid-ring": "#c2185b", "sliver": "#e67700", "spike": "#8c564b",
    "unmatched-vertex": "#0a9aab", "outside-parent": "#2ca02c", "unknown-parent": "#00695c",
    "stated-area": "#8a8b12", "open-ring": "#b23c00", "ring-closed": "#ef9a52",
    "curve": "#7fb8cf", "height": "#a3b1b8", "repeated-vertex": "#74b86b",
    "unplaced-text": "#6b6ecf", "repaired": "#1b8a5a", "repair-refused": "#843c39",
    "outside-country": "#111111", "empty-geometry": "#636363", "wrong-kind": "#4e342e",
    "unsupported-kind": "#5d4037", "broken-coordinate": "#37474f", "missing-key": "#5254a3",
    "duplicate-key": "#393b79", "required-missing": "#7b4173", "wrong-type": "#a55194",
    "out-of-range": "#ce6dbd", "unknown-code": "#b5559e", "height-refused": "#607d8b",
    "not-whole": "#8e44ad", "unreadable-geometry": "#3e2723", "destroyed-text": "#3969b1",
}  # fmt: skip
"""Colour of each kind of defect on maps, in the GeoPackage and in lists."""

_OTHER = "#444444"

Kind = Literal["fill", "line", "marker"]


def colour(code: str) -> str:
    """Return the colour of a kind of defect."""
    return COLOURS.get(code, _OTHER)


def qgis_style(kind: Kind, values: Sequence[tuple[str, str, str]], *, attribute: str) -> str:
    """Return a QGIS style (QML) that colours a layer by the values of one attribute.

    Parameters
    ----------
    kind : str
        ``fill`` for polygons, ``line``, or ``marker`` for points.
    values : sequence of (value, label, colour)
        In the order of the legend; colours as ``#rrggbb``.
    attribute : str
        Column whose values they are.
    """
    categories, symbols = [], []
    for at, (value, label, hue) in enumerate(values):
        categories.append(
            f'<category render="true" symbol="{at}" value={quoteattr(value)} '
            f"label={quoteattr(label)}/>"
        )
        symbols.append(_symbol(kind, at, hue))
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        '<qgis version="3.22" styleCategories="Symbology">'
        f'<renderer-v2 type="categorizedSymbol" attr={quoteattr(attribute)} symbollevels="0" '
        'forceraster="0" enableorderby="0">'
        f"<categories>{''.join(categories)}</categories><symbols>{''.join(symbols)}</symbols>"
        "</renderer-v2></qgis>"
    )


def _symbol(kind: Kind, name: int, hue: str) -> str:
    red, green, blue = (int(hue[at : at + 2], 16) for at in (1, 3, 5))
    solid, pale = f"{red},{green},{blue},255", f"{red},{green},{blue},110"
    options: dict[Kind, tuple[str, dict[str, str]]] = {
        "fill": (
            "SimpleFill",
            {
                "color": pale, "style": "solid", "outline_color": solid,
                "outline_style": "solid", "outline_width": "0.4", "outline_width_unit": "MM",
            },
        ),
        "line": (
            "SimpleLine",
            {"line_color": solid, "line_style": "solid", "line_width": "0.6",
             "line_width_unit": "MM"},
        ),
        "marker": (
            "SimpleMarker",
            {
                "name": "circle", "color": solid, "outline_color": "255,255,255,255",
                "size": "2.6", "size_unit": "MM",
            },
        ),
    }  # fmt: skip
    what, settings = options[kind]
    # Older versions read the properties, newer ones the options.
    old = "".join(f"<prop k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in settings.items())
    new = "".join(
        f'<Option type="QString" name={quoteattr(k)} value={quoteattr(v)}/>'
        for k, v in settings.items()
    )
    return (
        f'<symbol type="{kind}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{what}" enabled="1" locked="0" pass="0">'
        f'<Option type="Map">{new}</Option>{old}</layer></symbol>'
    )
