"""The synthetic country: what is true of it whatever the seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
import shapely
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geoplan.catalogue import Catalogue, Pack
from geoplan.errors import DiskFull, InputError, RangeError
from geoplan.ingest.folder import PackFolder
from geoplan.ingest.pack import by_layer, files_of, read_layer
from geoplan.ingest.staged import Context
from geoplan.sample import SampleSummary, make
from geoplan.sample.country import Country, make_country
from geoplan.sample.names import Names
from geoplan.sample.place import place


@pytest.fixture(scope="module")
def country() -> Country:
    return make_country(place(7, "small"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SampleSummary:
    return make(tmp_path_factory.mktemp("sample") / "country", seed=7, size="small")


def layer(made: SampleSummary, name: str, file: str = "country.gpkg") -> gpd.GeoDataFrame:
    return gpd.read_file(made.folder / file, layer=name)


def test_one_seed_gives_the_same_bytes(made: SampleSummary, tmp_path: Path) -> None:
    again = make(tmp_path / "again", seed=7, size="small")
    names = sorted(p.name for p in made.folder.iterdir())
    assert names == sorted(p.name for p in again.folder.iterdir())
    for name in names:
        assert (made.folder / name).read_bytes() == (again.folder / name).read_bytes(), name


def test_another_seed_gives_another_country(country: Country) -> None:
    other = make_country(place(8, "small"))
    assert not np.array_equal(country.relief.land, other.relief.land)
    assert country.regions.titles != other.regions.titles


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 11])
def test_every_seed_makes_a_whole_country(seed: int) -> None:
    other = make_country(place(seed, "small"))
    assert len(other.regions.provinces) == 3
    assert len(other.regions.districts) == 26
    assert len(other.estates.plots) > 500
    assert 0.3 < other.relief.land.mean() < 0.9
    assert shapely.coverage_is_valid(other.regions.districts.geometry.array)


def test_regions_of_each_level_tile_the_land(country: Country) -> None:
    regions = country.regions
    land = float(shapely.union_all(regions.districts.geometry.array).area)
    for frame in (regions.provinces, regions.counties, regions.districts):
        assert frame.geometry.is_valid.all()
        # The sum of areas is the area of the union: no overlap; all levels agree: no gap.
        assert frame.area.sum() == pytest.approx(land, rel=1e-12)
    # What is drawn differs from the cells only along the smoothed coast.
    cells = country.relief.land.sum() * country.place.grid.cell_m**2
    assert land == pytest.approx(cells, rel=0.005)


def test_written_regions_still_tile(made: SampleSummary) -> None:
    districts = layer(made, "districts")
    assert shapely.coverage_is_valid(districts.geometry.array)
    assert districts.geometry.is_valid.all()


def test_codes_are_unique_and_parents_exist(country: Country) -> None:
    r = country.regions
    for frame in (r.provinces, r.counties, r.districts):
        assert frame["code"].is_unique
    assert set(r.counties["parent_code"]) == set(r.provinces["code"])
    assert set(r.districts["parent_code"]) == set(r.counties["code"])
    child = r.districts.merge(r.counties, left_on="parent_code", right_on="code")
    inside = shapely.contains_properly(
        child["geometry_y"], shapely.point_on_surface(child["geometry_x"])
    )
    assert inside.all()


def test_everybody_lives_in_a_settlement(country: Country) -> None:
    people = country.settlements["population"].sum()
    for frame in (country.regions.provinces, country.regions.counties, country.regions.districts):
        assert frame["population"].sum() == people
    assert people == pytest.approx(country.place.population, rel=0.001)
    facts = country.county_facts.groupby(country.county_facts["region_code"].str[:2])
    up = facts["employed_industry"].sum().to_numpy()
    assert np.array_equal(up, country.province_facts["employed_industry"].to_numpy())


def test_names_are_in_both_languages_and_normalised(country: Country) -> None:
    frames = [
        country.regions.provinces, country.regions.counties, country.regions.districts,
        country.settlements, country.utilities.water_sources, country.estates.estates,
        country.ground.protected, country.ground.faults,
    ]  # fmt: skip
    for frame in frames:
        assert frame["name_en"].notna().all() and frame["name_fa"].notna().all()
        for en, fa in zip(frame["name_en"], frame["name_fa"], strict=True):
            assert en.isascii()
            assert fa == unicodedata.normalize("NFC", fa)
            assert not set("يكىةﻻ٠١٢٣0123456789") & set(fa), fa
            # No vowel signs; only the hamza that marks ezafe after a silent he.
            marks = [c for c in fa if unicodedata.category(c) == "Mn" and c != "\u0654"]
            assert not marks, fa
            assert "\u200c " not in fa and " \u200c" not in fa
    villages = country.settlements["name_fa"].str.contains("\u200cآباد")
    assert villages.any()
    assert country.settlements["name_en"].is_unique


def test_a_stock_gives_each_name_once() -> None:
    stock = Names(np.random.default_rng(3))
    roots = [stock.root() for _ in range(stock.left)]
    assert len(roots) > 800
    assert len({r.en for r in roots}) == len({r.fa for r in roots}) == len(roots)


def test_headroom_is_rating_less_what_is_committed(country: Country) -> None:
    u = country.utilities
    for frame in (u.substations, u.water_sources, u.wastewater_plants):
        assert np.allclose(frame["headroom"], frame["capacity"] - frame["committed"], atol=5e-4)
        assert (frame["headroom"] >= 0).all() and (frame["committed"] >= 0).all()
        assert frame["basis"].isin(["metered", "licensed", "assumed"]).all()
        assert frame["basis"].nunique() > 1


@pytest.mark.parametrize("name", ["roads", "railways"])
def test_networks_are_in_one_piece(made: SampleSummary, name: str) -> None:
    lines = layer(made, name)
    ends = shapely.get_coordinates(
        [shapely.get_point(g, i) for g in lines.geometry for i in (0, -1)]
    )
    _, node = np.unique(ends, axis=0, return_inverse=True)
    a, b = node.reshape(-1, 2).T
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(node.max() + 1,) * 2)
    assert connected_components(graph, directed=False)[0] == 1


def test_roads_reach_every_town(country: Country) -> None:
    towns = country.settlements[country.settlements["rank"] < 4]
    roads = shapely.union_all(country.networks.roads.geometry.array)
    assert shapely.distance(towns.geometry.array, roads).max() < 1.0


def test_rivers_run_downhill_to_the_sea_or_a_lake(country: Country) -> None:
    z, grid = country.relief.z, country.place.grid
    rivers = country.water.rivers
    start = shapely.get_coordinates(shapely.get_point(rivers.geometry.array, 0))
    end = shapely.get_coordinates(shapely.get_point(rivers.geometry.array, -1))
    top = z[grid.row_col(start[:, 0], start[:, 1])]
    low = z[grid.row_col(end[:, 0], end[:, 1])]
    assert (low <= top + 1e-9).all()
    # A river that no other carries on ends beside the sea or the closed lake.
    begins = {tuple(p) for p in start.tolist()}
    mouths = np.array([p for p in end.tolist() if tuple(p) not in begins])
    to_end = ndimage.distance_transform_edt(country.relief.land & ~country.relief.basin)
    assert len(mouths) and to_end[grid.row_col(mouths[:, 0], mouths[:, 1])].max() < 2.0


def test_plots_partition_their_blocks(made: SampleSummary) -> None:
    plots = layer(made, "plots", "cadastre.gpkg")
    blocks = layer(made, "blocks", "cadastre.gpkg").set_index("code")
    phases = layer(made, "phases", "cadastre.gpkg").set_index("code")
    estates = layer(made, "estates", "cadastre.gpkg").set_index("code")
    assert plots["code"].is_unique and len(plots) > 1_000
    assert set(plots["block_code"]) == set(blocks.index)
    assert phases["estate_code"].nunique() >= 3
    for code, part in plots.groupby("block_code"):
        block = blocks.geometry[code]
        assert shapely.coverage_is_valid(part.geometry.array)
        union = shapely.coverage_union_all(part.geometry.array)
        assert union.symmetric_difference(block).area < 1e-6
        assert part.area.sum() == pytest.approx(block.area, abs=1e-3)
    outside = shapely.difference(blocks.geometry.array, phases.geometry[blocks["phase_code"]].array)
    assert shapely.area(outside).max() < 0.1
    for code, part in phases.groupby("estate_code"):
        assert part.area.sum() == pytest.approx(estates.geometry[code].area, rel=1e-9)
    assert np.allclose(plots["area_m2"], plots.area, atol=0.01)


def test_the_pack_loads_without_a_finding(made: SampleSummary) -> None:
    """The ordinary reader takes every entry: files, columns, codes, parents, places."""
    catalogue = Catalogue.standard()
    pack = catalogue.pack(str(made.folder / "pack.yaml"))
    profile = catalogue.profile(pack.profile)
    assert pack.synthetic and profile.synthetic
    assert (pack.title.en, pack.title.fa) == ("Synthetic country", "کشور ساختگی")
    context = Context(PackFolder(made.folder), country_layer=profile.region_levels[0].layer)
    for name, entries in by_layer(pack).items():
        staged = read_layer(pack, entries, catalogue.layer(name), profile, context)
        worse = [p for p in staged.report if p.severity != "info"]
        assert not worse, f"{name}: {worse}"
        assert staged.rows_refused == 0
        if staged.frame is not None:
            assert len(staged.frame) == made.rows[name], name


def test_every_file_and_column_of_the_pack_exists(made: SampleSummary) -> None:
    pack = Catalogue.standard().pack(str(made.folder / "pack.yaml"))
    assert isinstance(pack, Pack)
    for entry in pack.entries:
        for file in files_of(entry):
            assert (made.folder / file).is_file(), file
        if entry.file.endswith(".tif"):
            continue
        if entry.file.endswith(".csv"):
            there = set(pd.read_csv(made.folder / entry.file, nrows=1).columns)
        else:
            info = pyogrio.read_info(made.folder / entry.file, layer=entry.source_layer)
            there = set(info["fields"])
        named = {f if isinstance(f, str) else f.source for f in entry.fields.values()}
        assert named - {None} <= there, f"{entry.layer}: {named - {None} - there}"
        assert set(entry.melt or {}) <= there


def test_rasters_cover_the_land(made: SampleSummary) -> None:
    with rasterio.open(made.folder / "elevation.tif") as source:
        height = source.read(1, masked=True)
        size = source.res[0]
    with rasterio.open(made.folder / "land_cover.tif") as source:
        cover = source.read(1)
    assert size == 250.0
    assert set(np.unique(cover)) <= set(range(9))
    assert np.array_equal(~np.ma.getmaskarray(height), cover > 0)
    assert 400 < float(height.max()) < 2_500
    area = (cover > 0).sum() * size**2 / 1e6
    assert area == pytest.approx(layer(made, "land").to_crs(6933).area.sum() / 1e6, rel=0.005)


def test_marker_says_how_it_was_made(made: SampleSummary) -> None:
    note = json.loads((made.folder / "sample.json").read_text(encoding="utf-8"))
    assert note["synthetic"] is True and (note["seed"], note["size"]) == (7, "small")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="something else"):
        make(tmp_path, size="small")
    assert (tmp_path / "thesis.doc").read_text(encoding="utf-8") == "years of work"


def test_an_older_country_is_replaced_and_a_kept_one_is_not_made_again(
    made: SampleSummary, tmp_path: Path
) -> None:
    folder = tmp_path / "country"
    make(folder, seed=1, size="small")
    again = make(folder, seed=1, size="small", keep=True)
    assert not again.made
    other = make(folder, seed=7, size="small", keep=True)
    assert other.made and other.rows == made.rows
    assert [p.name for p in tmp_path.iterdir()] == ["country"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> dict[str, int]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("geoplan.sample.write_country", full)
    with pytest.raises(DiskFull):
        make(tmp_path / "country", size="small")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("seed", "size"), [(-1, "small"), (0, "huge")])
def test_impossible_wishes_are_refused(tmp_path: Path, seed: int, size: str) -> None:
    with pytest.raises(RangeError):
        make(tmp_path / "country", seed=seed, size=size)  # type: ignore[arg-type]


def run_cli(*words: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.run(
        [sys.executable, "-m", "geoplan", "sample", *words],
        capture_output=True,
        text=True,
        env=environ,
        timeout=120,
    )


def test_the_command_makes_the_country(tmp_path: Path) -> None:
    done = run_cli(str(tmp_path / "country"), "--size", "small", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["synthetic"] is True and answer["rows"]["provinces"] == 3
    assert Path(answer["pack"]).is_file()


def test_the_command_refuses_an_unknown_size(tmp_path: Path) -> None:
    done = run_cli(str(tmp_path / "country"), "--size", "huge")
    assert done.returncode == 2
    assert "unknown" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
