"""Upload, check, confirm, load through the API, on a real PostGIS."""

from __future__ import annotations

import errno
import hashlib
import shutil
import socket
import time
import unicodedata
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import loading_service
import pyogrio
import pytest
from example_inspection import every_kind
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from loading_service import asked, ended, sent
from made_delivery import MadeDelivery, wish
from pydantic import TypeAdapter
from sqlalchemy import Engine, text

from api import job_answers
from api.delivery import Studies, Work
from api.errors import PROBLEM_TYPE, TooLarge, TooMany
from api.headers import DOCUMENT_POLICY
from api.uploads import Uploads, safe_name
from geoplan.catalogue import Catalogue
from geoplan.errors import InputError
from geoplan.ingest.inspection import Inspection
from geoplan.settings import Settings
from geoplan.store.serve.database import Database

SMALL = 100_000  # bytes: largest upload of these tests


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return Settings(home=settings.home, database_url=settings.database_url, upload_mb=SMALL / 1e6)


@pytest.fixture
def client(settings: Settings, database: Engine) -> Iterator[TestClient]:
    """A client of somebody with a token."""
    app = loading_service.service(settings, database)
    with TestClient(app, raise_server_exceptions=False) as made:
        made.headers.update(loading_service.token_for(database))
        yield made


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM_TYPE
    body: dict[str, Any] = answer.json()
    assert body["status"] == status and body["detail"]
    return body


def left(settings: Settings) -> list[str]:
    """Return what lies in the folder of uploads."""
    found = (str(p.relative_to(settings.uploads_dir)) for p in settings.uploads_dir.rglob("*"))
    return sorted(name for name in found if ".place" not in name)


def apart(main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine on a thread of its own: the browser's driver holds the loop of this one."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(anyio.run, main).result()


class TestUploads:
    def test_a_file_arrives_whole(self, client: TestClient, settings: Settings) -> None:
        body = bytes(range(256)) * 300
        answer = client.put("/api/uploads", params={"name": "قطعه‌ها.gpkg"}, content=body)
        assert answer.status_code == 201
        made = job_answers.UploadAnswer.model_validate(answer.json())
        assert (made.name, made.bytes, made.sent_by) == ("قطعه‌ها.gpkg", 76_800, "Sara")
        assert made.sha256 == hashlib.sha256(body).hexdigest()
        assert answer.headers["location"] == f"/api/uploads/{made.id}"
        assert client.get(answer.headers["location"]).json() == answer.json()
        assert left(settings) == [made.id, f"{made.id}/قطعه‌ها.gpkg"]
        assert (settings.uploads_dir / made.id / made.name).read_bytes() == body

    def test_the_same_file_again_is_the_first(self, client: TestClient, settings: Settings) -> None:
        first = client.put("/api/uploads?name=a.json", content=b"same")
        again = client.put("/api/uploads?name=a.json", content=b"same")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["id"] == again.json()["id"]
        # Another name may be another format; other bytes are another file.
        other = client.put("/api/uploads?name=a.csv", content=b"same").json()["id"]
        assert len({first.json()["id"], other, sent(client, b"name")}) == 3
        assert len(left(settings)) == 6
        # What somebody has lost comes back under its old id.
        shutil.rmtree(settings.uploads_dir / other)
        assert client.put("/api/uploads?name=a.csv", content=b"same").json()["id"] == other
        assert (settings.uploads_dir / other / "a.csv").read_bytes() == b"same"

    def test_too_large(self, client: TestClient, settings: Settings) -> None:
        told = problem(client.put("/api/uploads?name=a", content=b"x" * (SMALL + 1)), 413)
        assert "GEOPLAN_UPLOAD_MB" in told["remedy"] and "0 MB" in told["detail"]
        # Not announced, so it only shows while it arrives.
        stream = (b"x" * 1000 for _ in range(200))
        problem(client.put("/api/uploads?name=a", content=stream), 413)
        assert not settings.uploads_dir.exists() or left(settings) == []
        assert client.put("/api/uploads?name=a", content=b"x" * SMALL).status_code == 201

    def test_empty_or_changed_on_the_way(self, client: TestClient, settings: Settings) -> None:
        assert "empty" in problem(client.put("/api/uploads?name=a", content=b""), 400)["detail"]
        digest = hashlib.sha256(b"right").hexdigest()
        wrong = client.put(f"/api/uploads?name=a&sha256={digest}", content=b"wrong")
        assert "SHA-256" in problem(wrong, 400)["detail"]
        assert left(settings) == []
        good = client.put(f"/api/uploads?name=a&sha256={digest.upper()}", content=b"right")
        assert good.status_code == 201

    def test_disk_full(
        self, client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("api.uploads._to_disk", full)
            told = problem(client.put("/api/uploads?name=a", content=b"x"), 507)
        assert str(settings.home) not in str(told) and left(settings) == []
        with monkeypatch.context() as patch:
            patch.setattr("api.uploads._SPARE", 1 << 62)  # more than any disk has
            problem(client.put("/api/uploads?name=a", content=b"x"), 507)
        assert client.put("/api/uploads?name=a", content=b"x").status_code == 201

    def test_cut_off_leaves_nothing(self, settings: Settings, database: Engine) -> None:
        uploads = Uploads(settings, Database(settings, database), at_once=1)

        async def cut() -> Any:
            yield b"x" * 1000
            assert len(left(settings)) == 2  # a folder with what has arrived
            raise ConnectionResetError

        async def one() -> Any:
            yield b"x"

        async def main() -> None:
            with pytest.raises(ConnectionResetError):
                await uploads.receive(cut(), name="a", sent_by="Sara")
            assert left(settings) == []
            waiting = anyio.Event()

            async def slow() -> Any:
                yield b"y"
                await waiting.wait()

            async with anyio.create_task_group() as group:
                group.start_soon(lambda: uploads.receive(slow(), name="b", sent_by="Sara"))
                await anyio.sleep(0.1)
                with pytest.raises(TooMany):
                    await uploads.receive(one(), name="c", sent_by="Sara")
                group.cancel_scope.cancel()  # the server stops while it arrives
            assert left(settings) == []
            with pytest.raises(TooLarge):
                await uploads.receive(one(), name="c", sent_by="Sara", length=SMALL + 1)

        apart(main)

    def test_a_sender_that_falls_silent(
        self, settings: Settings, database: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("api.uploads._IDLE_S", 0.1)
        uploads = Uploads(settings, Database(settings, database))

        async def silent() -> Any:
            yield b"x"
            await anyio.sleep(30)

        async def main() -> None:
            with pytest.raises(InputError, match="nothing arrived for"):
                await uploads.receive(silent(), name="a", sent_by="Sara")

        apart(main)
        assert left(settings) == []

    def test_database_lost(self, settings: Settings) -> None:
        from geoplan.store.session import engine_for

        lost = engine_for("postgresql://nobody:hidden@127.0.0.1:1/geoplan")
        uploads = Uploads(settings, Database(settings, lost))

        async def one() -> Any:
            yield b"x"

        async def main() -> None:
            with pytest.raises(Exception, match="cannot be reached") as told:
                await uploads.receive(one(), name="a", sent_by="Sara")
            assert "hidden" not in str(told.value) and "127.0.0.1" not in str(told.value)

        apart(main)
        assert left(settings) == []


class TestNames:
    @pytest.mark.parametrize(
        ("given_name", "kept"),
        [
            ("plots.gpkg", "plots.gpkg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\sara\\قطعات.shp.zip", "قطعات.shp.zip"),
            ("/vsicurl/http://10.0.0.1/a.tif", "a.tif"),
            ("a\x00b\nc\x7f.dxf", "abc.dxf"),
            ("a\u202egpj.exe", "agpj.exe"),  # text turned around to hide the ending
            ("می\u200cشود.csv", "می\u200cشود.csv"),  # the zero-width non-joiner is a letter here
            ("...hidden.json", "hidden.json"),
            ("trailing. . ", "trailing"),
            ("'; drop table upload; --.csv", "'; drop table upload; --.csv"),
            ("%s%(x)s:y.csv", "%s%(x)s:y.csv"),
            ("é.csv", "é.csv"),  # one letter, whether it was sent as one or two characters
        ],
    )
    def test_hostile_names(
        self, client: TestClient, settings: Settings, given_name: str, kept: str
    ) -> None:
        made = client.put("/api/uploads", params={"name": given_name}, content=b"x")
        assert made.status_code == 201, made.text
        assert made.json()["name"] == unicodedata.normalize("NFC", kept)
        assert left(settings) == [made.json()["id"], f"{made.json()['id']}/{made.json()['name']}"]

    @pytest.mark.parametrize("name", ["..", "/", "a/", "\x00", ". .", "\u200c", "\u202e", ""])
    def test_names_that_are_none(self, client: TestClient, name: str) -> None:
        problem(client.put("/api/uploads", params={"name": name}, content=b"x"), 400)

    @given(st.text(max_size=600))
    def test_a_name_is_one_short_component_and_keeps_its_ending(self, name: str) -> None:
        try:
            kept = safe_name(name + ".gpkg")
        except InputError:
            return
        assert "/" not in kept and "\\" not in kept and kept not in (".", "..")
        assert len(kept.encode()) <= 200 and not kept.startswith(".")
        assert not any(unicodedata.category(c) == "Cc" for c in kept)
        assert safe_name(kept) == kept
        assert kept.endswith("gpkg")


class TestJobs:
    def test_upload_check_confirm_load(self, client: TestClient) -> None:
        upload = sent(client, wish(rows=3))
        answer = client.post(
            "/api/jobs", json={"upload": upload, "options": {"layer": "made_plots"}}
        )
        assert answer.status_code == 202
        where = answer.headers["location"]
        job = ended(client, answer.json()["id"])
        assert where == job["links"]["self"]
        TypeAdapter(job_answers.JobAnswer).validate_python(job)
        assert job["state"] == "checked" and job["action"] == "check" and job["version"] is None
        summary = job["summary"]
        assert (summary["rows_read"], summary["rows_good"], summary["errors"]) == (3, 3, 0)
        assert summary["sha256"] == job["upload"]["sha256"]
        assert summary["files"] == ["problems.gpkg", "report.html", "report.json"]
        assert summary["columns"] == [{"field": "number", "source": "NO", "type": "string"}]
        assert client.get("/api/layers").json() == []  # nothing is kept by a check
        assert client.get(job["links"]["report"]).json() == {"file": "a.json"}
        page = client.get(job["links"]["report_html"])
        assert page.headers["content-security-policy"] == DOCUMENT_POLICY
        assert page.headers["content-disposition"].startswith("inline")
        places = client.get(job["links"]["problems"])
        assert places.headers["content-type"] == "application/geopackage+sqlite3"
        assert places.headers["cache-control"] == "no-store"

        confirmed = client.post(job["links"]["confirm"])
        assert confirmed.status_code == 202 and confirmed.headers["location"] == where
        done = ended(client, job["id"], "done")
        assert done["version"]["number"] == 1 and done["confirmed_by"] == "Sara"
        assert done["summary"]["rows_stored"] == 3 and done["summary"]["unchanged"] is False
        (layer,) = client.get("/api/layers").json()
        assert (layer["id"], layer["version"]) == ("made_plots", 1)
        assert client.get(done["links"]["layer"]).status_code == 200
        told = problem(client.post(f"{where}/confirm"), 409)
        assert "confirmed before" in told["detail"]

    def test_the_real_report(self, settings: Settings, database: Engine, tmp_path: Path) -> None:
        class Reporting(MadeDelivery):
            report = Studies(settings, Catalogue(())).report  # type: ignore[assignment]

            def check(self, work: Work) -> Inspection:
                digest = hashlib.sha256(work.file.read_bytes()).hexdigest()
                return replace(every_kind(), sha256=digest)

        app = loading_service.service(settings, database, delivery=Reporting())
        with TestClient(app) as client:
            client.headers.update(loading_service.token_for(database))
            job = ended(client, asked(client, sent(client, b"plots"))["id"])
            assert job["state"] == "refused" and job["summary"]["errors"] == every_kind().errors
            found = client.get(job["links"]["report"]).json()
            assert found["sha256"] == job["upload"]["sha256"] and found["findings"]
            page = client.get(job["links"]["report_html"])
            assert page.text.startswith("<!DOCTYPE html>") and every_kind().file in page.text
            (tmp_path / "problems.gpkg").write_bytes(client.get(job["links"]["problems"]).content)
        layers = dict(pyogrio.list_layers(tmp_path / "problems.gpkg"))
        assert {"problem_areas", "problem_rows", "file_problems"} <= set(layers)

    def test_load_at_once_is_the_persons(self, client: TestClient, database: Engine) -> None:
        reza = loading_service.token_for(database, "رضا")
        client.headers.update(reza)
        job = asked(client, sent(client, wish()), "load")
        assert ended(client, job["id"])["state"] == "done"
        with database.connect() as connection:
            assert connection.execute(text("select loaded_by from layer_version")).all() == [
                ("رضا",)
            ]

    def test_who_confirms_loads(self, client: TestClient, database: Engine) -> None:
        job = ended(client, asked(client, sent(client, wish()))["id"])
        client.headers.update(loading_service.token_for(database, "Reza"))
        client.post(job["links"]["confirm"])
        done = ended(client, job["id"], "done")
        assert (done["asked_by"], done["confirmed_by"]) == ("Sara", "Reza")
        with database.connect() as connection:
            assert connection.scalar(text("select loaded_by from layer_version")) == "Reza"

    def test_errors_in_the_file_refuse_it(self, client: TestClient) -> None:
        upload = sent(client, wish(rows=5, errors=2))
        job = ended(client, asked(client, upload)["id"])
        assert job["state"] == "refused" and "2 errors" in job["problem"]["detail"]
        (defect,) = job["summary"]["defects"]
        assert (defect["code"], defect["count"], defect["area_m2"]) == ("overlap", 2, None)
        assert defect["title"] == {"en": "Overlap", "local": "هم‌پوشانی"}
        assert "confirm" not in job["links"] and "report" in job["links"]
        told = problem(client.post(f"/api/jobs/{job['id']}/confirm"), 409)
        assert "partial" in told["remedy"]
        # Saying what was missing loads it.
        answer = client.post(f"/api/jobs/{job['id']}/confirm", json={"partial": True})
        assert answer.status_code == 202 and answer.json()["options"]["partial"] is True
        assert ended(client, job["id"])["state"] == "done"
        at_once = ended(client, asked(client, upload, "load")["id"])
        assert at_once["state"] == "refused" and at_once["summary"]["rows_refused"] == 2

    def test_what_the_file_did_wrong_is_told(self, client: TestClient) -> None:
        job = ended(client, asked(client, sent(client, wish(fail="crs")))["id"])
        assert job["state"] == "refused"
        assert job["problem"]["remedy"] == "give --crs" and job["problem"]["status"] == 400

    def test_an_unexpected_error_keeps_its_text(self, client: TestClient) -> None:
        job = ended(client, asked(client, sent(client, wish(fail="bug")))["id"])
        assert job["state"] == "failed" and "secret" not in str(job)
        assert job["problem"]["where"].startswith("reference ")

    def test_a_layer_that_changed_since_the_check(self, client: TestClient) -> None:
        first, second = (ended(client, asked(client, sent(client, wish(rows=n)))["id"])
                         for n in (2, 3))  # fmt: skip
        client.post(first["links"]["confirm"])
        assert ended(client, first["id"], "done")["version"]["number"] == 1
        told = problem(client.post(second["links"]["confirm"]), 409)
        assert "newer version" in told["detail"] and "anyway" in told["remedy"]
        answer = client.post(second["links"]["confirm"], json={"anyway": True})
        assert answer.status_code == 202
        assert ended(client, second["id"], "done")["version"]["number"] == 2

    def test_progress_and_cancel(self, client: TestClient) -> None:
        job = asked(client, sent(client, wish(rows=500, pause_s=0.02)), "load")
        until = time.monotonic() + 10
        while not (now := client.get(f"/api/jobs/{job['id']}").json())["progress"]:
            assert time.monotonic() < until
        assert now["state"] == "loading" and now["progress"]["rows_total"] == 500
        assert 0 < now["progress"]["rows_done"] < 500 and 0 < now["progress"]["share"] < 1
        assert now["progress"]["rows_per_s"] == 100 and now["progress"]["seconds_left"] > 0
        answer = client.post(now["links"]["cancel"])
        assert answer.status_code == 202 and answer.json()["stopping"] is True
        gone = ended(client, job["id"])
        assert gone["state"] == "cancelled" and gone["progress"] is None
        assert client.get("/api/layers").json() == []
        problem(client.post(f"/api/jobs/{job['id']}/cancel"), 409)
        problem(client.post(f"/api/jobs/{job['id']}/confirm"), 409)

    def test_cancel_while_it_waits(self, client: TestClient) -> None:
        slow = asked(client, sent(client, wish(rows=200, pause_s=0.02)))
        waiting = asked(client, sent(client, wish(rows=1)))
        answer = client.post(f"/api/jobs/{waiting['id']}/cancel")
        assert answer.json()["state"] == "cancelled"
        client.post(f"/api/jobs/{slow['id']}/cancel")
        assert ended(client, slow["id"])["state"] == "cancelled"

    def test_a_list_says_its_total(self, client: TestClient) -> None:
        made = [asked(client, sent(client, wish(rows=n)))["id"] for n in (1, 2, 3)]
        for job_id in made:
            ended(client, job_id)
        page = client.get("/api/jobs?limit=2").json()
        assert page["total"] == 3 and [j["id"] for j in page["items"]] == made[:0:-1]
        assert client.get("/api/jobs?state=done").json()["total"] == 0

    @pytest.mark.parametrize(
        ("wrong", "status"),
        [
            ({"upload": "nowhere", "options": {"layer": "made_plots"}}, 404),
            ({"upload": "x' or '1'='1", "options": {"layer": "made_plots"}}, 404),
            ({"upload": "\x00", "options": {"layer": "made_plots"}}, 400),
            ({"upload": "UPLOAD", "options": {"layer": "no_layer"}}, 404),
            ({"upload": "UPLOAD", "options": {"layer": "../../etc/passwd"}}, 400),
            ({"upload": "UPLOAD", "options": {"layer": "made_plots", "profile": "/etc/x"}}, 404),
            ({"upload": "UPLOAD", "options": {"layer": "made_plots", "odd": 1}}, 400),
            ({"upload": "UPLOAD", "options": {"layer": "made_plots", "mode": "drop"}}, 400),
            ({"upload": "UPLOAD", "options": {}}, 400),
            (
                {
                    "upload": "UPLOAD",
                    "options": {"layer": "made_plots", "mapping": {"encoding": "\x00"}},
                },
                400,
            ),
            ({"upload": "UPLOAD", "action": "erase", "options": {"layer": "made_plots"}}, 400),
            ({"upload": "UPLOAD", "odd": 1, "options": {"layer": "made_plots"}}, 400),
            ([], 400),
        ],
    )
    def test_bad_requests(self, client: TestClient, wrong: Any, status: int) -> None:
        upload = sent(client, b"x")
        if isinstance(wrong, dict) and wrong["upload"] == "UPLOAD":
            wrong = {**wrong, "upload": upload}
        problem(client.post("/api/jobs", json=wrong), status)
        assert client.get("/api/jobs").json()["total"] == 0

    def test_a_request_larger_than_any_form(self, client: TestClient) -> None:
        client.headers.pop("authorization")  # bodies are read before anybody is known
        told = problem(client.post("/api/jobs", content=b"[" * 2_000_001), 413)
        assert "PUT /api/uploads" in told["remedy"]
        endless = (b"[" * 100_000 for _ in range(1000))
        assert client.post("/api/jobs", content=endless).status_code in (400, 413)

    @pytest.mark.parametrize("name", ["report", "report.html", "problems.gpkg"])
    def test_no_report_yet(self, client: TestClient, name: str) -> None:
        job = ended(client, asked(client, sent(client, wish(fail="crs")))["id"])
        assert job["links"].keys() == {"self"}
        problem(client.get(f"/api/jobs/{job['id']}/{name}"), 404)
        problem(client.get(f"/api/jobs/{'0' * 32}/{name}"), 404)
        problem(client.get(f"/api/jobs/..%2f..%2fx/{name}"), 404)

    def test_a_file_that_was_taken_away_or_changed(
        self, client: TestClient, settings: Settings
    ) -> None:
        upload = sent(client, wish())
        job = ended(client, asked(client, upload)["id"])
        file = settings.uploads_dir / upload / "a.json"
        body = file.read_bytes()
        file.write_bytes(body.replace(b"2", b"3"))
        client.post(job["links"]["confirm"])
        told = ended(client, job["id"])
        assert told["state"] == "refused" and "not what was sent" in told["problem"]["detail"]
        file.unlink()
        gone = ended(client, asked(client, upload)["id"])
        assert gone["state"] == "refused" and "send it again" in gone["problem"]["remedy"]


def test_a_connection_that_breaks(settings: Settings, database: Engine) -> None:
    """A client that announces 50 kB, sends 10 and goes, over a real socket."""
    loading_service.service(settings, database)
    header = loading_service.token_for(database)
    with loading_service.Program(settings) as server:
        place = urlsplit(server.url)
        with socket.create_connection((place.hostname, place.port)) as line:
            line.sendall(
                f"PUT /api/uploads?name=a HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: {header['Authorization']}\r\n"
                "Content-Length: 50000\r\n\r\n".encode()
                + b"x" * 10_000
            )
            until = time.monotonic() + 10
            while not (settings.uploads_dir.exists() and left(settings)):
                assert time.monotonic() < until
                time.sleep(0.01)
        while left(settings):
            assert time.monotonic() < until
            time.sleep(0.01)
        answer = httpx.put(
            f"{server.url}api/uploads?name=a", content=b"x" * 200_000, headers=header
        )
        assert answer.status_code == 413
        assert httpx.get(f"{server.url}api/jobs", headers=header).json()["total"] == 0
