"""The portfolio question: sites, demand, links, sources and limits, checked and counted exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.scenario import RESOURCES, PortfolioSpec, ResourceSupply, SupplySpec
from geoplan.catalogue.supply import CapSpec
from geoplan.errors import InputError, RangeError, ShapeError, UnknownName
from geoplan.siting.caps import nested
from geoplan.siting.levels import Variants, variants_of
from geoplan.siting.locks import locked_numbers
from geoplan.siting.quotas import Quota, area_ticks, quotas_of
from geoplan.siting.resource import Resource, resource_of
from geoplan.siting.spacing import Conflicts
from geoplan.siting.transport import Transport

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
        holds), ``less_industrialised`` (missing: no). Where asked for: ``area_ha`` (least area),
        ``region{n}_code`` and whatever columns quotas name.
    demand : DataFrame, index ``site_id``
        As `demand.site_demand`.
    links : DataFrame
        As `supply.links`.
    sources : DataFrame
        ``source_id``, ``resource``, ``headroom`` at least; as in `supply.links`. The columns by
        which caps choose; ``modules_max`` (missing: the rule's) where reinforcement is allowed.
    conflicts : Conflicts
        Pairs of sites that may not both be chosen.
    spec : PortfolioSpec
        Count, levels, quotas, budget, gap and time limit. Its locks are not looked at: see
        ``lock_in``.
    supply : SupplySpec or mapping
        Rules of each resource. A mapping may name resources of any number.
    region_caps : mapping, optional
        Most sites by region; a region not named has ``spec.per_region_max``.
    lock_in, lock_out : frozenset of str
        Sites that every plan has, and that none has (`locks.places_to_sites`).
    caps : tuple of CapSpec
        Joint limits beside those of ``supply``.
    cap_limits, quota_limits : mapping, optional
        Limits that stand in the place of the given: by cap; by ``<quota>:min`` and ``:max``.
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
    caps: tuple[CapSpec, ...] = ()
    cap_limits: Mapping[str, float] = field(default_factory=dict)
    quota_limits: Mapping[str, int] = field(default_factory=dict)

    @property
    def rules(self) -> dict[str, ResourceSupply]:
        """Supply rules by resource, in the order of every table."""
        if isinstance(self.supply, SupplySpec):
            return {r: getattr(self.supply, r) for r in RESOURCES}
        return dict(self.supply)

    @property
    def all_caps(self) -> tuple[CapSpec, ...]:
        """Joint limits of the supply and the problem."""
        of_supply = self.supply.caps if isinstance(self.supply, SupplySpec) else ()
        return (*of_supply, *self.caps)

    @property
    def quota(self) -> int:
        """Least number of sites in less-industrialised regions."""
        return math.ceil(self.spec.less_industrialised_share_min * self.spec.count - 1e-9)


@dataclass(frozen=True)
class Prepared:
    """A checked problem as arrays, one entry per site in the order of their ids.

    Where a site may be built at several levels there is an entry for each (`levels.Variants`);
    what is said of sites here is then said of these, unless it is said of places.
    """

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
    """Places that every plan has."""
    barred: BoolArray
    """Sites that no plan has."""
    place_ids: tuple[str, ...]
    """Site ids as given, one per place."""
    variants: Variants
    quotas: tuple[Quota, ...]
    area: IntArray
    """Area that each site adds, m²; 0 where no least area is asked for."""
    area_min: int
    """Least area of a plan, m²."""

    @property
    def place(self) -> IntArray:
        """Number of the place of each site."""
        return self.variants.place

    def site(self, j: int) -> str:
        """Return the site id as given."""
        return self.place_ids[int(self.place[j])]

    def places(self, sites: Iterable[int]) -> int:
        """Return how many places sites lie on."""
        return len({int(self.place[j]) for j in sites})

    def may_stand(self, chosen: Sequence[int]) -> bool:
        """Return whether a set keeps count, locks, spacing, quotas and area, in whole numbers."""
        bits = sum(1 << j for j in chosen)
        regions = [int(self.region[j]) for j in chosen]
        held = {int(self.place[j]) for j in chosen}
        return (
            len(chosen) == self.problem.spec.count
            and not any(bits & self.near[j] for j in chosen)
            and not any(self.barred[j] for j in chosen)
            and set(self.locked) <= held
            and all(c is None or regions.count(r) <= c for r, c in enumerate(self.region_cap))
            and sum(bool(self.less[j]) for j in chosen) >= self.problem.quota
            and all(q.least <= int(q.member[list(chosen)].sum()) <= q.most for q in self.quotas)
            and int(self.area[list(chosen)].sum()) >= self.area_min
        )

    @property
    def allowed(self) -> BoolArray:
        """Sites that a plan may have: served when alone, and not locked out."""
        return self.served_alone & ~self.barred

    @property
    def served_alone(self) -> BoolArray:
        """Sites whose demand could be met in full if no other site were chosen."""
        return np.asarray((self.shortage == 0).all(axis=0))


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
    spec = problem.spec
    variants = variants_of(ids, spec.sizes)
    place = variants.place
    demand = problem.demand.reindex(sites.index)
    region = sites["region"]
    codes = sorted({str(r) for r in region.dropna()})
    code_number = {c: k for k, c in enumerate(codes)}
    caps = tuple(problem.region_caps.get(c, spec.per_region_max) for c in codes)
    less = sites["less_industrialised"]
    resources = _resources(problem, demand, number, variants)
    near = [0] * len(ids)
    for a, b in zip(problem.conflicts.pairs["a"], problem.conflicts.pairs["b"], strict=True):
        if a in number and b in number:
            near[number[a]] |= 1 << number[b]
            near[number[b]] |= 1 << number[a]
    locked, barred = locked_numbers(problem.lock_in, problem.lock_out, number)
    cliques = [tuple(number[s] for s in c if s in number) for c in problem.conflicts.cliques]
    if resources:
        shortage = np.stack([r.residual - _reach(r) for r in resources])
    else:
        shortage = np.zeros((0, len(place)), dtype=np.int64)
    area, area_min = area_ticks(spec, sites, place, variants.level)
    return Prepared(
        problem=problem,
        site_ids=variants.ids,
        score=sites["score"].to_numpy(dtype=np.float64)[place] * variants.benefit,
        region=np.array(
            [-1 if pd.isna(r) else code_number[str(r)] for r in region], dtype=np.int64
        )[place],
        region_codes=tuple(codes),
        region_cap=caps,
        less=np.array([not pd.isna(v) and bool(v) for v in less], dtype=np.bool_)[place],
        resources=resources,
        cliques=variants.cliques(cliques),
        near=variants.near(near),
        shortage=shortage,
        locked=locked,
        barred=barred[place],
        place_ids=tuple(ids),
        variants=variants,
        quotas=tuple(
            replace(q, member=q.member[place]) for q in quotas_of(spec, sites, problem.quota_limits)
        ),
        area=area,
        area_min=area_min,
    )


def _resources(
    problem: PortfolioProblem, demand: pd.DataFrame, number: dict[str, int], variants: Variants
) -> tuple[Resource, ...]:
    rules, spec = problem.rules, problem.spec
    unknown = [r for r in spec.shortfall if r not in rules]
    unknown += [c.resource for c in problem.all_caps if c.resource not in rules]
    if unknown:
        raise UnknownName(
            f"a shortfall or cap names resource '{unknown[0]}'",
            where="portfolio.shortfall, supply.caps",
            remedy=f"resources are {', '.join(rules)}",
        )
    ids = [c.id for c in problem.all_caps]
    if len(set(ids)) < len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise InputError(f"two caps have the id '{twice}'", remedy="give each its own id")
    raw: dict[str, FloatArray] = {}
    for name in rules:
        column = DEMAND_COLUMNS.get(name, name)
        if column not in demand.columns:
            raise ShapeError(f"demand lacks the column '{column}'", remedy="see demand.site_demand")
        values = demand[column].to_numpy(dtype=np.float64)
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            raise RangeError(
                f"site {demand.index[k]} has a demand of {values[k]} for {name}",
                remedy="demand is 0 or more for every site",
            )
        raw[name] = values[variants.place] * variants.level
    nonpotable: FloatArray | None = None
    if "nonpotable_m3_per_day" in demand.columns:
        whole = demand["nonpotable_m3_per_day"].fillna(0.0).to_numpy(dtype=np.float64)
        nonpotable = whole[variants.place] * variants.level
    return tuple(
        resource_of(
            name,
            rule,
            raw=raw,
            nonpotable=nonpotable,
            sources=problem.sources,
            links=problem.links,
            caps=[
                (c, problem.cap_limits.get(c.id, c.max))
                for c in problem.all_caps
                if c.resource == name
            ],
            number=number,
            variants=variants,
            shortfall_price=spec.shortfall.get(name),
        )
        for name, rule in rules.items()
    )


def _reach(resource: Resource) -> IntArray:
    """Return the most that each site could take from sources if it were alone, ticks.

    An upper bound where caps of the resource cross.
    """
    need = resource.residual
    cap = np.minimum(need[resource.link_site], resource.most[resource.link_source])
    out = np.zeros(len(need), dtype=np.int64)
    if resource.rule.single_source:
        np.maximum.at(out, resource.link_site, cap)
        return np.asarray(np.minimum(out, need))
    np.add.at(out, resource.link_site, cap)
    out = np.asarray(np.minimum(out, need))
    if resource.caps and nested(resource.caps):
        raised = resource.raised.tolist()
        arcs: dict[int, dict[int, int]] = {}
        for k, (j, s) in enumerate(
            zip(resource.link_site.tolist(), resource.link_source.tolist(), strict=True)
        ):
            arcs.setdefault(j, {})[s] = int(cap[k])
        empty = Transport(dict(enumerate(raised)), arcs, caps=resource.caps)
        for j in arcs:
            out[j] -= empty.copy().place(j, int(out[j]))
    return out
