"""Which CRS the coordinates of a file speak for."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geoplan.errors import CrsProblem, RangeError
from geoplan.ingest.crs_evidence import candidates_of, rivals, weigh_crs
from geoplan.ingest.crs_words import explain, places_of

# A country of two regions, 9 to 20 degrees east: UTM zones 32, 33 and 34.
COUNTRY = gpd.GeoDataFrame(
    {"code": ["W", "E"], "name_en": ["West", "East"]},
    geometry=[shapely.box(9, 45, 15, 50), shapely.box(15, 45, 20, 50)],
    crs=4326,
)


def _points(west: float, south: float, east: float, north: float, n: int = 200) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.column_stack([rng.uniform(west, east, n), rng.uniform(south, north, n)])


def _in(crs: str, lonlat: np.ndarray) -> np.ndarray:
    to = Transformer.from_crs(4326, crs, always_xy=True)
    return np.column_stack(to.transform(lonlat[:, 0], lonlat[:, 1]))


ESTATE = _points(17.0, 47.0, 17.05, 47.03)  # in the East; zone 33 spans 12 to 18


def test_candidates_by_hand() -> None:
    # 44 lies in zone 38 (42 to 48), 63.5 in zone 41 (60 to 66).
    assert candidates_of((44.0, 25.0, 63.5, 39.8)) == (
        "EPSG:4326", "EPSG:32637", "EPSG:32638", "EPSG:32639", "EPSG:32640", "EPSG:32641",
        "EPSG:32642", "EPSG:3857",
    )  # fmt: skip
    # Across the equator both hemispheres; across the edge of the map the zones go round.
    assert candidates_of((178.0, -1.0, 179.0, 1.0)) == (
        "EPSG:4326", "EPSG:32659", "EPSG:32660", "EPSG:32601", "EPSG:32759", "EPSG:32760",
        "EPSG:32701", "EPSG:3857",
    )  # fmt: skip


def test_what_is_declared_and_fits_is_kept() -> None:
    found = weigh_crs(_in("EPSG:32633", ESTATE), "EPSG:32633", COUNTRY)
    assert (found.crs, found.reason, found.swap_axes) == ("EPSG:32633", "fits", False)
    assert found.inside_share == found.declared_share == 1.0
    # One zone further west it would lie in the country as well, at 11 degrees: said, not chosen.
    assert rivals(found) == ("EPSG:32632",)
    told = explain(found, where="plots.shp", places={"EPSG:32633": "East", "EPSG:32632": "West"})
    assert told.severity == "info"
    assert "EPSG:32633 (East) 100 %" in told.what
    assert "EPSG:32632 (West) would fit as well" in told.what


def test_esri_text_is_known_by_its_code() -> None:
    wkt = (
        'PROJCS["WGS_1984_UTM_Zone_33N",GEOGCS["GCS_WGS_1984",DATUM["D_WGS_1984",SPHEROID'
        '["WGS_1984",6378137.0,298.257223563]],PRIMEM["Greenwich",0.0],UNIT["Degree",'
        '0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["False_Easting",'
        '500000.0],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",15.0],PARAMETER'
        '["Scale_Factor",0.9996],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
    )
    found = weigh_crs(_in("EPSG:32633", ESTATE), wkt, COUNTRY)
    assert (found.crs, found.declared, found.reason) == ("EPSG:32633", wkt, "fits")
    assert "EPSG:32633" not in rivals(found)


def test_degrees_that_are_declared_as_metres() -> None:
    found = weigh_crs(ESTATE, "EPSG:32633", COUNTRY)
    assert (found.crs, found.reason, found.declared_share) == ("EPSG:4326", "impossible", 0.0)
    told = explain(found, where="plots.shp")
    assert (told.code, told.severity, told.where) == ("crs-impossible", "error", "plots.shp")
    assert told.remedy == "give --crs EPSG:4326, or confirm the proposal with --accept-crs"
    assert "EPSG:32633 is declared, and with it 0 %" in told.what


def test_axes_swapped() -> None:
    found = weigh_crs(ESTATE[:, ::-1], "EPSG:4326", COUNTRY)
    assert (found.crs, found.reason, found.swap_axes) == ("EPSG:4326", "axes-swapped", True)
    assert (found.inside_share, found.declared_share) == (1.0, 0.0)
    assert "swap_axes" in explain(found).remedy
    metres = weigh_crs(_in("EPSG:32633", ESTATE)[:, ::-1], "EPSG:32633", COUNTRY)
    assert (metres.crs, metres.reason, metres.swap_axes) == ("EPSG:32633", "axes-swapped", True)
    # Nothing declared and swapped: said to be absent, and to be exchanged.
    bare = weigh_crs(ESTATE[:, ::-1], None, COUNTRY)
    assert (bare.crs, bare.reason, bare.swap_axes) == ("EPSG:4326", "absent", True)
    assert bare.declared_share is None


def test_a_zone_off_by_one_outside_the_country() -> None:
    # Declared one zone further east, the estate would lie at 23 degrees.
    found = weigh_crs(_in("EPSG:32633", ESTATE), "EPSG:32634", COUNTRY)
    assert (found.reason, found.declared_share) == ("zone-off", 0.0)
    assert {found.crs, *rivals(found)} == {"EPSG:32632", "EPSG:32633"}
    # Two zones fit equally: no proposal to confirm, only a question.
    told = explain(found)
    assert "--accept-crs" not in told.remedy
    assert "EPSG:32632" in told.remedy
    assert "EPSG:32633" in told.remedy


def test_a_zone_off_by_one_inside_the_country_needs_to_know_where() -> None:
    xy = _in("EPSG:32633", ESTATE)
    alone = weigh_crs(xy, "EPSG:32632", COUNTRY)
    assert alone.reason == "fits"
    assert "EPSG:32633" in rivals(alone)
    estates = gpd.GeoDataFrame(geometry=[shapely.box(17, 47, 17.1, 47.1)], crs=4326)
    found = weigh_crs(xy, "EPSG:32632", COUNTRY, near=estates)
    assert (found.crs, found.reason) == ("EPSG:32633", "zone-off")
    assert (found.inside_share, found.declared_share) == (1.0, 0.0)
    assert rivals(found) == ()
    assert explain(found).remedy.endswith("confirm the proposal with --accept-crs")
    assert places_of(xy, found, COUNTRY)["EPSG:32633"] == "East"
    # A new estate far from all known ones: that knowledge says nothing.
    far = gpd.GeoDataFrame(geometry=[shapely.box(13, 49, 13.1, 49.1)], crs=4326)
    assert weigh_crs(xy, "EPSG:32633", COUNTRY, near=far).reason == "fits"
    none = gpd.GeoDataFrame(geometry=[], crs=4326)
    assert weigh_crs(xy, "EPSG:32633", COUNTRY, near=none).reason == "fits"


def test_nothing_declared_and_several_fit_is_a_question() -> None:
    found = weigh_crs(_in("EPSG:32633", ESTATE), None, COUNTRY)
    assert found.reason == "absent"
    assert {found.crs, *rivals(found)} == {"EPSG:32632", "EPSG:32633"}
    told = explain(found, where="plots.dxf")
    assert (told.code, told.severity) == ("crs-undecided", "error")
    degrees = weigh_crs(ESTATE, None, COUNTRY)
    assert (degrees.crs, rivals(degrees)) == ("EPSG:4326", ())
    assert explain(degrees).code == "crs-absent"


def test_a_datum_is_no_other_place() -> None:
    # ED50 lies about 100 m beside WGS 84: the regions cannot tell them apart, and need not.
    found = weigh_crs(_in("EPSG:23033", ESTATE), "EPSG:23033", COUNTRY)
    assert (found.crs, found.reason) == ("EPSG:23033", "fits")
    assert "EPSG:32633" not in dict(found.others)


def test_data_that_fit_nowhere() -> None:
    lost = weigh_crs(np.array([[12.0, -80.0], [13.0, -81.0]]), "EPSG:4326", COUNTRY)
    assert (lost.crs, lost.reason, lost.inside_share) == ("EPSG:4326", "impossible", 0.0)
    assert "no CRS that was tried" in explain(lost).what
    assert explain(lost).severity == "error"
    huge = weigh_crs(np.array([[1e300, 1e300]]), None, COUNTRY)
    assert (huge.reason, huge.inside_share) == ("absent", 0.0)
    assert "the file says no CRS" in explain(huge).what


def test_half_a_country_is_not_doubted() -> None:
    # A map of the neighbours too: 40 % inside, and no other CRS does better.
    wide = np.vstack([_points(10, 46, 19, 49, 40), _points(25, 46, 30, 49, 60)])
    found = weigh_crs(wide, "EPSG:4326", COUNTRY)
    assert (found.crs, found.reason, found.inside_share) == ("EPSG:4326", "fits", 0.4)


def test_without_outlines_the_box_is_the_country() -> None:
    found = weigh_crs(ESTATE[:, ::-1], "EPSG:4326", None, bbox=(9, 45, 20, 50))
    assert found.reason == "axes-swapped"
    with pytest.raises(RangeError, match="where the country is"):
        weigh_crs(ESTATE, None, None)


def test_what_cannot_be_weighed() -> None:
    with pytest.raises(CrsProblem, match="'EPSG:99999'"):
        weigh_crs(ESTATE, "EPSG:99999", COUNTRY)
    with pytest.raises(RangeError, match="no coordinate is left"):
        weigh_crs(np.array([[np.nan, 1.0], [np.inf, 2.0]]), None, COUNTRY)
    found = weigh_crs(np.vstack([ESTATE, [[np.nan, np.nan]]]), "EPSG:4326", COUNTRY)
    assert found.inside_share == 1.0


@settings(deadline=None, max_examples=25)
@given(
    st.sampled_from(["EPSG:4326", "EPSG:32632", "EPSG:32633", "EPSG:32634", "EPSG:3857"]),
    st.floats(12.2, 17.5),
    st.floats(45.1, 49.5),
)
def test_the_true_crs_is_never_doubted(crs: str, lon: float, lat: float) -> None:
    xy = _in(crs, _points(lon, lat, lon + 0.2, lat + 0.2, 20))
    for near in (None, COUNTRY[COUNTRY.code == ("W" if lon + 0.1 < 15 else "E")]):
        found = weigh_crs(xy, crs, COUNTRY, near=near)
        assert (found.crs, found.reason, found.swap_axes) == (crs, "fits", False)


@pytest.fixture(scope="module")
def provinces(iran_pack: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(iran_pack / "admin" / "provinces_osm.gpkg")


@pytest.mark.pack
@pytest.mark.parametrize(
    ("place", "lon", "lat", "zone", "declared"),
    [
        ("Yazd", 54.3, 31.9, 40, 39),
        ("Tehran", 51.4, 35.4, 39, 38),
        ("Tehran", 51.4, 35.4, 39, 40),
        ("Kerman", 57.1, 30.3, 40, 41),
        ("East Azerbaijan", 46.3, 38.0, 38, 39),
    ],
)
def test_zones_of_iran(
    provinces: gpd.GeoDataFrame, place: str, lon: float, lat: float, zone: int, declared: int
) -> None:
    xy = _in(f"EPSG:{32600 + zone}", _points(lon, lat, lon + 0.02, lat + 0.02))
    right = weigh_crs(xy, f"EPSG:{32600 + zone}", provinces)
    assert right.reason == "fits"
    # The attributes name the province.
    home = provinces[provinces.name_en == place]
    assert len(home) == 1
    found = weigh_crs(xy, f"EPSG:{32600 + declared}", provinces, near=home)
    assert (found.crs, found.reason) == (f"EPSG:{32600 + zone}", "zone-off")
    assert rivals(found) == ()
    assert places_of(xy, found, provinces)[found.crs] == place


@pytest.mark.pack
def test_iran_without_a_word_on_crs(provinces: gpd.GeoDataFrame) -> None:
    degrees = _points(54.3, 31.9, 54.4, 32.0)
    found = weigh_crs(degrees, None, provinces)
    assert (found.crs, found.swap_axes, rivals(found)) == ("EPSG:4326", False, ())
    swapped = weigh_crs(degrees[:, ::-1], "EPSG:4326", provinces)
    assert swapped.reason == "axes-swapped"
    metres = weigh_crs(_in("EPSG:32640", degrees), None, provinces)
    # At 54.3° in zone 40 the neighbours' 48.3° and 60.3° are Iran as well.
    assert {metres.crs, *rivals(metres)} == {"EPSG:32639", "EPSG:32640", "EPSG:32641"}
