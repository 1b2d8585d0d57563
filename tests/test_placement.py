"""Regions with and without outlines, and what is placed in them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import shapely
from small_country import PROFILE, PROVINCES, codes, points, provinces, spec

from geoplan.catalogue import LayerSpec, Pack
from geoplan.ingest import Context, PackFolder, Staged, read_layer

DISTRICTS = PROVINCES.model_copy(update={"id": "districts", "level": 2})


def read(folder: Path, layer: LayerSpec, context: Context, *entries: dict[str, object]) -> Staged:
    named = [{"layer": layer.id, **e} for e in entries]
    pack = Pack.model_validate(
        {"id": "p", "title": {"en": "P"}, "profile": "nowhere", "entries": named}
    )
    return read_layer(pack, pack.entries, layer, PROFILE, context)


def test_regions_may_come_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("code,title\n0101,North\n0102,South\n")
    context = Context(PackFolder(tmp_path), country_layer="provinces")
    entry = {"file": "d.csv", "fields": {"code": "code", "name_en": "title"}}
    staged = read(tmp_path, DISTRICTS, context, entry)
    assert staged.errors == [] and staged.frame is not None
    assert staged.frame["code"].tolist() == ["0101", "0102"]
    assert context.regions["districts"].geometry.isna().all()


def test_some_regions_drawn_and_some_only_named(tmp_path: Path) -> None:
    provinces(tmp_path)
    (tmp_path / "d.csv").write_text("code,title\n03,Far\n")
    context = Context(PackFolder(tmp_path), country_layer="provinces")
    drawn = {"file": "provinces.gpkg", "fields": {"code": {"from": "no", "zero_pad": 2}}}
    named = {"file": "d.csv", "fields": {"code": "code"}}
    for order in ((drawn, named), (named, drawn)):
        context.regions.clear()
        staged = read(tmp_path, PROVINCES, context, *order)
        assert staged.errors == [] and isinstance(staged.frame, gpd.GeoDataFrame)
        by_code = staged.frame.set_index("code").geometry
        assert by_code.isna().to_dict() == {"01": False, "02": False, "03": True}
        assert len(context.outlines("provinces", where="")) == 2
        points(tmp_path / "t.gpkg", {"a": (52.5, 31.5), "sea": (50.5, 33.5)})
        layer = spec(fields={"region_code": {"type": "string"}})
        entry = {"file": "t.gpkg", "region_of": "provinces", "inside": "drop"}
        placed = read(tmp_path, layer, context, entry)
        assert placed.frame is not None and placed.frame["region_code"].tolist() == ["02"]
        assert placed.filtered == {"outside-country": 1}


def test_a_country_without_outlines_leaves_nothing_out(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("code\n01\n")
    context = Context(PackFolder(tmp_path), country_layer="provinces")
    assert not read(tmp_path, PROVINCES, context, {"file": "d.csv"}).errors
    assert context.country() is None
    points(tmp_path / "t.gpkg", {"a": (51.5, 31.5)})
    staged = read(tmp_path, spec(), context, {"file": "t.gpkg", "inside": "drop"})
    assert staged.rows_stored == 1 and staged.filtered == {}


def test_nothing_can_be_placed_in_regions_without_outlines(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("code\n01\n")
    context = Context(PackFolder(tmp_path), country_layer="provinces")
    read(tmp_path, PROVINCES, context, {"file": "d.csv"})
    points(tmp_path / "t.gpkg", {"a": (51.5, 31.5)})
    for wish in ({"region_of": "provinces"}, {"clip": "provinces"}):
        staged = read(tmp_path, spec(), context, {"file": "t.gpkg", **wish})
        assert codes(staged, "error") == {"unknown-name": 1}
        assert "by name and code only" in staged.errors[0].what


def test_only_regions_may_lack_geometry(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("label\na\n")
    context = Context(PackFolder(tmp_path))
    staged = read(tmp_path, spec(), context, {"file": "t.csv"})
    assert "needs geometry" in staged.errors[0].what
    frame = gpd.GeoDataFrame({"n": [1, 2]}, geometry=[shapely.box(51, 31, 52, 32), None], crs=4326)
    frame.to_file(tmp_path / "p.gpkg")
    entry = {"file": "p.gpkg", "fields": {"code": "n"}}
    assert codes(read(tmp_path, PROVINCES, context, entry), "error") == {"empty-geometry": 1}
