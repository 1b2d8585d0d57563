"""Packs: the catalogue's own, loading in one transaction, and the faults of the Iran pack."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import rasterio
import shapely
import yaml
from small_country import PROFILE, PROVINCE_ENTRY, PROVINCES, dem, points, provinces, stepped
from sqlalchemy import Engine, text

from geoplan.catalogue import Catalogue
from geoplan.errors import InputError, ProblemsFound, Unavailable, UnknownName
from geoplan.ingest import by_layer
from geoplan.settings import Settings
from geoplan.store import read
from geoplan.store.session import transaction
from geoplan.studies.pack import LayerReport, PackReport, check_pack, load_pack, single_file_pack


def by_id(report: PackReport) -> dict[str, LayerReport]:
    """Return the lines of a report by layer."""
    return {r.layer: r for r in report.layers}


def found(report: LayerReport, code: str) -> list[int]:
    """Return the counts of all findings of one code."""
    return [p.count for p in report.problems if p.code == code]


# ------------------------------------------------------------------------------ a small country

THINGS = {
    "id": "things",
    "title": {"en": "Things"},
    "theme": "industry",
    "kind": "vector",
    "geometry": "point",
    "key": "label",
    "fields": {
        "label": {"type": "string", "required": True},
        "n": {"type": "integer"},
        "region_code": {"type": "string"},
    },
}
HEIGHT = {
    "id": "height",
    "title": {"en": "Height"},
    "theme": "terrain",
    "kind": "raster",
    "table": "raster",
    "unit": "m",
}


@pytest.fixture
def country(tmp_path: Path) -> tuple[Catalogue, Path]:
    """A catalogue of three layers, and a folder with their files."""
    layers, files = tmp_path / "layers", tmp_path / "files"
    for folder in (layers / "packs", layers / "profiles", files):
        folder.mkdir(parents=True)
    for layer in (PROVINCES.model_dump(mode="json", exclude_none=True), THINGS, HEIGHT):
        layer.pop("derived", None)
        (layers / f"{layer['id']}.yaml").write_text(yaml.safe_dump(layer))
    profile = json.loads(PROFILE.model_dump_json(exclude_none=True))
    (layers / "profiles" / "nowhere.yaml").write_text(yaml.safe_dump(profile))
    pack = {
        "id": "small",
        "title": {"en": "Small"},
        "profile": "nowhere",
        "entries": [
            {"layer": "things", "file": "things.gpkg", "region_of": "provinces"},
            {"layer": "height", "file": "height.tif", "repair": ["dequantise"]},
            PROVINCE_ENTRY,
        ],
    }
    (layers / "packs" / "small.yaml").write_text(yaml.safe_dump(pack))
    provinces(files)
    points(files / "things.gpkg", {"a": (51.5, 31.5), "b": (52.5, 31.5)}, n=[1, 2])
    dem(files / "height.tif", stepped())
    return Catalogue((layers,)), files


def load(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path], force: bool = False
) -> PackReport:
    """Load the small pack."""
    catalogue, files = country
    return load_pack(database, settings, catalogue, "small", files, loaded_by="tester", force=force)


def count(database: Engine, table: str) -> int:
    """Return how many rows a table has."""
    with database.connect() as connection:
        return int(connection.execute(text(f"select count(*) from {table}")).scalar_one())


def test_a_pack_is_loaded_whole(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path]
) -> None:
    seen: list[float] = []
    catalogue, files = country
    report = load_pack(
        database, settings, catalogue, "small", files, loaded_by="tester",
        progress=lambda _, share: seen.append(share),
    )  # fmt: skip
    assert {r.layer: (r.status, r.version) for r in report.layers} == {
        "things": ("loaded", 1),
        "height": ("loaded", 1),
        "provinces": ("loaded", 1),
    }
    assert seen == sorted(seen) and seen[-1] == 1.0
    with transaction(database) as session:
        things = read.layer_frame(session, "things")
        asset = read.raster_asset(session, "height")
        versions = read.layer_versions(session, ["things"])
    # The provinces stand last in the pack and were still read first.
    assert things["region_code"].tolist() == ["01", "02"]
    assert things["n"].tolist() == [1, 2]
    assert versions["things"]["synthetic"] is True
    path = Path(asset.path)
    assert path.parent == settings.rasters_dir
    with rasterio.open(path) as cog:
        assert (cog.width, cog.height) == (asset.width, asset.height) == (200, 120)
    assert [p.name for p in settings.rasters_dir.iterdir()] == [path.name]


def test_the_same_files_twice_give_no_new_version(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path]
) -> None:
    load(database, settings, country)
    again = load(database, settings, country)
    assert {r.status for r in again.layers} == {"unchanged"}
    assert count(database, "layer_version") == 3
    points(country[1] / "things.gpkg", {"c": (51.2, 31.5)}, n=[3])
    third = by_id(load(database, settings, country))
    assert (third["things"].status, third["things"].version) == ("loaded", 2)
    assert third["provinces"].status == third["height"].status == "unchanged"
    forced = by_id(load(database, settings, country, force=True))
    assert {r.status for r in forced.values()} == {"loaded"} and forced["things"].version == 3


def test_a_raster_that_went_missing_is_written_again(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path]
) -> None:
    load(database, settings, country)
    shutil.rmtree(settings.rasters_dir)
    report = by_id(load(database, settings, country))
    assert report["height"].status == "loaded" and report["things"].status == "unchanged"


def test_one_bad_layer_stops_all_and_leaves_nothing(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path]
) -> None:
    points(country[1] / "things.gpkg", {"a": (51.5, 31.5), "b": None}, n=[1, 2])
    (country[1] / "provinces.gpkg").unlink()
    with pytest.raises(ProblemsFound) as caught:
        load(database, settings, country)
    assert {p.code for p in caught.value.problems} >= {"missing-file"}
    assert "nothing was changed" in caught.value.what
    assert count(database, "layer_version") == 0
    assert not list(settings.rasters_dir.glob("*")) and not list(settings.rasters_dir.glob(".*"))


def test_a_failure_while_storing_takes_everything_back(
    database: Engine,
    settings: Settings,
    country: tuple[Catalogue, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from geoplan.store import write

    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "make_current", broken)
    with pytest.raises(KeyboardInterrupt):
        load(database, settings, country)
    assert count(database, "layer_version") == count(database, "feature") == 0
    assert not [*settings.rasters_dir.glob("*"), *settings.rasters_dir.glob(".*")]


def test_a_single_file_uses_the_regions_that_are_loaded(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path]
) -> None:
    load(database, settings, country)
    catalogue, files = country
    points(files / "more.gpkg", {"z": (52.5, 31.5), "sea": (53.5, 33.0)}, n=[1, 2])
    options = {"inside": "drop", "region_of": "provinces"}
    pack, root = single_file_pack(files / "more.gpkg", "things", "nowhere", options)
    report = load_pack(database, settings, catalogue, pack, root, loaded_by="tester")
    assert report.layers[0].version == 2
    assert report.layers[0].filtered == {"outside-country": 1}
    with transaction(database) as session:
        frame = read.layer_frame(session, "things")
    assert frame["region_code"].tolist() == ["02"]


def test_titles_follow_the_catalogue_without_a_new_version(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path]
) -> None:
    load(database, settings, country)
    folder = country[1].parent / "layers"
    renamed = {**THINGS, "title": {"en": "Objects", "fa": "چیزها"}}
    (folder / "things.yaml").write_text(yaml.safe_dump(renamed))
    report = by_id(load(database, settings, (Catalogue((folder,)), country[1])))
    assert report["things"].status == "unchanged"
    with database.connect() as connection:
        title = connection.execute(text("select title_en from layer where id = 'things'")).scalar()
    assert title == "Objects"


# ------------------------------------------------------------------------------ one country


def of(pack: dict[str, Any], folder: Path, name: str, **changes: Any) -> None:
    """Write a pack into the catalogue."""
    (folder / "packs" / f"{name}.yaml").write_text(
        yaml.safe_dump({**pack, "id": name, "title": {"en": name}, **changes})
    )


def test_another_country_is_refused_and_another_pack_of_the_same_is_not(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path]
) -> None:
    load(database, settings, country)
    folder = country[1].parent / "layers"
    things = {"entries": [{"layer": "things", "file": "things.gpkg", "region_of": "provinces"}]}
    other = json.loads(PROFILE.model_dump_json(exclude_none=True)) | {"id": "elsewhere"}
    (folder / "profiles" / "elsewhere.yaml").write_text(yaml.safe_dump(other))
    of(things, folder, "foreign", profile="elsewhere")
    more = {"entries": [{"layer": "things", "file": "more.gpkg"}]}
    points(country[1] / "more.gpkg", {"c": (51.2, 31.5)}, n=[3])
    of(more, folder, "second", profile="nowhere")
    catalogue = Catalogue((folder,))
    before = count(database, "layer_version")
    with pytest.raises(InputError) as caught:
        load_pack(database, settings, catalogue, "foreign", country[1], loaded_by="tester")
    assert "'nowhere'" in caught.value.what and "'elsewhere'" in caught.value.what
    assert "--home" in caught.value.remedy and caught.value.exit_code == 2
    assert count(database, "layer_version") == before
    report = load_pack(database, settings, catalogue, "second", country[1], loaded_by="tester")
    assert report.layers[0].status == "loaded" and report.layers[0].version == 2


def test_the_command_refuses_another_country_with_exit_2(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path], tmp_path: Path
) -> None:
    load(database, settings, country)
    folder = country[1].parent / "layers"
    other = json.loads(PROFILE.model_dump_json(exclude_none=True)) | {"id": "elsewhere"}
    (folder / "profiles" / "elsewhere.yaml").write_text(yaml.safe_dump(other))
    entry = {"layer": "things", "file": "things.gpkg"}
    of({"entries": [entry]}, folder, "foreign", profile="elsewhere")
    url = database.url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-m", "geoplan", "--home", str(tmp_path / "home"),
         "--layers-dir", str(folder), "pack", "load", "foreign", str(country[1])],
        env={**os.environ, "GEOPLAN_DATABASE_URL": url},
        cwd=Path(__file__).parent.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert "'nowhere'" in done.stderr and "'elsewhere'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "damage",
    [
        "alter table layer_version drop column profile_id",
        "alter table layer_version rename to layer_version_of_long_ago",
    ],
)
def test_tables_of_another_version_are_told_and_not_crashed_on(
    database: Engine, settings: Settings, country: tuple[Catalogue, Path], damage: str
) -> None:
    with database.begin() as connection:
        connection.execute(text(damage))
    with pytest.raises(Unavailable) as caught:
        load(database, settings, country)
    assert "layer_version" in caught.value.what
    assert "geoplan db migrate" in caught.value.remedy and "--home" in caught.value.remedy


def test_a_pack_of_unknown_layers_is_refused(country: tuple[Catalogue, Path]) -> None:
    catalogue, files = country
    pack, _ = single_file_pack(files / "things.gpkg", "thingies", "nowhere", {})
    with pytest.raises(ProblemsFound, match="unknown layer"):
        check_pack(catalogue, pack, files)
    with pytest.raises(UnknownName, match="unknown pack"):
        check_pack(catalogue, "nobody", files)


def test_words_like_on_and_no_stay_words(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    entry = "  - layer: x\n    file: x.csv\n    as_of: 2024-05-01\n    joins:\n"
    join = "      - {file: y.csv, on: {no: yes}, take: {off: first}}\n"
    (tmp_path / "packs" / "p.yaml").write_text(
        f"id: p\ntitle: {{en: P}}\nprofile: nowhere\nsynthetic: true\nentries:\n{entry}{join}"
    )
    pack = Catalogue((tmp_path,)).pack("p")
    assert pack.synthetic is True
    assert pack.entries[0].as_of == "2024-05-01"
    assert pack.entries[0].joins[0].on == {"no": "yes"}


# ------------------------------------------------------------------------------ the catalogue


@pytest.mark.parametrize(
    "word", ["Iran", "ایران", "OSM", "OpenStreetMap", "census", "assumed", "فرض"]
)
def test_layers_say_what_a_dataset_is_and_not_where_one_came_from(word: str) -> None:
    for spec in Catalogue.standard().layers().values():
        texts = [spec.title, spec.description, *(f.title for f in spec.fields.values())]
        for said in texts:
            assert said is None or word not in f"{said.en} {said.fa}", (spec.id, said)
            assert said is None or not re.search(
                "(19|20|13|14|۱۳|۱۴)[0-9۰-۹]{2}", f"{said.en} {said.fa}"
            )
        assert spec.title.fa and (spec.description is None or spec.description.fa), spec.id


def test_every_entry_of_the_iran_pack_fits_its_layer() -> None:
    catalogue = Catalogue.standard()
    layers = catalogue.layers()
    for layer, entries in by_layer(catalogue.pack("iran")).items():
        spec = layers[layer]
        assert spec.title.fa, layer
        assert spec.derived is None, layer
        for entry in entries:
            assert entry.source and entry.licence and entry.confidence, (layer, entry.file)
            if spec.table == "utility_nodes":
                assert entry.basis == "assumed" and entry.method is not None and entry.method.fa


# ------------------------------------------------------------------------------ the Iran pack


@pytest.fixture(scope="module")
def iran(iran_pack: Path) -> dict[str, LayerReport]:
    """The Iran pack, checked once."""
    return by_id(check_pack(Catalogue.standard(), "iran", iran_pack))


@pytest.mark.pack
def test_iran_has_no_error_and_every_row_is_accounted_for(iran: dict[str, LayerReport]) -> None:
    assert [p for r in iran.values() for p in r.problems if p.severity == "error"] == []
    for r in iran.values():
        there = r.rows_read + r.rows_made
        assert there == r.rows_stored + r.rows_refused + sum(r.filtered.values()), r.layer
    assert {r.layer for r in iran.values() if r.rows_made} == {"county_facts"}
    facts = iran["county_facts"]
    # 429 counties × (4 + 3) figures, and 392 of the 397 counties of 2011 found by name.
    assert facts.rows_stored == 429 * 7 + 392
    assert facts.rows_refused == 5
    assert facts.rows_read == 9_009 + 1_716 + 8_734


@pytest.mark.pack
@pytest.mark.parametrize(
    ("layer", "code", "counts"),
    [
        ("counties", "invalid-geometry", [35]),
        ("counties", "destroyed-text", [429, 429]),
        ("counties", "clipped", [33]),
        ("counties", "join-unmatched", [8]),
        ("provinces", "clipped", [7]),
        ("counties_2025", "clipped", [53]),
        ("districts", "unknown-parent", [41]),
        ("settlements", "empty-geometry", [10]),
        ("settlements", "city-in-other-province", [22]),
        ("settlements", "city-over-county", [1, 1, 1]),
        ("urban_areas", "outside-country", [40]),
        ("ports", "outside-country", [11]),
        ("ports", "already-there", [3]),
        ("dams", "outside-country", [1]),
        ("dams", "missing-value", [190]),
        ("weather_stations", "outside-country", [2]),
        ("earthquakes", "outside-country", [1595]),
        ("earthquakes", "destroyed-text", [50]),
        ("rail_stations", "join-left-over", [20]),
        ("power_plants", "join-left-over", [21]),
        ("industrial_estate_names", "join-unmatched", [5]),
        ("elevation", "quantised", [13_115_858]),
        ("elevation", "missing-cells", [4142]),
    ],
)
def test_faults_of_the_iran_pack(
    iran: dict[str, LayerReport], layer: str, code: str, counts: list[int]
) -> None:
    assert found(iran[layer], code) == counts


@pytest.mark.pack
def test_the_step_of_the_iran_heights(iran: dict[str, LayerReport]) -> None:
    told = [p.what for p in iran["elevation"].problems if p.code == "quantised"]
    assert len(told) == 1 and "steps of 31.25 m" in told[0]


@pytest.mark.pack
def test_rows_of_the_iran_pack(iran: dict[str, LayerReport]) -> None:
    stored = {layer: r.rows_stored for layer, r in iran.items()}
    expected = {
        "provinces": 31,
        "counties": 429,
        "districts": 1099,
        "counties_2025": 478,
        "province_facts": 380,
        "settlements": 1562,
        "roads": 5577,
        "ports": 5,
        "airports": 82,
        "rail_stations": 89,
        "power_plants": 103,
        "grid_lines": 468,
        "substations": 192,
        "gas_pipelines": 24,
        "dams": 25,
        "earthquakes": 9360,
        "industrial_estate_names": 376,
        "weather_stations": 772,
    }
    assert {k: stored[k] for k in expected} == expected
    assert iran["water_sources"].rows_stored > 24 + 429 + 80
    assert {r.layer for r in iran.values() if r.basis == "assumed"} == {
        "substations",
        "water_sources",
        "wastewater_plants",
    }


@pytest.mark.pack
def test_regions_of_the_iran_pack_in_the_database(
    iran_pack: Path, database: Engine, settings: Settings
) -> None:
    catalogue = Catalogue.standard()
    whole = catalogue.pack("iran")
    wanted = ("provinces", "counties", "province_facts", "water_sources", "industrial_estate_names")
    part = whole.model_copy(
        update={"entries": tuple(e for e in whole.entries if e.layer in wanted)}
    )
    load_pack(database, settings, catalogue, part, iran_pack, loaded_by="tester")
    with transaction(database) as session:
        counties = read.layer_frame(session, "counties")
        provinces_ = read.layer_frame(session, "provinces")
        sources = read.sources(session, ["water_sources"])
        facts = read.region_facts(session, 1)
    assert isinstance(counties, gpd.GeoDataFrame)
    assert int(counties["population"].sum()) == 79_926_270
    assert set(counties["parent_code"]) == set(provinces_["code"])
    by_code = provinces_.set_index("code")["name_en"]
    assert (by_code["28"], by_code["23"], by_code["00"]) == ("North Khorasan", "Tehran", "Markazi")
    arak = counties.set_index("code").loc["0001"]
    assert (arak["name_local"], arak["name_en"]) == ("اراک", "Arak")
    # Land area of the country by official figures is about 1 628 550 km² without islands' waters.
    assert provinces_["area_km2"].sum() == pytest.approx(1_628_550, rel=0.01)
    assert bool(shapely.is_valid(counties.geometry.array).all())
    assert set(sources["basis"]) == {"assumed"} and bool((sources["headroom"] > 0).all())
    assert sources["method_en"].str.startswith("Assumed").all()
    assert len(facts) == 380
