"""``alternatives.csv`` and ``trade_offs.csv``: other plans, and single sites out and in."""

from __future__ import annotations

import pandas as pd

from geoplan.report.cells import Column, csv_bytes
from geoplan.siting.result import SitingResult

__all__ = ["alternatives_csv", "trade_offs_csv"]


def alternatives_csv(result: SitingResult) -> bytes:
    """Return ``alternatives.csv``: near-optimal plans, best first; site ids joined by a space."""
    frame = result.alternatives
    if len(frame):
        frame = frame.assign(
            currency=result.profile.currency,
            **{name: [" ".join(v) for v in frame[name]] for name in ("sites", "leave", "enter")},
        )
    columns = [
        Column("number", "integer"),
        Column("worth", "score"),
        Column("loss", "score"),
        Column("bound", "score"),
        Column("cost", "cost"),
        Column("currency", "text"),
        Column("status", "text"),
        Column("sites", "text"),
        Column("leave", "text"),
        Column("enter", "text"),
    ]
    return csv_bytes(frame, columns, table="alternatives.csv")


def trade_offs_csv(result: SitingResult) -> bytes:
    """Return ``trade_offs.csv``: what keeping a site out, or putting one in, costs the plan."""
    rows = result.documents.get("trade_offs", {}).get("sites", [])
    frame = pd.DataFrame(rows)
    if len(frame):
        frame = frame.assign(**{n: [" ".join(v) for v in frame[n]] for n in ("leave", "enter")})
    columns = [
        Column("site_id", "text"),
        Column("direction", "text"),
        Column("status", "text"),
        Column("loss", "score"),
        Column("loss_at_least", "score"),
        Column("leave", "text"),
        Column("enter", "text"),
    ]
    return csv_bytes(frame, columns, table="trade_offs.csv")
