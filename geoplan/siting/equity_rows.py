"""How a program counts equity: the columns and rows that are put behind the portfolio's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from geoplan.errors import RangeError
from geoplan.siting.equity import EquityTerms
from geoplan.siting.model import Program
from geoplan.siting.objective import Objective
from geoplan.siting.problem import FloatArray, IntArray, Prepared

__all__ = ["PAIRS_MAX", "add_equity", "most_gained"]

PAIRS_MAX = 2_000
"""Most pairs of regions whose order the plan may change for the Gini to be written out."""


def most_gained(prepared: Prepared, terms: EquityTerms) -> FloatArray:
    """Return for each region the most that any plan can bring it, as count and caps allow."""
    count = prepared.problem.spec.count
    out = np.zeros(len(terms.codes))
    for r in range(len(terms.codes)):
        mine = np.flatnonzero((terms.region == r) & prepared.allowed)
        held: list[float] = []
        for g in sorted(set(prepared.region[mine].tolist())):
            best = np.sort(terms.benefit[mine[prepared.region[mine] == g]])[::-1]
            cap = prepared.region_cap[g] if g >= 0 else None
            held += best[: len(best) if cap is None else cap].tolist()
        out[r] = math.fsum(sorted(held, reverse=True)[:count])
    return out


@dataclass
class _More:
    """Columns and rows to be put behind a program's own."""

    program: Program
    upper: list[float] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rows: list[tuple[str, dict[int, float], float, float]] = field(default_factory=list)

    def column(self, name: str, upper: float = np.inf) -> int:
        self.upper.append(upper)
        self.names.append(name)
        return len(self.program.cost) + len(self.upper) - 1

    def row(
        self, name: str, entries: Mapping[int, float], *, lower: float = -np.inf,
        upper: float = np.inf,
    ) -> None:  # fmt: skip
        self.rows.append((name, {c: v for c, v in entries.items() if v != 0}, lower, upper))

    def done(self) -> Program:
        p, n = self.program, len(self.upper)
        ends = p.start[-1] + np.cumsum([len(e) for _, e, _, _ in self.rows], dtype=np.int64)
        return replace(
            p,
            cost=np.append(p.cost, np.zeros(n)),
            lower=np.append(p.lower, np.zeros(n)),
            upper=np.append(p.upper, self.upper),
            integer=np.append(p.integer, np.zeros(n, dtype=np.bool_)),
            names=(*p.names, *self.names),
            start=np.append(p.start, ends),
            index=np.append(
                p.index, np.array([c for _, e, _, _ in self.rows for c in e], dtype=np.int64)
            ),
            value=np.append(p.value, np.array([v for _, e, _, _ in self.rows for v in e.values()])),
            row_lower=np.append(p.row_lower, [low for _, _, low, _ in self.rows]),
            row_upper=np.append(p.row_upper, [high for _, _, _, high in self.rows]),
            row_names=(*p.row_names, *(name for name, _, _, _ in self.rows)),
        )


def add_equity(
    program: Program, site_column: IntArray, prepared: Prepared, terms: EquityTerms
) -> tuple[Program, Objective]:
    """Return the program with what equity needs, and equity as an objective to be made large.

    Parameters
    ----------
    program : Program
    site_column : int array
        Column of each site, −1 where it cannot be chosen.
    prepared : Prepared
    terms : EquityTerms

    Returns
    -------
    Program, Objective
        ``deprivation`` as it is; the three others, which are to be small, with the sign reversed.

    Raises
    ------
    RangeError
        The plan may change the order of more than `PAIRS_MAX` pairs of regions, for the Gini.

    Notes
    -----
    With x the sites, ``G_r = Σ benefit_j x_j`` over the sites of region r, ``Y_r = base_r + G_r``,
    ``Y = Σ Y_r`` and p the shares of the people::

        deprivation  max Σ benefit_j (1 − index_r(j)) x_j
        shortfall    min z,               z ≥ target_r − G_r, z ≥ 0
        deviation    min Σ_r d_r / Y,     d_r ≥ p_r Y − Y_r, d_r ≥ 0
        gini         min Σ_{r<s} (a_rs + 2 n_rs) / Y,
                     a_rs = p_s Y_r − p_r Y_s, n_rs ≥ −a_rs, n_rs ≥ 0

    ``|a| = a + 2 (−a)⁺``, so a pair needs one row; a pair whose sign no plan can change needs
    none. ``Y`` differs between plans whose sites differ in size: the two last are ratios, which
    the front takes as such, so they are the index itself and not a stand-in for it.
    """
    live = np.flatnonzero(site_column >= 0)
    if terms.objective == "deprivation":
        whole = np.rint(terms.weight / terms.step)
        entries = {int(site_column[j]): float(whole[j]) for j in live if whole[j]}
        # In steps, so that sums of sites stay whole.
        largest = max(entries.values(), default=1.0)
        scaled = {c: v / largest for c, v in entries.items()}
        return program, Objective(scaled, 1.0 / largest)
    if terms.objective == "shortfall":
        scale = float(terms.benefit.max()) or 1.0
    else:
        scale = float(terms.base.sum() + most_gained(prepared, terms).max()) or 1.0
    writer = _Writer(_More(program), site_column, prepared, terms, scale)
    objective = {
        "shortfall": writer.shortfall, "deviation": writer.deviation, "gini": writer.gini
    }[terms.objective]()  # fmt: skip
    return writer.more.done(), objective


class _Writer:
    """Writes the rows of an objective; amounts are divided by ``scale``."""

    def __init__(
        self, more: _More, column: IntArray, prepared: Prepared, terms: EquityTerms, scale: float
    ) -> None:
        self.more, self.terms, self.scale = more, terms, scale
        self.n = len(terms.codes)
        self.base = terms.base / scale
        self.most = most_gained(prepared, terms) / scale
        held = np.flatnonzero((column >= 0) & (terms.region >= 0) & (terms.benefit > 0))
        self.sites: list[dict[int, float]] = [{} for _ in range(self.n)]
        for j in held.tolist():
            self.sites[terms.region[j]][int(column[j])] = float(terms.benefit[j]) / scale
        best = np.sort(terms.benefit[held])[::-1][: prepared.problem.spec.count]
        self.total_most = min(math.fsum(best.tolist()) / scale, math.fsum(self.most.tolist()))

    def total(self) -> int:
        """Add the column of what the plan brings to all regions."""
        total = self.more.column("gained", self.total_most * (1 + 1e-9))
        entries = {c: -v for mine in self.sites for c, v in mine.items()}
        self.more.row("gained", {total: 1.0, **entries}, lower=0.0, upper=0.0)
        return total

    def lack(
        self, name: str, column: int, r: int, more: Mapping[int, float], least: float, most: float
    ) -> None:
        """Add ``column ≥ least + more·v − gained_r``, whose right side is at most ``most``.

        A site that alone makes up for ``most`` makes up for no more than that: its coefficient may
        be cut to it, which leaves every plan and shuts out shares of sites.
        """
        entries = {column: 1.0, **{c: -v for c, v in more.items()}}
        for c, v in self.sites[r].items():
            entries[c] = entries.get(c, 0.0) + min(v, most)
        self.more.row(name, entries, lower=least)

    def shortfall(self) -> Objective:
        terms = self.terms
        z = self.more.column("shortfall")
        total = self.total() if terms.targets is None else -1
        for r, code in enumerate(terms.codes):
            if terms.targets is None:
                share = float(terms.people[r])
                self.lack(f"shortfall:{code}", z, r, {total: share}, 0.0, share * self.total_most)
            else:
                target = float(terms.targets[r]) / self.scale
                if target > 0:
                    self.lack(f"shortfall:{code}", z, r, {}, target, target)
        return Objective({z: -1.0}, terms.step / self.scale)

    def deviation(self) -> Objective:
        people = self.terms.people
        total = self.total()
        whole = float(self.base.sum())
        lacks: dict[int, float] = {}
        for r, code in enumerate(self.terms.codes):
            share = float(people[r])
            least = share * whole - float(self.base[r])
            most = least + share * self.total_most
            if most <= 0:
                continue
            d = self.more.column(f"lack:{code}", most * (1 + 1e-9))
            lacks[d] = -1.0
            self.lack(f"lack:{code}", d, r, {total: share}, least, most)
        return Objective(lacks, self.terms.step, 0.0, {total: 1.0}, whole)

    def gini(self) -> Objective:
        p, base, n = self.terms.people, self.base, self.n
        gained: dict[int, int] = {}
        for r in range(n):
            if self.sites[r]:
                name = f"gained:{self.terms.codes[r]}"
                gained[r] = self.more.column(name, self.most[r] * (1 + 1e-9))
                entries = {c: -v for c, v in self.sites[r].items()}
                self.more.row(name, {gained[r]: 1.0, **entries}, lower=0.0, upper=0.0)
        total: dict[int, float] = {}
        constant = 0.0
        pairs = []
        for r in range(n):
            for s in range(r + 1, n):
                sure = float(p[s] * base[r] - p[r] * base[s])
                low = sure - (float(p[r] * self.most[s]) if s in gained else 0.0)
                high = sure + (float(p[s] * self.most[r]) if r in gained else 0.0)
                part = {gained[r]: float(p[s])} if r in gained else {}
                if s in gained:
                    part[gained[s]] = -float(p[r])
                sign = -1.0 if high <= 0 else 1.0
                if low < 0 < high:
                    pairs.append((r, s, sure, low))
                for c, v in part.items():
                    total[c] = total.get(c, 0.0) - sign * v
                constant -= sign * sure
        if len(pairs) > PAIRS_MAX:
            raise RangeError(
                f"the plan may change the order of {len(pairs)} pairs of {n} regions; the Gini is "
                f"written out for {PAIRS_MAX} at most",
                where="equity",
                remedy="choose a coarser level, or objective: deviation (the Hoover index)",
            )
        for r, s, sure, low in pairs:
            # In units of p_s: over ≥ (p_r/p_s) Y_s − base_r − gained_r.
            unit = float(p[s])
            over = self.more.column(
                f"over:{self.terms.codes[r]}:{self.terms.codes[s]}", -low / unit * (1 + 1e-9)
            )
            with_s = {gained[s]: float(p[r]) / unit} if s in gained else {}
            self.lack(self.more.names[-1], over, r, with_s, -sure / unit, -low / unit)
            total[over] = -2.0 * unit
        below = dict.fromkeys(gained.values(), 1.0)
        return Objective(total, self.terms.step, constant, below, float(base.sum()))
