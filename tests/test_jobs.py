"""The worker: no job is lost, none is done twice, whatever is killed when."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import loading_service
import pytest
from fastapi.testclient import TestClient
from loading_service import Program, asked, ended, sent
from made_delivery import MadeDelivery, wish
from sqlalchemy import Engine, text

from api.delivery import Work
from geoplan.errors import CheckFailed, Stopped
from geoplan.ingest.inspection import Inspection
from geoplan.settings import Settings
from geoplan.store import job as jobs
from geoplan.store import job_work
from geoplan.store.session import transaction
from geoplan.store.upload import find_upload, known_uploads, put_upload, remove_old


@pytest.fixture(autouse=True)
def tables(settings: Settings, database: Engine) -> None:
    loading_service.service(settings, database)


@pytest.fixture
def header(database: Engine) -> dict[str, str]:
    return loading_service.token_for(database)


def queue(database: Engine, *names: str, phase: Any = "check") -> None:
    with transaction(database) as session:
        upload = put_upload(
            session, upload_id="u", place="here", name="a", size=1, sha256="0", sent_by="Sara"
        )
    for name in names:
        with transaction(database) as session:
            jobs.add_job(
                session, job_id=name, upload_id=upload.id, layer_id="made_plots",
                options={"layer": "made_plots"}, phase=phase, asked_by="Sara",
            )  # fmt: skip


def claim(database: Engine, worker: str, **how: Any) -> jobs.JobInfo | None:
    with transaction(database) as session:
        return job_work.claim(session, worker=worker, **{"place": "here", **how})


def state(database: Engine, name: str) -> str:
    with database.connect() as connection:
        asked = text("select state from load_job where id = :name")
        return str(connection.scalar(asked, {"name": name}))


def scalar(database: Engine, sql: str) -> Any:
    with database.connect() as connection:
        return connection.scalar(text(sql))


def versions(database: Engine) -> int:
    return int(scalar(database, "select count(*) from layer_version"))


class TestClaims:
    def test_oldest_first_and_each_once(self, database: Engine) -> None:
        queue(database, "j1", "j2")
        first, second = claim(database, "a"), claim(database, "b")
        assert first is not None and second is not None
        assert (first.id, second.id) == ("j1", "j2") and first.state == "running"
        assert claim(database, "c") is None

    def test_two_workers_never_take_one(self, database: Engine) -> None:
        names = [f"j{n:03}" for n in range(60)]
        queue(database, *names)
        taken: dict[str, list[str]] = {w: [] for w in "abcd"}
        gate = threading.Barrier(4)

        def work(worker: str) -> None:
            gate.wait()
            while (job := claim(database, worker)) is not None:
                taken[worker].append(job.id)

        threads = [threading.Thread(target=work, args=(w,)) for w in taken]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(n for found in taken.values() for n in found) == names
        assert scalar(database, "select max(tries) from load_job") == 1

    def test_a_claim_in_the_making_is_passed_over(self, database: Engine) -> None:
        queue(database, "j1", "j2")
        with transaction(database) as session:
            first = job_work.claim(session, worker="a", place="here")
            second = claim(database, "b")  # does not wait for the other transaction
            assert first is not None and second is not None and second.id == "j2"

    def test_only_where_the_file_lies(self, database: Engine) -> None:
        queue(database, "j1")
        assert claim(database, "a", place="elsewhere") is None
        assert claim(database, "b") is not None

    def test_taken_up_when_the_worker_is_gone(self, database: Engine) -> None:
        queue(database, "j1")
        claim(database, "a")
        assert claim(database, "b") is None  # its heartbeat is young
        again = claim(database, "b", dead=["a"])
        assert again is not None and again.tries == 2
        time.sleep(0.05)
        assert claim(database, "c", stale_s=30) is None
        assert claim(database, "c", stale_s=0.02) is not None
        with transaction(database) as session:
            # Who has lost it can neither tell nor finish.
            assert job_work.beat(session, "j1", worker="b", progress=None) is None
            assert not job_work.finish(session, "j1", worker="b", state="checked")
            assert job_work.beat(session, "j1", worker="c", progress={"step": "read"}) is False
        assert state(database, "j1") == "running"

    def test_given_up_after_three(self, database: Engine) -> None:
        queue(database, "j1")
        for worker in "abc":
            with transaction(database) as session:
                job_work.give_up(session, dead=["a", "b"], stale_s=60, tries=3, problem={})
            assert claim(database, worker, dead=["a", "b"]) is not None
        with transaction(database) as session:
            told = {"detail": "died"}
            assert job_work.give_up(session, dead=["c"], stale_s=60, tries=3, problem=told) == 1
            found = jobs.find_job(session, "j1")
            assert (found.state, found.problem) == ("failed", told)

    def test_handed_back_is_no_try(self, database: Engine) -> None:
        queue(database, "j1")
        for counted, tries in ((False, 0), (True, 1), (False, 1)):
            claim(database, "a")
            with transaction(database) as session:
                job_work.hand_back(session, "j1", worker="a", counted=counted)
                found = jobs.find_job(session, "j1")
                assert (found.state, found.tries) == ("queued", tries)

    def test_cancelled_while_its_worker_died_or_stopped(self, database: Engine) -> None:
        queue(database, "j1", "j2")
        for name in ("j1", "j2"):
            claim(database, "a")
            with transaction(database) as session:
                assert jobs.cancel(session, name).stop_asked
        with transaction(database) as session:
            job_work.hand_back(session, "j1", worker="a")
            job_work.give_up(session, dead=["a"], stale_s=60, tries=3, problem={})
        assert state(database, "j1") == state(database, "j2") == "cancelled"


class TestOnce:
    @pytest.fixture
    def version(self, database: Engine) -> int:
        with database.begin() as connection:
            connection.execute(
                text("insert into layer values ('made_plots', 'x', null, 'x', 'vector', '{}')")
            )
            return int(
                connection.scalar(
                    text(
                        "insert into layer_version (layer_id, number, source_file, sha256,"
                        " loaded_by, rows_read, rows_stored, rows_refused, source, licence,"
                        " confidence, synthetic, report) values ('made_plots', 1, 'a', '0', 'x',"
                        " 0, 0, 0, '', '', '', true, '[]') returning id"
                    )
                )
            )

    def test_settled_with_the_load_or_not_at_all(self, database: Engine, version: int) -> None:
        queue(database, "j1", phase="load")
        claim(database, "a")
        with pytest.raises(RuntimeError), transaction(database) as session:
            job_work.settle(session, "j1", version)
            raise RuntimeError
        assert state(database, "j1") == "loading"
        with transaction(database) as session:
            job_work.settle(session, "j1", version)
        assert state(database, "j1") == "done"
        with transaction(database) as session:
            assert job_work.beat(session, "j1", worker="a", progress=None) is False
            assert not job_work.finish(session, "j1", worker="a", state="failed")
            # Others see it done when its worker has written what was found.
            assert jobs.find_job(session, "j1").state == "loading"
            assert job_work.finish(session, "j1", worker="a", state="done", summary={"x": 1})
            found = jobs.find_job(session, "j1")
            assert (found.state, found.summary) == ("done", {"x": 1})
            assert (found.version_id, found.version_number) == (version, 1)
        assert claim(database, "b", stale_s=0) is None

    def test_kept_by_a_worker_that_died_before_it_could_tell(
        self, database: Engine, version: int
    ) -> None:
        queue(database, "j1", phase="load")
        claim(database, "a")
        with transaction(database) as session:
            job_work.settle(session, "j1", version)
        with transaction(database) as session:
            assert job_work.busy_workers(session) == ["a"]
            assert job_work.give_up(session, dead=["a"], stale_s=60, tries=1, problem={}) == 0
            found = jobs.find_job(session, "j1")
            assert (found.state, found.version_number) == ("done", 1)

    def test_the_second_of_two_loads_is_rolled_back(self, database: Engine, version: int) -> None:
        queue(database, "j1", phase="load")
        claim(database, "a")
        claim(database, "b", dead=["a"])  # a was thought dead, but goes on
        kept, refused = [], []

        def load(worker: str, seconds: float) -> None:
            try:
                with transaction(database) as session:
                    job_work.settle(session, "j1", version)
                    time.sleep(seconds)
                kept.append(worker)
            except Stopped as error:
                refused.append(error.what)

        threads = [threading.Thread(target=load, args=(w, 0.2)) for w in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(kept) == 1 and refused == ["the job is done; nothing was kept"]

    def test_cancelled_before_the_last_step(self, database: Engine, version: int) -> None:
        queue(database, "j1", phase="load")
        claim(database, "a")
        with transaction(database) as session:
            jobs.cancel(session, "j1")
        with transaction(database) as session, pytest.raises(Stopped, match="cancelled"):
            job_work.settle(session, "j1", version)

    def test_confirming_twice_at_once_loads_once(self, database: Engine) -> None:
        queue(database, "j1")
        claim(database, "a")
        with transaction(database) as session:
            job_work.finish(session, "j1", worker="a", state="checked")
        done, refused = [], []

        def confirm() -> None:
            try:
                with transaction(database) as session:
                    jobs.confirm(session, "j1", confirmed_by="Sara", options={})
                done.append(1)
            except CheckFailed as error:
                refused.append(error.what)

        threads = [threading.Thread(target=confirm) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(done) == 1 and refused == ["the job was confirmed before: queued"] * 3


class TestRestart:
    """A real server process, killed or stopped in the middle of a load."""

    @pytest.fixture
    def client(self, header: dict[str, str]) -> Iterator[httpx.Client]:
        with httpx.Client(headers=header, timeout=20) as made:
            yield made

    def begin(self, client: httpx.Client, server: Program, body: bytes, action: str) -> str:
        client.base_url = httpx.URL(server.url)
        return str(asked(client, sent(client, body), action)["id"])  # type: ignore[arg-type]

    def until_rows(self, client: httpx.Client, job_id: str, rows: int) -> None:
        until = time.monotonic() + 60
        while True:
            job = client.get(f"/api/jobs/{job_id}").json()
            if job["progress"] and job["progress"]["rows_done"] >= rows:
                return
            assert time.monotonic() < until, job
            time.sleep(0.02)

    def starts(self, settings: Settings) -> list[str]:
        (file,) = settings.uploads_dir.glob("*/starts")
        return file.read_text().split()

    def test_killed_in_the_middle_of_a_load(
        self, settings: Settings, database: Engine, client: httpx.Client
    ) -> None:
        with Program(settings) as server:
            job_id = self.begin(client, server, wish(rows=100, pause_s=0.03), "load")
            self.until_rows(client, job_id, 5)
            server.kill()
        assert state(database, job_id) == "loading" and versions(database) == 0
        with Program(settings) as server:
            client.base_url = httpx.URL(server.url)
            done = ended(client, job_id)
            server.stop()
        assert done["state"] == "done" and done["version"]["number"] == 1
        assert versions(database) == 1
        assert len(set(self.starts(settings))) == 2  # begun by two processes, kept once

    def test_stopped_in_the_middle_of_a_load(
        self, settings: Settings, database: Engine, client: httpx.Client
    ) -> None:
        with Program(settings) as server:
            job_id = self.begin(client, server, wish(rows=100, pause_s=0.03), "load")
            self.until_rows(client, job_id, 5)
            server.stop()
        assert state(database, job_id) == "queued" and versions(database) == 0
        assert scalar(database, "select tries from load_job") == 0
        assert list((settings.jobs_dir / ".workers").iterdir()) == []
        with Program(settings) as server:
            client.base_url = httpx.URL(server.url)
            assert ended(client, job_id)["state"] == "done"
        assert versions(database) == 1

    def test_a_check_is_repeated_and_a_finished_one_is_not(
        self, settings: Settings, client: httpx.Client
    ) -> None:
        with Program(settings) as server:
            job_id = self.begin(client, server, wish(rows=60, pause_s=0.03), "check")
            self.until_rows(client, job_id, 2)
            server.kill()
        with Program(settings) as server:
            client.base_url = httpx.URL(server.url)
            first = ended(client, job_id)
            assert first["state"] == "checked"
            server.kill()
        with Program(settings) as server:
            client.base_url = httpx.URL(server.url)
            time.sleep(0.5)
            assert client.get(f"/api/jobs/{job_id}").json() == first

    def test_two_servers_share_the_work(
        self, settings: Settings, database: Engine, client: httpx.Client
    ) -> None:
        with Program(settings) as one, Program(settings):
            made = [
                self.begin(client, one, wish(rows=n, pause_s=0.05), "load") for n in range(10, 16)
            ]
            assert {ended(client, j)["state"] for j in made} == {"done"}
        assert versions(database) == 6
        begun = [line for f in settings.uploads_dir.glob("*/starts")
                 for line in f.read_text().split()]  # fmt: skip
        assert len(begun) == 6 and len(set(begun)) == 2

    def test_a_file_that_kills_the_server_is_given_up(
        self, settings: Settings, database: Engine, client: httpx.Client
    ) -> None:
        with Program(settings, tries=2) as server:
            job_id = self.begin(client, server, wish(rows=1000, pause_s=0.03), "load")
            self.until_rows(client, job_id, 1)
            server.kill()
        with Program(settings, tries=2) as server:
            client.base_url = httpx.URL(server.url)
            until = time.monotonic() + 60
            while scalar(database, "select tries from load_job") < 2:  # it has been taken up
                assert time.monotonic() < until
                time.sleep(0.02)
            server.kill()
        with Program(settings, tries=2) as server:
            client.base_url = httpx.URL(server.url)
            told = ended(client, job_id)
        assert told["state"] == "failed" and "2 times" in told["problem"]["detail"]
        assert versions(database) == 0


class TestWorker:
    def test_database_lost_in_the_middle(
        self, settings: Settings, database: Engine, header: dict[str, str]
    ) -> None:
        app = loading_service.service(settings, database, tries=2)
        with TestClient(app, headers=header) as client:
            job = ended(client, asked(client, sent(client, wish(fail="lost")), "load")["id"])
        # Tried again, then told; the server's address is nobody's business.
        assert job["state"] == "failed" and job["problem"]["status"] == 503
        assert versions(database) == 0

    def test_connections_killed_in_the_middle(
        self, settings: Settings, database: Engine, header: dict[str, str]
    ) -> None:
        app = loading_service.service(settings, database)
        with TestClient(app, headers=header) as client:
            job = asked(client, sent(client, wish(rows=40, pause_s=0.03)), "load")
            ended(client, job["id"], "loading")
            with database.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            done = ended(client, job["id"], "done", "failed", "refused")
        assert done["state"] == "done" and versions(database) == 1

    def test_a_report_that_cannot_be_written_stops_no_load(
        self, settings: Settings, database: Engine, header: dict[str, str]
    ) -> None:
        class NoReport(MadeDelivery):
            def report(self, inspection: Inspection, folder: Path) -> None:
                raise OSError(f"no space left for {inspection.file} in {folder}")

        app = loading_service.service(settings, database, delivery=NoReport())
        with TestClient(app, headers=header) as client:
            job = ended(client, asked(client, sent(client, wish()), "load")["id"])
        assert job["state"] == "done" and job["summary"]["report_problem"] == "OSError"
        assert job["summary"]["files"] == []

    def test_requests_are_answered_while_it_works(
        self, settings: Settings, database: Engine, header: dict[str, str]
    ) -> None:
        class Holding(MadeDelivery):
            def check(self, work: Work) -> Inspection:
                while not work.stop():
                    time.sleep(0.01)
                raise Stopped("stopped as asked")

        app = loading_service.service(settings, database, delivery=Holding())
        with TestClient(app, headers=header) as client:
            job = asked(client, sent(client, wish()))
            ended(client, job["id"], "running")
            for _ in range(20):
                assert client.get("/api/layers").status_code == 200
        # Leaving stops the service, and that hands the job back.
        assert state(database, job["id"]) == "queued"

    def test_old_things_are_swept(
        self, settings: Settings, database: Engine, header: dict[str, str]
    ) -> None:
        app = loading_service.service(settings, database)
        with TestClient(app, headers=header) as client:
            old, young = (ended(client, asked(client, sent(client, wish(rows=n)))["id"])
                          for n in (1, 2))  # fmt: skip
            left_over = settings.uploads_dir / "unknown"
            left_over.mkdir()
            os.utime(left_over, (0, 0))
            for folder in (
                settings.uploads_dir / old["upload"]["id"],
                settings.jobs_dir / old["id"],
            ):
                os.utime(folder, (0, 0))
        with database.begin() as connection:
            connection.execute(
                text(
                    "update upload set created_at = now() - interval '31 days' where id = :id"
                ), {"id": old["upload"]["id"]},
            )  # fmt: skip
            connection.execute(
                text(
                    "update load_job set created_at = now() - interval '31 days',"
                    " finished_at = now() - interval '31 days' where id = :id"
                ), {"id": old["id"]},
            )  # fmt: skip
        app = loading_service.service(settings, database)
        with TestClient(app, headers=header) as client:
            until = time.monotonic() + 10
            while left_over.exists() or (settings.jobs_dir / old["id"]).exists():
                assert time.monotonic() < until
                time.sleep(0.02)
            assert client.get(f"/api/jobs/{old['id']}").status_code == 404
            assert not (settings.uploads_dir / old["upload"]["id"]).exists()
            assert client.get(young["links"]["report"]).status_code == 200

    def test_what_is_in_use_is_not_swept(self, database: Engine) -> None:
        queue(database, "j1", "j2")
        with database.begin() as connection:
            connection.execute(text("update upload set created_at = now() - interval '99 days'"))
            connection.execute(text("update load_job set created_at = now() - interval '99 days'"))
        with transaction(database) as session:
            assert remove_old(session, days=30) == 0
            assert find_upload(session, "u").name == "a"
            assert known_uploads(session) == ({"u"}, {"j1", "j2"})
