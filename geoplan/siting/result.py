"""What a siting run produces, in memory: frames and one array, no files and no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue import Profile, Scenario
from geoplan.catalogue.text import Text
from geoplan.errors import Relaxation
from geoplan.grid import Grid
from geoplan.mcda.value_statistics import Histogram, ValueStatistics
from geoplan.siting.exclude import Exclusions

__all__ = ["PlanStatus", "Reason", "SitingResult", "SolverRecord", "StepTiming"]

PlanStatus = Literal["optimal", "within-gap", "time-limit", "infeasible"]
"""``optimal``: proven at gap 0 (to the solver's tolerance); ``within-gap``: proven to the gap
asked for; ``time-limit``: the best plan found when time ran out, its gap recorded."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence on why a site is in or out.

    Parameters
    ----------
    code : str
        Stable name: ``chosen``, ``spacing``, ``region-cap``, ``not-served``, ``capacity``,
        ``quota``, ``budget``, ``score`` …
    text : Text
        The sentence with its numbers, in both languages.
    """

    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class SolverRecord:
    """How the plan was found and how good it is proven to be."""

    name: str
    version: str
    status: PlanStatus
    objective: float | None
    bound: float | None
    gap: float | None
    seconds: float
    nodes: int
    rows: int
    columns: int
    binaries: int
    seed: int
    threads: int
    gap_asked: float
    time_limit_s: float


@dataclass(frozen=True, slots=True)
class StepTiming:
    """Seconds and peak resident memory of one step."""

    step: str
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class SitingResult:
    """Everything that a run folder, the database and the pages show.

    Parameters
    ----------
    candidates : GeoDataFrame, index ``site_id``, EPSG:4326
        One row per candidate, best first. Columns: ``rank``, ``area_ha``, ``score`` (0–1),
        ``lon``, ``lat`` (a point inside), ``region{n}_code``, ``region{n}_name_en``,
        ``region{n}_name_local`` for each level n of the profile, ``industrialisation``,
        ``less_industrialised``, ``served_alone``, ``in_portfolio``,
        ``inclusion_acceptability`` (NaN: not computed), ``water_m3_per_day``, ``power_mva``,
        ``wastewater_m3_per_day``, ``jobs``; for each criterion id: ``measured_<id>``,
        ``value_<id>`` (0–1), ``contribution_<id>`` (weight × value).
    exclusions : DataFrame
        ``rule``, ``title_en``, ``title_local``, ``basis``, ``status``, ``area_ha_alone``,
        ``area_ha_only``.
    portfolio : DataFrame
        One row per chosen site: ``site_id``, region columns, ``area_ha``, ``score``, demand
        columns, ``cost``.
    supply : DataFrame
        ``site_id``, ``resource``, ``source_id``, ``kind`` (``network`` or the own-supply kind),
        ``amount``, ``unit``, ``distance_km``, ``cost``, ``basis``, ``source_name_en``,
        ``source_name_local``, ``source_lon``, ``source_lat``, ``site_lon``, ``site_lat``.
    sources : DataFrame
        ``source_id``, ``resource``, ``kind`` (``own`` for own supply), ``name_en``,
        ``name_local``, ``headroom``, ``used``, ``unit``, ``basis``, ``lon``, ``lat``.
    regions : GeoDataFrame, EPSG:4326
        Regions of the index level: ``code``, ``parent_code``, ``name_en``, ``name_local``,
        ``industrialisation``, ``coverage``, ``rank``, ``less_industrialised``.
    coarse_regions : DataFrame
        The coarser levels: ``level``, ``code`` and the index columns; the index of a coarse region
        is the population-weighted mean of its parts. May be empty.
    index_detail : DataFrame
        ``code``, ``indicator``, ``value``, ``unit``, ``normalised``, ``weight``, ``as_of``,
        ``source``.
    suitability : ndarray of float32, grid shape
        Score 0–1; NaN where land is not allowed or data are missing.
    weights : dict
        Criterion id → weight; sums to 1.
    rules : Exclusions, optional
        The rules on every cell, for ``exclusions.tif``.
    demand_mixes : dict
        ``level`` and ``mixes`` (region → industry mix) where demand follows a regional pattern.
    score_shares : list of float
        Share of the allowed land that scores at most 0, 0.001 … 1; may be empty.
    value_statistics, value_histograms : dict
        Criterion id → statistics and histogram of its measure over the allowed land.
    caps : DataFrame
        Joint limits over sources, as `geoplan.siting.tables.cap_table`. May be empty.
    exclusions_by_region : DataFrame
        ``rule``, ``level``, ``code``, ``area_ha_alone``, ``area_ha_only``. May be empty.
    methods : DataFrame, index ``site_id``
        Rank of each candidate by other methods, one column a method. May be empty.
    smaa : DataFrame, index ``site_id``
        See `geoplan.mcda.smaa`; empty where not asked for.
    pareto : DataFrame
        One row per point of the front, see `geoplan.siting.pareto`; empty where not asked for.
    alternatives : DataFrame
        One row per near-optimal plan; empty where not asked for.
    decisive : ndarray of float32, grid shape, or None
        Where the weights decide: see `geoplan.siting.robustness`.
    documents : dict
        Name → what the pages and the service show of a study, as JSON holds it: ``pareto``,
        ``smaa``, ``methods``, ``alternatives``, ``values`` …; kept in the database with the run.
    weight_record : dict
        Method and its evidence (for AHP: lambda_max, ci, cr, random-index table).
    """

    scenario: Scenario
    profile: Profile
    grid: Grid
    candidates: gpd.GeoDataFrame
    exclusions: pd.DataFrame
    portfolio: pd.DataFrame
    supply: pd.DataFrame
    sources: pd.DataFrame
    reasons: dict[str, tuple[Reason, ...]]
    regions: gpd.GeoDataFrame
    index_detail: pd.DataFrame
    suitability: npt.NDArray[np.float32]
    weights: dict[str, float]
    weight_record: dict[str, Any]
    solver: SolverRecord
    relaxations: tuple[Relaxation, ...] = ()
    warnings: tuple[Text, ...] = ()
    assumptions: tuple[Text, ...] = ()
    timings: tuple[StepTiming, ...] = ()
    coarse_regions: pd.DataFrame = field(default_factory=pd.DataFrame)
    layer_versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: Exclusions | None = None
    demand_mixes: dict[str, Any] = field(default_factory=dict)
    score_shares: list[float] = field(default_factory=list)
    value_statistics: dict[str, ValueStatistics] = field(default_factory=dict)
    value_histograms: dict[str, Histogram] = field(default_factory=dict)
    caps: pd.DataFrame = field(default_factory=pd.DataFrame)
    exclusions_by_region: pd.DataFrame = field(default_factory=pd.DataFrame)
    methods: pd.DataFrame = field(default_factory=pd.DataFrame)
    smaa: pd.DataFrame = field(default_factory=pd.DataFrame)
    pareto: pd.DataFrame = field(default_factory=pd.DataFrame)
    alternatives: pd.DataFrame = field(default_factory=pd.DataFrame)
    decisive: npt.NDArray[np.float32] | None = None
    documents: dict[str, Any] = field(default_factory=dict)
