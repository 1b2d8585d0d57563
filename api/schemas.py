"""What the API answers, with meanings and units. The web client is generated from it."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "AppInfo",
    "CandidatePage",
    "CandidateSummary",
    "CriterionLine",
    "Health",
    "IndicatorLine",
    "Label",
    "LayerInfo",
    "PlaceDetail",
    "ProblemBody",
    "Reason",
    "RegionDetail",
    "RegionSummary",
    "ResourceDemand",
    "RunDetail",
    "RunSummary",
    "SiteDetail",
    "SourceInfo",
    "SupplyLine",
]

Resource = Literal["water", "power", "wastewater"]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid")


class Label(Answer):
    """A text in English and in the country's own language."""

    en: str | None = None
    local: str | None = None


class ProblemBody(Answer):
    """An error (RFC 9457 members)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    where: str = ""
    remedy: str = ""
    problems: list[dict[str, Any]] = Field(default_factory=list)


class Health(Answer):
    """Whether the service and its database answer."""

    status: Literal["ok", "degraded"]
    version: str
    database: bool


class AppInfo(Answer):
    """What the page needs to start."""

    version: str
    profile_id: str | None
    title: Label
    country: str | None
    synthetic: bool = Field(description="The data are made up; the page says so")
    languages: list[str]
    calendar: Literal["gregorian", "jalali"]
    bounds: tuple[float, float, float, float] = Field(description="lon/lat box of the country")
    region_levels: list[dict[str, Any]] = Field(description="level (int) and title (Label)")
    currency: str
    price_year: str
    latest_run: str | None
    data_version: str = Field(description="Changes whenever a layer or run changes")
    region_tiles: dict[str, str] = Field(
        default_factory=dict,
        description="Level → URL template of its tiles, with the index of the latest run",
    )


class LayerInfo(Answer):
    """A layer that can be switched on."""

    id: str
    title: Label
    theme: str
    kind: Literal["vector", "raster", "table"]
    geometry: str | None
    rows: int
    version: int
    as_of: str | None
    source: str
    licence: str
    assumed: bool = Field(description="Holds assumed figures; the word is shown with them")
    method: Label | None = Field(description="How assumed figures were derived")
    synthetic: bool
    color: str
    width: float
    opacity: float
    min_zoom: int
    show: bool
    tiles: str | None = Field(description="URL template of vector tiles, {z}/{x}/{y}")
    source_layer: str = Field("layer", description="Layer name inside the tiles")
    bounds: list[float] | None


class RegionSummary(Answer):
    """A region in lists."""

    code: str
    level: int
    parent_code: str | None
    name: Label
    population: int | None
    area_km2: float | None
    industrialisation: float | None = Field(description="0 least … 1 most; null: too little data")
    coverage: float | None = Field(description="Share of indicator weight that has data, 0–1")
    rank: int | None = Field(description="1 is the most industrialised")
    less_industrialised: bool | None
    bounds: list[float] | None


class IndicatorLine(Answer):
    """One indicator of a region's index."""

    id: str
    title: Label
    value: float | None
    unit: str
    normalised: float | None
    weight: float
    as_of: str | None
    source: str


class RegionDetail(RegionSummary):
    """A region with what its index is made of."""

    formula: str
    indicators: list[IndicatorLine]
    facts: list[dict[str, Any]] = Field(
        description="variable, value, unit, as_of, source, confidence"
    )


class RunSummary(Answer):
    """A run in lists."""

    id: str
    scenario_id: str
    title: Label
    status: Literal["optimal", "within-gap", "time-limit", "infeasible"]
    created_at: str
    synthetic: bool
    assumed: bool
    sites: int
    candidates: int


class RunDetail(RunSummary):
    """A run with its solver, timings and warnings."""

    hash: str
    objective: float | None
    bound: float | None
    gap: float | None
    timings: list[dict[str, Any]] = Field(description="step, seconds, peak_mb")
    warnings: list[Label]
    assumptions: list[Label]
    limits: dict[str, Any] = Field(description="The scenario's portfolio limits")
    criteria: list[dict[str, Any]] = Field(description="id, title, unit, weight")
    relaxations: list[dict[str, Any]] = Field(description="Where no plan exists: what must move")
    files: list[str]
    studies: list[str] = Field(
        default_factory=list, description="What was studied beside the plan: pareto, smaa …"
    )
    tiles: str | None = Field(None, description="URL template of the candidates' tiles")
    region_tiles: dict[str, str] = Field(
        default_factory=dict,
        description="Level → URL template of tiles of regions, with the index of this run",
    )


class ResourceDemand(Answer):
    """What a site needs of one resource."""

    resource: Resource
    amount: float
    unit: str


class CandidateSummary(Answer):
    """A candidate in lists."""

    site_id: str
    rank: int
    score: float
    area_ha: float
    lon: float
    lat: float
    regions: list[dict[str, Any]] = Field(description="level, code, name (Label); coarse first")
    in_portfolio: bool
    served_alone: bool
    demand: list[ResourceDemand]


class CandidatePage(Answer):
    """A page of candidates, with the total so that nothing is cut in silence."""

    total: int
    offset: int
    limit: int
    items: list[CandidateSummary]


class CriterionLine(Answer):
    """What one criterion contributes to a site's score."""

    id: str
    title: Label
    measured: float | None = Field(description="Mean over the site, in `unit`")
    unit: str
    value: float = Field(description="After the value function, 0–1")
    weight: float
    contribution: float = Field(description="weight × value; contributions sum to the score")
    national_median: float | None = Field(description="Median of `measured` over the candidates")


class Reason(Answer):
    """One sentence on why a site is in or out, in both languages."""

    code: str = Field(description="Stable name, e.g. spacing, region-cap, capacity, not-served")
    text: Label


class PlaceDetail(Answer):
    """Why a place is, or is not, part of a candidate of a run."""

    lon: float
    lat: float
    score: float | None = Field(description="0–1; null: the land is not allowed or has no data")
    percentile: float | None = Field(description="Share of the allowed land that scores below, %")
    site_id: str | None = Field(description="Candidate that holds the place")
    reasons: list[Reason]


class SupplyLine(Answer):
    """What a site takes from one source."""

    site_id: str
    resource: Resource
    source_id: str
    source_name: Label
    kind: str = Field(description="network, or the kind of own supply")
    amount: float
    unit: str
    distance_km: float | None
    cost: float
    basis: Literal["metered", "licensed", "assumed"]
    line: list[list[float]] | None = Field(description="lon/lat pairs from source to site")


class SiteDetail(CandidateSummary):
    """A candidate with the reasons for its place."""

    criteria: list[CriterionLine]
    reasons: list[Reason]
    supply: list[SupplyLine]
    cost: float | None
    bounds: list[float]


class SourceInfo(Answer):
    """A source as the run saw it."""

    source_id: str
    resource: Resource
    kind: str
    name: Label
    headroom: float
    used: float
    unit: str
    basis: Literal["metered", "licensed", "assumed"]
    lon: float | None
    lat: float | None
