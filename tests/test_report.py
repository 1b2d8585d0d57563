"""The files of a run: columns, rounding, missing values, hostile names, stable bytes."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
from example_result import (
    example_document,
    example_profile,
    example_result,
    infeasible_result,
)

from geoplan.catalogue.text import Text
from geoplan.errors import DiskFull, FileMissing, InputError, ShapeError
from geoplan.report import embed, folder, require_assets, write_run_folder
from geoplan.report.cells import cell, unit_suffix
from geoplan.report.folder import FILES, run_json
from geoplan.report.tables import settle_flows
from geoplan.siting.result import Reason, SitingResult


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run")
    write_run_folder(path, example_result(), example_document())
    return path


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def header(path: Path) -> str:
    return path.read_text(encoding="utf-8").split("\n", 1)[0]


def test_every_file_is_there_and_run_json_seals_the_others(run: Path) -> None:
    assert sorted(p.name for p in run.iterdir()) == sorted(FILES)
    document = json.loads((run / "run.json").read_text(encoding="utf-8"))
    assert sorted(document["files"]) == sorted(set(FILES) - {"run.json"})
    for name, digest in document["files"].items():
        assert folder._digest(run / name) == digest
    assert document["seed"] == 7
    assert document["nothing"] is None
    assert document["scenario"]["id"] == "two-estates"


def test_two_writings_are_the_same_bytes(run: Path, tmp_path: Path) -> None:
    again = write_run_folder(tmp_path, example_result(), example_document())
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (run / name).read_bytes(), name
    assert again["run.json"] == folder._digest(run / "run.json")


def test_columns_are_exact(run: Path) -> None:
    regions = ("region1_code,region1_name_en,region1_name_local,"
               "region2_code,region2_name_en,region2_name_local")  # fmt: skip
    assert header(run / "ranking.csv") == (
        f"rank,site_id,{regions},area_ha,usable_ha,score,"
        "road_measured_km,road_value,road_contribution,"
        "deprivation_measured,deprivation_value,deprivation_contribution,"
        "slope_measured_percent,slope_value,slope_contribution,"
        "lon,lat,served_alone,in_portfolio,inclusion_acceptability,"
        "water_m3_per_day,power_mva,wastewater_m3_per_day,jobs,"
        "industrialisation,less_industrialised"
    )
    assert header(run / "portfolio.csv") == (
        f"site_id,{regions},area_ha,usable_ha,level,score,"
        "water_m3_per_day,power_mva,wastewater_m3_per_day,cost,currency,jobs,lon,lat"
    )
    assert header(run / "supply.csv").startswith(
        "site_id,resource,source_id,amount,unit,distance_km,cost,basis,kind,source_name_en,"
    )
    assert header(run / "sources.csv") == (
        "source_id,resource,headroom,used,unit,basis,kind,name_en,name_local,lon,lat"
    )
    assert header(run / "exclusions.csv") == (
        "rule,title_en,title_local,effect,share,basis,dated,status,area_ha_alone,area_ha_only"
    )
    assert header(run / "regions.csv") == (
        "code,parent_code,name_en,name_local,industrialisation,coverage,rank,less_industrialised,"
        "plants_1_per_100000,plants_normalised,plants_weight,plants_as_of,plants_source,"
        "jobless_percent,jobless_normalised,jobless_weight,jobless_as_of,jobless_source,formula"
    )


def test_demand_that_may_go_unserved_has_columns(tmp_path: Path) -> None:
    result = example_result()
    portfolio = result.scenario.portfolio.model_copy(update={"shortfall": {"water": 5e6}})
    scenario = result.scenario.model_copy(update={"portfolio": portfolio})
    short = result.portfolio.assign(water_shortfall=[0.0, 250.0])
    write_run_folder(
        tmp_path, replace(result, scenario=scenario, portfolio=short), example_document()
    )
    found = rows(tmp_path / "portfolio.csv")
    assert [row["water_shortfall_m3_per_day"] for row in found] == ["0.000000", "250.000000"]
    assert "power_shortfall_mva" not in found[0]


def test_csv_is_plain_utf8_with_fixed_decimals(run: Path) -> None:
    for path in run.glob("*.csv"):
        raw = path.read_bytes()
        assert not raw.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in raw
        assert raw.endswith(b"\n")
        assert b"nan" not in raw.lower().replace(b"finance", b"")
    first = rows(run / "ranking.csv")[0]
    assert (first["area_ha"], first["score"], first["lon"]) == ("1200.00", "0.900000", "51.500000")
    assert first["road_measured_km"] == "2.0000"
    assert first["served_alone"] == "true"


def test_missing_is_empty_not_zero(run: Path) -> None:
    first = rows(run / "ranking.csv")[0]
    assert first["inclusion_acceptability"] == ""
    assert first["deprivation_measured"] == ""
    south = next(r for r in rows(run / "regions.csv") if r["code"] == "0202")
    assert (south["industrialisation"], south["rank"], south["name_local"]) == ("", "", "")
    assert south["less_industrialised"] == ""
    assert south["plants_1_per_100000"] == ""
    assert south["jobless_percent"] == "12.0000"
    own = [r for r in rows(run / "supply.csv") if r["kind"] == "plant"]
    assert [r["source_lon"] for r in own] == ["", ""]


def test_rows_follow_rank_resource_and_source(run: Path) -> None:
    order = [(r["site_id"], r["resource"], r["source_id"]) for r in rows(run / "supply.csv")]
    assert order[:4] == [
        ("s0001", "water", "dams:a"),
        ("s0001", "power", "stations:1"),
        ("s0001", "wastewater", "own:s0001:plant"),
        ("s0002", "water", "dams:a"),
    ]
    assert [r["resource"] for r in rows(run / "sources.csv")] == [
        "water", "water", "power", "wastewater", "wastewater",
    ]  # fmt: skip


def test_written_amounts_re_add_exactly(run: Path) -> None:
    used: dict[str, Decimal] = {}
    for flow in rows(run / "supply.csv"):
        used[flow["source_id"]] = used.get(flow["source_id"], Decimal(0)) + Decimal(flow["amount"])
    for source in rows(run / "sources.csv"):
        assert used[source["source_id"]] == Decimal(source["used"])
        assert Decimal(source["used"]) <= Decimal(source["headroom"])


def test_rounding_does_not_overdraw_a_full_source() -> None:
    # Three flows of 2/3 fill a headroom of 2; each rounds up to 0.666667, together 2.000001.
    supply = pd.DataFrame(
        {"resource": "water", "source_id": "a", "amount": [2 / 3, 2 / 3, 2 / 3]}
    )  # fmt: skip
    sources = pd.DataFrame({"resource": ["water"], "source_id": ["a"], "headroom": [2.0]})
    settled = settle_flows(supply, sources)["amount"]
    assert [f"{v:.6f}" for v in settled] == ["0.666666", "0.666667", "0.666667"]


def test_a_real_overdraft_stays_visible() -> None:
    supply = pd.DataFrame({"resource": "water", "source_id": "a", "amount": [1.5, 1.0]})
    sources = pd.DataFrame({"resource": ["water"], "source_id": ["a"], "headroom": [2.0]})
    assert settle_flows(supply, sources)["amount"].sum() == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (-1e-9, "score", "0.000000"),
        (0.1 + 0.2, "score", "0.300000"),
        (float("inf"), "amount", ""),
        (None, "text", ""),
        (pd.NA, "flag", ""),
        (np.float32(0.1), "measure", "0.1000"),
        (np.bool_(False), "flag", "false"),
        (3.0, "integer", "3"),
        (-51.5, "degree", "-51.500000"),
        ("=HYPERLINK(1)", "text", "'=HYPERLINK(1)"),
        ("+98", "text", "'+98"),
        ("-1", "text", "'-1"),
        ("@x", "text", "'@x"),
        ("a=b", "text", "a=b"),
    ],
)
def test_cell(value: object, kind: str, text: str) -> None:
    assert cell(value, kind) == text  # type: ignore[arg-type]


def test_units_become_names() -> None:
    given = ("m3/day", "MVA", "%", "km", "index", "", "1/100000")
    assert [unit_suffix(u) for u in given] == [
        "_m3_per_day", "_mva", "_percent", "_km", "", "", "_1_per_100000",
    ]  # fmt: skip


def hostile() -> SitingResult:
    result = example_result()
    bad = "<script>alert('x')</script>{{ 7*7 }}"
    regions = result.regions.assign(name_en=[bad, "=cmd()", 'a "quoted", name'], name_local=bad)
    candidates = result.candidates.assign(region2_name_en=bad, region2_name_local=bad)
    return replace(
        result,
        scenario=result.scenario.model_copy(update={"title": Text(en=bad, fa=bad)}),
        regions=regions,
        candidates=candidates,
        portfolio=result.portfolio.assign(region2_name_en=bad, region2_name_local=bad),
        supply=result.supply.assign(source_name_en=bad, source_name_local=bad),
        sources=result.sources.assign(name_en=bad, name_local=bad),
        reasons={"s0001": (Reason("chosen", Text(en=bad, fa=bad)),)},
        warnings=(Text(en=bad),),
        assumptions=(Text(en=bad, fa=bad),),
    )


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    write_run_folder(tmp_path, hostile(), example_document())
    for name in ("map.html", "report.html"):
        page = (tmp_path / name).read_text(encoding="utf-8")
        assert "<script>alert" not in page
        assert "alert(" in page  # shown, as text
        assert "49" not in re.findall(r"alert\(.{0,60}", page)[0]
    assert "<script" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    names = [r["name_en"] for r in rows(tmp_path / "regions.csv")]
    assert names[1:] == ["'=cmd()", 'a "quoted", name']


def test_geopackage_holds_every_candidate(run: Path) -> None:
    sites = pyogrio.read_dataframe(run / "sites.gpkg", layer="sites")
    assert list(sites.columns) == [
        "site_id", "rank", "region1_code", "region2_code", "area_ha", "score", "in_portfolio",
        "geometry",
    ]  # fmt: skip
    assert sites.crs.to_epsg() == 4326
    assert sites["site_id"].tolist() == [f"s000{n}" for n in range(1, 7)]
    assert sites["in_portfolio"].tolist() == [True, True, False, False, False, False]
    original = example_result().candidates.geometry.bounds
    assert np.allclose(sites.bounds.to_numpy(), original.to_numpy())


def test_raster_is_cloud_optimised_on_the_grid(run: Path) -> None:
    result = example_result()
    with rasterio.open(run / "suitability.tif") as raster:
        assert raster.shape == result.grid.shape
        assert tuple(raster.transform)[:6] == result.grid.transform
        assert raster.crs == rasterio.CRS.from_user_input(result.grid.crs)
        assert np.isnan(raster.nodata)
        assert raster.dtypes == ("float32",)
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.compression.name == "deflate"
        np.testing.assert_array_equal(raster.read(1), result.suitability)


def test_big_raster_has_overviews(tmp_path: Path) -> None:
    result = example_result()
    grid = replace(result.grid, rows=1200, cols=1100)
    wide = replace(result, grid=grid, suitability=np.ones(grid.shape, dtype=np.float32))
    write_run_folder(tmp_path, wide, example_document())
    with rasterio.open(tmp_path / "suitability.tif") as raster:
        assert raster.overviews(1)


def test_wrong_raster_shape_is_named(tmp_path: Path) -> None:
    result = replace(example_result(), suitability=np.ones((2, 2), dtype=np.float32))
    with pytest.raises(ShapeError, match=r"\(2, 2\)"):
        write_run_folder(tmp_path, result, {})


def test_absent_column_is_named(tmp_path: Path) -> None:
    result = example_result()
    result = replace(result, exclusions=result.exclusions.drop(columns="basis"))
    with pytest.raises(ShapeError, match="lacks basis"):
        write_run_folder(tmp_path, result, {})


def test_no_plan_still_gives_every_file(tmp_path: Path) -> None:
    write_run_folder(tmp_path, infeasible_result(), example_document())
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(FILES)
    assert rows(tmp_path / "portfolio.csv") == []
    assert header(tmp_path / "supply.csv").startswith("site_id,resource")
    assert {r["used"] for r in rows(tmp_path / "sources.csv")} == {"0.000000"}


def test_frames_without_columns_give_headers(tmp_path: Path) -> None:
    result = replace(
        infeasible_result(),
        portfolio=pd.DataFrame(),
        supply=pd.DataFrame(),
        sources=pd.DataFrame(),
        relaxations=(),
    )
    write_run_folder(tmp_path, result, {})
    assert header(tmp_path / "sources.csv").startswith("source_id,resource,headroom,used")


def test_one_level_of_regions_and_one_language(tmp_path: Path) -> None:
    profile = example_profile(
        languages=["en"],
        region_levels=[{"level": 1, "layer": "states", "title": {"en": "state"}}],
    )
    write_run_folder(tmp_path, example_result(profile=profile), example_document())
    assert "region2_code" not in header(tmp_path / "ranking.csv")
    assert 'lang="fa"' not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_folder_must_exist_and_be_empty(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        write_run_folder(tmp_path / "none", example_result(), {})
    (tmp_path / "old.csv").write_text("x")
    with pytest.raises(InputError, match="not empty"):
        write_run_folder(tmp_path, example_result(), {})


def test_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "write_suitability", full)
    with pytest.raises(DiskFull, match=r"suitability\.tif"):
        write_run_folder(tmp_path, example_result(), {})


def test_absent_assets_are_said(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"leaflet\.js"):
        require_assets(tmp_path)
    require_assets()


def test_assets_are_the_ones_expected() -> None:
    for part in embed.PARTS:
        for name, (_, digest) in part.files.items():
            assert embed._digest(embed.ASSETS / name) == digest
        assert part.licence in ("BSD-2-Clause", "OFL-1.1")


def test_run_json_keeps_its_order_and_is_closed() -> None:
    text = run_json({"b": 1, "a": np.float64("nan"), "c": {"z", "y"}}, {}).decode()
    assert json.loads(text) == {"a": None, "b": 1, "c": ["y", "z"], "files": {}}
    assert text.index('"b"') < text.index('"a"') < text.index('"c"') < text.index('"files"')
    with pytest.raises(TypeError):
        run_json({"a": object()}, {})
