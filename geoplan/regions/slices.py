"""A national target divided into the slices of provinces, and those into slices of counties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geoplan.catalogue.slices import TargetSpec
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound
from geoplan.regions.apportion import apportion
from geoplan.regions.apportion_table import apportion_table
from geoplan.regions.slice_bounds import (
    Bounds,
    bounds_of,
    closed_activities,
    raised_by_parts,
)
from geoplan.regions.slice_checks import check_spec
from geoplan.regions.slice_claims import activity_figure, check_figures, claims
from geoplan.regions.slice_document import document_of
from geoplan.regions.slice_notices import notices_of
from geoplan.regions.slice_words import reasons_of

__all__ = ["SliceResult", "slices"]


@dataclass(frozen=True)
class SliceResult:
    """Slices and how each came about.

    Parameters
    ----------
    frame : DataFrame
        One row per region, ordered by level and code: ``level``, ``code``, ``parent_code``,
        ``name_en``, ``name_fa``; ``need``, ``capacity``, ``past``, ``coverage``, ``score``
        (0–1, NaN: not known), ``size``, ``claim``; ``share`` (0–1, of the claims that divide one
        total), ``unlimited`` (what it would get without caps and floors), ``fair`` (its exact
        amount within them), ``slice``, ``floor``, ``cap`` (NaN: none) in the target's unit;
        ``bound`` (``cap``, ``floor`` or empty), ``state`` (``divided``, ``excluded``,
        ``unknown``, ``no claim``, ``orphan``: its parent is not loaded), ``not_handed_down`` (what
        its parts could not be given, in the unit); ``reason_en``, ``reason_fa``.
    by_activity : DataFrame
        ``level``, ``code``, ``activity``, ``fair``, ``slice`` in the target's unit,
        ``within_quota``; empty where the target has no activities.
    document : dict
        All of it for JSON: whole numbers whole, unknown ``None``.
    notices : tuple of Text
        What a reader must know: what is missing, what is undivided, which ties there were.
    """

    frame: pd.DataFrame
    by_activity: pd.DataFrame
    document: dict[str, Any]
    notices: tuple[Text, ...]


@dataclass
class _Group:
    """One total and the regions that divide it."""

    level: int
    parent: str | None
    lots: int
    activity_lots: list[int]
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    tied: tuple[str, ...] = ()


def slices(
    spec: TargetSpec, regions: pd.DataFrame, figures: Mapping[int, Mapping[str, pd.Series]]
) -> SliceResult:
    """Divide a national target among regions, level by level.

    Parameters
    ----------
    spec : TargetSpec
        The target, its parts, limits and exclusions.
    regions : DataFrame
        ``code`` (text), ``parent_code``, ``level``, ``name_en``, ``name_local`` of all regions.
    figures : mapping of int to mapping of str to Series
        For each level, the figures by the names of `slice_claims.figures_wanted`, index ``code``.
        NaN or absent: not known.

    Returns
    -------
    SliceResult
        ``frame["slice"]`` adds up to the target at level 1, and over the parts of each region to
        its own slice (less ``not_handed_down``); the same holds for every activity.

    Raises
    ------
    ProblemsFound
        Codes that are not known, limits that contradict each other or the total: all at once.

    Notes
    -----
    Within one total: ``share_r = claim_r / Σ claim``, rounded to whole lots by the target's
    method within caps and floors (see `apportion`); then region × activity with both sums kept
    (see `apportion_table`).
    """
    problems = check_spec(spec, regions)
    for level in spec.levels:
        codes = pd.Index(regions.loc[regions["level"] == level, "code"])
        problems += check_figures(spec, codes, figures.get(level, {}), level=level)
    if problems:
        raise _all(spec, problems)
    names = [a.id for a in spec.activities]
    totals = [a.total // spec.lot for a in spec.activities]
    groups: list[_Group] = []
    waiting: dict[str | None, tuple[int, list[int]]] = {None: (spec.total // spec.lot, totals)}
    lost: dict[tuple[int, str], int] = {}
    orphans: list[pd.DataFrame] = []
    for level in spec.levels:
        rows = regions[regions["level"] == level].sort_values("code").set_index("code")
        claimed = claims(spec, rows.index, figures.get(level, {}))
        claimed = rows[["parent_code", "name_en", "name_local"]].join(claimed)
        below = _asked(spec, regions, level)
        closed = closed_activities(spec, level, regions)
        handed: dict[str | None, tuple[int, list[int]]] = {}
        up = pd.Series([None] * len(rows), index=rows.index, dtype=object)
        if level > 1:
            up = rows["parent_code"].astype(object)
            orphans.append(claimed[~up.isin(list(waiting))].assign(level=level))
        for parent in sorted(waiting, key=str):
            lots, activity_lots = waiting[parent]
            own = claimed if parent is None else claimed[up == parent]
            group = _Group(level, parent, lots, activity_lots)
            problems += _divide(spec, group, own, below, closed, names, figures.get(level, {}))
            groups.append(group)
            if group.frame.empty:
                continue
            if not group.frame["slice"].sum() and lots:
                lost[(level - 1, str(parent))] = lots * spec.lot
            per_region = group.table.groupby("code")["slice"] if names else None
            for code, units in group.frame["slice"].items():
                amounts = per_region.get_group(code).tolist() if per_region is not None else []
                handed[str(code)] = (int(units) // spec.lot, [a // spec.lot for a in amounts])
        for parent in waiting:
            if parent is not None and parent not in set(up) and waiting[parent][0]:
                lost[(level - 1, parent)] = waiting[parent][0] * spec.lot
        waiting = handed
        if problems:
            raise _all(spec, problems)
    frame = _joined(groups, orphans, lost)
    frame["reason_en"], frame["reason_fa"] = reasons_of(spec, frame)
    table = [g.table for g in groups if len(g.table)]
    columns = ["level", "code", "activity", "fair", "slice", "within_quota"]
    by_activity = pd.concat(table, ignore_index=True) if table else pd.DataFrame(columns=columns)
    ties = tuple(g.tied for g in groups if g.tied)
    notices = notices_of(spec, frame, by_activity, figures, ties)
    document = document_of(spec, frame, by_activity, notices, ties)
    return SliceResult(frame, by_activity, document, notices)


def _all(spec: TargetSpec, problems: list[Problem]) -> ProblemsFound:
    n = len(problems)
    return ProblemsFound(
        f"the target has {n} problem{'s' if n > 1 else ''}", problems, where=spec.id
    )


def _asked(spec: TargetSpec, regions: pd.DataFrame, level: int) -> dict[str, tuple[int, int]]:
    """Return what the parts of the regions of ``level`` ask for, all finer levels counted."""
    if level + 1 not in spec.levels:
        return {}
    parts = regions[regions["level"] == level + 1].set_index("code")["parent_code"]
    asked = raised_by_parts(spec, level + 1, parts)
    finer = _asked(spec, regions, level + 1)
    for code, (floor, _) in sorted(finer.items()):
        parent = parts.get(code)
        if floor and isinstance(parent, str):
            own = next(
                (x.floor or 0 for x in spec.limits if (x.level, x.region) == (level + 1, code)),
                0,
            )
            held, cap = asked.get(parent, (0, -1))
            asked[parent] = (held + max(floor - -(-own // spec.lot), 0), cap)
    return asked


def _divide(
    spec: TargetSpec,
    group: _Group,
    claimed: pd.DataFrame,
    below: dict[str, tuple[int, int]],
    closed: set[tuple[str, str]],
    names: list[str],
    figures: Mapping[str, pd.Series],
) -> list[Problem]:
    """Fill ``group``; return what made that impossible."""
    if claimed.empty:
        return []
    where = "nation" if group.parent is None else f"region {group.parent}"
    codes = [str(c) for c in claimed.index]
    bounds = bounds_of(spec, group.level, claimed["claim"], group.lots, below=below)
    weight = claimed["claim"].fillna(0.0).to_numpy(dtype=float)
    weight = np.where([s == "divided" for s in bounds.state], weight, 0.0)
    if not (weight > 0).any() and group.lots and sum(bounds.floors) != group.lots:
        return _nobody(spec, group, claimed, bounds, where, names)
    try:
        got = apportion(
            weight,
            group.lots,
            method=spec.method,
            floors=bounds.floors,
            caps=bounds.caps,
            names=[f"region {code}" for code in codes],
        )
    except ProblemsFound as error:
        return [
            Problem(f"{where}, {p.where}", f"{p.what} (in lots of {spec.lot:,} {spec.unit})",
                    p.remedy, code=p.code)
            for p in error.problems
        ]  # fmt: skip
    free = apportion(weight, group.lots, method=spec.method).units if weight.any() else got.units
    group.tied = tuple(codes[i] for i in got.tied)
    group.frame = claimed.assign(
        level=group.level,
        share=weight / weight.sum() if weight.any() else np.nan,
        unlimited=free * spec.lot,
        fair=got.quotas * spec.lot,
        slice=got.units * spec.lot,
        floor=[f * spec.lot if f else np.nan for f in bounds.floors],
        cap=[
            c * spec.lot if c >= 0 and s == "divided" else np.nan
            for c, s in zip(bounds.caps, bounds.state, strict=True)
        ],
        bound=[
            b if s == "divided" else "floor" if units else ""
            for b, s, units in zip(got.bound, bounds.state, got.units, strict=True)
        ],
        state=bounds.state,
    )
    return _by_activity(spec, group, got.units, closed, names, figures, where)


def _nobody(
    spec: TargetSpec,
    group: _Group,
    claimed: pd.DataFrame,
    bounds: Bounds,
    where: str,
    names: list[str],
) -> list[Problem]:
    """Nobody has a claim: at level 1 an error, below it the parent's slice stays whole."""
    if group.parent is None:
        return [
            Problem(
                where,
                f"no region has a claim to the {spec.total:,} {spec.unit}: "
                f"{bounds.state.count('unknown')} unknown, {bounds.state.count('no claim')} with "
                f"a claim of 0, {bounds.state.count('excluded')} excluded",
                "load the figures of need, capacity or past absorption, or lift an exclusion",
                code="no-claims",
            )
        ]
    if any(bounds.floors):
        held = sum(bounds.floors) * spec.lot
        return [
            Problem(
                where,
                f"floors give {held:,} of its {group.lots * spec.lot:,} {spec.unit}, and no region "
                "in it has a claim to the rest",
                "load figures of its regions, or take out the floors: its slice then stays whole",
                code="no-claims",
            )
        ]
    group.frame = claimed.assign(
        level=group.level, share=np.nan, unlimited=0, fair=0.0, slice=0, floor=np.nan, cap=np.nan,
        bound="", state=bounds.state,
    )  # fmt: skip
    group.table = pd.DataFrame(
        [(group.level, str(code), name, 0.0, 0, True) for code in claimed.index for name in names],
        columns=["level", "code", "activity", "fair", "slice", "within_quota"],
    )
    return []


def _by_activity(
    spec: TargetSpec,
    group: _Group,
    units: np.ndarray[Any, np.dtype[np.int64]],
    closed: set[tuple[str, str]],
    names: list[str],
    figures: Mapping[str, pd.Series],
    where: str,
) -> list[Problem]:
    if not names:
        return []
    codes = [str(c) for c in group.frame.index]
    weights = np.repeat(units.astype(float)[:, None], len(names), axis=1)
    for j, activity in enumerate(spec.activities):
        if activity.variable is not None:
            raw = figures.get(activity_figure(activity.id), pd.Series(dtype=float))
            known = raw.reindex(codes).astype(float) / group.frame["size"].where(
                group.frame["size"] > 0
            )
            mean = known.mean()
            # Not known: the region's own share decides, as if it were like the others.
            factor = (known / mean).fillna(1.0) if mean > 0 else known * 0.0 + 1.0
            weights[:, j] *= factor.fillna(1.0).to_numpy()
    for i, code in enumerate(codes):
        for j, name in enumerate(names):
            if (code, name) in closed:
                weights[i, j] = 0.0
    try:
        got = apportion_table(
            weights,
            units,
            group.activity_lots,
            rule=spec.table,
            row_names=[f"region {code}" for code in codes],
            column_names=[f"activity {name}" for name in names],
        )
    except ProblemsFound as error:
        return [
            Problem(f"{where}, {p.where}", f"{p.what} (in lots of {spec.lot:,} {spec.unit})",
                    p.remedy, code=p.code)
            for p in error.problems
        ]  # fmt: skip
    rows = [
        (group.level, code, name, got.fair[i, j] * spec.lot, int(got.units[i, j]) * spec.lot,
         bool(got.within_quota[i, j]))
        for i, code in enumerate(codes)
        for j, name in enumerate(names)
    ]  # fmt: skip
    group.table = pd.DataFrame(
        rows, columns=["level", "code", "activity", "fair", "slice", "within_quota"]
    )
    return []


def _joined(
    groups: list[_Group], orphans: list[pd.DataFrame], lost: dict[tuple[int, str], int]
) -> pd.DataFrame:
    parts = [g.frame for g in groups if len(g.frame)]
    for frame in orphans:
        if len(frame):
            parts.append(
                frame.assign(
                    share=np.nan,
                    unlimited=0,
                    fair=0.0,
                    slice=0,
                    floor=np.nan,
                    cap=np.nan,
                    bound="",
                    state="orphan",
                )
            )
    frame = pd.concat(parts).rename(columns={"name_local": "name_fa"}).rename_axis("code")
    frame = frame.reset_index().sort_values(["level", "code"], ignore_index=True)
    frame["slice"] = frame["slice"].astype(np.int64)
    frame["unlimited"] = frame["unlimited"].astype(np.int64)
    own = [lost.get(key, 0) for key in zip(frame["level"], frame["code"], strict=True)]
    frame["not_handed_down"] = np.array(own, dtype=np.int64)
    order = [
        "level", "code", "parent_code", "name_en", "name_fa", "need", "capacity", "past",
        "coverage", "score", "size", "claim", "share", "unlimited", "fair", "slice", "floor",
        "cap", "bound", "state", "not_handed_down",
    ]  # fmt: skip
    return frame[order]
