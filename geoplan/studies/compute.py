"""The computation of a siting run, from layers in the database to the finished frames."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan import raster
from geoplan.catalogue import LayerSpec, Profile, Scenario
from geoplan.catalogue.text import Text
from geoplan.errors import Relaxation
from geoplan.grid import Grid
from geoplan.regions import orphans
from geoplan.siting.explain import explain
from geoplan.siting.result import SitingResult
from geoplan.siting.supply import supply_warnings
from geoplan.store import read
from geoplan.studies.backtest import backtest
from geoplan.studies.candidate_frame import candidate_frame, grown
from geoplan.studies.exclusion import resolved_rules
from geoplan.studies.index import all_regions, index_of
from geoplan.studies.land import land_of
from geoplan.studies.nearest_rules import nearest_rules
from geoplan.studies.notices import assumptions, orphan_regions, unknown_index
from geoplan.studies.place import score_shares
from geoplan.studies.plan import (
    ask,
    chosen_frame,
    plan_of,
    problem_of,
    relaxations_of,
    sources_of,
)
from geoplan.studies.region_frames import coarse_regions, index_regions
from geoplan.studies.site_needs import needs_of
from geoplan.studies.steps import Steps
from geoplan.studies.surface import Ground, search_area

__all__ = ["compute"]


def compute(
    session: Session,
    layers: dict[str, LayerSpec],
    scenario: Scenario,
    profile: Profile,
    versions: dict[str, dict[str, Any]],
    *,
    steps: Steps,
) -> tuple[SitingResult, str]:
    """Return the result of a scenario on the layers in the database, and the index formula.

    Parameters
    ----------
    session : Session
        Only read.
    layers : dict
        Catalogue by layer id.
    scenario, profile
        Checked before: see `geoplan.studies.scenario.problems_of`.
    versions : dict
        Layer id → version record, kept in the result.
    steps : Steps
        Told each step.

    Raises
    ------
    AnswerNo
        No land is allowed, or no candidate of the size fits.
    """
    notices: list[Text] = []
    with steps.step("regions and index"):
        regions = all_regions(session, profile)
        index = index_of(session, profile, regions)
        facts = read.region_facts(session)
        grid, area = search_area(
            scenario, read.layer_frame(session, scenario.area.layer), profile.analysis_crs
        )
        ground = Ground(session, layers, grid, regions, index, profile.index.level)
        inside = raster.rasterise(area.geometry, grid, dtype=np.bool_)
    notices += orphan_regions(orphans(regions), profile)
    notices += unknown_index(int(index.frame["industrialisation"].isna().sum()), len(index.frame))

    land = land_of(ground, scenario, profile, facts, inside=inside, steps=steps)
    notices += land.notices

    with steps.step("candidates"):
        cells = grown(ground, scenario, regions, land)
        frame = candidate_frame(
            cells, land, grid=grid, scenario=scenario, profile=profile, regions=regions,
            index=index,
        )  # fmt: skip
    documents: dict[str, Any] = {}
    if scenario.backtest is not None:
        with steps.step("back-test"):
            documents["backtest"] = backtest(
                ground, scenario.backtest, measures=land.measures, weights=land.weights,
                fill=land.surface.fill, statistics=land.surface.statistics,
                exclusions=land.exclusions, score=land.surface.score,
                aggregation=scenario.aggregation,
            )  # fmt: skip
    land.measures.clear()

    with steps.step("demand and supply"):
        needs = needs_of(session, frame, scenario, profile)
        notices += needs.notices
        demand = needs.demand
        frame = frame.join(
            demand[["water_m3_per_day", "power_mva", "wastewater_m3_per_day", "jobs"]]
        )
        sources = sources_of(session, scenario, regions)
        notices += supply_warnings(sources)
        problem = problem_of(frame, demand, sources, scenario, grid=grid, ground=ground)

    with steps.step("portfolio"):
        plan = plan_of(problem, scenario)
        notices += plan.warnings
    relaxations: tuple[Relaxation, ...] = ()
    if plan.status == "infeasible" or (not plan.chosen and plan.status == "time-limit"):
        with steps.step("what would have to move"):
            relaxations = relaxations_of(problem, scenario, regions)
    asked = ask(
        problem, plan, frame, scenario, land.weights, regions=regions, facts=facts, index=index,
        profile=profile, steps=steps,
    )  # fmt: skip
    notices += asked.notices

    with steps.step("reasons"):
        frame["served_alone"] = plan.served_alone.reindex(frame.index).astype(bool)
        frame["in_portfolio"] = frame.index.isin(plan.chosen)
        frame["inclusion_acceptability"] = asked.inclusion.reindex(frame.index).astype(float)
        reasons = explain(
            problem, plan, candidates=frame, criteria=scenario.criteria, profile=profile
        )
        # Candidates are numbered in the order of growth.
        chosen = {s: (frame.loc[s, "outline"], cells.of(int(s[1:]) - 1)) for s in plan.chosen}
        asked.add_reasons(nearest_rules(ground, resolved_rules(scenario, profile), chosen))
        ground.release()
        candidates = _to_wgs84(frame, grid)
        result = SitingResult(
            scenario=scenario,
            profile=profile,
            grid=grid,
            candidates=candidates,
            exclusions=land.table,
            exclusions_by_region=land.by_region,
            rules=land.exclusions,
            portfolio=chosen_frame(candidates, plan),
            supply=plan.supply,
            sources=plan.sources,
            reasons={site: (*r, *asked.reasons.get(site, ())) for site, r in reasons.items()},
            regions=index_regions(regions, index, profile),
            coarse_regions=coarse_regions(regions, index, profile),
            index_detail=index.detail,
            suitability=land.surface.score,
            decisive=land.decisive,
            demand_mixes={"level": needs.level, "mixes": needs.mixes} if needs.mixes else {},
            score_shares=score_shares(land.surface.score),
            value_statistics=land.of_data,
            value_histograms=land.histograms,
            weights=land.weights,
            weight_record=land.weight_record,
            solver=plan.record,
            relaxations=relaxations,
            warnings=tuple(notices),
            assumptions=assumptions(versions, plan.sources, layers),
            layer_versions=versions,
            methods=asked.methods,
            smaa=asked.smaa,
            pareto=asked.pareto,
            alternatives=asked.alternatives,
            caps=plan.caps,
            documents={
                **documents,
                **asked.documents,
                **({"caps": {"rows": plan.caps.to_dict("records")}} if len(plan.caps) else {}),
                "values": land.values_document(scenario),
            },
        )
    return result, index.formula


def _to_wgs84(frame: pd.DataFrame, grid: Grid) -> gpd.GeoDataFrame:
    outline = gpd.GeoSeries(frame["outline"], index=frame.index, crs=grid.crs)
    return gpd.GeoDataFrame(
        frame.drop(columns="outline"), geometry=outline.to_crs("EPSG:4326"), crs="EPSG:4326"
    )
