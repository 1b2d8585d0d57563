"""One resource of the portfolio question in whole ticks, so that no limit is broken by rounding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.supply import RESOURCE_UNITS, CapSpec, OwnSupply, ResourceSupply
from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.siting.caps import Cap, members_of
from geoplan.siting.levels import Variants

__all__ = ["Resource", "resource_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


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
    module_more: int
    """What one module of reinforcement adds to a source, ticks; 0 where there are none."""
    modules_max: IntArray
    """Most modules of reinforcement at each source."""
    caps: tuple[Cap, ...]
    """Joint limits over sources."""
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
    shortfall_price: float | None
    """Cost per unit that goes unserved; None: all demand is served."""

    @property
    def tick(self) -> float:
        """Size of a tick in units."""
        return float(1.0 / 10.0**self.decimals)

    @property
    def raised(self) -> IntArray:
        """Headroom of each source with all modules of reinforcement, ticks."""
        return np.asarray(self.headroom + self.module_more * self.modules_max)

    @property
    def most(self) -> IntArray:
        """Most that each source can give, ticks: raised headroom, no more than any of its caps."""
        out = self.raised
        for cap in self.caps:
            members = list(cap.members)
            out[members] = np.minimum(out[members], cap.limit)
        return out

    @property
    def shortfall_cap(self) -> IntArray:
        """Most that may go unserved at each site, ticks."""
        return self.demand if self.shortfall_price is not None else np.zeros_like(self.demand)

    def modules(self, source: int, ticks: int) -> int:
        """Return how many modules of reinforcement a source needs to give ``ticks``."""
        over = ticks - int(self.headroom[source])
        return -(-over // self.module_more) if over > 0 else 0

    @property
    def residual(self) -> IntArray:
        """Least amount that must come from sources, ticks: demand − what a site has by itself."""
        local = self.own_cap.sum(axis=0) + self.reuse_cap + self.shortfall_cap
        return np.asarray(np.maximum(self.demand - local, 0))

    def amount(self, ticks: int) -> float:
        """Return ticks as units."""
        return float(round(int(ticks) / 10.0**self.decimals, self.decimals))


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


def resource_of(
    name: str,
    rule: ResourceSupply,
    *,
    raw: Mapping[str, FloatArray],
    nonpotable: FloatArray | None,
    sources: pd.DataFrame,
    links: pd.DataFrame,
    caps: Sequence[tuple[CapSpec, float]],
    number: Mapping[str, int],
    variants: Variants,
    shortfall_price: float | None,
) -> Resource:
    """Return a resource in ticks, checked.

    Parameters
    ----------
    name : str
    rule : ResourceSupply
    raw : mapping
        Demand of every variant by resource, units.
    nonpotable : ndarray or None
        Demand of every variant that treated wastewater may cover, units.
    sources, links : DataFrame
        As in `PortfolioProblem`.
    caps : sequence of (CapSpec, float)
        Caps of this resource and the limits that hold, units.
    number : mapping
        Site → number.
    variants : Variants
    shortfall_price : float or None

    Raises
    ------
    ShapeError, RangeError, UnknownName
        As `problem.prepare`.
    """
    decimals = _decimals(raw[name])
    ticks = np.rint(raw[name] * 10.0**decimals).astype(np.int64)
    sources = sources[sources["resource"] == name]
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
    more, modules_max = _modules(rule, sources, most, decimals)
    joint = _joint(caps, sources, source_number, most, decimals)

    links = links[links["resource"] == name]
    unknown = [s for s in links["source_id"] if str(s) not in source_number]
    if unknown:
        raise UnknownName(
            f"a link of {name} names source {unknown[0]}, which has no headroom or does not exist",
            remedy="make the links from the same sources",
        )
    links = links[np.array([str(s) in number for s in links["site_id"]], dtype=np.bool_)]
    i = np.array([number[str(s)] for s in links["site_id"]], dtype=np.int64)
    s = np.array([source_number[str(v)] for v in links["source_id"]], dtype=np.int64)
    if (per := variants.per_place) > 1:
        links = links.iloc[np.repeat(np.arange(len(links)), per)]
        i = np.repeat(i * per, per) + np.tile(np.arange(per), len(i))
        s = np.repeat(s, per)
    order = np.lexsort((s, links["distance_km"].to_numpy(dtype=np.float64), i))
    links, i, s = links.iloc[order], i[order], s[order]
    keep = (limit[s] + more * modules_max[s] > 0) & (ticks[i] > 0)
    links, i, s = links[keep], i[keep], s[keep]

    own = tuple(o for o in rule.own if math.floor(o.module * o.credit * 10**decimals + 1e-6) > 0)
    module = tuple(math.floor(o.module * o.credit * 10**decimals + 1e-6) for o in own)
    own_cap = np.zeros((len(own), len(ticks)), dtype=np.int64)
    for k, o in enumerate(own):
        share = np.floor(ticks * o.share_max + 1e-6).astype(np.int64)
        own_cap[k] = np.minimum(share, module[k] * o.modules_max)
    reuse = np.zeros(len(ticks), dtype=np.int64)
    if rule.reuse is not None:
        if "wastewater" not in raw or nonpotable is None:
            raise ShapeError(
                "reuse needs the demand columns wastewater_m3_per_day and nonpotable_m3_per_day",
                remedy="see demand.site_demand",
            )
        back = rule.reuse.share_max * rule.reuse.recovery * raw["wastewater"]
        reuse = np.minimum(_down(np.minimum(back, nonpotable), decimals), ticks)
    return Resource(
        name=name,
        unit=RESOURCE_UNITS.get(name, "unit"),
        decimals=decimals,
        rule=rule,
        demand=ticks,
        source_ids=source_ids,
        headroom=limit,
        module_more=more,
        modules_max=modules_max,
        caps=joint,
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
        shortfall_price=shortfall_price,
    )


def _modules(
    rule: ResourceSupply, sources: pd.DataFrame, most: float, decimals: int
) -> tuple[int, IntArray]:
    """Return what a module adds, ticks, and the most modules at each source."""
    zero = np.zeros(len(sources), dtype=np.int64)
    if rule.reinforcement is None:
        return 0, zero
    size = min(rule.reinforcement.module * rule.headroom_share_max, most)
    more = int(_down(np.array([size]), decimals)[0])
    if more == 0:
        return 0, zero
    top = zero + rule.reinforcement.modules_max
    if "modules_max" in sources.columns:
        own = pd.to_numeric(sources["modules_max"], errors="coerce").to_numpy(dtype=np.float64)
        bad = (own < 0) | (own != np.floor(own)) & ~np.isnan(own)
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise RangeError(
                f"source {sources['source_id'].iloc[k]} may have {own[k]:g} modules",
                remedy="'modules_max' is a whole number of 0 or more",
            )
        top = np.where(np.isnan(own), top, np.nan_to_num(own)).astype(np.int64)
    return more, top


def _joint(
    caps: Sequence[tuple[CapSpec, float]],
    sources: pd.DataFrame,
    number: Mapping[str, int],
    most: float,
    decimals: int,
) -> tuple[Cap, ...]:
    out = []
    for spec, value in caps:
        members = sorted(number[s] for s in members_of(spec, sources) if s in number)
        if members:
            limit = int(_down(np.array([min(value, most)]), decimals)[0])
            out.append(Cap(spec.id, tuple(members), limit, value))
    return tuple(out)
