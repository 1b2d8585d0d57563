"""Quarters of a year, a slice by quarter, and what was done against it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

from geoplan.catalogue.slices import QuarterSpec, TargetSpec
from geoplan.errors import Problem, ProblemsFound, RangeError
from geoplan.persian import from_jalali, to_jalali
from geoplan.regions.apportion import apportion
from geoplan.regions.apportion_table import apportion_table
from geoplan.regions.slice_checks import code_problem

__all__ = ["against_target", "quarter_days", "quarter_of", "quarter_targets"]


def quarter_of(day: date, calendar: str) -> tuple[int, int]:
    """Return the year and quarter (1–4) of a day.

    Parameters
    ----------
    day : date
        Gregorian.
    calendar : {"jalali", "gregorian"}

    Examples
    --------
    >>> quarter_of(date(2026, 3, 21), "jalali"), quarter_of(date(2026, 3, 20), "jalali")
    ((1405, 1), (1404, 4))
    """
    if calendar == "gregorian":
        return day.year, (day.month - 1) // 3 + 1
    year, month, _ = (int(p) for p in to_jalali(day, persian_digits=False).split("/"))
    return year, (month - 1) // 3 + 1


def quarter_days(year: int, quarter: int, calendar: str) -> tuple[date, date]:
    """Return the first and last Gregorian day of a quarter.

    Examples
    --------
    >>> quarter_days(1403, 4, "jalali")  # 1403 has a 30 Esfand
    (datetime.date(2024, 12, 21), datetime.date(2025, 3, 20))
    """
    if quarter not in (1, 2, 3, 4):
        raise RangeError(f"quarter {quarter}", remedy="write 1, 2, 3 or 4")

    def first(y: int, q: int) -> date:
        if calendar == "gregorian":
            return date(y, 3 * q - 2, 1)
        return from_jalali(f"{y}/{3 * q - 2}/1")

    after = first(year + 1, 1) if quarter == 4 else first(year, quarter + 1)
    return first(year, quarter), after - timedelta(days=1)


def quarter_targets(spec: TargetSpec, slices: pd.DataFrame) -> pd.DataFrame:
    """Return each region's slice by quarter, in whole units that add up both ways.

    Parameters
    ----------
    spec : TargetSpec
        Its ``quarters`` have the shares of the year.
    slices : DataFrame
        ``level``, ``code``, ``parent_code``, ``slice`` (whole units), as from `slices.slices`.

    Returns
    -------
    DataFrame
        ``level``, ``code``, ``quarter`` (1–4), ``target``. The four quarters of a region add up
        to its slice, and the parts of a region add up to it in each quarter, where its slice was
        handed down.

    Notes
    -----
    The nation's quarters are the shares by largest remainders; the regions' are a table with both
    margins (`apportion_table`). A quarter is counted in units, not lots: a lot is taken over in
    parts.
    """
    shares = np.asarray(spec.quarters.shares)
    rows = slices.sort_values(["level", "code"])
    by_quarter: dict[tuple[int, str], list[int]] = {}
    whole = int(rows.loc[rows["level"] == 1, "slice"].sum())
    nation = apportion(shares, whole, method="hamilton").units
    out = []
    for level, group in rows.groupby("level"):
        parents = [""] * len(group) if level == 1 else group["parent_code"].astype(object).tolist()
        for parent, parts in group.groupby(pd.Series(parents, index=group.index), sort=True):
            amounts = parts["slice"].to_numpy(dtype=np.int64)
            margin = nation
            if level > 1:
                margin = np.asarray(by_quarter.get((int(level) - 1, str(parent)), [0, 0, 0, 0]))
                if margin.sum() != amounts.sum():  # not handed down, or given for one level only
                    margin = apportion(shares, int(amounts.sum()), method="hamilton").units
            weights = amounts[:, None] * shares[None, :]
            table = apportion_table(weights, amounts, margin).units
            for code, line in zip(parts["code"], table.tolist(), strict=True):
                by_quarter[(int(level), str(code))] = line
                out += [(int(level), str(code), q + 1, n) for q, n in enumerate(line)]
    return pd.DataFrame(out, columns=["level", "code", "quarter", "target"])


def against_target(
    targets: pd.DataFrame, actuals: pd.DataFrame, spec: QuarterSpec, *, until: int = 4
) -> pd.DataFrame:
    """Return target against actual by region and quarter.

    Parameters
    ----------
    targets : DataFrame
        From `quarter_targets`.
    actuals : DataFrame
        ``level``, ``code``, ``quarter``, ``actual`` (NaN: not reported), ``reported`` (date or
        text that sorts by time, optional), ``reason`` (optional). Several rows for one region and
        quarter are restatements, in the order of ``reported``, then of the rows; each after the
        first needs a reason.
    spec : QuarterSpec
        Thresholds.
    until : int
        Last quarter that has ended, 0–4; a later quarter is not due.

    Returns
    -------
    DataFrame
        ``level``, ``code``, ``quarter``, ``target``, ``actual`` (the last report), ``ratio``,
        ``status`` (``green``, ``amber``, ``red``, ``not reported``, ``not due``, ``no target``);
        ``cumulative_target``, ``cumulative_actual``, ``cumulative_ratio``, ``cumulative_status``,
        ``quarters_reported``; ``first_actual`` and ``earlier`` (tuple of the figures it
        replaced), ``reason`` of the last restatement.

    Raises
    ------
    ProblemsFound
        Codes that are not known, a quarter outside 1–4, a negative figure, a second figure
        without a reason: all rows at once.

    Notes
    -----
    What is not reported is never 0: it has no ratio, and the running sums hold the reported
    quarters alone, actual and target alike; ``quarters_reported`` says how many these are.
    """
    _check_actuals(targets, actuals)
    told = actuals.copy()
    for column in ("reported", "reason"):
        if column not in told:
            told[column] = None
    if told["reported"].notna().all():
        told = told.sort_values("reported", kind="stable")
    found = dict(iter(told.groupby(["level", "code", "quarter"])))
    lines = []
    for (level, code), rows in targets.groupby(["level", "code"], sort=True):
        sum_target, sum_actual, count = 0.0, 0.0, 0
        for quarter, target in zip(rows["quarter"], rows["target"], strict=True):
            given = found.get((level, code, quarter))
            figures = [] if given is None else given["actual"].astype(float).tolist()
            actual = figures[-1] if figures else np.nan
            due = quarter <= until
            if due and not np.isnan(actual):
                sum_target += float(target)
                sum_actual += actual
                count += 1
            ratio = actual / target if target else np.nan
            running = sum_actual / sum_target if sum_target else np.nan
            lines.append(
                (
                    level, code, quarter, target, actual, ratio,
                    _status(spec, ratio, actual, float(target), due=due),
                    sum_target if count else np.nan, sum_actual if count else np.nan, running,
                    _status(spec, running, sum_actual if count else np.nan, sum_target,
                            due=count > 0 or due),
                    count, figures[0] if figures else np.nan, tuple(figures[:-1]),
                    given["reason"].iloc[-1] if given is not None and len(figures) > 1 else None,
                )
            )  # fmt: skip
    return pd.DataFrame(
        lines,
        columns=[
            "level", "code", "quarter", "target", "actual", "ratio", "status",
            "cumulative_target", "cumulative_actual", "cumulative_ratio", "cumulative_status",
            "quarters_reported", "first_actual", "earlier", "reason",
        ],
    )  # fmt: skip


def _status(spec: QuarterSpec, ratio: float, actual: float, target: float, *, due: bool) -> str:
    if not due:
        return "not due"
    if np.isnan(actual):
        return "not reported"
    if not target:
        return "no target"
    # 0.9 of a whole target is often 0.9 − 1e-16 in floating point.
    if ratio >= spec.green - 1e-12:
        return "green"
    return "amber" if ratio >= spec.amber - 1e-12 else "red"


def _check_actuals(targets: pd.DataFrame, actuals: pd.DataFrame) -> None:
    problems: list[Problem] = []
    known = {int(n): list(g["code"].unique()) for n, g in targets.groupby("level")}
    first: dict[tuple[int, str, int], int] = {}
    reasons = actuals["reason"] if "reason" in actuals else pd.Series([None] * len(actuals))
    columns = (actuals["level"], actuals["code"], actuals["quarter"], actuals["actual"], reasons)
    for row, (level, code, quarter, actual, reason) in enumerate(zip(*columns, strict=True), 1):
        where = f"row {row}"
        found = code_problem(where, code, known.get(int(level), ()))
        if found:
            problems.append(found)
        if quarter not in (1, 2, 3, 4):
            problems.append(
                Problem(where, f"quarter {quarter}", "write 1, 2, 3 or 4", code="quarter")
            )
            continue
        if not pd.isna(actual) and float(actual) < 0:
            problems.append(
                Problem(
                    where,
                    f"the actual of region {code} is {float(actual):,g}",
                    "give 0 or more; leave it empty where it is not reported",
                    code="negative",
                )
            )
        key = (int(level), str(code), int(quarter))
        if key in first and not (isinstance(reason, str) and reason.strip()):
            problems.append(
                Problem(
                    where,
                    f"region {code} has a second figure for quarter {quarter}, first in row "
                    f"{first[key]}, and no reason",
                    "write why it was restated, or keep one row",
                    code="restated-without-reason",
                )
            )
        first.setdefault(key, row)
    if problems:
        n = len(problems)
        raise ProblemsFound(f"the actuals have {n} problem{'s' if n > 1 else ''}", problems)
