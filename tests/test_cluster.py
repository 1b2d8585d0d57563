"""The private cluster: found again, never in the way of another, nothing lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from geoplan.errors import DatabaseLost, DiskFull, InputError, PostgisMissing, Unavailable
from geoplan.settings import Settings
from geoplan.store import account, cluster, server
from geoplan.store.account import Place, known_place
from geoplan.store.binaries import find_binaries

ROOT = os.geteuid() == 0


def _new_home(mode: int = 0o755) -> Settings:
    # Not pytest's own folder: that one is closed to the user that PostgreSQL runs as under root.
    folder = Path(tempfile.mkdtemp(prefix="geoplan-test-"))
    folder.chmod(mode)
    return Settings(home=folder / "home")


def _remove(settings: Settings) -> None:
    place = known_place(settings.home)
    cluster.down(settings)
    if place is not None:
        shutil.rmtree(place.folder, ignore_errors=True)
    shutil.rmtree(settings.home.parent, ignore_errors=True)


@pytest.fixture
def make_home() -> Iterator[Callable[..., Settings]]:
    """Make homes of their own; stop and remove their clusters afterwards."""
    made: list[Settings] = []

    def make(mode: int = 0o755) -> Settings:
        made.append(_new_home(mode))
        return made[-1]

    yield make
    for settings in made:
        _remove(settings)


@pytest.fixture(scope="module")
def shared() -> Iterator[Settings]:
    """A home for tests that leave a whole cluster behind, running or not."""
    settings = _new_home()
    yield settings
    _remove(settings)


def run_sql(url: str, statement: str) -> object:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


def place_of(settings: Settings) -> Place:
    place = known_place(settings.home)
    assert place is not None
    return place


def test_life_of_a_cluster(make_home):
    settings = make_home()
    before = cluster.status(settings)
    assert not before.running
    assert before.data_dir is None
    assert "geoplan db up" in before.reason

    up = cluster.up(settings, durable=False)
    assert up.running
    assert int(up.server_version.split(".")[0]) >= 15
    assert up.postgis_version >= "3.3"
    assert make_url(up.url).host == "127.0.0.1"
    run_sql(up.url, "create table kept (name text)")
    run_sql(up.url, "insert into kept values ('شهرک صنعتی')")

    secret = cluster.password_file(settings)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE(up.data_dir.stat().st_mode) == 0o700
    assert run_sql(up.url, "show listen_addresses") == "127.0.0.1"
    assert run_sql(up.url, "show unix_socket_directories") == ""
    assert run_sql(up.url, "show server_encoding") == "UTF8"
    assert run_sql(up.url, "select datcollate from pg_database where datname='geoplan'") == "C"

    started = time.perf_counter()
    assert cluster.ensure(settings) == up.url
    assert time.perf_counter() - started < 0.5

    down = cluster.down(settings)
    assert not down.running
    assert "stopped" in down.reason
    assert cluster.down(settings) == down  # stopping what is stopped is no error

    again = cluster.up(settings, durable=False)
    assert again.port == up.port  # the same one, when it is still free
    assert run_sql(again.url, "select name from kept") == "شهرک صنعتی"


def test_wrong_password_is_refused(shared):
    status = cluster.up(shared, durable=False)
    for password in ("", "wrong"):
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(
                host="127.0.0.1", port=status.port, user="geoplan", password=password,
                dbname="geoplan", connect_timeout=5,
            )  # fmt: skip


def test_taken_port_at_restart_gives_another(shared):
    settings = shared
    first = cluster.up(settings, durable=False)
    cluster.down(settings)
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", first.port))
        thief.listen()
        second = cluster.up(settings, durable=False)
        assert second.running
        assert second.port != first.port
        assert cluster.ensure(settings) == second.url


def test_port_taken_between_probe_and_start(make_home, monkeypatch):
    settings = make_home()
    with socket.socket() as thief:
        thief.bind(("127.0.0.1", 0))
        thief.listen()
        taken = thief.getsockname()[1]
        honest = server.free_port
        offers = iter([taken, taken])
        monkeypatch.setattr(server, "free_port", lambda _=None: next(offers, honest()))
        status = cluster.up(settings, durable=False)
    assert status.running
    assert status.port != taken


def test_two_homes_at_once(make_home):
    one, two = make_home(), make_home()
    first, second = cluster.up(one, durable=False), cluster.up(two, durable=False)
    assert first.port != second.port
    assert first.data_dir != second.data_dir
    assert cluster.password_file(one).read_text() != cluster.password_file(two).read_text()
    run_sql(first.url, "create table mine (n int)")
    cluster.down(one)
    assert cluster.status(two).running
    assert run_sql(second.url, "select to_regclass('mine')") is None


def test_copied_home_leaves_the_original_alone(make_home):
    one = make_home()
    first = cluster.up(one, durable=False)
    run_sql(first.url, "create table mine (n int)")
    copy = make_home()
    copy.home.mkdir()
    for file in one.home.glob("database.*"):
        shutil.copy2(file, copy.home / file.name)
    second = cluster.up(copy, durable=False)
    assert second.data_dir != first.data_dir
    assert second.port != first.port
    assert cluster.status(one).running
    assert run_sql(second.url, "select to_regclass('mine')") is None


def test_many_processes_start_one_cluster(make_home):
    settings = make_home()
    script = (
        "import sys; from pathlib import Path; from geoplan.settings import Settings;"
        "from geoplan.store import cluster;"
        "print(cluster.ensure(Settings(home=Path(sys.argv[1]))))"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(settings.home)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = {process.communicate(timeout=120)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(said) == 1


def test_killed_server_comes_back_with_everything_committed(make_home):
    settings = make_home()
    url = cluster.up(settings).url
    run_sql(url, "create table kept as select 7 as n")
    found = server.postmaster(place_of(settings))
    os.kill(found.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while cluster.status(settings).running and time.monotonic() < until:
        time.sleep(0.05)
    assert not cluster.status(settings).running
    again = cluster.ensure(settings)
    assert run_sql(again, "select n from kept") == 7


def test_stale_pid_file_of_another_program(shared):
    settings = shared
    cluster.up(settings, durable=False)
    place = place_of(settings)
    pid_file = place.data / "postmaster.pid"
    said = pid_file.read_text().splitlines()
    cluster.down(settings)
    # After a restart of the machine the number may belong to anybody; here to this test.
    pid_file.write_text("\n".join([str(os.getpid()), *said[1:]]) + "\n")
    assert not cluster.status(settings).running
    assert not pid_file.exists()
    assert cluster.up(settings, durable=False).running


def test_lost_password_is_renewed_and_data_stay(shared):
    settings = shared
    status = cluster.up(settings, durable=False)
    run_sql(status.url, "create table secret_test as select 7 as n")
    cluster.password_file(settings).unlink()
    assert not cluster.status(settings).running
    again = cluster.ensure(settings)
    assert again != status.url
    assert run_sql(again, "select n from secret_test") == 7


def test_interrupted_initdb_leaves_nothing_in_the_way(make_home):
    settings = make_home()
    settings.home.mkdir()
    place = account.choose_place(settings.home)
    half = place.folder / "data.partial"
    half.mkdir()
    (half / "PG_VERSION").write_text("15\n")
    assert cluster.up(settings, durable=False).running
    assert not half.exists()


def test_ctrl_c_does_not_reach_the_server(shared):
    settings = shared
    cluster.up(settings, durable=False)
    found = server.postmaster(place_of(settings))
    assert os.getsid(found.pid) != os.getsid(0)
    assert os.getpgid(found.pid) != os.getpgid(0)


def test_server_that_cannot_start_names_its_log(make_home):
    settings = make_home()
    cluster.up(settings, durable=False)
    cluster.down(settings)
    place = place_of(settings)
    conf = place.data / "postgresql.conf"
    conf.write_text(conf.read_text() + "\nno_such_setting = 1\n")
    with pytest.raises(Unavailable, match="no_such_setting") as caught:
        cluster.up(settings, durable=False)
    assert caught.value.where == str(place.log)


@pytest.mark.parametrize(
    "said",
    [
        "initdb: error: could not write to file: No space left on device",
        'FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 19',
    ],
)
def test_full_disk_is_called_so_and_leaves_no_cluster(make_home, monkeypatch, said):
    settings = make_home()

    def full(command, *args, **kwargs):
        return subprocess.CompletedProcess(command, 1, "", said)

    monkeypatch.setattr(server, "_run", full)
    with pytest.raises(DiskFull) as caught:
        cluster.up(settings)
    assert str(settings.home) in caught.value.where
    assert list(place_of(settings).folder.iterdir()) == []


def test_missing_postgis_stops_before_anything_is_made(make_home, monkeypatch):
    settings = make_home()
    monkeypatch.setattr(cluster, "find_binaries", lambda **_: find_binaries([]))
    with pytest.raises(PostgisMissing, match="no PostgreSQL server") as caught:
        cluster.up(settings)
    assert "postgis-3" in caught.value.remedy


def test_unwritable_home_is_named(tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        cluster.up(Settings(home=file / "home"))


def test_other_server_is_used_and_never_stopped(settings):
    assert cluster.ensure(settings) == settings.database_url
    status = cluster.down(settings)
    assert status.running
    assert status.data_dir is None
    assert "GEOPLAN_DATABASE_URL" in status.reason
    assert make_url(settings.database_url).password not in status.reason


def test_other_server_that_does_not_answer(tmp_path):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        settings = Settings(
            home=tmp_path, database_url=f"postgresql://a:secret@127.0.0.1:{port}/geoplan"
        )
        with pytest.raises(DatabaseLost) as caught:
            cluster.ensure(settings)
        assert not cluster.status(settings).running
    assert "secret" not in str(caught.value)
    assert f"127.0.0.1:{port}" in str(caught.value)


@pytest.mark.skipif(not ROOT, reason="only root has to drop to another user")
def test_root_drops_to_an_unprivileged_user(shared):
    settings = shared
    cluster.up(settings, durable=False)
    place = place_of(settings)
    assert place.account.uid != 0
    found = server.postmaster(place)
    assert Path(f"/proc/{found.pid}").stat().st_uid == place.account.uid
    assert place.data.stat().st_uid == place.account.uid


@pytest.mark.skipif(not ROOT, reason="only root can own a folder that the server cannot enter")
def test_root_with_a_home_that_the_server_may_not_enter(make_home):
    settings = make_home(mode=0o700)
    status = cluster.up(settings, durable=False)
    assert status.running
    assert settings.home not in status.data_dir.parents
    assert "cannot enter" in status.reason
    assert str(status.data_dir.parent) in status.reason
    said = json.loads((settings.home / "database.json").read_text())
    assert said["folder"] == str(status.data_dir.parent)
    run_sql(status.url, "create table kept as select 7 as n")
    cluster.down(settings)

    # The whole private folder is deleted: its data, elsewhere, are found again.
    shutil.rmtree(settings.home)
    again = cluster.up(settings, durable=False)
    assert again.data_dir == status.data_dir
    assert run_sql(again.url, "select n from kept") == 7


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_ordinary_user(make_home):
    settings = make_home()
    settings.home.mkdir()
    nobody = pwd.getpwnam("nobody")
    os.chown(settings.home, nobody.pw_uid, nobody.pw_gid)
    # Forked with everything imported: that user may not be able to read this Python.
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=_as_user, args=(nobody.pw_uid, nobody.pw_gid, settings, send))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    status, owner = receive.recv()
    assert status.running
    assert status.data_dir == settings.home / "postgres" / "data"
    assert owner == nobody.pw_uid
    # Root, later, keeps the owner of the data and finds the same server.
    assert cluster.status(settings).url == status.url
    assert cluster.ensure(settings) == status.url


def _as_user(uid: int, gid: int, settings: Settings, send) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    cluster.up(settings, durable=False)
    cluster.down(settings)
    status = cluster.up(settings, durable=False)
    found = server.postmaster(place_of(settings))
    send.send((status, Path(f"/proc/{found.pid}").stat().st_uid))


@pytest.mark.skipif(not ROOT, reason="only root can become another user")
def test_cluster_of_somebody_else_is_refused_by_name(shared):
    settings = shared
    cluster.up(settings, durable=False)
    owner = place_of(settings).account.name
    nobody = pwd.getpwnam("nobody")
    fork = multiprocessing.get_context("fork")
    receive, send = fork.Pipe(duplex=False)
    child = fork.Process(target=_refused, args=(nobody.pw_uid, nobody.pw_gid, settings, send))
    child.start()
    child.join(60)
    if owner != "nobody":
        assert f"belongs to user {owner}" in receive.recv()


def _refused(uid: int, gid: int, settings: Settings, send) -> None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    try:
        cluster.status(settings)
    except InputError as error:
        send.send(str(error))
    else:
        send.send("not refused")
