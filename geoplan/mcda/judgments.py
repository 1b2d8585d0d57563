"""Tables of pairwise judgments: read from pairs, made reciprocal, checked for what is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from geoplan.errors import Problem, ProblemsFound

__all__ = ["Table", "parts_of", "reciprocal_table", "table_of_pairs"]

Table = npt.NDArray[np.float64]
"""Shape (n, n): how many times as important as the column's criterion the row's is; NaN missing."""

_RECIPROCAL = 0.011
"""0.33 is accepted as the reciprocal of 3."""


def parts_of(table: Table) -> list[list[int]]:
    """Return the sets of criteria that judgments join, each sorted, in order of their first.

    One part means that every two criteria are compared, be it through others.
    """
    left = set(range(len(table)))
    parts = []
    while left:
        reached, edge = set(), [min(left)]
        while edge:
            i = edge.pop()
            reached.add(i)
            edge += [j for j in left - reached if not math.isnan(table[i, j])]
        left -= reached
        parts.append(sorted(reached))
    return parts


def _unjudged(table: Table, names: Sequence[str], where: str, incomplete: bool) -> list[Problem]:
    """Return what is missing: every pair, or, where gaps are allowed, what no judgment joins."""
    if incomplete:
        parts = parts_of(table)
        return [
            Problem(
                where,
                f"no judgment joins {', '.join(names[i] for i in part)} with the other criteria",
                f"judge one of them against {names[parts[0][0]]}",
            )
            for part in parts[1:]
        ]
    missing = np.isnan(table)
    alone = [k for k in range(len(names)) if len(names) > 2 and missing[k].sum() == len(names) - 1]
    found = [
        Problem(where, f"criterion '{names[k]}' is in no pair", "compare it with every other one")
        for k in alone
    ]
    found += [
        Problem(where, f"{a}/{names[j]} is missing", "judge this pair")
        for i, a in enumerate(names)
        for j in range(i + 1, len(names))
        if missing[i, j] and i not in alone and j not in alone
    ]
    return found


def _headline(problems: Sequence[Problem]) -> str:
    return f"the judgments have {len(problems)} problems"


def reciprocal_table(
    matrix: Table, names: Sequence[str], *, incomplete: bool = False, where: str
) -> Table:
    """Return the table made exactly reciprocal.

    Parameters
    ----------
    matrix : ndarray of float, shape (n, n)
        Positive and reciprocal to 1 %, so that 0.33 may stand for 1/3; NaN is missing.
    incomplete : bool
        Pairs may be missing, as long as the others join all criteria.

    Raises
    ------
    ProblemsFound
        Missing, non-positive or non-reciprocal judgments, all at once.
    """
    problems = []
    whole = np.eye(len(names))
    for i, a in enumerate(names):
        if not abs(matrix[i, i] - 1) <= 1e-9:
            problems.append(
                Problem(where, f"{a}/{a} is {matrix[i, i]:g}", "a criterion equals itself: 1")
            )
        for j in range(i + 1, len(names)):
            b, given, back = names[j], float(matrix[i, j]), float(matrix[j, i])
            if math.isnan(given) and math.isnan(back):
                whole[i, j] = whole[j, i] = math.nan
            elif math.isnan(given) or math.isnan(back):
                judged = 1 / back if math.isnan(given) else given
                if 0 < judged < math.inf and incomplete:
                    whole[i, j], whole[j, i] = judged, 1 / judged
                else:
                    problems.append(Problem(where, f"{a}/{b} is missing", "judge this pair"))
            elif not (0 < given < math.inf and 0 < back < math.inf):
                bad = given if not 0 < given < math.inf else back
                problems.append(
                    Problem(where, f"{a}/{b} is {bad:g}", "a judgment is a number above 0")
                )
            elif abs(given * back - 1) > _RECIPROCAL:
                problems.append(
                    Problem(
                        where,
                        f"{a}/{b} is {given:g} but {b}/{a} is {back:g}",
                        f"not reciprocal: make {b}/{a} {1 / given:.4g}",
                    )
                )
            else:
                # the one above 1 was judged, the other rounded
                whole[i, j] = given if given >= 1 else 1 / back
                whole[j, i] = 1 / whole[i, j]
    problems += _unjudged(whole, names, where, incomplete)
    if problems:
        raise ProblemsFound(_headline(problems), problems, where=where)
    return whole


def table_of_pairs(
    names: Sequence[str],
    pairs: Mapping[str, float],
    *,
    incomplete: bool = False,
    scale_max: float | None = None,
    where: str,
) -> Table:
    """Return the reciprocal table of judgments by name.

    Parameters
    ----------
    names : sequence of str
        All that is compared, in the order of rows and columns.
    pairs : mapping
        ``{'a/b': 3}``: a is 3 times as important as b. Every pair once, in either direction.
    incomplete : bool
        Pairs may be missing, as long as the others join all criteria.
    scale_max : float, optional
        Largest judgment of the scale (Saaty's: 9); none: any.

    Raises
    ------
    ProblemsFound
        An unknown criterion, a pair given twice, missing, not positive or off the scale; all at
        once.
    """
    place = {name: k for k, name in enumerate(names)}
    table = np.full((len(place), len(place)), np.nan)
    np.fill_diagonal(table, 1.0)
    problems = []
    for key, value in pairs.items():
        a, slash, b = (part.strip() for part in key.partition("/"))
        unknown = [name for name in (a, b) if name not in place]
        at = f"{where}.{key}"
        if not slash or unknown:
            what = f"{', '.join(unknown)} is not a criterion" if slash else "is not a pair"
            problems.append(Problem(at, what, f"write 'a/b' with {', '.join(names)}"))
            continue
        if a == b:
            problems.append(Problem(at, "compares a criterion with itself", "leave it out"))
            continue
        i, j = place[a], place[b]
        if not (math.isfinite(value) and value > 0):
            problems.append(Problem(at, f"is {value:g}", "a judgment is a number above 0"))
            table[i, j] = table[j, i] = 1.0  # said once is enough
        elif not math.isnan(table[i, j]):
            problems.append(Problem(at, "this pair is given twice", "keep one of them"))
        else:
            table[i, j], table[j, i] = value, 1.0 / value
            if scale_max is not None and max(value, 1 / value) > scale_max * (1 + 1e-9):
                problems.append(
                    Problem(
                        at,
                        f"is {value:g}, outside the scale 1/{scale_max:g} … {scale_max:g}",
                        "judge within the scale, put criteria that are so far apart into groups, "
                        "or name the scale you judged on by 'scale_max'",
                    )
                )
    problems += _unjudged(table, names, where, incomplete)
    if problems:
        raise ProblemsFound(_headline(problems), problems, where=where)
    return table
