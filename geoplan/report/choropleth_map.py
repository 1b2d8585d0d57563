"""Several choropleths in one page that asks no network for anything: a folium map with a switch."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import count as numbers
from pathlib import Path
from typing import Any, cast

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from branca.element import Element, Figure, MacroElement
from folium.template import Template

from geoplan.catalogue.text import Text
from geoplan.errors import EmptyLayer, ShapeError
from geoplan.report import embed
from geoplan.report.choropleth import NO_DATA_LABEL, legend_heading
from geoplan.report.choropleth_classes import Classes, Classing, classify, signed
from geoplan.report.choropleth_shapes import light_regions, names_of
from geoplan.report.language import Language

__all__ = ["MapLayer", "choropleth_map", "write_choropleth_map"]

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:"
)
_PLACES = 4  # decimals of a degree: 11 m, well below the simplification
_CODE = Text(en="Code", fa="کد")


class _Drawn(MacroElement):
    """The page's own script, after the map that it draws on."""

    _template = Template(
        "{% macro script(this, kwargs) %}const MAP = {{ this._parent.get_name() }};\n"
        "{{ this.text }}{% endmacro %}"
    )

    def __init__(self, text: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.text = text


@dataclass(frozen=True, slots=True)
class MapLayer:
    """One layer of the switch.

    Parameters
    ----------
    id : str
        Unique in the page.
    title : Text
        Name in the switch, the legend and the pop-ups.
    values : Series of float, index ``code``
        Missing ones are hatched.
    unit : str
        Unit of the values; empty for none.
    classes, count, breaks, centre, decimals
        See :func:`geoplan.report.choropleth_classes.classify`.
    note : Text, optional
        One line under the legend: source, date, formula.
    """

    id: str
    title: Text
    values: pd.Series
    unit: str = ""
    classes: Classing = "quantiles"
    count: int = 5
    breaks: Sequence[float] | None = None
    centre: float = 0.0
    decimals: int | None = None
    note: Text | None = None


def choropleth_map(
    regions: gpd.GeoDataFrame,
    layers: Sequence[MapLayer],
    *,
    title: Text,
    language: Language,
    crs: str,
    no_data: Text = NO_DATA_LABEL,
    steps: int = 2400,
) -> str:
    """Return the page.

    Parameters
    ----------
    regions : GeoDataFrame
        As for :func:`geoplan.report.choropleth.choropleth_svg`.
    layers : sequence of MapLayer
        At least one; the first is shown at first.
    title : Text
        Heading of the page.
    language : Language
        Language of all words and digits.
    crs : str
        Equal-area CRS in which the outlines are simplified.
    no_data : Text
        What the hatching means.
    steps : int
        The country's larger side over the tolerance of the outlines.

    Returns
    -------
    str
        HTML with Leaflet, styles, font and data inside; a content-security policy in it forbids
        every request. The outlines are there once, however many layers share them. The same
        text for the same input.

    Raises
    ------
    EmptyLayer
        No layer, or no region with a shape.
    ShapeError
        A layer's id or a region's code is there twice.
    RangeError, CrsProblem, FileMissing
        Classes that cannot be; a CRS that does not keep areas; Leaflet or the font is absent.
    """
    if not layers:
        raise EmptyLayer("no layer to draw", remedy="give at least one")
    ids = [layer.id for layer in layers]
    if len(set(ids)) < len(ids):
        raise ShapeError(f"layer ids {', '.join(ids)} are not unique", remedy="rename one")
    embed.require_assets()
    light = light_regions(regions, crs=crs, steps=steps)
    frame = light.frame
    data = {
        "shapes": _collection(frame.geometry, [{"code": c} for c in frame.index]),
        "borders": _collection(gpd.GeoSeries(list(light.borders), crs=frame.crs)),
        "names": dict(zip(frame.index, names_of(frame, language.code), strict=True)),
        "layers": [_layer(layer, frame.index, language, no_data) for layer in layers],
        "words": {
            "code": language.text(_CODE),
            "right": language.direction == "rtl",
            "km": language.unit("km"),
            "m": language.unit("m"),
            "digits": language.digits("0123456789") if language.code == "fa" else "",
        },
    }
    page = folium.Map(
        tiles=None, min_zoom=3, zoom_snap=0.25, attribution_control=False, zoom_control=False,
    )  # fmt: skip
    page.default_js, page.default_css = [], []
    x0, y0, x1, y1 = (float(v) for v in frame.to_crs("EPSG:4326").total_bounds)
    page.fit_bounds([[y0, x0], [y1, x1]])
    figure = cast(Figure, page.get_root())
    figure.title = _html(f"{language.text(title)}: GeoPlan")
    figure.header.add_child(
        _verbatim(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        name="policy", index=0,
    )  # fmt: skip
    style = f"<style>{embed.font_css()}{embed.leaflet_css()}{_template('css')}</style>"
    figure.header.add_child(_verbatim(f"{style}<script>{embed.leaflet_js()}</script>"), "leaflet")
    heading = _html(language.text(title))
    figure.html.add_child(_verbatim(_template("html").replace("TITLE", heading)), name="furniture")
    _Drawn(f"const DATA = {_script_json(data)};\n{_template('js')}").add_to(page)
    text: str = figure.render()
    text = _stable(text)
    return text.replace(
        "<html>", f'<html lang="{language.code}" dir="{language.direction}">', 1
    )  # fmt: skip


def write_choropleth_map(path: Path, page: str) -> None:
    """Write the page as UTF-8."""
    path.write_text(page, encoding="utf-8", newline="\n")


def _layer(layer: MapLayer, codes: pd.Index, language: Language, no_data: Text) -> dict[str, Any]:
    values = layer.values.copy()
    values.index = values.index.astype(str)
    values = values.reindex(codes)
    found = classify(values, method=layer.classes, count=layer.count, breaks=layer.breaks,
                     centre=layer.centre, decimals=layer.decimals)  # fmt: skip
    unit = language.unit(layer.unit) if layer.unit else ""
    title = language.text(layer.title)
    return {
        "id": layer.id,
        "title": f"{title} ({unit})" if unit else title,
        "how": legend_heading(found, language, layer.centre),
        "note": language.text(layer.note),
        "colours": list(found.colours),
        "legend": _legend(found, language, no_data),
        "place": {c: int(p) for c, p in found.place.items() if p >= 0},
        "said": {
            c: signed(language, float(v), found.decimals)
            for c, v in values.items()
            if found.place[c] >= 0
        },
        "none": language.text(no_data),
    }


def _legend(found: Classes, language: Language, no_data: Text) -> list[list[Any]]:
    rows: list[list[Any]] = [
        [colour, label, language.number(regions)]
        for colour, label, regions in zip(
            found.colours, found.labels(language), found.counts, strict=True
        )
    ]
    rows.reverse()
    if found.missing:
        rows.append([None, language.text(no_data), language.number(found.missing)])
    return rows


def _collection(
    shapes: gpd.GeoSeries, properties: Sequence[dict[str, Any]] | None = None
) -> dict[str, Any]:
    flat = np.asarray(shapes.to_crs("EPSG:4326").array, dtype=object)
    rounded = shapely.transform(flat, lambda xy: np.round(xy, _PLACES))
    about = properties if properties is not None else [{}] * len(flat)
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": p, "geometry": json.loads(shape)}
            for shape, p in zip(shapely.to_geojson(rounded), about, strict=True)
            if shape is not None
        ],
    }


def _script_json(value: Any) -> str:
    """Return JSON that can stand in a script: names from data may hold tags and braces."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for letter in "<>&'\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    # Folium reads the page as a template. No two of these stand side by side outside a string.
    return re.sub(r"\{(?=[{%#])", r"\\u007b", text)


def _template(kind: str) -> str:
    path = Path(__file__).parent / "templates" / f"choropleth.{kind}"
    return path.read_text(encoding="utf-8")


def _verbatim(text: str) -> Element:
    """Return an element that is no template; folium would read its double braces."""
    return Element("{% raw %}" + text + "{% endraw %}")


def _html(text: str) -> str:
    return escape(text).replace("{", "&#123;")


def _stable(page: str) -> str:
    """Replace folium's random names by numbers, in the order in which they appear."""
    names: dict[str, int] = {}
    counter = numbers()
    return re.sub(
        r"_([0-9a-f]{32})\b",
        lambda m: f"_{names.setdefault(m[1], next(counter))}",
        page,
    )
