"""Requests per second of the service on 500,000 adjacent plots, beside bare ``ST_AsMVT``.

``python -m benchmarks.api [--plots 500000] [--seconds 2]`` makes its own database in a private
cluster, serves it in a second process, and asks from this one. Client, server and database share
the machine: compare the rows of one run with each other, not with another machine's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import multiprocessing
import random
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from api.app import create_app
from api.limits import Limits
from api.server import Listener, listen, run
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings
from geoplan.store import cluster
from geoplan.store.session import engine_for

WEST, SOUTH = 51.0, 32.0
STEP = 0.0004  # about 40 m: one plot

FILL = """
insert into layer (id, title_en, theme, kind, spec) values
  ('plots', 'Plots', 'cadastre', 'vector', '{"table": "plots", "geometry": "polygon"}');
insert into layer_version
  (layer_id, number, source_file, sha256, loaded_by, rows_read, rows_stored, rows_refused,
   source, licence, confidence, synthetic, report)
  values ('plots', 1, 'none', repeat('0', 64), 'benchmark', :n, :n, 0, '', '', '', true, '[]');
update layer set current_version_id = (select max(id) from layer_version);
insert into plot (version_id, key, block_key, number, area_m2, zone, status, attrs, geom)
  select v.id, 'p' || i, 'b' || i / 40, i::text, 1600, 'industrial', 'free', '{}',
         ST_Multi(ST_MakeEnvelope(:w + (i % :side) * :d, :s + (i / :side) * :d,
                                  :w + (i % :side + 1) * :d, :s + (i / :side + 1) * :d, 4326))
  from generate_series(0, :n - 1) i, (select max(id) id from layer_version) v;
analyze plot;
"""

BARE = """
select ST_AsMVT(t, 'layer', 4096, 'geom', 'id') from (
  select id, key, block_key, number, area_m2, zone, status,
         ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) geom
  from plot where version_id = (select current_version_id from layer)
    and geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)) t
"""


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Return the tile that holds a place."""
    n = 1 << z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return z, int((lon + 180) / 360 * n), int(y)


def tiles(z: int, count: int, side: int) -> list[tuple[int, int, int]]:
    """Return ``count`` tiles over the plots, the same in every run."""
    chance = random.Random(z)
    span = side * STEP
    return [
        tile_at(WEST + chance.random() * span, SOUTH + chance.random() * span, z)
        for _ in range(count)
    ]


def _serve(listener: Listener, url: str, cache_mb: float) -> None:
    app = create_app(
        Settings(home=Path()),
        engine=engine_for(url),
        catalogue=Catalogue(()),
        limits=Limits(tile_cache_mb=cache_mb),
    )
    run(app, listener)


def ask(
    port: int, paths: list[str], *, clients: int, seconds: float, headers: dict[str, str]
) -> tuple[float, float, float]:
    """Return requests/s, median ms and mean KB over ``seconds`` with ``clients`` connections."""
    until = time.perf_counter() + seconds
    took: list[float] = []
    size = [0]

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        i = number * 7919
        while time.perf_counter() < until:
            started = time.perf_counter()
            connection.request("GET", paths[i % len(paths)], headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status >= 400:
                raise RuntimeError(f"{paths[i % len(paths)]}: {answer.status} {body[:200]!r}")
            took.append(time.perf_counter() - started)
            size[0] += len(body)
            i += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(took) / seconds, statistics.median(took) * 1000, size[0] / len(took) / 1000


def bare_ms(engine: Engine, addresses: list[tuple[int, int, int]]) -> float:
    """Return the median ms of the plain query, without limit, order or simplification."""
    took = []
    with engine.connect() as connection:
        for z, x, y in addresses:
            started = time.perf_counter()
            connection.execute(text(BARE), {"z": z, "x": x, "y": y}).scalar()
            took.append(time.perf_counter() - started)
    return statistics.median(took) * 1000


def measure(engine: Engine, url: str, side: int, seconds: float) -> list[dict[str, Any]]:
    """Return one row per kind of request."""
    rows: list[dict[str, Any]] = []
    spawn = multiprocessing.get_context("fork")

    def serving(cache_mb: float) -> tuple[Any, int]:
        listener = listen(port=0)
        child = spawn.Process(target=_serve, args=(listener, url, cache_mb))
        child.start()
        listener.socket.close()
        return child, listener.port

    def row(name: str, port: int, paths: list[str], headers: dict[str, str], bare: float) -> None:
        found: dict[str, Any] = {"request": name}
        for clients in (1, 8):
            rate, middle, size = ask(port, paths, clients=clients, seconds=seconds, headers=headers)
            found |= {f"rate_{clients}": rate, f"ms_{clients}": middle, "kb": size}
        rows.append({**found, "bare_ms": bare})

    def path(address: tuple[int, int, int]) -> str:
        return "/tiles/layers/plots/{}/{}/{}.mvt".format(*address)

    child, port = serving(0)  # nothing remembered: every tile is made
    for z in (18, 16, 14, 10):
        addresses = tiles(z, 200 if z > 14 else 20, side)
        bare = bare_ms(engine, addresses[: 40 if z > 14 else 5])
        row(f"tile z{z}, made", port, [path(a) for a in addresses], {}, bare)
    child.terminate()
    child.join()
    child, port = serving(64)
    addresses = tiles(16, 40, side)
    row("tile z16, remembered", port, [path(a) for a in addresses], {}, math.nan)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path(addresses[0]))
    etag = connection.getresponse().headers["etag"]
    row("tile z16, 304", port, [path(a) for a in addresses], {"If-None-Match": etag}, math.nan)
    row("/api/info", port, ["/api/info"], {}, math.nan)
    row("/api/layers", port, ["/api/layers"], {}, math.nan)
    child.terminate()
    child.join()
    return rows


def main() -> None:
    """Make the plots, measure, and print a table and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plots", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=2.0)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="geoplan-bench-"))
    home.chmod(0o755)
    private = Settings(home=home)
    try:
        url = str(cluster.up(private, durable=False).url)
        cluster.migrate(url)
        engine = engine_for(url)
        side = math.ceil(math.sqrt(given.plots))
        values = {"n": given.plots, "side": side, "w": WEST, "s": SOUTH, "d": STEP}
        with engine.begin() as connection:
            for statement in filter(str.strip, FILL.split(";")):
                connection.execute(text(statement), values)
        engine.dispose()  # no connection may cross the fork
        rows = measure(engine, url, side, given.seconds)
        engine.dispose()
    finally:
        cluster.down(private)
        shutil.rmtree(home, ignore_errors=True)
    print(
        f"{'request':22}{'1 client/s':>11}{'8 clients/s':>12}{'p50 ms':>9}{'bare ms':>9}{'KB':>9}"
    )
    for r in rows:
        bare = "" if math.isnan(r["bare_ms"]) else f"{r['bare_ms']:.1f}"
        print(
            f"{r['request']:22}{r['rate_1']:11,.0f}{r['rate_8']:12,.0f}{r['ms_1']:9.1f}"
            f"{bare:>9}{r['kb']:9,.0f}"
        )
    print(json.dumps({"plots": given.plots, "rows": rows}).replace("NaN", "null"))


if __name__ == "__main__":
    main()
