"""Exclusions: one bit per rule and cell, so that one can ask which rules removed a place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.exclude_area import accounting, accounting_by_region
from geoplan.siting.exclude_rules import RULES_MAX, RuleBits
from geoplan.siting.usable import SHARE_UNIT, usable_at

__all__ = [
    "RULES_MAX",
    "Exclusions",
    "RuleMask",
    "accounting",
    "accounting_by_region",
    "combine",
]

_KINDS = (np.uint8, np.uint16, np.uint32, np.uint64)
_BLOCK_ROWS = 64

Share = float | npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class RuleMask:
    """Land to which one rule applies.

    Parameters
    ----------
    id : str
        The rule's id in the scenario.
    removed : ndarray of bool, shape (rows, cols)
        True where the rule removes land, or where it forces land in.
    effect : {"exclude", "include"}
    over : tuple of str, optional
        With ``include``: the rules that give way; absent: all that remove land.
    share : float or ndarray of uint16, shape (rows, cols), optional
        The part of a cell that is lost where ``removed`` holds: a number above 0 to 1, or
        1/65535 of each cell, see `geoplan.raster.cover`. Absent: the whole cell.
    """

    id: str
    removed: npt.NDArray[np.bool_]
    effect: Literal["exclude", "include"] = "exclude"
    over: tuple[str, ...] | None = None
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Exclusions:
    """All rules together.

    Parameters
    ----------
    rules : RuleBits
        Rule k has bit k, also those that force land in or take a part of a cell.
    bits : ndarray of unsigned int, shape (rows, cols)
        Where the condition of each rule holds, whatever the other rules say. As narrow as the
        number of rules lets it be.
    inside : ndarray of bool, shape (rows, cols)
        The area that is looked at; land outside is neither allowed nor counted.
    shares : tuple of float or ndarray of uint16
        For each rule that takes a part of a cell, in order: the part.
    usable_share_min : float, 0–1
        A cell of which rules with a share leave less is not allowed.
    """

    rules: RuleBits
    bits: npt.NDArray[np.unsignedinteger]
    inside: npt.NDArray[np.bool_]
    shares: tuple[Share, ...] = ()
    usable_share_min: float = 0.0

    @property
    def ids(self) -> tuple[str, ...]:
        """The rules in order."""
        return self.rules.ids

    @property
    def allowed(self) -> npt.NDArray[np.bool_]:
        """True inside the area where no rule in force removes the land."""
        if self.rules.simple:
            result: npt.NDArray[np.bool_] = self.bits == 0
            result &= self.inside
            return result
        result = np.empty(self.bits.shape, dtype=np.bool_)
        least = self._least

        def work(start: int, stop: int) -> None:
            left = usable_at(self.rules, self.bits[start:stop], self._shares(start, stop))
            result[start:stop] = (left >= least) & self.inside[start:stop]

        over_blocks(work, self.bits.shape[0], block=_BLOCK_ROWS)
        return result

    def rules_at(self, row: int, col: int) -> tuple[str, ...]:
        """Return the rules that remove a cell, in order; those that are set aside do not.

        Rules that take a part of a cell are named where, together, they leave too little.

        Raises
        ------
        RangeError
            The cell is not on the grid.
        """
        rows, cols = self.bits.shape
        if not (0 <= row < rows and 0 <= col < cols):
            raise RangeError(f"cell ({row}, {col}) is not on a grid of {rows} × {cols} cells")
        force = self.rules.in_force(int(self.bits[row, col]))
        removing = force & self.rules.hard
        if force & self.rules.partial and self.too_little(row, row + 1)[0, col]:
            removing |= force & self.rules.partial
        return self.rules.names(removing)

    def in_force(self, cells: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
        """Return the bits of rules that remove some cells, wholly or in part.

        Parameters
        ----------
        cells : ndarray of int, shape (cells,)
            Flat numbers, row · cols + col.

        Returns
        -------
        ndarray of uint64, shape (cells,)
            Rules that land forced in sets aside, and those that force it in, have no bit.
        """
        held = self.bits.reshape(-1)[cells].astype(np.uint64)
        one = np.uint64(1)
        aside = np.full(held.shape, self.rules.include, dtype=np.uint64)
        for k in self.rules.numbers(self.rules.include):
            aside |= (held >> np.uint64(k) & one) * np.uint64(self.rules.over[k])
        return np.asarray(held & ~aside)

    def too_little(self, start: int, stop: int) -> npt.NDArray[np.bool_]:
        """Return where rules with a share leave too little, in some rows, hard rules or not."""
        soft = self.bits[start:stop] & self.bits.dtype.type(
            ~self.rules.hard & int(np.iinfo(self.bits.dtype).max)
        )
        return np.asarray(usable_at(self.rules, soft, self._shares(start, stop)) < self._least)

    @property
    def _least(self) -> float:
        # Shares are held in 1/65535; a cell of which nothing is left is never allowed.
        return max(self.usable_share_min - 0.5 / SHARE_UNIT, 0.5 / SHARE_UNIT)

    def _shares(self, start: int, stop: int) -> npt.NDArray[np.float64]:
        """Return the part that each partial rule takes in some rows, 0–1."""
        shape = (len(self.shares), stop - start, self.bits.shape[1])
        out = np.empty(shape, dtype=np.float64)
        for p, share in enumerate(self.shares):
            out[p] = share if isinstance(share, float) else share[start:stop] / SHARE_UNIT
        return out

    def shares_of(self, cells: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
        """Return the part that each partial rule takes in some cells.

        Parameters
        ----------
        cells : ndarray of int, shape (cells,)
            Flat numbers, row · cols + col.

        Returns
        -------
        ndarray of float64, shape (partial rules, cells), 0–1
            Where a rule does not hold its part is not to be used: see ``bits``.
        """
        out = np.empty((len(self.shares), len(cells)), dtype=np.float64)
        for p, share in enumerate(self.shares):
            out[p] = share if isinstance(share, float) else share.reshape(-1)[cells] / SHARE_UNIT
        return out


@kernel
def _mark(
    bits: npt.NDArray[np.unsignedinteger],
    removed: npt.NDArray[np.bool_],
    bit: np.unsignedinteger,
    start: int,
    stop: int,
) -> None:
    for r in range(start, stop):
        for c in range(bits.shape[1]):
            if removed[r, c]:
                bits[r, c] |= bit


def combine(
    rules: Iterable[RuleMask],
    *,
    inside: npt.NDArray[np.bool_],
    count: int | None = None,
    usable_share_min: float = 0.0,
    threads: int | None = None,
) -> Exclusions:
    """Return all rules as bits.

    Parameters
    ----------
    rules : iterable of RuleMask
        Up to 64, each with its own id. A generator is read one at a time, so that only one mask
        is held.
    inside : ndarray of bool, shape (rows, cols)
        The area that is looked at.
    count : int, optional
        How many rules come: the bits then have their width from the start.
    usable_share_min : float, 0–1
        A cell of which rules with a share leave less is not allowed.

    Raises
    ------
    ShapeError
        A mask does not have the shape of ``inside``.
    RangeError
        More than 64 rules, or two with one id; a share is not above 0 to 1.
    UnknownName
        Land is forced in over a rule that does not exist or removes nothing.
    """
    bits: npt.NDArray[np.unsignedinteger] = np.zeros(inside.shape, dtype=_kind(count or 0))
    ids: list[str] = []
    over: dict[str, tuple[str, ...] | None] = {}
    shares: dict[str, Share] = {}
    for rule in rules:
        where = f"exclude.{rule.id}"
        if rule.removed.shape != inside.shape:
            what = f"a mask of shape {rule.removed.shape}, the area {inside.shape}"
            raise ShapeError(what, where=where)
        RuleBits.of([*ids, rule.id])  # says what is wrong before a mask is burnt in
        if rule.effect == "include":
            over[rule.id] = rule.over
        elif rule.share is not None:
            shares[rule.id] = _checked(rule.share, inside.shape, where)
        if _kind(len(ids) + 1)(0).itemsize > bits.itemsize:
            bits = bits.astype(_kind(len(ids) + 1))
        removed, bit = rule.removed, bits.dtype.type(1 << len(ids))
        over_blocks(
            lambda a, b, m=removed, v=bit, held=bits: _mark(held, m, v, a, b),  # type: ignore[misc]
            inside.shape[0],
            threads=threads,
        )
        ids.append(rule.id)
    found = RuleBits.of(ids, include=list(over), partial=list(shares), over=over)
    return Exclusions(found, bits, inside, tuple(shares.values()), float(usable_share_min))


def _kind(count: int) -> type[np.unsignedinteger]:
    return _KINDS[(count > 8) + (count > 16) + (count > 32)]


def _checked(share: Share, shape: tuple[int, ...], where: str) -> Share:
    if isinstance(share, np.ndarray):
        if share.shape != shape or share.dtype != np.uint16:
            what = f"shares of shape {share.shape} and type {share.dtype}, the area {shape}"
            raise ShapeError(what, where=where)
        return share
    if not 0 < share <= 1:
        raise RangeError(f"a share of {share!r}", where=where, remedy="above 0, at most 1")
    return float(share)
