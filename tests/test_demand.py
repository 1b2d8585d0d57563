"""Demand of a site, worked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from geoplan.catalogue import Profile
from geoplan.catalogue.scenario import DemandSpec
from geoplan.errors import RangeError, UnknownName
from geoplan.siting.demand import COEFFICIENTS, site_demand


def _number(value: float, unit: str = "") -> dict[str, object]:
    return {"value": value, "unit": unit or "1", "basis": "made up", "status": "proposed"}


def _profile(**coefficients: float) -> Profile:
    values = {
        "industrial_share": 0.5,
        "network_loss": 0.2,
        "domestic_water": 100.0,
        "domestic_return": 0.8,
        "green_share": 0.1,
        "green_water": 40.0,
        "nonpotable_share": 0.25,
    } | coefficients
    food = {"water": 40.0, "return_ratio": 0.7, "connected_power": 300.0, "coincidence": 0.5}
    metal = {"water": 10.0, "return_ratio": 0.5, "connected_power": 1000.0, "coincidence": 0.8}
    return Profile.model_validate(
        {
            "id": "test",
            "title": {"en": "Test"},
            "country": "XX",
            "analysis_crs": "EPSG:6933",
            "bbox": [0, 0, 1, 1],
            "region_levels": [{"level": 1, "layer": "provinces", "title": {"en": "Province"}}],
            "demand_classes": {
                name: {
                    "title": {"en": name},
                    **{k: _number(v) for k, v in c.items()},
                    "jobs": _number(jobs),
                    "grade": [1, 2],
                }
                for name, c, jobs in (("food", food, 50.0), ("metal", metal, 20.0))
            },
            "coefficients": {k: _number(v) for k, v in values.items() if v == v},
            "index": {
                "level": 1,
                "indicators": [
                    {
                        "id": "x",
                        "title": {"en": "x"},
                        "level": 1,
                        "variable": "x",
                        "unit": "1",
                        "weight": 1,
                        "basis": "made up",
                    }
                ],
            },
        }
    )


def test_demand_worked_by_hand() -> None:
    # net = 1000 · 0.5 · 0.8 = 400 ha; half food, half metal
    # jobs = (25 + 10) · 400 = 14,000; domestic = 14,000 · 100 / 1000 = 1,400 m3/day
    # process = (20 + 5) · 400 = 10,000; green = 0.1 · 1000 · 40 = 4,000
    # water = 15,400 / 0.8 = 19,250; nonpotable = (2,500 + 4,000) / 0.8 = 8,125
    # wastewater = (0.5·40·0.7 + 0.5·10·0.5) · 400 + 0.8 · 1,400 = 16.5 · 400 + 1,120 = 7,720
    # power = (0.5·300·0.5 + 0.5·1000·0.8) · 400 / 1000 = 475 · 0.4 = 190 MVA
    table = site_demand(
        pd.Series([1000.0], index=pd.Index(["A"], name="site_id")),
        spec=DemandSpec(mix={"food": 0.5, "metal": 0.5}, take_up=0.8),
        profile=_profile(),
    )
    assert table.loc["A"].to_dict() == pytest.approx(
        {
            "net_ha": 400,
            "jobs": 14_000,
            "water_m3_per_day": 19_250,
            "nonpotable_m3_per_day": 8_125,
            "power_mva": 190,
            "wastewater_m3_per_day": 7_720,
        }
    )


@pytest.mark.parametrize("key", sorted(COEFFICIENTS))
def test_a_missing_coefficient_is_named(key: str) -> None:
    with pytest.raises(UnknownName, match=key):
        site_demand(
            pd.Series([1.0], index=["A"]),
            spec=DemandSpec(mix={"food": 1.0}),
            profile=_profile(**{key: float("nan")}),
        )


def test_an_unknown_class_is_named() -> None:
    with pytest.raises(UnknownName, match="'shoes'"):
        site_demand(
            pd.Series([1.0], index=["A"]), spec=DemandSpec(mix={"shoes": 1.0}), profile=_profile()
        )


@pytest.mark.parametrize(
    ("key", "value"), [("network_loss", 1.0), ("industrial_share", 58.0), ("green_water", -1.0)]
)
def test_a_coefficient_out_of_range_is_named(key: str, value: float) -> None:
    with pytest.raises(RangeError, match=key):
        site_demand(
            pd.Series([1.0], index=["A"]),
            spec=DemandSpec(mix={"food": 1.0}),
            profile=_profile(**{key: value}),
        )


@pytest.mark.parametrize("area", [0.0, -5.0, float("nan")])
def test_an_impossible_area_is_named(area: float) -> None:
    with pytest.raises(RangeError, match="site A"):
        site_demand(
            pd.Series([area], index=["A"]), spec=DemandSpec(mix={"food": 1.0}), profile=_profile()
        )
