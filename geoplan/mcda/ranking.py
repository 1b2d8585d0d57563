"""Several methods on the same alternatives, and how far they agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.ranking import Method, PreferenceSpec, RankingSpec
from geoplan.errors import RangeError, UnknownName
from geoplan.mcda.agreement import kendall_tau_b, spearman_rho, top_overlap
from geoplan.mcda.decision import Decision, FloatArray, decision, ranks_of
from geoplan.mcda.promethee import GAUSSIAN_MOST, promethee
from geoplan.mcda.reversal import Reversal, reversals
from geoplan.mcda.spotis import spotis
from geoplan.mcda.topsis import topsis
from geoplan.mcda.vikor import Vikor, vikor

__all__ = ["STRONG_DISAGREEMENT", "Agreement", "RankingResult", "rank_by"]

IntArray = npt.NDArray[np.int64]

STRONG_DISAGREEMENT = 0.6
"""Kendall's τ_b below which two methods are said to disagree strongly; assumed."""

_GAUSSIAN_REVERSAL_MOST = 1_000
"""Alternatives up to which a gaussian is ranked again and again."""


@dataclass(frozen=True)
class Agreement:
    """How far two rankings agree.

    Parameters
    ----------
    first, second : str
        Names of the rankings.
    tau, rho : float
        Kendall's τ_b and Spearman's ρ; NaN where either ranking is one tie.
    overlap : float
        Share of the best ``top`` that both have.
    """

    first: str
    second: str
    tau: float
    rho: float
    overlap: float


@dataclass(frozen=True)
class RankingResult:
    """Ranks, scores and agreement of several methods.

    Parameters
    ----------
    ranks : DataFrame of int, index of the values
        One column a method; 1 is best, ties share the better rank.
    scores : DataFrame of float, index of the values
        ``topsis`` (closeness, more is better); ``vikor`` (Q, less is better), ``vikor_s``,
        ``vikor_r``; ``promethee`` (net flow, more is better), ``promethee_plus``,
        ``promethee_minus``; ``spotis`` (distance, less is better).
    agreement : tuple of Agreement
        Every pair of rankings once.
    ties : dict
        Method → how many alternatives share their rank with another.
    reversal : dict
        Method → what came of ranking again; empty where not asked for.
    reversal_left_out : tuple of str
        Methods that would have taken too long to rank again.
    vikor : Vikor, optional
        Compromise set and its conditions.
    constant : tuple of str
        Criteria that tell nothing apart.
    top : int
        How many of the best were compared.
    disagreements : tuple of Agreement
        Pairs whose τ_b is below `STRONG_DISAGREEMENT`.
    """

    ranks: pd.DataFrame
    scores: pd.DataFrame
    agreement: tuple[Agreement, ...]
    ties: dict[str, int]
    reversal: dict[str, Reversal]
    reversal_left_out: tuple[str, ...]
    vikor: Vikor | None
    constant: tuple[str, ...]
    top: int
    disagreements: tuple[Agreement, ...] = ()


def rank_by(
    methods: Sequence[Method],
    values: pd.DataFrame,
    weights: Mapping[str, float],
    spec: RankingSpec,
    *,
    top: int,
    beside: Mapping[str, FloatArray] | None = None,
    threads: int | None = None,
) -> RankingResult:
    """Return the ranks of alternatives by several methods.

    Parameters
    ----------
    methods : sequence of {"topsis", "vikor", "promethee", "spotis"}
    values : DataFrame, alternatives × criteria, 0–1
        More is better on every criterion; no missing value.
    weights : mapping
        Criterion → weight; sum 1.
    spec : RankingSpec
        Normalisation, v, preference functions, and whether to test for rank reversal.
    top : int
        How many of the best are compared: the number of sites in the plan.
    beside : mapping, optional
        Other rankings, by name, that the methods are compared with: ranks, 1 best.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    RankingResult

    Raises
    ------
    UnknownName
        A method, or a criterion of ``spec.preferences``, that does not exist.
    RangeError, ProblemsFound
        See `geoplan.mcda.decision.decision` and `geoplan.mcda.spotis.spotis`.
    """
    if top < 1:
        raise RangeError(f"the best {top} are compared", remedy="compare 1 or more")
    question = decision(values, weights)
    unknown = sorted(set(spec.preferences) - set(question.criteria))
    if unknown:
        raise UnknownName(
            f"no criterion {', '.join(unknown)}",
            where="ranking.preferences",
            remedy=f"the criteria are {', '.join(question.criteria)}",
        )
    preferences = [spec.preferences.get(name, spec.preference) for name in question.criteria]
    ranks: dict[str, IntArray] = {}
    scores: dict[str, FloatArray] = {}
    ties: dict[str, int] = {}
    tests: dict[str, Reversal] = {}
    compromise: Vikor | None = None
    for method in methods:
        if method == "topsis":
            found = topsis(question, normalisation=spec.normalisation, threads=threads).closeness
        elif method == "vikor":
            compromise = vikor(question, v=spec.v, threads=threads)
            found = compromise.q
            scores |= {"vikor_s": compromise.s, "vikor_r": compromise.r}
        elif method == "promethee":
            flows = promethee(question, preferences, threads=threads)
            found = flows.net
            scores |= {"promethee_plus": flows.plus, "promethee_minus": flows.minus}
        elif method == "spotis":
            found = spotis(question, _unit_bounds(question), threads=threads)
        else:
            raise UnknownName(
                f"ranking method '{method}' is not known",
                remedy="give topsis, vikor, promethee or spotis",
            )
        scores[method] = found
        ranks[method] = ranks_of(found, ascending=method in ("vikor", "spotis"))
        ties[method] = int((np.bincount(ranks[method])[ranks[method]] > 1).sum())
    left_out = _slow(methods, preferences, len(question.values)) if spec.reversal_test else ()
    if spec.reversal_test:
        for method in methods:
            if method not in left_out:
                score = _goodness(method, spec, preferences, threads)
                tests[method] = reversals(question, score, top=top)
    everything: dict[str, npt.ArrayLike] = {**(beside or {}), **ranks}
    agreement = tuple(
        Agreement(
            a,
            b,
            kendall_tau_b(everything[a], everything[b]),
            spearman_rho(everything[a], everything[b]),
            top_overlap(everything[a], everything[b], top),
        )
        for a, b in combinations(everything, 2)
    )
    return RankingResult(
        ranks=pd.DataFrame(ranks, index=values.index),
        scores=pd.DataFrame(scores, index=values.index),
        agreement=agreement,
        ties=ties,
        reversal=tests,
        reversal_left_out=left_out,
        vikor=compromise,
        constant=question.constant,
        top=min(top, len(question.values)),
        disagreements=tuple(
            a for a in agreement if not math.isnan(a.tau) and a.tau < STRONG_DISAGREEMENT
        ),
    )


def _unit_bounds(question: Decision) -> FloatArray:
    return np.tile([0.0, 1.0], (len(question.criteria), 1))


def _slow(
    methods: Sequence[Method], preferences: Sequence[PreferenceSpec], count: int
) -> tuple[str, ...]:
    gaussian = any(spec.kind == "gaussian" for spec in preferences)
    # A copy would also take the largest set that a gaussian is computed for over its edge.
    limit = min(_GAUSSIAN_REVERSAL_MOST, GAUSSIAN_MOST - 1)
    return ("promethee",) if gaussian and "promethee" in methods and count > limit else ()


def _goodness(
    method: Method,
    spec: RankingSpec,
    preferences: Sequence[PreferenceSpec],
    threads: int | None,
) -> Callable[[Decision], FloatArray]:
    if method == "topsis":
        return lambda d: topsis(d, normalisation=spec.normalisation, threads=threads).closeness
    if method == "vikor":
        return lambda d: -vikor(d, v=spec.v, threads=threads).q
    if method == "promethee":
        return lambda d: promethee(d, preferences, threads=threads).net
    return lambda d: -spotis(d, _unit_bounds(d), threads=threads)
