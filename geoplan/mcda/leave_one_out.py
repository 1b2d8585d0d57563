"""What each criterion adds to a score whose parts do not add up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.catalogue.text import Text
from geoplan.mcda.aggregate import aggregate

__all__ = ["adds_up", "contribution_note", "leave_one_out", "uses_weights"]


def adds_up(spec: AggregationSpec) -> bool:
    """Return whether weight × value of the criteria add up to the score."""
    return spec.method == "weighted_sum"


def uses_weights(spec: AggregationSpec) -> bool:
    """Return whether the method looks at weights beyond whether they are 0."""
    return not spec.method.startswith("fuzzy") or spec.use_weights


def contribution_note(spec: AggregationSpec) -> Text | None:
    """Return the sentence that must stand beside contributions that do not add up."""
    if adds_up(spec):
        return None
    en = (
        "The score is no sum, so the criteria's parts do not add up to it. Shown is by how much "
        "the score would fall if that criterion alone had its worst value."
    )
    fa = (
        "امتیاز حاصل جمع نیست و سهم معیارها با هم برابر آن نمی‌شود. عدد هر معیار نشان می‌دهد اگر "
        "تنها همان معیار بدترین مقدار را داشت، امتیاز چه‌قدر کم می‌شد."
    )
    if not uses_weights(spec):
        en += " This method does not use the weights of the criteria."
        fa += " این روش وزن معیارها را به کار نمی‌گیرد."
    return Text(en=en, fa=fa)


def leave_one_out(
    spec: AggregationSpec,
    values: Sequence[npt.NDArray[np.floating]],
    weights: Sequence[float],
    *,
    threads: int | None = None,
) -> npt.NDArray[np.float64]:
    """Return the drop of the score when one criterion has its worst value, 0, and no other moves.

    Parameters
    ----------
    spec, values, weights
        As for `geoplan.mcda.aggregate.aggregate`; the candidates rather than all cells.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (criteria, *shape of the values)
        score − score with that criterion at 0; NaN where the score is. 0 for a criterion of
        weight 0. For ``weighted_sum`` this is weight × value, so it adds up there; for no other
        method do the drops add up to the score, and `contribution_note` says so.
    """
    score = aggregate(spec, values, weights, threads=threads).astype(np.float64)
    drops = np.zeros((len(values), *score.shape))
    for place, weight in enumerate(weights):
        if weight > 0:
            worst = [np.zeros_like(v) if i == place else v for i, v in enumerate(values)]
            drops[place] = score - aggregate(spec, worst, weights, threads=threads)
        drops[place][np.isnan(score)] = np.nan
    return drops
