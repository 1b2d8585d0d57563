"""What is wrong with two sources of regions before they can be joined."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geoplan.errors import Problem
from geoplan.persian import is_destroyed, to_latin_digits
from geoplan.regions.spelling import name_key

__all__ = ["check_source"]

_NESTED = 0.8
"""Codes of a source are taken to begin with the parent's code where this share of them does."""


def check_source(
    frame: pd.DataFrame, side: str, *, names: Sequence[str], parents: set[str]
) -> list[Problem]:
    """Return the problems of one source of regions.

    Parameters
    ----------
    frame : DataFrame
        ``code``, ``parent_code`` and the name columns.
    side : str
        What messages call it, for example ``old``.
    names : sequence of str
        Name columns.
    parents : set of str
        Parent codes of the other source; empty where unknown.

    Returns
    -------
    list of Problem
        Errors: ``column-missing``, ``code-type``, ``code-missing``, ``code-twice``,
        ``code-zeros``, ``parent-zeros``, ``name-column``. Warnings: ``name-missing``,
        ``name-twice``.
    """
    lost = [column for column in ("code", "parent_code") if column not in frame.columns]
    if lost:
        return [
            Problem(f"{side} regions", f"there is no column {name}; columns are "
                    f"{', '.join(map(str, frame.columns))}", "name the column that holds it",
                    code="column-missing")
            for name in lost
        ]  # fmt: skip
    if not any(name in frame.columns for name in names):
        return [
            Problem(f"{side} regions", f"none of the name columns {', '.join(names)} is there",
                    "name the column that holds the names", code="name-column")
        ]  # fmt: skip
    numeric = [c for c in ("code", "parent_code") if pd.api.types.is_numeric_dtype(frame[c])
               and frame[c].notna().any()]  # fmt: skip
    if numeric:
        return [
            Problem(f"{side} regions, column {column}",
                    f"codes were read as numbers ({frame[column].dtype}): leading zeros are lost",
                    "read the column as text", code="code-type", count=len(frame))
            for column in numeric
        ]  # fmt: skip
    return [*_codes(frame, side), *_parents(frame, side, parents), *_names(frame, side, names)]


def _codes(frame: pd.DataFrame, side: str) -> list[Problem]:
    problems = []
    empty = frame["code"].isna() | (frame["code"].astype(str).str.strip() == "")
    for label in frame.index[empty]:
        problems.append(
            Problem(f"{side} regions, row {label}", "no code", "give every region a code",
                    code="code-missing")
        )  # fmt: skip
    for code, rows in frame[~empty].groupby("code", sort=True):
        if len(rows) > 1:
            problems.append(
                Problem(f"{side} regions, rows {', '.join(map(str, rows.index))}",
                        f"code {code} is there {len(rows)} times", "keep one row per region",
                        code="code-twice", count=len(rows))
            )  # fmt: skip
    known = frame[~empty & frame["parent_code"].notna()]
    if len(known):
        codes = known["code"].astype(str).map(to_latin_digits)
        usual = int(codes.str.len().max())
        wide = codes.str.zfill(usual)
        begins = pd.Series(
            [w.startswith(str(p)) for w, p in zip(wide, known["parent_code"], strict=True)],
            index=known.index,
        )
        # Zeros are lost only where codes begin with the parent's: other keys vary in length.
        nested = bool(begins.mean() >= _NESTED)
        short = (codes.str.len() < usual) & codes.str.isdigit() & begins & nested
        for label in known.index[short]:
            problems.append(
                Problem(f"{side} regions, row {label}",
                        f"code '{codes[label]}' of parent {known.at[label, 'parent_code']} lost "
                        "its leading zeros", f"write '{wide[label]}', and read codes as text",
                        code="code-zeros")
            )  # fmt: skip
    return problems


def _parents(frame: pd.DataFrame, side: str, parents: set[str]) -> list[Problem]:
    problems = []
    wide = max(map(len, parents), default=0)
    own = frame["parent_code"].dropna().astype(str)
    for parent, rows in own.groupby(own, sort=True):
        if parent not in parents and str(parent).zfill(wide) in parents:
            problems.append(
                Problem(f"{side} regions, row {rows.index[0]}",
                        f"parent code '{parent}' lost its leading zeros",
                        f"write '{str(parent).zfill(wide)}', and read codes as text",
                        code="parent-zeros", count=len(rows))
            )  # fmt: skip
    return problems


def _names(frame: pd.DataFrame, side: str, names: Sequence[str]) -> list[Problem]:
    present = [name for name in names if name in frame.columns]
    keys = pd.DataFrame({name: frame[name].map(_usable) for name in present}, index=frame.index)
    problems = []
    for label in keys.index[(keys == "").all(axis=1)]:
        problems.append(
            Problem(f"{side} regions, row {label}, code {frame.at[label, 'code']}",
                    "no name, or one that an encoding destroyed",
                    "give its name; until then only its code and shape can be compared",
                    severity="warning", code="name-missing")
        )  # fmt: skip
    for name in present:
        told = frame.assign(_key=keys[name])
        told = told[told["_key"] != ""]
        for (parent, _), rows in told.groupby(["parent_code", "_key"], sort=True):
            if len(rows) > 1:
                codes = ", ".join(sorted(rows["code"].astype(str)))
                problems.append(
                    Problem(f"{side} regions, parent {parent}",
                            f"'{rows[name].iloc[0]}' is the name of {len(rows)} regions: {codes}",
                            "shapes or codes tell them apart; without them neither is matched",
                            severity="warning", code="name-twice", count=len(rows))
                )  # fmt: skip
    return problems


def _usable(name: object) -> str:
    return "" if is_destroyed(name) else name_key(name)
