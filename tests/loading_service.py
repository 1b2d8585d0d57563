"""The service with tokens, uploads and jobs, for tests; as a program: a server that can be killed.

``python tests/loading_service.py JSON`` serves on a free port of this machine and prints its
address.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from made_delivery import LAYER, MadeDelivery
from sqlalchemy import Engine

from api.app import create_app
from api.delivery import Delivery
from api.jobs import Pace
from api.limits import Limits
from api.server import listen, run
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings
from geoplan.store.session import engine_for, transaction
from geoplan.store.token import make_token

HURRY = {"poll_s": 0.05, "beat_s": 0.05}


def service(
    settings: Settings, engine: Engine, *, delivery: Delivery | None = None, **pace: Any
) -> FastAPI:
    """Return the service on a catalogue of one layer."""
    layers = settings.home / "layers"
    layers.mkdir(parents=True, exist_ok=True)
    (layers / "made_plots.yaml").write_text(LAYER, encoding="utf-8")
    return create_app(
        settings,
        engine=engine,
        catalogue=Catalogue((layers,)),
        limits=Limits(fresh_seconds=0),
        web_folder=settings.home / "web",
        delivery=delivery or MadeDelivery(),
        pace=Pace(**{**HURRY, **pace}),
    )


def token_for(engine: Engine, name: str = "Sara") -> dict[str, str]:
    """Return the header that a person with a token sends."""
    with transaction(engine) as session:
        return {"Authorization": f"Bearer {make_token(session, name)}"}


def ended(client: Any, job_id: str, *states: str, seconds: float = 60) -> dict[str, Any]:
    """Return a job once it is in one of these states."""
    wanted = states or ("checked", "done", "refused", "failed", "cancelled")
    until = time.monotonic() + seconds
    while True:
        job: dict[str, Any] = client.get(f"/api/jobs/{job_id}").json()
        if job["state"] in wanted:
            return job
        assert time.monotonic() < until, job
        time.sleep(0.02)


def sent(client: TestClient, body: bytes, name: str = "a.json") -> str:
    """Send a file; return its id."""
    answer = client.put("/api/uploads", params={"name": name}, content=body)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


def asked(client: TestClient, upload: str, action: str = "check", **options: Any) -> dict[str, Any]:
    """Ask for a job; return it."""
    wish = {"upload": upload, "action": action, "options": {"layer": "made_plots", **options}}
    answer = client.post("/api/jobs", json=wish)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    return job


class Program:
    """A server in a process of its own, which a test may kill or stop."""

    def __init__(self, settings: Settings, *, real: bool = False, **pace: float) -> None:
        root = Path(__file__).resolve().parents[1]
        wish = {
            "home": str(settings.home),
            "url": settings.database_url,
            "upload_mb": settings.upload_mb,
            "real": real,
            "pace": pace,
        }
        self.process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(wish)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}"},
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        assert self.process.wait(40) == 0


def main(wish: str) -> None:
    """Serve until stopped."""
    given = json.loads(wish)
    listener = listen(port=0)
    settings = Settings(
        home=Path(given["home"]), database_url=given["url"], upload_mb=given["upload_mb"]
    )
    engine = engine_for(given["url"])
    if given["real"]:  # the catalogue and the loading of real files
        app = create_app(settings, engine=engine, pace=Pace(**{**HURRY, **given["pace"]}))
    else:
        app = service(settings, engine, **given["pace"])
    run(app, listener, on_ready=lambda address: print(address, flush=True))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
