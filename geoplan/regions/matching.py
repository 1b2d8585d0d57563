"""Two sources of regions joined: which old region is which new one, and what became of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from geoplan.errors import Problem, ProblemsFound, RangeError
from geoplan.persian import is_destroyed
from geoplan.regions.crosswalk import area_crosswalk
from geoplan.regions.match_checks import check_source
from geoplan.regions.match_rows import MATCH_COLUMNS, MatchLimits, Pair, Sides, Ties, match_rows
from geoplan.regions.overlap import Mended, Overlap, overlap_shares
from geoplan.regions.spelling import name_key, name_spelling

__all__ = ["MATCH_COLUMNS", "MatchLimits", "MatchResult", "match_regions"]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]

_LIMITS = MatchLimits()


@dataclass(frozen=True)
class MatchResult:
    """The join of two sources.

    Parameters
    ----------
    frame : DataFrame
        `MATCH_COLUMNS`, sorted by old and new code. Every old and every new region is accounted
        for by exactly one row: ``accounts_for`` says for which (``both``, ``old``, ``new``).
    counts : dict
        ``old`` and ``new``: regions by status (with ``total``); ``method``: pairs by method;
        ``comparable``: pairs whose borders did not move; ``conflicts``.
    problems : tuple of Problem
        Warnings and repairs; errors are raised.
    crosswalk : DataFrame
        See :func:`geoplan.regions.crosswalk.area_crosswalk`; empty without shapes.
    limits : MatchLimits
        The limits that were used.
    """

    frame: pd.DataFrame
    counts: dict[str, Any]
    problems: tuple[Problem, ...]
    crosswalk: pd.DataFrame
    limits: MatchLimits = field(default=_LIMITS)


def match_regions(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    crs: str | None,
    names: Sequence[str] = ("name_local", "name_en"),
    same_codes: bool = False,
    limits: MatchLimits = _LIMITS,
) -> MatchResult:
    """Join two sources of regions of one level.

    Four kinds of evidence are tried, the strongest first; each gives one-to-one pairs of greatest
    total weight among the regions that are left (Kuhn 1955; Jonker and Volgenant 1987 in SciPy's
    ``linear_sum_assignment``), so that the result does not depend on the order of rows:

    1. ``code``: equal codes, only where both sources use one register (``same_codes``);
    2. ``name``: equal names in normal form, same parent;
    3. ``variant``: names that sound alike, are a few edits apart or hold one another, same
       parent, and no shape that speaks against it; see :func:`~geoplan.regions.spelling`;
    4. ``geometry``: each holds at least ``limits.inside`` of the other.

    Of the rest, a new region that lies mostly in one old region was ``split`` from it, an old one
    that lies mostly in a new one was ``merged`` into it; the others are ``unmatched``.

    Parameters
    ----------
    old, new : GeoDataFrame or DataFrame
        ``code`` (text, unique), ``parent_code`` (text; one register for both sources; may be
        missing), the name columns, and polygons in any CRS. Without shapes in both sources only
        codes and names are compared.
    crs : str or None
        Equal-area CRS of the measurement; needed where there are shapes.
    names : sequence of str
        Columns with names; each is compared with the same column of the other source.
    same_codes : bool
        Whether ``code`` means the same in both sources.
    limits : MatchLimits
        Shares of area at which decisions fall.

    Returns
    -------
    MatchResult

    Raises
    ------
    ProblemsFound
        Codes missing, twice, or without their leading zeros; no name column.
    CrsProblem
        No CRS, or one that does not keep areas.
    RangeError
        There are shapes and ``crs`` is None.
    """
    problems = _checked(old, new, names)
    # Sorted once, so that ties fall alike whatever the order of the rows was.
    a = old.assign(code=old["code"].astype(str)).sort_values("code", ignore_index=True)
    b = new.assign(code=new["code"].astype(str)).sort_values("code", ignore_index=True)
    overlap = None
    if _has_shapes(a) and _has_shapes(b):
        if crs is None:
            raise RangeError("regions have shapes, and no CRS to measure them in was named",
                             where="crs", remedy="name an equal-area CRS")  # fmt: skip
        overlap, mended = overlap_shares(a.geometry, b.geometry, crs=crs)
        problems += _mended(a, "old", mended[0]) + _mended(b, "new", mended[1])
        problems += _shapeless(a, b, overlap)
    sides = Sides(a, b, tuple(n for n in names if n in a.columns and n in b.columns))
    pairs, ambiguous = _pairs(sides, overlap, same_codes=same_codes, limits=limits)
    frame = match_rows(sides, pairs, ambiguous, overlap, limits=limits)
    problems += [
        Problem(f"old {row.old_code} '{row.old_name}', new {row.new_code} '{row.new_name}'",
                row.reason_en, "look at both sources; the code or name decided here",
                severity="warning", code="match-conflict")
        for row in frame[frame["conflict"]].itertuples()
    ]  # fmt: skip
    crosswalk = area_crosswalk(sides.old["code"], sides.new["code"], overlap, frame,
                               sliver=limits.sliver)  # fmt: skip
    return MatchResult(frame, _counts(frame), tuple(problems), crosswalk, limits)


def _checked(old: pd.DataFrame, new: pd.DataFrame, names: Sequence[str]) -> list[Problem]:
    problems: list[Problem] = []
    for side, frame, other in (("old", old, new), ("new", new, old)):
        parents = (
            set(other["parent_code"].dropna().astype(str)) if "parent_code" in other else set()
        )
        problems += check_source(frame, side, names=names, parents=parents)
    errors = [p for p in problems if p.severity == "error"]
    if errors:
        raise ProblemsFound(f"the regions cannot be joined: {len(errors)} problems", problems)
    return problems


def _has_shapes(frame: pd.DataFrame) -> bool:
    return isinstance(frame, gpd.GeoDataFrame) and bool(frame.geometry.notna().any())


def _mended(frame: pd.DataFrame, side: str, mended: Mended) -> list[Problem]:
    problems = []
    if mended.invalid:
        problems.append(
            Problem(f"{side} regions", f"{len(mended.invalid)} shapes cross or touch themselves",
                    "mended before areas were measured", severity="repaired",
                    code="shape-mended", count=len(mended.invalid))
        )  # fmt: skip
    for place in mended.doubtful:
        problems.append(
            Problem(f"{side} regions, code {frame['code'].iat[place]}",
                    "its rings cross so that over 1% of it can be read as inside or outside",
                    "read as inside where no other region of the source lies; look at the shape",
                    severity="warning", code="shape-doubtful")
        )  # fmt: skip
    return problems


def _shapeless(old: pd.DataFrame, new: pd.DataFrame, overlap: Overlap) -> list[Problem]:
    return [
        Problem(f"{side} regions, code {code}", "no shape, or an empty one",
                "only its code and name are compared", severity="warning", code="shape-missing")
        for side, frame, size in (("old", old, overlap.old_km2), ("new", new, overlap.new_km2))
        for code in frame.loc[np.isnan(size), "code"]
    ]  # fmt: skip


def _pairs(
    sides: Sides, overlap: Overlap | None, *, same_codes: bool, limits: MatchLimits
) -> tuple[list[Pair], Ties]:
    score, same = _spellings(sides)
    shape = score.shape
    known = np.zeros(shape, dtype=bool)
    both = either = np.zeros(shape)
    if overlap is not None:
        known = ~np.isnan(overlap.old_km2)[:, None] & ~np.isnan(overlap.new_km2)[None, :]
        both, either = overlap.both, overlap.either
    parents_a = sides.old["parent_code"].to_numpy(dtype=object)[:, None]
    parents_b = sides.new["parent_code"].to_numpy(dtype=object)[None, :]
    unknown = pd.isna(parents_a) | pd.isna(parents_b)
    kin = (parents_a == parents_b) | unknown
    stages: list[tuple[str, BoolArray, FloatArray]] = []
    if same_codes:
        codes = sides.old["code"].to_numpy()[:, None] == sides.new["code"].to_numpy()[None, :]
        stages.append(("code", codes, np.ones(shape)))
    likely = ~known | (either >= limits.inside)
    stages += [
        ("name", kin & same, 1.0 + both),
        ("variant", kin & (score > 0) & likely, score + both),
        ("geometry", known & (both >= limits.inside), both + 0.01 * score),
    ]
    free_a, free_b = np.ones(shape[0], dtype=bool), np.ones(shape[1], dtype=bool)
    pairs: list[Pair] = []
    ambiguous: Ties = {}
    for method, allowed, weight in stages:
        allowed = allowed & free_a[:, None] & free_b[None, :]
        clear, tied = _without_ties(allowed, weight)
        ambiguous = {**tied, **ambiguous}
        gain = np.where(clear, weight, 0.0)
        for i, j in zip(*linear_sum_assignment(gain, maximize=True), strict=True):
            if clear[i, j]:
                alike = bool(score[i, j] > 0)
                namesakes = np.flatnonzero(kin[i] & (score[i] >= 0.9))
                elsewhere = None if alike or not len(namesakes) else int(namesakes[0])
                pairs.append(Pair(int(i), int(j), method, alike=alike, elsewhere=elsewhere))
                free_a[i] = free_b[j] = False
    return sorted(pairs, key=lambda p: (p.old, p.new)), ambiguous


def _spellings(sides: Sides) -> tuple[FloatArray, BoolArray]:
    """Return how well names agree, 0 where not, and where they are the same."""
    score = np.zeros((len(sides.old), len(sides.new)))
    parents = [None if pd.isna(p) else p for p in sides.new["parent_code"]]
    for name in sides.names:
        ours = [(n, name_key(n)) for n in sides.old[name].map(_readable)]
        theirs = [(n, name_key(n)) for n in sides.new[name].map(_readable)]
        for i, ((one, key), parent) in enumerate(zip(ours, sides.old["parent_code"], strict=True)):
            if not key:
                continue
            for j, (two, other) in enumerate(theirs):
                near = pd.isna(parent) or parents[j] is None or parents[j] == parent
                # Under another parent only the same name matters: a region that was moved.
                if other and (near or key == other):
                    found = name_spelling(one, two)
                    score[i, j] = max(score[i, j], found[1] if found else 0.0)
    return score, score >= 1.0


def _readable(name: object) -> str | None:
    return name if isinstance(name, str) and not is_destroyed(name) else None


def _without_ties(allowed: BoolArray, weight: FloatArray) -> tuple[BoolArray, Ties]:
    """Return ``allowed`` without the pairs that only the order of rows would choose between."""
    clear = allowed.copy()
    tied: Ties = {}
    gain = np.where(allowed, weight, -1.0)
    for side, rows, mask in (("old", gain, clear), ("new", gain.T, clear.T)):
        for place, row in enumerate(rows):
            best = row.max(initial=-1.0)
            equal = np.flatnonzero(row == best)
            if best >= 0 and len(equal) > 1:
                tied[side, place] = tuple(int(n) for n in equal)
                mask[place, :] = False
    return clear, tied


def _counts(frame: pd.DataFrame) -> dict[str, Any]:
    counts: dict[str, Any] = {}
    for side in ("old", "new"):
        own = frame[frame["accounts_for"].isin([side, "both"])]
        by_status = Counter(own["status"])
        counts[side] = {"total": len(own), **{k: by_status[k] for k in sorted(by_status)}}
    pairs = frame[frame["accounts_for"] == "both"]
    by_method = Counter(pairs["method"])
    counts["method"] = {k: by_method[k] for k in sorted(by_method)}
    counts["comparable"] = int(pairs["comparable"].fillna(False).astype(bool).sum())
    counts["conflicts"] = int(frame["conflict"].sum())
    return counts
