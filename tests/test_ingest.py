"""Reading files: safe paths, clear refusals, named repairs, and every row accounted for."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from small_country import (
    PROVINCE_ENTRY,
    PROVINCES,
    codes,
    dem,
    points,
    provinces,
    spec,
    stage,
    stepped,
)

from geoplan.errors import FileMissing, InputError
from geoplan.ingest import PackFolder
from geoplan.ingest.steps import quantisation
from geoplan.ingest.table import read_table

# ------------------------------------------------------------------------------ paths


@pytest.mark.parametrize(
    "path",
    [
        "../secret.gpkg",
        "a/../../secret.gpkg",
        "/etc/passwd",
        "/vsicurl/http://127.0.0.1/x.gpkg",
        "vsizip:x.zip",
        "http://127.0.0.1/x.geojson",
        "C:\\x.gpkg",
        "..\\x.gpkg",
        "",
        "a\x00b",
    ],
)
def test_a_path_outside_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="inside the pack's folder"):
        PackFolder(tmp_path).file(path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "pack"
    inside.mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(InputError, match="leaves the pack's folder"):
        PackFolder(inside).file("link.csv")


def test_a_missing_file_suggests_the_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "roads.csv").write_text("a\n1\n")
    with pytest.raises(FileMissing) as caught:
        PackFolder(tmp_path).file("raods.csv")
    assert "did you mean 'roads.csv'?" in caught.value.remedy


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="folder does not exist"):
        PackFolder(tmp_path / "none")


# ------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"file": "none.gpkg"}, "missing-file"),
        ({"file": "notes.gpkg"}, "unreadable"),
        ({"file": "notes.pdf"}, "unreadable"),
        ({"file": "trick.geojson"}, "unreadable"),
        ({"file": "empty.geojson"}, "empty-layer"),
        ({"file": "bare.shp"}, "wrong-crs"),
        ({"file": "bare.shp", "crs": "EPSG:999999"}, "wrong-crs"),
        ({"file": "metres.gpkg"}, "wrong-crs"),
        ({"file": "far.gpkg"}, "wrong-place"),
        ({"file": "good.gpkg", "columns": {"lable": "x"}}, "unknown-name"),
        ({"file": "good.gpkg", "fields": {"size": "lable"}}, "unknown-name"),
        ({"file": "good.gpkg", "fields": {"sise": "label"}}, "unknown-name"),
        ({"file": "good.gpkg", "where": "n > 1"}, "unknown-name"),
        ({"file": "good.gpkg", "source_layer": "other"}, "unknown-name"),
        ({"file": "good.gpkg", "region_of": "provinces"}, "unknown-name"),
        ({"file": "good.gpkg", "where": "label == 'nobody'"}, "empty-layer"),
        ({"file": "table.csv"}, "unreadable"),
        ({"file": "table.csv", "lon": "x", "lat": "yy"}, "unknown-name"),
        ({"file": "table.csv", "lon": "big", "lat": "y"}, "wrong-crs"),
        ({"file": "ragged.csv", "lon": "x", "lat": "y"}, "unreadable"),
        ({"file": "latin.csv", "lon": "x", "lat": "y"}, "unreadable"),
        ({"file": "header.csv", "lon": "x", "lat": "y"}, "empty-layer"),
    ],
)
@pytest.mark.filterwarnings("ignore:.crs. was not provided")
def test_bad_files_give_one_clear_error(tmp_path: Path, entry: dict[str, Any], code: str) -> None:
    points(tmp_path / "good.gpkg", {"a": (51, 31), "b": (52, 32)})
    points(tmp_path / "far.gpkg", {"a": (1, 1), "b": (2, 2)})
    (tmp_path / "notes.gpkg").write_text("these are not the data you are looking for")
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    (tmp_path / "trick.geojson").write_text(
        "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>/vsicurl/http://127.0.0.1/x"
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    (tmp_path / "empty.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(51, 31)]).to_file(tmp_path / "bare.shp")
    gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(5e5, 3e6)], crs=4326).to_file(
        tmp_path / "metres.gpkg"
    )
    (tmp_path / "table.csv").write_text("x,y,big\n51,31,500000\n")
    (tmp_path / "ragged.csv").write_text("x,y\n51,31\n51,31,7,8\n")
    (tmp_path / "latin.csv").write_bytes("x,y,n\n51,31,caf\xe9\n".encode("latin-1"))
    (tmp_path / "header.csv").write_text("x,y\n")
    staged = stage(tmp_path, spec(fields={"size": {"type": "number"}}), entry)
    assert [p.code for p in staged.errors] == [code]
    assert staged.errors[0].remedy or code == "unreadable"


def test_all_problems_of_a_layer_are_told_at_once(tmp_path: Path) -> None:
    points(tmp_path / "twice.gpkg", {"a": (51, 31), "b": None})
    bow = shapely.Polygon([(51, 31), (52, 32), (52, 31), (51, 32)])
    gpd.GeoDataFrame({"n": [1]}, geometry=[bow], crs=4326).to_file(tmp_path / "bow.gpkg")
    layer = spec(geometry="any")
    staged = stage(
        tmp_path, layer, {"file": "none.gpkg"}, {"file": "twice.gpkg"}, {"file": "bow.gpkg"}
    )
    assert {p.code for p in staged.errors} == {
        "missing-file",
        "empty-geometry",
        "invalid-geometry",
    }


# ------------------------------------------------------------------------------ tables


def test_codes_stay_text_and_numbers_become_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,n,mixed,long\n0321,1,1,1234567890123456\n0001,2.5,x,2\n")
    frame = read_table(tmp_path / "t.csv")
    assert frame["code"].tolist() == ["0321", "0001"]
    assert frame["n"].tolist() == [1.0, 2.5]
    assert frame["mixed"].tolist() == ["1", "x"]
    assert frame["long"].iloc[0] == "1234567890123456"


def test_gzip_semicolons_and_other_encodings(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "t.csv.gz", "wb") as out:
        out.write("نام;n\nتهران;1\n".encode("windows-1256"))
    frame = read_table(tmp_path / "t.csv.gz", encoding="windows-1256")
    assert frame["نام"].tolist() == ["تهران"]


@given(st.integers(0, 10**6), st.integers(1, 8))
@settings(max_examples=30, deadline=None)
def test_a_padded_code_survives_the_file(tmp_path_factory: Any, number: int, width: int) -> None:
    path = tmp_path_factory.mktemp("c") / "t.csv"
    code = str(number).zfill(width)
    path.write_text(f"code,x\n{code},51\n0{code},52\n")
    assert read_table(path)["code"].tolist() == [code, f"0{code}"]


# ------------------------------------------------------------------------------ fields


def test_field_rules_in_their_order(tmp_path: Path) -> None:
    points(
        tmp_path / "t.gpkg",
        {"County A": (51, 31), "County B": (52, 31)},
        number=[321, 7],
        kind=["Oil", "?"],
        size=[-99.0, 4.0],
        word=["????", "ok"],
    )
    layer = spec(
        key="code",
        fields={
            "code": {"type": "string", "required": True},
            "parent": {"type": "string"},
            "fuel": {"type": "string", "codes": ["oil"]},
            "size": {"type": "number", "minimum": 0},
            "double": {"type": "number"},
            "word": {"type": "string"},
            "fixed": {"type": "string"},
        },
    )
    staged = stage(
        tmp_path,
        layer,
        {
            "file": "t.gpkg",
            "missing": [-99],
            "fields": {
                "code": {"from": "number", "zero_pad": 4, "prefix": "c-"},
                "parent": {"from": "number", "zero_pad": 4, "head": 2},
                "name_en": {"from": "label", "strip_prefix": "County "},
                "fuel": {"from": "kind", "codes": {"Oil": "oil"}},
                "size": "size",
                "double": {"expr": "size * 2"},
                "word": "word",
                "fixed": {"default": "x"},
            },
        },
    )
    frame = staged.frame
    assert frame is not None
    assert frame["key"].tolist() == ["c-0321", "c-0007"]
    assert frame["parent"].tolist() == ["03", "00"]
    assert frame["name_en"].tolist() == ["A", "B"]
    assert frame["fuel"].tolist() == ["oil", None]
    assert np.isnan(frame["size"].iloc[0]) and frame["double"].iloc[1] == 8.0
    assert frame["word"].tolist() == [None, "ok"]
    assert frame["fixed"].tolist() == ["x", "x"]
    # The lone '?' of 'kind' counts as destroyed, so no unknown code is left.
    assert codes(staged, "repaired") == {"missing-value": 1, "destroyed-text": 1}


def test_types_ranges_and_required_fields(tmp_path: Path) -> None:
    places = {f"p{i}": (51 + i / 10, 31.0) for i in range(4)}
    points(tmp_path / "t.gpkg", places, mag=["5.1", "12", "high", None], id=["a", "b", "c", None])
    layer = spec(
        key="id",
        fields={
            "id": {"type": "string", "required": True},
            "mag": {"type": "number", "minimum": 0, "maximum": 10},
        },
    )
    staged = stage(tmp_path, layer, {"file": "t.gpkg"})
    assert staged.rows_refused == 1 and staged.rows_stored == 3
    found = codes(staged, "warning")
    assert found == {"wrong-type": 1, "out-of-range": 1, "required-missing": 1}


def test_a_key_that_names_two_rows_stops_the_load(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31), "b": (52, 31)}, id=["x", "x"])
    layer = spec(key="id", fields={"id": {"type": "string", "required": True}})
    assert codes(stage(tmp_path, layer, {"file": "t.gpkg"}), "error") == {"duplicate-key": 2}


# ------------------------------------------------------------------------------ joins


def test_a_join_by_name_tells_what_is_left_on_both_sides(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"خمینی‌شهر": (51, 31), "بم": (52, 31)})
    (tmp_path / "people.csv").write_text("city,n\nخميني شهر,10\nخميني شهر,5\nری,7\n")
    layer = spec(fields={"people": {"type": "number"}})
    rule = {
        "file": "people.csv",
        "on": {"label": "city"},
        "normalise": True,
        "columns": {"n": "people"},
        "take": {"people": "sum"},
    }
    staged = stage(
        tmp_path, layer, {"file": "t.gpkg", "joins": [rule], "fields": {"name_local": "label"}}
    )
    assert staged.frame is not None
    assert staged.frame["people"].tolist()[0] == 15 and np.isnan(staged.frame["people"].iloc[1])
    assert codes(staged) == {"join-unmatched": 1, "join-left-over": 1}
    told = {p.code: p.what for p in staged.report}
    assert "بم" in told["join-unmatched"] and "ری" in told["join-left-over"]


def test_a_join_by_place_takes_the_nearest_with_a_like_name(tmp_path: Path) -> None:
    # 0.1° of longitude at 31° N is 111.195 km × cos 31° × 0.1 = 9.5 km.
    points(tmp_path / "t.gpkg", {"Esfahan": (51.0, 31.0), "Bam": (51.1, 31.0)})
    points(tmp_path / "n.gpkg", {"Eşfahān": (51.08, 31.0), "Rey": (51.1, 31.0)}, n=[3, 4])
    layer = spec(fields={"n": {"type": "number"}})
    named = {"file": "n.gpkg", "on": {"label": "label"}, "near_km": 8, "similarity": 0.8}
    staged = stage(tmp_path, layer, {"file": "t.gpkg", "joins": [{**named, "take": {"n": "sum"}}]})
    assert staged.frame is not None
    assert staged.frame["n"].tolist()[0] == 3 and np.isnan(staged.frame["n"].iloc[1])
    nearest = {"file": "n.gpkg", "near_km": 8, "take": {"n": "sum"}}
    staged = stage(tmp_path, layer, {"file": "t.gpkg", "joins": [nearest]})
    assert staged.frame is not None
    assert np.isnan(staged.frame["n"].iloc[0]) and staged.frame["n"].iloc[1] == 7


def test_a_filling_join_keeps_what_is_there(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31), "b": (52, 31)}, word=["mine", None])
    (tmp_path / "w.csv").write_text("label,word\na,other\nb,other\n")
    rule = {"file": "w.csv", "on": {"label": "label"}, "fill": True, "take": {"word": "first"}}
    layer = spec(fields={"word": {"type": "string"}})
    staged = stage(tmp_path, layer, {"file": "t.gpkg", "joins": [rule]})
    assert staged.frame is not None and staged.frame["word"].tolist() == ["mine", "other"]


# ------------------------------------------------------------------------------ geometry


def test_an_invalid_polygon_is_mended_and_its_area_told(tmp_path: Path) -> None:
    # A bow tie of two triangles: make_valid keeps both, half of the square.
    bow = shapely.Polygon([(51, 31), (52, 32), (52, 31), (51, 32)])
    gpd.GeoDataFrame({"label": ["bow"]}, geometry=[bow], crs=4326).to_file(tmp_path / "t.gpkg")
    layer = spec(geometry="polygon")
    staged = stage(tmp_path, layer, {"file": "t.gpkg", "repair": ["make_valid"]})
    assert codes(staged, "repaired") == {"invalid-geometry": 1}
    assert codes(staged, "warning") == {"repair-moved-area": 1}
    assert isinstance(staged.frame, gpd.GeoDataFrame) and bool(staged.frame.is_valid.all())


def test_a_coast_is_cut_and_what_is_removed_is_told(tmp_path: Path) -> None:
    land = gpd.GeoDataFrame(geometry=[shapely.box(50, 30, 54, 31.5)], crs=4326)
    land.to_file(tmp_path / "land.gpkg")
    provinces(tmp_path)
    context_entry = {**PROVINCE_ENTRY, "clip": "land.gpkg"}
    staged = stage(tmp_path, PROVINCES, context_entry)
    assert codes(staged, "repaired") == {"clipped": 2}
    assert staged.frame is not None
    # A band of Δλ = 1° from 31° to 31.5°: a² Δλ (q(φ2) − q(φ1)) / 2 on WGS 84, about 5 277 km².
    assert staged.frame["area_km2"].tolist() == pytest.approx([5277, 5277], rel=0.002)


def test_a_feature_wholly_beyond_the_cut_is_counted_out(tmp_path: Path) -> None:
    gpd.GeoDataFrame(geometry=[shapely.box(51, 31, 52, 32)], crs=4326).to_file(
        tmp_path / "land.gpkg"
    )
    shapes = [shapely.box(51.2, 31.2, 51.4, 31.4), shapely.box(53, 33, 53.5, 33.5)]
    gpd.GeoDataFrame({"label": ["in", "sea"]}, geometry=shapes, crs=4326).to_file(
        tmp_path / "t.gpkg"
    )
    staged = stage(tmp_path, spec(geometry="polygon"), {"file": "t.gpkg", "clip": "land.gpkg"})
    assert staged.filtered == {"clipped-away": 1} and staged.rows_stored == 1


@pytest.mark.parametrize(("mode", "stored", "filtered"), [("report", 3, 0), ("drop", 2, 1)])
def test_cities_outside_the_country(tmp_path: Path, mode: str, stored: int, filtered: int) -> None:
    points(tmp_path / "t.gpkg", {"a": (51.5, 31.5), "b": (52.5, 31.5), "c": (53.5, 33)})
    staged = stage(tmp_path, spec(), {"file": "t.gpkg", "inside": mode}, country=True)
    assert staged.rows_stored == stored
    assert sum(staged.filtered.values()) == filtered
    assert codes(staged)["outside-country"] == 1


def test_regions_by_point_on_surface_and_the_nearest_at_a_coast(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51.5, 31.5), "coast": (52.5, 32.03), "far": (52.5, 33)})
    layer = spec(fields={"region_code": {"type": "string"}})
    entry = {"file": "t.gpkg", "region_of": "provinces", "inside": "keep"}
    staged = stage(tmp_path, layer, entry, country=True)
    assert staged.frame is not None
    assert staged.frame["region_code"].tolist() == ["01", "02", None]
    assert codes(staged) == {"region-nearest": 1, "region-none": 1}


def test_swapped_axes_and_open_rings(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"good": (53, 33), "turned": (31, 51)})
    staged = stage(tmp_path, spec(), {"file": "t.gpkg", "repair": ["swap_axes"]})
    assert codes(staged, "repaired") == {"swapped-axes": 1}
    assert isinstance(staged.frame, gpd.GeoDataFrame)
    assert staged.frame.geometry.iloc[1].equals(shapely.Point(51, 31))
    line = shapely.LineString([(51, 31), (52, 31), (52, 32)])
    gpd.GeoDataFrame({"n": [1]}, geometry=[line], crs=4326).to_file(tmp_path / "r.gpkg")
    entry = {"file": "r.gpkg", "repair": ["close_rings", "make_valid"]}
    staged = stage(tmp_path, spec(geometry="polygon"), entry)
    assert codes(staged, "repaired") == {"open-ring": 1} and staged.rows_stored == 1


def test_features_of_another_kind_are_refused_and_counted(tmp_path: Path) -> None:
    shapes = [shapely.Point(51, 31), shapely.LineString([(51, 31), (52, 32)])]
    gpd.GeoDataFrame({"n": [1, 2]}, geometry=shapes, crs=4326).to_file(tmp_path / "t.geojson")
    staged = stage(tmp_path, spec(), {"file": "t.geojson"})
    assert (staged.rows_stored, staged.rows_refused) == (1, 1)
    staged = stage(tmp_path, spec(), {"file": "t.geojson", "to_point": True})
    assert (staged.rows_stored, staged.rows_refused) == (2, 0)


def test_another_crs_comes_out_in_degrees(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(51, 31)], crs=4326)
    frame.to_crs(32639).to_file(tmp_path / "t.gpkg")
    staged = stage(tmp_path, spec(), {"file": "t.gpkg"})
    assert staged.source_crs == "EPSG:32639"
    assert isinstance(staged.frame, gpd.GeoDataFrame)
    assert staged.frame.geometry.iloc[0].distance(shapely.Point(51, 31)) < 1e-7


# ---------------------------------------------------------------------- several files, facts


def test_two_files_make_one_layer_and_the_second_skips_what_is_there(tmp_path: Path) -> None:
    points(tmp_path / "a.gpkg", {"x": (51, 31)})
    points(tmp_path / "b.gpkg", {"x again": (51.05, 31), "y": (52, 31)})
    name = {"fields": {"name_en": "label"}}
    staged = stage(
        tmp_path, spec(), {"file": "a.gpkg", **name}, {"file": "b.gpkg", "apart_km": 10, **name}
    )
    assert staged.frame is not None and staged.frame["name_en"].tolist() == ["x", "y"]
    assert staged.filtered == {"already-there": 1} and staged.rows_read == 3


def test_a_wide_table_melts_into_figures_with_units(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,sex,n\n01,m,3\n01,f,4\n02,m,5\n")
    layer = spec(
        kind="table",
        geometry=None,
        table="region_facts",
        level=1,
        fields={"people": {"type": "number", "unit": "persons"}},
    )
    entry = {
        "file": "t.csv",
        "group_by": ["code"],
        "fields": {"region_code": "code"},
        "melt": {"n": "people"},
        "as_of": "2016",
        "source": "census",
    }
    staged = stage(tmp_path, layer, entry)
    frame = staged.frame
    assert frame is not None
    assert frame[
        ["region_code", "variable", "value", "unit", "as_of", "source"]
    ].values.tolist() == [
        ["01", "people", 7, "persons", "2016", "census"],
        ["02", "people", 5, "persons", "2016", "census"],
    ]
    assert staged.filtered == {"grouped": 1}
    twice = stage(tmp_path, layer, entry, entry)
    assert codes(twice, "error") == {"duplicate-fact": 2}


def test_checks_clear_or_refuse_and_say_so(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31), "b": (52, 31), "c": (53, 31)}, n=[1, 50, 900])
    layer = spec(fields={"n": {"type": "number"}})
    checks = [
        {"id": "too-many", "where": "n > 10 and n < 100", "what": "too many", "clear": ["n"]},
        {"id": "absurd", "where": "n >= 100", "what": "absurd", "refuse": True},
    ]
    staged = stage(tmp_path, layer, {"file": "t.gpkg", "checks": checks})
    assert codes(staged) == {"too-many": 1, "absurd": 1}
    assert staged.rows_refused == 1
    assert staged.frame is not None and staged.frame["n"].isna().tolist() == [False, True]


# ------------------------------------------------------------------------------ rasters


ELEVATION = spec(
    id="elevation", kind="raster", geometry=None, table="raster", theme="terrain", unit="m",
    minimum=-500, maximum=9000,
)  # fmt: skip


def test_steps_of_heights_are_found() -> None:
    found = quantisation(stepped().astype(float))
    assert found is not None and found.step == pytest.approx(31.25, abs=0.02)
    assert quantisation(np.arange(500.0)) is None
    assert quantisation(np.random.default_rng(1).normal(size=5000)) is None
    assert quantisation(np.array([1.0, np.nan])) is None


@given(st.floats(5, 200), st.integers(12, 200), st.floats(-500, 500))
@settings(max_examples=60, deadline=None)
def test_any_step_is_found_through_rounding(step: float, n: int, start: float) -> None:
    heights = np.round(start + step * np.arange(n))
    found = quantisation(heights)
    assert found is not None and abs(found.step - step) <= 1.0 / (n - 1) + 0.01


def test_a_stepped_raster_becomes_a_smooth_cog(tmp_path: Path) -> None:
    z = stepped()
    z[0, 0] = -32768
    dem(tmp_path / "dem.tif", z)
    home = tmp_path / "rasters"
    staged = stage(tmp_path, ELEVATION, {"file": "dem.tif", "repair": ["dequantise"]}, rasters=home)
    assert codes(staged) == {"missing-cells": 1, "quantised": z.size - 1}
    raster = staged.raster
    assert raster is not None and raster.path.parent == home
    assert not raster.path.exists() and raster.staged.exists()
    with rasterio.open(raster.staged) as cog:
        out = cog.read(1)
        assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert cog.crs.to_epsg() == 4326 and cog.units == ("m",)
    assert np.isnan(out[0, 0]) and np.isnan(out).sum() == 1
    step = 31.25
    assert np.nanmax(np.abs(out - z)[z > 0]) <= step / 2 + 0.02
    # The smooth ramp is nearer to the truth than the terraces were.
    truth = np.tile(np.linspace(0, 3000, 200), (120, 1))
    assert np.nanstd((out - truth)[1:]) < 0.5 * np.std((z - truth)[1:])
    assert raster.stats["missing"] == 1


def test_a_stepped_raster_that_is_not_repaired_is_warned_of(tmp_path: Path) -> None:
    dem(tmp_path / "dem.tif", stepped())
    assert codes(stage(tmp_path, ELEVATION, {"file": "dem.tif"}), "warning") == {"quantised": 24000}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"crs": None}, "wrong-crs"),
        ({"transform": rasterio.Affine.identity()}, "wrong-crs"),
        ({"count": 2}, "unreadable"),
        ({"nodata": 0}, "empty-layer"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_bad_rasters_give_one_clear_error(
    tmp_path: Path, change: dict[str, Any], code: str
) -> None:
    dem(tmp_path / "dem.tif", np.zeros((20, 20), dtype=np.int16), **change)
    staged = stage(tmp_path, ELEVATION, {"file": "dem.tif"})
    assert [p.code for p in staged.errors] == [code]


def test_something_that_is_no_raster(tmp_path: Path) -> None:
    (tmp_path / "dem.tif").write_text("<VRTDataset><SourceFilename>/vsicurl/x</SourceFilename>")
    assert [p.code for p in stage(tmp_path, ELEVATION, {"file": "dem.tif"}).errors] == [
        "unreadable"
    ]


def test_classes_keep_their_type(tmp_path: Path) -> None:
    dem(tmp_path / "c.tif", np.full((20, 20), 7, dtype=np.uint8), nodata=None)
    layer = spec(id="climate", kind="raster", geometry=None, table="raster", categorical=True)
    staged = stage(tmp_path, layer, {"file": "c.tif"}, rasters=tmp_path / "out")
    assert staged.raster is not None
    assert (staged.raster.dtype, staged.raster.nodata) == ("uint8", None)
    assert staged.raster.stats["classes"] == {"7": 400}


def test_a_raster_is_sampled_where_features_lie(tmp_path: Path) -> None:
    values = np.zeros((20, 20), dtype=np.uint8)
    values[:, 10:] = 9
    dem(tmp_path / "c.tif", values, nodata=None)
    points(tmp_path / "t.gpkg", {"left": (51.01, 31.95), "right": (51.09, 31.95), "off": (53, 31)})
    layer = spec(fields={"zone": {"type": "integer"}})
    staged = stage(tmp_path, layer, {"file": "t.gpkg", "sample": {"zone": "c.tif"}})
    assert staged.frame is not None
    assert [None if pd.isna(v) else int(v) for v in staged.frame["zone"]] == [0, 9, None]
