"""Facts, plans, values and files behind the measures of regions."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from geoplan.catalogue import Catalogue
from geoplan.catalogue.text import Text
from geoplan.errors import FileMissing, InputError, Problem, RangeError, UnknownName
from geoplan.report.region_files import columns_in, reader, sheet_csv, source_note, write_whole
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.store import tables
from geoplan.store.region_study import VALUE_COLUMNS, put_region_study
from geoplan.store.serve.region_studies import (
    region_studies,
    region_study,
    region_values,
    study_document,
)
from geoplan.store.session import transaction
from geoplan.studies.region_fact import FactColumn, fact_column, facts_in_persons
from geoplan.studies.region_inequality import MEASURES, _frame, _measures, _parts
from geoplan.studies.region_plan import plan_jobs
from geoplan.studies.region_run import jsonable, tidy

CATALOGUE = Catalogue.standard()


def regions() -> gpd.GeoDataFrame:
    """Return two provinces, "01" with counties "0101" and "0102", "02" with "0201"."""
    rows = [
        ("01", None, 1, 300.0), ("02", None, 1, 100.0),
        ("0101", "01", 2, 100.0), ("0102", "01", 2, 200.0), ("0201", "02", 2, 100.0),
    ]  # fmt: skip
    shapes = [shapely.box(n, 30, n + 1, 31) for n in range(5)]
    frame = pd.DataFrame(rows, columns=["code", "parent_code", "level", "population"])
    frame["name_en"], frame["name_local"] = "n" + frame["code"], "م" + frame["code"]
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def facts(*rows: tuple[int, str, str, float | None], unit: str = "persons") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["level", "region_code", "variable", "value"])
    return frame.assign(layer_id="f", unit=unit, as_of="2020", source="test")


def column(frame: pd.DataFrame, name: str, level: int, **more: Any) -> FactColumn | Problem:
    return fact_column(frame, regions(), name, level, where="--fact", crs="EPSG:6933", **more)


# ------------------------------------------------------------------------------ facts


def test_a_sum_over_parts_is_whole_or_unknown() -> None:
    known = facts((2, "0101", "jobs", 10), (2, "0102", "jobs", 5), (2, "0201", "jobs", None))
    found = column(known, "jobs", 1, sum_up=True)
    assert isinstance(found, FactColumn) and found.how == "summed"
    assert found.value["01"] == 15 and math.isnan(found.value["02"])
    refused = column(known, "jobs", 1)
    assert isinstance(refused, Problem) and refused.code == "fact-level"
    assert "--level 2, or --sum-up" in refused.remedy


def test_an_amount_is_never_handed_down() -> None:
    found = column(facts((1, "01", "jobs", 10)), "jobs", 2, sum_up=True)
    assert isinstance(found, Problem) and found.code == "fact-level"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([(1, "01", "jobs", 1), (1, "01", "jobs", 2)], "fact-twice"),
        ([(1, "01", "jobs", -1)], "fact-negative"),
        ([(1, "01", "jobs", math.inf)], "fact-negative"),
        ([(1, "01", "jbos", 1)], "fact"),
    ],
)
def test_figures_that_cannot_be_used_are_named(rows: list[Any], code: str) -> None:
    found = column(facts(*rows), "jobs", 1)
    assert isinstance(found, Problem) and found.code == code and found.remedy


def test_people_and_areas_come_from_the_regions() -> None:
    people = column(facts((1, "01", "x", 1)), "population", 2)
    assert isinstance(people, FactColumn) and people.value.tolist() == [100, 200, 100]
    area = column(facts((1, "01", "x", 1)), "area_km2", 1)
    assert isinstance(area, FactColumn) and area.how == "measured"
    # a degree between the parallels 30° and 31° of WGS 84 (Snyder 1987, eq. 3-12)
    a, e = 6378.137, 0.0818191908426

    def q(latitude: float) -> float:
        s = math.sin(math.radians(latitude))
        return (1 - e**2) * (s / (1 - (e * s) ** 2) + math.atanh(e * s) / e)

    zone = math.radians(1) * a**2 * (q(31) - q(30)) / 2
    assert area.value["01"] == pytest.approx(zone, rel=1e-6)


def test_jobs_are_added_to_persons_only() -> None:
    both = pd.concat([facts((2, "0101", "jobs", 1)), facts((2, "0101", "mills", 1), unit="count")])
    assert facts_in_persons(both, 2) == ["jobs"]


# ------------------------------------------------------------------------------ inequality


def test_a_case_worked_by_hand() -> None:
    # y = 0.1, 0.2 and 0.4 per person, p = 1/4, 1/2, 1/4: the mean is 0.225
    columns = {
        "fact": column(facts((2, "0101", "jobs", 10), (2, "0102", "jobs", 40),
                             (2, "0201", "jobs", 40)), "jobs", 2),
        "per": column(facts((2, "0101", "x", 1)), "population", 2),
    }  # fmt: skip
    frame = _frame(regions(), 2, columns, None)  # type: ignore[arg-type]
    found = _measures(frame, ("",))["before"]
    assert found["mean"] == pytest.approx(0.225)
    # Σ p_r y_r (2 P_r − p_r − 1) / ȳ = (0.025·(−0.75) + 0.1·0 + 0.1·0.75) / 0.225
    assert found["gini"] == pytest.approx((0.025 * -0.75 + 0.1 * 0.75) / 0.225)
    # shares 1/9, 4/9, 4/9 of the amount against 1/4, 1/2, 1/4 of the people
    assert found["hoover"] == pytest.approx(4 / 9 - 1 / 4)
    assert found["hhi"] == pytest.approx((1 + 16 + 16) / 81)
    theil = 1 / 9 * math.log(4 / 9) + 4 / 9 * math.log(8 / 9) + 4 / 9 * math.log(16 / 9)
    assert found["theil_t"] == pytest.approx(theil)
    parts, groups = _parts(frame, ("",), 2)
    row = parts.set_index("measure").loc["theil_t"]
    between = 5 / 9 * math.log((5 / 9) / (3 / 4)) + 4 / 9 * math.log((4 / 9) / (1 / 4))
    assert row["between"] == pytest.approx(between)
    assert row["within"] == pytest.approx(theil - between)
    assert groups.loc["02", "theil_t"] == 0 and set(MEASURES) == set(found.index)


@given(
    st.lists(st.floats(0.01, 1e6), min_size=3, max_size=3),
    st.lists(st.floats(1.0, 1e6), min_size=3, max_size=3),
)
@settings(max_examples=20, deadline=None, derandomize=True)
def test_the_parts_always_add_up(amounts: list[float], people: list[float]) -> None:
    codes = ["0101", "0102", "0201"]
    made = facts(*[(2, c, "a", v) for c, v in zip(codes, amounts, strict=True)],
                 *[(2, c, "p", v) for c, v in zip(codes, people, strict=True)])  # fmt: skip
    columns = {"fact": column(made, "a", 2), "per": column(made, "p", 2)}
    frame = _frame(regions(), 2, columns, None)  # type: ignore[arg-type]
    found = _measures(frame, ("",))["before"]
    parts, groups = _parts(frame, ("",), 2)
    for row in parts.to_dict("records"):
        assert row["between"] + row["within"] == pytest.approx(row["total"], abs=1e-9)
        assert groups[row["measure"]].sum() == pytest.approx(row["within"], abs=1e-12)
    assert found["hoover"] <= found["gini"] + 1e-12


# ------------------------------------------------------------------------------ plans


def made_run(folder: Path, portfolio: str | None, **record: Any) -> Path:
    folder.mkdir()
    whole = {"run_id": "r", "hash": "h", "scenario": {}, "profile": {"id": "sample"}} | record
    (folder / "run.json").write_text(json.dumps(whole))
    if portfolio is not None:
        (folder / "portfolio.csv").write_text(portfolio, encoding="utf-8")
    return folder


def test_jobs_of_a_plan_by_region_keep_leading_zeros(tmp_path: Path) -> None:
    lines = "site_id,region1_code,region2_code,jobs\nA,01,0102,5\nB,01,,7\nC,01,0102,\n"
    plan = plan_jobs(made_run(tmp_path / "r", lines), profile_id="sample")
    assert plan.by_region(2).to_dict() == {"0102": 5.0}
    assert plan.by_region(1).to_dict() == {"01": 12.0} and plan.sites == 3
    assert len(plan.notices(2)) == 2 and all(n.fa for n in plan.notices(2))
    assert plan.problems(regions(), 2) == []
    assert [p.code for p in plan.problems(regions(), 3)] == ["run-level"]


def test_damaged_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match=r"no portfolio\.csv"):
        plan_jobs(made_run(tmp_path / "a", None), profile_id="sample")
    with pytest.raises(InputError, match="cannot be read"):
        plan_jobs(made_run(tmp_path / "b", "site_id,jobs\nA,many\n"), profile_id="sample")
    with pytest.raises(InputError, match="of profile 'iran'"):
        plan_jobs(made_run(tmp_path / "c", "", profile={"id": "iran"}), profile_id="sample")


# ------------------------------------------------------------------------------ values and files


def test_values_say_why_they_are_missing() -> None:
    frame = pd.DataFrame({"code": ["01", "02"], "a": [1.0, np.nan], "b": [np.nan, 2.0]})
    found = tidy(frame, {"x": ("a", "ha"), "y": ("b", "")}, level=1,
                 status=pd.Series(["known", "excluded"]))  # fmt: skip
    assert list(found.columns) == list(VALUE_COLUMNS)
    assert found["status"].tolist() == ["known", "excluded", "unknown", "excluded"]
    assert not found["assumed"].any()


def test_json_has_no_nan_and_says_infinite() -> None:
    found = jsonable(
        {"a": np.float64("nan"), "b": [math.inf, pd.NA, np.int64(3)], "c": {"d": True}}
    )
    assert found == {"a": None, "b": ["infinite", None, 3], "c": {"d": True}}
    json.dumps(found, allow_nan=False)


def sheet() -> Sheet:
    columns = [SheetColumn(f, Text(en=f)) for f in ("code", "name_en", "said_en", "said_fa")]
    rows = [["01", "=cmd()", "yes", "بله"], ["02", None, "-1", np.nan]]
    frame = pd.DataFrame(rows, columns=[c.field for c in columns])
    return Sheet("s", Text(en="s"), tuple(columns), frame)


def test_a_sheet_has_one_language_and_a_csv_both() -> None:
    iran = CATALOGUE.profile("iran")
    assert columns_in(sheet(), reader(iran, "fa")) == ["code", "name_en", "said_fa"]
    assert columns_in(sheet(), reader(iran, "en")) == ["code", "name_en", "said_en"]
    rows = list(csv.reader(io.StringIO(sheet_csv(sheet()))))
    assert rows == [["code", "name_en", "said_en", "said_fa"], ["01", "'=cmd()", "yes", "بله"],
                    ["02", "", "'-1", ""]]  # fmt: skip


def test_the_source_of_the_shapes_stands_first() -> None:
    layers = {"a": {"source": "x" * 100}, "b": {"source": "shapes"}, "c": {}}
    found = source_note(layers, first="b", synthetic=True)
    assert found.en.startswith("Synthetic country. Data: shapes") and len(found.en) < 150


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "new \ud800")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


# ------------------------------------------------------------------------------ the database


def stored(engine: Engine, study_id: str, values: pd.DataFrame, **more: Any) -> None:
    given: dict[str, Any] = {
        "kind": "index", "spec_id": "s", "spec_sha256": "0" * 64, "profile_id": "sample",
        "title": ("Index", "شاخص"), "level": 1, "layers": {"p": {"sha256": "1"}},
        "software": {"geoplan": "0"}, "synthetic": True, "document": {"a": math.nan},
    } | more  # fmt: skip
    with transaction(engine) as session:
        put_region_study(session, study_id=study_id, values=values, **given)


def test_a_study_is_stored_whole_and_read_again(database: Engine) -> None:
    frame = pd.DataFrame({"code": ["01", "02"], "a": [1.5, np.nan]})
    values = tidy(frame, {"x": ("a", "ha")}, level=1, assumed=pd.Series([True, False]))
    stored(database, "one", values)
    with transaction(database) as session:
        row = region_study(session, "one")
        assert (row.values, row.assumed, row.synthetic) == (2, True, True)
        assert study_document(session, "one") == {"a": None}
        again = region_values(session, "one", level=1, variable="x")
        pd.testing.assert_frame_equal(again, values, check_dtype=False)
        assert [r.id for r in region_studies(session, "sample")] == ["one"]
        assert region_studies(session, "iran") == []
        with pytest.raises(UnknownName) as near:
            region_study(session, "on")
        assert near.value.remedy == "did you mean 'one'?"
        with pytest.raises(UnknownName) as lost:
            region_values(session, "one", variable="y")
        assert "x (level 1)" in lost.value.remedy
    with pytest.raises(InputError, match="never changed"):
        stored(database, "one", values)


def test_a_study_with_a_bad_value_leaves_nothing(database: Engine) -> None:
    values = tidy(pd.DataFrame({"code": ["01"], "a": [math.inf]}), {"x": ("a", "")}, level=1)
    with pytest.raises(RangeError):
        stored(database, "bad", values)
    with transaction(database) as session:
        assert session.scalars(select(tables.RegionStudy.id)).all() == []


# ------------------------------------------------------------------------------ Iran


def test_workshops_per_person_between_the_real_provinces(iran_pack: Path) -> None:
    table = pd.read_csv(iran_pack / "provinces_facts.csv", dtype={"code": str})
    pair = table[["code", "workshops10_1394", "pop_2016"]].dropna()
    made = facts(
        *[(1, r.code, "w", float(r.workshops10_1394)) for r in pair.itertuples()],
        *[(1, r.code, "p", float(r.pop_2016)) for r in pair.itertuples()],
    )  # fmt: skip
    own = gpd.GeoDataFrame(
        {"code": pair["code"], "parent_code": None, "level": 1, "population": np.nan,
         "name_en": pair["code"], "name_local": pair["code"]},
        geometry=[shapely.box(0, 0, 1, 1)] * len(pair), crs="EPSG:4326",
    )  # fmt: skip
    columns = {
        key: fact_column(made, own, name, 1, where="--fact", crs="EPSG:6933")
        for key, name in (("fact", "w"), ("per", "p"))
    }
    found = _measures(_frame(own, 1, columns, None), ("",))["before"]  # type: ignore[arg-type]
    assert len(pair) == 31
    # the same by its definition, over all pairs of provinces
    y = (pair["workshops10_1394"] / pair["pop_2016"]).to_numpy()
    p = (pair["pop_2016"] / pair["pop_2016"].sum()).to_numpy()
    by_pairs = (np.outer(p, p) * np.abs(y[:, None] - y[None, :])).sum() / (2 * (p * y).sum())
    assert found["gini"] == pytest.approx(by_pairs)
    assert found["gini"] == pytest.approx(0.3154, abs=5e-4)
