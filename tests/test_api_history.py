"""Real files through the API: load, compare, go back, give back what was refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import httpx
import loading_service
import numpy as np
import pyogrio
import pytest
import shapely
from fastapi.testclient import TestClient
from loading_service import ended
from sqlalchemy import Engine, text

from api.app import create_app
from api.errors import PROBLEM_TYPE
from api.jobs import Pace
from api.limits import Limits
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings

EAST, NORTH = 500_000.0, 3_950_000.0  # zone 39: 51° E, near Tehran


@pytest.fixture
def client(settings: Settings, database: Engine) -> Iterator[TestClient]:
    app = create_app(
        settings,
        engine=database,
        catalogue=Catalogue.standard(),
        limits=Limits(fresh_seconds=0),
        web_folder=settings.home / "web",
        pace=Pace(**loading_service.HURRY),
    )
    with TestClient(app, raise_server_exceptions=False) as made:
        made.headers.update(loading_service.token_for(database))
        yield made


def square(x: float, y: float = 0.0, size: float = 20.0) -> shapely.Polygon:
    return shapely.box(EAST + x, NORTH + y, EAST + x + size, NORTH + y + size)


def plots(folder: Path, shapes: list[Any], name: str = "plots.gpkg", **more: Any) -> bytes:
    """Return a GeoPackage of plots P-1, P-2 … as bytes."""
    count = len(shapes)
    columns: dict[str, Any] = {
        "code": [f"P-{i + 1}" for i in range(count)],
        "block_key": ["B-1"] * count,
        "number": [str(i + 1) for i in range(count)],
    }
    crs = more.pop("crs", "EPSG:32639")
    path = folder / name
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(gpd.GeoDataFrame(columns | more, geometry=shapes, crs=crs), path)
    return path.read_bytes()


def ask(client: Any, body: bytes, action: str = "load", name: str = "plots.gpkg", **options: Any):
    upload = client.put("/api/uploads", params={"name": name}, content=body).json()["id"]
    wish = {"layer": "plots", "profile": "iran", **options}
    answer = client.post("/api/jobs", json={"upload": upload, "action": action, "options": wish})
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_upload_check_confirm_load(client: TestClient, tmp_path: Path) -> None:
    body = plots(tmp_path, [square(0), square(20)])
    job = ended(client, ask(client, body, "check")["id"], seconds=60)
    assert job["state"] == "checked", job["problem"]
    assert (job["summary"]["rows_read"], job["summary"]["crs"]) == (2, "EPSG:32639")
    assert job["summary"]["format"] == "GeoPackage"
    assert client.get(job["links"]["report"]).json()["sha256"] == job["upload"]["sha256"]
    assert client.get(job["links"]["report_html"]).status_code == 200
    assert client.get("/api/layers").json() == []
    client.post(job["links"]["confirm"])
    done = ended(client, job["id"], "done", "refused", "failed", seconds=60)
    assert done["state"] == "done", done["problem"]
    assert done["summary"]["rows_stored"] == 2 and done["version"]["number"] == 1
    (layer,) = client.get("/api/layers").json()
    assert (layer["id"], layer["rows"]) == ("plots", 2)
    # The same file once more changes nothing.
    again = ended(client, ask(client, body)["id"], seconds=60)
    assert again["state"] == "done" and again["summary"]["unchanged"] is True
    assert again["version"] == done["version"]


def test_what_is_wrong_with_a_file(client: TestClient, tmp_path: Path) -> None:
    overlapping = plots(tmp_path, [square(0), square(19.5)])  # 0.5 m × 20 m in both
    job = ended(client, ask(client, overlapping)["id"], seconds=60)
    assert job["state"] == "refused" and job["version"] is None
    (overlap,) = [d for d in job["summary"]["defects"] if d["code"] == "overlap"]
    assert overlap["count"] == 1 and overlap["area_m2"] == pytest.approx(10.0)
    (tmp_path / "problems.gpkg").write_bytes(client.get(job["links"]["problems"]).content)
    found = pyogrio.read_dataframe(tmp_path / "problems.gpkg", layer="problem_areas")
    assert found.geometry.area.sum() == pytest.approx(10.0)
    assert client.get("/api/layers").json() == []

    broken = ended(client, ask(client, overlapping[:3000], name="cut.gpkg")["id"], seconds=60)
    assert broken["state"] == "refused" and broken["problem"]["detail"]
    assert str(tmp_path) not in str(broken) and "Traceback" not in str(broken)
    odd = ended(client, ask(client, b"\x00" * 100, name="zero.gpkg")["id"], seconds=60)
    assert odd["state"] == "refused", odd


def test_history_diff_and_rollback(client: TestClient, tmp_path: Path) -> None:
    first = plots(tmp_path, [square(0), square(20), square(40)])
    # P-1 stays, P-2 loses a strip of 20 m × 2 m, P-3 goes, P-9 comes, and P-1 has a new number.
    narrow = shapely.box(EAST + 20, NORTH, EAST + 38, NORTH + 20)
    second = plots(
        tmp_path, [square(0), narrow, square(100)],
        code=["P-1", "P-2", "P-9"], number=["1A", "2", "9"],
    )  # fmt: skip
    for body, name in ((first, "first.gpkg"), (second, "second.gpkg")):
        done = ended(client, ask(client, body, name=name)["id"], seconds=60)
        assert done["state"] == "done", done["problem"]
    told = client.get("/api/layers/plots/history").json()
    assert [(v["number"], v["current"], v["source_file"]) for v in told["versions"]] == [
        (2, True, "second.gpkg"), (1, False, "first.gpkg"),
    ]  # fmt: skip
    assert {v["loaded_by"] for v in told["versions"]} == {"Sara"}
    assert [(e["action"], e["from_number"], e["to_number"]) for e in told["events"]] == [
        ("load", 1, 2), ("load", None, 1),
    ]  # fmt: skip

    differ = client.get("/api/layers/plots/diff?from=1&to=2").json()
    assert [differ[f"{n}_count"] for n in ("added", "removed", "reshaped", "changed")] == [
        1, 1, 1, 1,
    ]  # fmt: skip
    assert differ["added"][0]["key"] == "P-9" and differ["added"][0]["geometry"] is None
    (reshaped,) = differ["reshaped"]
    assert reshaped["key"] == "P-2" and reshaped["moved_m2"] == pytest.approx(40, rel=2e-3)
    assert {"key": "P-1", "field": "number", "old": "1", "new": "1A"} in differ["changed"]
    drawn = client.get("/api/layers/plots/diff?from=1&to=2&geometry=true&limit=1").json()
    ring = np.array(drawn["reshaped"][0]["geometry"]["coordinates"][0][0])
    assert ring[:, 0].min() == pytest.approx(51.0, abs=0.01)
    none = client.get("/api/layers/plots/diff?from=1&to=2&limit=0").json()
    assert none["added"] == [] and none["added_count"] == 1

    nobody = client.post(
        "/api/layers/plots/rollback", json={"to": 1}, headers={"Authorization": ""}
    )
    assert nobody.status_code == 401
    back = client.post("/api/layers/plots/rollback", json={"to": 1, "note": "wrong file"})
    assert back.status_code == 200 and back.json()["current"] is True
    assert client.get("/api/layers/plots").json()["version"] == 1
    (event, *_) = client.get("/api/layers/plots/history").json()["events"]
    assert (event["action"], event["who"], event["note"]) == ("rollback", "Sara", "wrong file")
    assert client.post("/api/layers/plots/rollback", json={"to": 1}).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/layers/plots/history", 404),
        ("/api/layers/x' or '1'='1/history", 404),
        ("/api/layers/plots/diff?from=1&to=2", 404),
        ("/api/layers/plots/diff?from=0&to=1", 400),
        ("/api/layers/plots/diff?from=1", 400),
        ("/api/layers/plots/diff?from=1&to=99999999999", 400),
        ("/api/quarantine/nowhere", 404),
        ("/api/quarantine/..%2f..%2fetc", 404),
    ],
)
def test_what_is_not_there(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_TYPE


def test_rollback_of_what_is_not_there(client: TestClient) -> None:
    assert client.post("/api/layers/plots/rollback", json={"to": 1}).status_code == 404
    for wrong in ({"to": 0}, {"to": "x"}, {"to": 1, "odd": 1}, {"to": 1, "note": "\x00"}, None):
        assert client.post("/api/layers/plots/rollback", json=wrong).status_code in (400, 404)


def test_refused_rows_come_back(client: TestClient, tmp_path: Path, database: Engine) -> None:
    body = plots(tmp_path, [square(0), None, square(40)])
    job = ended(client, ask(client, body, partial=True)["id"], seconds=60)
    assert job["state"] == "done", job["problem"]
    assert job["summary"]["rows_stored"] == 2
    (listed,) = client.get("/api/quarantine?layer=plots").json()
    assert listed["rows"] == 1 and listed["link"] == job["links"]["quarantine"]
    answer = client.get(listed["link"])
    assert answer.headers["content-type"] == "application/geopackage+sqlite3"
    assert re.search(r"plots-refused-\w+\.gpkg", answer.headers["content-disposition"])
    (tmp_path / "refused.gpkg").write_bytes(answer.content)
    rows = pyogrio.read_dataframe(tmp_path / "refused.gpkg", layer="plots_refused")
    assert list(rows["code"]) == ["P-2"] and "empty-geometry" in rows["reasons"][0]
    assert client.get(listed["link"], headers={"Authorization": ""}).status_code == 401
    assert client.get("/api/quarantine", headers={"Authorization": ""}).status_code == 401


def test_a_file_that_names_no_crs(client: TestClient, tmp_path: Path) -> None:
    body = plots(tmp_path, [square(0), square(20)], crs=None)
    job = ended(client, ask(client, body, "check")["id"], seconds=60)
    assert job["state"] == "refused", job
    given = ended(client, ask(client, body, mapping={"crs": "EPSG:32639"})["id"], seconds=60)
    assert given["state"] == "done", given["problem"]


def test_killed_in_the_middle_of_a_real_load(
    settings: Settings, database: Engine, tmp_path: Path
) -> None:
    """``kill -9`` of a server that loads 40,000 plots; the next one loads them once."""
    side = 200
    x, y = np.meshgrid(np.arange(side) * 20.0, np.arange(side) * 20.0)
    shapes = shapely.box(EAST + x, NORTH + y, EAST + x + 20, NORTH + y + 20).ravel()
    body = plots(tmp_path, list(shapes))
    header = loading_service.token_for(database)
    with (
        httpx.Client(headers=header, timeout=60) as client,
        loading_service.Program(settings, real=True) as server,
    ):
        client.base_url = httpx.URL(server.url)
        job_id = ask(client, body)["id"]
        ended(client, job_id, "loading", seconds=60)
        until = time.monotonic() + 60
        while not client.get(f"/api/jobs/{job_id}").json()["progress"]:
            assert time.monotonic() < until
            time.sleep(0.01)
        server.kill()
    with (
        httpx.Client(headers=header, timeout=60) as client,
        loading_service.Program(settings, real=True) as server,
    ):
        client.base_url = httpx.URL(server.url)
        done = ended(client, job_id, "done", "refused", "failed", seconds=120)
        assert done["state"] == "done", done["problem"]
        assert done["summary"]["rows_stored"] == side * side
        server.stop()
    with database.connect() as connection:
        assert connection.scalar(text("select count(*) from layer_version")) == 1
        stray = connection.scalar(
            text(
                "select count(*) from pg_class where relkind = 'r' and relname ~ '_v[0-9]+$'"
                " and relname not in (select relation from layer_version where relation"
                " is not null)"
            )
        )
    assert stray == 0
