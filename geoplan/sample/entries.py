"""The pack.yaml of a synthetic country: which file becomes which layer."""

from __future__ import annotations

from typing import Any

from geoplan.sample.country import Country
from geoplan.sample.place import AS_OF, CADASTRE_CRS

__all__ = ["pack_document"]

_SAID = {
    "as_of": AS_OF,
    "source": "geoplan sample (synthetic)",
    "licence": "Apache-2.0",
    "confidence": "synthetic",
}
_NAMES = {"name_en": "name_en", "name_local": "name_fa"}
_METHODS = {
    "substations": {
        "en": "Synthetic: rating of the transformers less 0.85–1.5 kVA for each inhabitant served",
        "fa": "ساختگی: ظرفیت ترانسفورماتورها منهای ۰٫۸۵ تا ۱٫۵ کیلوولت‌آمپر برای هر نفر",
    },
    "water_sources": {
        "en": "Synthetic: yield of the wells guessed from the population, less what is drawn",
        "fa": "ساختگی: آبدهی چاه‌ها بر پایهٔ جمعیت، منهای برداشت",
    },
    "wastewater_plants": {
        "en": "Synthetic: capacity less 0.14 m3/day for each inhabitant served",
        "fa": "ساختگی: ظرفیت منهای ۰٫۱۴ متر مکعب در روز برای هر نفر",
    },
}
_COVER = {
    "en": "1 forest, 2 shrubland, 3 grassland, 4 cropland, 5 built-up, 6 bare ground, 7 water, "
    "8 wetland.",
    "fa": "۱ جنگل، ۲ بوته‌زار، ۳ مرتع، ۴ کشتزار، ۵ ساخته‌شده، ۶ زمین لخت، ۷ آب، ۸ تالاب.",
}
_NODES = {
    "substations": ("node_id", "power", "MVA"),
    "water_sources": ("source_key", "water", "m3/day"),
    "wastewater_plants": ("plant_key", "wastewater", "m3/day"),
}


def _entry(layer: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "layer": layer,
        "file": "country.gpkg",
        "source_layer": layer,
        **more,
        "fields": fields,
        **_SAID,
    }


def _same(*names: str) -> dict[str, str]:
    return {n: n for n in names}


def _regions() -> list[dict[str, Any]]:
    base = {**_same("code", "population", "area_km2"), **_NAMES}
    lower = {**_same("code", "parent_code"), **_NAMES}
    return [
        _entry("provinces", base),
        _entry("counties", {**base, "parent_code": "parent_code"}),
        _entry("districts", {**lower, "population": "population", "area_km2": "area_km2"}),
    ]


def _facts() -> list[dict[str, Any]]:
    fields = _same("region_code", "variable", "value", "unit")
    return [
        {"layer": layer, "file": f"{layer}.csv", "fields": fields, **_SAID}
        for layer in ("province_facts", "county_facts")
    ]


def _nodes(country: Country) -> list[dict[str, Any]]:
    """One entry for each way in which the figures of a layer are known."""
    out = []
    for layer, (key, resource, unit) in _NODES.items():
        frame = getattr(country.utilities, layer)
        fields: dict[str, Any] = {
            key: "code",
            **_NAMES,
            "resource": {"default": resource},
            "kind": "kind",
            **_same("capacity", "committed", "headroom"),
            "unit": {"default": unit},
        }
        if layer == "substations":
            fields["voltage_kv"] = "voltage_kv"
        for basis in ("metered", "licensed", "assumed"):
            if not (frame["basis"] == basis).any():
                continue
            more: dict[str, Any] = {"where": f"basis == '{basis}'", "basis": basis}
            if basis == "assumed":
                more["method"] = _METHODS[layer]
            out.append(_entry(layer, fields, inside="report", **more))
    return out


def pack_document(country: Country) -> dict[str, Any]:
    """Return the pack as plain data, ready for YAML and for the Pack model."""
    settlements = {
        "city_id": "code",
        **_NAMES,
        "population": "population",
        "county_seat": "county_seat",
        "region_code": "county_code",
        "province_code": "province_code",
    }
    line = {
        "line_id": "code",
        "resource": {"default": "power"},
        "kind": {"default": "overhead"},
        **_same("voltage_kv", "from_node", "to_node", "length_km"),
        "unit": {"default": "MVA"},
    }
    dam = {"grand_id": "code", **_NAMES, **_same("discharge_l_per_s", "area_km2")}
    estate = {
        "code": "code",
        **_NAMES,
        **_same("kind", "ownership", "status", "region_code", "gross_ha", "approved_on"),
    }
    entries: list[dict[str, Any]] = [
        *_regions(),
        _entry("land", {}),
        *_facts(),
        _entry("settlements", settlements),
        _entry("urban_areas", {**_NAMES, "area_km2": "area_km2"}),
        _entry("roads", {"class": "class"}),
        _entry("railways", _same("code", "length_km")),
        _entry("ports", {**_NAMES}),
        _entry("rivers", {**_NAMES, "rank": "order", "kind": {"default": "river"}}),
        _entry("lakes", {**_NAMES, "kind": "kind"}),
        *([_entry("dams", dam)] if len(country.utilities.dams) else []),
        _entry("power_plants", {"plant_id": "code", **_NAMES, **_same("fuel", "capacity_mw")}),
        *_nodes(country),
        _entry("grid_lines", line, basis="assumed"),
        _entry("protected_areas", {**_NAMES, **_same("code", "kind", "area_km2")}),
        _entry("farmland", {**_NAMES, **_same("code", "kind", "grade", "area_km2")}),
        _entry("faults", {**_NAMES, "slip_type": "slip_type"}),
        {"layer": "elevation", "file": "elevation.tif", **_SAID},
        {"layer": "land_cover", "file": "land_cover.tif", **_SAID, "note": _COVER},
        _cadastre("estates", estate),
        _cadastre(
            "phases",
            _same("code", "estate_key", "number", "gross_ha", "industrial_ha", "opened_on")
            | {"estate_key": "estate_code"},
        ),
        _cadastre("blocks", {"code": "code", "phase_key": "phase_code", "number": "number"}),
        _cadastre(
            "plots",
            {
                "code": "code",
                "block_key": "block_code",
                **_same("number", "area_m2", "frontage_m", "depth_m", "zone", "class", "status"),
            },
        ),
    ]
    return {
        "id": "sample",
        "title": {"en": "Synthetic country", "fa": "کشور ساختگی"},
        "profile": "sample",
        "synthetic": True,
        "entries": entries,
        "notes": [
            f"Made by geoplan sample: seed {country.place.seed}, size {country.place.size}.",
            "Nothing in it is real: names, places and figures are invented.",
        ],
    }


def _cadastre(layer: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {**_entry(layer, fields, crs=CADASTRE_CRS), "file": "cadastre.gpkg"}
