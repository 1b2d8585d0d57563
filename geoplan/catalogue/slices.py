"""A national target and how it is divided among regions (``layers/targets/<id>.yaml``)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Status, Strict, Text

__all__ = [
    "Exclusion",
    "Kpi",
    "Limit",
    "Measure",
    "Part",
    "Parts",
    "PeerSpec",
    "QuarterSpec",
    "ScorecardSpec",
    "TargetActivity",
    "TargetSpec",
]

Whole = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class Measure(Strict):
    """One figure of a region that speaks for need, capacity or past absorption."""

    kind: Literal["index", "variable", "headroom"] = Field(
        description=(
            "'index': 1 − the profile's industrialisation index; 'variable': a fact of the region; "
            "'headroom': the free water, power or treatment of the sources that lie in it"
        )
    )
    variable: str | None = Field(None, min_length=1, description="Fact variable (kind: variable)")
    resource: str | None = Field(None, description="water, power, wastewater (kind: headroom)")
    layers: tuple[str, ...] = Field((), description="Layers of sources (kind: headroom)")
    scale: Literal["none", "largest", "minmax", "rank"] = Field(
        "largest",
        description=(
            "How it is brought to 0–1: 'none' (it is a share already, or a percentage with "
            "per: 100; cut to 0–1), 'largest' (x / largest, keeps ratios), 'minmax' or 'rank' "
            "((rank − 1) / (n − 1)). The index is taken as it is"
        ),
    )
    per: float = Field(1.0, gt=0, description="Divides the figure first, e.g. 100 for percentages")
    per_size: bool = Field(
        False,
        description=(
            "Divide by the region's size first: an amount (free water) becomes a rate, so that "
            "size, which multiplies the claim, does not count twice"
        ),
    )
    direction: Literal["more", "less"] = Field(
        "more", description="'more': the higher the figure, the larger the slice"
    )
    weight: float = Field(1.0, gt=0, description="Relative weight within its part")

    @model_validator(mode="after")
    def _complete(self) -> Measure:
        if (self.kind == "variable") != (self.variable is not None):
            raise ValueError("write variable: with kind: variable, and only there")
        if (self.kind == "headroom") != bool(self.layers and self.resource):
            raise ValueError("write resource: and layers: with kind: headroom, and only there")
        return self


class Part(Strict):
    """Need, capacity or past absorption: a weighted mean of measures."""

    weight: Share = Field(description="Weight of the part; the three add up to 1")
    measures: tuple[Measure, ...] = Field(
        (), description="What it is made of; none: it is not known of any region"
    )


class Parts(Strict):
    """The three parts of a claim: ``w_need · need + w_capacity · capacity + w_past · past``."""

    need: Part = Part(weight=0.5, measures=(Measure(kind="index"),))
    capacity: Part = Part(weight=0.3)
    past: Part = Part(weight=0.2)
    basis: str = Field(
        "mine: 0.5 need, 0.3 capacity, 0.2 past absorption; to be decided",
        description="Who set the weights, and why",
    )
    status: Status = Field("proposed", description="How certain the weights are")

    @model_validator(mode="after")
    def _weighed(self) -> Parts:
        total = self.need.weight + self.capacity.weight + self.past.weight
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"the weights of need, capacity and past add up to {total:g}, not 1")
        return self


class Limit(Strict):
    """Most and least that a region gets."""

    level: int = Field(1, ge=1, le=3, description="Region level of the code")
    region: str = Field(min_length=1, description='Region code, leading zeros kept: "08"')
    cap: Whole | None = Field(None, description="Most, in the target's unit")
    floor: Whole | None = Field(None, description="Least, in the target's unit")
    cap_share: Share | None = Field(
        None, description="Most, as a share of what its parent (level 1: the nation) divides"
    )
    floor_share: Share | None = Field(None, description="Least, as such a share")
    reason: Text | None = Field(None, description="Why; printed beside the slice")


class Exclusion(Strict):
    """A region that takes nothing, or nothing of one activity."""

    level: int = Field(1, ge=1, le=3, description="Region level of the code")
    region: str = Field(min_length=1, description="Region code, leading zeros kept")
    activity: Identifier | None = Field(None, description="Only this activity; absent: all")
    reason: Text = Field(description="Why; printed beside the slice")


class TargetActivity(Strict):
    """The part of the target for one activity."""

    id: Identifier
    title: Text
    total: Whole = Field(description="Its part of the target, in the target's unit")
    variable: str | None = Field(
        None,
        min_length=1,
        description=(
            "Fact variable that says where this activity belongs (its jobs, its raw material): "
            "divided by the size where there is one, it multiplies the claim; 0 closes the region "
            "to the activity; absent: the claim alone"
        ),
    )


class QuarterSpec(Strict):
    """How a year's slice falls on quarters, and when a quarter is green."""

    calendar: Literal["jalali", "gregorian"] = Field(
        "jalali", description="Whose quarters; a Jalali year begins at Nowruz, winter is its last"
    )
    shares: tuple[Share, Share, Share, Share] = Field(
        (0.15, 0.2, 0.25, 0.4),
        description="Share of the year in quarters 1 to 4; they add up to 1",
    )
    green: float = Field(0.9, gt=0, description="Least actual / target that is green")
    amber: float = Field(0.7, gt=0, description="Least actual / target that is amber")
    basis: str = Field("mine: works are taken over at the end of the year", description="Why")
    status: Status = "proposed"

    @model_validator(mode="after")
    def _adds_up(self) -> QuarterSpec:
        if abs(sum(self.shares) - 1.0) > 1e-9:
            raise ValueError(f"the shares of the quarters add up to {sum(self.shares):g}, not 1")
        if self.amber > self.green:
            raise ValueError(f"amber {self.amber:g} lies above green {self.green:g}; swap them")
        return self


class Kpi(Strict):
    """One figure of the scorecard, between a base and a target."""

    id: Identifier
    title: Text
    unit: str
    base: float = Field(description="Scores 0")
    target: float = Field(description="Scores 1; below the base where less is better")
    weight: float = Field(gt=0, description="Relative weight")
    basis: str = "proposed"

    @model_validator(mode="after")
    def _apart(self) -> Kpi:
        if self.base == self.target:
            raise ValueError(f"base and target are both {self.base:g}; a score needs two points")
        return self


class PeerSpec(Strict):
    """Provinces that are ranked among their like."""

    groups: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="Given groups: name → region codes; empty: computed"
    )
    method: Literal["ward", "kmedoids"] = Field("ward", description="How groups are computed")
    count: int = Field(4, ge=2, le=30, description="How many groups")
    variables: tuple[str, ...] = Field((), description="Fact variables that make regions alike")
    seed: int = Field(0, ge=0, description="Of the restarts of k-medoids")

    @model_validator(mode="after")
    def _one_way(self) -> PeerSpec:
        if bool(self.groups) == bool(self.variables):
            raise ValueError("write groups: to give them or variables: to compute them, one of two")
        twice = sorted(
            code
            for code in {c for codes in self.groups.values() for c in codes}
            if sum(codes.count(code) for codes in self.groups.values()) > 1
        )
        if twice:
            raise ValueError(f"region {', '.join(twice)} stands in two groups")
        return self


class ScorecardSpec(Strict):
    """The scorecard of regions."""

    kpis: tuple[Kpi, ...] = Field(min_length=1)
    peers: PeerSpec | None = Field(None, description="Groups inside which regions are ranked too")
    coverage_min: Share = Field(
        0.5, description="Least share of weight that is reported; below it there is no score"
    )


class TargetSpec(Strict):
    """A national target of one year and how it becomes slices of provinces and counties."""

    id: Identifier
    title: Text
    status: Status = Field("proposed", description="How certain the target is")
    basis: str = Field(min_length=1, description="Where the target comes from")
    profile: Identifier = Field(description="Profile whose regions take part")
    year: int = Field(ge=1, description="Year in the calendar of 'quarters'")
    measure: Text = Field(description="What is counted: industrial land, jobs, water …")
    unit: str = Field(min_length=1, description="ha, m3/day, MVA, jobs, IRR bn …")
    total: Whole = Field(description="The target, in whole units")
    lot: int = Field(1, ge=1, description="Smallest module, in units; slices are whole lots")
    levels: tuple[int, ...] = Field((1, 2), description="Region levels, coarsest first")
    method: Literal["webster", "hamilton", "jefferson", "adams", "hill"] = Field(
        "webster",
        description="Rounding: Webster (Sainte-Laguë), Hamilton (largest remainders) …",
    )
    table: Literal["quota", "webster"] = Field(
        "quota", description="Rounding of region × activity: controlled, or biproportional"
    )
    size: str | None = Field(
        None,
        min_length=1,
        description=(
            "What a region's claim is multiplied by: 'population' (the regions' own) or a fact "
            "variable; absent: a small region claims as much as a large one in the same state"
        ),
    )
    parts: Parts = Parts()
    activities: tuple[TargetActivity, ...] = Field(
        (), description="Parts of the target by activity; they add up to the total"
    )
    cap_share: Share | None = Field(
        None, description="Most of any region, as a share of what its parent divides"
    )
    limits: tuple[Limit, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    quarters: QuarterSpec = QuarterSpec()
    scorecard: ScorecardSpec | None = None

    @model_validator(mode="after")
    def _fits(self) -> TargetSpec:
        faults = []
        if not self.levels or list(self.levels) != list(range(1, len(self.levels) + 1)):
            faults.append(f"levels is {list(self.levels)}; write 1, or 1 and 2, or 1, 2 and 3")
        if self.total % self.lot:
            down = self.total - self.total % self.lot
            faults.append(
                f"the total {self.total:,} is no whole number of lots of {self.lot:,}; "
                f"write {down:,} or {down + self.lot:,}"
            )
        if self.size is None and any(
            m.per_size
            for p in (self.parts.need, self.parts.capacity, self.parts.past)
            for m in p.measures
        ):
            faults.append("a measure has per_size, but the target has no size; write size:")
        names = [a.id for a in self.activities]
        faults += [
            f"activity '{name}' is given twice"
            for name in sorted({n for n in names if names.count(n) > 1})
        ]
        for activity in self.activities:
            if activity.total % self.lot:
                faults.append(
                    f"activity '{activity.id}': {activity.total:,} is no whole number of lots of "
                    f"{self.lot:,}"
                )
        held = sum(a.total for a in self.activities)
        if self.activities and held != self.total:
            faults.append(
                f"the activities add up to {held:,}, the total is {self.total:,}; change one of "
                f"them by {abs(self.total - held):,}"
            )
        faults += [
            f"exclusion of region {e.region}: there is no activity '{e.activity}'"
            for e in self.exclusions
            if e.activity is not None and e.activity not in names
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self
