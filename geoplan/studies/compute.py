"""The computation of a siting run, from layers in the database to the finished frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan import raster
from geoplan.catalogue import RESOURCES, LayerSpec, Profile, Scenario
from geoplan.catalogue.scenario import ExclusionRule
from geoplan.catalogue.text import Text
from geoplan.errors import AnswerNo, Relaxation
from geoplan.grid import Grid
from geoplan.mcda.weights import ahp_from_pairs, direct
from geoplan.regions import IndexResult, coarser, orphans
from geoplan.siting import candidates as growth
from geoplan.siting.criteria import Measure, contributions, suitability
from geoplan.siting.demand import site_demand
from geoplan.siting.exclude import RuleMask, accounting, combine
from geoplan.siting.explain import explain
from geoplan.siting.portfolio import Plan, build, solve
from geoplan.siting.problem import PortfolioProblem
from geoplan.siting.relax import relax
from geoplan.siting.result import SitingResult
from geoplan.siting.spacing import conflicts
from geoplan.siting.supply import links, supply_warnings
from geoplan.store import read
from geoplan.studies.exclusion import excluded
from geoplan.studies.index import all_regions, index_of
from geoplan.studies.measure import measured
from geoplan.studies.membership import region_columns
from geoplan.studies.notices import (
    assumptions,
    in_persian,
    missing_measures,
    orphan_regions,
    robustness,
    unknown_index,
)
from geoplan.studies.scenario import resolve_rule
from geoplan.studies.steps import Steps
from geoplan.studies.surface import Ground, search_area

__all__ = ["compute"]

_REGION_COLUMNS = [
    "code", "parent_code", "name_en", "name_local", "population", "industrialisation",
    "coverage", "rank", "less_industrialised", "geometry",
]  # fmt: skip

_SOURCE_COLUMNS = [
    "source_id", "resource", "kind", "name_en", "name_local", "headroom", "unit", "basis",
    "lon", "lat",
]  # fmt: skip


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

    with steps.step("exclusions"):
        exclusions = combine(_masks(ground, scenario, profile), inside=inside)
        table = accounting(exclusions, grid)
        allowed = exclusions.allowed
    table = _with_basis(table, scenario, profile)
    if not allowed.any():
        raise AnswerNo(
            "the exclusions leave no land at all",
            where="exclude",
            remedy="the widest rules are: " + ", ".join(table.nlargest(3, "area_ha_alone")["rule"]),
        )

    with steps.step("criteria"):
        weights, record = _weights(scenario)
        measures = {
            name: Measure(criterion, measured(ground, criterion, facts))
            for name, criterion in scenario.criteria.items()
        }
        ground.release()
        surface = suitability(measures, weights, allowed)
    notices += missing_measures(surface.missing, scenario)

    with steps.step("candidates"):
        region = None
        if scenario.candidates.per_region_keep is not None:
            codes = sorted(regions.loc[regions["level"] == 1, "code"])
            number = pd.Series(np.arange(len(codes), dtype=float), index=codes)
            region = np.nan_to_num(ground.region_values(number, 1), nan=-1.0).astype(np.int32)
        cells = growth.grow(surface.score, grid, scenario.candidates, region=region)
        frame = _candidate_frame(cells, grid, regions)
        parts = contributions(cells, measures, weights, surface.fill)
        parts.index = frame.index
        frame["score"] = parts.pop("score")
        frame = frame.join(parts)
        frame = frame.join(_index_columns(frame, index, profile))
        # The order of growth is by mean score in float32; the rank follows the published score.
        frame = frame.sort_values(["score", "area_ha"], ascending=[False, False], kind="stable")
        frame["rank"] = np.arange(1, len(frame) + 1)
        del measures, region

    with steps.step("demand and supply"):
        # A thousandth of a unit is finer than any coefficient: what is published, planned and
        # checked is then one and the same number.
        demand = site_demand(frame["area_ha"], spec=scenario.demand, profile=profile).round(3)
        frame = frame.join(
            demand[["water_m3_per_day", "power_mva", "wastewater_m3_per_day", "jobs"]]
        )
        sources = _sources(session, scenario)
        notices += supply_warnings(sources)
        sites = frame.reset_index()[["site_id", "lon", "lat"]]
        lines = links(sites, sources, scenario.supply)

    with steps.step("portfolio"):
        polygons = gpd.GeoSeries(frame["outline"], index=frame.index, crs=grid.crs)
        level = scenario.portfolio.region_level
        problem = PortfolioProblem(
            sites=pd.DataFrame(
                {
                    "score": frame["score"],
                    "region": frame[f"region{level}_code"],
                    "less_industrialised": frame["less_industrialised"],
                    "lon": frame["lon"],
                    "lat": frame["lat"],
                }
            ),
            demand=demand,
            links=lines,
            sources=sources,
            conflicts=conflicts(polygons, spacing_km=scenario.portfolio.spacing_km),
            spec=scenario.portfolio,
            supply=scenario.supply,
        )
        plan = solve(build(problem), seed=scenario.seed % 2**31)
        notices += plan.warnings
    relaxations: tuple[Relaxation, ...] = ()
    if plan.status == "infeasible" or (not plan.chosen and plan.status == "time-limit"):
        with steps.step("what would have to move"):
            relaxations = tuple(
                in_persian(r, regions=regions, sources=sources)
                for r in relax(problem, seed=scenario.seed % 2**31)
            )
    if scenario.robustness is not None:
        notices.append(robustness())

    with steps.step("reasons"):
        frame["served_alone"] = plan.served_alone.reindex(frame.index).astype(bool)
        frame["in_portfolio"] = frame.index.isin(plan.chosen)
        frame["inclusion_acceptability"] = np.nan
        reasons = explain(
            problem, plan, candidates=frame, criteria=scenario.criteria, profile=profile
        )
        candidates = _to_wgs84(frame, grid)
        result = SitingResult(
            scenario=scenario,
            profile=profile,
            grid=grid,
            candidates=candidates,
            exclusions=table,
            portfolio=_portfolio(candidates, plan),
            supply=plan.supply,
            sources=plan.sources,
            reasons=reasons,
            regions=_regions(regions, index, profile),
            coarse_regions=_coarse_regions(regions, index, profile),
            index_detail=index.detail,
            suitability=surface.score,
            weights=weights,
            weight_record=record,
            solver=plan.record,
            relaxations=relaxations,
            warnings=tuple(notices),
            assumptions=assumptions(versions, plan.sources, layers),
            layer_versions=versions,
        )
    return result, index.formula


def _masks(ground: Ground, scenario: Scenario, profile: Profile) -> Iterator[RuleMask]:
    for rule in scenario.exclude:
        resolved, _ = resolve_rule(rule, profile)
        yield RuleMask(rule.id, excluded(ground, resolved))


def _with_basis(table: pd.DataFrame, scenario: Scenario, profile: Profile) -> pd.DataFrame:
    rules: dict[str, ExclusionRule] = {r.id: resolve_rule(r, profile)[0] for r in scenario.exclude}
    titles = {i: r.title or Text(en=i) for i, r in rules.items()}
    return pd.DataFrame(
        {
            "rule": table["rule"],
            "title_en": [titles[i].en for i in table["rule"]],
            "title_local": [titles[i].local or titles[i].fa for i in table["rule"]],
            "basis": [rules[i].basis for i in table["rule"]],
            "status": [rules[i].status or "unverified" for i in table["rule"]],
            "area_ha_alone": table["area_ha_alone"],
            "area_ha_only": table["area_ha_only"],
        }
    )


def _weights(scenario: Scenario) -> tuple[dict[str, float], dict[str, Any]]:
    if scenario.weights.method == "ahp":
        found = ahp_from_pairs(list(scenario.criteria), scenario.weights.pairs or {})
        return found.weights, {"method": "ahp", **found.record()}
    given = scenario.weights.weights or {
        name: float(criterion.weight or 0.0) for name, criterion in scenario.criteria.items()
    }
    ordered = {name: given[name] for name in scenario.criteria}
    return direct(ordered), {"method": "direct", "given": ordered}


def _candidate_frame(
    cells: growth.CandidateCells, grid: Grid, regions: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Return one row per candidate: id, outline on the grid, area, place and regions."""
    count = len(cells)
    width = max(4, len(str(count)))
    ids = pd.Index([f"S{k:0{width}d}" for k in range(1, count + 1)], name="site_id")
    rows, cols = np.divmod(cells.representative, grid.cols)
    x, y = grid.centre_xy(rows, cols)
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), index=ids, crs=grid.crs).to_crs("EPSG:4326")
    frame = pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "area_ha": cells.area_ha,
            "lon": points.x,
            "lat": points.y,
            "outline": growth.polygons(cells, grid).to_numpy(),
        },
        index=ids,
    )
    return frame.join(region_columns(points, regions))


def _index_columns(frame: pd.DataFrame, index: IndexResult, profile: Profile) -> pd.DataFrame:
    codes = frame[f"region{profile.index.level}_code"]
    return pd.DataFrame(
        {
            "industrialisation": codes.map(index.frame["industrialisation"]).astype(float),
            "less_industrialised": codes.map(index.frame["less_industrialised"]).astype("boolean"),
        },
        index=frame.index,
    )


def _sources(session: Session, scenario: Scenario) -> pd.DataFrame:
    """Return the sources of the three resources, each resource from its own layers."""
    parts = []
    for resource in RESOURCES:
        names = getattr(scenario.supply, resource).layers
        if names:
            found = read.sources(session, names)
            parts.append(found.loc[found["resource"] == resource, _SOURCE_COLUMNS])
    if not parts:
        return pd.DataFrame(columns=_SOURCE_COLUMNS)
    return pd.concat(parts, ignore_index=True)


def _to_wgs84(frame: pd.DataFrame, grid: Grid) -> gpd.GeoDataFrame:
    outline = gpd.GeoSeries(frame["outline"], index=frame.index, crs=grid.crs)
    return gpd.GeoDataFrame(
        frame.drop(columns="outline"), geometry=outline.to_crs("EPSG:4326"), crs="EPSG:4326"
    )


def _portfolio(candidates: gpd.GeoDataFrame, plan: Plan) -> pd.DataFrame:
    columns = [c for c in candidates.columns if c.startswith("region")]
    columns += ["area_ha", "score", "water_m3_per_day", "power_mva", "wastewater_m3_per_day"]
    chosen = pd.DataFrame(candidates.loc[list(plan.chosen), columns]).reset_index()
    chosen = chosen.sort_values(["score", "site_id"], ascending=[False, True], kind="stable")
    chosen["cost"] = chosen["site_id"].map(plan.site_cost).astype(float)
    return chosen.reset_index(drop=True)


def _regions(regions: gpd.GeoDataFrame, index: IndexResult, profile: Profile) -> gpd.GeoDataFrame:
    own = regions[regions["level"] == profile.index.level].sort_values("code")
    joined = own.merge(index.frame, left_on="code", right_index=True, how="left")
    return gpd.GeoDataFrame(joined[_REGION_COLUMNS].reset_index(drop=True), crs="EPSG:4326")


def _coarse_regions(
    regions: gpd.GeoDataFrame, index: IndexResult, profile: Profile
) -> pd.DataFrame:
    parts = []
    for level in range(1, profile.index.level):
        frame = coarser(index.frame, regions, spec=profile.index, level=level)
        parts.append(frame.reset_index().assign(level=level))
    columns = ["level", "code", *index.frame.columns]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
