"""A small finished run, made by hand: three regions, six candidates, two chosen sites."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import MultiPolygon, Polygon, box

from geoplan.catalogue import RESOURCES, Profile, Scenario
from geoplan.catalogue.text import Text
from geoplan.errors import Relaxation
from geoplan.grid import Grid
from geoplan.siting.result import Reason, SitingResult, SolverRecord, StepTiming

__all__ = ["example_document", "example_result", "infeasible_result"]

_CRS = "+proj=laea +lat_0=33 +lon_0=52 +datum=WGS84 +units=m +no_defs"


def _coefficient(value: float, unit: str, status: str = "read") -> dict[str, Any]:
    return {"value": value, "unit": unit, "basis": "design manual, table 4", "status": status,
            "as_of": "1399"}  # fmt: skip


def example_profile(**changes: Any) -> Profile:
    """Return a made-up country with two levels of regions."""
    activity = {
        "title": {"en": "Food", "fa": "مواد غذایی"},
        "water": _coefficient(20, "m3/day/ha", "unverified"),
        "return_ratio": _coefficient(0.7, "1"),
        "connected_power": _coefficient(300, "kVA/ha"),
        "coincidence": _coefficient(0.6, "1"),
        "jobs": _coefficient(40, "jobs/ha"),
        "grade": [2, 4],
    }
    indicators = [
        {"id": "plants", "title": {"en": "Plants per person", "fa": "کارخانه به ازای نفر"},
         "level": 2, "variable": "plants", "per": "population", "per_unit": 100000,
         "unit": "1/100000", "weight": 3, "basis": "census", "transform": "log1p"},
        {"id": "jobless", "title": {"en": "Unemployment", "fa": "بیکاری"}, "level": 2,
         "variable": "unemployment", "unit": "%", "direction": "less", "weight": 1,
         "basis": "labour force survey"},
    ]  # fmt: skip
    fields: dict[str, Any] = {
        "id": "example",
        "title": {"en": "Example land", "fa": "سرزمین نمونه"},
        "country": "XX",
        "synthetic": True,
        "languages": ["en", "fa"],
        "calendar": "jalali",
        "analysis_crs": _CRS,
        "bbox": [51.0, 32.0, 53.0, 34.0],
        "region_levels": [
            {"level": 1, "layer": "provinces", "title": {"en": "province", "fa": "استان"}},
            {"level": 2, "layer": "counties", "title": {"en": "county", "fa": "شهرستان"}},
        ],
        "currency": "IRR",
        "price_year": "1403",
        "demand_classes": {"food": activity},
        "coefficients": {"industrial_share": _coefficient(0.6, "1", "proposed")},
        "index": {"level": 2, "indicators": indicators},
    }
    return Profile.model_validate(fields | changes)


def example_scenario() -> Scenario:
    """Return a scenario that asks for two sites."""
    supply = {"layers": ["nodes"], "max_km": 60}
    return Scenario.model_validate(
        {
            "id": "two-estates",
            "title": {"en": "Two large estates", "fa": "دو شهرک صنعتی بزرگ"},
            "profile": "example",
            "area": {"layer": "provinces"},
            "grid": {"cell_m": 1000},
            "exclude": [
                {"id": "slope", "raster": "slope_percent", "above": 15, "basis": "habit",
                 "status": "unverified"},
                {"id": "settlements", "layer": "settlements", "within_m": 1500,
                 "basis": "decree 1378"},
            ],
            "criteria": {
                "road": {"title": {"en": "Distance to roads", "fa": "فاصله تا راه"},
                         "measure": "distance", "layer": "roads", "unit": "km",
                         "value": {"kind": "linear", "best": 2, "worst": 40}},
                "deprivation": {"title": {"en": "Less industrialised", "fa": "کمتر صنعتی"},
                                "measure": "region", "index": "industrialisation",
                                "unit": "index", "invert": True},
                "slope": {"measure": "raster", "raster": "slope_percent", "unit": "%",
                          "value": {"kind": "piecewise", "points": [[0, 1], [5, 0.8], [15, 0]]}},
            },
            "weights": {"method": "ahp", "pairs": {"road/deprivation": 2, "road/slope": 3,
                                                  "deprivation/slope": 2}},
            "candidates": {"area_ha": [800, 2000]},
            "demand": {"mix": {"food": 1.0}},
            "supply": {"water": supply, "power": supply, "wastewater": supply},
            "portfolio": {"count": 2, "per_region_max": 1, "spacing_km": 20, "budget": 9e12,
                          "less_industrialised_share_min": 0.5},
        }
    )  # fmt: skip


def _regions() -> gpd.GeoDataFrame:
    middle = [(51.9, 32.1), (51.95, 33.0), (51.9, 33.9)]
    west = Polygon([(51.1, 32.1), *middle, (51.1, 33.9)])
    north = Polygon([middle[1], (52.9, 33.0), (52.9, 33.9), middle[2]])
    south = Polygon([middle[0], (52.9, 32.1), (52.9, 33.0), middle[1]])
    return gpd.GeoDataFrame(
        {
            "code": ["0101", "0201", "0202"],
            "parent_code": ["01", "02", "02"],
            "name_en": ["West", "North", "South"],
            "name_local": ["باختر", "شمال", None],
            "industrialisation": [0.75, 0.25, np.nan],
            "coverage": [1.0, 1.0, 0.25],
            "rank": [1, 2, pd.NA],
            "less_industrialised": pd.array([False, True, pd.NA], dtype="boolean"),
        },
        geometry=[west, north, MultiPolygon([south])],
        crs="EPSG:4326",
    )


_PLACES = {  # site: lon, lat, region
    "s0001": (51.5, 33.5, 0), "s0002": (52.5, 33.5, 1), "s0003": (51.45, 32.6, 0),
    "s0004": (52.2, 32.5, 2), "s0005": (52.7, 33.3, 1), "s0006": (52.6, 32.3, 2),
}  # fmt: skip


def _candidates(regions: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    n = len(_PLACES)
    lon, lat, region = (np.array(v) for v in zip(*_PLACES.values(), strict=True))
    rows = regions.iloc[region.astype(int)]
    road = np.linspace(2.0, 12.0, n)
    frame = {
        "rank": np.arange(1, n + 1),
        "area_ha": np.array([1200.0, 1100.0, 900.5, 1999.999, 800.0, 1500.25]),
        "usable_ha": np.array([1150.5, 1100.0, 880.25, 1900.0, 800.0, 1490.0]),
        "score": np.array([0.9, 0.85, 0.8, 0.75, 0.7, 0.65]),
        "lon": lon.astype(float),
        "lat": lat.astype(float),
        "region1_code": rows["parent_code"].to_numpy(),
        "region1_name_en": np.where(region == 0, "One", "Two"),
        "region1_name_local": np.where(region == 0, "یک", "دو"),
        "region2_code": rows["code"].to_numpy(),
        "region2_name_en": rows["name_en"].to_numpy(),
        "region2_name_local": rows["name_local"].to_numpy(),
        "industrialisation": rows["industrialisation"].to_numpy(),
        "less_industrialised": rows["less_industrialised"].array,
        "served_alone": [True, True, True, False, True, True],
        "in_portfolio": [True, True, False, False, False, False],
        "inclusion_acceptability": np.full(n, np.nan),
        "water_m3_per_day": np.full(n, 1000.0),
        "power_mva": np.full(n, 60.0),
        "wastewater_m3_per_day": np.full(n, 700.0),
        "jobs": np.full(n, 12000.0),
    }
    for name, weight in (("road", 0.5), ("deprivation", 0.3), ("slope", 0.2)):
        frame[f"measured_{name}"] = road if name == "road" else np.full(n, np.nan)
        frame[f"value_{name}"] = frame["score"]
        frame[f"contribution_{name}"] = weight * frame["score"]
    shapes = [box(x - 0.02, y - 0.015, x + 0.02, y + 0.015) for x, y, _ in _PLACES.values()]
    index = pd.Index(list(_PLACES), name="site_id")
    return gpd.GeoDataFrame(frame, index=index, geometry=shapes, crs="EPSG:4326")


def _flow(site: str, resource: str, source: str, amount: float, **more: Any) -> dict[str, Any]:
    unit = "MVA" if resource == "power" else "m3/day"
    lon, lat, _ = _PLACES[site]
    row: dict[str, Any] = {
        "site_id": site, "resource": resource, "source_id": source, "kind": "network",
        "amount": amount, "unit": unit, "distance_km": 12.3456, "cost": 1.5e9,
        "basis": "assumed", "source_name_en": "Dam A", "source_name_local": "سد الف",
        "source_lon": 52.0, "source_lat": 33.2, "site_lon": lon, "site_lat": lat,
    }  # fmt: skip
    return row | more


def _supply() -> pd.DataFrame:
    station = {"basis": "licensed", "source_name_en": "Station", "source_name_local": "پست برق",
               "source_lon": 52.1, "source_lat": 33.6}  # fmt: skip
    own = {"kind": "plant", "distance_km": 0.0, "cost": 2e9, "source_name_en": None,
           "source_name_local": None, "source_lon": np.nan, "source_lat": np.nan}  # fmt: skip
    return pd.DataFrame(
        [
            _flow("s0002", "water", "dams:a", 1000.0 / 3),
            _flow("s0002", "water", "dams:b", 2000.0 / 3, source_name_en="Dam B"),
            _flow("s0001", "water", "dams:a", 1000.0),
            _flow("s0001", "power", "stations:1", 60.0, **station),
            _flow("s0002", "power", "stations:1", 60.0, **station),
            _flow("s0001", "wastewater", "own:s0001:plant", 700.0, **own),
            _flow("s0002", "wastewater", "own:s0002:plant", 700.0, **own),
        ]
    )


def _sources() -> pd.DataFrame:
    def source(name: str, resource: str, headroom: float, used: float, **more: Any) -> dict:
        row = {"source_id": name, "resource": resource, "kind": "dam", "name_en": "Dam A",
               "name_local": "سد الف", "headroom": headroom, "used": used,
               "unit": "MVA" if resource == "power" else "m3/day", "basis": "assumed",
               "lon": 52.0, "lat": 33.2}  # fmt: skip
        return row | more

    own = {"kind": "own", "name_en": None, "name_local": None, "lon": np.nan, "lat": np.nan}
    return pd.DataFrame(
        [
            source("stations:1", "power", 200.0, 120.0, kind="substation", basis="licensed",
                   name_en="Station", name_local="پست برق", lon=52.1, lat=33.6),
            source("dams:a", "water", 4000.0 / 3, 4000.0 / 3),
            source("dams:b", "water", 5000.0, 2000.0 / 3, name_en="Dam B"),
            source("own:s0001:plant", "wastewater", 2500.0, 700.0, **own),
            source("own:s0002:plant", "wastewater", 2500.0, 700.0, **own),
        ]
    )  # fmt: skip


def example_result(**changes: Any) -> SitingResult:
    """Return the run; ``changes`` replace fields of `SitingResult`."""
    grid = Grid(crs=_CRS, x_min=-90_000, y_max=110_000, cell_m=1000, rows=220, cols=180)
    regions = _regions()
    candidates = _candidates(regions)
    keep = [
        "area_ha",
        "usable_ha",
        "score",
        "water_m3_per_day",
        "power_mva",
        "wastewater_m3_per_day",
    ]
    keep += [c for c in candidates.columns if c.startswith("region")]
    chosen = candidates[candidates["in_portfolio"]]
    short = {f"{name}_shortfall": [0.0, 0.0] for name in RESOURCES}
    portfolio = pd.DataFrame(chosen[keep]).assign(level=1.0, **short, cost=[6.5e9, 7.25e9])
    portfolio = portfolio.reset_index()
    rows, cols = np.mgrid[: grid.rows, : grid.cols]
    score = ((rows + cols) / (grid.rows + grid.cols)).astype(np.float32)
    score[:30] = np.nan
    detail = pd.DataFrame(
        [
            (code, name, value, unit, normalised, weight, as_of, "Statistical Centre")
            for code, plants, jobless in (("0101", 30.0, 8.0), ("0201", 10.0, 14.0),
                                          ("0202", np.nan, 12.0))
            for name, value, unit, normalised, weight, as_of in (
                ("plants", plants, "1/100000", plants / 30, 0.75, "1397"),
                ("jobless", jobless, "%", 1 - jobless / 20, 0.25, "2016-11-01"),
            )
        ],
        columns=["code", "indicator", "value", "unit", "normalised", "weight", "as_of", "source"],
    )  # fmt: skip
    result = SitingResult(
        scenario=example_scenario(),
        profile=example_profile(),
        grid=grid,
        candidates=candidates,
        exclusions=pd.DataFrame(
            {
                "rule": ["slope", "settlements"],
                "title_en": ["Steep land", "Settlements"],
                "title_local": ["شیب تند", None],
                "effect": ["exclude", "exclude"],
                "share": ["", "0.5"],
                "basis": ["habit", "decree 1378"],
                "dated": [None, "1378-12-02"],
                "status": ["unverified", "in force"],
                "area_ha_alone": [123456.0, 65432.1],
                "area_ha_only": [100000.0, 5432.0],
            }
        ),
        portfolio=portfolio,
        supply=_supply(),
        sources=_sources(),
        reasons={
            "s0001": (Reason("chosen", Text(en="Highest score.", fa="بالاترین امتیاز.")),),
            "s0002": (Reason("chosen", Text(en="Second score.", fa="امتیاز دوم.")),),
            "s0003": (Reason("region-cap", Text(en="Region One is full.",
                                                fa="سقف استان یک پر است.")),),
        },
        regions=regions,
        index_detail=detail,
        suitability=score,
        weights={"road": 0.5, "deprivation": 0.3, "slope": 0.2},
        weight_record={"method": "ahp", "lambda_max": 3.009, "ci": 0.0046, "cr": 0.0079},
        solver=SolverRecord(
            name="HiGHS", version="1.10.0", status="within-gap", objective=1.75, bound=1.7501,
            gap=5.7e-5, seconds=0.4, nodes=1, rows=40, columns=60, binaries=6, seed=7, threads=2,
            gap_asked=1e-4, time_limit_s=60.0,
        ),
        warnings=(
            Text(
                en="2 dams had no discharge and were left out",
                fa="دو سد دبی نداشتند و کنار گذاشته شدند",
            ),
        ),
        assumptions=(Text(en="Dam headroom is 10 % of its discharge.",
                          fa="ظرفیت آزاد سد ۱۰٪ آورد آن است."),),
        timings=(StepTiming("exclusions", 3.2, 800.0), StepTiming("portfolio", 0.4, 900.5)),
        layer_versions={
            "roads": {"number": 2, "sha256": "ab" * 32, "as_of": "2024-05-01", "source": "Survey",
                      "licence": "open", "confidence": "high", "basis": None, "method": None,
                      "synthetic": True, "rows": 1234},
            "dams": {"number": 1, "sha256": "cd" * 32, "as_of": "1399", "source": "Water board",
                     "licence": "open", "confidence": None, "basis": "assumed",
                     "method": {"en": "10 % of discharge", "fa": "۱۰٪ آورد"}, "synthetic": True,
                     "rows": 2},
        },
    )  # fmt: skip
    return replace(result, **changes)


def infeasible_result() -> SitingResult:
    """Return the same question without a plan."""
    whole = example_result()
    candidates = whole.candidates.assign(in_portfolio=False)
    return replace(
        whole,
        candidates=candidates,
        portfolio=whole.portfolio.iloc[:0],
        supply=whole.supply.iloc[:0],
        sources=whole.sources.assign(used=0.0),
        solver=replace(whole.solver, status="infeasible", objective=None, bound=None, gap=None),
        relaxations=(
            Relaxation("headroom:water:dams:a", "Water of Dam A", 1333.3, 2000.0, 666.7, "m3/day"),
            Relaxation("region-cap:01", "Sites in region One", 1, 2, 1, "sites"),
        ),
    )


def example_document() -> dict[str, Any]:
    """Return what a study would put into ``run.json``."""
    return {
        "run_id": "two-estates-0123abcd",
        "created_at": "2025-03-21T10:00:00Z",
        "hash": "ef" * 32,
        "software": {"geoplan": "0.1.0"},
        "index_formula": "index = 0.75 n(ln(1 + plants)) + 0.25 (1 - n(jobless))",
        "scenario": example_scenario(),
        "seed": np.int64(7),
        "nothing": float("nan"),
    }
