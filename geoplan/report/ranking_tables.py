"""``methods.csv`` and ``smaa.csv``: candidates by other methods, and how firm their ranks are."""

from __future__ import annotations

import pandas as pd

from geoplan.report.cells import Column, csv_bytes
from geoplan.siting.result import SitingResult

__all__ = ["methods_csv", "smaa_csv"]

_METHODS = {
    "topsis": ("topsis_closeness",),
    "vikor": ("vikor_q", "vikor_s", "vikor_r"),
    "promethee": ("promethee_net", "promethee_plus", "promethee_minus"),
    "spotis": ("spotis_distance",),
}
"""Methods in the order of the file, and their scores."""


def methods_csv(result: SitingResult) -> bytes:
    """Return ``methods.csv``: rank and scores of every candidate by each method, best first.

    Only methods that were asked for have columns; ``rank`` and ``score`` are the run's own.
    """
    columns = [Column("rank", "integer"), Column("site_id", "text"), Column("score", "score")]
    for method, scores in _METHODS.items():
        if f"{method}_rank" in result.methods.columns:
            columns.append(Column(f"{method}_rank", "integer"))
            columns += [Column(name, "score") for name in scores]
    return csv_bytes(_with_rank(result.methods, result), columns, table="methods.csv")


def smaa_csv(result: SitingResult) -> bytes:
    """Return ``smaa.csv``: rank acceptability of every candidate that was ranked, best first."""
    columns = [
        Column("rank", "integer"),
        Column("site_id", "text"),
        Column("first_acceptability", "score"),
        Column("top_acceptability", "score"),
        Column("standard_error", "score"),
        Column("mean_rank", "measure"),
        Column("confidence", "score"),
    ]
    columns += [Column(f"central_{name}", "score") for name in result.scenario.criteria]
    return csv_bytes(_with_rank(result.smaa, result), columns, table="smaa.csv")


def _with_rank(frame: pd.DataFrame, result: SitingResult) -> pd.DataFrame:
    if not len(frame):
        return frame
    own = result.candidates.loc[frame.index, ["rank", "score"]]
    out = frame.assign(site_id=frame.index, rank=own["rank"], score=own["score"])
    return out.reset_index(drop=True).sort_values(["rank", "site_id"], kind="stable")
