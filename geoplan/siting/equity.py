"""Equity of a plan between regions: what it is counted from, and what it is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from geoplan.catalogue.equity import EquityObjective
from geoplan.errors import RangeError, ShapeError
from geoplan.siting.problem import FloatArray, IntArray

__all__ = ["EquityTerms", "equity_of"]

_DIGITS = 1e-6
"""Step of an amount as a share of the largest one, at least; a power of ten."""

_SHARE_STEP = 1e-6
"""Step of the Gini and the Hoover index."""


@dataclass(frozen=True)
class EquityTerms:
    """What equity is counted from. Sites in the order of `Prepared.site_ids`.

    Parameters
    ----------
    objective : EquityObjective
    benefit : ndarray of float, shape (sites,), ≥ 0
        Jobs or hectares that each site brings.
    region : ndarray of int, shape (sites,)
        Number of the region of each site, −1 where it is in none that is counted.
    codes : tuple of str
        Code of each region that is counted.
    population : ndarray of float, shape (regions,), > 0
        For ``shortfall`` by population, ``gini`` and ``deviation``.
    base : ndarray of float, shape (regions,), ≥ 0
        What each region has before the plan; for ``gini`` and ``deviation``.
    industrialisation : ndarray of float, shape (regions,), 0–1
        For ``deprivation``.
    targets : ndarray of float, shape (regions,), ≥ 0, or None
        For ``shortfall``; None: the region's share of the people times what the plan brings to all
        regions that are counted.
    """

    objective: EquityObjective
    benefit: FloatArray
    region: IntArray
    codes: tuple[str, ...]
    population: FloatArray = field(default_factory=lambda: np.zeros(0))
    base: FloatArray = field(default_factory=lambda: np.zeros(0))
    industrialisation: FloatArray = field(default_factory=lambda: np.zeros(0))
    targets: FloatArray | None = None

    def __post_init__(self) -> None:
        needed = {
            "deprivation": ("industrialisation",),
            "shortfall": ("population",) if self.targets is None else (),
            "gini": ("population", "base"),
            "deviation": ("population", "base"),
        }[self.objective]
        n = len(self.codes)
        if not n:
            raise RangeError(
                f"no region can be counted for '{self.objective}'",
                remedy=f"give every region its {' and '.join(needed) or 'target'}",
            )
        tables = {name: getattr(self, name) for name in needed}
        if self.targets is not None:
            tables["targets"] = self.targets
        for name, table in tables.items():
            if table.shape != (n,):
                raise ShapeError(f"{name} has shape {table.shape} for {n} regions")
            low = 0.0 if name != "population" else np.nextafter(0.0, 1.0)
            high = 1.0 if name == "industrialisation" else np.finfo(np.float64).max
            bad = np.flatnonzero(~((table >= low) & (table <= high)))
            if len(bad):
                raise RangeError(
                    f"region {self.codes[bad[0]]} has {name} {table[bad[0]]:g}",
                    remedy="leave out regions without a figure",
                )
        if self.benefit.shape != self.region.shape:
            raise ShapeError(f"{self.benefit.shape} benefits for {self.region.shape} sites")
        bad = np.flatnonzero(~(np.isfinite(self.benefit) & (self.benefit >= 0)))
        if len(bad):
            raise RangeError(
                f"site number {bad[0]} brings {self.benefit[bad[0]]:g}",
                remedy="every site brings 0 or more jobs or hectares",
            )
        if self.objective in ("gini", "deviation") and not (
            self.base.sum() > 0 or self.benefit[self.region >= 0].max(initial=0.0) > 0
        ):
            raise RangeError("there is nothing to share out", remedy="give base or jobs")

    @property
    def people(self) -> FloatArray:
        """Share of the people of each region."""
        return np.asarray(self.population / self.population.sum())

    @property
    def weight(self) -> FloatArray:
        """What each site counts for under ``deprivation``: benefit · (1 − index), 0 outside."""
        known = self.region >= 0
        lack = 1.0 - self.industrialisation[np.where(known, self.region, 0)]
        return np.asarray(np.where(known, self.benefit * lack, 0.0))

    @property
    def step(self) -> float:
        """Step in which equity is counted, in its own unit."""
        if self.objective in ("gini", "deviation"):
            return _SHARE_STEP
        largest = self.weight if self.objective == "deprivation" else self.benefit
        most = float(largest.max(initial=0.0))
        return float(10.0 ** math.ceil(math.log10(most * _DIGITS) - 1e-9)) if most > 0 else 1.0

    def gained(self, chosen: Sequence[int]) -> FloatArray:
        """Return what a plan brings to each region."""
        out = np.zeros(len(self.codes))
        for j in sorted(chosen):
            if self.region[j] >= 0:
                out[self.region[j]] += self.benefit[j]
        return out


def equity_of(terms: EquityTerms, chosen: Sequence[int]) -> float:
    """Return the equity of a plan by its definition; more is better for ``deprivation`` only.

    Parameters
    ----------
    terms : EquityTerms
    chosen : sequence of int
        Sites by number.

    Returns
    -------
    float
        ``deprivation``: Σ benefit_j (1 − index), in the measure's unit. ``shortfall``: the largest
        (target_r − gained_r)⁺, in the measure's unit. ``gini``, ``deviation``: of the amount per
        person after the plan, 0–1; NaN where no region has anything.
    """
    if terms.objective == "deprivation":
        whole = np.rint(terms.weight[sorted(chosen)] / terms.step)
        return float(whole.sum() * terms.step)
    got = terms.gained(chosen)
    if terms.objective == "shortfall":
        target = terms.people * got.sum() if terms.targets is None else terms.targets
        return float(np.maximum(target - got, 0.0).max())
    share = (terms.base + got) / (terms.base + got).sum()
    people = terms.people
    if terms.objective == "deviation":
        return float(np.maximum(people - share, 0.0).sum())
    # Σ_{r<s} |p_s Y_r − p_r Y_s| / Y, which is Σ_{r<s} p_r p_s |y_r − y_s| / ȳ.
    apart = np.abs(np.outer(share, people) - np.outer(people, share))
    return float(apart[np.triu_indices(len(share), 1)].sum())
