"""Where the values of a raster meet the condition of a rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geoplan.errors import EmptyLayer
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["holds"]


@kernel
def _hold_rows(
    values: npt.NDArray[np.float32],
    low: np.float32,
    high: np.float32,
    between_low: np.float32,
    between_high: np.float32,
    one_of: npt.NDArray[np.float32],
    outside: bool,
    missing: bool,
    start: int,
    stop: int,
    out: npt.NDArray[np.bool_],
) -> int:
    known = 0
    for r in range(start, stop):
        for c in range(values.shape[1]):
            v = values[r, c]
            if np.isnan(v):
                out[r, c] = missing
                continue
            known += 1
            # The limits that were not given are infinite or NaN, and hold nowhere.
            found = v > high or v < low or (between_low <= v and v <= between_high)
            for k in range(len(one_of)):
                found = found or v == one_of[k]
            out[r, c] = found != outside
    return known


def holds(
    values: npt.NDArray[np.float32],
    *,
    above: float | None = None,
    below: float | None = None,
    between: tuple[float, float] | None = None,
    one_of: Sequence[float] = (),
    outside: bool = False,
    missing: bool = True,
    threads: int | None = None,
) -> npt.NDArray[np.bool_]:
    """Return where a raster is above, below, between or one of some values: any of them.

    Parameters
    ----------
    values : ndarray of float32, shape (rows, cols)
        NaN is missing.
    above, below : float, optional
        Greater or smaller than this; the value itself is not.
    between : tuple of float, optional
        Low and high, ends included.
    one_of : sequence of float
        Exactly these, as float32 holds them.
    outside : bool
        Turn the condition round.
    missing : bool
        What a cell without data means; not turned round.

    Returns
    -------
    ndarray of bool, shape (rows, cols)

    Raises
    ------
    EmptyLayer
        Every cell is missing: what the condition says would say nothing of the raster.
    """
    never = np.float32(np.nan)
    out = np.empty(values.shape, dtype=np.bool_)
    low, high = (never, never) if between is None else map(np.float32, between)
    limits = np.asarray(list(one_of), dtype=np.float32)
    known = over_blocks(
        lambda a, b: _hold_rows(
            values,
            never if below is None else np.float32(below),
            never if above is None else np.float32(above),
            low, high, limits, outside, missing, a, b, out,
        ),
        values.shape[0],
        threads=threads,
    )  # fmt: skip
    if not sum(known):
        raise EmptyLayer(
            f"no cell of the grid has a value ({values.shape[0]} × {values.shape[1]} cells missing)"
        )
    return out
