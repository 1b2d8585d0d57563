"""The standard synthetic country from files to a plan: what its scenario is made to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from sqlalchemy import Engine

from geoplan.catalogue import Catalogue, Scenario
from geoplan.mcda.weights import ahp_from_pairs
from geoplan.sample import make
from geoplan.settings import Settings
from geoplan.siting.result import SitingResult
from geoplan.siting.supply import links
from geoplan.studies.pack import load_pack
from geoplan.studies.scenario import problems_of
from geoplan.studies.site import run_site

SCENARIO = "sample_large_estates"


def test_profile_and_scenario_fit_the_catalogue() -> None:
    catalogue = Catalogue.standard()
    scenario, profile = catalogue.scenario(SCENARIO), catalogue.profile("sample")
    layers = catalogue.layers()
    assert problems_of(scenario, profile, layers, layers) == []
    assert {c.measure for c in scenario.criteria.values()} == {
        "distance", "raster", "region", "density",
    }  # fmt: skip
    assert {c.value.kind for c in scenario.criteria.values()} == {
        "identity", "linear", "sigmoid", "piecewise", "categorical",
    }  # fmt: skip
    weights = ahp_from_pairs(list(scenario.criteria), scenario.weights.pairs or {})
    assert weights.cr < 0.1


def _water_lacking(sites: pd.DataFrame, sources: pd.DataFrame, scenario: Scenario) -> float:
    """Return the least water, m3/day, that the sites would lack: one linear program."""
    spec = scenario.supply.water
    ways = links(sites, sources, scenario.supply)
    ways = ways[ways["resource"] == "water"]
    ids, used = list(sites["site_id"]), sorted(set(ways["source_id"]))
    need = sites["water_m3_per_day"].to_numpy()
    back = (
        spec.reuse.share_max * spec.reuse.recovery * sites["wastewater_m3_per_day"].to_numpy()
        if spec.reuse
        else np.zeros(len(ids))
    )
    headroom = sources.set_index("source_id")["headroom"][used] * spec.headroom_share_max
    flows = len(ways)
    take, draw = np.zeros((len(ids), flows)), np.zeros((len(used), flows))
    for j, (site, source) in enumerate(zip(ways["site_id"], ways["source_id"], strict=True)):
        take[ids.index(site), j] = draw[used.index(source), j] = 1
    eye = np.eye(len(ids))
    found = linprog(
        np.r_[np.zeros(flows + len(ids)), np.ones(len(ids))],
        A_ub=np.hstack([draw, np.zeros((len(used), 2 * len(ids)))]),
        b_ub=headroom.to_numpy(),
        A_eq=np.hstack([take, eye, eye]),
        b_eq=need,
        bounds=[(0, None)] * flows + [(0, b) for b in back] + [(0, None)] * len(ids),
    )
    return float(found.fun)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("standard") / "country").folder


def test_the_best_six_cannot_be_served_together_but_a_plan_can(
    made: Path, database: Engine, settings: Settings
) -> None:
    catalogue = Catalogue.standard()
    report = load_pack(
        database, settings, catalogue, str(made / "pack.yaml"), made, loaded_by="test"
    )
    assert {layer.status for layer in report.layers} == {"loaded"}
    result: SitingResult = run_site(database, settings, catalogue, SCENARIO, plan_only=True).result
    scenario = catalogue.scenario(SCENARIO)
    sites = result.candidates.reset_index()
    sources = result.sources[~result.sources["source_id"].str.startswith("own")]
    best = sites[sites["served_alone"]].nsmallest(6, "rank")
    assert best["rank"].max() <= 8  # nearly the best of all
    for i in range(6):
        assert _water_lacking(best.iloc[[i]], sources, scenario) == pytest.approx(0, abs=1e-6)
    assert _water_lacking(best, sources, scenario) > 1_000

    assert result.solver.status in ("optimal", "within-gap")
    assert result.solver.gap is not None and result.solver.gap <= scenario.portfolio.gap
    plan = sites[sites["in_portfolio"]]
    assert len(plan) == 6 and set(plan["site_id"]) != set(best["site_id"])
    assert _water_lacking(plan, sources, scenario) == pytest.approx(0, abs=1e-6)
    assert plan["region1_code"].value_counts().max() <= 2
    assert plan["less_industrialised"].mean() >= 0.5
