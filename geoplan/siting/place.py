"""Why any place is, or is not, part of a candidate: for whoever points at the map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.text import Text
from geoplan.raster.kernel import kernel
from geoplan.siting.case import points
from geoplan.siting.result import Reason
from geoplan.siting.sentences import Amount, Named, both

__all__ = ["NearSite", "Removal", "contiguous_cells", "patch_around", "place_reasons"]


@dataclass(frozen=True, slots=True)
class Removal:
    """A rule that removes the place.

    Parameters
    ----------
    id : str
    title : Text
        What the rule removes, for people.
    basis : str
        Legal or customary basis; empty: not given.
    status : str
        How certain the basis is: a `geoplan.catalogue.text.Status`.
    """

    id: str
    title: Text
    basis: str
    status: str


@dataclass(frozen=True, slots=True)
class NearSite:
    """A candidate at, or near, the place."""

    site_id: str
    rank: int
    score: float
    distance_km: float
    in_portfolio: bool


@kernel
def _spread(open_: npt.NDArray[np.bool_], start: int, at_most: int) -> tuple[int, bool]:
    rows, cols = open_.shape
    flat = open_.ravel()
    seen = np.zeros(flat.size, dtype=np.bool_)
    stack = np.empty(at_most + 4, np.int64)
    stack[0] = start
    seen[start] = True
    size = 1
    found = 0
    edge = False
    while size > 0 and found < at_most:
        size -= 1
        cell = stack[size]
        found += 1
        row = cell // cols
        col = cell - row * cols
        edge = edge or row == 0 or col == 0 or row == rows - 1 or col == cols - 1
        for side in range(4):
            r = row + (1 if side == 0 else -1 if side == 1 else 0)
            c = col + (1 if side == 2 else -1 if side == 3 else 0)
            if 0 <= r < rows and 0 <= c < cols:
                near = r * cols + c
                if flat[near] and not seen[near] and size < len(stack):
                    seen[near] = True
                    stack[size] = near
                    size += 1
    return found, edge


def contiguous_cells(open_: npt.NDArray[np.bool_], row: int, col: int, *, at_most: int) -> int:
    """Return how many cells hang together with a cell by their sides, counted up to ``at_most``.

    Parameters
    ----------
    open_ : ndarray of bool, shape (rows, cols)
        Land that may be used.
    row, col : int
        0 where this cell is not open.
    at_most : int
        Counting ends there: whether there is enough land is all that is asked.
    """
    if at_most < 1 or not open_[row, col]:
        return 0
    # A window that any patch of this size fits in from the middle keeps the work local.
    reach = at_most
    r0, c0 = max(0, row - reach), max(0, col - reach)
    part = np.ascontiguousarray(open_[r0 : row + reach + 1, c0 : col + reach + 1])
    return patch_around(part, row - r0, col - c0, at_most=at_most)[0]


def patch_around(
    open_: npt.NDArray[np.bool_], row: int, col: int, *, at_most: int
) -> tuple[int, bool]:
    """Return how many cells hang together with a cell, and whether they reach the array's edge.

    Parameters
    ----------
    open_, row, col, at_most
        As for `contiguous_cells`.

    Notes
    -----
    Where they reach the edge of a window before ``at_most`` is counted, there may be more of them
    beyond it.
    """
    if at_most < 1 or not open_[row, col]:
        return 0, False
    part = np.ascontiguousarray(open_)
    found, edge = _spread(part, row * part.shape[1] + col, at_most)
    return int(found), bool(edge)


def place_reasons(
    *,
    inside: bool,
    removed_by: Sequence[Removal] = (),
    score: float = math.nan,
    percentile: float = math.nan,
    patch_ha: float = math.nan,
    smallest_ha: float = math.nan,
    lowest_kept: float = math.nan,
    holds: NearSite | None = None,
    nearest: NearSite | None = None,
    spacing_km: float = 0.0,
) -> tuple[Reason, ...]:
    """Return why a place is or is not part of a candidate, in both languages.

    Parameters
    ----------
    inside : bool
        Whether the place lies in the area that was searched.
    removed_by : sequence of Removal
    score, percentile : float
        Score 0–1 (NaN: none) and the share of allowed land below it, %.
    patch_ha, smallest_ha : float
        Contiguous allowed land here (NaN: not known), and the smallest candidate, ha.
    lowest_kept : float
        Score of the last candidate that was kept.
    holds, nearest : NearSite, optional
        The candidate that holds the place; the nearest one.
    spacing_km : float
        Least distance between candidates.

    Returns
    -------
    tuple of Reason
        ``outside``; ``rule`` for each rule; ``no-data``; ``in-candidate``; ``patch``,
        ``near-candidate``, ``lower-score``, ``not-grown``.
    """
    if not inside:
        return (
            Reason(
                "outside",
                both(
                    "This place lies outside the area that was searched.",
                    "این مکان بیرون از محدودهٔ جست‌وجوست.",
                ),
            ),
        )
    if removed_by:
        return tuple(_rule(r, only=len(removed_by) == 1) for r in removed_by)
    if math.isnan(score):
        return (
            Reason(
                "no-data",
                both(
                    "No rule removes this place, but a criterion has no data here, so it has no "
                    "score.",
                    "هیچ قاعده‌ای این مکان را حذف نمی‌کند، ولی معیاری در اینجا داده ندارد؛ پس "
                    "امتیازی ندارد.",
                ),
            ),
        )
    standing = Reason(
        "score",
        both(
            "No rule removes this place. Its score is {score}, above {share} of the allowed land.",
            "هیچ قاعده‌ای این مکان را حذف نمی‌کند. امتیاز آن {score} و بالاتر از {share} زمین مجاز "
            "است.",
            score=points(score),
            share=_share(percentile),
        ),
    )
    if holds is not None:
        en, fa = (
            ("it is in the plan", "در برنامه است")
            if holds.in_portfolio
            else (
                "it is not in the plan",
                "در برنامه نیست",
            )
        )
        return (
            standing,
            Reason(
                "in-candidate",
                both(
                    "It is part of candidate {site}, rank {rank}; {state}.",
                    "بخشی از نامزد {site} با رتبهٔ {rank} است که {state}.",
                    site=holds.site_id,
                    rank=holds.rank,
                    state=Named(en, fa),
                ),
            ),
        )
    return (
        standing,
        *_no_candidate(score, patch_ha, smallest_ha, lowest_kept, nearest, spacing_km),
    )


def _share(percentile: float) -> Amount:
    """Return a share of land; what is not all of it never reads as 100 %."""
    if 99 < percentile < 100:
        return Amount(math.floor(percentile * 10) / 10, "%", 1)
    return Amount(percentile, "%", 0)


def _no_candidate(
    score: float,
    patch_ha: float,
    smallest_ha: float,
    lowest_kept: float,
    nearest: NearSite | None,
    spacing_km: float,
) -> list[Reason]:
    if patch_ha < smallest_ha:
        return [
            Reason(
                "patch",
                both(
                    "Only {patch} hang together here; the smallest candidate has {least}.",
                    "در اینجا تنها {patch} زمین به‌هم‌پیوسته است؛ کوچک‌ترین نامزد {least} دارد.",
                    patch=Amount(patch_ha, "ha"),
                    least=Amount(smallest_ha, "ha"),
                ),
            )
        ]
    found = []
    if nearest is not None and spacing_km > 0 and nearest.distance_km < spacing_km:
        found.append(
            Reason(
                "near-candidate",
                both(
                    "Candidate {site} (rank {rank}) is {km} away; candidates are kept {least} "
                    "apart and the better one stayed.",
                    "نامزد {site} (رتبهٔ {rank}) در {km}ی آن است؛ میان نامزدها دست‌کم {least} "
                    "فاصله می‌ماند و نامزد بهتر ماند.",
                    site=nearest.site_id,
                    rank=nearest.rank,
                    km=Amount(nearest.distance_km, "km"),
                    least=Amount(spacing_km, "km"),
                ),
            )
        )
    if score < lowest_kept:
        found.append(
            Reason(
                "lower-score",
                both(
                    "The last candidate that was kept scores {lowest}.",
                    "آخرین نامزدی که نگه داشته شد امتیاز {lowest} دارد.",
                    lowest=points(lowest_kept),
                ),
            )
        )
    if not found:
        found.append(
            Reason(
                "not-grown",
                both(
                    "No candidate that was kept grew over it: better land lay around it.",
                    "هیچ نامزد نگه‌داشته‌ای تا اینجا گسترش نیافت: زمین پیرامون بهتر بود.",
                ),
            )
        )
    return found


def _rule(rule: Removal, *, only: bool) -> Reason:
    title = Named(rule.title.en, rule.title.fa or rule.title.local or rule.title.en)
    basis = Named(rule.basis, rule.basis) if rule.basis else Named("not given", "گفته نشده")
    doubt = (
        Named("", "")
        if rule.status in ("in force", "read")
        else Named(f" ({rule.status})", f" ({_STATUS_FA.get(rule.status, rule.status)})")
    )
    alone = (
        Named(" No other rule does.", " قاعدهٔ دیگری آن را حذف نمی‌کند.") if only else Named("", "")
    )
    return Reason(
        "rule",
        both(
            "Removed by «{title}». Basis: {basis}{doubt}.{alone}",
            "با قاعدهٔ «{title}» حذف شده است. مبنا: {basis}{doubt}.{alone}",
            title=title,
            basis=basis,
            doubt=doubt,
            alone=alone,
        ),
    )


_STATUS_FA = {
    "superseded": "منسوخ",
    "calculated": "محاسبه‌شده",
    "proposed": "پیشنهادی",
    "unverified": "تأییدنشده",
}
