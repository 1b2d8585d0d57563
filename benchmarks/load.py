"""Plots into one table: GeoPlan's COPY beside ogr2ogr and GeoDataFrame.to_postgis.

``python -m benchmarks.load [--plots 500000] [--rounds 3]`` makes a GeoPackage of adjacent plots
with 12 attributes and loads it into the same empty table of a private cluster by

- ``ours``: GDAL's Arrow batches → binary COPY (:mod:`geoplan.store.binary`), no checks,
- ``ogr2ogr -append`` with ``PG_USE_COPY YES``, Debian's,
- ``geopandas.read_file`` and ``GeoDataFrame.to_postgis``, once.

Every figure is of a whole process, its start included, and stands beside the others of the same
round. Tables are compared column by column by checksum in the order of the key. ogr2ogr writes
numbers with 15 digits, which is not always the same double; so its numbers are compared with 15
digits, to_postgis's to the last bit, as is everything else of both. Machine code that
numba compiles is kept on disk; what the first run pays for it is told. It exits with 1 when a
table differs or a bar is missed: 1.0 × ogr2ogr, 5 × to_postgis, 512 MB.
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
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from pathlib import Path

TABLE = "plots"
CRS_ID = 32639
COLUMNS = {
    "code": "text", "block_key": "text", "number": "text", "area_m2": "float8",
    "frontage_m": "float8", "depth_m": "float8", "zone": "text", "class": "text",
    "status": "text", "owner": "text", "permit_no": "int8", "permit_date": "date",
    "geom": f"geometry(Polygon, {CRS_ID})",
}  # fmt: skip
BATCH = 16_384


def ours(file: Path, url: str) -> None:
    """Load a file the way GeoPlan does: as in its reading process, without pandas."""
    sys.meta_path.insert(0, _Without())
    import psycopg2
    import pyogrio

    from geoplan.store.binary import Field, copy_batches

    shape = Field("geom", "geometry", CRS_ID, "POLYGON")
    kinds = {name: kind for name, kind in COLUMNS.items() if name != "geom"}
    connection = psycopg2.connect(url)
    with pyogrio.open_arrow(file, layer="plots", batch_size=BATCH, use_pyarrow=True) as (_, reader):
        fields = [
            shape if name == "geom" else Field(name, kinds[name])  # type: ignore[arg-type]
            for name in reader.schema.names
        ]
        copy_batches(connection, TABLE, fields, reader)
    connection.commit()
    os._exit(0)  # as the reading process ends: nothing is left to tear down


class _Without(MetaPathFinder):
    """Hides what pyogrio loads where it is there and nothing here uses."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Refuse the names below; say nothing of others."""
        if fullname in ("pandas", "geopandas", "pyproj"):
            raise ModuleNotFoundError(f"no {fullname} here", name=fullname)


def to_postgis(file: Path, url: str) -> None:
    """Load a file with geopandas."""
    import geopandas
    import psycopg2
    from sqlalchemy import create_engine

    engine = create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(url))
    frame = geopandas.read_file(file, layer="plots", use_arrow=True).rename_geometry("geom")
    # A column of whole numbers with gaps is read as float, which PostgreSQL refuses as bigint.
    frame["permit_no"] = frame["permit_no"].astype("Int64")
    frame.to_postgis(TABLE, engine, if_exists="append", index=False)


IN_PYTHON = {"ours": ours, "to_postgis": to_postgis}
TOOLS = ("ours", "ogr2ogr", "to_postgis")


def measured(tool: str, file: Path, url: str) -> dict[str, float]:
    """Run a tool in a process of its own: seconds, seconds of work in it, peak memory."""
    command = [sys.executable, "-m", "benchmarks.load", "--tool", tool, str(file), url]
    if tool == "ogr2ogr":
        command = ["ogr2ogr", "-append", "-f", "PostgreSQL", f"PG:{url}", str(file), "plots",
                   "-nln", TABLE, "--config", "PG_USE_COPY", "YES"]  # fmt: skip
    clock = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - clock
    if status != 0:
        raise SystemExit(f"{tool} ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "seconds": seconds,
        "work_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }


@contextmanager
def server() -> Iterator[str]:
    """Give the address of a database in a private cluster."""
    from sqlalchemy.engine import make_url

    from geoplan.settings import Settings
    from geoplan.store import cluster

    home = Path(tempfile.mkdtemp(prefix="geoplan-bench-"))
    home.chmod(0o755)
    private = Settings(home=home)
    try:
        parts = make_url(str(cluster.up(private).url))
        yield (
            f"host={parts.host} port={parts.port} user={parts.username} "
            f"password={parts.password} dbname={parts.database}"
        )
    finally:
        cluster.down(private)
        shutil.rmtree(home, ignore_errors=True)


def fresh_table(url: str) -> None:
    """Make the empty table again, with nothing left to write."""
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("create extension if not exists postgis")
        cursor.execute(f"drop table if exists {TABLE}")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        cursor.execute(f"create table {TABLE} ({columns})")
        cursor.execute("checkpoint")
    connection.close()


def checksums(url: str, *, digits: int = 17) -> dict[str, str]:
    """Return a checksum of each column in the order of the key, and of the number of rows."""
    import psycopg2

    parts = []
    for name in COLUMNS:
        value = "st_asewkb(geom)" if name == "geom" else f'"{name}"'
        parts.append(f"md5(string_agg(coalesce(md5({value}::text), '-'), '' order by code))")
    connection = psycopg2.connect(url)
    with connection.cursor() as cursor:
        # 1: the shortest text of the very double; 0: 15 digits.
        cursor.execute(f"set extra_float_digits = {1 if digits == 17 else 0}")
        cursor.execute(f"select count(*)::text, {', '.join(parts)} from {TABLE}")
        found = cursor.fetchone()
    connection.close()
    return dict(zip(["rows", *COLUMNS], found, strict=True))


def first_run_s() -> float:
    """Return the seconds that a run takes whose machine code has yet to be compiled."""
    work = (
        "import pyarrow as pa, time; c = time.perf_counter();"
        "from geoplan.store.binary import Field, encode;"
        "g = bytes.fromhex('0101000000') + bytes(16);"
        "encode([Field('a', 'int4'), Field('b', 'text'), Field('g', 'geometry', 1)],"
        " [pa.array([1]), pa.array(['x']), pa.array([g])]);"
        "print(time.perf_counter() - c)"
    )
    with tempfile.TemporaryDirectory() as cache:
        times = []
        for _ in range(2):
            done = subprocess.run(
                [sys.executable, "-c", work], env=os.environ | {"NUMBA_CACHE_DIR": cache},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            times.append(float(done.stdout))
    return times[0] - times[1]


def main() -> int:
    """Measure, compare, print; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--plots", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file", type=Path, help="a file that was made before")
    parser.add_argument("--tool", choices=IN_PYTHON, help="only load; for this program itself")
    parser.add_argument("rest", nargs="*")
    options = parser.parse_args()
    if options.tool:
        IN_PYTHON[options.tool](Path(options.rest[0]), options.rest[1])
        return 0
    with tempfile.TemporaryDirectory(prefix="geoplan-bench-") as folder, server() as url:
        file = options.file or Path(folder) / "plots.gpkg"
        if options.file is None:
            from benchmarks.plots import make_plots

            make_plots(file, options.plots)
        return _compare(file, url, options.plots, options.rounds)


def _compare(file: Path, url: str, count: int, rounds: int) -> int:
    runs: dict[str, list[dict[str, float]]] = {tool: [] for tool in TOOLS}
    sums: dict[tuple[str, int], dict[str, str]] = {}
    compiling = first_run_s()
    for turn in range(rounds):
        for tool in TOOLS:
            if tool == "to_postgis" and turn:
                continue
            fresh_table(url)
            file.read_bytes()  # in memory for each of them
            runs[tool].append(measured(tool, file, url))
            for digits in (15, 17):
                if (tool, digits) not in sums:
                    sums[tool, digits] = checksums(url, digits=digits)
    best = {tool: min(r["seconds"] for r in done) for tool, done in runs.items()}
    pairs = zip(runs["ogr2ogr"], runs["ours"], strict=True)
    faster = statistics.median(a["seconds"] / b["seconds"] for a, b in pairs)
    rows = [
        (tool, count / statistics.median(r["seconds"] for r in done), count / best[tool],
         statistics.median(r["work_s"] for r in done), max(r["peak_mb"] for r in done))
        for tool, done in runs.items()
    ]  # fmt: skip
    print(f"{count:,} plots × 12 attributes, whole process, {rounds} rounds in turn")
    print(f"{'':12}{'rows/s':>10}{'best':>10}{'work, s':>9}{'peak MB':>9}")
    for tool, rate, top, work, peak in rows:
        print(f"{tool:12}{rate:10,.0f}{top:10,.0f}{work:9.2f}{peak:9.0f}")
    slow = best["to_postgis"] / statistics.median(r["seconds"] for r in runs["ours"])
    wrong = [
        f"{tool}: {name}"
        for tool, digits in (("ogr2ogr", 15), ("to_postgis", 17))
        for name, found in sums[tool, digits].items()
        if found != sums["ours", digits][name]
    ]
    print(f"ours / ogr2ogr {faster:.2f} (median of rounds), ours / to_postgis {slow:.1f}")
    print(f"checksums of {len(COLUMNS)} columns: {', '.join(wrong) or 'all equal'}")
    print(f"compiling, once after each update of the code: {compiling:.1f} s")
    peak = max(r["peak_mb"] for r in runs["ours"])
    print(json.dumps({"benchmark": "load", "rows": count, "ours_per_ogr2ogr": round(faster, 3),
                      "ours_per_to_postgis": round(slow, 2), "peak_mb": round(peak)}))  # fmt: skip
    return int(bool(wrong) or faster < 1.0 or slow < 5.0 or peak >= 512)


if __name__ == "__main__":
    sys.exit(main())
