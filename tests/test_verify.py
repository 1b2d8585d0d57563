"""A folder of a run: whole it passes, and whatever is changed in it is found."""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from example_result import example_document, example_result
from test_demand import _profile

from geoplan.catalogue import Scenario
from geoplan.errors import FileMissing
from geoplan.report import write_run_folder
from geoplan.siting.demand import site_demand
from geoplan.siting.portfolio import PortfolioProblem, build, solve
from geoplan.siting.spacing import conflicts
from geoplan.siting.supply import links
from geoplan.studies.verify import verify_folder

ROOT = Path(__file__).parent.parent
NAMES = {"A": (20, 30), "B": (20, 90), "C": (90, 40), "D": (130, 120), "E": (24, 60)}
"""Upper-left cell (row, column) of each site; each is 3 × 4 cells of 1 km, 1,200 ha."""


def _scenario(base: Scenario) -> Scenario:
    document = base.model_dump(mode="json", by_alias=True)
    line = {"max_km": 90, "cost_per_km": 2000, "cost_per_unit": 5}
    document["demand"] = {"mix": {"food": 0.5, "metal": 0.5}}
    document["supply"] = {
        "water": {**line, "reuse": {"share_max": 0.3, "recovery": 0.9, "cost_per_unit": 1}},
        "power": line,
        "wastewater": {
            "max_km": 30,
            "own": [{"kind": "plant", "module_size": 2500, "cost": 100, "modules_max": 9}],
        },
    }
    document["portfolio"] = {
        "count": 3,
        "per_region_max": 2,
        "less_industrialised_share_min": 0.3,
        "spacing_km": 40,
        "budget": 1e9,
    }
    return Scenario.model_validate(document)


def _write(folder: Path) -> None:
    base = example_result()
    grid, scenario = base.grid, _scenario(base.scenario)
    weights = base.weights
    score = np.full(grid.shape, np.nan, dtype=np.float32)
    score[10:180, 10:170] = 0.25
    outlines, values = {}, {}
    for k, (site, (r, c)) in enumerate(NAMES.items()):
        score[r : r + 3, c : c + 4] = 0.9 - 0.1 * k
        values[site] = float(np.float32(0.9 - 0.1 * k))
        x, y = grid.x_min + c * 1000, grid.y_max - r * 1000
        outlines[site] = shapely.box(x, y - 3000, x + 4000, y)
    polygons = gpd.GeoSeries(outlines, crs=grid.crs).rename_axis("site_id")
    degrees = polygons.to_crs("EPSG:4326")
    points = polygons.centroid.to_crs("EPSG:4326")
    frame = gpd.GeoDataFrame(
        {
            "rank": range(1, 6),
            "area_ha": 1200.0,
            "usable_ha": 1200.0,
            "score": pd.Series(values),
            "lon": points.x,
            "lat": points.y,
            "region1_code": ["01", "01", "01", "02", "02"],
            "region1_name_en": "One",
            "region1_name_local": "یک",
            "region2_code": ["0101", "0101", "0101", "0201", "0201"],
            "region2_name_en": "West",
            "region2_name_local": None,
            "industrialisation": 0.5,
            "less_industrialised": [False, False, False, True, True],
            "inclusion_acceptability": np.nan,
        },
        geometry=degrees,
        crs="EPSG:4326",
    )
    frame = frame.rename_axis("site_id")
    profile = _profile()
    demand = site_demand(frame["area_ha"], spec=scenario.demand, profile=profile)
    frame = frame.join(demand[["water_m3_per_day", "power_mva", "wastewater_m3_per_day", "jobs"]])
    for name, weight in weights.items():
        frame[f"measured_{name}"] = 1.0
        frame[f"value_{name}"] = frame["score"]
        frame[f"contribution_{name}"] = weight * frame["score"]
    sources = pd.DataFrame(
        [
            (f"{r}:{k}", r, "dam", f"{r} {k}", None, head, unit, "assumed", lon, lat)
            for r, unit, head in (("water", "m3/day", 40_000.0), ("power", "MVA", 500.0))
            for k, (lon, lat) in enumerate(((51.4, 33.6), (52.2, 33.0), (52.0, 32.7)))
        ],
        columns=[
            "source_id", "resource", "kind", "name_en", "name_local", "headroom", "unit", "basis",
            "lon", "lat",
        ],
    )  # fmt: skip
    problem = PortfolioProblem(
        sites=frame[["score", "less_industrialised", "lon", "lat"]].assign(
            region=frame["region1_code"]
        ),
        demand=demand,
        links=links(frame.reset_index(), sources, scenario.supply),
        sources=sources,
        conflicts=conflicts(polygons, spacing_km=40),
        spec=scenario.portfolio,
        supply=scenario.supply,
    )
    plan = solve(build(problem))
    assert plan.status == "optimal"
    # A and B cannot share what is in reach; A and E are too near.
    assert plan.chosen == ("A", "C", "D")
    frame["served_alone"] = plan.served_alone
    frame["in_portfolio"] = frame.index.isin(plan.chosen)
    chosen = frame.loc[list(plan.chosen)].drop(columns="geometry")
    result = replace(
        base,
        scenario=scenario,
        profile=base.profile,
        candidates=frame,
        portfolio=chosen.assign(
            cost=plan.site_cost,
            level=1.0,
            water_shortfall=0.0,
            power_shortfall=0.0,
            wastewater_shortfall=0.0,
        ).reset_index(),
        supply=plan.supply,
        sources=plan.sources,
        suitability=score,
        solver=plan.record,
        reasons={},
    )
    document = example_document() | {
        "scenario": scenario.model_dump(mode="json", by_alias=True),
        "profile": {"id": "test", "document": profile.model_dump(mode="json")},
        "weights": weights,
        "status": plan.record.status,
        "solver": {n: getattr(plan.record, n) for n in ("status", "objective", "bound", "gap")},
    }
    write_run_folder(folder, result, document)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify") / "run"
    folder.mkdir()
    _write(folder)
    return folder


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def _failed(folder: Path) -> dict[str, str]:
    return {c.name: c.detail for c in verify_folder(folder).checks if not c.passed}


def _seal(folder: Path) -> None:
    """Record the digests of the files as they now are, as a careful forger would."""
    path = folder / "run.json"
    document = json.loads(path.read_text())
    document["files"] = {
        n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in document["files"]
    }
    path.write_text(json.dumps(document))


def _edit(folder: Path, name: str, change: Callable[[pd.DataFrame], object]) -> None:
    table = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
    done = change(table)
    (done if isinstance(done, pd.DataFrame) else table).to_csv(folder / name, index=False)
    _seal(folder)


def _set(row: int, column: str, value: object) -> Callable[[pd.DataFrame], None]:
    def change(table: pd.DataFrame) -> None:
        table.loc[row, column] = str(value)

    return change


def _rule(folder: Path, path: str, value: object) -> None:
    file = folder / "run.json"
    document = json.loads(file.read_text())
    place = document
    *parents, last = path.split(".")
    for key in parents:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    file.write_text(json.dumps(document))


def test_a_whole_folder_passes_every_check(whole: Path) -> None:
    report = verify_folder(whole)
    assert report.passed, [c for c in report.checks if not c.passed]
    assert len(report.checks) >= 30
    assert all(c.detail for c in report.checks)
    supply = pd.read_csv(whole / "supply.csv")
    assert {"network", "plant", "reuse"} <= set(supply["kind"]), "the test covers own and reuse"


def test_an_untouched_copy_passes_and_a_changed_byte_fails(run: Path) -> None:
    assert _failed(run) == {}
    (run / "map.html").write_text("other")
    assert list(_failed(run)) == ["digests"]


@pytest.mark.parametrize(
    "name",
    ["ranking.csv", "portfolio.csv", "supply.csv", "sources.csv", "exclusions.csv", "sites.gpkg",
     "suitability.tif", "run.json"],
)  # fmt: skip
def test_a_missing_or_broken_file_is_named(run: Path, name: str) -> None:
    (run / name).write_bytes(b"\x00nothing\xff")
    assert f"file {name}" in _failed(run)
    (run / name).unlink()
    assert _failed(run)[f"file {name}"] == f"{name} is missing"


TABLE_CASES = [
    ("portfolio.csv", lambda t: t.iloc[:2], {"count", "agreement"}),
    ("portfolio.csv", _set(0, "cost", 1), {"cost and budget"}),
    ("portfolio.csv", _set(0, "water_m3_per_day", 99_999), {"agreement", "demand served"}),
    ("portfolio.csv", _set(2, "region1_code", "01"), {"region caps", "agreement"}),
    ("ranking.csv", _set(0, "rank", 2), {"ranks"}),
    ("ranking.csv", _set(4, "score", 0.99), {"ranks", "scores", "contributions"}),
    ("ranking.csv", _set(3, "area_ha", 1300), {"areas", "agreement", "demand"}),
    ("ranking.csv", _set(4, "in_portfolio", "true"), {"agreement"}),
    ("ranking.csv", _set(3, "less_industrialised", "false"), {"quota"}),
    ("ranking.csv", _set(0, "lon", 53.0), {"places", "distances"}),
    ("ranking.csv", _set(2, "water_m3_per_day", 1), {"demand"}),
    ("ranking.csv", _set(0, "road_contribution", 0.1), {"contributions"}),
    ("supply.csv", lambda t: t.iloc[1:], {"demand served", "headroom"}),
    ("supply.csv", _set(0, "amount", 1), {"demand served", "headroom", "prices"}),
    ("supply.csv", _set(0, "amount", -1), {"demand served"}),
    ("supply.csv", _set(0, "unit", "l/s"), {"units"}),
    ("supply.csv", _set(0, "distance_km", 0.5), {"distances"}),
    ("supply.csv", _set(1, "distance_km", 0.5), {"distances", "prices"}),
    ("supply.csv", _set(0, "cost", 7), {"prices", "cost and budget"}),
    ("supply.csv", _set(0, "source_id", "nowhere"), {"headroom"}),
    ("supply.csv", _set(0, "amount", "many"), {"file supply.csv"}),
    ("sources.csv", lambda t: t.assign(headroom="0"), {"headroom"}),
    ("sources.csv", lambda t: t.assign(used="0"), {"headroom"}),
    ("sources.csv",
     lambda t: t.assign(headroom=t["headroom"].where(t["kind"] != "own", "2600")), {"own supply"}),
    ("sources.csv", lambda t: t.drop(columns="basis"), {"file sources.csv"}),
    ("exclusions.csv", lambda t: t.iloc[:1], {"exclusions"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "expected"), TABLE_CASES)
def test_a_changed_table_fails_its_check(
    run: Path, name: str, change: Callable[[pd.DataFrame], object], expected: set[str]
) -> None:
    _edit(run, name, change)
    failed = _failed(run)
    assert expected <= set(failed), failed
    assert "digests" not in failed


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("scenario.portfolio.count", 4, "count"),
        ("scenario.portfolio.per_region_max", 1, "region caps"),
        ("scenario.portfolio.less_industrialised_share_min", 0.9, "quota"),
        ("scenario.portfolio.spacing_km", 90, "spacing"),
        ("scenario.portfolio.budget", 1000.0, "cost and budget"),
        ("scenario.supply.water.headroom_share_max", 0.1, "headroom"),
        ("scenario.supply.water.max_km", 5, "distances"),
        ("scenario.supply.water.reuse.share_max", 0.01, "reuse"),
        ("scenario.supply.water.reuse", None, "reuse"),
        ("scenario.supply.wastewater.own.0.modules_max", 1, "own supply"),
        ("scenario.supply.wastewater.own.0.module_size", 2400, "own supply"),
        ("scenario.supply.wastewater.own", [], "own supply"),
        ("scenario.candidates.area_ha", [1500, 2000], "areas"),
        ("scenario.candidates.spacing_km", 60, "candidate spacing"),
        ("scenario.demand.take_up", 0.5, "demand"),
        ("solver.objective", 3.0, "solver"),
        ("solver.bound", 1.0, "solver"),
        ("solver.gap", 0.5, "solver"),
        ("weights.road", 0.9, "contributions"),
    ],
)
def test_a_rule_that_the_plan_breaks_is_found(
    run: Path, path: str, value: object, expected: str
) -> None:
    _rule(run, path, value)
    assert expected in _failed(run)


PORTFOLIO = "scenario.portfolio."


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (PORTFOLIO + "levels", [0.5], "levels and area"),
        (PORTFOLIO + "area_ha_min", 3600.1, "levels and area"),
        (PORTFOLIO + "quotas", [{"id": "q", "regions": ["02"], "min": 2}], "quotas"),
        (PORTFOLIO + "quotas", [{"id": "q", "each": True, "max": 1}], "quotas"),
        (PORTFOLIO + "quotas", [{"id": "q", "regions": ["01"], "max_share": 0.5}], "quotas"),
        (PORTFOLIO + "quotas", [{"id": "q", "where": {"less_industrialised": True}, "min": 2}],
         "quotas"),
        (PORTFOLIO + "lock_in", [{"site_id": "B"}], "locks"),
        (PORTFOLIO + "lock_out", [{"site_id": "A"}], "locks"),
        ("scenario.supply.caps",
         [{"id": "c", "resource": "water", "sources": ["water:0", "water:1", "water:2"],
           "max": 100, "unit": "m3/day"}], "joint limits"),
        ("scenario.supply.caps",
         [{"id": "c", "resource": "power", "sources": {"kind": "dam"}, "max": 1, "unit": "MVA"}],
         "joint limits"),
    ],
)  # fmt: skip
def test_a_limit_of_the_plan_that_is_broken_is_found(
    run: Path, path: str, value: object, expected: str
) -> None:
    _rule(run, path, value)
    assert expected in _failed(run)


def test_limits_that_the_plan_keeps_pass(run: Path) -> None:
    _rule(run, PORTFOLIO + "area_ha_min", 3600.0)
    _rule(run, PORTFOLIO + "quotas", [{"id": "q", "each": True, "min": 1, "max": 2}])
    lock = json.loads((run / "run.json").read_text())
    ranking = pd.read_csv(run / "ranking.csv").set_index("site_id")
    place = {"lon": float(ranking.at["A", "lon"]), "lat": float(ranking.at["A", "lat"])}
    assert lock["scenario"]["portfolio"]["lock_in"] == []
    _rule(run, PORTFOLIO + "lock_in", [place, {"site_id": "C"}])
    _rule(run, PORTFOLIO + "lock_out", [{"site_id": "B"}])
    cap = {"id": "c", "resource": "power", "sources": {"kind": "dam"}, "unit": "MVA"}
    _rule(run, "scenario.supply.caps", [cap | {"max": 1500}])
    assert _failed(run) == {}
    _rule(run, PORTFOLIO + "lock_out", [place])
    assert "locks" in _failed(run)


def test_modules_and_shortfall_are_recomputed(run: Path) -> None:
    sources = pd.read_csv(run / "sources.csv").set_index(["resource", "source_id"])
    used = sources.loc["power", "used"]
    name = str(used.idxmax())
    # The source had 10 MVA less and was raised by one module of 10.
    less = str(round(float(used.max()) - 10, 6))

    def raised(table: pd.DataFrame) -> pd.DataFrame:
        table["modules"], table["reinforcement_cost"] = "0", "0"
        row = table["source_id"] == name
        table.loc[row, ["headroom", "modules", "reinforcement_cost"]] = [less, "1", "70"]
        return table

    _edit(run, "sources.csv", raised)
    assert "headroom" in _failed(run)
    module = {"module_size": 10.0, "cost": 70.0, "modules_max": 1, "basis": "assumed"}
    _rule(run, "scenario.supply.power.reinforcement", module)
    assert _failed(run) == {}
    _rule(run, "scenario.supply.power.reinforcement", module | {"cost": 71.0})
    assert "headroom" in _failed(run)
    _rule(run, "scenario.supply.power.reinforcement", module | {"modules_max": 0})
    assert "headroom" in _failed(run)


def test_land_that_is_not_allowed_is_found(run: Path) -> None:
    with rasterio.open(run / "suitability.tif") as source:
        profile, score = source.profile, source.read(1)
    r, c = NAMES["D"]
    score[r, c] = np.nan
    with rasterio.open(run / "suitability.tif", "w", **profile) as out:
        out.write(score, 1)
    _seal(run)
    assert {"allowed land", "scores"} <= set(_failed(run))


def test_a_moved_polygon_is_found(run: Path) -> None:
    path = run / "sites.gpkg"
    sites = gpd.read_file(path, layer="sites")
    sites.loc[sites["site_id"] == "B", "geometry"] = sites.translate(-0.2, 0)[1]
    path.unlink()
    sites.to_file(path, layer="sites", driver="GPKG")
    _seal(run)
    assert {"places", "scores"} <= set(_failed(run))


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        verify_folder(tmp_path / "none")
    assert not verify_folder(tmp_path).passed


def test_checks_share_no_code_with_siting() -> None:
    names = ("verify", "verify_plan", "verify_supply", "verify_land", "evidence", "distance")
    seen, queue = set(), [f"geoplan.studies.{n}" for n in names]
    while queue:
        module = queue.pop()
        path = ROOT / Path(*module.split("."))
        file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
        if module in seen or not file.exists():
            continue
        seen.add(module)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                queue += [node.module, *(f"{node.module}.{a.name}" for a in node.names)]
            elif isinstance(node, ast.Import):
                queue += [a.name for a in node.names]
    ours = sorted(m for m in seen if m.startswith("geoplan.siting"))
    assert ours == []
