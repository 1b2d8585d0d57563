"""Peer groups: regions that are alike on stated indicators, so that like is ranked with like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import fcluster, linkage

from geoplan.catalogue.slices import PeerSpec
from geoplan.errors import Problem, ProblemsFound
from geoplan.regions.slice_checks import code_problem

__all__ = ["PeerGroups", "peer_groups"]

FloatArray = npt.NDArray[np.float64]

_RESTARTS = 8


@dataclass(frozen=True)
class PeerGroups:
    """Regions by group.

    Parameters
    ----------
    group : Series of str, index ``code``
        Name of the group; missing where an indicator of the region is not known, or where no
        given group holds it. Computed groups are ``1``, ``2`` … by their smallest code.
    centre : dict of str to str
        For k-medoids: the region most like its group.
    formula : str
        How the groups came about.
    """

    group: pd.Series
    centre: dict[str, str]
    formula: str


def peer_groups(spec: PeerSpec, codes: pd.Index, indicators: pd.DataFrame | None) -> PeerGroups:
    """Return the peer group of each region.

    Parameters
    ----------
    spec : PeerSpec
        Given groups, or how they are computed.
    codes : Index
        Regions of the scorecard.
    indicators : DataFrame, index ``code``, optional
        One column for each of ``spec.variables``.

    Raises
    ------
    ProblemsFound
        A given group names an unknown region; an indicator is absent or the same everywhere;
        fewer regions are fully known than there are groups.

    Notes
    -----
    Indicators are standardised, ``(x − mean) / sd``, and compared by Euclidean distance.
    ``ward``: Ward (1963), the merge that adds least to the sum of squares. ``kmedoids``: the sum
    of distances to k regions is made least by swaps (PAM, Kaufman & Rousseeuw 1990, ch. 2), from
    its greedy start and from eight random ones by ``spec.seed``; the least sum is kept. A region
    with an unknown indicator joins no group: its place would be a guess.
    """
    if spec.groups:
        return _given(spec, codes)
    table = pd.DataFrame(index=codes) if indicators is None else indicators.reindex(codes)
    problems = []
    for name in spec.variables:
        if name not in table or table[name].dropna().nunique() < 2:
            why = "is not there" if name not in table else "is the same everywhere, or not known"
            problems.append(
                Problem(
                    f"scorecard.peers.variables.{name}",
                    f"the figure {why}",
                    "name another variable, or give the groups",
                    code="indicator",
                )
            )
    known = table[list(spec.variables)].dropna() if not problems else table.iloc[:0]
    if not problems and len(known) < spec.count:
        problems.append(
            Problem(
                "scorecard.peers.count",
                f"{spec.count} groups of {len(known)} fully known regions",
                f"write a count of {max(len(known), 2)} or fewer, or other variables",
                code="count",
            )
        )
    if problems:
        raise ProblemsFound("the peer groups cannot be formed", problems)
    known = known.sort_index()
    x = known.to_numpy(dtype=np.float64)
    spread = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    centre: dict[int, str] = {}
    if spec.method == "ward":
        label = fcluster(linkage(x, method="ward"), spec.count, criterion="maxclust")
    else:
        distance = np.sqrt(((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2))
        medoids = _medoids(distance, spec.count, spec.seed)
        label = distance[:, medoids].argmin(axis=1)
        centre = {k: str(known.index[m]) for k, m in enumerate(medoids)}
    order = {old: str(new + 1) for new, old in enumerate(dict.fromkeys(label.tolist()))}
    group = pd.Series([order[k] for k in label.tolist()], index=known.index, dtype=object)
    how = "Ward" if spec.method == "ward" else f"k-medoids, seed {spec.seed}"
    return PeerGroups(
        group.reindex(codes),
        {order[k]: code for k, code in centre.items()},
        f"{spec.count} groups by {how} on standardised {', '.join(spec.variables)}",
    )


def _given(spec: PeerSpec, codes: pd.Index) -> PeerGroups:
    problems = []
    group = pd.Series(None, index=codes, dtype=object)
    for name, members in spec.groups.items():
        for n, code in enumerate(members):
            found = code_problem(f"scorecard.peers.groups.{name}.{n}", code, codes)
            if found:
                problems.append(found)
            else:
                group[code] = name
    if problems:
        raise ProblemsFound("the peer groups cannot be formed", problems)
    return PeerGroups(group, {}, "groups given in the target")


def _medoids(distance: FloatArray, count: int, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    starts = [_greedy(distance, count)]
    starts += [sorted(rng.permutation(len(distance))[:count].tolist()) for _ in range(_RESTARTS)]
    best: tuple[float, list[int]] | None = None
    for start in starts:
        medoids = _swapped(distance, start)
        cost = float(distance[:, medoids].min(axis=1).sum())
        if best is None or cost < best[0] - 1e-12:
            best = (cost, medoids)
    return best[1] if best is not None else []


def _greedy(distance: FloatArray, count: int) -> list[int]:
    chosen = [int(distance.sum(axis=0).argmin())]
    while len(chosen) < count:
        nearest = distance[:, chosen].min(axis=1)
        cost = np.minimum(nearest[:, None], distance).sum(axis=0)
        cost[chosen] = np.inf
        chosen.append(int(cost.argmin()))
    return sorted(chosen)


def _swapped(distance: FloatArray, medoids: list[int]) -> list[int]:
    cost = float(distance[:, medoids].min(axis=1).sum())
    while True:
        best, swap = cost - 1e-12, None
        for place in range(len(medoids)):
            others = medoids[:place] + medoids[place + 1 :]
            nearest = distance[:, others].min(axis=1) if others else np.full(len(distance), np.inf)
            sums = np.minimum(nearest[:, None], distance).sum(axis=0)
            sums[medoids] = np.inf
            candidate = int(sums.argmin())
            if sums[candidate] < best:
                best, swap = float(sums[candidate]), sorted([*others, candidate])
        if swap is None:
            return medoids
        medoids, cost = swap, best
