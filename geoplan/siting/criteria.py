"""From raw measures to values, scores, and what each criterion adds to each candidate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.scenario import Criterion
from geoplan.errors import EmptyLayer, GeoPlanError, ShapeError, UnknownName
from geoplan.mcda.aggregate import weighted_sum
from geoplan.mcda.value import apply_value
from geoplan.siting.candidates import CandidateCells

__all__ = ["Measure", "Suitability", "contributions", "suitability", "value_of"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One criterion and its measure on the grid.

    Parameters
    ----------
    criterion : Criterion
        Value function, ``invert`` and what a missing measure means.
    raw : ndarray of float, shape (rows, cols), unit of the criterion
        NaN is missing.
    """

    criterion: Criterion
    raw: npt.NDArray[np.floating]


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
    """

    score: npt.NDArray[np.float32]
    fill: dict[str, float]
    missing: pd.DataFrame


def value_of(
    criterion: Criterion, raw: npt.ArrayLike, *, where: str = ""
) -> npt.NDArray[np.float32]:
    """Return the value of a measure by the criterion's function, 0–1; missing stays NaN."""
    try:
        return apply_value(criterion.value, raw, invert=criterion.invert)
    except GeoPlanError as error:
        error.where = where or error.where
        raise


def _fill(criterion: Criterion, value: npt.NDArray[np.float32], name: str) -> float:
    if criterion.missing == "exclude":
        return math.nan
    if criterion.missing == "zero":
        return 0.0
    known = value[~np.isnan(value)]
    if known.size == 0:
        raise EmptyLayer(
            "no allowed cell has a value, so there is no mean to stand in for the missing ones",
            where=f"criteria.{name}",
            remedy="check the layer, or leave the criterion out",
        )
    return float(np.float32(known.mean(dtype=np.float64)))


def suitability(
    measures: Mapping[str, Measure],
    weights: Mapping[str, float],
    allowed: npt.NDArray[np.bool_],
) -> Suitability:
    """Return the score of all allowed cells: Σ weight · value.

    Parameters
    ----------
    measures : mapping
        Criterion id → measure, in the scenario's order.
    weights : mapping
        Criterion id → weight, for every measure; they sum to 1.
    allowed : ndarray of bool, shape (rows, cols)

    Returns
    -------
    Suitability

    Raises
    ------
    UnknownName
        A measure has no weight, or a weight no measure.
    RangeError
        An ``identity`` measure outside 0–1.
    EmptyLayer
        Policy ``mean``, and no allowed cell has a value.

    Notes
    -----
    A missing measure is left out (``exclude``: the cell is not allowed), 0 (``zero``: the worst),
    or the mean over the allowed cells that have one (``mean``). A criterion of weight 0 excludes
    nothing. Values are held for the allowed cells only.
    """
    _same_names(measures, weights)
    cells = np.flatnonzero(allowed)
    fill: dict[str, float] = {}
    values: list[npt.NDArray[np.float32]] = []
    rows: list[dict[str, object]] = []
    gaps = np.zeros(cells.size, dtype=np.uint16)  # how many criteria take a cell out
    holes: list[npt.NDArray[np.int64]] = []
    for name, measure in measures.items():
        if measure.raw.shape != allowed.shape:
            raise ShapeError(
                f"a measure of shape {measure.raw.shape}, the allowed land {allowed.shape}",
                where=f"criteria.{name}",
            )
        value = value_of(
            measure.criterion, measure.raw.reshape(-1)[cells], where=f"criteria.{name}"
        )
        fill[name] = _fill(measure.criterion, value, name)
        hole = np.flatnonzero(np.isnan(value))
        if not math.isnan(fill[name]):
            value[hole] = fill[name]
        elif weights[name] > 0:
            gaps[hole] += 1
        values.append(value)
        holes.append(hole)
        rows.append({"criterion": name, "policy": measure.criterion.missing, "cells": hole.size})
    for row, hole in zip(rows, holes, strict=True):
        takes = row["policy"] == "exclude" and weights[str(row["criterion"])] > 0
        row["excluded"] = int((gaps[hole] == 1).sum()) if takes else 0
    total = weighted_sum(values, [weights[name] for name in measures])
    score = np.full(allowed.shape, np.nan, dtype=np.float32)
    score.reshape(-1)[cells] = np.minimum(total, np.float32(1.0))
    return Suitability(score, fill, pd.DataFrame(rows))


def contributions(
    candidates: CandidateCells,
    measures: Mapping[str, Measure],
    weights: Mapping[str, float],
    fill: Mapping[str, float],
) -> pd.DataFrame:
    """Return what each criterion measures, is worth and adds, as means over each candidate.

    Parameters
    ----------
    candidates : CandidateCells
    measures, weights : mapping
        As given to :func:`suitability`.
    fill : mapping
        :attr:`Suitability.fill`.

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
        raw = np.asarray(measure.raw.reshape(-1)[cells], dtype=np.float64)
        value = value_of(measure.criterion, raw, where=f"criteria.{name}").astype(np.float64)
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
