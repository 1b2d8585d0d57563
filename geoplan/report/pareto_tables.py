"""``pareto.csv``: the front of efficiency against regional equity, one plan a row."""

from __future__ import annotations

import pandas as pd

from geoplan.report.cells import Column, csv_bytes

__all__ = ["pareto_csv"]


def pareto_csv(frame: pd.DataFrame, *, currency: str) -> bytes:
    """Return ``pareto.csv``, most efficient plan first; a header alone when there is none.

    Parameters
    ----------
    frame : DataFrame
        As `geoplan.studies.equity.front_of` returns it.
    currency : str
        Of ``cost``.

    Notes
    -----
    ``equity`` is in the unit of the scenario's measure, or 0–1 for the Gini and the deviation;
    ``gini_*`` and ``theil_t_*`` are of the amount per person over regions, weighted by people, and
    empty where that is not known. ``gap`` is empty where nothing is proven.
    """
    columns = [
        Column("point", "integer"),
        Column("efficiency", "score"),
        Column("equity", "amount"),
        Column("gap", "score"),
        Column("proven", "flag"),
        Column("cost", "cost"),
        Column("currency", "text"),
        Column("benefit", "amount"),
        Column("share_less_industrialised", "share"),
        Column("gini_before", "score"),
        Column("gini_after", "score"),
        Column("theil_t_before", "score"),
        Column("theil_t_after", "score"),
        Column("is_plan", "flag"),
        Column("sites", "text"),
        Column("entering", "text"),
        Column("leaving", "text"),
    ]
    if len(frame):
        frame = frame.assign(currency=currency).sort_values("point", kind="stable")
    return csv_bytes(frame, columns, table="pareto.csv")
