"""The portfolio question: sites, demand, links, sources and limits, checked and counted exactly."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.scenario import (
    RESOURCE_UNITS,
    RESOURCES,
    OwnSupply,
    PortfolioSpec,
    ResourceSupply,
    SupplySpec,
)
from geoplan.errors import InputError, RangeError, ShapeError, UnknownName
from geoplan.siting.spacing import Conflicts

__all__ = ["DEMAND_COLUMNS", "PortfolioProblem", "Prepared", "Resource", "prepare"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

DEMAND_COLUMNS = {
    "water": "water_m3_per_day",
    "power": "power_mva",
    "wastewater": "wastewater_m3_per_day",
}
"""Column of `demand.site_demand` for each resource; any other has a column of its own name."""


@dataclass(frozen=True)
class PortfolioProblem:
    """The question: which set of sites, each served in full from shared sources, is best.

    Parameters
    ----------
    sites : DataFrame, index ``site_id``
        ``score`` (0–1, finite), ``region`` (code at ``spec.region_level``; missing: no cap
        holds), ``less_industrialised`` (missing: no).
    demand : DataFrame, index ``site_id``
        As `demand.site_demand`.
    links : DataFrame
        As `supply.links`.
    sources : DataFrame
        ``source_id``, ``resource``, ``headroom`` at least; as in `supply.links`.
    conflicts : Conflicts
        Pairs of sites that may not both be chosen.
    spec : PortfolioSpec
        Count, caps, quota, budget, gap and time limit.
    supply : SupplySpec or mapping
        Rules of each resource. A mapping may name resources of any number.
    region_caps : mapping, optional
        Most sites by region; a region not named has ``spec.per_region_max``.
    lock_in, lock_out : frozenset of str
        Sites that every plan has, and that none has.
    """

    sites: pd.DataFrame
    demand: pd.DataFrame
    links: pd.DataFrame
    sources: pd.DataFrame
    conflicts: Conflicts
    spec: PortfolioSpec
    supply: SupplySpec | Mapping[str, ResourceSupply]
    region_caps: Mapping[str, int] = field(default_factory=dict)
    lock_in: frozenset[str] = frozenset()
    lock_out: frozenset[str] = frozenset()

    @property
    def rules(self) -> dict[str, ResourceSupply]:
        """Supply rules by resource, in the order of every table."""
        if isinstance(self.supply, SupplySpec):
            return {r: getattr(self.supply, r) for r in RESOURCES}
        return dict(self.supply)

    @property
    def quota(self) -> int:
        """Least number of sites in less-industrialised regions."""
        return math.ceil(self.spec.less_industrialised_share_min * self.spec.count - 1e-9)


@dataclass(frozen=True)
class Resource:
    """One resource in whole ticks, so that no limit is broken by rounding.

    A tick is 10^−decimals units. Demand is rounded to the nearest tick, every limit down.
    """

    name: str
    unit: str
    decimals: int
    rule: ResourceSupply
    demand: IntArray
    """Demand of each site, ticks."""
    source_ids: tuple[str, ...]
    headroom: IntArray
    """What the plan may use of each source (headroom × headroom_share_max), ticks."""
    link_site: IntArray
    link_source: IntArray
    link_km: FloatArray
    link_route: FloatArray
    line_cost: FloatArray
    unit_cost: FloatArray
    """Cost per unit (not per tick)."""
    own: tuple[OwnSupply, ...]
    module: tuple[int, ...]
    """What one module of each own supply counts for, ticks."""
    own_cap: IntArray
    """Most that each kind may supply at each site, ticks; shape (kinds, sites)."""
    reuse_cap: IntArray
    """Most treated wastewater that may return to each site, ticks."""

    @property
    def tick(self) -> float:
        """Size of a tick in units."""
        return float(1.0 / 10.0**self.decimals)

    @property
    def residual(self) -> IntArray:
        """Least amount that must come from sources, ticks: demand − own supply − reuse."""
        local = self.own_cap.sum(axis=0) + self.reuse_cap
        return np.asarray(np.maximum(self.demand - local, 0))

    def amount(self, ticks: int) -> float:
        """Return ticks as units."""
        return float(round(int(ticks) / 10.0**self.decimals, self.decimals))

    def reach(self) -> IntArray:
        """Return the most that each site could take from sources if it were alone, ticks."""
        need = self.residual
        cap = np.minimum(need[self.link_site], self.headroom[self.link_source])
        out = np.zeros(len(need), dtype=np.int64)
        if self.rule.single_source:
            np.maximum.at(out, self.link_site, cap)
        else:
            np.add.at(out, self.link_site, cap)
        return np.asarray(np.minimum(out, need))


@dataclass(frozen=True)
class Prepared:
    """A checked problem as arrays; sites in the order of their ids."""

    problem: PortfolioProblem
    site_ids: tuple[str, ...]
    score: FloatArray
    region: IntArray
    """Number of the region of each site, −1 where it has none."""
    region_codes: tuple[str, ...]
    region_cap: tuple[int | None, ...]
    less: BoolArray
    resources: tuple[Resource, ...]
    cliques: tuple[tuple[int, ...], ...]
    near: tuple[int, ...]
    """For each site the sites that it excludes, as bits."""
    shortage: IntArray
    """What each site lacks when it is alone, ticks; shape (resources, sites)."""
    locked: tuple[int, ...]
    """Sites that every plan has."""
    barred: BoolArray
    """Sites that no plan has."""

    @property
    def allowed(self) -> BoolArray:
        """Sites that a plan may have: served when alone, and not locked out."""
        return self.served_alone & ~self.barred

    @property
    def served_alone(self) -> BoolArray:
        """Sites whose demand could be met in full if no other site were chosen."""
        return np.asarray((self.shortage == 0).all(axis=0))


def _decimals(demand: FloatArray) -> int:
    positive = demand[demand > 0]
    if not positive.size:
        return 3
    # Seven digits below the smallest demand, but whole ticks must stay exact in a float.
    wanted = math.ceil(7 - math.log10(float(positive.min())))
    most = math.floor(15 - math.log10(float(positive.max())) - math.log10(positive.size + 1))
    return max(0, min(max(3, wanted), most))


def _down(value: FloatArray, decimals: int) -> IntArray:
    """Return ``value`` in ticks, rounded down; a decimal that a float cannot hold stays whole."""
    scaled = value * 10.0**decimals
    nearest = np.rint(scaled)
    fits = np.round(nearest / 10.0**decimals, decimals) <= value
    return np.where(fits, nearest, np.floor(scaled)).astype(np.int64)


def _check_sites(problem: PortfolioProblem) -> pd.DataFrame:
    sites = problem.sites
    for name in ("score", "region", "less_industrialised"):
        if name not in sites.columns:
            raise ShapeError(f"sites lack the column '{name}'", remedy="see PortfolioProblem")
    if sites.index.has_duplicates:
        raise ShapeError(f"site {sites.index[sites.index.duplicated()][0]} occurs twice")
    sites = sites.sort_index()
    score = sites["score"].astype("float64")
    if len(bad := score[~np.isfinite(score)]):
        raise RangeError(
            f"site {bad.index[0]} has a score of {bad.iloc[0]}",
            remedy="score every site, or leave it out",
        )
    return sites


def prepare(problem: PortfolioProblem) -> Prepared:
    """Check a problem and return it as arrays in whole ticks.

    Raises
    ------
    ShapeError, RangeError, UnknownName
        A table lacks a column or row, a number is impossible, a link names what does not exist;
        the message names the item.
    """
    sites = _check_sites(problem)
    ids = [str(s) for s in sites.index]
    number = {s: k for k, s in enumerate(ids)}
    demand = problem.demand.reindex(sites.index)
    region = sites["region"]
    codes = sorted({str(r) for r in region.dropna()})
    code_number = {c: k for k, c in enumerate(codes)}
    caps = tuple(problem.region_caps.get(c, problem.spec.per_region_max) for c in codes)
    less = sites["less_industrialised"]
    resources = _resources(problem, demand, number)
    near = [0] * len(ids)
    for a, b in zip(problem.conflicts.pairs["a"], problem.conflicts.pairs["b"], strict=True):
        if a in number and b in number:
            near[number[a]] |= 1 << number[b]
            near[number[b]] |= 1 << number[a]
    locked, barred = _locks(problem, number)
    cliques = (tuple(number[s] for s in c if s in number) for c in problem.conflicts.cliques)
    if resources:
        shortage = np.stack([r.residual - r.reach() for r in resources])
    else:
        shortage = np.zeros((0, len(ids)), dtype=np.int64)
    return Prepared(
        problem=problem,
        site_ids=tuple(ids),
        score=sites["score"].to_numpy(dtype=np.float64),
        region=np.array(
            [-1 if pd.isna(r) else code_number[str(r)] for r in region], dtype=np.int64
        ),
        region_codes=tuple(codes),
        region_cap=caps,
        less=np.array([not pd.isna(v) and bool(v) for v in less], dtype=np.bool_),
        resources=resources,
        cliques=tuple(c for c in cliques if len(c) > 1),
        near=tuple(near),
        shortage=shortage,
        locked=locked,
        barred=barred,
    )


def _locks(problem: PortfolioProblem, number: dict[str, int]) -> tuple[tuple[int, ...], BoolArray]:
    for name in ("lock_in", "lock_out"):
        unknown = sorted(str(s) for s in getattr(problem, name) if str(s) not in number)
        if unknown:
            raise UnknownName(
                f"{name} names site {unknown[0]}, which is not among the {len(number)} candidates",
                where="portfolio",
                remedy="give the site_id of a candidate, or a place inside one",
            )
    both = sorted(problem.lock_in & problem.lock_out)
    if both:
        raise InputError(
            f"site {both[0]} is in lock_in and in lock_out",
            where="portfolio",
            remedy="take it out of one of the two",
        )
    barred = np.zeros(len(number), dtype=np.bool_)
    barred[[number[str(s)] for s in problem.lock_out]] = True
    return tuple(sorted(number[str(s)] for s in problem.lock_in)), barred


def _resources(
    problem: PortfolioProblem, demand: pd.DataFrame, number: dict[str, int]
) -> tuple[Resource, ...]:
    out: dict[str, Resource] = {}
    raw: dict[str, FloatArray] = {}
    for name in problem.rules:
        column = DEMAND_COLUMNS.get(name, name)
        if column not in demand.columns:
            raise ShapeError(f"demand lacks the column '{column}'", remedy="see demand.site_demand")
        raw[name] = demand[column].to_numpy(dtype=np.float64)
        bad = ~(np.isfinite(raw[name]) & (raw[name] >= 0))
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise RangeError(
                f"site {demand.index[k]} has a demand of {raw[name][k]} for {name}",
                remedy="demand is 0 or more for every site",
            )
    for name, rule in problem.rules.items():
        out[name] = _resource(problem, name, rule, raw, demand, number)
    return tuple(out.values())


def _resource(
    problem: PortfolioProblem,
    name: str,
    rule: ResourceSupply,
    raw: dict[str, FloatArray],
    demand: pd.DataFrame,
    number: dict[str, int],
) -> Resource:
    decimals = _decimals(raw[name])
    ticks = np.rint(raw[name] * 10.0**decimals).astype(np.int64)
    sources = problem.sources[problem.sources["resource"] == name]
    sources = sources[pd.to_numeric(sources["headroom"]).notna()].sort_values("source_id")
    headroom = sources["headroom"].to_numpy(dtype=np.float64)
    if (headroom < 0).any():
        k = int(np.flatnonzero(headroom < 0)[0])
        raise RangeError(
            f"source {sources['source_id'].iloc[k]} has a headroom of {headroom[k]:g}",
            remedy="headroom is capacity − committed and is 0 or more; mend the figures",
        )
    source_ids = tuple(str(s) for s in sources["source_id"])
    if len(set(source_ids)) < len(source_ids):
        raise ShapeError(f"a source of {name} occurs twice", remedy="give every source_id once")
    source_number = {s: k for k, s in enumerate(source_ids)}
    # No plan takes more than all sites together, so a huge headroom need not be counted out.
    most = float(raw[name].sum()) + 1.0
    limit = _down(np.minimum(headroom * rule.headroom_share_max, most), decimals)

    links = problem.links[problem.links["resource"] == name]
    unknown = [s for s in links["source_id"] if str(s) not in source_number]
    if unknown:
        raise UnknownName(
            f"a link of {name} names source {unknown[0]}, which has no headroom or does not exist",
            remedy="make the links from the same sources",
        )
    links = links[np.array([str(s) in number for s in links["site_id"]], dtype=np.bool_)]
    i = np.array([number[str(s)] for s in links["site_id"]], dtype=np.int64)
    s = np.array([source_number[str(v)] for v in links["source_id"]], dtype=np.int64)
    order = np.lexsort((s, links["distance_km"].to_numpy(dtype=np.float64), i))
    links, i, s = links.iloc[order], i[order], s[order]
    keep = (limit[s] > 0) & (ticks[i] > 0)
    links, i, s = links[keep], i[keep], s[keep]

    own = tuple(o for o in rule.own if math.floor(o.module * o.credit * 10**decimals + 1e-6) > 0)
    module = tuple(math.floor(o.module * o.credit * 10**decimals + 1e-6) for o in own)
    own_cap = np.zeros((len(own), len(ticks)), dtype=np.int64)
    for k, o in enumerate(own):
        share = np.floor(ticks * o.share_max + 1e-6).astype(np.int64)
        own_cap[k] = np.minimum(share, module[k] * o.modules_max)
    reuse = np.zeros(len(ticks), dtype=np.int64)
    if rule.reuse is not None:
        if "wastewater" not in raw or "nonpotable_m3_per_day" not in demand.columns:
            raise ShapeError(
                "reuse needs the demand columns wastewater_m3_per_day and nonpotable_m3_per_day",
                remedy="see demand.site_demand",
            )
        back = rule.reuse.share_max * rule.reuse.recovery * raw["wastewater"]
        nonpotable = demand["nonpotable_m3_per_day"].fillna(0.0).to_numpy(dtype=np.float64)
        reuse = np.minimum(_down(np.minimum(back, nonpotable), decimals), ticks)
    return Resource(
        name=name,
        unit=RESOURCE_UNITS.get(name, "unit"),
        decimals=decimals,
        rule=rule,
        demand=ticks,
        source_ids=source_ids,
        headroom=limit,
        link_site=i,
        link_source=s,
        link_km=links["distance_km"].to_numpy(dtype=np.float64),
        link_route=links["route_km"].to_numpy(dtype=np.float64),
        line_cost=links["line_cost"].to_numpy(dtype=np.float64),
        unit_cost=links["unit_cost"].to_numpy(dtype=np.float64),
        own=own,
        module=module,
        own_cap=own_cap,
        reuse_cap=reuse,
    )
