"""How firm the ranks of an index are: the same index under many combinations of methods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import rankdata

from geoplan.errors import ShapeError
from geoplan.regions.index_score import IndexMethod, Scorer

__all__ = ["FACTORS", "IndexDraws", "draw_index", "importance", "ranked"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FACTORS = ("outliers", "normalisation", "weighting", "aggregation")
"""What is drawn, by the names of `IndexMethod`."""

_TIE_DECIMALS = 12


@dataclass(frozen=True)
class IndexDraws:
    """Ranks over draws, and what they depend on.

    Parameters
    ----------
    frame : DataFrame, index ``code``
        Only regions with an index. ``rank_median``, ``rank_low``, ``rank_high`` (the interval),
        ``rank_least``, ``rank_most`` (over all draws), ``share_less``, ``share_least`` (share of
        draws below the two quantiles, 0–1), ``width`` (``rank_high − rank_low``), ``firm``,
        ``inside`` (whether the index's own rank lies in its interval), ``verdict``
        (``less-industrialised``, ``not-less-industrialised``, ``depends-on-method``).
    importance : DataFrame
        ``factor``, ``share`` (0–1) of the variance of ranks that the choice explains alone;
        last row ``rest``: interactions of choices, and perturbed weights.
    choices : DataFrame
        ``factor``, ``choice``, ``draws``, ``mean_shift``: mean distance of ranks from those of
        the index itself, in ranks.
    methods : DataFrame
        One row per draw: the choice of each factor.
    ranks : ndarray of int64, shape (regions with an index, draws)
        1 is the most industrialised. The first draw is the index itself.
    spared : dict of str to tuple of str
        Outlier rule → indicators that it left alone, because it would have made them the same
        everywhere; only rules that spared any.
    """

    frame: pd.DataFrame
    importance: pd.DataFrame
    choices: pd.DataFrame
    methods: pd.DataFrame
    ranks: IntArray
    spared: dict[str, tuple[str, ...]]


def ranked(scores: FloatArray) -> IntArray:
    """Return competition ranks along the first axis: 1 is the highest, ties share the better.

    Scores that agree to 12 decimals are tied. No NaN.
    """
    ranks: IntArray = rankdata(-np.round(scores, _TIE_DECIMALS), method="min", axis=0)
    return ranks.astype(np.int64)


def draw_index(scorer: Scorer, codes: Sequence[str], indexed: npt.NDArray[np.bool_]) -> IndexDraws:
    """Return the ranks of regions over random combinations of methods.

    Parameters
    ----------
    scorer : Scorer
        Values and specification; ``spec.draws`` says what is drawn.
    codes : sequence of str
        Regions, the rows of the values.
    indexed : ndarray of bool, shape (regions,)
        Regions that have an index; the others are not ranked, but their known values take part
        in normalisation, as in the index itself.

    Raises
    ------
    ShapeError
        No region has an index.
    ProblemsFound, RangeError
        A choice cannot be applied to an indicator; the message names both.

    Notes
    -----
    The choices of a factor occur equally often (±1), in an order drawn for each factor apart:
    a Latin design of the Monte-Carlo analysis of Saisana, Saltelli & Tarantola (2005, J. R.
    Statist. Soc. A 168, 307–323). Draw 1 is the index itself. Expert weights are multiplied by
    independent uniform numbers of ``1 ± perturb`` and scaled to a sum of 1. Quantiles of ranks
    are ranks that occur (inverse of the empirical distribution).
    """
    if not indexed.any():
        raise ShapeError(
            "no region has an index", remedy="lower missing.coverage_min, or load more facts"
        )
    spec, wish = scorer.spec, scorer.spec.draws
    rng = np.random.default_rng(wish.seed)
    base = IndexMethod.of(spec)
    options: list[tuple[str, ...]] = [
        wish.outliers, wish.normalisations, wish.weightings, wish.aggregations,
    ]  # fmt: skip
    drawn = [rng.permutation(np.arange(wish.draws) % len(names)) for names in options]
    factors = rng.uniform(1 - wish.perturb, 1 + wish.perturb, (wish.draws, len(scorer.names)))
    scores = np.empty((int(indexed.sum()), wish.draws))
    for picks in product(*(range(len(names)) for names in options)):
        rows = np.logical_and.reduce([d == p for d, p in zip(drawn, picks, strict=True)])
        rows[0] = False
        which = np.flatnonzero(rows)
        if not len(which):
            continue
        method = IndexMethod(*(names[p] for names, p in zip(options, picks, strict=True)))  # type: ignore[arg-type]
        weights = np.repeat(
            scorer.weights(method.outliers, method.weighting)[:, None], len(which), axis=1
        )
        if method.weighting == "expert":
            weights = weights * factors[which].T
            weights = weights / weights.sum(axis=0)
        scores[:, which] = scorer.scores(method, weights)[indexed]
    own = scorer.weights(base.outliers, base.weighting)
    scores[:, 0] = scorer.scores(base, own[:, None])[indexed, 0]
    methods = pd.DataFrame(
        {f: np.array(n, dtype=object)[d] for f, n, d in zip(FACTORS, options, drawn, strict=True)}
    )
    for factor in FACTORS:
        methods.loc[0, factor] = getattr(base, factor)
    ranks = ranked(scores)
    frame = _summary(ranks, np.round(scores, _TIE_DECIMALS), scorer)
    frame.index = pd.Index([c for c, k in zip(codes, indexed, strict=True) if k], name="code")
    return IndexDraws(
        frame, importance(ranks, methods), _shifts(ranks, methods), methods, ranks, _spared(scorer)
    )


def _spared(scorer: Scorer) -> dict[str, tuple[str, ...]]:
    named = {
        rule: tuple(
            name
            for name, left in zip(scorer.names, scorer.treated(rule).spared, strict=True)
            if left
        )
        for rule in scorer.spec.draws.outliers
    }
    return {rule: names for rule, names in named.items() if names}


def _summary(ranks: IntArray, scores: FloatArray, scorer: Scorer) -> pd.DataFrame:
    spec, wish = scorer.spec, scorer.spec.draws
    low, median, high = np.quantile(
        ranks, [wish.interval[0], 0.5, wish.interval[1]], axis=1, method="inverted_cdf"
    ).astype(np.int64)
    less = (scores < np.quantile(scores, spec.less_industrialised_below, axis=0)).mean(axis=1)
    least = (scores < np.quantile(scores, spec.least_below, axis=0)).mean(axis=1)
    verdict = np.where(
        less >= wish.certain,
        "less-industrialised",
        np.where(less <= 1 - wish.certain, "not-less-industrialised", "depends-on-method"),
    )
    return pd.DataFrame(
        {
            "rank_median": median,
            "rank_low": low,
            "rank_high": high,
            "rank_least": ranks.min(axis=1),
            "rank_most": ranks.max(axis=1),
            "share_less": less,
            "share_least": least,
            "width": high - low,
            "firm": (high - low) <= wish.firm_share * len(ranks),
            "inside": (low <= ranks[:, 0]) & (ranks[:, 0] <= high),
            "verdict": verdict,
        }
    )


def importance(ranks: IntArray, methods: pd.DataFrame) -> pd.DataFrame:
    """Return the share of the variance of ranks that each choice explains alone.

    Parameters
    ----------
    ranks : ndarray of int, shape (regions, draws)
    methods : DataFrame
        One row per draw, one column per factor.

    Returns
    -------
    DataFrame
        ``factor``, ``share``; the last row is ``rest``. NaN where no rank changes.

    Notes
    -----
    First-order index ``S = V(E(rank | choice)) / V(rank)`` (Saisana, Saltelli & Tarantola 2005),
    summed over regions above and below. Groups of draws differ by chance alone; that part
    is taken off (ε² of Kelley 1935): ``(SSB − (k − 1)·MSW) / SST``, not below 0.
    """
    count = ranks.shape[1]
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    total = float((centred**2).sum())
    rows: list[tuple[str, float]] = []
    for factor in methods.columns:
        names, group = np.unique(methods[factor].to_numpy().astype(str), return_inverse=True)
        between = 0.0
        for k in range(len(names)):
            members = group == k
            between += float((centred[:, members].mean(axis=1) ** 2).sum()) * int(members.sum())
        if not total > 0:
            rows.append((str(factor), float("nan")))
            continue
        inside = max(total - between, 0.0)
        chance = (len(names) - 1) * inside / max(count - len(names), 1)
        rows.append((str(factor), max(between - chance, 0.0) / total))
    explained = sum(share for _, share in rows)
    rows.append(("rest", max(1.0 - explained, 0.0) if total > 0 else float("nan")))
    return pd.DataFrame(rows, columns=["factor", "share"])


def _shifts(ranks: IntArray, methods: pd.DataFrame) -> pd.DataFrame:
    shift = np.abs(ranks - ranks[:, :1]).mean(axis=0)
    rows = [
        (factor, str(choice), len(group), float(group.mean()))
        for factor in methods.columns
        for choice, group in pd.Series(shift).groupby(methods[factor].to_numpy(), sort=True)
    ]
    return pd.DataFrame(rows, columns=["factor", "choice", "draws", "mean_shift"])
