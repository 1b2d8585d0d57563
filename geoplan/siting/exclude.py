"""Exclusions: one bit per rule and cell, so that one can ask which rules removed a place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["RULES_MAX", "Exclusions", "RuleMask", "accounting", "combine"]

RULES_MAX = 64
"""Most rules of one scenario: the bits of the widest integer."""

_KINDS = (np.uint8, np.uint16, np.uint32, np.uint64)


@dataclass(frozen=True, slots=True)
class RuleMask:
    """Land that one rule removes.

    Parameters
    ----------
    id : str
        The rule's id in the scenario.
    removed : ndarray of bool, shape (rows, cols)
        True where the rule removes land.
    """

    id: str
    removed: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Exclusions:
    """All rules together.

    Parameters
    ----------
    ids : tuple of str
        Rule k has bit k.
    bits : ndarray of unsigned int, shape (rows, cols)
        As narrow as the number of rules lets it be.
    inside : ndarray of bool, shape (rows, cols)
        The area that is looked at; land outside is neither allowed nor counted.
    """

    ids: tuple[str, ...]
    bits: npt.NDArray[np.unsignedinteger]
    inside: npt.NDArray[np.bool_]

    @property
    def allowed(self) -> npt.NDArray[np.bool_]:
        """True inside the area where no rule removes the land."""
        result: npt.NDArray[np.bool_] = (self.bits == 0) & self.inside
        return result

    def rules_at(self, row: int, col: int) -> tuple[str, ...]:
        """Return the rules that remove a cell, in order.

        Raises
        ------
        RangeError
            The cell is not on the grid.
        """
        rows, cols = self.bits.shape
        if not (0 <= row < rows and 0 <= col < cols):
            raise RangeError(f"cell ({row}, {col}) is not on a grid of {rows} × {cols} cells")
        held = int(self.bits[row, col])
        return tuple(rule for k, rule in enumerate(self.ids) if held >> k & 1)


def combine(rules: Iterable[RuleMask], *, inside: npt.NDArray[np.bool_]) -> Exclusions:
    """Return all rules as bits.

    Parameters
    ----------
    rules : iterable of RuleMask
        Up to 64, each with its own id. A generator is read one at a time, so that only one mask
        is held.
    inside : ndarray of bool, shape (rows, cols)
        The area that is looked at.

    Raises
    ------
    ShapeError
        A mask does not have the shape of ``inside``.
    RangeError
        More than 64 rules, or two with one id.
    """
    bits: npt.NDArray[np.unsignedinteger] = np.zeros(inside.shape, dtype=np.uint8)
    ids: list[str] = []
    for k, rule in enumerate(rules):
        if rule.removed.shape != inside.shape:
            raise ShapeError(
                f"a mask of shape {rule.removed.shape}, the area {inside.shape}",
                where=f"exclude.{rule.id}",
            )
        if rule.id in ids:
            raise RangeError("two rules have this id", where=f"exclude.{rule.id}")
        if k >= RULES_MAX:
            raise RangeError(
                f"more than {RULES_MAX} rules",
                where=f"exclude.{rule.id}",
                remedy="join rules on one layer by their 'where'",
            )
        if k in (8, 16, 32):
            bits = bits.astype(_KINDS[(8, 16, 32).index(k) + 1])
        bits |= rule.removed.astype(bits.dtype) << bits.dtype.type(k)
        ids.append(rule.id)
    return Exclusions(tuple(ids), bits, inside)


@kernel
def _count(
    bits: npt.NDArray[np.unsignedinteger],
    inside: npt.NDArray[np.bool_],
    start: int,
    stop: int,
    alone: npt.NDArray[np.int64],
    only: npt.NDArray[np.int64],
) -> None:
    cols = bits.shape[1]
    for r in range(start, stop):
        for c in range(cols):
            held = np.uint64(bits[r, c])
            if not inside[r, c] or held == np.uint64(0):
                continue
            rest = held & (held - np.uint64(1))  # without the lowest bit
            single = rest == np.uint64(0)
            k = 0
            while held != np.uint64(0):
                if held & np.uint64(1):
                    alone[k] += 1
                    if single:
                        only[k] += 1
                held >>= np.uint64(1)
                k += 1


def accounting(exclusions: Exclusions, grid: Grid, *, threads: int | None = None) -> pd.DataFrame:
    """Return the area that each rule removes.

    Parameters
    ----------
    exclusions : Exclusions
    grid : Grid

    Returns
    -------
    DataFrame
        One row per rule in order: ``rule``; ``area_ha_alone``, what the rule would remove if it
        were the only one; ``area_ha_only``, what no other rule removes, and so would be allowed
        without it. Inside the area only; cells · ha per cell.
    """
    if exclusions.bits.shape != grid.shape:
        raise ShapeError(
            f"exclusions of shape {exclusions.bits.shape} do not lie on a grid {grid.shape}"
        )

    def work(start: int, stop: int) -> npt.NDArray[np.int64]:
        count = np.zeros((2, RULES_MAX), dtype=np.int64)
        _count(exclusions.bits, exclusions.inside, start, stop, count[0], count[1])
        return count

    parts = over_blocks(work, grid.rows, threads=threads)
    alone, only = np.sum(parts, axis=0)[:, : len(exclusions.ids)]
    return pd.DataFrame(
        {
            "rule": list(exclusions.ids),
            "area_ha_alone": alone * grid.cell_ha,
            "area_ha_only": only * grid.cell_ha,
        }
    )
