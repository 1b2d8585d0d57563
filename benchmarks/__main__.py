"""``make bench``: everything that is measured, each beside its peer, in one run."""

from __future__ import annotations

import subprocess
import sys

PARTS = (
    ("A whole run", ["benchmarks.scenario"]),
    ("Arrays and growth", ["benchmarks.core"]),
    (
        "Portfolio (one JSON line a case; the peer is a capacity-aware greedy choice)",
        ["benchmarks.portfolio", "300", "1000", "3000"],
    ),
    ("A national grid of 165 M cells (peers: numpy, GDAL, GRASS, xarray)", ["benchmarks.national"]),
    ("Exclusions (peers: atlite, GDAL, GRASS)", ["benchmarks.exclusions"]),
    ("Measures (peers: GRASS, scipy, xarray-spatial, GDAL)", ["benchmarks.measures"]),
    ("Values joined (peers: numpy, numexpr)", ["benchmarks.aggregate"]),
    ("Weights (peers: pymcdm, scikit-criteria)", ["benchmarks.weights"]),
    ("Ranking methods (peers: pymcdm, scikit-criteria)", ["benchmarks.ranking"]),
    ("Rank acceptability (peer: numpy)", ["benchmarks.smaa"]),
    ("Front of efficiency and equity (peer: scipy milp)", ["benchmarks.pareto"]),
    ("Regions (peer: pandas)", ["benchmarks.regions"]),
    ("Plots into one table (peers: ogr2ogr, to_postgis)", ["benchmarks.load"]),
    ("A load with every check on (peer: ogr2ogr without any)", ["benchmarks.delivery"]),
    ("Topology of 500,000 plots (peers: PostGIS self-join, STRtree)", ["benchmarks.topology"]),
    ("A load with 10 and with 2,000 layers in the catalogue", ["benchmarks.catalogue_size"]),
    ("Damaged files at the readers' edge", ["benchmarks.fuzz", "--cases", "10000"]),
    ("Tiles and answers (500,000 plots; bare: ST_AsMVT alone)", ["benchmarks.api"]),
)  # fmt: skip


def main() -> int:
    """Run every part in a process of its own, so that none pays for another's memory."""
    failed = 0
    for title, command in PARTS:
        print(f"\n== {title}", flush=True)
        failed += subprocess.run([sys.executable, "-m", *command], check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
