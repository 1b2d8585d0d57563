"""A load with every check on beside ogr2ogr without any: ``python -m benchmarks.delivery``.

Both are whole processes on the same file and server. ``geoplan layers load`` reads in a process of
its own, checks attributes, figures and neighbours, stores the outline in EPSG:4326 and as
surveyed, and builds a unique key and a spatial index; ``ogr2ogr`` copies rows into a new table
and builds its spatial index. The bar: no slower than half of ogr2ogr, under 512 MB, and memory
that does not grow with the file.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from benchmarks.plots import make_plots
from geoplan.settings import Settings
from geoplan.store import cluster

__all__ = ["run"]


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return seconds, and MB at the most, of a process."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    out = process.stdout.read() if process.stdout else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(command[:4])} … failed:\n{out[-2000:]}")
    return seconds, used.ru_maxrss / 1024


def _forget(url: str) -> None:
    """Delete the layer, so that each load is a first one: a later one also traces lineage."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("delete from layer where id = 'plots'"))
    engine.dispose()


def run(*, rows: int = 500_000, rounds: int = 3) -> dict[str, float]:
    """Return medians of seconds and the largest memory of each, and their ratio."""
    place = Path(tempfile.mkdtemp(prefix="geoplan-bench-delivery-"))
    place.chmod(0o755)
    settings = Settings(home=place / "home")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")}
    try:
        url = cluster.up(settings).url
        assert url is not None
        parts = make_url(url)
        target = (
            f"PG:host={parts.host} port={parts.port} dbname={parts.database} "
            f"user={parts.username} password={parts.password}"
        )
        files = {rows: place / "plots.gpkg", rows // 10: place / "tenth.gpkg"}
        for count, file in files.items():
            make_plots(file, count)

        def ours(file: Path) -> list[str]:
            return [
                sys.executable, "-m", "geoplan", "--home", str(settings.home), "--profile", "iran",
                "layers", "load", str(file), "--layer", "plots", "--force", "--limit", "0",
            ]  # fmt: skip

        peer = [
            "ogr2ogr", "-f", "PostgreSQL", target, str(files[rows]), "plots", "-overwrite",
            "-nln", "peer_plots", "--config", "PG_USE_COPY", "YES",
        ]  # fmt: skip
        _timed(ours(files[rows // 10]), environment)  # numba compiles once and keeps it on disk
        small = _timed(ours(files[rows // 10]), environment)[1]
        mine, theirs = [], []
        for _ in range(rounds):
            _forget(url)
            mine.append(_timed(ours(files[rows]), environment))
            if shutil.which("ogr2ogr"):
                theirs.append(_timed(peer, environment))
    finally:
        cluster.down(settings)
        shutil.rmtree(place, ignore_errors=True)
    found = {
        "rows": float(rows),
        "ours_s": statistics.median(s for s, _ in mine),
        "ours_mb": max(m for _, m in mine),
        "ours_tenth_mb": small,
    }
    if theirs:
        found["ogr2ogr_s"] = statistics.median(s for s, _ in theirs)
        found["ogr2ogr_mb"] = max(m for _, m in theirs)
        found["ratio"] = found["ogr2ogr_s"] / found["ours_s"]
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plots", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = run(rows=given.plots, rounds=given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    rows = found["rows"]
    print(
        f"geoplan layers load, all checks: {found['ours_s']:.1f} s, "
        f"{rows / found['ours_s']:,.0f} rows/s, {found['ours_mb']:.0f} MB "
        f"(a tenth of the rows: {found['ours_tenth_mb']:.0f} MB)"
    )
    if "ratio" not in found:
        print("ogr2ogr is not on this machine: apt-get install gdal-bin")
        return
    print(
        f"ogr2ogr, no check:               {found['ogr2ogr_s']:.1f} s, "
        f"{rows / found['ogr2ogr_s']:,.0f} rows/s, {found['ogr2ogr_mb']:.0f} MB: "
        f"ratio {found['ratio']:.2f}, the bar is 0.5"
    )


if __name__ == "__main__":
    main()
