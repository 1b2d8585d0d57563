"""Reported figures of regions by quarter, from a CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from geoplan.errors import FileMissing, InputError, Problem, ProblemsFound
from geoplan.persian import to_latin_digits

__all__ = ["read_actuals"]

_NEEDED = ("code", "quarter", "actual")
_ALSO = ("level", "reported", "reason")
_MOST_BYTES = 50_000_000
_TOLD = 50


def read_actuals(path: Path, *, level: int) -> pd.DataFrame:
    """Return what regions report of a target.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with the columns ``code`` (text: leading zeros count), ``quarter`` (1–4) and
        ``actual`` (empty: not reported); ``level``, ``reported`` and ``reason`` where wanted.
    level : int
        Level of rows without one.

    Returns
    -------
    DataFrame
        As `geoplan.regions.quarters.against_target` takes it.

    Raises
    ------
    FileMissing, InputError
        There is no such file, or it is no table of these columns.
    ProblemsFound
        Cells that are no numbers, each with its row.
    """
    if not path.is_file():
        raise FileMissing("there is no such file", where=str(path))
    if path.stat().st_size > _MOST_BYTES:
        raise InputError("the file is too large", where=path.name, remedy="at most 50 MB")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            f"the file cannot be read: {error}", where=path.name, remedy="save it as CSV in UTF-8"
        ) from error
    columns = set(rows[0]) if rows else set()
    missing = [c for c in _NEEDED if c not in columns]
    if missing:
        raise InputError(
            f"the file lacks {', '.join(missing)}" if rows else "the file has no row",
            where=path.name,
            remedy=f"columns: {', '.join((*_NEEDED, *_ALSO))}",
        )
    problems: list[Problem] = []
    found = pd.DataFrame(
        {
            "level": _numbers(rows, "level", path.name, problems, empty=float(level)),
            "code": [(row["code"] or "").strip() for row in rows],
            "quarter": _numbers(rows, "quarter", path.name, problems),
            "actual": _numbers(rows, "actual", path.name, problems),
        }
    )
    for name in ("reported", "reason"):
        if name in columns:
            found[name] = [(row.get(name) or "").strip() or None for row in rows]
    if problems:
        raise ProblemsFound(
            f"{path.name} has {len(problems)} cells that are no numbers", problems[:_TOLD]
        )
    whole = found["level"].notna() & found["quarter"].notna()
    if not whole.all():
        row = int(np.flatnonzero(~whole)[0])
        raise InputError("a row has no quarter", where=f"{path.name}, row {row + 2}")
    return found.astype({"level": "int64", "quarter": "int64"})


def _numbers(
    rows: list[dict[str, str]],
    name: str,
    file: str,
    problems: list[Problem],
    *,
    empty: float = np.nan,
) -> list[float]:
    out = []
    for k, row in enumerate(rows):
        text = to_latin_digits((row.get(name) or "").strip()).replace("٬", "").replace("٫", ".")
        if not text:
            out.append(empty)
            continue
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            problems.append(
                Problem(f"{file}, row {k + 2}", f"{name} is '{text[:40]}'", "write a number")
            )
        out.append(value)
    return out
