"""Find heights that come in steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Quantisation", "quantisation"]


@dataclass(frozen=True)
class Quantisation:
    """Heights that come in steps.

    Parameters
    ----------
    step : float
        The step, in the raster's unit.
    values : int
        Distinct values found.
    share : float
        Share of the neighbouring distinct values whose difference is a whole number of steps.
    """

    step: float
    values: int
    share: float


def quantisation(values: npt.NDArray[Any], *, most: int = 4_096) -> Quantisation | None:
    """Find out whether heights come in steps coarser than their data type.

    Parameters
    ----------
    values : ndarray
        Heights; NaN is ignored.
    most : int
        More distinct values than this are not steps.

    Returns
    -------
    Quantisation or None
        ``None`` where the data are continuous, whole numbers, or too few to tell.

    Notes
    -----
    The median difference d of neighbouring distinct values is a first guess; each difference
    counts ``round(difference / d)`` steps, and the step is the sum of differences over the sum of
    counts. That undoes rounding to whole metres: 27, 58, 89, 120, 152 → 31.25. It is accepted
    when 90 % of the differences lie within 1.25 of a whole number of steps. Steps below 4 units
    cannot be told from whole numbers with gaps.
    """
    flat = values[np.isfinite(values)]
    found = np.unique(flat)
    if not 8 <= len(found) <= most:
        return None
    steps = np.diff(found.astype(np.float64))
    guess = float(np.median(steps))
    if guess < 4.0:
        return None
    # Rounding moves each end by half a unit, so the median may be one unit off; the mean is not.
    counts = np.maximum(np.round(steps / guess), 1)
    step = float(steps.sum() / counts.sum())
    counts = np.round(steps / step)
    good = (counts >= 1) & (np.abs(steps - counts * step) <= 1.25)
    if good.mean() < 0.9:
        return None
    step = float(steps[good].sum() / counts[good].sum())
    # The sum of rounded ends is off by at most one unit over the whole range.
    return Quantisation(round(step, 2), len(found), float(good.mean()))
