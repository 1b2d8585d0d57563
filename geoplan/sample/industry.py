"""Figures about regions: people, work, industry. Provinces are the sums of their counties."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.sample.place import FloatArray, Place
from geoplan.sample.regions import Regions

__all__ = ["UNITS", "add_population", "long_facts", "make_facts"]

UNITS = {
    "workshops10": "workshops",
    "workshops50": "workshops",
    "value_added_industry": "million USD",
    "unemployment_pct": "%",
}
"""Unit of each variable that is not counted in persons."""


def add_population(regions: Regions, settlements: gpd.GeoDataFrame) -> None:
    """Give every region the people of its settlements (column ``population``, persons)."""
    people = settlements.groupby("district_code")["population"].sum()
    for frame, length in ((regions.districts, 6), (regions.counties, 4), (regions.provinces, 2)):
        total = people.groupby(people.index.str[:length]).sum()
        frame["population"] = frame["code"].map(total).fillna(0).astype(np.int64)


def _development(regions: Regions, settlements: gpd.GeoDataFrame, seed: FloatArray) -> FloatArray:
    """Return how developed each county is, about −2 to 2: near the capital, large seat, luck."""
    towns = settlements[settlements["rank"] < 4]
    largest = towns.groupby(towns["district_code"].str[:4])["population"].max()
    size = np.log(regions.counties["code"].map(largest).to_numpy(dtype=float))
    capital = settlements.loc[settlements["rank"] == 0].geometry.iloc[0]
    km = shapely.distance(regions.counties.representative_point().array, capital) / 1_000
    value = 0.8 * (size - size.mean()) / size.std() + 1.4 * np.exp(-km / 80) + 0.45 * seed
    return np.asarray(value - value.mean())


def make_facts(
    place: Place, regions: Regions, settlements: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the figures of provinces and counties.

    Returns
    -------
    provinces, counties : DataFrame
        ``region_code`` and one column per variable: population, urban_population, labour_force,
        employed, employed_industry, unemployed (persons), unemployment_pct (%), workshops10
        and workshops50 (count), value_added_industry (million USD).
    """
    rng = place.rng("industry")
    counties = regions.counties
    count = len(counties)
    level = _development(regions, settlements, rng.standard_normal(count))
    people = counties["population"].to_numpy(dtype=float)
    towns = settlements[settlements["rank"] < 4]
    urban = towns.groupby(towns["district_code"].str[:4])["population"].sum()
    labour = people * rng.normal(0.405, 0.012, count)
    out_of_work = np.clip(0.115 - 0.022 * level + rng.normal(0, 0.015, count), 0.035, 0.26)
    employed = labour * (1 - out_of_work)
    share = np.clip(0.17 + 0.065 * level + rng.normal(0, 0.02, count), 0.04, 0.45)
    industry = employed * share
    workshops = rng.poisson(industry / 34)
    added = industry * 21_000 * np.exp(0.22 * level + rng.normal(0, 0.1, count)) / 1e6
    made = pd.DataFrame(
        {
            "region_code": counties["code"].to_numpy(),
            "population": people.astype(np.int64),
            "urban_population": counties["code"].map(urban).fillna(0).astype(np.int64).to_numpy(),
            "labour_force": np.rint(labour).astype(np.int64),
            "employed": np.rint(employed).astype(np.int64),
            "employed_industry": np.rint(industry).astype(np.int64),
            "workshops10": workshops,
            "workshops50": rng.binomial(workshops, np.clip(0.12 + 0.03 * level, 0.02, 0.3)),
            "value_added_industry": added.round(2),
        }
    )
    whole = made.groupby(made["region_code"].str[:2], sort=True).sum(numeric_only=True)
    return _rates(whole.rename_axis("region_code").reset_index()), _rates(made)


def _rates(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    frame["unemployed"] = frame["labour_force"] - frame["employed"]
    frame["unemployment_pct"] = (100 * frame["unemployed"] / frame["labour_force"]).round(2)
    frame["value_added_industry"] = frame["value_added_industry"].round(2)
    return frame


def long_facts(facts: pd.DataFrame) -> pd.DataFrame:
    """Return one row per figure: region_code, variable, value, unit."""
    long = facts.melt("region_code", var_name="variable", value_name="value")
    long["unit"] = long["variable"].map(UNITS).fillna("persons")
    return long.sort_values(["region_code", "variable"], ignore_index=True)
