"""JSON answers, errors, files and the page of the service, on a real PostGIS."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import made_country
import pytest
import yaml
from fastapi.testclient import TestClient
from pydantic import TypeAdapter
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api import openapi, schemas
from api.app import create_app
from api.errors import PROBLEM_TYPE, STATUS
from api.headers import PAGE_POLICY
from api.limits import Limits
from geoplan import errors
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings
from geoplan.store import tables
from geoplan.store.session import engine_for

RUN = f"/api/runs/{made_country.RUN}"
PROFILE = """\
id: made
title: {en: Made country, fa: کشور ساختگی}
country: XX
synthetic: true
languages: [fa, en]
calendar: jalali
analysis_crs: EPSG:6933
bbox: [50, 30, 54, 33]
region_levels:
  - {level: 1, layer: provinces, title: {en: Province, fa: استان}}
  - {level: 2, layer: counties, title: {en: County, fa: شهرستان}}
currency: rial
price_year: "1403"
demand_classes:
  any:
    title: {en: Any}
    water: &c {value: 1, unit: m3/day/ha, basis: made up, status: proposed}
    return_ratio: *c
    connected_power: *c
    coincidence: *c
    jobs: *c
    grade: [1, 2]
coefficients: {}
index:
  level: 1
  indicators:
    - id: plants
      title: {en: Plants}
      level: 1
      variable: plants
      unit: count
      weight: 1
      basis: made up
"""


def client_of(engine: Engine, folder: Path) -> TestClient:
    (folder / "layers" / "profiles").mkdir(parents=True)
    (folder / "layers" / "profiles" / "made.yaml").write_text(PROFILE)
    made_country.fill(engine, folder / "runs")
    (folder / "outside.txt").write_text("outside")
    app = create_app(
        Settings(home=folder),
        engine=engine,
        catalogue=Catalogue((folder / "layers",)),
        limits=Limits(fresh_seconds=0, page=2),
        web_folder=folder / "web",
    )
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(template_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client on a country that no test changes."""
    with (
        made_country.shared_database(template_url) as engine,
        client_of(engine, tmp_path_factory.mktemp("country")) as made,
    ):
        yield made


@pytest.fixture
def own(database: Engine, tmp_path: Path) -> Iterator[TestClient]:
    """A client on a country of its own, for a test that changes it."""
    with client_of(database, tmp_path) as made:
        yield made


def problem(answer: Any, status: int) -> schemas.ProblemBody:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_TYPE
    body = schemas.ProblemBody.model_validate(answer.json())
    assert body.status == status
    return body


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/health", schemas.Health),
        ("/api/info", schemas.AppInfo),
        ("/api/layers", list[schemas.LayerInfo]),
        ("/api/layers/roads", schemas.LayerInfo),
        ("/api/regions", list[schemas.RegionSummary]),
        ("/api/regions/02", schemas.RegionDetail),
        ("/api/runs", list[schemas.RunSummary]),
        ("/api/runs/latest", schemas.RunDetail),
        (RUN, schemas.RunDetail),
        (f"{RUN}/candidates", schemas.CandidatePage),
        (f"{RUN}/portfolio", list[schemas.CandidateSummary]),
        (f"{RUN}/supply", list[schemas.SupplyLine]),
        (f"{RUN}/sources", list[schemas.SourceInfo]),
        (f"{RUN}/sites/s-001", schemas.SiteDetail),
        (f"{RUN}/sites/s-003", schemas.SiteDetail),
    ],
)
def test_every_answer_keeps_its_schema(client: TestClient, path: str, kind: Any) -> None:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    TypeAdapter(kind).validate_json(answer.content)
    assert answer.headers["content-security-policy"] == PAGE_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers


class TestInfo:
    def test_country_of_the_latest_run(self, client: TestClient) -> None:
        info = client.get("/api/info").json()
        assert info["profile_id"] == "made"
        assert info["title"] == {"en": "Made country", "local": "کشور ساختگی"}
        assert info["languages"] == ["fa", "en"] and info["calendar"] == "jalali"
        assert info["bounds"] == [50, 30, 54, 33]
        assert info["latest_run"] == made_country.RUN
        assert [x["level"] for x in info["region_levels"]] == [1, 2]
        assert info["synthetic"] is True

    def test_without_a_run_the_only_loaded_country(self, own: TestClient, database: Engine) -> None:
        with Session(database) as session, session.begin():
            session.delete(session.get(tables.Run, made_country.RUN))
        info = own.get("/api/info").json()
        assert (info["profile_id"], info["latest_run"]) == ("made", None)
        problem(own.get("/api/runs/latest"), 404)

    def test_a_profile_that_is_not_here(self, database: Engine, tmp_path: Path) -> None:
        made_country.fill(database, tmp_path)
        app = create_app(Settings(home=tmp_path), engine=database, catalogue=Catalogue(()))
        with TestClient(app) as client:
            info = client.get("/api/info").json()
            assert info["profile_id"] == "made"
            assert info["bounds"] == [50, 30, 54, 33]  # of the layers, for want of a profile
            assert [r["level"] for r in client.get("/api/regions").json()] == [1, 1, 2, 2]

    def test_a_profile_that_only_its_run_knows(self, database: Engine, tmp_path: Path) -> None:
        made_country.fill(database, tmp_path)
        with Session(database) as session, session.begin():
            run = session.get(tables.Run, made_country.RUN)
            assert run is not None
            recorded = {**yaml.safe_load(PROFILE), "title": {"en": "By path"}}
            run.document = {**run.document, "profile": {"document": recorded}}
        app = create_app(Settings(home=tmp_path), engine=database, catalogue=Catalogue(()))
        with TestClient(app) as client:
            info = client.get("/api/info").json()
            assert info["title"]["en"] == "By path" and info["calendar"] == "jalali"

    def test_empty_database(self, database: Engine, tmp_path: Path) -> None:
        app = create_app(Settings(home=tmp_path), engine=database, catalogue=Catalogue(()))
        with TestClient(app) as client:
            assert client.get("/api/info").json()["profile_id"] is None
            assert client.get("/api/layers").json() == client.get("/api/runs").json() == []
            assert client.get("/api/regions").json() == []

    def test_data_version_follows_the_data(self, own: TestClient, database: Engine) -> None:
        before = own.get("/api/info").json()["data_version"]
        assert own.get("/api/info").json()["data_version"] == before
        with Session(database) as session, session.begin():
            made_country.add_layer(session, "roads", 0, geometry="line")
        assert own.get("/api/info").json()["data_version"] != before


class TestLayers:
    def test_what_a_page_needs(self, client: TestClient) -> None:
        layers = {x["id"]: x for x in client.get("/api/layers").json()}
        assert layers["roads"]["color"] == "#8a5a2b" and layers["roads"]["show"] is True
        assert layers["roads"]["tiles"].startswith("/tiles/layers/roads/{z}/{x}/{y}.mvt?v=")
        assert layers["wells"]["assumed"] is True
        assert layers["wells"]["method"]["en"] == "A tenth of the licensed discharge"
        assert layers["relief"]["tiles"] is None and layers["relief"]["kind"] == "raster"
        assert layers["province_facts"]["tiles"] is None
        assert layers["roads"]["rows"] == 3 and layers["roads"]["as_of"] == "2024"

    @pytest.mark.parametrize("name", ["nowhere", "x' or '1'='1", "..", "%2e%2e%2fetc", "é" * 60])
    def test_unknown(self, client: TestClient, name: str) -> None:
        problem(client.get(f"/api/layers/{name}"), 404)


class TestRegions:
    def test_index_of_the_latest_run(self, client: TestClient) -> None:
        regions = client.get("/api/regions?level=1").json()
        assert [r["code"] for r in regions] == ["01", "02"]
        one, two = regions
        assert (one["industrialisation"], one["rank"], one["less_industrialised"]) == (
            0.75,
            1,
            False,
        )
        assert one["bounds"] == [50, 30, 52, 33] and one["population"] == 1_000_000
        assert two["industrialisation"] is None and two["less_industrialised"] is None

    def test_children(self, client: TestClient) -> None:
        codes = [r["code"] for r in client.get("/api/regions?level=2&parent=01").json()]
        assert codes == ["01", "0102"]

    def test_detail(self, client: TestClient) -> None:
        region = client.get("/api/regions/01?level=1").json()
        assert region["formula"] == "mean of ranks"
        assert region["indicators"][0]["normalised"] == 0.75
        assert region["indicators"][0]["as_of"] == "1402"
        assert region["facts"] == [
            {"variable": "plants", "value": 120.0, "unit": "count", "as_of": "1402",
             "source": "made up", "confidence": "high"}
        ]  # fmt: skip

    def test_a_code_of_two_levels_must_say_which(self, client: TestClient) -> None:
        assert "levels 1 and 2" in problem(client.get("/api/regions/01"), 400).detail
        assert client.get("/api/regions/01?level=2").json()["parent_code"] == "01"

    @pytest.mark.parametrize(
        ("query", "status"),
        [("level=4", 400), ("level=x", 400), ("run=nowhere", 404), ("parent=%00", 400)],
    )
    def test_bad_queries(self, client: TestClient, query: str, status: int) -> None:
        problem(client.get(f"/api/regions?{query}"), status)


class TestRuns:
    def test_detail(self, client: TestClient) -> None:
        run = client.get(RUN).json()
        assert (run["sites"], run["candidates"]) == (1, 3)
        assert (run["objective"], run["bound"], run["gap"]) == (0.8, 0.81, 1e-4)
        assert run["assumptions"] == [{"en": "Headroom is assumed", "local": "ظرفیت فرضی است"}]
        assert run["criteria"][0]["title"] == {"en": "Road", "local": "راه"}
        assert run["assumed"] is True and run["synthetic"] is True
        assert client.get("/api/runs").json()[0]["id"] == run["id"]

    def test_a_run_whose_document_says_nothing(self, own: TestClient, database: Engine) -> None:
        with Session(database) as session, session.begin():
            session.add(
                tables.Run(
                    id="bare", hash="0", scenario_id="x", title_en="Bare", profile_id="made",
                    status="infeasible", folder="/nowhere", document={},
                )
            )  # fmt: skip
        run = own.get("/api/runs/bare").json()
        assert run["status"] == "infeasible" and run["gap"] is None and run["files"] == []

    def test_pages_say_the_total(self, client: TestClient) -> None:
        page = client.get(f"{RUN}/candidates?limit=100000").json()
        # The largest page of this app is 2: the wish is cut, and the answer says so.
        assert (page["total"], page["limit"], len(page["items"])) == (3, 2, 2)
        rest = client.get(f"{RUN}/candidates?offset=2&limit=2").json()
        sites = [s["site_id"] for s in page["items"] + rest["items"]]
        assert sites == ["s-001", "s-002", "s-003"]

    @pytest.mark.parametrize(
        ("query", "sites"),
        [
            ("in_portfolio=true", ["s-001"]),
            ("in_portfolio=false", ["s-002", "s-003"]),
            ("region=02", ["s-003"]),
            ("region=01&in_portfolio=true", ["s-001"]),
            ("region=02' or true --", []),
        ],
    )
    def test_filters(self, client: TestClient, query: str, sites: list[str]) -> None:
        page = client.get(f"{RUN}/candidates?{query}").json()
        assert [s["site_id"] for s in page["items"]] == sites
        assert page["total"] == len(sites)

    @pytest.mark.parametrize("query", ["offset=-1", "limit=-1", "limit=1e3", "offset=99999999999"])
    def test_bad_pages(self, client: TestClient, query: str) -> None:
        problem(client.get(f"{RUN}/candidates?{query}"), 400)

    def test_site(self, client: TestClient) -> None:
        site = client.get(f"{RUN}/sites/s-001").json()
        assert site["cost"] == 1.5e12
        assert site["criteria"][0]["contribution"] == site["score"] == 0.9
        assert site["reasons"][0]["text"]["local"] == "بهترین امتیاز"
        assert [s["amount"] for s in site["supply"]] == [800.0, 100.0]
        assert site["bounds"] == pytest.approx([51.0, 31.0, 51.03, 31.03])
        # A candidate that was stored without detail still says where it lies.
        bare = client.get(f"{RUN}/sites/s-003").json()
        assert bare["regions"][0]["code"] == "02" and bare["criteria"] == []
        problem(client.get(f"{RUN}/sites/s-999"), 404)

    def test_supply_runs_from_source_to_site(self, client: TestClient) -> None:
        network, own = client.get(f"{RUN}/supply").json()
        assert network["line"] == [[51.2, 31.2], [51.015, 31.015]]
        assert network["source_name"]["en"] == "wells:w1" and network["basis"] == "assumed"
        assert own["line"] is None and own["distance_km"] is None and own["kind"] == "plant"

    def test_sources(self, client: TestClient) -> None:
        first, own = client.get(f"{RUN}/sources").json()
        assert (first["used"], first["headroom"], first["lon"]) == (900.0, 5000.0, 51.2)
        assert own["lon"] is None

    def test_geojson(self, client: TestClient) -> None:
        answer = client.get(f"{RUN}/portfolio.geojson")
        assert answer.headers["content-type"] == "application/geo+json"
        (site,) = answer.json()["features"]
        ring = site["geometry"]["coordinates"][0][0]
        turn = sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in pairwise(ring))
        assert turn < 0  # counter-clockwise
        assert site["properties"]["site_id"] == "s-001"
        lines = client.get(f"{RUN}/supply.geojson").json()["features"]
        assert [f["geometry"] and f["geometry"]["type"] for f in lines] == ["LineString", None]
        assert "line" not in lines[0]["properties"]


class TestStudies:
    def test_what_a_run_holds(self, client: TestClient) -> None:
        assert client.get(RUN).json()["studies"] == ["pareto"]
        assert client.get(f"{RUN}/studies/pareto").json() == {"points": [{"efficiency": 0.8}]}

    def test_what_it_does_not(self, client: TestClient) -> None:
        found = problem(client.get(f"{RUN}/studies/smaa"), 404)
        assert "no study 'smaa'" in found.detail
        assert "pareto" in (found.remedy or "")


class TestFiles:
    def test_content_type_and_name(self, client: TestClient) -> None:
        answer = client.get(f"{RUN}/files/portfolio.csv")
        assert answer.text == made_country.PLAN_CSV
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        assert "portfolio.csv" in answer.headers["content-disposition"]
        digest = hashlib.sha256(made_country.PLAN_CSV.encode()).hexdigest()
        assert answer.headers["etag"].strip('"') == digest[:32]
        again = client.get(
            f"{RUN}/files/portfolio.csv", headers={"If-None-Match": answer.headers["etag"]}
        )
        assert again.status_code == 304

    def test_a_page_of_a_run_is_sandboxed(self, client: TestClient) -> None:
        answer = client.get(f"{RUN}/files/map.html")
        assert answer.headers["content-disposition"].startswith("inline")
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox") and "allow-same-origin" not in policy
        assert "http" not in policy

    @pytest.mark.parametrize(
        "name",
        [
            "secret.txt",  # in the folder, but the run does not list it
            "gone.csv",  # listed, but not there
            "..%2f..%2foutside.txt",  # listed, but outside
            "../../outside.txt",
            "%2e%2e/%2e%2e/outside.txt",
            "%2e%2e",
            "/etc/passwd",
            "%2fetc%2fpasswd",
            "portfolio.csv%00",
        ],
    )
    def test_nothing_else_is_handed_out(
        self, client: TestClient, tmp_path: Path, name: str
    ) -> None:
        (tmp_path.parent / "outside.txt").write_text("outside")
        answer = client.get(f"{RUN}/files/{name}")
        assert answer.status_code in (400, 404)
        assert answer.headers["content-type"] == PROBLEM_TYPE
        assert "/tmp" not in answer.text and "root:" not in answer.text

    def test_a_link_out_of_the_folder(self, own: TestClient, tmp_path: Path) -> None:
        (tmp_path / "outside.csv").write_text("outside")
        (tmp_path / "runs" / made_country.RUN / "gone.csv").symlink_to(tmp_path / "outside.csv")
        problem(own.get(f"{RUN}/files/gone.csv"), 404)


class TestErrors:
    def test_every_class_has_its_row(self) -> None:
        classes = {
            c
            for c in vars(errors).values()
            if isinstance(c, type) and issubclass(c, errors.GeoPlanError)
        }
        assert set(STATUS) == classes

    def test_unknown_address(self, client: TestClient) -> None:
        assert "nothing is served" in problem(client.get("/api/nowhere"), 404).detail
        problem(client.get("/nowhere.js"), 404)
        problem(client.post("/api/info"), 405)

    def test_an_unexpected_error_keeps_its_text(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: Any) -> None:
            raise RuntimeError("secret: SELECT * FROM people")

        monkeypatch.setattr("api.routes.runs.read_runs", fail)
        with caplog.at_level(logging.ERROR):
            body = problem(client.get("/api/runs"), 500)
        assert "secret" not in body.model_dump_json()
        reference = body.where.removeprefix("reference ")
        assert reference in caplog.text and "secret" in caplog.text

    def test_database_down(self, tmp_path: Path) -> None:
        # Port 1 on loopback: nothing listens there.
        lost = engine_for("postgresql://nobody:hidden@127.0.0.1:1/geoplan")
        app = create_app(Settings(home=tmp_path), engine=lost, catalogue=Catalogue(()))
        with TestClient(app, raise_server_exceptions=False) as client:
            for path in (
                "/api/info",
                "/api/runs",
                f"{RUN}/supply",
                "/tiles/layers/roads/0/0/0.mvt",
            ):
                answer = client.get(path)
                body = problem(answer, 503)
                assert answer.headers["retry-after"] == "5"
                assert "geoplan db up" in body.remedy
                assert "hidden" not in answer.text and "127.0.0.1" not in answer.text
            health = client.get("/api/health")
            assert health.status_code == 200
            assert health.json()["status"] == "degraded" and health.json()["database"] is False

    def test_a_database_that_goes_away_and_comes_back(
        self, own: TestClient, database: Engine
    ) -> None:
        own.get("/api/info")
        with database.connect() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert own.get("/api/info").status_code in (200, 503)
        assert own.get("/api/info").status_code == 200

    def test_a_slow_query_is_stopped(self, client: TestClient) -> None:
        with pytest.raises(errors.Unavailable, match=r"0\.05 s") as caught:
            service = client.app.state.geoplan  # type: ignore[attr-defined]
            with service.database.reading(seconds=0.05) as reading:
                reading.connection().exec_driver_sql("SELECT pg_sleep(2)")
        assert not isinstance(caught.value, errors.DatabaseLost)

    def test_readers_cannot_write(self, client: TestClient) -> None:
        service = client.app.state.geoplan  # type: ignore[attr-defined]
        with (
            pytest.raises(Exception, match="read-only transaction"),
            service.database.reading() as reading,
        ):
            reading.connection().exec_driver_sql("DELETE FROM layer")


class TestPage:
    @pytest.fixture
    def page(self, tmp_path: Path) -> TestClient:
        # No engine: the page must not need a database.
        app = create_app(
            Settings(home=tmp_path), catalogue=Catalogue(()), web_folder=tmp_path / "web"
        )
        return TestClient(app, raise_server_exceptions=False)

    @pytest.fixture
    def web(self, tmp_path: Path) -> Path:
        folder = tmp_path / "web"
        (folder / "assets").mkdir(parents=True)
        (folder / "index.html").write_text("<!doctype html><title>GeoPlan</title>")
        (folder / "assets" / "geoplan-AB12CD34.js").write_text("export {}")
        (folder / "assets" / "worker-AB12CD34.mjs").write_text("export {}")
        (folder / "assets" / "Vazirmatn-AB12CD34.woff2").write_bytes(b"wOF2")
        (folder / "assets" / "geoplan-AB12CD34.css").write_text("body{}")
        (folder / "notices.txt").write_text("notices")
        return folder

    def test_not_built(self, page: TestClient) -> None:
        answer = page.get("/")
        assert answer.status_code == 503
        assert "npm run build" in answer.text

    @pytest.mark.usefixtures("web")
    @pytest.mark.parametrize(
        ("path", "kind", "cache"),
        [
            ("", "text/html; charset=utf-8", "no-cache"),
            ("index.html", "text/html; charset=utf-8", "no-cache"),
            ("notices.txt", "text/plain; charset=utf-8", "no-cache"),
            ("assets/geoplan-AB12CD34.js", "text/javascript; charset=utf-8", "immutable"),
            ("assets/worker-AB12CD34.mjs", "text/javascript; charset=utf-8", "immutable"),
            ("assets/geoplan-AB12CD34.css", "text/css; charset=utf-8", "immutable"),
            ("assets/Vazirmatn-AB12CD34.woff2", "font/woff2", "immutable"),
        ],
    )
    def test_content_types_and_caching(
        self, page: TestClient, path: str, kind: str, cache: str
    ) -> None:
        answer = page.get(f"/{path}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == kind
        assert cache in answer.headers["cache-control"]
        assert answer.headers["content-security-policy"] == PAGE_POLICY
        again = page.get(f"/{path}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
        assert page.head(f"/{path}").status_code == 200

    @pytest.mark.usefixtures("web")
    @pytest.mark.parametrize("path", ["%2e%2e/secret", "..%2fsecret", "assets", "a%00b", "x" * 900])
    def test_only_files_of_the_page(self, page: TestClient, tmp_path: Path, path: str) -> None:
        (tmp_path / "secret").write_text("secret")
        problem(page.get(f"/{path}"), 404)

    def test_policy_names_no_other_host(self) -> None:
        assert "//" not in PAGE_POLICY and "*" not in PAGE_POLICY
        assert PAGE_POLICY.startswith("default-src 'self'; worker-src 'self' blob:")


class TestOpenApi:
    def test_write_and_check(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        file = tmp_path / "openapi.json"
        assert openapi.main(["--check", str(file)]) == 1
        assert openapi.main([str(file)]) == 0
        assert openapi.main(["--check", str(file)]) == 0
        file.write_text("{}")
        assert openapi.main(["--check", str(file)]) == 1
        assert file.read_text() == "{}"
        assert "make openapi" in capsys.readouterr().err
        assert openapi.main([]) == 0
        assert capsys.readouterr().out == openapi.text()

    def test_the_committed_document_is_the_generated_one(self) -> None:
        file = Path(__file__).resolve().parents[1] / "web" / "openapi.json"
        assert file.read_text(encoding="utf-8") == openapi.text(), "write it again: make openapi"

    def test_operations_are_named_once_and_described(self) -> None:
        operations = [op for path in openapi.document()["paths"].values() for op in path.values()]
        names = [op["operationId"] for op in operations]
        assert len(names) == len(set(names)) == 41
        assert all(op["description"] and op["tags"] for op in operations)

    def test_served(self, client: TestClient) -> None:
        assert client.get("/api/openapi.json").json() == openapi.document()
        assert client.get("/docs").status_code == 404  # the stock page loads from another host
