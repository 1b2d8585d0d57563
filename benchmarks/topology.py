"""The check of 500,000 adjacent plots with planted defects, beside PostGIS and STRtree.

``python -m benchmarks.topology [--plots 500000] [--defects 200]`` makes the plots, checks them in
a process of its own (rings of each plot, overlaps, gaps, duplicates, T-junctions, with geometry
and area), and holds the answer against the truth: everything planted is found, nothing else is.
The peers find overlaps and duplicates only: a PostGIS self-join in a private cluster, on an
indexed table whose loading is not counted, and GEOS's STRtree with relate. It exits with 1 when
something is missed or invented.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from sqlalchemy import text

from benchmarks.plots import LAYER, Truth, make_plots, read_truth
from geoplan.cadastre import Defect
from geoplan.cadastre.figure import check_figures
from geoplan.cadastre.wkb import parse
from geoplan.catalogue.checks import CheckRules
from geoplan.ingest.spool import Spool
from geoplan.settings import Settings
from geoplan.store import cluster
from geoplan.store.session import engine_for

RULES = CheckRules.model_validate({"coverage": True, "stated_area": "area_m2"})
BATCH = 16_384

JOIN = """
select a.row, b.row, ST_Area(ST_Intersection(a.geom, b.geom))
from plots a join plots b on a.geom && b.geom and a.row < b.row
where ST_Relate(a.geom, b.geom, '2********') and ST_IsValid(a.geom) and ST_IsValid(b.geom)
"""


def ours(path: Path) -> dict[str, Any]:
    """Check a file: seconds for reading, for each plot's rings, and for all between plots."""
    _warm(path.parent)
    seconds: dict[str, float] = defaultdict(float)
    found: list[Defect] = []
    blocks: dict[str, int] = {}
    row = 1
    with Spool(path.parent) as spool:
        clock = time.perf_counter()
        with pyogrio.open_arrow(
            path, layer=LAYER, columns=["block_key", "area_m2"], batch_size=BATCH, use_pyarrow=True
        ) as (meta, reader):
            for batch in reader:
                now = time.perf_counter()
                seconds["read"] += now - clock
                rows = np.arange(row, row + len(batch))
                keys = batch.column("block_key").to_pylist()
                groups = np.array([blocks.setdefault(key, len(blocks)) for key in keys])
                parsed = parse(batch.column(meta["geometry_name"] or "wkb_geometry"), "polygon")
                figures = check_figures(
                    parsed, rows, RULES, kind="polygon",
                    stated_area_m2=batch.column("area_m2").to_numpy(zero_copy_only=False),
                )  # fmt: skip
                found += figures.defects
                clock = time.perf_counter()
                seconds["rings"] += clock - now
                spool.add(rows, parsed.rings, groups, figures.refused)
                now = time.perf_counter()
                seconds["between"] += now - clock
                clock = now
                row += len(batch)
        clock = time.perf_counter()
        found += spool.check(RULES)
        seconds["between"] += time.perf_counter() - clock
    return {
        "found": found,
        "seconds": dict(seconds),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _warm(folder: Path) -> None:
    """Load compiled code before the clock starts: two plots with an overlap, in two pieces."""
    parsed = parse(pa.array(shapely.to_wkb(shapely.box([0, 5], 0, [6, 9], 7))), "polygon")
    rows = np.array([1, 2])
    check_figures(parsed, rows, RULES, kind="polygon", stated_area_m2=np.ones(2))
    with Spool(folder, partition=1) as spool:
        spool.add(rows, parsed.rings)
        spool.check(RULES)


def strtree(path: Path) -> dict[str, Any]:
    """Find pairs that share land with GEOS alone."""
    _, table = pyogrio.read_arrow(path, layer=LAYER, columns=[])
    shapes = shapely.from_wkb(table.column(table.num_columns - 1).to_numpy())
    shapes = shapes[shapely.is_valid(shapes)]
    clock = time.perf_counter()
    a, b = shapely.STRtree(shapes).query(shapes)
    a, b = a[a < b], b[a < b]
    met = shapely.relate_pattern(shapes[a], shapes[b], "2********")
    area = shapely.area(shapely.intersection(shapes[a[met]], shapes[b[met]]))
    return {
        "pairs": int((area > RULES.overlap_min_m2).sum()),
        "seconds": time.perf_counter() - clock,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def postgis(path: Path) -> dict[str, Any]:
    """Find pairs that share land by a self-join on an indexed table in a private cluster."""
    home = Path(tempfile.mkdtemp(prefix="geoplan-bench-"))
    home.chmod(0o755)
    private = Settings(home=home)
    try:
        engine = engine_for(str(cluster.up(private, durable=False).url))
        with engine.begin() as connection:
            connection.execute(text("create extension if not exists postgis"))
            connection.execute(text("create table plots (row int, geom geometry(Polygon, 32639))"))
            raw = connection.connection.cursor()
            with pyogrio.open_arrow(path, layer=LAYER, columns=[], use_pyarrow=True) as (_, reader):
                row = 1
                for batch in reader:
                    shapes = batch.column(batch.num_columns - 1).to_pylist()
                    lines = "".join(
                        f"{i}\tSRID=32639;{shape.hex()}\n"
                        for i, shape in enumerate(shapes, row)
                    )  # fmt: skip
                    raw.copy_expert("copy plots from stdin", io.StringIO(lines))
                    row += len(shapes)
            connection.execute(text("delete from plots where not ST_IsValid(geom)"))
            connection.execute(text("create index on plots using gist (geom)"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze plots"))
            clock = time.perf_counter()
            pairs = connection.execute(text(JOIN)).all()
            seconds = time.perf_counter() - clock
        engine.dispose()
    finally:
        cluster.down(private)
        shutil.rmtree(home, ignore_errors=True)
    return {"pairs": sum(p[2] > RULES.overlap_min_m2 for p in pairs), "seconds": seconds}


def _name(code: str, rows: tuple[int, ...], place: shapely.Geometry) -> tuple[float, ...]:
    """Return what a defect is known by: a T-junction by its place, all else by its rows."""
    if code == "unmatched-vertex":
        return tuple(shapely.get_coordinates(place)[0].round(3))
    return rows


def judged(found: list[Defect], truth: Truth) -> list[dict[str, Any]]:
    """Return per code how many were planted, found, missed and invented, and the worst area."""
    out = []
    for code in (
        "overlap", "gap", "duplicate-geometry", "invalid-ring", "sliver", "unmatched-vertex",
    ):  # fmt: skip
        wanted: dict[Any, list[float]] = {}
        for e in truth.expected(code):
            name = _name(code, e.rows, shapely.from_wkt(e.wkt))
            wanted.setdefault(name, []).append(e.area_m2 or 0.0)
        got: dict[Any, list[float]] = {}
        for d in found:
            if d.code == code and d.geometry is not None:
                name = _name(code, d.rows, d.geometry)
                got.setdefault(name, []).append(d.area_m2 or 0.0)
        missed = invented = 0
        worst = 0.0
        for name in wanted.keys() | got.keys():
            a, b = sorted(wanted.get(name, [])), sorted(got.get(name, []))
            missed += max(0, len(a) - len(b))
            invented += max(0, len(b) - len(a))
            if len(a) == len(b) and code not in ("invalid-ring", "unmatched-vertex"):
                worst = max(worst, max(abs(x - y) for x, y in zip(a, b, strict=True)))
        out.append(
            {
                "code": code,
                "planted": sum(map(len, wanted.values())),
                "found": sum(map(len, got.values())),
                "missed": missed,
                "invented": invented,
                "worst_area_m2": worst,
            }
        )
    return out


def apart(work: Callable[[Path], dict[str, Any]], path: Path) -> dict[str, Any]:
    """Return what ``work`` gives in a fresh process, so that its memory is its own."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe(duplex=False)
    child = spawn.Process(target=_send, args=(there, work, path))
    child.start()
    there.close()
    try:
        answer: dict[str, Any] = here.recv()
    finally:
        child.join()
    return answer


def _send(pipe: Connection, work: Callable[[Path], dict[str, Any]], path: Path) -> None:
    pipe.send(work(path))


def main() -> int:
    """Make the plots, check them, and print the tables and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plots", type=int, default=500_000)
    parser.add_argument("--defects", type=int, default=200, help="how many of each kind")
    parser.add_argument("--no-peers", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geoplan-bench-") as folder:
        path = Path(folder) / "plots.gpkg"
        make_plots(path, given.plots, defects=given.defects)
        own = apart(ours, path)
        verdict = judged(own.pop("found"), read_truth(path))
        peers = (
            {} if given.no_peers else {"postgis": postgis(path), "strtree": apart(strtree, path)}
        )
    print(f"{'defect':20}{'planted':>9}{'found':>9}{'missed':>9}{'invented':>9}{'worst m²':>12}")
    for v in verdict:
        print(
            f"{v['code']:20}{v['planted']:9,}{v['found']:9,}{v['missed']:9,}{v['invented']:9,}"
            f"{v['worst_area_m2']:12.1e}"
        )
    rings, between = own["seconds"]["rings"], own["seconds"]["between"]
    print(f"\n{'check':52}{'seconds':>9}{'peak MB':>9}{'ratio':>8}")
    print(f"{'reading the file (not counted)':52}{own['seconds']['read']:9.1f}")
    print(f"{'each plot alone (rings, slivers, spikes, area)':52}{rings:9.1f}")
    print(f"{'between plots, spooling included':52}{between:9.1f}{own['peak_mb']:9.0f}")
    names = {"postgis": "PostGIS self-join: overlaps", "strtree": "STRtree and relate: overlaps"}
    for name, peer in peers.items():
        memory = f"{peer['peak_mb']:9.0f}" if "peak_mb" in peer else " " * 9
        print(f"{names[name]:52}{peer['seconds']:9.1f}{memory}{peer['seconds'] / between:7.1f}×")
    print(json.dumps({"plots": given.plots, "ours": own, "verdict": verdict, "peers": peers}))
    return int(any(v["missed"] or v["invented"] or v["worst_area_m2"] > 1e-6 for v in verdict))


if __name__ == "__main__":
    sys.exit(main())
