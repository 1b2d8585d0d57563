"""The back-test of a run: existing estates scored by its criteria and weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.catalogue.backtest import BacktestSpec
from geoplan.mcda.aggregate import aggregate
from geoplan.mcda.leave_one_out import adds_up
from geoplan.mcda.value_statistics import ValueStatistics
from geoplan.siting.backtest import cells_of, removed_by, share_below, summarise
from geoplan.siting.criteria import Measure, contributions
from geoplan.siting.exclude import Exclusions
from geoplan.studies.candidate_frame import cell_means, cell_values
from geoplan.studies.surface import Ground

__all__ = ["backtest"]


def backtest(
    ground: Ground,
    spec: BacktestSpec,
    *,
    measures: Mapping[str, Measure],
    weights: Mapping[str, float],
    fill: Mapping[str, float],
    statistics: Mapping[str, ValueStatistics],
    exclusions: Exclusions,
    score: npt.NDArray[np.float32],
    aggregation: AggregationSpec | None = None,
) -> dict[str, Any]:
    """Score existing estates by a run's criteria and weights, whatever the exclusions say.

    Parameters
    ----------
    ground : Ground
    spec : BacktestSpec
    measures, weights, fill, statistics
        As in `geoplan.siting.criteria.contributions`.
    exclusions : Exclusions
    score : ndarray of float32
        Score of the allowed land.
    aggregation : AggregationSpec, optional
        How values join to ``score``; absent: as a weighted sum.

    Returns
    -------
    dict
        The summary (`geoplan.siting.backtest.BacktestSummary`) with its sentence, and ``rows``: one
        per estate, best first: ``key``, ``name_en``, ``name_local``, ``area_ha`` (of its cells),
        ``score`` (0–1; NaN: outside the area or a measure is missing), ``percentile`` (share of
        the allowed land that scores below it, %), ``removed`` (rules that remove any of its
        land, the widest first, ``id (share %)``).

    Raises
    ------
    EmptyLayer
        No estate is chosen by ``where``.

    Notes
    -----
    What stands was not placed by this score alone, and the score also measures what came with the
    estates (roads, substations): a high percentile says that the score knows good land, not
    that it caused it.
    """
    estates = ground.frame(spec.layer, spec.where).reset_index(drop=True)
    cells = cells_of(estates.geometry.to_numpy(), ground.grid, inside=exclusions.inside)
    standing = np.diff(cells.offsets) > 0
    if aggregation is None or adds_up(aggregation):
        with np.errstate(invalid="ignore"):  # an estate without a cell has no mean
            parts = contributions(cells, measures, weights, fill, statistics=statistics)
        mean = parts["score"].to_numpy(dtype=np.float64)
    else:
        # Estates must score by the same rule as the land beside which they are put.
        values = cell_values(cells, measures, fill, statistics=statistics)
        joined = aggregate(aggregation, values, [weights[n] for n in measures])
        mean = cell_means(cells, joined)
    found = np.where(standing, mean, np.nan)
    percentile = 100 * share_below(score, found)
    removed = removed_by(cells, exclusions)
    frame = pd.DataFrame(
        {
            "key": estates["key"].astype(str),
            "name_en": estates["name_en"],
            "name_local": estates["name_local"],
            "area_ha": cells.area_ha,
            "score": found,
            "percentile": percentile,
            "removed": [_widest(row) for _, row in removed.iterrows()],
        }
    )
    summary = summarise(percentile, {str(c): removed[c].to_numpy() for c in removed.columns})
    text = summary.text()
    return {
        "layer": spec.layer,
        "where": spec.where,
        "text": {"en": text.en, "local": text.fa},
        "estates": summary.estates,
        "unscored": summary.unscored,
        "mean_percentile": summary.mean_percentile,
        "standard_error": summary.standard_error,
        "upper_quarter": summary.upper_quarter,
        "excluded": summary.excluded,
        "rows": frame.sort_values(
            "percentile", ascending=False, na_position="last", kind="stable"
        ).to_dict("records"),
    }


def _widest(shares: pd.Series) -> str:
    held = shares[shares > 0].sort_values(ascending=False, kind="stable")
    return "; ".join(f"{rule} ({100 * share:.0f} %)" for rule, share in held.items())
