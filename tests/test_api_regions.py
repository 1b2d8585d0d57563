"""Stored measures of regions over HTTP, on a real PostGIS."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import made_country
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from sqlalchemy import Engine
from test_api import client_of, problem

from api.region_studies import RegionStudySummary, RegionValueRow
from geoplan.store import read
from geoplan.store.region_study import put_region_study
from geoplan.store.session import transaction
from geoplan.studies.region_run import tidy

STUDIES = "/api/regions/studies"
ONE = f"{STUDIES}/index-made"
SVG = "{http://www.w3.org/2000/svg}"


def put(engine: Engine, study_id: str, profile: str, levels: dict[int, dict[str, float]]) -> None:
    parts = [
        tidy(pd.DataFrame({"code": list(v), "a": list(v.values())}),
             {"index": ("a", ""), "plants": ("a", "count")}, level=n)
        for n, v in levels.items()
    ]  # fmt: skip
    variables = {
        "plants": {"title": {"en": "Plants", "fa": "کارخانه‌ها"}, "unit": "count",
                   "classes": "equal", "centre": 0.0, "count": 2},
        "index": {"title": {"en": "Index", "fa": "شاخص"}, "unit": "", "classes": "quantiles",
                  "centre": 0.0, "count": 2},
    }  # fmt: skip
    with transaction(engine) as session:
        layers = read.layer_versions(session, ["provinces", "counties"])
        put_region_study(
            session, study_id=study_id, kind="index", spec_id="made", spec_sha256="a" * 64,
            profile_id=profile, title=("Index", "شاخص"), level=1, layers=layers,
            software={"geoplan": "0"}, synthetic=True,
            document={"regions": [], "study": {"main": "plants", "variables": variables}},
            values=pd.concat(parts, ignore_index=True),
        )  # fmt: skip


@pytest.fixture(scope="module")
def client(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with (
        made_country.shared_database(template_url) as engine,
        client_of(engine, tmp_path_factory.mktemp("regions")) as made,
    ):
        put(engine, "index-made", "made",
            {1: {"01": 0.5, "02": math.nan}, 2: {"01": 1.0, "0102": 2.0}})  # fmt: skip
        put(engine, "index-lost", "nowhere", {1: {"01": 0.5}})
        yield made


def test_studies_are_listed_and_filtered(client: TestClient) -> None:
    rows = TypeAdapter(list[RegionStudySummary]).validate_json(client.get(STUDIES).text)
    assert {r.id for r in rows} == {"index-made", "index-lost"}
    mine = client.get(STUDIES, params={"profile": "made"}).json()
    assert [r["id"] for r in mine] == ["index-made"]
    assert mine[0]["title"] == {"en": "Index", "local": "شاخص"} and mine[0]["values"] == 8
    assert set(mine[0]["layers"]) == {"provinces", "counties"}
    assert client.get("/api/regions/02").json()["code"] == "02"  # still a region


def test_a_document_says_what_it_rests_on(client: TestClient) -> None:
    found = client.get(ONE).json()
    assert found["id"] == "index-made" and "plants" in found["study"]["variables"]


def test_values_are_chosen_by_level_and_variable(client: TestClient) -> None:
    whole = TypeAdapter(list[RegionValueRow]).validate_json(client.get(f"{ONE}/values").text)
    assert len(whole) == 8
    asked = {"level": 1, "variable": "index"}
    rows = client.get(f"{ONE}/values", params=asked).json()
    assert [(r["code"], r["value"], r["status"]) for r in rows] == [
        ("01", 0.5, "known"), ("02", None, "unknown"),
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "words"), [("en", "Plants"), ("fa", "کارخانه‌ها")])
def test_a_map_in_both_languages(client: TestClient, language: str, words: str) -> None:
    answer = client.get(f"{ONE}/map.svg", params={"language": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    picture = ET.fromstring(answer.text)
    assert picture.tag == f"{SVG}svg" and picture.get("lang") == language
    assert words in answer.text and ("کشور ساختگی" if language == "fa" else "Synthetic") in (
        answer.text
    )
    again = client.get(
        f"{ONE}/map.svg", params={"language": language},
        headers={"if-none-match": answer.headers["etag"]},
    )  # fmt: skip
    assert again.status_code == 304 and not again.content
    finer = client.get(f"{ONE}/map.svg", params={"level": 2, "variable": "index"})
    assert finer.status_code == 200 and finer.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize(
    ("path", "query", "status", "remedy"),
    [
        (f"{STUDIES}/index-mode", {}, 404, "index-made"),
        (f"{STUDIES}/index-mode/values", {}, 404, "index-made"),
        (f"{STUDIES}/index-mode/map.svg", {}, 404, "index-made"),
        (f"{ONE}/values", {"variable": "shoes"}, 404, "plants (level 1)"),
        (f"{ONE}/values", {"level": 3}, 404, "level 1"),
        (f"{ONE}/values", {"level": 9}, 400, "openapi.json"),
        (f"{ONE}/map.svg", {"variable": "shoes"}, 404, "plants (level 1)"),
        (f"{ONE}/map.svg", {"language": "de"}, 400, "openapi.json"),
        (f"{STUDIES}/index-lost/map.svg", {}, 404, "catalogue"),
    ],
)
def test_errors_are_problems_with_a_remedy(
    client: TestClient, path: str, query: dict[str, Any], status: int, remedy: str
) -> None:
    body = problem(client.get(path, params=query), status)
    assert remedy in body.remedy


def test_the_routes_are_documented(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    for path in (STUDIES, *(f"{STUDIES}/{{study_id}}{x}" for x in ("", "/values", "/map.svg"))):
        assert paths[path]["get"]["description"]
    order = list(paths)
    assert order.index(STUDIES) < order.index("/api/regions/{code}")
