"""A whole run, step by step: seconds and peak memory, on the Iran pack where it is at hand.

``python -m benchmarks.scenario [--json]``. Without the pack the synthetic country stands in. The
pack is loaded first and told apart; the bar is for the run of the plan alone, and what the scenario
asks beside it (front, draws, other plans) is told after it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

__all__ = ["main", "measure"]

PACK = Path(__file__).resolve().parents[2] / "shared" / "data" / "iran"
BAR_SECONDS, BAR_MB = 120.0, 6 * 1024.0


def _geoplan(home: Path, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "geoplan", "--home", str(home), *arguments, "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure() -> dict[str, Any]:
    """Load the pack into a fresh database, run its scenario twice, and return both."""
    home = Path(tempfile.mkdtemp(prefix="geoplan-bench-"))
    home.chmod(0o755)
    try:
        start = time.perf_counter()
        if PACK.is_dir():
            what, scenario = "Iran, 500 m", "iran_large_estates"
            _geoplan(home, "pack", "load", "iran", str(PACK))
        else:
            what, scenario = "synthetic country, 250 m", "sample_large_estates"
            _geoplan(home, "sample", str(home / "sample"))
            _geoplan(home, "pack", "load", str(home / "sample" / "pack.yaml"), str(home / "sample"))
        loaded = time.perf_counter() - start
        runs = []
        for _ in range(2):
            start = time.perf_counter()
            run = _geoplan(home, "site", "run", scenario, "--plan-only")
            runs.append({**run, "whole_process_s": time.perf_counter() - start})
        folders = [Path(r["folder"]) for r in runs]
        same = {
            name: (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
            for name in ("ranking.csv", "portfolio.csv", "supply.csv")
        }
        verified = _geoplan(home, "site", "verify", str(folders[1]))
        start = time.perf_counter()
        whole = _geoplan(home, "site", "run", scenario)
        whole["whole_process_s"] = time.perf_counter() - start
        return {
            "what": what,
            "load_s": loaded,
            "runs": runs,
            "studied": whole,
            "same_bytes": same,
            "verified": verified["passed"],
            "checks": len(verified["checks"]),
        }
    finally:
        subprocess.run(
            [sys.executable, "-m", "geoplan", "--home", str(home), "db", "down"],
            capture_output=True, check=False,
        )  # fmt: skip
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure()
    if given.json:
        print(json.dumps(found, indent=1))
        return
    first, second = found["runs"]
    print(f"{found['what']}: pack loaded in {found['load_s']:.1f} s")
    print(f"{'step':28}{'first s':>9}{'second s':>9}{'peak MB':>9}")
    for a, b in zip(first["timings"], second["timings"], strict=True):
        print(f"{b['step']:28}{a['seconds']:9.2f}{b['seconds']:9.2f}{b['peak_mb']:9,.0f}")
    total = [sum(t["seconds"] for t in r["timings"]) for r in found["runs"]]
    peak = max(t["peak_mb"] for t in second["timings"])
    print(f"{'total':28}{total[0]:9.2f}{total[1]:9.2f}{peak:9,.0f}")
    print("with all that the scenario asks beside the plan:")
    for step in found["studied"]["timings"]:
        print(f"{step['step']:32}{step['seconds']:9.2f}{step['peak_mb']:9,.0f}")
    print(f"{'whole process':32}{found['studied']['whole_process_s']:9.2f}")
    whole = [r["whole_process_s"] for r in found["runs"]]
    print(f"{'whole process':28}{whole[0]:9.2f}{whole[1]:9.2f}")
    bar = "" if "Iran" not in found["what"] else f" (bar {BAR_SECONDS:.0f} s, {BAR_MB:,.0f} MB)"
    gap = f"{second['gap']:.1e}" if second["gap"] is not None else "none"
    print(f"status {second['status']}, gap {gap}{bar}")
    same = "yes" if all(found["same_bytes"].values()) else f"NO: {found['same_bytes']}"
    verified = "passed" if found["verified"] else "FAILED"
    print(f"two runs byte-identical: {same}; verify: {verified} ({found['checks']} checks)")


if __name__ == "__main__":
    main()
