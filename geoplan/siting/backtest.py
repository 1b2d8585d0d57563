"""Back-test: how existing estates would score, beside all the land that could be chosen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geoplan.catalogue.text import Text
from geoplan.errors import EmptyLayer
from geoplan.grid import Grid
from geoplan.siting.candidates import CandidateCells
from geoplan.siting.exclude import Exclusions
from geoplan.siting.sentences import Amount, Named, both

__all__ = ["BacktestSummary", "cells_of", "removed_by", "share_below", "summarise"]

_BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class BacktestSummary:
    """How existing estates fall in the distribution of all allowed land.

    Parameters
    ----------
    estates : int
        Estates with a score.
    unscored : int
        Estates without one: outside the area, or a measure is missing there.
    mean_percentile : float, 0–100
        50 is what places drawn at random would have. Equals 100 × the probability that an
        estate scores above a piece of allowed land drawn at random (the area under the ROC curve).
    standard_error : float
        Of that mean, from the spread of the estates.
    upper_quarter : float, 0–1
        Share of estates that score above three quarters of the allowed land; 0.25 by chance.
    excluded : float, 0–1
        Share of estates most of whose land a rule removes, of those with land in the area.
    """

    estates: int
    unscored: int
    mean_percentile: float
    standard_error: float
    upper_quarter: float
    excluded: float

    def text(self) -> Text:
        """Return the summary as a sentence."""
        if not self.estates:
            return both(
                "None of the {unscored} existing estates has a score: each lies outside the area "
                "that was searched, or a criterion has no data there.",
                "هیچ‌یک از {unscored} شهرک موجود امتیازی ندارد: بیرون از محدودهٔ جست‌وجوست، یا "
                "معیاری در آنجا داده ندارد.",
                unscored=self.unscored,
            )
        # One estate has no spread, so its mean has no standard error.
        error = (
            Named("", "")
            if math.isnan(self.standard_error)
            else both(
                "standard error {error}; ",
                "خطای معیار {error}؛ ",
                error=Amount(self.standard_error, "%", 1),
            )
        )
        return both(
            "{estates} existing estates score, on average, above {mean} of the allowed land "
            "({error}places drawn at random: 50 %); {upper} of them lie in its "
            "best quarter, and a rule removes most of the land of {excluded}.",
            "{estates} شهرک موجود به‌طور میانگین امتیازی بالاتر از {mean} زمین مجاز دارند "
            "({error}مکان‌های تصادفی: ۵۰٪)؛ {upper} آن‌ها در بهترین چارک آن‌اند، و "
            "قاعده‌ای بیشتر زمین {excluded} را حذف می‌کند.",
            estates=self.estates,
            mean=Amount(self.mean_percentile, "%", 1),
            error=error,
            upper=Amount(100 * self.upper_quarter, "%", 0),
            excluded=Amount(100 * self.excluded, "%", 0),
        )


def cells_of(
    shapes: Sequence[shapely.Geometry],
    grid: Grid,
    *,
    inside: npt.NDArray[np.bool_] | None = None,
) -> CandidateCells:
    """Return the cells of existing estates, as candidates.

    Parameters
    ----------
    shapes : sequence of geometry, in the grid's CRS
        A cell belongs to a polygon that holds its centre; a polygon without any, a line or a
        point has the cell of its representative point. Outside the grid: no cell.
    grid : Grid
    inside : ndarray of bool, grid shape, optional
        The area that was searched; cells outside it are left out.

    Raises
    ------
    EmptyLayer
        There is no shape.
    """
    if not len(shapes):
        raise EmptyLayer(
            "there is no existing estate to score",
            where="backtest",
            remedy="correct 'where', or load the layer",
        )
    parts: list[npt.NDArray[np.int64]] = []
    for shape in shapes:
        x0, y0, x1, y1 = shape.bounds
        (r0, r1), (c0, c1) = grid.row_col([x0, x1], [y1, y0])
        found = np.zeros(0, dtype=np.int64)
        if shape.area > 0:
            rows = np.arange(max(r0, 0), min(r1, grid.rows - 1) + 1)
            cols = np.arange(max(c0, 0), min(c1, grid.cols - 1) + 1)
            row, col = (v.ravel() for v in np.meshgrid(rows, cols, indexing="ij"))
            within = shapely.contains_xy(shape, *grid.centre_xy(row, col))
            found = (row * grid.cols + col)[within]
        if not found.size:
            point = shape.representative_point()
            (row,), (col,) = grid.row_col([point.x], [point.y])
            if 0 <= row < grid.rows and 0 <= col < grid.cols:
                found = np.array([row * grid.cols + col], dtype=np.int64)
        parts.append(found if inside is None else found[inside.reshape(-1)[found]])
    size = np.array([p.size for p in parts], dtype=np.int64)
    middle = [int(p[p.size // 2]) if p.size else -1 for p in parts]
    none = np.full(len(parts), -1, dtype=np.int64)
    return CandidateCells(
        offsets=np.concatenate([[0], np.cumsum(size)]),
        cells=np.concatenate(parts),
        area_ha=np.asarray(size * grid.cell_ha, dtype=np.float64),
        score=np.full(len(parts), math.nan),
        representative=np.array(middle, dtype=np.int64),
        region=none,
        seeds=len(parts),
        grown=len(parts),
    )


def share_below(score: npt.NDArray[np.float32], values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the share of allowed land that scores below each value, ties counted half.

    Parameters
    ----------
    score : ndarray of float32
        NaN is land that is not allowed.
    values : array_like of float, shape (n,)
        NaN gives NaN.

    Notes
    -----
    The mid-distribution function F(v) = P(X < v) + P(X = v) / 2, whose mean over the land itself
    is 1/2 exactly. Counted in blocks: no sorted copy of a national grid is made.
    """
    wanted = np.asarray(values, dtype=np.float32)
    order = np.unique(wanted[~np.isnan(wanted)])
    below = np.zeros(len(order) + 1, dtype=np.int64)
    not_above = np.zeros(len(order) + 1, dtype=np.int64)
    flat = score.reshape(-1)
    total = 0
    for start in range(0, flat.size, _BLOCK):
        part = flat[start : start + _BLOCK]
        part = part[~np.isnan(part)]
        total += part.size
        # A cell counts for every value from the first that is greater (or, for ties, as great) on.
        below += np.bincount(np.searchsorted(order, part, side="right"), minlength=below.size)
        not_above += np.bincount(np.searchsorted(order, part, side="left"), minlength=below.size)
    out = np.full(wanted.shape, np.nan)
    if total:
        mid = (np.cumsum(below)[:-1] + np.cumsum(not_above)[:-1]) / (2.0 * total)
        known = ~np.isnan(wanted)
        out[known] = mid[np.searchsorted(order, wanted[known])]
    return out


def removed_by(estates: CandidateCells, exclusions: Exclusions) -> pd.DataFrame:
    """Return the share of each estate's cells that each rule removes.

    Returns
    -------
    DataFrame
        One row per estate, in order, one column per rule id, 0–1; NaN without a cell.
    """
    bits = exclusions.in_force(estates.cells).astype(np.uint64)
    owner, count = estates.owner(), len(estates)
    size = np.diff(estates.offsets).astype(np.float64)
    columns = {}
    for k, rule in enumerate(exclusions.ids):
        held = (bits >> np.uint64(k)) & np.uint64(1)
        with np.errstate(invalid="ignore"):
            columns[rule] = (
                np.bincount(owner, weights=held.astype(np.float64), minlength=count) / size
            )
    return pd.DataFrame(columns, index=range(count))


def summarise(percentile: npt.ArrayLike, removed: Mapping[str, npt.ArrayLike]) -> BacktestSummary:
    """Return the summary of a back-test.

    Parameters
    ----------
    percentile : array_like of float, shape (n,), 0–100
        NaN: without a score.
    removed : mapping
        Rule id → share of each estate's land that it removes (see `removed_by`); NaN: no land in
        the area.
    """
    found = np.asarray(percentile, dtype=np.float64)
    known = found[~np.isnan(found)]
    n = known.size
    most = np.zeros(found.size, dtype=np.bool_)
    on_land = ~np.isnan(found)
    for share in removed.values():
        part = np.asarray(share, dtype=np.float64)
        most |= part > 0.5
        on_land |= ~np.isnan(part)
    return BacktestSummary(
        estates=n,
        unscored=int(found.size - n),
        mean_percentile=float(known.mean()) if n else math.nan,
        standard_error=float(known.std(ddof=1) / math.sqrt(n)) if n > 1 else math.nan,
        upper_quarter=float((known > 75).mean()) if n else math.nan,
        excluded=float(most[on_land].mean()) if on_land.any() else math.nan,
    )
