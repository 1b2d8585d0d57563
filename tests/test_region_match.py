"""Two sources of regions joined: hand-made divisions, laws, and the real counties of Iran."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from shapely.geometry import MultiPolygon, box
from sqlalchemy import Engine
from typer.testing import CliRunner

from geoplan.catalogue import Catalogue
from geoplan.cli.context import AppContext
from geoplan.cli.region_match import match
from geoplan.errors import (
    CrsProblem,
    FileMissing,
    InputError,
    ProblemsFound,
    RangeError,
    UnknownName,
)
from geoplan.regions.crosswalk import hand_on
from geoplan.regions.matching import MatchLimits, match_regions
from geoplan.regions.overlap import mend_division
from geoplan.regions.spelling import edits, name_key, name_spelling, sound_key
from geoplan.report.language import Language
from geoplan.report.region_workbook import Source
from geoplan.settings import Settings
from geoplan.studies.pack import load_pack
from geoplan.studies.region_match import (
    FileColumns,
    match_document,
    match_sources,
    regions_of_file,
    write_match,
)

PLANE = "+proj=laea +lat_0=32.5 +lon_0=54 +datum=WGS84 +units=m +no_defs"


def regions(rows: list[tuple[str, str, str | None, object]]) -> gpd.GeoDataFrame:
    """Code, parent, name and shape (km in the plane)."""
    shapes = [s if s is None else shapely.transform(s, lambda xy: xy * 1000) for *_, s in rows]
    frame = pd.DataFrame([r[:3] for r in rows], columns=["code", "parent_code", "name_local"])
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=PLANE))


def row(result, **keys):
    frame = result.frame
    for name, value in keys.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


OLD = [
    ("0101", "01", "علی‌آباد", box(0, 0, 10, 10)),
    ("0102", "01", "هفتگل", box(10, 0, 20, 10)),
    ("0103", "01", "بینالود", box(20, 0, 30, 10)),
    ("0104", "01", "اصفهان", box(30, 0, 50, 10)),
    ("0105", "01", "کوچک", box(50, 0, 52, 10)),
    ("0106", "01", "بزرگ", box(52, 0, 70, 10)),
]
NEW = [
    ("a", "01", "شهرستان علي آباد", box(0, 0, 10, 10)),
    ("b", "01", "شهرستان هفتکل", box(10, 0, 20, 10)),
    ("c", "01", "شهرستان طرقبه شاندیز", box(20, 0, 30, 10)),
    ("d", "01", "شهرستان اصفهان", box(30, 0, 35, 10)),
    ("e", "01", "شهرستان کوهپایه", box(35, 0, 50, 10)),
    ("f", "01", "شهرستان بزرگ", box(50, 0, 70, 10)),
    ("g", "01", "شهرستان دور", box(200, 0, 210, 10)),
]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("شهرستان كرمان", "کرمان"),  # Arabic kaf
        ("علی‌آباد", "علي آباد"),  # half-space, Arabic yeh, alef with madda
        ("آستانهٔ اشرفیه", "آستانه اشرفیه"),  # ezafe
        ("منطقهٔ ۲۲", "منطقه 22"),
        ("Khoy County", "khoy"),
    ],
)
def test_ways_of_typing_one_name_have_one_key(one: str, two: str) -> None:
    assert name_key(one) == name_key(two) != ""


def test_how_names_agree() -> None:
    assert name_spelling("تالش", "طوالش") == ("edit", 0.9)  # one letter after ط = ت
    assert name_spelling("بوئین میاندشت", "بوئین و میاندشت") == ("sound", 0.95)
    assert name_spelling("علی آباد", "علی آباد کتول") == ("part", 0.6)
    assert name_spelling("بم", "قم") is None  # too short for any edit
    assert name_spelling("شیراز", "تبریز") is None
    assert name_spelling("", "شیراز") is None
    assert name_spelling(None, "شیراز") is None
    assert sound_key("طبس") == "تبس"
    # Levenshtein's textbook pair.
    assert edits("kitten", "sitting") == 3
    assert edits("", "abc") == 3


@settings(max_examples=60, derandomize=True, deadline=None)
@given(*[st.text(alphabet="ابتس", max_size=6)] * 3)
def test_edits_are_a_metric(a: str, b: str, c: str) -> None:
    assert edits(a, b) == edits(b, a)
    assert (edits(a, b) == 0) == (a == b)
    assert edits(a, c) <= edits(a, b) + edits(b, c)


def test_every_kind_of_row() -> None:
    result = match_regions(regions(OLD), regions(NEW), crs=PLANE)
    same = row(result, old_code="0101")
    assert (same["status"], same["method"], same["new_code"]) == ("matched", "name", "a")
    assert bool(same["comparable"])
    variant = row(result, old_code="0102")
    assert (variant["status"], variant["method"]) == ("matched", "variant")
    renamed = row(result, old_code="0103")
    assert (renamed["status"], renamed["method"], renamed["new_code"]) == (
        "renamed", "geometry", "c",
    )  # fmt: skip
    kept = row(result, old_code="0104", accounts_for="both")
    assert kept["new_code"] == "d"
    assert not bool(kept["comparable"])
    assert kept["share_old"] == pytest.approx(0.25)
    # Its name went to a quarter of it, and three quarters are another region now: told.
    assert bool(kept["conflict"])
    assert "کوهپایه" in kept["reason_fa"]
    split = row(result, new_code="e")
    assert (split["accounts_for"], split["status"], split["old_code"]) == ("new", "split", "0104")
    assert (split["share_old"], split["share_new"]) == pytest.approx((0.75, 1.0))
    merged = row(result, old_code="0105")
    assert (merged["accounts_for"], merged["status"], merged["new_code"]) == ("old", "merged", "f")
    lost = row(result, new_code="g")
    assert lost["status"] == "unmatched"
    assert pd.isna(lost["old_code"])
    assert "100% of its area lies in no region" in lost["reason_en"]
    assert result.counts == {
        "old": {"total": 6, "matched": 4, "merged": 1, "renamed": 1},
        "new": {"total": 7, "matched": 4, "renamed": 1, "split": 1, "unmatched": 1},
        "method": {"geometry": 1, "name": 3, "variant": 1},
        "comparable": 4,  # the enlarged region kept 18 of 20 km: a share of 0.9
        "conflicts": 1,
    }
    assert [p.code for p in result.problems] == ["match-conflict"]
    assert not result.frame[["reason_en", "reason_fa"]].isna().any().any()


@settings(max_examples=12, derandomize=True, deadline=None)
@given(st.permutations(range(len(OLD))), st.permutations(range(len(NEW))))
def test_the_order_of_rows_does_not_matter(first: list[int], second: list[int]) -> None:
    want = match_regions(regions(OLD), regions(NEW), crs=PLANE)
    got = match_regions(regions(OLD).iloc[first], regions(NEW).iloc[second], crs=PLANE)
    pd.testing.assert_frame_equal(got.frame, want.frame)
    pd.testing.assert_frame_equal(got.crosswalk, want.crosswalk)


def test_a_name_far_from_its_place_is_told() -> None:
    old = regions([("1", "01", "نو", box(0, 0, 10, 10)), ("2", "01", "کهنه", box(10, 0, 20, 10))])
    new = regions([("x", "01", "نو", box(10, 0, 20, 10)), ("y", "01", "کهنه", box(0, 0, 10, 10))])
    result = match_regions(old, new, crs=PLANE)
    assert result.frame["conflict"].tolist() == [True, True]
    assert result.frame["method"].tolist() == ["name", "name"]
    assert "share 0% of the old and 0% of the new area" in result.frame["reason_en"].iloc[0]
    assert [p.code for p in result.problems] == ["match-conflict"] * 2


def test_greatest_weight_not_first_come() -> None:
    # Both new regions bear the name; the assignment takes the one that lies there.
    old = regions([("1", "01", "ده", box(0, 0, 10, 10))])
    new = regions([("a", "01", "ده", box(0, 0, 4, 10)), ("b", "01", "ده", box(4, 0, 10, 10))])
    result = match_regions(old, new, crs=PLANE)
    assert row(result, accounts_for="both")["new_code"] == "b"
    assert row(result, accounts_for="new")["status"] == "split"
    assert [p.code for p in result.problems] == ["name-twice"]
    bare = match_regions(pd.DataFrame(old.drop(columns="geometry")),
                         pd.DataFrame(new.drop(columns="geometry")), crs=None)  # fmt: skip
    assert bare.counts["old"] == {"total": 1, "unmatched": 1}
    assert "more than one region of the other source (ده, ده)" in bare.frame["reason_en"].iloc[0]


def test_a_region_that_changed_parents_is_known_by_place() -> None:
    old = regions([("1", "21", "طبس", box(0, 0, 10, 10)), ("2", "21", "یزد", box(10, 0, 20, 10))])
    new = regions([("a", "29", "طبس", box(0, 0, 10, 10)), ("b", "21", "یزد", box(10, 0, 20, 10))])
    moved = row(match_regions(old, new, crs=PLANE), old_code="1")
    assert (moved["status"], moved["method"], moved["new_code"]) == ("matched", "geometry", "a")
    assert "parent 21 became 29" in moved["reason_en"]
    assert "۲۱" in moved["reason_fa"]


def test_sea_is_no_evidence_against_a_region() -> None:
    old = regions([("1", "22", "ابوموسی", box(0, 0, 1, 1))])
    new = regions([("a", "22", "ابوموسی", box(0, 0, 10, 10))])  # drawn with its waters
    found = row(match_regions(old, new, crs=PLANE), old_code="1")
    assert not found["conflict"]
    assert bool(found["comparable"])
    assert found["share_new"] == pytest.approx(0.01)
    assert found["covered_new"] == pytest.approx(0.01)
    assert "99% of it lies in no region" in found["reason_en"]


def test_codes_decide_where_the_register_is_one() -> None:
    old = pd.DataFrame({"code": ["1108", "1110"], "parent_code": ["11", "11"],
                        "name_local": ["سرباز", "زهک"]})  # fmt: skip
    new = pd.DataFrame({"code": ["1108", "1110", "1123"], "parent_code": ["11"] * 3,
                        "name_local": ["راسک", "زهک", "سرباز"]})  # fmt: skip
    coded = match_regions(old, new, crs=None, same_codes=True)
    first = row(coded, old_code="1108")
    # A code that was given to another region (SCI, 2016 and 2020) is told, not passed over.
    assert (first["status"], first["new_code"], bool(first["conflict"])) == (
        "renamed",
        "1108",
        True,
    )
    assert "belongs to region 1123" in first["reason_en"]
    named = match_regions(old, new, crs=None)
    assert row(named, old_code="1108")["new_code"] == "1123"


def test_crosswalk_keeps_totals_and_marks_estimates() -> None:
    result = match_regions(regions(OLD), regions(NEW), crs=PLANE)
    population = pd.Series({"0101": 10.0, "0102": 20.0, "0103": 30.0, "0104": 400.0,
                            "0105": 5.0, "0106": 60.0})  # fmt: skip
    handed = hand_on(population, result.crosswalk)
    assert handed["value"].to_dict() == pytest.approx(
        {"a": 10.0, "b": 20.0, "c": 30.0, "d": 100.0, "e": 300.0, "f": 65.0}
    )
    assert handed["basis"].tolist() == ["as published"] * 3 + ["estimated by area"] * 3
    assert handed["parts"].to_dict()["f"] == 2
    missing = hand_on(population.where(population != 400.0), result.crosswalk)
    assert missing["value"].isna().to_dict()["d"]
    assert np.isnan(hand_on(population.replace(5.0, np.nan), result.crosswalk).at["f", "value"])
    with pytest.raises(UnknownName, match="9999"):
        hand_on(pd.Series({"9999": 1.0}), result.crosswalk)


def test_slivers_go_back_to_their_region() -> None:
    old = regions([("1", "01", "یک", box(0, 0, 10, 10)), ("2", "01", "دو", box(10, 0, 20, 10))])
    new = regions([("a", "01", "یک", box(0, 0, 10.2, 10)), ("b", "01", "دو", box(10.2, 0, 20, 10))])
    walk = match_regions(old, new, crs=PLANE).crosswalk
    assert list(zip(walk["old_code"], walk["new_code"], walk["weight"], strict=True)) == [
        ("1", "a", 1.0), ("2", "b", 1.0),
    ]  # fmt: skip
    kept = match_regions(old, new, crs=PLANE, limits=MatchLimits(sliver=0.0)).crosswalk
    assert kept.set_index(["old_code", "new_code"]).at[("2", "a"), "share_old"] == pytest.approx(
        0.02
    )


def test_a_shape_with_two_readings_is_read_by_its_neighbours() -> None:
    # One part lies in the other: by crossings it is a hole, as shells it is inside.
    twice = MultiPolygon([box(0, 0, 10, 10), box(2, 2, 5, 5)])
    assert not twice.is_valid
    alone, told = mend_division(np.array([twice], dtype=object))
    assert alone[0].area == pytest.approx(100.0)
    assert (told.invalid, told.doubtful) == ((0,), (0,))
    beside, _ = mend_division(np.array([twice, box(2, 2, 5, 5)], dtype=object))
    assert beside[0].area == pytest.approx(91.0)


def test_bad_input_is_named_all_at_once() -> None:
    frame = regions(OLD)
    twice = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
    twice.loc[3, "code"] = "104"
    twice.loc[4, "code"] = None
    with pytest.raises(ProblemsFound) as raised:
        match_regions(twice, regions(NEW), crs=PLANE)
    found = {p.code: p for p in raised.value.problems}
    assert set(found) == {"code-twice", "code-zeros", "code-missing", "name-twice"}
    assert "'0104'" in found["code-zeros"].remedy
    assert "0101 is there 2 times" in found["code-twice"].what
    number = frame.assign(code=frame["code"].astype(int))
    with pytest.raises(ProblemsFound, match="read as numbers"):
        match_regions(number, regions(NEW), crs=PLANE)
    with pytest.raises(ProblemsFound, match="'1' lost its leading zeros"):
        match_regions(frame, regions(NEW).assign(parent_code="1"), crs=PLANE)
    with pytest.raises(ProblemsFound, match="no column parent_code"):
        match_regions(frame.drop(columns="parent_code"), regions(NEW), crs=PLANE)
    with pytest.raises(ProblemsFound, match="none of the name columns"):
        match_regions(frame, regions(NEW), crs=PLANE, names=("title",))


def test_missing_names_and_shapes_are_warnings() -> None:
    old = regions([("1", "01", "?????", box(0, 0, 10, 10)), ("2", "01", "دو", None)])
    new = regions([("a", "01", "یک", box(0, 0, 10, 10)), ("b", "01", "دو", box(10, 0, 20, 10))])
    result = match_regions(old, new, crs=PLANE)
    assert {p.code for p in result.problems} == {"name-missing", "shape-missing"}
    assert row(result, old_code="1")["method"] == "geometry"
    assert row(result, old_code="2")["method"] == "name"
    assert pd.isna(row(result, old_code="2")["comparable"])


def test_crs_must_keep_areas() -> None:
    with pytest.raises(CrsProblem, match="does not keep areas"):
        match_regions(regions(OLD), regions(NEW), crs="EPSG:3857")
    with pytest.raises(CrsProblem, match="no CRS"):
        match_regions(regions(OLD), regions(NEW).set_crs(None, allow_override=True), crs=PLANE)
    with pytest.raises(RangeError, match="no CRS to measure"):
        match_regions(regions(OLD), regions(NEW), crs=None)
    with pytest.raises(RangeError, match=r"0\.3"):
        MatchLimits(inside=0.3)


def census(pack: Path) -> gpd.GeoDataFrame:
    frame = gpd.read_file(pack / "admin" / "counties_census2016.gpkg")
    names = {"county_code": "code", "province_code": "parent_code", "county_name": "name_local"}
    return frame.rename(columns=names)


def test_counties_of_2016_and_2025_are_all_accounted_for(iran_pack: Path) -> None:
    new = gpd.read_file(iran_pack / "admin" / "counties_osm.gpkg")
    new = new.rename(columns={"name": "name_local"}).assign(
        code=new["osm_id"].astype(str), parent_code=new["query_iso"].str[-2:]
    )
    old = census(iran_pack)
    result = match_regions(old, new, crs=PLANE)
    assert result.counts["old"] == {"total": 429, "matched": 426, "renamed": 3}
    assert result.counts["new"] == {"total": 478, "matched": 426, "renamed": 3, "split": 49}
    assert result.counts["method"] == {"geometry": 3, "name": 421, "variant": 5}
    ours = result.frame[result.frame["accounts_for"] != "new"]["old_code"]
    theirs = result.frame[result.frame["accounts_for"] != "old"]["new_code"]
    assert sorted(ours) == sorted(old["code"])
    assert sorted(theirs) == sorted(new["code"])
    # Known renames: Binalud became Torqabeh and Shandiz, Doureh became Chegeni.
    renamed = result.frame[result.frame["status"] == "renamed"].set_index("old_code")["new_name"]
    assert renamed["0932"].endswith("طرقبه شاندیز")
    assert renamed["1510"].endswith("چگنی")
    handed = hand_on(old.set_index("code")["pop2016"].astype(float), result.crosswalk)
    # SCI, census 1395: 79 926 270 persons.
    assert handed["value"].sum() == pytest.approx(79_926_270)
    assert len(handed) == 478


def test_counties_of_2016_and_the_registers_of_1399_and_1402(iran_pack: Path) -> None:
    provinces = pd.read_csv(iran_pack / "gazetteer" / "ostan_1399.csv", dtype=str)
    counties = pd.read_csv(iran_pack / "gazetteer" / "shahrestan_1399.csv", dtype=str)
    code = provinces.set_index("id")["amar_code"].str.zfill(2)
    sci = pd.DataFrame({"code": counties["amar_code"].str.zfill(4),
                        "parent_code": counties["ostan"].map(code),
                        "name_local": counties["name"]})  # fmt: skip
    coded = match_regions(census(iran_pack), sci, crs=None, same_codes=True)
    assert coded.counts["old"] == {"total": 429, "matched": 427, "renamed": 2}
    assert coded.counts["new"] == {"total": 448, "matched": 427, "renamed": 2, "unmatched": 19}
    with pytest.raises(ProblemsFound, match="lost its leading zeros"):
        match_regions(census(iran_pack), sci.assign(code=counties["amar_code"]), crs=None)
    later = pd.read_csv(iran_pack / "gazetteer" / "sajaddp_counties_1402.csv", dtype=str)
    theirs = pd.read_csv(iran_pack / "gazetteer" / "sajaddp_provinces_1402.csv", dtype=str)
    parents = match_regions(
        pd.DataFrame({"code": code.to_numpy(), "parent_code": None,
                      "name_local": provinces["name"]}),
        pd.DataFrame({"code": theirs["id"], "parent_code": None, "name_local": theirs["name"]}),
        crs=None,
    )  # fmt: skip
    assert parents.counts["new"] == {"total": 31, "matched": 31}
    lifted = later["province_id"].map(parents.frame.set_index("new_code")["old_code"])
    moi = pd.DataFrame({"code": later["id"], "parent_code": lifted, "name_local": later["name"]})
    named = match_regions(census(iran_pack), moi, crs=None)
    assert named.counts["old"] == {"total": 429, "matched": 426, "unmatched": 3}
    assert named.counts["new"] == {"total": 482, "matched": 426, "unmatched": 56}
    # Maneh and Samalqan became two counties: the name alone cannot say which goes on.
    assert "مانه, سملقان" in row(named, old_code="2806")["reason_en"]


def delivered(folder: Path) -> tuple[Path, Path]:
    """The hand-made divisions as files: an old GeoPackage and a newer one of other columns."""
    one, two = folder / "old.gpkg", folder / "new.gpkg"
    regions(OLD).to_file(one, layer="old")
    later = regions(NEW).rename(columns={"code": "osm_id", "name_local": "name"})
    later["iso"] = "IR-" + later["parent_code"]
    later.drop(columns="parent_code").to_file(two, layer="new")
    return one, two


def test_files_become_the_document_and_the_workbook(tmp_path: Path) -> None:
    one, two = delivered(tmp_path)
    old = regions_of_file(one, FileColumns())
    new = regions_of_file(two, FileColumns("osm_id", "iso", "name", parent_last=2))
    result = match_sources(old, new, crs=PLANE)
    assert result.counts == match_regions(regions(OLD), regions(NEW), crs=PLANE).counts
    document = json.loads(json.dumps(match_document(result), allow_nan=False))
    assert len(document["regions"]) == len(result.frame)
    assert document["counts"]["new"]["split"] == 1
    assert {r["share_old"] for r in document["regions"]} > {None, 0.75}
    made, sources = datetime(2024, 3, 20), (Source("old.gpkg"), Source("new.gpkg", "2025"))
    for language in (Language("en"), Language("fa", "jalali")):
        path = tmp_path / f"{language.code}.xlsx"
        write_match(result, path, made=made, sources=sources, language=language)
        book = CalamineWorkbook.from_path(str(path))
        rows = book.get_sheet_by_index(1).to_python()
        assert len(rows) == 1 + len(result.frame)
        assert len(book.get_sheet_by_index(2).to_python()) == 1 + len(result.crosswalk)
        assert rows[1][:4] == ["0101", "علی‌آباد", "a", "شهرستان علي آباد"]
    assert ("تغییر نام", "مساحت") in [(r[5], r[6]) for r in rows]
    with pytest.raises(InputError, match="no format of a join"):
        write_match(result, tmp_path / "a.pdf", made=made, sources=sources, language=language)


def test_tables_keep_their_zeros_and_parents_of_another_register(tmp_path: Path) -> None:
    table = tmp_path / "register.csv"
    table.write_text("id,name,ostan\n101,علی آباد,7\n104,اصفهان,7\n", encoding="utf-8")
    columns = FileColumns("id", "ostan", "name", code_digits=4)
    new = regions_of_file(table, columns)
    assert new["code"].tolist() == ["0101", "0104"]
    parents = (pd.DataFrame({"code": ["01"], "name_local": ["مرکزی"]}),
               pd.DataFrame({"code": ["7"], "name_local": ["استان مركزي"]}))  # fmt: skip
    result = match_sources(regions(OLD), new, crs=None, parents=parents, same_codes=True)
    assert result.counts["new"] == {"total": 2, "matched": 2}
    other = (parents[0], parents[1].assign(name_local="گیلان"))
    with pytest.raises(UnknownName, match="new parents 7"):
        match_sources(regions(OLD), new, crs=None, parents=other)
    whole = tmp_path / "ids.gpkg"
    regions(NEW[:2]).assign(code=[7, 12]).to_file(whole)
    numbered = regions_of_file(whole, FileColumns())
    with pytest.raises(ProblemsFound, match="read as numbers"):
        match_sources(regions(OLD), numbered, crs=PLANE)
    assert regions_of_file(whole, FileColumns(code_digits=0))["code"].tolist() == ["7", "12"]
    assert regions_of_file(whole, FileColumns(code_digits=4))["code"].tolist() == ["0007", "0012"]
    with pytest.raises(UnknownName, match="no column 'nom'"):
        regions_of_file(table, FileColumns("id", "ostan", "nom"))
    with pytest.raises(FileMissing):
        regions_of_file(tmp_path / "none.csv", columns)


def command(settings: Settings, *words: str) -> str:
    app = typer.Typer()

    @app.callback()
    def root(ctx: typer.Context) -> None:
        ctx.obj = AppContext(settings, Catalogue.standard(), "iran")

    app.command()(match)
    done = CliRunner().invoke(app, ["match", *words], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.stdout


def test_the_command_joins_files(tmp_path: Path) -> None:
    one, two = delivered(tmp_path)
    files = ["--old", str(one), "--new", str(two), "--new-columns", "osm_id,iso,name",
             "--parent-last", "2"]  # fmt: skip
    away = Settings(home=tmp_path)  # no database is asked for files
    said = command(away, *files, "--out", str(tmp_path / "join.xlsx"), "--language", "fa")
    assert "old: 6 regions: 4 matched, 1 merged, 1 renamed" in said
    assert "new: 7 regions: 4 matched, 1 renamed, 1 split, 1 unmatched" in said
    assert CalamineWorkbook.from_path(str(tmp_path / "join.xlsx")).sheet_names[0] == "درباره"
    assert json.loads(command(away, *files, "--json"))["counts"]["conflicts"] == 1
    with pytest.raises(InputError, match="does not name the columns"):
        command(away, *files[:4], "--new-columns", "osm_id")


def test_the_command_joins_loaded_layers(
    iran_pack: Path, database: Engine, settings: Settings
) -> None:
    catalogue = Catalogue.standard()
    pack = catalogue.pack("iran")
    few = [e for e in pack.entries if e.layer in ("provinces", "counties", "counties_2025")]
    load_pack(database, settings, catalogue, pack.model_copy(update={"entries": tuple(few)}),
              iran_pack, loaded_by="test")  # fmt: skip
    counts = json.loads(command(settings, "--json"))["counts"]
    assert counts["old"]["total"] == sum(v for k, v in counts["old"].items() if k != "total") == 429
    assert counts["new"]["total"] == sum(v for k, v in counts["new"].items() if k != "total") == 478
    assert counts["old"]["matched"] == 426
