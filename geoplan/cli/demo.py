"""``geoplan demo``: the whole way on the synthetic country, then the map."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.cli.context import AppContext, console
from geoplan.cli.progress import step_lines
from geoplan.cli.serving import serving
from geoplan.cli.site import print_record, print_result
from geoplan.errors import CheckFailed, InputError
from geoplan.settings import Settings
from geoplan.store import cluster, read
from geoplan.store.session import engine_for, transaction
from geoplan.studies.steps import Progress

__all__ = ["demo"]

SCENARIO = "sample_large_estates"


@contextmanager
def _told(progress: Progress, name: str) -> Iterator[None]:
    start = time.perf_counter()
    progress(name, None)
    yield
    progress(name, time.perf_counter() - start)


def demo(
    ctx: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Fetch the page and a tile, then stop.")
    ] = False,
    port: Annotated[
        int | None, typer.Option(help="Port; without it 8000, or the next free one.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the synthetic country.")] = 7,
) -> None:
    """Make the synthetic country, load it, run its scenario, and serve the map."""
    from api.app import create_app
    from api.server import listen, run
    from geoplan.sample import make
    from geoplan.studies.pack import load_pack
    from geoplan.studies.record import find_run
    from geoplan.studies.site import run_site

    context: AppContext = ctx.obj
    catalogue = context.catalogue
    # A home of its own: the synthetic country must never replace the layers of a real one.
    settings = replace(
        context.settings,
        home=context.settings.home / "demo",
        runs_dir=context.settings.home / "demo" / "runs",
    )
    progress = step_lines()
    listener = listen("127.0.0.1", 8000 if port is None else port, find_free=port is None)
    begin = time.perf_counter()
    with closing(listener.socket), serving(settings):
        console.print("GeoPlan demo: a synthetic country, made up from a seed")
        with _told(progress, "database"):
            engine = engine_for(cluster.ensure(settings))
        _only_synthetic(engine, settings, catalogue)
        folder = settings.home / "sample" / f"seed-{seed}"
        with _told(progress, "make the country"):
            make(folder, seed=seed, keep=True)
        with _told(progress, "load its layers"):
            load_pack(
                engine, settings, catalogue, str(folder / "pack.yaml"), folder, loaded_by="demo"
            )
        known = find_run(engine, catalogue, SCENARIO)
        console.print()
        if known is None:
            outcome = run_site(engine, settings, catalogue, SCENARIO, progress=progress)
            run_id = outcome.run_id
            console.print()
            print_result(outcome.result)
        else:
            run_id = known.id
            print_record(known.document or {}, str(known.folder))
        console.print(f"\nrun {run_id}; ready after {time.perf_counter() - begin:.1f} s")
        app = create_app(settings, engine=engine, catalogue=catalogue)
        if check:
            _check(app, listener, run, run_id)
        else:
            run(
                app,
                listener,
                on_ready=lambda url: console.print(f"GeoPlan is at {url}   (Ctrl-C stops it)"),
            )


def _only_synthetic(engine: Engine, settings: Settings, catalogue: Catalogue) -> None:
    """Refuse a shared database (GEOPLAN_DATABASE_URL) that holds a real country."""
    with transaction(engine) as session:
        real = [
            k
            for k, v in read.layer_versions(session, catalogue.layers()).items()
            if not v["synthetic"]
        ]
    if real:
        raise InputError(
            f"this database holds real layers ({', '.join(real[:4])} …), which the demo would "
            "replace",
            where="GEOPLAN_DATABASE_URL" if settings.database_url else str(settings.home),
            remedy="unset GEOPLAN_DATABASE_URL, or name an empty database",
        )


def _check(app: Any, listener: Any, run: Any, run_id: str) -> None:
    """Serve in a thread, fetch the page, a tile and the portfolio as a browser would."""
    threading.Thread(target=run, args=(app, listener), daemon=True).start()
    page = _fetch(listener.url, "")
    if b'<div id="app"' not in page and b"<script" not in page:
        raise CheckFailed(
            "the page was served without its program",
            where=listener.url,
            remedy="build it: make setup",
        )
    info = json.loads(_fetch(listener.url, "api/info"))
    west, south, east, north = info["bounds"]
    z, x, y = _tile_at((west + east) / 2, (south + north) / 2, 7)
    tile = _fetch(listener.url, f"tiles/regions/1/{z}/{x}/{y}.mvt")
    if len(tile) < 20:
        raise CheckFailed(f"the tile {z}/{x}/{y} of the regions is empty", where=listener.url)
    sites = json.loads(_fetch(listener.url, f"api/runs/{run_id}/portfolio"))
    if not sites:
        raise CheckFailed("the served portfolio is empty", where=f"run {run_id}")
    console.print(
        f"checked {listener.url}: page {len(page):,} bytes, tile {z}/{x}/{y} {len(tile):,} bytes, "
        f"{len(sites)} sites"
    )


def _fetch(base: str, path: str) -> bytes:
    last: Exception | None = None
    for _ in range(50):
        try:
            with urllib.request.urlopen(base + path, timeout=20) as answer:  # noqa: S310
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            raise CheckFailed(
                f"{error.code} {error.reason}", where=base + path, remedy="see the lines above"
            ) from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            last = error
            time.sleep(0.1)
    raise CheckFailed(f"no answer: {last}", where=base + path)


def _tile_at(lon: float, lat: float, zoom: int) -> tuple[int, int, int]:
    """Return the Web Mercator tile (z, x, y) that holds a point."""
    import math

    n = 2**zoom
    x = int((lon + 180.0) / 360.0 * n)
    y = int((1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0 * n)
    return zoom, x, y
