"""The table that measures of specialisation start from: regions in rows, activities in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.errors import Problem, ProblemsFound

__all__ = ["ActivityTable", "activity_table"]

_SHOWN = 5


@dataclass(frozen=True, eq=False)
class ActivityTable:
    """A checked table of counts or jobs by region and activity.

    Parameters
    ----------
    amounts : DataFrame of float, index region, columns activity, ≥ 0
        NaN where not known.
    base : Series of float, index region, ≥ 0
        Size of each region: the sum of its activities, its stated total, or another measure
        (people, all workshops). Never NaN where the table was made without ``base``.
    activity_total : Series of float, index activity, ≥ 0
        The nation's amount of each activity.
    base_total : float
        The nation's size, in the unit of ``base``.
    warnings : tuple of Problem
        What is odd but no error: an activity that is nowhere, a region without any, a table in
        which every cell is the same.
    """

    amounts: pd.DataFrame
    base: pd.Series
    activity_total: pd.Series
    base_total: float
    warnings: tuple[Problem, ...] = ()


def activity_table(
    amounts: pd.DataFrame,
    *,
    region_total: pd.Series | None = None,
    activity_total: pd.Series | None = None,
    base: pd.Series | None = None,
    tolerance: float = 0.005,
    what: str = "table of activities",
) -> ActivityTable:
    """Check a table of regions and activities, and add its totals.

    Parameters
    ----------
    amounts : DataFrame, index region, columns activity
        Counts, jobs or capacity. A cell that is not known is NaN and needs the stated total of its
        region and of its activity.
    region_total : Series, index region, optional
        Printed totals of the regions; they must agree with the sum of the activities.
    activity_total : Series, index activity, optional
        Printed totals of the activities; they must agree with the sum of the regions.
    base : Series, index region, optional
        Another measure of size (people, all workshops) instead of the sum of the activities, for
        activities that have no unit in common. May hold NaN; ``base_total`` is the sum of what is
        known.
    tolerance : float, share
        Largest share by which a printed total may differ from its sum (rounded tables).
    what : str
        Name of the table, for messages.

    Returns
    -------
    ActivityTable

    Raises
    ------
    ProblemsFound
        Every fault at once: a region or activity twice, no rows, a cell that is negative, infinite
        or no number, a cell that is missing without totals, totals that do not add up, nothing
        above 0.
    """
    problems = _shape_problems(amounts, what)
    if problems:
        raise ProblemsFound(_headline(what, problems), problems)
    values = amounts.apply(pd.to_numeric, errors="coerce").astype(float)
    problems += _cell_problems(amounts, values)
    for name, series, axis in (
        ("region", region_total, values.index),
        ("activity", activity_total, values.columns),
        ("region's base", base, values.index),
    ):
        if series is not None:
            problems += _total_problems(name, series, axis)
    if problems:
        raise ProblemsFound(_headline(what, problems), problems)
    missing = values.isna()
    stated_region = None if region_total is None else region_total.reindex(values.index)
    stated_activity = None if activity_total is None else activity_total.reindex(values.columns)
    for region in values.index[missing.any(axis=1)]:
        lost = ", ".join(map(str, values.columns[missing.loc[region]][:_SHOWN]))
        if (base is None and stated_region is None) or stated_activity is None:
            problems.append(
                Problem(
                    f"region {region}",
                    f"no figure for {lost}",
                    "leave out the activity or the region, or state the totals of both; "
                    "0 is written as 0",
                    code="missing-cell",
                )
            )
    problems += _sums_differ("region", values.sum(axis=1), stated_region, missing.any(axis=1),
                             tolerance)  # fmt: skip
    problems += _sums_differ("activity", values.sum(axis=0), stated_activity, missing.any(axis=0),
                             tolerance)  # fmt: skip
    if not problems and not (values.fillna(0) > 0).to_numpy().any():
        problems.append(
            Problem(what, "every cell is 0", "give the counts, or another table", code="all-zero")
        )
    if problems:
        raise ProblemsFound(_headline(what, problems), problems)
    totals = values.sum(axis=0) if stated_activity is None else stated_activity.astype(float)
    if base is not None:
        size = base.reindex(values.index).astype(float)
    else:
        size = values.sum(axis=1) if stated_region is None else stated_region.astype(float)
    return ActivityTable(values, size, totals, float(size.sum()), tuple(_warnings(values, what)))


def _headline(what: str, problems: list[Problem]) -> str:
    return f"the {what} has {len(problems)} problem{'s' if len(problems) > 1 else ''}"


def _shape_problems(amounts: pd.DataFrame, what: str) -> list[Problem]:
    if not len(amounts.index) or not len(amounts.columns):
        return [Problem(what, "it has no rows or no columns", "give regions and activities",
                        code="empty")]  # fmt: skip
    out = []
    for name, labels in (("region", amounts.index), ("activity", amounts.columns)):
        for label in labels[labels.duplicated()].unique():
            out.append(
                Problem(
                    f"{name} {label}",
                    f"it is in the table {int((labels == label).sum())} times",
                    f"keep one {'row' if name == 'region' else 'column'} for it",
                    code=f"{name}-twice",
                )
            )
    return out


def _cell_problems(amounts: pd.DataFrame, values: pd.DataFrame) -> list[Problem]:
    out = []
    for activity in values.columns:
        for region in values.index:
            given, value = amounts.at[region, activity], values.at[region, activity]
            if pd.isna(given):
                continue
            if not np.isfinite(value):
                out.append(
                    Problem(f"region {region}, activity {activity}", f"{given!r} is no number",
                            "write a number, or leave it empty", code="no-number")
                )  # fmt: skip
            elif value < 0:
                out.append(
                    Problem(f"region {region}, activity {activity}", f"{value:g} is below 0",
                            "counts and jobs are 0 or more", code="negative")
                )  # fmt: skip
    return out


def _total_problems(name: str, series: pd.Series, axis: pd.Index) -> list[Problem]:
    if series.index.duplicated().any():
        label = series.index[series.index.duplicated()][0]
        return [Problem(f"{name} {label}", "its total is given twice", "keep one",
                        code="total-twice")]  # fmt: skip
    out = []
    for label in axis.difference(series.index):
        out.append(Problem(f"{name} {label}", "its total is not given", "add it",
                           code="total-missing"))  # fmt: skip
    bad = series[(series < 0) | np.isinf(series)]
    for label, value in bad.items():
        out.append(Problem(f"{name} {label}", f"its total is {value:g}", "give 0 or more",
                           code="negative"))  # fmt: skip
    return out


def _sums_differ(
    name: str, sums: pd.Series, stated: pd.Series | None, open_ends: pd.Series, tolerance: float
) -> list[Problem]:
    """Compare printed totals with sums; where a cell is missing the sum may be smaller."""
    if stated is None:
        return []
    out = []
    for label, total in stated.items():
        found = float(sums[label])
        room = tolerance * max(abs(float(total)), abs(found))
        short = found < total - room and not open_ends[label]
        if found > total + room or short:
            out.append(
                Problem(
                    f"{name} {label}",
                    f"its parts sum to {found:g}, its printed total is {float(total):g}",
                    "correct the part or the total that was misprinted",
                    code="total-differs",
                )
            )
    return out


def _warnings(values: pd.DataFrame, what: str) -> list[Problem]:
    out = []
    known = values.to_numpy()[~values.isna().to_numpy()]
    if known.size > 1 and (known == known[0]).all():
        out.append(
            Problem(what, f"every cell is {known[0]:g}", "check that it is no placeholder",
                    severity="warning", code="constant")
        )  # fmt: skip
    for name, axis in (("activity", 0), ("region", 1)):
        empty = (values.fillna(1) == 0).all(axis=axis)
        for label in empty.index[empty]:
            out.append(
                Problem(f"{name} {label}", "0 everywhere", "nothing can be said about it",
                        severity="warning", code=f"{name}-zero")
            )  # fmt: skip
    return out
