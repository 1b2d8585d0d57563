"""The layers of the folium map: regions, candidates, chosen sites and their lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import folium
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from folium.utilities import JsCode

from geoplan.report.basis import assumed_basis
from geoplan.report.language import Language
from geoplan.report.order import by_rank, site_numbers
from geoplan.report.outline import NO_DATA, RESOURCE_STYLES, SCALE, Outlines, class_of
from geoplan.siting.result import SitingResult

__all__ = [
    "STYLES",
    "Both",
    "border_layer",
    "candidate_layer",
    "line_layer",
    "region_layer",
    "site_layer",
]

_PLACES = 4  # decimals of a degree: 11 m, well below the simplification


class Both:
    """Lines of a tooltip in every language of the country."""

    def __init__(self, languages: Sequence[Language]) -> None:
        self.languages = languages

    def label(self, key: str) -> str:
        """Return a word in every language, for the layer control."""
        return " / ".join(dict.fromkeys(escape(each.t(key)) for each in self.languages))

    def block(self, make: Any) -> str:
        """Return what ``make`` gives for each language, one marked block each."""
        return "".join(
            f'<div lang="{each.code}" dir="{each.direction}">{make(each)}</div>'
            for each in self.languages
        )


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
STYLES: dict[str, dict[str, Any]] = {
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


def region_layer(shapes: Outlines, both: Both) -> folium.GeoJson:
    """Return the regions, coloured by their index."""

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
                if pd.notna(row.less_industrialised) and row.less_industrialised:
                    words.append(escape(each.t("less_industrialised")))
            return "<br>".join(words)

        style = f"class{len(SCALE) if place is None else place}"
        return {"style": style, "tip": both.block(line)}

    properties = [about(row) for row in shapes.regions.itertuples()]
    data = _geojson(shapes.regions.geometry, properties)
    return _layer(data, both.label("regions"), "regions")


def border_layer(shapes: Outlines) -> folium.GeoJson:
    """Return the borders of the coarser regions."""
    data = _geojson(shapes.borders, [{"style": "border"}] * len(shapes.borders))
    return _layer(data, "borders", "borders", control=False, interactive=False)


def candidate_layer(result: SitingResult, shapes: Outlines, both: Both) -> folium.GeoJson:
    """Return the candidates, the chosen ones in their own colour."""

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


def line_layer(result: SitingResult, resource: str, both: Both) -> folium.FeatureGroup | None:
    """Return the lines of one resource and their sources; None where there are none."""
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


def _line_name(resource: str, both: Both) -> str:
    colour, dash = RESOURCE_STYLES[resource]
    return f"{_stroke(colour, dash)} {both.label(resource)}"


def _stroke(colour: str, dash: str) -> str:
    return (
        f'<svg class="key" viewBox="0 0 30 8" aria-hidden="true"><path d="M1 4H29" '
        f'stroke="{colour}" stroke-width="2.5" stroke-dasharray="{dash}"/></svg>'
    )


def _basis(basis: str, both: Both) -> str:
    if not assumed_basis(basis):
        return ""
    return f'<div class="assumed">{both.label("assumed")}</div>'


def site_layer(result: SitingResult, both: Both) -> folium.GeoJson:
    """Return the numbered marks of the chosen sites, with reasons and supply on a click."""
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
                if reason.code != "supply"
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
