"""Canned answers about regions that are given; each answer is checked against the API's schemas."""

from __future__ import annotations

import math
import random
from typing import Any

import geopandas as gpd
import shapely
from pydantic import TypeAdapter
from stub_api import Canned
from stub_studies import PLACE, study_answers
from stub_tile import Feature

from api import schemas

__all__ = ["made_up_regions", "plan_answers"]

RUN = "run-2026-11-20-a1b2"
LOST_RUN = "run-2026-11-18-c3d4"

_PROVINCES = [
    ("Panjgah", "پنجگاه"),
    ("Zhalan", "ژالان"),
    ("Gachin", "گچین"),
    ("Chaman-e Parsa", "چمن پارسا"),
    ("Kuhpayeh", "کوهپایه"),
    ("Sepidrud", "سپیدرود"),
]
_SIDES = [("North", "شمالی"), ("South", "جنوبی"), ("East", "شرقی"), ("West", "غربی")]


def made_up_regions() -> gpd.GeoDataFrame:
    """Return two levels of regions of a country that does not exist."""
    rows: list[tuple[Any, ...]] = []
    for n, (en, fa) in enumerate(_PROVINCES):
        west, south = 50 + 2.4 * (n % 3), 30 + 2.2 * (n // 3)
        code = f"{n + 1:02d}"
        parts = []
        for m, (side_en, side_fa) in enumerate(_SIDES):
            x, y = west + 1.2 * (m % 2), south + 1.1 * (m // 2)
            wave = [(x + 1.2 * t / 12, y + 0.05 * math.sin(t + n + m)) for t in range(13)]
            roof = [(px, py + 1.1) for px, py in wave[::-1]]
            shape = shapely.Polygon(wave + roof)
            parts.append(shape)
            both = (f"{en} {side_en}", f"{fa} {side_fa}")
            rows.append((2, f"{code}{m + 1:02d}", code, *both, shape))
        rows.append((1, code, None, en, fa, shapely.union_all(parts)))
    names = ["level", "code", "parent_code", "name_en", "name_local", "geometry"]
    return gpd.GeoDataFrame(
        [dict(zip(names, row, strict=True)) for row in rows], geometry="geometry", crs=4326
    )


def plan_answers(
    regions: gpd.GeoDataFrame,
    *,
    title: dict[str, str],
    synthetic: bool,
    candidates: int = 160,
    chosen: int = 15,
    layers: list[tuple[dict[str, Any], list[Feature]]] | None = None,
) -> Canned:
    """Return a whole set of answers: index, candidates, a plan with its supply, layers.

    Parameters
    ----------
    regions : GeoDataFrame
        ``level`` (1, 2), ``code``, ``parent_code``, ``name_en``, ``name_local``, polygons.
    title : dict
        ``en`` and ``local``.
    synthetic : bool
        Whether the page has to say that all is made up.
    candidates, chosen : int
        How many.
    layers : list, optional
        Members of ``LayerInfo`` that differ from a plain layer, and the features.
    """
    rng = random.Random(7)
    fine = regions[regions["level"] == 2].reset_index(drop=True)
    index = {
        code: None if n % 17 == 5 else round(rng.random() ** 2.2, 3)
        for n, code in enumerate(fine["code"])
    }
    for code in regions.loc[regions["level"] == 1, "code"]:
        below = [index[c] for c in fine.loc[fine["parent_code"] == code, "code"]]
        known = [v for v in below if v is not None]
        index[code] = round(sum(known) / len(known), 3) if known else None
    summaries = _regions(regions, index)
    sites, supply = _sites(fine, regions, rng, candidates, chosen)
    made = Canned()
    bounds = [float(v) for v in regions.total_bounds]
    answers: dict[str, tuple[Any, Any]] = {
        "/api/info": (schemas.AppInfo, _info(title, synthetic, bounds)),
        "/api/layers": (
            list[schemas.LayerInfo],
            [_layer(given, len(features)) for given, features in layers or []],
        ),
        "/api/runs": (
            list[schemas.RunSummary],
            [_run(RUN, "within-gap", synthetic, chosen, candidates),
             _run(LOST_RUN, "infeasible", synthetic, 0, candidates)],
        ),
        f"/api/runs/{RUN}": (
            schemas.RunDetail, _run_detail(RUN, "within-gap", synthetic, chosen, candidates),
        ),
        f"/api/runs/{LOST_RUN}": (
            schemas.RunDetail, _run_detail(LOST_RUN, "infeasible", synthetic, 0, candidates),
        ),
        f"/api/runs/{RUN}/supply": (list[schemas.SupplyLine], supply),
        f"/api/runs/{LOST_RUN}/supply": (list[schemas.SupplyLine], []),
        f"/api/runs/{RUN}/sources": (list[schemas.SourceInfo], _sources(supply)),
        f"/api/runs/{LOST_RUN}/sources": (list[schemas.SourceInfo], []),
        f"/api/runs/{RUN}/candidates": (list[schemas.CandidateSummary], sites),
        f"/api/runs/{LOST_RUN}/candidates": (
            list[schemas.CandidateSummary], [{**s, "in_portfolio": False} for s in sites],
        ),
    }  # fmt: skip
    for level in (1, 2):
        here = [r for r in summaries if r["level"] == level]
        answers[f"/api/regions?level={level}"] = (list[schemas.RegionSummary], here)
    for region in summaries:
        key = f"/api/regions/{region['code']}"
        answers[key] = (schemas.RegionDetail, _region_detail(region))
    for site in sites:
        key = f"/api/runs/{RUN}/sites/{site['site_id']}"
        answers[key] = (schemas.SiteDetail, _site_detail(site, supply))
    for key, (kind, answer) in answers.items():
        checked = TypeAdapter(kind).validate_python(answer)
        made.answers[key] = TypeAdapter(kind).dump_python(checked, mode="json")
    made.answers[f"/api/runs/{RUN}/place"] = PLACE
    for name, document in study_answers(sites).items():
        made.answers[f"/api/runs/{RUN}/studies/{name}"] = document
    made.answers[f"/api/runs/{RUN}"]["studies"] = sorted(study_answers(sites))
    for level in (1, 2):
        rows = regions[regions["level"] == level]
        made.tiles[f"regions/{level}"] = [
            (row.geometry, {"code": row.code, "name_en": row.name_en, "level": level})
            for row in rows.itertuples()
        ]
    for run in (RUN, LOST_RUN):
        made.tiles[f"runs/{run}/candidates"] = [
            (
                shapely.Point(s["lon"], s["lat"]).buffer(0.02, quad_segs=2),
                {"site_id": s["site_id"], "rank": s["rank"], "score": s["score"]},
            )
            for s in sites
        ]
    for given, features in layers or []:
        made.tiles[f"layers/{given['id']}"] = features
    return made


def _label(en: str, local: str) -> dict[str, str]:
    return {"en": en, "local": local}


def _info(title: dict[str, str], synthetic: bool, bounds: list[float]) -> dict[str, Any]:
    return {
        "version": "0.1.0", "profile_id": "iran", "title": title, "country": "IR",
        "synthetic": synthetic, "languages": ["fa", "en"], "calendar": "jalali",
        "bounds": bounds, "currency": "IRR", "price_year": "1403", "latest_run": RUN,
        "region_levels": [
            {"level": 1, "title": _label("Provinces", "استان‌ها")},
            {"level": 2, "title": _label("Counties", "شهرستان‌ها")},
        ],
        "data_version": "0123456789ab",
    }  # fmt: skip


def _layer(given: dict[str, Any], rows: int) -> dict[str, Any]:
    return {
        "kind": "vector", "geometry": "point", "rows": rows, "version": 1, "as_of": "2017",
        "source": "OpenStreetMap contributors", "licence": "ODbL 1.0", "assumed": False,
        "method": None, "synthetic": False, "color": "#455a64", "width": 2.0, "opacity": 0.9,
        "min_zoom": 0, "show": False, "tiles": f"/tiles/layers/{given['id']}/{{z}}/{{x}}/{{y}}.mvt",
        "source_layer": "layer", "bounds": None, **given,
    }  # fmt: skip


def _regions(regions: gpd.GeoDataFrame, index: dict[str, float | None]) -> list[dict[str, Any]]:
    out = []
    for level in (1, 2):
        rows = regions[regions["level"] == level]
        known = [c for c in rows["code"] if index[c] is not None]
        ranked = sorted(known, key=lambda c: -(index[c] or 0.0))
        for n, row in enumerate(rows.itertuples()):
            value = index[row.code]
            out.append({
                "code": row.code, "level": level,
                "parent_code": row.parent_code if level == 2 else None,
                "name": _label(row.name_en, row.name_local),
                "population": 120_000 + 31_700 * (n + 1), "area_km2": 10_450.0 + 77 * n,
                "industrialisation": value, "coverage": 0.2 if value is None else 0.9,
                "rank": None if value is None else ranked.index(row.code) + 1,
                "less_industrialised": None if value is None else value < 0.35,
                "bounds": [float(v) for v in row.geometry.bounds],
            })  # fmt: skip
    return out


def _region_detail(region: dict[str, Any]) -> dict[str, Any]:
    value = region["industrialisation"]
    lines = [
        ("industrial_jobs", "Share of jobs in industry", "سهم شاغلان صنعت", 31.2, "%", 0.4),
        ("plants", "Plants per 100,000 people", "کارخانه در هر ۱۰۰ هزار نفر", 1.7, "", 0.35),
        ("power_use", "Generation per person", "تولید برق سرانه", 412.0, "GWh", 0.25),
    ]  # fmt: skip
    return {
        **region,
        "formula": "index = sum(w_i * n_i) / sum(w_i); n_i = rank share of indicator i",
        "indicators": [
            {
                "id": code, "title": _label(en, fa), "value": None if value is None else measured,
                "unit": unit, "normalised": value, "weight": weight, "as_of": "2016",
                "source": "Statistical Centre of Iran, census 1395",
            }
            for code, en, fa, measured, unit, weight in lines
        ],
        "facts": [
            {"variable": "pop2016", "value": 421_000, "unit": "persons", "as_of": "2016",
             "source": "Statistical Centre of Iran", "confidence": "official"},
        ],
    }  # fmt: skip


def _run(
    run: str, status: str, synthetic: bool, sites: int, candidates: int
) -> dict[str, Any]:  # fmt: skip
    return {
        "id": run, "scenario_id": "large-estates",
        "title": _label("Fifteen large estates", "پانزده شهرک صنعتی بزرگ"), "status": status,
        "created_at": "2026-11-20T08:15:00+00:00", "synthetic": synthetic, "assumed": True,
        "sites": sites, "candidates": candidates,
    }  # fmt: skip


_CRITERIA = [
    ("road_access", "Distance to a main road", "فاصله تا راه اصلی", "km", 0.24, 8.4, 11.0),
    ("deprivation", "Less industrialised region", "محرومیت صنعتی منطقه", "index", 0.22, 0.81, 0.64),
    ("power", "Distance to a substation", "فاصله تا پست برق", "km", 0.18, 12.6, 19.3),
    ("water", "Distance to a water source", "فاصله تا منبع آب", "km", 0.16, 21.7, 24.9),
    ("slope", "Mean slope", "شیب میانگین", "%", 0.12, 2.3, 3.1),
    ("workforce", "People within 50 km", "جمعیت تا ۵۰ کیلومتر", "persons", 0.08, 4.1e5, 2.7e5),
]  # fmt: skip


def _run_detail(
    run: str, status: str, synthetic: bool, sites: int, candidates: int
) -> dict[str, Any]:
    lost = status == "infeasible"
    return {
        **_run(run, status, synthetic, sites, candidates),
        "hash": "ab" * 32,
        "objective": None if lost else 11.42, "bound": None if lost else 11.42,
        "gap": None if lost else 0.00008,
        "timings": [
            {"step": "exclusions", "seconds": 6.31, "peak_mb": 812.0},
            {"step": "portfolio", "seconds": 2.04, "peak_mb": 1013.0},
        ],
        "warnings": [
            {
                "en": "12 features outside the country were left out of the settlements",
                "local": "۱۲ عارضهٔ بیرون از کشور از سکونتگاه‌ها کنار گذاشته شد",
            }
        ],
        "assumptions": [
            _label("Headroom of a substation follows from its voltage and nearby generation.",
                   "ظرفیت آزاد پست برق از ولتاژ و تولید نزدیک برآورد شده است."),
            _label("A dam can give 5 % of its mean discharge to industry.",
                   "۵ درصد آبدهی میانگین سد به صنعت داده‌شدنی است."),
        ],
        "limits": {
            "count": 15, "per_region_max": 2, "region_level": 1, "spacing_km": 40.0,
            "less_industrialised_share_min": 0.6, "budget": None, "gap": 0.0001,
            "time_limit_s": 60.0,
        },
        "criteria": [
            {"id": code, "title": _label(en, fa), "unit": unit, "weight": weight}
            for code, en, fa, unit, weight, *_ in _CRITERIA
        ],
        "relaxations": [
            {"limit": "region-cap:02", "label": "Sites in region 02", "value": 2.0, "needed": 3.0,
             "by": 1.0, "unit": "sites"},
            {"limit": "headroom:water:dam-12", "label": "Water of dam 12", "value": 8_000.0,
             "needed": 10_400.0, "by": 2_400.0, "unit": "m3/day"},
        ] if lost else [],
        "files": ["portfolio.csv", "ranking.csv", "report.html", "run.json", "supply.csv"],
    }  # fmt: skip


def _sites(
    fine: gpd.GeoDataFrame, regions: gpd.GeoDataFrame, rng: random.Random, count: int, chosen: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    names = {r.code: _label(r.name_en, r.name_local) for r in regions.itertuples()}
    spots = []
    for n in range(count):
        row = fine.iloc[(n * 37) % len(fine)]
        west, south, east, north = row.geometry.bounds
        for _ in range(50):
            point = shapely.Point(rng.uniform(west, east), rng.uniform(south, north))
            if row.geometry.contains(point):
                break
        else:
            point = row.geometry.representative_point()
        spots.append((row, point))
    sites: list[dict[str, Any]] = []
    supply: list[dict[str, Any]] = []
    taken: list[shapely.Point] = []
    for n, (row, point) in enumerate(spots):
        apart = all(point.distance(other) > 1.1 for other in taken)
        picked = len(taken) < chosen and apart
        if picked:
            taken.append(point)
        site = {
            "site_id": f"S{n + 1:04d}", "rank": n + 1, "score": round(0.86 - 0.42 * n / count, 4),
            "area_ha": 800.0 + 25 * ((n * 31) % 48), "lon": point.x, "lat": point.y,
            "regions": [
                {"level": 1, "code": row["parent_code"], "name": names[row["parent_code"]]},
                {"level": 2, "code": row["code"], "name": names[row["code"]]},
            ],
            "in_portfolio": picked, "served_alone": n % 9 != 0,
            "demand": [
                {"resource": "water", "amount": 9_800.0, "unit": "m3/day"},
                {"resource": "power", "amount": 146.0, "unit": "MVA"},
                {"resource": "wastewater", "amount": 6_200.0, "unit": "m3/day"},
            ],
        }  # fmt: skip
        sites.append(site)
        if picked:
            supply += _supply(site, rng)
    return sites, supply


_SOURCES = {
    "water": ("Dam", "سد", "m3/day", 9_800.0, "licensed"),
    "power": ("Substation", "پست برق", "MVA", 146.0, "assumed"),
    "wastewater": ("Treatment plant", "تصفیه‌خانه", "m3/day", 3_700.0, "assumed"),
}


def _supply(site: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    place = site["regions"][1]["name"]
    out = []
    for n, (resource, (en, fa, unit, amount, basis)) in enumerate(_SOURCES.items()):
        turn, far = rng.uniform(0, 6.28), rng.uniform(0.25, 0.6)
        at = [site["lon"] + far * math.cos(turn), site["lat"] + far * math.sin(turn)]
        out.append({
            "site_id": site["site_id"], "resource": resource,
            "source_id": f"{resource}:{site['rank'] * 3 + n}",
            "source_name": _label(f"{en} {place['en']}", f"{fa} {place['local']}"),
            "kind": "network", "amount": amount, "unit": unit, "distance_km": round(far * 100, 1),
            "cost": 2.4e11 * far * 10, "basis": basis,
            "line": [at, [site["lon"], site["lat"]]],
        })  # fmt: skip
    out.append({
        "site_id": site["site_id"], "resource": "wastewater", "source_id": "own:plant",
        "source_name": _label("Own treatment plant", "تصفیه‌خانهٔ اختصاصی"), "kind": "plant",
        "amount": 2_500.0, "unit": "m3/day", "distance_km": None, "cost": 1.35e12,
        "basis": "assumed", "line": None,
    })  # fmt: skip
    return out


def _sources(supply: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "source_id": line["source_id"], "resource": line["resource"], "kind": line["kind"],
            "name": line["source_name"], "headroom": line["amount"] * (1.1 + 0.2 * (n % 4)),
            "used": line["amount"], "unit": line["unit"], "basis": line["basis"],
            "lon": line["line"][0][0], "lat": line["line"][0][1],
        }
        for n, line in enumerate(supply)
        if line["line"]
    ]  # fmt: skip


def _site_detail(site: dict[str, Any], supply: list[dict[str, Any]]) -> dict[str, Any]:
    mine = [line for line in supply if line["site_id"] == site["site_id"]]
    criteria = []
    for n, (code, en, fa, unit, weight, measured, median) in enumerate(_CRITERIA):
        value = min(1.0, site["score"] + 0.07 * ((n % 3) - 1))
        criteria.append({
            "id": code, "title": _label(en, fa), "measured": measured, "unit": unit,
            "value": value, "weight": weight, "contribution": value * weight,
            "national_median": median,
        })  # fmt: skip
    chosen = _label(
        f"Chosen: score {site['score']:.2f}, rank {site['rank']}; water, power and wastewater are "
        "served in full together with the other chosen sites.",
        "برگزیده: آب، برق و فاضلاب آن همراه با دیگر مکان‌های برگزیده به‌طور کامل تأمین می‌شود.",
    )
    spacing = _label("Lies 23 km from site S0001; the plan asks for 40 km.",
                     "تا مکان S0001 ۲۳ کیلومتر فاصله دارد؛ طرح ۴۰ کیلومتر می‌خواهد.")  # fmt: skip
    equity = _label("The region is less industrialised (index below 0.35).",
                    "منطقه کمتر صنعتی است (شاخص کمتر از ۰٫۳۵).")  # fmt: skip
    reasons = [("chosen", chosen), ("quota", equity)]
    if not site["in_portfolio"]:
        reasons = [("spacing", spacing)]
    return {
        **site,
        "criteria": criteria,
        "reasons": [{"code": code, "text": words} for code, words in reasons],
        "supply": mine,
        "cost": sum(line["cost"] for line in mine) if mine else None,
        "bounds": [site["lon"] - 0.03, site["lat"] - 0.03, site["lon"] + 0.03, site["lat"] + 0.03],
    }
