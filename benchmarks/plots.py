"""Many adjacent plots in a GeoPackage, with planted defects whose truth is known.

``python -m benchmarks.plots OUT COUNT [--defects K] [--seed S]`` writes ``OUT`` and, beside it,
``OUT`` with the ending ``.truth.json``.

The plots stand in districts of 1,024: two of three are sixteen blocks of two rows with streets of
12 m and more between them, the third is one contiguous block of 32 × 32. Neighbours share their
vertices to the last bit.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyogrio
import shapely

from benchmarks.plots_defects import KINDS, Expect, Planted, Site, plant
from geoplan.persian import to_persian_digits

__all__ = ["CRS", "LAYER", "Truth", "make_plots", "read_truth", "truth_path"]

CRS = "EPSG:32639"
LAYER = "plots"
SIDE = 32  # cells of a district along each side
PLOTS = SIDE * SIDE
WIDTH, DEPTH, STREET = 30.0, 50.0, 12.0
PITCH_X, PITCH_Y = 1100.0, 2100.0  # from district to district; the widest one fits with a street
ORIGIN = (520_000.0, 3_600_000.0)
TURN = np.deg2rad(11.0)

_ZONES = np.array(["industrial", "services", "green", "utilities", "logistics", "reserve"])
_CLASSES = np.array(["workshop", "small", "medium", "large", "anchor", "services"])
_STATES = np.array([
    "planned", "serviced", "published", "reserved", "allotted", "under_construction",
    "operating", "idle", "repossessing", "withdrawn",
])  # fmt: skip
_FIRST = [
    "علی", "رضا", "زهرا", "مریم", "حسین", "فاطمه",
    "محمد", "سارا", "کامران", "پروین", "یوسف", "نگار",
    "بهرام", "شیرین", "کیان",
]  # fmt: skip
_LAST = [
    "رضایی", "کریمی", "احمدی", "محمدی", "موسوی", "یزدی",
    "تبریزی", "کاشانی", "شریفی", "صادقی", "نوری", "یگانه",
    "گنجی",
]  # fmt: skip

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Truth:
    """What was planted.

    Parameters
    ----------
    rows : int
        Rows of the file.
    planted : tuple of Planted
        Each defect with what a check should say of it.
    """

    rows: int
    planted: tuple[Planted, ...] = field(default=())

    def expected(self, code: str) -> list[Expect]:
        """Return what a check should report under ``code``."""
        return [e for p in self.planted for e in p.expects if e.code == code]


def make_plots(path: Path, count: int, *, seed: int = 7, defects: int = 0) -> Truth:
    """Write a GeoPackage of ``count`` plots and the truth about it.

    Parameters
    ----------
    path : Path
        File to make, replaced if it is there. Layer ``plots``, EPSG:32639, twelve attributes.
    count : int
        Rows, those that defects add (duplicates, enclaves, slivers) included.
    seed : int
        The same seed writes the same plots.
    defects : int
        How many of each kind of :data:`benchmarks.plots_defects.KINDS`, four plots or more apart.

    Raises
    ------
    ValueError
        Too few plots to hold the defects apart.
    """
    path.unlink(missing_ok=True)
    planted: list[Planted] = []
    reader = pa.RecordBatchReader.from_batches(_SCHEMA, _batches(count, seed, defects, planted))
    pyogrio.write_arrow(
        reader, path, layer=LAYER, driver="GPKG", geometry_name="geom", geometry_type="Polygon",
        crs=CRS,
    )  # fmt: skip
    truth = Truth(count, tuple(planted))
    truth_path(path).write_text(json.dumps(asdict(truth), ensure_ascii=False), encoding="utf-8")
    return truth


def truth_path(path: Path) -> Path:
    """Return where the truth of a file of plots lies."""
    return path.with_suffix(".truth.json")


def read_truth(path: Path) -> Truth:
    """Return the truth of a file of plots."""
    found = json.loads(truth_path(path).read_text(encoding="utf-8"))
    planted = []
    for place in found["planted"]:
        lines = (Expect(**{**line, "rows": tuple(line["rows"])}) for line in place["expects"])
        planted.append(Planted(place["kind"], tuple(lines)))
    return Truth(found["rows"], tuple(planted))


_SCHEMA = pa.schema(
    [
        pa.field("geom", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"}),
        ("code", pa.string()), ("block_key", pa.string()), ("number", pa.string()),
        ("area_m2", pa.float64()), ("frontage_m", pa.float64()), ("depth_m", pa.float64()),
        ("zone", pa.string()), ("class", pa.string()), ("status", pa.string()),
        ("owner", pa.string()), ("permit_no", pa.int64()), ("permit_date", pa.date32()),
    ]
)  # fmt: skip


def _contiguous(district: int) -> bool:
    return district % 3 == 1


def _batches(
    count: int, seed: int, defects: int, planted: list[Planted]
) -> Iterator[pa.RecordBatch]:
    extra = sum(kind.extra for kind in KINDS) * defects
    base = count - extra
    if base < 0:
        raise ValueError(f"{count} plots cannot hold {defects} defects of each kind")
    districts = -(-base // PLOTS)
    plan = _plan(base, districts, defects, np.random.default_rng([seed, 1]))
    across = max(1, int(np.ceil(np.sqrt(districts * PITCH_Y / PITCH_X))))
    row = 1
    for district in range(districts):
        rng = np.random.default_rng([seed, 2, district])
        keep = min(PLOTS, base - district * PLOTS)
        ground = _Ground(district, across, rng, plan.get(district, []))
        shapes, blocks = ground.polygons(keep)
        stated = shapely.area(shapes)
        front, depth = ground.sides(keep)
        added: list[tuple[int, shapely.Geometry]] = []
        for kind, cell in plan.get(district, []):
            known = plant(kind, ground.site(cell, row), row + keep + len(added), rng)
            planted.append(known.planted)
            for number, shape in known.changed.items():
                shapes[number - row] = shape
                if shape.is_valid:
                    stated[number - row] = shape.area
            added += [(cell, shape) for shape in known.added]
        if added:
            cells = np.array([cell for cell, _ in added])
            more = np.array([shape for _, shape in added], dtype=object)
            shapes, blocks = np.concatenate([shapes, more]), np.concatenate([blocks, blocks[cells]])
            stated = np.concatenate([stated, shapely.area(more)])
            front, depth = np.append(front, front[cells]), np.append(depth, depth[cells])
        yield _batch(shapes, row, blocks, stated, front, depth, rng)
        row += len(shapes)


def _plan(
    base: int, districts: int, defects: int, rng: np.random.Generator
) -> dict[int, list[tuple[str, int]]]:
    """Return the kind and cell of each defect, by district."""
    places: dict[str, list[tuple[int, int]]] = {"inside": [], "any": [], "street": []}
    spots = np.arange(3, SIDE - 2, 5)
    for district in range(districts):
        keep = min(PLOTS, base - district * PLOTS)
        whole = _contiguous(district)
        for r in spots if whole else np.arange(0, SIDE, 2):
            # A defect needs its neighbours: two rows above, one beside.
            if (r + 3) * SIDE <= keep:
                name = "inside" if whole else "street"
                places[name] += [(district, int(r * SIDE + c)) for c in spots]
    out: dict[int, list[tuple[str, int]]] = {}
    for name in places:
        rng.shuffle(places[name])
    for place in ("inside", "street", "any"):
        free = places[place] if place != "any" else places["inside"] + places["street"]
        if place == "any":
            rng.shuffle(free)
        for kind in KINDS:
            if kind.place != place:
                continue
            if len(free) < defects:
                raise ValueError(f"too few plots to hold {defects} defects of each kind apart")
            for _ in range(defects):
                district, cell = free.pop()
                out.setdefault(district, []).append((kind.name, cell))
    return out


class _Ground:
    """The vertices of one district."""

    def __init__(
        self, district: int, across: int, rng: np.random.Generator, plan: list[tuple[str, int]]
    ) -> None:
        self.blocks, self.rows = (1, SIDE) if _contiguous(district) else (SIDE // 2, 2)
        n, m = self.rows + 1, SIDE + 1
        x = np.arange(m) * WIDTH
        y = np.arange(n) * DEPTH
        nodes = np.empty((self.blocks, n, m, 2))
        nodes[..., 0], nodes[..., 1] = x, y[:, None]
        nodes += rng.uniform(-0.15, 0.15, nodes.shape) * (WIDTH, DEPTH)
        # Blocks lie above each other: the street keeps its width whatever the jitter.
        step = 2 * DEPTH * 1.15 + STREET
        nodes[..., 1] += (np.arange(self.blocks) * step)[:, None, None] * (self.blocks > 1)
        level = self._middles(nodes[:, :, :-1], nodes[:, :, 1:], rng)
        upright = self._middles(nodes[:, :-1], nodes[:, 1:], rng)
        for _, cell in plan:
            b, r, c = self._place(cell)
            level[b, max(r - 1, 0) : r + 3, c - 1 : c + 3] = np.nan
            upright[b, max(r - 1, 0) : r + 3, c - 1 : c + 4] = np.nan
        spot = np.array([district % across, district // across]) * (PITCH_X, PITCH_Y)
        cos, sin = np.cos(TURN), np.sin(TURN)
        turn = np.array([[cos, sin], [-sin, cos]])
        self.nodes = (nodes + spot) @ turn + ORIGIN
        self.level = (level + spot) @ turn + ORIGIN
        self.upright = (upright + spot) @ turn + ORIGIN
        self.district = district

    @staticmethod
    def _middles(a: Floats, b: Floats, rng: np.random.Generator) -> Floats:
        """Return a bend in some edges, NaN in the others."""
        bend = (a + b) / 2 + rng.uniform(-2.0, 2.0, a.shape)
        bend[rng.random(a.shape[:-1]) > 0.12] = np.nan
        return bend

    def _place(self, cell: int) -> tuple[int, int, int]:
        row, c = divmod(cell, SIDE)
        b, r = divmod(row, self.rows)
        return b, r, c

    def polygons(self, keep: int) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_]]:
        """Return the first ``keep`` plots and their blocks' keys."""
        v, h, w = self.nodes, self.level, self.upright
        corners = [
            v[:, :-1, :-1], h[:, :-1], v[:, :-1, 1:], w[:, :, 1:],
            v[:, 1:, 1:], h[:, 1:], v[:, 1:, :-1], w[:, :, :-1], v[:, :-1, :-1],
        ]  # fmt: skip
        ring = np.stack(corners, axis=3).reshape(-1, 9, 2)[:keep]
        there = ~np.isnan(ring[..., 0])
        ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        shapes = shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, ring[there], (ends, np.arange(len(ring) + 1))
        )
        block = self.district * SIDE + np.arange(keep) // (self.rows * SIDE)
        return shapes, np.array([f"B-{b:06}" for b in block], dtype=object)

    def sides(self, keep: int) -> tuple[Floats, Floats]:
        """Return frontage and depth, m."""
        v = self.nodes
        front = np.linalg.norm(v[:, :-1, 1:] - v[:, :-1, :-1], axis=-1).reshape(-1)
        depth = np.linalg.norm(v[:, 1:, :-1] - v[:, :-1, :-1], axis=-1).reshape(-1)
        return front[:keep].round(2), depth[:keep].round(2)

    def site(self, cell: int, first: int) -> Site:
        """Return the plot in ``cell``, its right neighbour, and the rows around both."""
        b, r, c = self._place(cell)
        row = first + cell
        return Site(
            left=self.nodes[b, r : r + 2, c], middle=self.nodes[b, r : r + 2, c + 1],
            right=self.nodes[b, r : r + 2, c + 2], a=row, b=row + 1,
            above=row + SIDE, below=row - SIDE,
        )  # fmt: skip


def _batch(
    shapes: npt.NDArray[np.object_],
    first: int,
    blocks: npt.NDArray[np.object_],
    stated: Floats,
    front: Floats,
    depth: Floats,
    rng: np.random.Generator,
) -> pa.RecordBatch:
    n = len(shapes)
    numbers = rng.integers(1, 400, n)
    persian = rng.random(n) < 0.4
    area_class = np.clip((stated / 900).astype(int), 0, len(_CLASSES) - 1)
    permit = rng.integers(100_000, 9_999_999, n)
    no_permit = rng.random(n) < 0.2
    day = rng.integers(14_000, 20_000, n).astype("int32")
    names = zip(rng.integers(0, len(_FIRST), n), rng.integers(0, len(_LAST), n), strict=True)
    columns: list[Any] = [
        shapely.to_wkb(shapes), [f"P-{i:07}" for i in range(first, first + n)], blocks,
        [to_persian_digits(str(k)) if p else str(k) for k, p in zip(numbers, persian, strict=True)],
        stated, front, depth, _ZONES[rng.integers(0, len(_ZONES), n)], _CLASSES[area_class],
        _STATES[rng.integers(0, len(_STATES), n)], [f"{_FIRST[i]} {_LAST[j]}" for i, j in names],
    ]  # fmt: skip
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, _SCHEMA, strict=False)]
    arrays += [
        pa.array(permit, mask=no_permit),
        pa.array(day, type=pa.int32(), mask=no_permit).cast(pa.date32()),
    ]
    return pa.record_batch(arrays, schema=_SCHEMA)


def main() -> None:
    """Write a file of plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("count", type=int)
    parser.add_argument("--defects", type=int, default=0, help="how many of each kind")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    truth = make_plots(options.out, options.count, seed=options.seed, defects=options.defects)
    print(f"{truth.rows} plots, {len(truth.planted)} planted places in {options.out}")


if __name__ == "__main__":
    main()
