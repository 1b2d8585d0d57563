"""Joint limits over groups of sources: which sources, how much, and how the groups nest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geoplan.catalogue.supply import RESOURCE_UNITS, CapSpec
from geoplan.errors import InputError, RangeError, UnknownName

__all__ = ["Cap", "apart", "atoms", "members_of", "nested", "selector_columns"]


@dataclass(frozen=True)
class Cap:
    """A joint limit over sources of one resource, in ticks.

    Parameters
    ----------
    id : str
    members : tuple of int
        Sources, as numbered in the resource.
    limit : int
        Most that all of them together may give, ticks.
    value : float
        The same in units, as given.
    """

    id: str
    members: tuple[int, ...]
    limit: int
    value: float


def selector_columns(caps: Iterable[CapSpec]) -> list[str]:
    """Return the columns of the sources by which caps choose, each once, in order."""
    names = [c for cap in caps if isinstance(cap.sources, dict) for c in cap.sources]
    return list(dict.fromkeys(names))


def members_of(cap: CapSpec, sources: pd.DataFrame) -> list[str]:
    """Return the ids of a cap's sources.

    Parameters
    ----------
    cap : CapSpec
    sources : DataFrame
        ``source_id``, ``resource``, and the columns by which the cap chooses.

    Raises
    ------
    UnknownName
        A source or column does not exist, or no source has the value; the message names it.
    InputError, RangeError
        The unit is another than the resource's; the limit is negative or not a number.
    """
    where = f"supply.caps, '{cap.id}'"
    unit = RESOURCE_UNITS.get(cap.resource, cap.unit)
    if cap.unit != unit:
        raise InputError(
            f"the cap is in '{cap.unit}', {cap.resource} is counted in '{unit}'",
            where=where,
            remedy=f"convert 'max' to {unit}",
        )
    if not (np.isfinite(cap.max) and cap.max >= 0):
        raise RangeError(f"the cap is {cap.max}", where=where, remedy="give 0 or more")
    mine = sources[sources["resource"] == cap.resource]
    if not isinstance(cap.sources, dict):
        known = set(mine["source_id"].astype(str))
        lost = [s for s in cap.sources if s not in known]
        if lost:
            raise UnknownName(
                f"'{lost[0]}' is no source of {cap.resource}",
                where=where,
                remedy="use ids of sources.csv, or a column and its value",
            )
        return list(dict.fromkeys(cap.sources))
    keep = np.ones(len(mine), dtype=np.bool_)
    for column, wanted in cap.sources.items():
        if column not in mine.columns:
            raise UnknownName(
                f"sources have no column '{column}'",
                where=where,
                remedy=f"use one of: {', '.join(str(c) for c in mine.columns)}",
            )
        values = wanted if isinstance(wanted, tuple) else (wanted,)
        keep &= mine[column].map(lambda v, w=values: _fits(v, w)).to_numpy(dtype=np.bool_)
    if not keep.any():
        chosen = ", ".join(f"{c} = {v}" for c, v in cap.sources.items())
        raise UnknownName(
            f"no source of {cap.resource} has {chosen}",
            where=where,
            remedy="mend the value, or remove the cap",
        )
    return [str(s) for s in mine["source_id"][keep]]


def _fits(value: Any, wanted: Sequence[Any]) -> bool:
    return any(value == w or str(value) == str(w) for w in wanted)


def nested(caps: Sequence[Cap]) -> bool:
    """Return whether any two caps are apart or one holds the other: then flows are whole."""
    sets = [frozenset(c.members) for c in caps]
    return all(not (a & b) or a <= b or b <= a for k, a in enumerate(sets) for b in sets[k + 1 :])


def atoms(caps: Sequence[Cap]) -> Mapping[tuple[int, ...], tuple[int, ...]]:
    """Return the capped sources by the caps that hold them: caps → sources, both as numbers."""
    held: dict[int, list[int]] = {}
    for c, cap in enumerate(caps):
        for s in cap.members:
            held.setdefault(s, []).append(c)
    out: dict[tuple[int, ...], list[int]] = {}
    for s in sorted(held):
        out.setdefault(tuple(held[s]), []).append(s)
    return {key: tuple(sources) for key, sources in out.items()}


def apart(
    caps: Sequence[Cap], load: Mapping[int, float], decimals: int
) -> Iterable[tuple[Cap, ...]]:
    """Yield budgets of groups that do not overlap, which keep caps that cross.

    Parameters
    ----------
    caps : sequence of Cap
    load : mapping
        Source → ticks that a solver would take of it.
    decimals : int
        Decimals of a tick.

    Notes
    -----
    Sources that the same caps hold make a group; its budget is its load, rounded to whole units,
    to tenths, … to ticks, wherever that keeps every cap, as a solver's figure stands for one
    with few decimals. What is yielded keeps the caps exactly.
    """
    groups = atoms(caps)
    for digits in range(decimals + 1):
        step = 10 ** (decimals - digits)
        budget = {key: round(sum(load.get(s, 0.0) for s in m) / step) * step
                  for key, m in groups.items()}  # fmt: skip
        total = [sum(b for key, b in budget.items() if c in key) for c in range(len(caps))]
        if all(have <= cap.limit for have, cap in zip(total, caps, strict=True)):
            yield tuple(
                Cap("+".join(caps[c].id for c in key), groups[key], b, float("nan"))
                for key, b in budget.items()
            )
    down = {key: int(sum(load.get(s, 0.0) for s in m)) for key, m in groups.items()}
    for key in down:
        # What rounding down leaves, or the solver's tolerance took, falls to the first in turn.
        down[key] += min(caps[c].limit - sum(b for k, b in down.items() if c in k) for c in key)
    if all(b >= 0 for b in down.values()):
        yield tuple(Cap("+".join(caps[c].id for c in key), groups[key], b, float("nan"))
                    for key, b in down.items())  # fmt: skip
