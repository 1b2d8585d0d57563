"""The plan of a run: demand, sources, lines, the chosen sites, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import RESOURCES, Profile, Scenario
from geoplan.catalogue.text import Text
from geoplan.errors import Relaxation
from geoplan.grid import Grid
from geoplan.regions import IndexResult
from geoplan.siting.caps import selector_columns
from geoplan.siting.locks import places_to_sites
from geoplan.siting.portfolio import Plan, build, solve
from geoplan.siting.problem import PortfolioProblem
from geoplan.siting.relax import relax
from geoplan.siting.result import Reason
from geoplan.siting.spacing import conflicts
from geoplan.siting.supply import links
from geoplan.store import read
from geoplan.studies.equity import front_of
from geoplan.studies.membership import region_columns
from geoplan.studies.notices import in_persian
from geoplan.studies.plan_studies import alternative_plans, drawn_plans, single_sites
from geoplan.studies.ranking import methods_of
from geoplan.studies.routes import routes_of
from geoplan.studies.smaa import smaa_of
from geoplan.studies.steps import Steps
from geoplan.studies.surface import Ground

__all__ = [
    "Asked",
    "ask",
    "chosen_frame",
    "plan_of",
    "problem_of",
    "relaxations_of",
    "sources_of",
]

_SOURCE_COLUMNS = [
    "source_id", "resource", "kind", "name_en", "name_local", "headroom", "unit", "basis",
    "lon", "lat",
]  # fmt: skip


@dataclass
class Asked:
    """What the studies beside the plan found.

    Parameters
    ----------
    methods, smaa, pareto, alternatives : DataFrame
        As in ``SitingResult``.
    inclusion : Series
        Site → share of the plans solved again that hold it; empty where not asked for.
    documents : dict
        Study → what the pages show.
    reasons : dict
        Site → sentences that join its others.
    notices : list of Text
    """

    methods: pd.DataFrame = field(default_factory=pd.DataFrame)
    smaa: pd.DataFrame = field(default_factory=pd.DataFrame)
    pareto: pd.DataFrame = field(default_factory=pd.DataFrame)
    alternatives: pd.DataFrame = field(default_factory=pd.DataFrame)
    inclusion: pd.Series[float] = field(default_factory=lambda: pd.Series(dtype=float))
    documents: dict[str, Any] = field(default_factory=dict)
    reasons: dict[str, tuple[Reason, ...]] = field(default_factory=dict)
    notices: list[Text] = field(default_factory=list)

    def add_reasons(self, more: Mapping[str, tuple[Reason, ...]]) -> None:
        """Join sentences to those that sites have."""
        for site, sentences in more.items():
            self.reasons[site] = (*self.reasons.get(site, ()), *sentences)


def sources_of(session: Session, scenario: Scenario, regions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the sources of the three resources, each resource from its own layers.

    Returns
    -------
    DataFrame
        As `geoplan.siting.supply.links` takes it, with ``layer_id`` and the codes and names of
        the regions in which each source lies, by which joint limits choose.
    """
    parts = []
    for resource in RESOURCES:
        names = getattr(scenario.supply, resource).layers
        if names:
            found = read.sources(session, names)
            parts.append(found.loc[found["resource"] == resource, [*_SOURCE_COLUMNS, "layer_id"]])
    if not parts:
        return pd.DataFrame(columns=[*_SOURCE_COLUMNS, "layer_id"])
    sources = pd.DataFrame(pd.concat(parts, ignore_index=True))
    wanted = selector_columns(scenario.supply.caps)
    if any(name.startswith("region") for name in wanted):
        points = gpd.GeoSeries(
            gpd.points_from_xy(sources["lon"], sources["lat"]), index=sources.index, crs="EPSG:4326"
        )
        sources = sources.join(region_columns(points, regions))
    return _with_fields(session, sources, wanted)


def _with_fields(session: Session, sources: pd.DataFrame, wanted: list[str]) -> pd.DataFrame:
    """Return the sources with the fields of their layers by which limits choose them."""
    for name in [*wanted, "modules_max"]:
        if name in sources.columns:
            continue
        values = pd.Series(pd.NA, index=sources.index, dtype=object)
        for layer, rows in sources.groupby("layer_id"):
            frame = read.layer_frame(session, str(layer))
            if name in frame.columns:
                by_id = pd.Series(
                    frame[name].to_numpy(), index=str(layer) + ":" + frame["key"].astype(str)
                )
                values.loc[rows.index] = rows["source_id"].map(by_id)
        if name in wanted or values.notna().any():
            sources = sources.assign(**{name: values})
    return sources


def problem_of(
    frame: pd.DataFrame,
    demand: pd.DataFrame,
    sources: pd.DataFrame,
    scenario: Scenario,
    *,
    grid: Grid,
    ground: Ground,
) -> PortfolioProblem:
    """Return the portfolio question.

    Parameters
    ----------
    frame : DataFrame, index ``site_id``
        From `geoplan.studies.candidate_frame.candidate_frame`.
    demand : DataFrame
        From `geoplan.siting.demand.site_demand`.
    sources : DataFrame
        From `sources_of`.
    scenario : Scenario
    grid, ground
        For outlines, and for the ways over the ground where lines follow them.
    """
    spec = scenario.portfolio
    polygons = gpd.GeoSeries(frame["outline"], index=frame.index, crs=grid.crs)
    columns = [c for c in frame.columns if c.startswith("region") and c.endswith("_code")]
    named = {c for quota in spec.quotas for c in quota.where if c in frame.columns}
    sites = frame[["score", "less_industrialised", "lon", "lat", "area_ha", *columns]].assign(
        region=frame[f"region{spec.region_level}_code"]
    )
    for name in sorted(named - set(sites.columns)):
        sites[name] = frame[name]
    at = frame.reset_index()[["site_id", "lon", "lat"]]
    routes = routes_of(ground, scenario, frame, sources)
    return PortfolioProblem(
        sites=sites,
        demand=demand,
        links=links(at, sources, scenario.supply, routes=routes),
        sources=sources,
        conflicts=conflicts(polygons, spacing_km=spec.spacing_km),
        spec=spec,
        supply=scenario.supply,
        lock_in=places_to_sites(
            spec.lock_in, polygons, frame["score"], every=False, where="portfolio.lock_in"
        ),
        lock_out=places_to_sites(
            spec.lock_out, polygons, frame["score"], every=True, where="portfolio.lock_out"
        ),
    )


def plan_of(problem: PortfolioProblem, scenario: Scenario) -> Plan:
    """Return the best plan."""
    return solve(build(problem), seed=scenario.seed % 2**31)


def relaxations_of(
    problem: PortfolioProblem, scenario: Scenario, regions: gpd.GeoDataFrame
) -> tuple[Relaxation, ...]:
    """Return the limits that would have to move where no plan exists."""
    found = relax(problem, seed=scenario.seed % 2**31)
    return tuple(in_persian(r, regions=regions, sources=problem.sources) for r in found)


def ask(
    problem: PortfolioProblem,
    plan: Plan,
    frame: pd.DataFrame,
    scenario: Scenario,
    weights: Mapping[str, float],
    *,
    regions: gpd.GeoDataFrame,
    facts: pd.DataFrame,
    index: IndexResult,
    profile: Profile,
    steps: Steps,
) -> Asked:
    """Return what the scenario asks of the candidates and the plan beside choosing it."""
    out = Asked()
    if scenario.ranking is not None:
        with steps.step("other ranking methods"):
            out.methods, out.documents["methods"], more = methods_of(frame, scenario, weights)
            out.notices += more
    if scenario.robustness is not None:
        with steps.step("rank acceptability"):
            out.smaa, out.documents["smaa"], more = smaa_of(frame, scenario, weights)
            out.notices += more
    if not plan.chosen:
        return out
    if scenario.equity is not None:
        with steps.step("front of efficiency and equity"):
            found, out.documents["pareto"], notices = front_of(
                problem, frame, scenario, regions, facts, index=index, profile=profile, plan=plan
            )
            out.pareto = found
            out.notices += notices
    if scenario.alternatives is not None:
        with steps.step("other plans"):
            study = alternative_plans(problem, plan, scenario)
            out.alternatives, out.documents["alternatives"] = study.frame, study.document
            out.notices += study.notices
    if scenario.trade_offs is not None:
        with steps.step("single sites out and in"):
            study = single_sites(problem, plan, scenario, frame)
            out.documents["trade_offs"] = study.document
            out.add_reasons(study.reasons)
    if scenario.robustness is not None:
        with steps.step("plans solved again"):
            study = drawn_plans(problem, plan, scenario, frame, weights)
            out.documents["inclusion"] = study.document
            out.inclusion = study.frame["inclusion"] if len(study.frame) else out.inclusion
            out.add_reasons(study.reasons)
            out.notices += study.notices
    return out


def chosen_frame(candidates: gpd.GeoDataFrame, plan: Plan) -> pd.DataFrame:
    """Return the chosen sites, best first; see ``SitingResult.portfolio``."""
    columns = [c for c in candidates.columns if c.startswith("region")]
    columns += ["area_ha", "usable_ha", "score"]
    chosen = pd.DataFrame(candidates.loc[list(plan.chosen), columns]).reset_index()
    chosen = chosen.sort_values(["score", "site_id"], ascending=[False, True], kind="stable")
    need = plan.demand.reindex(chosen["site_id"])
    chosen["level"] = plan.level.reindex(chosen["site_id"]).to_numpy(dtype=float)
    for resource, column in (
        ("water", "water_m3_per_day"),
        ("power", "power_mva"),
        ("wastewater", "wastewater_m3_per_day"),
    ):
        chosen[column] = need[resource].to_numpy(dtype=float)
        short = plan.shortfall.get(resource)
        chosen[f"{resource}_shortfall"] = (
            0.0 if short is None else short.reindex(chosen["site_id"]).to_numpy(dtype=float)
        )
    chosen["cost"] = chosen["site_id"].map(plan.site_cost).astype(float)
    return chosen.reset_index(drop=True)
