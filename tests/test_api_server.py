"""The port that the service takes, and how it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from api.server import listen, run, serve
from geoplan.catalogue import Catalogue
from geoplan.errors import GeoPlanError, InputError, PortTaken, RangeError
from geoplan.settings import Settings

PROGRAM = """
from pathlib import Path
from api.app import create_app
from api.server import listen, run
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings
listener = listen(port=0)
app = create_app(Settings(home=Path()), catalogue=Catalogue(()))
run(app, listener, on_ready=lambda url: print(url, flush=True))
print("stopped", flush=True)
"""


def taken_port() -> tuple[socket.socket, int]:
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.listen()
    return held, int(held.getsockname()[1])


def test_next_free_port() -> None:
    held, port = taken_port()
    with held:
        listener = listen(port=port)
        with listener.socket:
            assert port < listener.port <= port + 100
            assert listener.url == f"http://127.0.0.1:{listener.port}/"
            # The port is held from here on: a second service goes one further.
            with listen(port=port).socket as second:
                assert second.getsockname()[1] > listener.port


def test_an_explicit_port_that_is_taken() -> None:
    held, port = taken_port()
    with held, pytest.raises(PortTaken, match=f"port {port} is in use") as caught:
        listen(port=port, find_free=False)
    assert "--port" in caught.value.remedy


@pytest.mark.parametrize(
    ("host", "port", "error"),
    [
        ("127.0.0.1", 65536, RangeError),
        ("127.0.0.1", -1, RangeError),
        ("192.0.2.1", 0, InputError),  # kept for documentation, never an address of a machine
        ("no host", 0, InputError),
    ],
)
def test_impossible_places(host: str, port: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        listen(host, port)


def test_address_to_open() -> None:
    with (listener := listen("0.0.0.0", 0)).socket:
        assert listener.url == f"http://127.0.0.1:{listener.port}/"


def test_the_port_is_free_again_when_serving_cannot_start(tmp_path: Path) -> None:
    held, port = taken_port()
    held.close()
    broken = Settings(
        home=tmp_path,
        database_url="postgresql://nobody@127.0.0.1:1/geoplan_test",
        layers_dir=tmp_path / "nowhere",
    )
    with pytest.raises(GeoPlanError):
        serve(broken, port=port, find_free=False)
    with listen(port=port, find_free=False).socket:
        pass


def test_connections_wait_for_the_service() -> None:
    listener = listen(port=0)
    app = create_app(Settings(home=Path()), catalogue=Catalogue(()))
    ready: list[str] = []
    # Daemon: a thread gets no Ctrl-C; the process ends it.
    threading.Thread(
        target=run, args=(app, listener), kwargs={"on_ready": ready.append}, daemon=True
    ).start()
    answer = httpx.get(f"{listener.url}api/openapi.json", timeout=20)
    assert answer.status_code == 200
    assert ready == [listener.url]
    assert "server" not in answer.headers


def test_a_request_that_is_cut_off_is_told_so() -> None:
    program = """
import asyncio
from fastapi import FastAPI
from api import server
server._GRACE_S = 1
app = FastAPI()
@app.get("/slow")
async def slow():
    await asyncio.sleep(60)
server.run(app, server.listen(port=0), on_ready=lambda url: print(url, flush=True))
"""
    root = Path(__file__).resolve().parents[1]
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.stdout is not None
    url = child.stdout.readline().strip()
    try:
        threading.Timer(0.5, child.terminate).start()
        answer = httpx.get(f"{url}slow", timeout=15)
        _, err = child.communicate(timeout=15)
    finally:
        child.kill()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert child.returncode == 0 and "Traceback" not in err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_stops_cleanly(signum: int) -> None:
    root = Path(__file__).resolve().parents[1]
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.stdout is not None
    url = child.stdout.readline().strip()
    try:
        assert httpx.get(f"{url}api/openapi.json", timeout=10).status_code == 200
        started = time.monotonic()
        child.send_signal(signum)
        out, err = child.communicate(timeout=15)
    finally:
        child.kill()
    assert time.monotonic() - started < 10
    assert "Traceback" not in err
    assert out.strip() == "stopped" and child.returncode == 0
