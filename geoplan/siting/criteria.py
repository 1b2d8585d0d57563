"""From raw measures to values, scores, and what each criterion adds to each candidate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.scenario import Criterion
from geoplan.errors import GeoPlanError, ShapeError, UnknownName
from geoplan.mcda.value import apply_value
from geoplan.mcda.value_fit import needs_statistics
from geoplan.mcda.value_statistics import ValueStatistics, statistics
from geoplan.siting.allowed import AllowedLand
from geoplan.siting.candidates import CandidateCells
from geoplan.siting.quantised import Quantiser
from geoplan.siting.score_sum import ScoreSum, known_mean, row_sums

__all__ = ["Measure", "Suitability", "contributions", "suitability", "value_of"]

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Measure:
    """One criterion and its measure on the grid.

    Parameters
    ----------
    criterion : Criterion
        Value function, ``invert`` and what a missing measure means.
    raw : ndarray of float, shape (rows, cols), unit of the criterion; or callable
        NaN is missing. A callable makes the array each time it is asked for, so that a national
        grid never holds more than one.
    """

    criterion: Criterion
    raw: npt.NDArray[np.floating] | Callable[[], npt.NDArray[np.floating]]

    def array(self) -> npt.NDArray[np.floating]:
        """Return the measure on the grid."""
        return self.raw() if callable(self.raw) else self.raw


@dataclass(frozen=True, slots=True)
class Suitability:
    """The score of every allowed cell, and how missing measures were treated.

    Parameters
    ----------
    score : ndarray of float32, shape (rows, cols), 0–1
        NaN where land is not allowed, or where a measure is missing whose policy is ``exclude``.
    fill : dict
        Criterion id → value that stands in for a missing one; NaN where the policy is
        ``exclude``.
    missing : DataFrame
        One row per criterion: ``criterion``, ``policy``, ``cells`` (allowed cells without a
        value) and ``excluded`` (of these, the cells that only this criterion took out).
    statistics : dict
        Criterion id → statistics of its measure over the allowed cells, for those whose value
        function takes numbers from the data.
    """

    score: npt.NDArray[np.float32]
    fill: dict[str, float]
    missing: pd.DataFrame
    statistics: dict[str, ValueStatistics] = field(default_factory=dict)


def value_of(
    criterion: Criterion,
    raw: npt.ArrayLike,
    *,
    statistics: ValueStatistics | None = None,
    where: str = "",
) -> npt.NDArray[np.float32]:
    """Return the value of a measure by the criterion's function, 0–1; missing stays NaN.

    Parameters
    ----------
    criterion : Criterion
    raw : array_like of number, unit of the criterion
    statistics : ValueStatistics, optional
        Of the measure over the allowed cells, where the function takes numbers from the data.
    where : str
        Named by an error.
    """
    try:
        return apply_value(criterion.value, raw, invert=criterion.invert, statistics=statistics)
    except GeoPlanError as error:
        error.where = where or error.where
        raise


def _fill(criterion: Criterion, value: Values, land: AllowedLand, name: str) -> float:
    if criterion.missing == "exclude":
        return math.nan
    if criterion.missing == "zero":
        return 0.0
    return known_mean(*row_sums(value, land), name)


def _at_allowed(
    measures: Mapping[str, Measure], land: AllowedLand
) -> Iterator[tuple[str, npt.NDArray[np.floating]]]:
    """Give each measure at the allowed cells; the next is made while one is worked on.

    Burning features and reading files keep one core busy; the other would wait.
    """

    def make(name: str) -> npt.NDArray[np.floating]:
        return land.take(measures[name].array(), where=f"criteria.{name}")

    names = list(measures)
    with ThreadPoolExecutor(max_workers=1) as pool:
        following = pool.submit(copy_context().run, make, names[0])
        for later in [*names[1:], None]:
            raw = following.result()
            name, names = names[0], names[1:]
            if later is not None:
                following = pool.submit(copy_context().run, make, later)
            yield name, raw
            del raw


def suitability(
    measures: Mapping[str, Measure],
    weights: Mapping[str, float],
    allowed: npt.NDArray[np.bool_],
    *,
    quantiser: Quantiser | None = None,
    aggregate: Callable[[Sequence[Values], Sequence[float]], Values] | None = None,
    known: Mapping[str, ValueStatistics] | None = None,
) -> Suitability:
    """Return the score of all allowed cells: Σ weight · value.

    Parameters
    ----------
    measures : mapping
        Criterion id → measure, in the scenario's order. Read once, one after the other, in a
        second thread: where ``raw`` is a callable, only one array of the size of the grid is
        alive.
    weights : mapping
        Criterion id → weight, for every measure; they sum to 1.
    allowed : ndarray of bool, shape (rows, cols)
    quantiser : Quantiser, optional
        Also takes each criterion's values, for re-weighting later.
    aggregate : callable, optional
        Another way from the values and the weights (in the order of the measures) to the score of
        the allowed cells. It needs all values at once: four bytes per criterion and allowed cell.
    known : mapping, optional
        Criterion id → statistics of its measure over the allowed cells, where they have been taken.

    Returns
    -------
    Suitability

    Raises
    ------
    UnknownName
        A measure has no weight, or a weight no measure.
    RangeError
        An ``identity`` measure outside 0–1, or a weight below 0.
    EmptyLayer
        Policy ``mean``, and no allowed cell has a value.

    Notes
    -----
    A missing measure is left out (``exclude``: the cell is not allowed), 0 (``zero``: the worst),
    or the mean over the allowed cells that have one (``mean``). A criterion of weight 0 excludes
    nothing. Beside one raw measure, the memory is that of its values over allowed land (float32),
    their sum (float64) and two bytes per allowed cell.
    """
    _same_names(measures, weights)
    if not measures:
        raise ShapeError("no value array", remedy="give at least one criterion")
    land = quantiser.land if quantiser is not None else AllowedLand.of(allowed)
    total = ScoreSum(land.size)
    kept: list[Values] = []
    of_data: dict[str, ValueStatistics] = {}
    for name, raw in _at_allowed(measures, land):
        measure, where = measures[name], f"criteria.{name}"
        if needs_statistics(measure.criterion.value):
            taken = (known or {}).get(name)
            of_data[name] = statistics(raw) if taken is None else taken
        value = value_of(measure.criterion, raw, statistics=of_data.get(name), where=where)
        del raw
        fill = _fill(measure.criterion, value, land, name)
        if quantiser is not None:
            quantiser.add(name, value, fill)
        total.add(name, measure.criterion, weights[name], value, fill)
        if aggregate is not None:
            kept.append(value)
        del value
    cells = total.score() if aggregate is None else aggregate(kept, [weights[n] for n in measures])
    return Suitability(land.put(cells), total.fill, total.missing(), of_data)


def contributions(
    candidates: CandidateCells,
    measures: Mapping[str, Measure],
    weights: Mapping[str, float],
    fill: Mapping[str, float],
    *,
    statistics: Mapping[str, ValueStatistics] | None = None,
) -> pd.DataFrame:
    """Return what each criterion measures, is worth and adds, as means over each candidate.

    Parameters
    ----------
    candidates : CandidateCells
    measures, weights : mapping
        As given to :func:`suitability`.
    fill : mapping
        :attr:`Suitability.fill`.
    statistics : mapping, optional
        :attr:`Suitability.statistics`; needed where a value function takes numbers from the data.

    Returns
    -------
    DataFrame
        One row per candidate, in order; for each criterion id ``measured_<id>`` (mean of the
        known measures; NaN when none is known), ``value_<id>`` (mean value, 0–1, after the
        missing policy) and ``contribution_<id>`` (weight · value). The contributions of a row
        sum to ``score``, which is the candidate's mean score to float32 accuracy.

    Notes
    -----
    A measure is averaged as it is: categories give a meaningless mean, so ``measured_<id>`` of a
    categorical criterion is the most frequent class instead (ties: the lower).
    """
    _same_names(measures, weights)
    cells, offsets = candidates.cells, candidates.offsets
    size = np.diff(offsets).astype(np.float64)
    owner = candidates.owner()
    columns: dict[str, npt.NDArray[np.float64]] = {}
    for name, measure in measures.items():
        raw = np.asarray(measure.array().reshape(-1)[cells], dtype=np.float64)
        value = value_of(
            measure.criterion,
            raw,
            statistics=(statistics or {}).get(name),
            where=f"criteria.{name}",
        ).astype(np.float64)
        if name in fill and not math.isnan(fill[name]):
            value[np.isnan(value)] = fill[name]
        known = ~np.isnan(raw)
        if measure.criterion.value.kind == "categorical":
            columns[f"measured_{name}"] = _most_frequent(raw, known, owner, len(candidates))
        else:
            number = np.bincount(owner[known], minlength=len(candidates))
            with np.errstate(invalid="ignore"):
                columns[f"measured_{name}"] = (
                    np.bincount(owner[known], weights=raw[known], minlength=len(candidates))
                    / number
                )
        mean = np.bincount(owner, weights=value, minlength=len(candidates)) / size
        columns[f"value_{name}"] = mean
        # a criterion without weight adds nothing, known or not
        columns[f"contribution_{name}"] = (
            weights[name] * mean if weights[name] > 0 else np.zeros(len(candidates))
        )
    frame = pd.DataFrame(columns)
    frame["score"] = frame[[f"contribution_{name}" for name in measures]].sum(axis=1, skipna=False)
    return frame


def _most_frequent(
    raw: npt.NDArray[np.float64],
    known: npt.NDArray[np.bool_],
    owner: npt.NDArray[np.int64],
    count: int,
) -> npt.NDArray[np.float64]:
    out = np.full(count, np.nan)
    pairs, number = np.unique(
        np.column_stack([owner[known], raw[known]]), axis=0, return_counts=True
    )
    # by candidate, then the most frequent, then the lower class: the first of each wins
    order = np.lexsort((pairs[:, 1], -number, pairs[:, 0]))
    who, first = np.unique(pairs[order, 0], return_index=True)
    out[who.astype(np.int64)] = pairs[order, 1][first]
    return out


def _same_names(measures: Mapping[str, Measure], weights: Mapping[str, float]) -> None:
    without = sorted(set(measures) ^ set(weights))
    if without:
        raise UnknownName(
            f"{', '.join(without)}: a criterion without weight, or a weight without criterion",
            where="weights",
            remedy=f"give one weight for each of {', '.join(measures)}",
        )
