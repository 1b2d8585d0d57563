"""Links from sites to sources."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pyproj import Geod

from geoplan.catalogue.scenario import SupplySpec
from geoplan.errors import InputError, RangeError
from geoplan.siting.supply import LINK_COLUMNS, links, supply_warnings

SUPPLY = SupplySpec.model_validate(
    {
        "water": {"max_km": 60, "max_sources": 2, "cost_per_km": 10, "cost_per_unit": 3},
        "power": {"max_km": 50, "route_factor": 1.5},
        "wastewater": {"max_km": 20},
    }
)


def _source(key: str, lon: float, lat: float, **how: object) -> dict[str, object]:
    return {
        "source_id": key,
        "resource": "water",
        "kind": "dam",
        "headroom": 100.0,
        "unit": "m3/day",
        "basis": "assumed",
        "name_en": key,
        "name_local": None,
        "lon": lon,
        "lat": lat,
    } | how


SITES = pd.DataFrame({"site_id": ["A", "B"], "lon": [50.0, 55.0], "lat": [32.0, 36.0]})


def test_nearest_sources_within_reach() -> None:
    sources = pd.DataFrame(
        [
            _source("far", 50.0, 32.5),
            _source("mid", 50.3, 32.0),
            _source("near", 50.1, 32.0),
            _source("out", 51.0, 32.0),
            _source("empty", 50.0, 32.0, headroom=0.0),
            _source("unknown", 50.0, 32.0, headroom=None),
        ]
    )
    table = links(SITES, sources, SUPPLY)
    assert list(table.columns) == list(LINK_COLUMNS)
    assert list(table["source_id"]) == ["near", "mid"]
    # One degree of longitude at 32° N on WGS 84 is 94.4936 km.
    assert table["distance_km"].to_list() == pytest.approx([9.4494, 28.348], abs=2e-3)
    assert table["route_km"].to_list() == pytest.approx((table["distance_km"] * 1.3).to_list())
    assert table["line_cost"].to_list() == pytest.approx((table["route_km"] * 10).to_list())
    assert table["unit_cost"].to_list() == [3.0, 3.0]
    (notice,) = supply_warnings(sources)
    assert notice.en == "1 of 6 water sources have no known headroom and are not used as sources"
    assert notice.fa is not None
    assert "آب" in notice.fa


def test_links_equal_all_pairs() -> None:
    rng = np.random.default_rng(3)
    sites = pd.DataFrame(
        {"site_id": [f"S{k}" for k in range(60)], "lon": rng.uniform(44, 63, 60)}
    ).assign(lat=rng.uniform(25, 40, 60))
    sources = pd.DataFrame(
        [
            _source(f"P{k:03d}", x, y, resource="power", unit="MVA")
            for k, (x, y) in enumerate(rng.uniform((44, 25), (63, 40), (900, 2)))
        ]
    )
    table = links(sites, sources, SUPPLY)
    geod = Geod(ellps="WGS84")
    for _, site in sites.iterrows():
        km = geod.inv(
            np.full(900, site["lon"]), np.full(900, site["lat"]), sources["lon"], sources["lat"]
        )[2]
        near = pd.Series(np.asarray(km) / 1000, index=sources["source_id"])
        expected = near[near <= 50].sort_values().head(6)
        got = table[table["site_id"] == site["site_id"]].set_index("source_id")["distance_km"]
        assert got.to_dict() == pytest.approx(expected.to_dict())


def test_no_source_gives_an_empty_table() -> None:
    table = links(SITES, pd.DataFrame([_source("x", 0.0, 0.0)]), SUPPLY)
    assert len(table) == 0
    assert list(table.columns) == list(LINK_COLUMNS)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"headroom": -5.0}, RangeError),
        ({"unit": "l/s"}, InputError),
        ({"resource": "gas"}, InputError),
        ({"lon": 500.0}, RangeError),
    ],
)
def test_a_bad_source_is_named(how: dict[str, object], error: type[InputError]) -> None:
    with pytest.raises(error, match="dam-7") as caught:
        links(SITES, pd.DataFrame([_source("dam-7", 50.0, 32.0) | how]), SUPPLY)
    assert caught.value.remedy
