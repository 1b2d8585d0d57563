"""Fuzzing of the readers' edge: damaged files of every format must give rows or a clear problem.

Run ``python -m benchmarks.fuzz --cases 10000 --seed 1 [--seconds S] [--formats dxf,gpkg]``.
Every case is made from its seed and number alone; ``--only N`` runs one and shows its traceback,
``--keep DIR`` keeps the inputs that did harm. Ends with 1 where any case did.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa

from benchmarks.fuzz_mutate import mutate
from geoplan.errors import GeoPlanError

__all__ = ["OUTCOMES", "Outcome", "make_seeds", "run"]

OUTCOMES = (
    "rows", "no rows", "refused", "library", "memory", "timed out", "crashed", "left over", "BUG",
)  # fmt: skip
"""``refused`` is a problem line of ours; ``library`` one that the reading process makes of what a
library raised. A crash or a timeout ends only the process that reads, and is told to the person.
``left over`` (files) and ``BUG`` (an exception out of our own lines, or rows that break the
contract of a batch) must not be."""

HARMLESS = frozenset(OUTCOMES[:5])

MEMORY_BYTES = 3_000_000_000
_CASES_PER_WORKER = 250
_START_S = 120.0  # until a worker says its first case: imports on a busy machine
_PRELOADED = (
    "benchmarks.fuzz_mutate",
    "geoplan.ingest.reader.child",
    "geoplan.ingest.reader.dispatch",
    "geoplan.ingest.reader.dxf",
    "geoplan.ingest.reader.straight",
)
_ESCAPE = Path("/tmp/geoplan-fuzz-escape")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case."""

    case: int
    kind: str
    outcome: str
    detail: str
    seconds: float


def make_seeds(folder: Path) -> dict[str, Path]:
    """Make the sound files in a process of its own, so that no GDAL is open before the forks."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "benchmarks.fuzz_seeds", str(folder)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return {kind: Path(path) for kind, path in json.loads(done.stdout.splitlines()[-1]).items()}


def _read(kind: str, path: Path, folder: Path) -> tuple[int, BaseException | None]:
    """Read a file as the reading process and its caller do, in this one process.

    Returns
    -------
    rows : int
    caught : exception or None
        What the reading process turned into a problem line without knowing what it was.

    Raises
    ------
    GeoPlanError
        The problem line.
    """
    from geoplan.ingest.reader import child, wire
    from geoplan.ingest.reader.request import GEOMETRY, ROW, Limits, ReadRequest
    from geoplan.ingest.reader.sound import sound

    caught: list[BaseException] = []
    tell = child._unreadable

    def remember(request: ReadRequest, error: Exception) -> GeoPlanError:
        caught.append(error)
        return tell(request, error)

    points = kind == "csv-points"
    request = ReadRequest(
        path,
        limits=Limits(
            memory_bytes=MEMORY_BYTES, unpacked_bytes=100_000_000, members=1_000, rows=200_000
        ),
        lon="lon" if points else None,
        lat="lat" if points else None,
        wkt="wkt" if kind in ("csv-wkt", "xlsx") else None,
    )
    out = io.BytesIO()
    with mock.patch.object(child, "_unreadable", remember):
        child.serve(request, folder, out)
    out.seek(0)
    rows = 0
    for wanted in (wire.HEADER, wire.END):
        frame = wire.read_frame(out)
        if frame is None:
            raise TypeError("the reading process ended without a word")
        tag, value = frame
        if tag == wire.ERROR:
            if caught and rows == 0:
                return 0, caught[0]
            raise wire.error_of(value)
        if tag != wanted:
            raise TypeError(f"the frame {tag!r} where {wanted!r} belongs")
        if wanted == wire.END:
            break
        stream = pa.ipc.open_stream(out)
        for name in (ROW, GEOMETRY):
            if name not in stream.schema.names:
                raise TypeError(f"a batch has no {name}")
        for batch in stream:
            sound(batch, where=path.name).validate(full=True)
            rows += batch.num_rows
    return rows, None


def _input(case: int, seed: int, seeds: dict[str, Path], into: Path) -> tuple[str, Path]:
    """Make the damaged file of a case; nothing but its number decides."""
    rng = np.random.default_rng([seed, case])
    kinds = list(seeds)
    kind = kinds[case % len(kinds)]
    other = seeds[kinds[int(rng.integers(0, len(kinds)))]]
    donor = other if other.is_file() else next(p for p in sorted(other.iterdir()) if p.is_file())
    return kind, mutate(seeds[kind], into, rng, donor.read_bytes())


def _listed(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*")}


def _one(case: int, seed: int, seeds: dict[str, Path], home: Path) -> Outcome:
    into, temporary, folder = home / "case", home / "tmp", home / "room"
    for made in (into, temporary, folder):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
    kind, path = _input(case, seed, seeds, into)
    before = _listed(into)
    started = time.perf_counter()
    try:
        rows, caught = _read(kind, path, folder)
        outcome, detail = ("rows", "") if rows else ("no rows", "")
    except GeoPlanError as error:
        outcome, detail, caught = "refused", f"{type(error).__name__}: {error.what}", None
        if "of memory" in error.what:
            outcome = "memory"
        if not error.what.strip():
            outcome, detail = "BUG", f"{type(error).__name__} without a word"
    except MemoryError:
        outcome, detail, caught = "memory", "", None
    except Exception as error:  # noqa: BLE001 - the very thing that is looked for
        caught = error
    if caught is not None:
        last = traceback.extract_tb(caught.__traceback__)[-1]
        ours = "/geoplan/" in last.filename or "/benchmarks/" in last.filename
        outcome = "BUG" if ours else "library"
        detail = (
            f"{type(caught).__name__}: {' '.join(str(caught).split())[:160]} "
            f"({Path(last.filename).name}:{last.lineno})"
        )
    seconds = time.perf_counter() - started
    extra = (_listed(into) - before) | _listed(temporary)
    if outcome != "BUG" and (extra or _ESCAPE.exists()):
        outcome, detail = "left over", ", ".join(sorted(extra)[:5]) or str(_ESCAPE)
    return Outcome(case, kind, outcome, detail, seconds)


def _worker(
    cases: list[int], seed: int, seeds: dict[str, Path], home: Path, pipe: Connection
) -> None:
    """Run cases one after the other; what kills this process costs one case."""
    os.environ["TMPDIR"] = tempfile.tempdir = str(home / "tmp")
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000_000, 1_000_000_000))
    # GDAL takes its one driver when it is imported: by the sound file, not by what damage looks
    # like. It also shows that there is something to damage.
    kind = list(seeds)[cases[0] % len(seeds)]
    room = home / "room"
    room.mkdir()
    try:
        rows, caught = _read(kind, seeds[kind], room)
        if not rows:
            raise caught or ValueError("no rows")
    except Exception as error:  # noqa: BLE001 - told by the parent
        if kind != "geotiff":  # a raster is for another reader
            pipe.send(f"{type(error).__name__}: {error}")
            os._exit(70)
    for case in cases:
        pipe.send(case)
        pipe.send(_one(case, seed, seeds, home))
    pipe.close()
    os._exit(0)  # no one waits for what the libraries do at their end


@dataclass(slots=True)
class _Running:
    process: Any
    pipe: Connection
    home: Path
    cases: list[int]
    at: int | None
    since: float


def run(
    cases: int,
    seed: int,
    *,
    seeds: dict[str, Path],
    workers: int = 2,
    timeout_s: float = 20.0,
    seconds: float | None = None,
    keep: Path | None = None,
) -> list[Outcome]:
    """Read damaged files and return what became of each.

    Parameters
    ----------
    cases : int
        How many; the formats take turns.
    seed : int
        Decides the damage together with the number of the case.
    seeds : dict
        Format → sound file, from :func:`make_seeds`.
    workers : int
        Processes that read at the same time.
    timeout_s, seconds : float
        Time for one case, and for all: no case starts after it.
    keep : Path, optional
        Folder for the inputs that did harm.
    """
    # A server of its own does the forks: a fork of a process that already has threads (a test
    # session has a database, a browser and a web server) may wait for a lock for ever. It imports
    # once, before the forks; GDAL is not among it: it takes its drivers when it is imported.
    fork = multiprocessing.get_context("forkserver")
    fork.set_forkserver_preload(list(_PRELOADED))
    root = Path(tempfile.mkdtemp(prefix="geoplan-fuzz-"))
    # One format a worker: GDAL keeps the one driver that it was started with.
    queue = [
        list(range(k, cases, len(seeds)))[j : j + _CASES_PER_WORKER]
        for j in range(0, cases, _CASES_PER_WORKER)
        for k in range(len(seeds))
    ]
    queue = [todo for todo in queue if todo][::-1]
    live: list[_Running] = []
    found: list[Outcome] = []
    ends = time.monotonic() + seconds if seconds else float("inf")

    def start(todo: list[int]) -> None:
        home = root / f"worker-{len(found)}-{len(live)}-{todo[0]}"
        home.mkdir()
        mine, theirs = fork.Pipe(duplex=False)
        process = fork.Process(target=_worker, args=(todo, seed, seeds, home, theirs))
        process.start()
        theirs.close()
        live.append(_Running(process, mine, home, todo, None, time.monotonic()))

    def settle(it: _Running, outcome: str, detail: str) -> None:
        """Note what ended a worker, and give the rest of its cases to another."""
        if it.at is not None:
            kind = list(seeds)[it.at % len(seeds)]
            found.append(Outcome(it.at, kind, outcome, detail, time.monotonic() - it.since))
            it.cases = it.cases[it.cases.index(it.at) + 1 :]
        elif it.cases:
            kind = list(seeds)[it.cases[0] % len(seeds)]
            raise RuntimeError(f"a worker of {kind} ended at case {it.cases[0]} ({detail})")
        if it.cases and time.monotonic() < ends:
            queue.append(it.cases)

    try:
        while queue or live:
            while queue and len(live) < workers and time.monotonic() < ends:
                start(queue.pop())
            if not live:
                break
            ready = wait([it.pipe for it in live], timeout=0.2)
            for it in list(live):
                over = False
                if it.pipe in ready:
                    try:
                        message = it.pipe.recv()
                    except (EOFError, OSError):
                        it.process.join()
                        over = True
                        code = it.process.exitcode
                        if it.at is not None or code != 0:
                            name = (
                                signal.Signals(-code).name if code and code < 0 else f"exit {code}"
                            )
                            settle(it, "crashed", name)
                    else:
                        if isinstance(message, str):
                            kind = list(seeds)[it.cases[0] % len(seeds)]
                            raise RuntimeError(f"the sound {kind} is not read: {message}")
                        if isinstance(message, Outcome):
                            found.append(message)
                            it.cases, it.at, it.since = it.cases[1:], None, time.monotonic()
                        else:
                            it.at, it.since = message, time.monotonic()
                elif it.at is None and time.monotonic() - it.since > _START_S:
                    raise RuntimeError(f"a worker of case {it.cases[0]} does not start")
                elif it.at is not None and time.monotonic() - it.since > timeout_s:
                    it.process.kill()
                    it.process.join()
                    over = True
                    settle(it, "timed out", f"{timeout_s:g} s")
                if not over and time.monotonic() > ends and it.at is None:
                    it.process.kill()
                    it.process.join()
                    over = True
                if over:
                    it.pipe.close()
                    live.remove(it)
                    shutil.rmtree(it.home, ignore_errors=True)
    finally:
        for it in live:
            it.process.kill()
            it.process.join()
        shutil.rmtree(root, ignore_errors=True)
    if keep is not None:
        for end in found:
            if end.outcome not in HARMLESS:
                into = keep / f"{end.outcome.replace(' ', '-')}-{end.kind}-{end.case}"
                into.mkdir(parents=True, exist_ok=True)
                _input(end.case, seed, seeds, into)
    return sorted(found, key=lambda o: o.case)


def table(found: list[Outcome]) -> str:
    """Return the figures by format as text."""
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    slowest: dict[str, tuple[float, int]] = defaultdict(lambda: (0.0, 0))
    for it in found:
        by_kind[it.kind][it.outcome] += 1
        slowest[it.kind] = max(slowest[it.kind], (it.seconds, it.case))
    shown = list(OUTCOMES)
    lines = [
        f"{'format':14}{'cases':>7}"
        + "".join(f"{o:>11}" for o in shown)
        + f"{'slowest s':>11}{'case':>8}"
    ]
    total: Counter[str] = Counter()
    for kind, counts in by_kind.items():
        total += counts
        lines.append(
            f"{kind:14}{counts.total():>7}"
            + "".join(f"{counts[o]:>11}" for o in shown)
            + f"{slowest[kind][0]:>11.2f}{slowest[kind][1]:>8}"
        )
    lines.append(f"{'all':14}{total.total():>7}" + "".join(f"{total[o]:>11}" for o in shown))
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Fuzz, print the table and what did harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--timeout", type=float, default=20.0)
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--formats", help="some formats only, with commas")
    parser.add_argument("--only", type=int, help="one case, in this process, with its traceback")
    parser.add_argument("--keep", type=Path, help="folder for the inputs that did harm")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="geoplan-fuzz-seeds-") as home:
        seeds = make_seeds(Path(home))
        if asked.formats:
            seeds = {kind: seeds[kind] for kind in asked.formats.split(",")}
        if asked.only is not None:
            case = Path(home) / "case"
            case.mkdir()
            room = Path(home) / "room"
            room.mkdir()
            kind, path = _input(asked.only, asked.seed, seeds, case)
            if asked.keep is not None:
                shutil.copytree(case, asked.keep, dirs_exist_ok=True)
            print(kind, path.name, flush=True)
            rows, caught = _read(kind, path, room)
            print(rows, "rows")
            if caught is not None:
                traceback.print_exception(caught)
            return 0
        started = time.monotonic()
        found = run(
            asked.cases, asked.seed, seeds=seeds, workers=asked.workers, timeout_s=asked.timeout,
            seconds=asked.seconds, keep=asked.keep,
        )  # fmt: skip
    print(table(found))
    took = time.monotonic() - started
    print(f"{len(found):,} cases, seed {asked.seed}, {took:.0f} s, {len(found) / took:.0f} cases/s")
    harm = [it for it in found if it.outcome not in HARMLESS]
    for it in harm[:60]:
        print(f"  {it.outcome}: case {it.case} ({it.kind}): {it.detail}")
    said = Counter((it.kind, it.detail) for it in found if it.outcome == "library")
    for (kind, detail), count in said.most_common(15):
        print(f"  library: {count} × {kind}: {detail}")
    return 1 if any(it.outcome in ("left over", "BUG") for it in harm) else 0


if __name__ == "__main__":
    sys.exit(main())
