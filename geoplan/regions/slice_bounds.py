"""Caps, floors and exclusions of a target's regions, in whole lots."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from geoplan.catalogue.slices import Limit, TargetSpec

__all__ = ["Bounds", "bounds_of", "closed_activities", "raised_by_parts"]


@dataclass(frozen=True)
class Bounds:
    """Limits of the regions that divide one total.

    Parameters
    ----------
    floors, caps : list of int
        Lots, in the order of the codes; a cap of −1 is none.
    state : list of str
        ``divided``, ``excluded``, ``unknown`` (no part of its claim is known) or ``no claim``
        (known, and 0).
    """

    floors: list[int]
    caps: list[int]
    state: list[str]


def bounds_of(
    spec: TargetSpec,
    level: int,
    claims: pd.Series,
    total_lots: int,
    *,
    below: dict[str, tuple[int, int]],
) -> Bounds:
    """Return the limits of regions that divide ``total_lots``.

    Parameters
    ----------
    spec : TargetSpec
    level : int
    claims : Series, index ``code``
        NaN: nothing known.
    total_lots : int
    below : dict of str to (int, int)
        From `raised_by_parts`: floor and cap (−1: none) in lots that a region's parts ask for.

    Notes
    -----
    A cap is cut to whole lots and a floor raised to them, so both hold as they are written. A
    region of which nothing is known gets its floor, which somebody decided, and nothing else.
    """
    limits = {x.region: x for x in spec.limits if x.level == level}
    out = {x.region for x in spec.exclusions if x.level == level and x.activity is None}
    floors, caps, state = [], [], []
    for code, claim in claims.items():
        floor, cap = _lots(spec, limits.get(str(code)), total_lots, first=level == 1)
        need, room = below.get(str(code), (0, -1))
        floor = max(floor, need)
        if room >= 0:
            cap = room if cap < 0 else min(cap, room)
        if code in out:
            state.append("excluded")
            floor, cap = 0, 0
        elif pd.isna(claim):
            state.append("unknown")
            cap = floor
        elif claim == 0:
            state.append("no claim")
        else:
            state.append("divided")
        floors.append(floor)
        caps.append(cap)
    return Bounds(floors, caps, state)


def _lots(
    spec: TargetSpec, limit: Limit | None, total_lots: int, *, first: bool
) -> tuple[int, int]:
    caps, floors = [], [0]
    if spec.cap_share is not None and first:
        caps.append(_whole(spec.cap_share * total_lots, up=False))
    if limit is not None:
        if limit.cap is not None:
            caps.append(limit.cap // spec.lot)
        if limit.cap_share is not None:
            caps.append(_whole(limit.cap_share * total_lots, up=False))
        if limit.floor is not None:
            floors.append(-(-limit.floor // spec.lot))
        if limit.floor_share is not None:
            floors.append(_whole(limit.floor_share * total_lots, up=True))
    return max(floors), min(caps, default=-1)


def _whole(lots: float, *, up: bool) -> int:
    # 0.07 · 100 is 7.000000000000001: a share meant to be whole stays whole.
    near = round(lots)
    if math.isclose(lots, near, rel_tol=1e-9, abs_tol=1e-9):
        return near
    return math.ceil(lots) if up else math.floor(lots)


def raised_by_parts(spec: TargetSpec, level: int, parents: pd.Series) -> dict[str, tuple[int, int]]:
    """Return the floor and cap that the regions of ``level`` ask of their parents, in lots.

    Parameters
    ----------
    spec : TargetSpec
    level : int
        Level of the parts.
    parents : Series, index ``code``
        Parent of each part.

    Notes
    -----
    The floor of a parent is at least the sum of its parts' own; its cap is the sum of their caps
    where every part has one or is excluded. Shares of the parent's own slice cannot be known
    before it and are checked when it is divided.
    """
    limits = {x.region: x for x in spec.limits if x.level == level}
    out = {x.region for x in spec.exclusions if x.level == level and x.activity is None}
    result: dict[str, tuple[int, int]] = {}
    for parent, parts in parents.groupby(parents):
        floor, cap = 0, 0
        for code in parts.index:
            limit = limits.get(str(code))
            if code in out:
                continue
            if limit is not None and limit.floor is not None:
                floor += -(-limit.floor // spec.lot)
            if cap >= 0:
                own = limit.cap if limit is not None else None
                cap = -1 if own is None else cap + own // spec.lot
        if floor or cap >= 0:
            result[str(parent)] = (floor, cap)
    return result


def closed_activities(spec: TargetSpec, level: int, parents: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the (region, activity) pairs of ``level`` that are closed.

    Parameters
    ----------
    spec : TargetSpec
    level : int
    parents : DataFrame
        ``code``, ``parent_code``, ``level`` of all regions.

    Notes
    -----
    A region is closed to an activity by an exclusion of its own, or where all its parts are.
    """
    closed = {
        (x.region, x.activity)
        for x in spec.exclusions
        if x.level == level and x.activity is not None
    }
    if level + 1 not in spec.levels:
        return closed
    finer = closed_activities(spec, level + 1, parents)
    whole = {x.region for x in spec.exclusions if x.level == level + 1 and x.activity is None}
    rows = parents[parents["level"] == level + 1]
    for parent, parts in rows.groupby("parent_code"):
        taking = [str(c) for c in parts["code"] if c not in whole]
        for activity in (a.id for a in spec.activities):
            if taking and all((code, activity) in finer for code in taking):
                closed.add((str(parent), activity))
    return closed
