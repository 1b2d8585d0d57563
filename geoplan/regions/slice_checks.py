"""What can be wrong with a target's codes, limits and given tables: all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches

import numpy as np
import pandas as pd

from geoplan.catalogue.slices import TargetSpec
from geoplan.errors import Problem, ProblemsFound
from geoplan.persian import to_latin_digits

__all__ = ["check_given", "check_spec", "code_problem"]


def code_problem(where: str, code: object, known: Iterable[str]) -> Problem | None:
    """Return what is wrong with a region code, with the code that was probably meant.

    Parameters
    ----------
    where : str
        Row or key, for the message.
    code : object
        As given; a number has lost its leading zeros.
    known : iterable of str
        The codes of the level.
    """
    codes = sorted(set(known))
    if isinstance(code, str) and code in codes:
        return None
    text = _plain(code)
    widths = sorted({len(c) for c in codes})
    padded = next((text.zfill(w) for w in widths if text and text.zfill(w) in codes), None)
    if padded is not None:
        lost = "its leading zeros are lost" if padded != text else "it is no text"
        remedy = f"write '{padded}', as text"
        if padded != text and isinstance(code, str) and code != text:
            lost = "it is written in other digits"
        return Problem(where, f"region {code!r} is not known: {lost}", remedy, code="lost-zeros")
    close = get_close_matches(text, codes, n=1)
    remedy = (
        f"did you mean '{close[0]}'?"
        if close
        else f"known: {', '.join(codes[:8])} … ({len(codes)})"
    )
    return Problem(where, f"region {code!r} is not known", remedy, code="unknown-region")


def _plain(code: object) -> str:
    if isinstance(code, float | np.floating) and float(code).is_integer():
        return str(int(code))
    return to_latin_digits(str(code).strip())


def check_spec(spec: TargetSpec, regions: pd.DataFrame) -> list[Problem]:
    """Return the problems of a target with the regions it is for.

    Parameters
    ----------
    spec : TargetSpec
        The target.
    regions : DataFrame
        ``code``, ``level`` of all regions.
    """
    problems: list[Problem] = []
    by_level = {int(n): set(g["code"]) for n, g in regions.groupby("level")}
    for level in spec.levels:
        if level not in by_level:
            problems.append(
                Problem(
                    "levels",
                    f"no region of level {level} is loaded",
                    f"load that level, or write levels: {list(spec.levels[:-1]) or [1]}",
                    code="no-regions",
                )
            )
    twice = regions[regions.duplicated(["level", "code"])]
    for row, (level, code) in enumerate(zip(twice["level"], twice["code"], strict=True)):
        problems.append(
            Problem(
                f"regions, {row}",
                f"region {code} of level {level} is there twice",
                "keep one",
                code="region-twice",
            )
        )
    seen: dict[tuple[int, str], int] = {}
    for n, limit in enumerate(spec.limits):
        where = f"limits.{n}"
        problems += _placed(where, limit.level, limit.region, spec, by_level)
        key = (limit.level, limit.region)
        if key in seen:
            problems.append(
                Problem(
                    where,
                    f"region {limit.region} has a limit in limits.{seen[key]} already",
                    "write its cap and floor in one entry",
                    code="region-twice",
                )
            )
        seen.setdefault(key, n)
        for low, high, unit in (
            (limit.floor, limit.cap, f" {spec.unit}"),
            (limit.floor_share, limit.cap_share, ""),
        ):
            if low is not None and high is not None and high < low:
                problems.append(
                    Problem(
                        where,
                        f"the cap {high:,}{unit} of region {limit.region} lies below its floor "
                        f"{low:,}{unit}",
                        f"raise the cap to {low:,} or lower the floor to {high:,}",
                        code="cap-below-floor",
                    )
                )
    out: dict[tuple[int, str, str | None], int] = {}
    for n, exclusion in enumerate(spec.exclusions):
        where = f"exclusions.{n}"
        problems += _placed(where, exclusion.level, exclusion.region, spec, by_level)
        place = (exclusion.level, exclusion.region, exclusion.activity)
        if place in out:
            problems.append(
                Problem(
                    where,
                    f"region {exclusion.region} is excluded in exclusions.{out[place]} already",
                    "take one of them out",
                    code="region-twice",
                )
            )
        out.setdefault(place, n)
        floor = next(
            (
                x
                for x in spec.limits
                if (x.level, x.region) == place[:2] and (x.floor or x.floor_share)
            ),
            None,
        )
        if exclusion.activity is None and floor is not None:
            problems.append(
                Problem(
                    where,
                    f"region {exclusion.region} takes nothing and has a floor of "
                    f"{floor.floor if floor.floor else floor.floor_share:,}",
                    "take out its floor or its exclusion",
                    code="excluded-floor",
                )
            )
    return problems


def _placed(
    where: str, level: int, code: str, spec: TargetSpec, by_level: dict[int, set[str]]
) -> list[Problem]:
    if level not in spec.levels:
        return [
            Problem(
                where,
                f"level {level} of region {code} is not divided",
                f"levels is {list(spec.levels)}; add {level}, or write another level",
                code="level",
            )
        ]
    found = code_problem(where, code, by_level.get(level, ()))
    return [found] if found else []


def check_given(spec: TargetSpec, regions: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Check slices that were not computed here: decided, published or typed in.

    Parameters
    ----------
    spec : TargetSpec
        The target.
    regions : DataFrame
        ``code``, ``parent_code``, ``level``.
    given : DataFrame
        ``level``, ``code``, ``slice`` (in the target's unit). A level that has no row is not
        given; of a level that has, every slice that is not 0 must be listed.

    Returns
    -------
    DataFrame
        The same rows with whole slices, ordered by level and code.

    Raises
    ------
    ProblemsFound
        Every row that is wrong and every sum that does not add up, with its remedy.
    """
    problems: list[Problem] = []
    known = {int(n): list(g["code"]) for n, g in regions.groupby("level")}
    first: dict[tuple[int, str], int] = {}
    rows = zip(given["level"], given["code"], given["slice"], strict=True)
    for number, (level, code, amount) in enumerate(rows, start=1):
        where = f"row {number}"
        found = code_problem(where, code, known.get(int(level), ()))
        if found:
            problems.append(found)
        key = (int(level), _plain(code))
        if key in first:
            problems.append(
                Problem(
                    where,
                    f"region {code} is given twice, first in row {first[key]}",
                    "keep one of the rows",
                    code="region-twice",
                )
            )
        first.setdefault(key, number)
        problems += _amount(where, amount, spec)
    if not problems:
        problems = _sums(spec, regions, given)
    if problems:
        count = len(problems)
        raise ProblemsFound(
            f"the slices have {count} problem{'s' if count > 1 else ''}", problems, where=spec.id
        )
    out = given[["level", "code", "slice"]].copy()
    out["slice"] = out["slice"].astype(np.int64)
    return out.sort_values(["level", "code"], ignore_index=True)


def _amount(where: str, amount: object, spec: TargetSpec) -> list[Problem]:
    number: float | None
    try:
        number = float(amount)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        number = None
    if number is None or not np.isfinite(number):
        return [
            Problem(where, f"the slice is {amount!r}", "give a whole number; 0 is none", code="nan")
        ]
    if number < 0:
        return [Problem(where, f"the slice is {number:,g}", "give 0 or more", code="negative")]
    if number % spec.lot:
        down = int(number // spec.lot) * spec.lot
        return [
            Problem(
                where,
                f"{number:,g} {spec.unit} is no whole number of lots of {spec.lot:,}",
                f"write {down:,} or {down + spec.lot:,}",
                code="lot",
            )
        ]
    return []


def _sums(spec: TargetSpec, regions: pd.DataFrame, given: pd.DataFrame) -> list[Problem]:
    problems = []
    say: Callable[[float], str] = lambda x: f"{int(x):,} {spec.unit}"  # noqa: E731
    levels = sorted({int(n) for n in given["level"]})
    parents = regions.set_index(["level", "code"])["parent_code"]
    for level in levels:
        rows = given[given["level"] == level]
        held = rows["slice"].sum()
        if level == 1 and held != spec.total:
            problems.append(
                Problem(
                    "level 1",
                    f"the slices add up to {say(held)}, the target is {say(spec.total)}",
                    f"{'take away' if held > spec.total else 'add'} {say(abs(held - spec.total))}",
                    code="totals-differ",
                )
            )
        if level - 1 not in levels:
            continue
        above = given[given["level"] == level - 1].set_index("code")["slice"]
        up = [parents.get((level, code)) for code in rows["code"]]
        below = rows["slice"].groupby(pd.Series(up, index=rows.index)).sum()
        for code in sorted(set(above.index) | set(below.index)):
            own, parts = above.get(code, 0), below.get(code, 0)
            if own != parts:
                problems.append(
                    Problem(
                        f"region {code}",
                        f"its slice is {say(own)}, its parts add up to {say(parts)}",
                        f"{'take away' if parts > own else 'add'} {say(abs(parts - own))} among "
                        "its parts",
                        code="totals-differ",
                    )
                )
    return problems
