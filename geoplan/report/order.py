"""The one order in which files and pages list things."""

from __future__ import annotations

import pandas as pd

from geoplan.catalogue import RESOURCES
from geoplan.siting.result import SitingResult

__all__ = ["by_rank", "by_resource", "site_numbers"]


def by_rank(frame: pd.DataFrame, result: SitingResult) -> pd.DataFrame:
    """Return rows in the order of their sites' ranks, then resource, then source."""
    if not len(frame):
        return frame
    order = frame["site_id"].map(result.candidates["rank"])
    frame = frame.assign(_rank=order)
    if "resource" in frame.columns:
        frame = by_resource(frame, ["_rank"], ["source_id"])
    else:
        frame = frame.sort_values(["_rank", "site_id"], kind="stable")
    return frame.drop(columns="_rank")


def by_resource(frame: pd.DataFrame, before: list[str], after: list[str]) -> pd.DataFrame:
    """Return rows sorted by ``before``, then resource in its own order, then ``after``."""
    order = {name: place for place, name in enumerate(RESOURCES)}
    placed = frame.assign(_place=frame["resource"].map(order))
    return placed.sort_values([*before, "_place", *after], kind="stable").drop(columns="_place")


def site_numbers(result: SitingResult) -> dict[str, int]:
    """Return the number of each chosen site on maps and in tables: 1 is the best."""
    chosen = by_rank(result.portfolio, result)
    return {site: n for n, site in enumerate(chosen["site_id"], 1)} if len(chosen) else {}
