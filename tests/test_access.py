"""Tokens: made once, kept as a hash, refused when unknown or revoked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import loading_service
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from api.errors import PROBLEM_TYPE
from geoplan.cli.app import app as command
from geoplan.errors import InputError, RangeError, UnknownName
from geoplan.settings import Settings
from geoplan.store.session import transaction
from geoplan.store.token import find_token, make_token, note_use, revoke_token, tokens


@pytest.fixture
def client(settings: Settings, database: Engine) -> Iterator[TestClient]:
    app = loading_service.service(settings, database)
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


class TestTokens:
    @pytest.fixture(autouse=True)
    def _made(self, client: TestClient) -> None:
        """Have the tables."""

    def test_only_its_hash_is_kept(self, database: Engine) -> None:
        with transaction(database) as session:
            made = make_token(session, "سارا احمدی")
            assert re.fullmatch(r"geoplan_[\w-]{43}", made)  # 32 bytes in base64
            found = find_token(session, made)
            assert found is not None and found.name == "سارا احمدی" and found.revoked_at is None
            assert find_token(session, made[:-1]) is None and find_token(session, "") is None
        with database.connect() as connection:
            (row,) = connection.execute(text("select * from access_token")).mappings()
        assert made not in str(dict(row)) and made.removeprefix("geoplan_") not in str(dict(row))
        assert row["sha256"] == hashlib.sha256(made.encode()).hexdigest()

    def test_one_token_in_use_for_each_name(self, database: Engine) -> None:
        with transaction(database) as session:
            first = make_token(session, "Sara")
        with transaction(database) as session, pytest.raises(InputError, match="already") as told:
            make_token(session, " Sara ")
        assert "geoplan user revoke Sara" in told.value.remedy
        with transaction(database) as session:
            revoke_token(session, "Sara")
            second = make_token(session, "Sara")
            old, new = find_token(session, first), find_token(session, second)
            assert old is not None and old.revoked_at is not None
            assert new is not None and new.revoked_at is None
            assert [t.revoked_at is None for t in tokens(session)] == [True, False]
            with pytest.raises(UnknownName, match="'Reza' has no token in use"):
                revoke_token(session, "Reza")

    @pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "x" * 101])
    def test_names_that_are_none(self, database: Engine, name: str) -> None:
        with transaction(database) as session, pytest.raises(RangeError):
            make_token(session, name)

    @pytest.mark.parametrize("name", ["'; drop table access_token; --", '"x" %s :y', "\\"])
    def test_names_like_sql_are_names(self, database: Engine, name: str) -> None:
        with transaction(database) as session:
            found = find_token(session, make_token(session, name))
            assert found is not None and found.name == name

    def test_last_use_to_a_minute(self, database: Engine) -> None:
        with transaction(database) as session:
            made = make_token(session, "Sara")
        seen = []
        for _ in range(2):
            with transaction(database) as session:
                note_use(session, made)
            with transaction(database) as session:
                found = find_token(session, made)
                assert found is not None
                seen.append(found.last_used)
        assert seen[0] is not None and seen[0] == seen[1]  # the second was within the minute
        assert abs(seen[0] - datetime.now(UTC)) < timedelta(minutes=1)


class TestRequests:
    @pytest.mark.parametrize(
        "header",
        [
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer geoplan_nobody"},
            {"Authorization": "Basic c2FyYTpzYXJh"},
            {"Authorization": "Bearer " + "x" * 5000},
            {"Authorization": "Bearer ' or '1'='1"},
        ],
    )
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PUT", "/api/uploads?name=a.json"),
            ("GET", "/api/uploads/x"),
            ("POST", "/api/jobs"),
            ("GET", "/api/jobs"),
            ("POST", "/api/jobs/x/confirm"),
            ("POST", "/api/jobs/x/cancel"),
        ],
    )
    def test_without_a_token_nothing_is_done(
        self, client: TestClient, method: str, path: str, header: dict[str, str]
    ) -> None:
        body = {"upload": "x", "options": {"layer": "made_plots"}}
        answer = client.request(method, path, headers=header, json=body)
        assert answer.status_code == 401, answer.text
        assert answer.headers["content-type"] == PROBLEM_TYPE
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "geoplan user" in answer.json()["remedy"]

    def test_a_revoked_token(self, client: TestClient, database: Engine) -> None:
        header = loading_service.token_for(database)
        assert client.get("/api/jobs", headers=header).status_code == 200
        with transaction(database) as session:
            revoke_token(session, "Sara")
        answer = client.get("/api/jobs", headers=header)
        assert answer.status_code == 403 and "revoked" in answer.json()["detail"]

    def test_reading_stays_open(self, client: TestClient) -> None:
        assert client.get("/api/layers").status_code == 200
        assert client.get("/api/jobs/0123456789abcdef").status_code == 404

    def test_no_other_host_is_let_in(self, client: TestClient, database: Engine) -> None:
        header = loading_service.token_for(database)
        answer = client.get("/api/jobs", headers={**header, "Origin": "https://other.example"})
        assert "access-control-allow-origin" not in answer.headers
        assert "set-cookie" not in answer.headers


class TestCommand:
    def test_add_list_revoke(self, settings: Settings, client: TestClient) -> None:
        runner = CliRunner()
        env = {"GEOPLAN_HOME": str(settings.home), "GEOPLAN_DATABASE_URL": settings.database_url}

        def run(*words: str) -> str:
            done = runner.invoke(command, ["user", *words], env=env, catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return done.stdout

        told = run("add", "Sara")
        token = told.splitlines()[0]
        header = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/jobs", headers=header).status_code == 200
        (listed,) = json.loads(run("list", "--json"))
        assert listed["name"] == "Sara" and listed["last_used"] and not listed["revoked_at"]
        assert token not in run("list")
        assert "refused from now on" in run("revoke", "Sara")
        assert client.get("/api/jobs", headers=header).status_code == 403
        assert json.loads(run("add", "Sara", "--json"))["token"] != token
