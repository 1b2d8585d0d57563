"""``map.html``: a folium map in one file that asks no network for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any, cast

import folium
import geopandas as gpd
import numpy as np
import shapely
from branca.element import Element, Figure, MacroElement
from folium.template import Template
from folium.utilities import JsCode
from jinja2 import Environment, PackageLoader, StrictUndefined

from geoplan.catalogue import RESOURCES
from geoplan.report import embed
from geoplan.report.language import Language, languages_of
from geoplan.report.outline import (
    BREAKS,
    NO_DATA,
    RESOURCE_STYLES,
    SCALE,
    Outlines,
    class_of,
)  # fmt: skip
from geoplan.report.tables import by_rank
from geoplan.siting.result import SitingResult

__all__ = ["map_html", "site_numbers"]

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:"
)
_PLACES = 4  # decimals of a degree: 11 m, well below the simplification


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


def site_numbers(result: SitingResult) -> dict[str, int]:
    """Return the number of each chosen site on maps and in tables: 1 is the best."""
    chosen = by_rank(result.portfolio, result)
    return {site: n for n, site in enumerate(chosen["site_id"], 1)} if len(chosen) else {}


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
    both = _Both(languages)
    _regions(shapes, both).add_to(plan)
    if len(shapes.borders):
        _borders(shapes).add_to(plan)
    if len(result.candidates):
        _candidates(result, shapes, both).add_to(plan)
    if len(result.supply):
        for resource in RESOURCES:
            lines = _lines(result, resource, both)
            if lines is not None:
                lines.add_to(plan)
    if len(result.portfolio):
        _chosen(result, both).add_to(plan)
    folium.LayerControl(collapsed=False).add_to(plan)
    _Scale().add_to(plan)  # type: ignore[no-untyped-call]

    figure = cast(Figure, plan.get_root())
    figure.title = escape(f"{languages[0].text(result.scenario.title)}: GeoPlan")
    head = f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    figure.header.add_child(_Verbatim(head), name="policy", index=0)
    constants = f"const STYLES = {json.dumps(_STYLES)};"
    style = f"<style>{embed.font_css()}{embed.leaflet_css()}</style>"
    figure.header.add_child(
        _Verbatim(f"{style}<script>{embed.leaflet_js()}\n{constants}</script>"), "leaflet"
    )
    figure.html.add_child(_Verbatim(_furniture(result, languages)), name="furniture")
    page: str = figure.render()
    page = _stable_names(_compact(page), plan)
    first = languages[0]
    return page.replace("<html>", f'<html lang="{first.code}" dir="ltr">', 1)


class _Both:
    """Lines of a tooltip in every language of the country."""

    def __init__(self, languages: Sequence[Language]) -> None:
        self.languages = languages

    def label(self, key: str) -> str:
        return " / ".join(dict.fromkeys(escape(each.t(key)) for each in self.languages))

    def block(self, make: Any) -> str:
        return "".join(
            f'<div lang="{each.code}" dir="{each.direction}">{make(each)}</div>'
            for each in self.languages
        )


def _bounds(result: SitingResult) -> tuple[float, float, float, float]:
    for frame in (result.regions, result.candidates):
        if len(frame) and not frame.geometry.is_empty.all():
            x0, y0, x1, y1 = (float(v) for v in frame.total_bounds)
            return x0, y0, x1, y1
    return result.profile.bbox


def _geojson(
    shapes: gpd.GeoSeries, properties: Iterable[dict[str, Any]], places: int = _PLACES
) -> dict[str, Any]:
    flat = shapes.to_crs("EPSG:4326").to_numpy() if shapes.crs is not None else shapes.to_numpy()
    rounded = shapely.transform(flat, lambda xy: np.round(xy, places))
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": about, "geometry": json.loads(shape)}
            for shape, about in zip(shapely.to_geojson(rounded), properties, strict=True)
        ],
    }


# Style, tooltip and number travel as properties, so that the page holds one small function and
# not one case per feature; every text in them is escaped here.
_STYLES: dict[str, dict[str, Any]] = {
    **{
        f"class{n}": {"fillColor": fill, "fillOpacity": 0.95, "color": "#8a9a8c", "weight": 0.6}
        for n, fill in enumerate((*SCALE, NO_DATA))
    },
    "border": {"color": "#4d5a50", "weight": 1.2, "fill": False},
    "candidate": {
        "color": "#54452b", "weight": 0.7, "fillColor": "#b08a3c", "fillOpacity": 0.75,
    },
    "chosen": {"color": "#7a0019", "weight": 1.6, "fillColor": "#c8102e", "fillOpacity": 0.75},
    **{
        name: {"color": colour, "weight": 2.2, "dashArray": dash or None, "opacity": 0.95}
        for name, (colour, dash) in RESOURCE_STYLES.items()
    },
}  # fmt: skip
_BIND = JsCode(
    """(feature, layer) => {
        const about = feature.properties;
        if (about.style && layer.setStyle) layer.setStyle(STYLES[about.style]);
        if (about.number && layer.setIcon) layer.setIcon(L.divIcon(
            {html: about.number, className: 'site-number', iconSize: [26, 26]}));
        if (about.tip) layer.bindTooltip(about.tip, {sticky: true, className: 'tip'});
        if (about.more) layer.bindPopup(about.more, {maxWidth: 380, maxHeight: 320})
            .on('popupopen', () => layer.closeTooltip());
    }"""
)


def _layer(data: dict[str, Any], name: str, pane: str, **options: Any) -> folium.GeoJson:
    return folium.GeoJson(
        data, name=name, on_each_feature=_BIND, pane=pane, smooth_factor=0.4, **options
    )


def _regions(shapes: Outlines, both: _Both) -> folium.GeoJson:
    def about(row: Any) -> dict[str, Any]:
        place = class_of(float(row.industrialisation))

        def line(each: Language) -> str:
            words = [f"<b>{escape(each.name(row.name_en, row.name_local))}</b>"]
            if place is None:
                words.append(escape(each.t("no_data")))
            else:
                words.append(
                    f"{escape(each.t('industrialisation'))}: "
                    f"{each.number(row.industrialisation, 2)}"
                )
                if bool(row.less_industrialised):
                    words.append(escape(each.t("less_industrialised")))
            return "<br>".join(words)

        style = f"class{len(SCALE) if place is None else place}"
        return {"style": style, "tip": both.block(line)}

    properties = [about(row) for row in shapes.regions.itertuples()]
    data = _geojson(shapes.regions.geometry, properties)
    return _layer(data, both.label("regions"), "regions")


def _borders(shapes: Outlines) -> folium.GeoJson:
    data = _geojson(shapes.borders, [{"style": "border"}] * len(shapes.borders))
    return _layer(data, "borders", "borders", control=False, interactive=False)


def _candidates(result: SitingResult, shapes: Outlines, both: _Both) -> folium.GeoJson:
    def about(site: str, row: Any) -> dict[str, Any]:
        def line(each: Language) -> str:
            return (
                f"<b>{escape(each.t('candidate'))} <bdi>{escape(site)}</bdi></b><br>"
                f"{escape(each.t('rank'))} {each.number(row.rank)} · "
                f"{escape(each.t('score'))} {each.number(row.score, 3)} · "
                f"{each.number(row.area_ha)} {escape(each.unit('ha'))}"
            )

        style = "chosen" if bool(row.in_portfolio) else "candidate"
        return {"style": style, "tip": both.block(line)}

    frame = result.candidates
    properties = [about(str(row.Index), row) for row in frame.itertuples()]
    return _layer(_geojson(shapes.candidates, properties), both.label("candidates"), "sites")


def _lines(result: SitingResult, resource: str, both: _Both) -> folium.FeatureGroup | None:
    rows = by_rank(result.supply, result)
    rows = rows[(rows["resource"] == resource) & (rows["kind"] == "network")]
    places = ["source_lon", "source_lat", "site_lon", "site_lat"]
    rows = rows[rows[places].notna().all(axis=1)]
    if not len(rows):
        return None
    colour, _ = RESOURCE_STYLES[resource]

    def about(row: Any) -> dict[str, Any]:
        def line(each: Language) -> str:
            return (
                f"<b>{escape(each.t(resource))}</b>: "
                f"{escape(each.name(row.source_name_en, row.source_name_local))} "
                f"← <bdi>{escape(str(row.site_id))}</bdi><br>"
                f"{each.amount(row.amount)} {escape(each.unit(row.unit))} · "
                f"{each.number(row.distance_km, 1)} {escape(each.unit('km'))}"
            )

        return {"style": resource, "tip": both.block(line) + _basis(row.basis, both)}

    properties = [about(row) for row in rows.itertuples()]
    ends = rows[places].to_numpy(dtype="float64").reshape(-1, 2, 2)
    paths = gpd.GeoSeries(shapely.linestrings(ends))
    points = gpd.GeoSeries(shapely.points(ends[:, 0, :]))
    group = folium.FeatureGroup(name=_line_name(resource, both))
    _layer(_geojson(paths, properties), "lines", "lines").add_to(group)
    spots = [{"tip": p["tip"]} for p in properties]
    marker = folium.CircleMarker(
        radius=4, color="#ffffff", weight=1, fill=True, fill_color=colour, fill_opacity=1,
        pane="lines",
    )  # fmt: skip
    _layer(_geojson(points, spots), "sources", "lines", marker=marker).add_to(group)
    return group


def _line_name(resource: str, both: _Both) -> str:
    colour, dash = RESOURCE_STYLES[resource]
    return f"{_stroke(colour, dash)} {both.label(resource)}"


def _stroke(colour: str, dash: str) -> str:
    return (
        f'<svg class="key" viewBox="0 0 30 8" aria-hidden="true"><path d="M1 4H29" '
        f'stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"/></svg>'
    )


def _basis(basis: str, both: _Both) -> str:
    if not assumed_basis(basis):
        return ""
    return f'<div class="assumed">{both.label("assumed")}</div>'


def _chosen(result: SitingResult, both: _Both) -> folium.GeoJson:
    numbers = site_numbers(result)
    levels = sorted(spec.level for spec in result.profile.region_levels)
    plan = by_rank(result.portfolio, result)
    supply = by_rank(result.supply, result)

    def about(row: Any) -> dict[str, Any]:
        site = str(row.site_id)
        rows = supply[supply["site_id"] == row.site_id]

        def line(each: Language) -> str:
            names = [
                each.name(getattr(row, f"region{n}_name_en"), getattr(row, f"region{n}_name_local"))
                for n in levels
            ]
            return (
                f"<b>{each.number(numbers[site])}. {escape(each.comma.join(names))}</b><br>"
                f"<bdi>{escape(site)}</bdi> · {each.number(row.area_ha)} "
                f"{escape(each.unit('ha'))} · {escape(each.t('score'))} "
                f"{each.number(row.score, 3)}"
            )

        def more(each: Language) -> str:
            reasons = "".join(
                f"<li>{escape(each.text(reason.text))}</li>"
                for reason in result.reasons.get(site, ())
            )
            flows = "".join(
                f"<li>{escape(each.t(flow.resource))}: {each.amount(flow.amount)} "
                f"{escape(each.unit(flow.unit))}{each.comma}"
                f"{escape(each.source(flow.source_name_en, flow.source_name_local, flow.kind))}"
                + (
                    f' <span class="assumed">{escape(each.t("assumed"))}</span>'
                    if assumed_basis(flow.basis)
                    else ""
                )
                + "</li>"
                for flow in rows.itertuples()
            )
            return f"{line(each)}<ul>{reasons}</ul><ul>{flows}</ul>"

        return {
            "number": str(numbers[site]), "tip": both.block(line), "more": both.block(more),
        }  # fmt: skip

    at = result.candidates.loc[plan["site_id"], ["lon", "lat"]].to_numpy(dtype="float64")
    data = _geojson(gpd.GeoSeries(shapely.points(at)), [about(r) for r in plan.itertuples()], 6)
    return folium.GeoJson(
        data,
        name=both.label("portfolio"),
        on_each_feature=_BIND,
        marker=folium.Marker(icon=folium.DivIcon(html="")),
    )


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


def is_assumed(result: SitingResult) -> bool:
    """Return whether any figure of the run is assumed."""
    frames = (frame for frame in (result.sources, result.supply) if len(frame))
    return bool(result.assumptions) or any(
        assumed_basis(basis) for frame in frames for basis in frame["basis"].unique()
    )


def assumed_basis(basis: object) -> bool:
    """Return whether a basis says that its figure is assumed, alone or within a sentence."""
    return "assumed" in str(basis).lower()


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
