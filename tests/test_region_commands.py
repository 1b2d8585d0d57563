"""``geoplan regions`` as a person at a terminal uses it, on a real PostGIS."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook
from sample_regions import CATALOGUE, Country, sample_country
from sqlalchemy import text

from geoplan.errors import FileMissing, GeoPlanError, InputError, ProblemsFound, UnknownName
from geoplan.ingest.actuals import read_actuals
from geoplan.regions.inequality import between_within, gini, theil_l, theil_t
from geoplan.store import read
from geoplan.store.session import transaction
from geoplan.studies.index import all_regions

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def country(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    with sample_country(template_url, tmp_path_factory.mktemp("regions")) as made:
        yield made


@pytest.fixture(scope="module")
def people(country: Country) -> pd.DataFrame:
    """Counties with their parent, people and industrial jobs, straight from the database."""
    with transaction(country.engine) as session:
        facts = read.region_facts(session, 2)
        regions = all_regions(session, CATALOGUE.profile("sample"))
    jobs = facts[facts["variable"] == "employed_industry"].set_index("region_code")["value"]
    own = regions[regions["level"] == 2].set_index("code").sort_index()
    return pd.DataFrame(
        {"jobs": jobs.reindex(own.index), "people": own["population"].astype(float),
         "parent": own["parent_code"]}
    )  # fmt: skip


def run_folder(folder: Path, sites: list[tuple[str, str, float]], profile: str = "sample") -> Path:
    """Write what the commands read of a run: its record and its portfolio."""
    folder.mkdir()
    record = {"run_id": "made-run", "hash": "0" * 64, "scenario": {}, "profile": {"id": profile}}
    (folder / "run.json").write_text(json.dumps(record))
    rows = ["site_id,region1_code,region2_code,region3_code,jobs"]
    rows += [f"S{n},{one},{two},,{jobs}" for n, (one, two, jobs) in enumerate(sites, 1)]
    (folder / "portfolio.csv").write_text("\n".join(rows) + "\n")
    return folder


MEASURES = [
    ("index", ()),
    ("index", ("--composite", "sample_industrialisation")),
    ("inequality", ("--fact", "employed_industry", "--level", "2")),
    ("specialisation", ()),
    ("pattern", ()),
    ("slices", ("sample_land_2026",)),
]


@pytest.mark.parametrize(
    ("command", "words", "language"),
    [
        (command, words, language)
        for n, (command, words) in enumerate(MEASURES)
        for language in (("en", "fa") if n == 1 else ("fa",) if n % 2 else ("en",))
    ],
)
def test_every_measure_writes_files_that_open_again(
    country: Country, tmp_path: Path, command: str, words: tuple[str, ...], language: str
) -> None:
    names = {kind: tmp_path / f"out.{kind}" for kind in ("xlsx", "csv", "svg", "html")}
    printed = country.invoke(
        command, *words, "--language", language, "--xlsx", str(names["xlsx"]), "--csv",
        str(names["csv"]), "--svg", str(names["svg"]), "--map", str(names["html"]),
    )  # fmt: skip
    assert printed.count("written: ") == 4
    assert sorted(tmp_path.iterdir()) == sorted(names.values())  # nothing half-written is left
    with names["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows and all(re.fullmatch(r"\d+", r["code"]) for r in rows)
    book = CalamineWorkbook.from_path(str(names["xlsx"]))
    sizes = {n: len(book.get_sheet_by_name(n).to_python()) for n in book.sheet_names}
    assert len(rows) + 1 in sizes.values()  # the regions, below one line of headers
    picture = ET.parse(names["svg"]).getroot()
    assert picture.tag == f"{SVG}svg" and picture.get("lang") == language
    assert sum(1 for _ in picture.iter(f"{SVG}path")) > 5
    page = names["html"].read_text(encoding="utf-8")
    # Leaflet's own text names its home page; nothing is loaded from anywhere.
    loaded = re.findall(r"""<(?:script|link|img|iframe)[^>]*(?:src|href)=["']([^"']+)""", page)
    assert [x for x in loaded if not x.startswith("data:")] == []
    assert f'lang="{language}"' in page and "default-src 'none'" in page
    if language == "fa":
        assert re.search("[۰-۹]", printed) and re.search("[۰-۹]", page)


def test_ranks_come_with_the_intervals_of_the_draws(country: Country) -> None:
    found = country.json("index", "--composite", "sample_industrialisation")
    assert found["regions"]
    for row in found["regions"]:
        assert row["rank_low"] <= row["rank_median"] <= row["rank_high"]
        assert row["sentence"]["fa"] and row["sentence"]["en"].startswith("Rank ")
    study = found["study"]
    assert study["spec_id"] == "sample_industrialisation" and study["synthetic"] is True
    assert all(re.fullmatch("[0-9a-f]{64}", v["sha256"]) for v in study["layers"].values())
    assert {"counties", "county_facts", "estates"} <= set(study["layers"])


def test_the_index_of_the_profile_keeps_its_document(country: Country) -> None:
    found = country.json("index")
    assert {"formula", "regions", "indicators"} <= set(found)
    code = found["regions"][0]["code"]
    one = country.json("index", "--detail", code)
    assert [r["code"] for r in one["regions"]] == [code]
    assert {r["code"] for r in one["indicators"]} == {code}
    coarse = country.json("index", "--level", "1")
    assert {len(r["code"]) for r in coarse["regions"]} < {len(code), 1, 2, 3}


def test_inequality_is_that_of_the_facts(country: Country, people: pd.DataFrame) -> None:
    found = country.json("inequality", "--fact", "employed_industry", "--level", "2")
    y = (people["jobs"] / people["people"]).to_numpy()
    w = people["people"].to_numpy()
    got = {k: v["before"] for k, v in found["measures"].items()}
    assert got["gini"] == pytest.approx(gini(y, weights=w))
    assert got["theil_t"] == pytest.approx(theil_t(y, weights=w))
    assert got["theil_l"] == pytest.approx(theil_l(y, weights=w))
    assert got["mean"] == pytest.approx(people["jobs"].sum() / people["people"].sum())
    parts = {row["measure"]: row for row in found["between_within"]}
    for measure in ("theil_t", "theil_l"):
        split = between_within(y, people["parent"].to_numpy(), measure=measure, weights=w)
        assert parts[measure]["between"] == pytest.approx(split.between)
        assert parts[measure]["within"] == pytest.approx(split.within)
        assert parts[measure]["between"] + parts[measure]["within"] == pytest.approx(got[measure])
    added = sum(row["theil_t"] for row in found["within_provinces"])
    assert added == pytest.approx(parts["theil_t"]["within"])
    # provinces have this fact themselves, so nothing is summed; the two sources agree
    coarse = country.json("inequality", "--fact", "employed_industry", "--sum-up")
    assert coarse["question"]["columns"]["fact"]["how"] == "read"
    assert coarse["measures"]["theil_t"]["before"] == pytest.approx(
        parts["theil_t"]["between"], rel=0.02
    )


def test_a_plan_adds_its_jobs_where_its_sites_lie(
    country: Country, people: pd.DataFrame, tmp_path: Path
) -> None:
    poor = (people["jobs"] / people["people"]).idxmin()
    parent = people.loc[poor, "parent"]
    folder = run_folder(tmp_path / "run", [(parent, poor, 150.0), (parent, poor, 50.5)])
    found = country.json("inequality", "--run", str(folder), "--level", "2")
    assert found["question"]["plan"] == {
        "run_id": "made-run", "hash": "0" * 64, "sites": 2, "jobs": 200.5,
    }  # fmt: skip
    # no fact was named: the profile's index says which one counts persons
    assert found["question"]["columns"]["fact"]["variable"] == "employed_industry"
    row = next(r for r in found["regions"] if r["code"] == poor)
    assert row["amount_after"] - row["amount"] == pytest.approx(200.5)
    others = [r for r in found["regions"] if r["code"] != poor]
    assert all(r["change"] == 0 for r in others)
    after = people["jobs"].copy()
    after[poor] += 200.5
    y, w = after / people["people"], people["people"]
    assert found["measures"]["gini"]["after"] == pytest.approx(gini(y, weights=w))
    stored = country.json("inequality", "--run", str(folder), "--level", "2", "--save")
    with country.engine.connect() as connection:
        assumed = connection.execute(
            text("select distinct code from region_value where study_id = :id and assumed"),
            {"id": stored["study"]["id"]},
        ).scalars()
        assert list(assumed) == [poor]  # what a plan brings is assumed, and nothing else is
    said = " ".join(t["en"] for t in found["study"]["assumptions"])
    assert "employed_industry" in said and "200" in said and "made-run" in said
    assert all(t["fa"] for t in found["study"]["assumptions"])


def test_two_dates_are_compared_over_the_same_regions(country: Country) -> None:
    found = country.json(
        "inequality", "--fact", "employed_industry", "--fact2", "employed_industry", "--per2",
        "population", "--level", "2",
    )  # fmt: skip
    assert all(row["change"] == 0 for row in found["measures"].values())


def test_everything_wrong_with_a_question_is_told_at_once(country: Country, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [("01", "9999", 10.0)])
    with pytest.raises(ProblemsFound) as error:
        country.invoke("inequality", "--fact", "workshops10", "--per", "popluation", "--run",
                       str(folder), "--level", "2")  # fmt: skip
    found = {p.code: p for p in error.value.problems}
    assert set(found) == {"unit", "fact", "run-region"}
    assert "did you mean 'population'" in found["fact"].remedy
    assert "employed_industry" in found["unit"].remedy
    with pytest.raises(ProblemsFound) as both:
        country.invoke("inequality", "--run", str(folder), "--fact2", "workshops10")
    assert "two-questions" in [p.code for p in both.value.problems]
    with pytest.raises(ProblemsFound, match="no fact is named"):
        country.invoke("inequality")


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (("index", "--composite", "sample_industrialization"), UnknownName, "did you mean"),
        (("pattern", "--pattern", "iran"), InputError, "--profile iran"),
        (("slices", "sample_land_2025"), UnknownName, "sample_land_2026"),
        (("slices", "sample_land_2026", "--level", "3"), InputError, "levels: 1, 2"),
        (("index", "--level", "3"), InputError, "levels: 1, 2"),
        (("index", "--language", "de"), InputError, "en or fa"),
        (("index", "--xlsx", "out.csv"), InputError, ".xlsx"),
        (("index", "--svg", "nowhere/out.svg"), FileMissing, "make it first"),
        (("index", "--variable", "indx"), UnknownName, "industrialisation"),
        (("index", "--detail", "nothing"), UnknownName, "leading zeros"),
        (("studies", "index-none"), UnknownName, "regions studies"),
    ],
)
def test_bad_words_are_refused_with_a_remedy(
    country: Country, words: tuple[str, ...], kind: type[GeoPlanError], said: str
) -> None:
    with pytest.raises(kind) as error:
        country.invoke(*words)
    assert said in f"{error.value}" and error.value.exit_code == 2


def test_a_run_of_another_country_is_refused(country: Country, tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run", [], profile="iran")
    with pytest.raises(InputError, match="of profile 'iran', not 'sample'"):
        country.invoke("inequality", "--run", str(folder))


def test_slices_add_up_and_fill_the_year(country: Country) -> None:
    found = country.json("slices", "sample_land_2026")
    assert found["sums"]["1"] == 1200
    quarters = pd.DataFrame(found["quarters"])
    first = quarters[quarters["level"] == 1]
    assert first["target"].sum() == 1200
    by_quarter = first.groupby("quarter")["target"].sum().tolist()
    assert by_quarter == [240, 300, 300, 360]  # 20, 25, 25 and 30 per cent of 1,200
    slices = {r["code"]: r["slice"] for r in found["slices"] if r["level"] == 1}
    assert first.groupby("code")["target"].sum().to_dict() == slices


def test_target_against_actual(country: Country, tmp_path: Path) -> None:
    slices = {
        r["code"]: r["slice"]
        for r in country.json("slices", "sample_land_2026")["slices"]
        if r["level"] == 1
    }
    first, second, *_ = sorted(slices)
    quarter = {
        (r["code"], r["quarter"]): r["target"]
        for r in country.json("slices", "sample_land_2026")["quarters"]
        if r["level"] == 1
    }
    path = tmp_path / "actuals.csv"
    path.write_text(
        "code,quarter,actual,reported,reason\n"
        f"{first},1,{quarter[first, 1] / 2},2026-04,\n"
        f"{first},1,{quarter[first, 1]},2026-05,survey corrected\n"
        f"{first},2,{quarter[first, 2]},2026-07,\n"
        f"{second},1,{quarter[second, 1] / 2},2026-04,\n",
        "utf-8",
    )
    found = country.json("slices", "sample_land_2026", "--actuals", str(path), "--until", "2")
    rows = {(r["code"], r["quarter"]): r for r in found["actuals"] if r["level"] == 1}
    assert rows[first, 1]["status"] == "green"
    assert rows[first, 1]["earlier"] == [quarter[first, 1] / 2]
    assert rows[first, 2]["cumulative_ratio"] == pytest.approx(1)
    assert rows[first, 2]["rank"] == 1
    assert rows[second, 1]["status"] == "red"
    assert rows[second, 2]["status"] == "not reported"  # never 0
    assert rows[second, 2]["actual"] is None
    assert rows[second, 3]["status"] == "not due"


def test_actuals_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "actuals.csv"
    with pytest.raises(FileMissing):
        read_actuals(path, level=1)
    path.write_text("code,quarter\n01,1\n", "utf-8")
    with pytest.raises(InputError, match="lacks actual"):
        read_actuals(path, level=1)
    path.write_text("code,quarter,actual\n01,۱,«۵»\n02,1,x\n03,2,۱٬۲۰۰٫۵\n", "utf-8")
    with pytest.raises(ProblemsFound) as error:
        read_actuals(path, level=1)
    assert [p.where for p in error.value.problems] == ["actuals.csv, row 2", "actuals.csv, row 3"]
    path.write_text("code,quarter,actual\n01,۱,۱٬۲۰۰٫۵\n02,1,\n", "utf-8")
    read = read_actuals(path, level=1)
    assert read["code"].tolist() == ["01", "02"]
    assert read["actual"].tolist() == pytest.approx([1200.5, float("nan")], nan_ok=True)
    path.write_text("code,quarter,actual\n01,,5\n", "utf-8")
    with pytest.raises(InputError, match="no quarter"):
        read_actuals(path, level=1)


def test_detail_says_what_speaks_for_and_against(country: Country) -> None:
    found = country.json("pattern")
    code = found["regions"][0]["code"]
    for language, word in (("en", "For: "), ("fa", "به سود: ")):
        assert word in country.invoke("pattern", "--detail", code, "--language", language)


def test_matching_is_a_command_of_its_own(country: Country) -> None:
    found = country.invoke("match", "--old", "counties", "--new", "counties", "--same-codes")
    assert "matched" in found and "0 conflicts" in found


def test_what_is_saved_is_listed_and_joins_to_the_regions(country: Country) -> None:
    saved: dict[str, Any] = {}
    for command, words in MEASURES:
        found = country.json(command, *words, "--save")
        saved[found["study"]["id"]] = found
    listed = {row["id"]: row for row in country.json("studies")}
    assert set(saved) <= set(listed)
    for study_id, found in saved.items():
        again = json.loads(country.invoke("studies", study_id))
        kept = {k: v for k, v in found["study"].items() if k not in ("id", "written")}
        assert again["study"] == kept
        assert listed[study_id]["spec_sha256"] == kept["spec_sha256"]
        with country.engine.connect() as connection:
            lost = connection.execute(
                text(
                    "select count(*) from region_value v where study_id = :id and not exists "
                    "(select 1 from region r where r.level = v.level and r.code = v.code)"
                ),
                {"id": study_id},
            ).scalar_one()
            rows = connection.execute(
                text("select level, code, variable, value, status, assumed from region_value "
                     "where study_id = :id"), {"id": study_id}
            ).all()  # fmt: skip
        assert lost == 0 and len(rows) == listed[study_id]["values"] > 0
        # what is not known is NULL, and its status says so
        assert all((r.value is None) <= (r.status != "known") for r in rows)
    composite = next(k for k in saved if k.startswith("composite-"))
    index = {r["code"]: r["index"] for r in saved[composite]["regions"]}
    with country.engine.connect() as connection:
        stored = dict(
            connection.execute(
                text("select code, value from region_value where study_id = :id and variable = "
                     "'index'"), {"id": composite}
            ).all()
        )  # fmt: skip
    assert set(stored) == set(index)
    assert np.allclose([stored[c] for c in sorted(index)], [index[c] for c in sorted(index)])


def test_nothing_is_stored_without_being_asked(country: Country) -> None:
    before = len(country.json("studies"))
    country.invoke("index")
    assert len(country.json("studies")) == before
