"""``map.html``: a folium map in one file that asks no network for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, cast

import folium
from branca.element import Element, Figure, MacroElement
from folium.template import Template
from jinja2 import Environment, PackageLoader, StrictUndefined

from geoplan.catalogue import RESOURCES
from geoplan.report import embed
from geoplan.report.basis import is_assumed
from geoplan.report.language import Language, languages_of
from geoplan.report.outline import (
    BREAKS,
    NO_DATA,
    SCALE,
    Outlines,
)  # fmt: skip
from geoplan.report.overlays import (
    STYLES,
    Both,
    border_layer,
    candidate_layer,
    line_layer,
    region_layer,
    site_layer,
)  # fmt: skip
from geoplan.siting.result import SitingResult

__all__ = ["map_html"]

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:"
)


class _Verbatim(Element):
    """An element whose text is no template: names from data may hold braces."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def render(self, **_: Any) -> str:
        return self.text


class _Scale(MacroElement):
    """A scale bar in kilometres only, clear of the legend."""

    _template = Template(
        "{% macro script(this, kwargs) %}L.control.scale({imperial: false, position: "
        "'bottomright'}).addTo({{ this._parent.get_name() }});{% endmacro %}"
    )


def map_html(result: SitingResult, shapes: Outlines) -> str:
    """Return the page.

    Parameters
    ----------
    result : SitingResult
        A finished run, with or without a plan.
    shapes : Outlines
        Its simplified shapes.

    Returns
    -------
    str
        HTML with Leaflet, styles, font and data inside; the same text for the same result. A
        content-security policy in it forbids every request.
    """
    languages = languages_of(result.profile)
    plan = folium.Map(
        tiles=None, min_zoom=3, zoom_snap=0.25, attribution_control=False,
    )  # fmt: skip
    plan.default_js, plan.default_css = [], []
    for pane, z_index in (("regions", 350), ("borders", 360), ("sites", 410), ("lines", 420)):
        folium.map.CustomPane(pane, z_index=z_index).add_to(plan)
    x0, y0, x1, y1 = _bounds(result)
    plan.fit_bounds([[y0, x0], [y1, x1]])
    both = Both(languages)
    region_layer(shapes, both).add_to(plan)
    if len(shapes.borders):
        border_layer(shapes).add_to(plan)
    if len(result.candidates):
        candidate_layer(result, shapes, both).add_to(plan)
    if len(result.supply):
        for resource in RESOURCES:
            lines = line_layer(result, resource, both)
            if lines is not None:
                lines.add_to(plan)
    if len(result.portfolio):
        site_layer(result, both).add_to(plan)
    folium.LayerControl(collapsed=False).add_to(plan)
    _Scale().add_to(plan)  # type: ignore[no-untyped-call]

    figure = cast(Figure, plan.get_root())
    figure.title = escape(f"{languages[0].text(result.scenario.title)}: GeoPlan")
    head = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    figure.header.add_child(_Verbatim(head), name="policy", index=0)
    constants = f"const STYLES = {json.dumps(STYLES)};"
    style = f"<style>{embed.font_css()}{embed.leaflet_css()}</style>"
    figure.header.add_child(
        _Verbatim(f"{style}<script>{embed.leaflet_js()}\n{constants}</script>"), "leaflet"
    )
    figure.html.add_child(_Verbatim(_furniture(result, languages)), name="furniture")
    page: str = figure.render()
    page = _stable_names(_compact(page), plan)
    first = languages[0]
    return page.replace("<html>", f'<html lang="{first.code}" dir="ltr">', 1)


def _bounds(result: SitingResult) -> tuple[float, float, float, float]:
    for frame in (result.regions, result.candidates):
        if len(frame) and not frame.geometry.is_empty.all():
            x0, y0, x1, y1 = (float(v) for v in frame.total_bounds)
            return x0, y0, x1, y1
    return result.profile.bbox


def _furniture(result: SitingResult, languages: Sequence[Language]) -> str:
    environment = Environment(
        loader=PackageLoader("geoplan.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    edges = (0.0, *BREAKS, 1.0)
    classes = list(zip(SCALE, edges, edges[1:], strict=False))
    return environment.get_template("map.html.j2").render(
        result=result,
        languages=languages,
        classes=classes,
        no_data=NO_DATA,
        missing=bool(result.regions["industrialisation"].isna().any()),
        assumed=is_assumed(result),
    )


def _compact(page: str) -> str:
    """Write the page's GeoJSON without spaces and escapes of letters: a third of its size."""

    def shorter(found: re.Match[str]) -> str:
        text = json.dumps(json.loads(found[1]), ensure_ascii=False, separators=(",", ":"))
        for letter in "<>&'\u2028\u2029":
            text = text.replace(letter, f"\\u{ord(letter):04x}")
        return f"_add({text});"

    return re.sub(r"_add\((\{.*\})\);", shorter, page)


def _stable_names(page: str, plan: folium.Map) -> str:
    """Replace folium's random element names by numbers, in the order in which they appear."""
    ids: list[str] = []

    def walk(element: Any) -> None:
        ids.append(element._id)
        for child in element._children.values():
            walk(child)

    root = cast(Figure, plan.get_root())
    for part in (root, root.header, root.html, root.script):
        walk(part)
    for n, name in enumerate(dict.fromkeys(ids)):
        page = page.replace(name, f"{n}")
    return page


def write_map(path: Path, result: SitingResult, shapes: Outlines) -> None:
    """Write the page as UTF-8."""
    path.write_text(map_html(result, shapes), encoding="utf-8", newline="\n")
