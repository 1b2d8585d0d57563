"""What the bits of a cell say: which rules remove it, and which are set aside by land forced in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, UnknownName

__all__ = ["RULES_MAX", "RuleBits"]

RULES_MAX = 64
"""Most rules of one scenario: the bits of the widest integer."""


@dataclass(frozen=True, slots=True)
class RuleBits:
    """Rules in order; rule k has bit k wherever its own condition holds.

    Parameters
    ----------
    ids : tuple of str
    include : int
        Bits of the rules that force land in.
    partial : int
        Bits of the rules that take a part of a cell only.
    over : tuple of int
        For each rule, the bits that it sets aside where it holds; 0 for one that removes land.
    """

    ids: tuple[str, ...] = ()
    include: int = 0
    partial: int = 0
    over: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        *,
        include: Sequence[str] = (),
        partial: Sequence[str] = (),
        over: dict[str, tuple[str, ...] | None] | None = None,
    ) -> RuleBits:
        """Return the bits of rules given by name.

        Parameters
        ----------
        ids : sequence of str
            At most 64, each once.
        include, partial : sequence of str
            Those that force land in, and those that take a part of a cell.
        over : dict, optional
            Rule that forces land in → the rules that give way; None or absent: all that remove.

        Raises
        ------
        RangeError
            More than 64 rules, or two of one id.
        UnknownName
            ``over`` names no rule that removes land.
        """
        number: dict[str, int] = {}
        for k, name in enumerate(ids):
            if name in number:
                raise RangeError(
                    "two rules have this id",
                    where=f"exclude.{name}",
                    remedy="give each rule its own id",
                )
            if k >= RULES_MAX:
                raise RangeError(
                    f"more than {RULES_MAX} rules",
                    where=f"exclude.{name}",
                    remedy="join rules on one layer by their 'where'",
                )
            number[name] = k
        held = sum(1 << number[name] for name in include)
        removing = ((1 << len(ids)) - 1) & ~held
        masks = [0] * len(ids)
        for name in include:
            named = (over or {}).get(name)
            mask = removing if named is None else 0
            for other in named or ():
                if other not in number or not removing >> number[other] & 1:
                    known = ", ".join(i for i, k in number.items() if removing >> k & 1)
                    raise UnknownName(
                        f"there is no rule '{other}' that removes land",
                        where=f"exclude.{name}.over",
                        remedy=f"name one of: {known or 'none'}",
                    )
                mask |= 1 << number[other]
            masks[number[name]] = mask
        return cls(tuple(ids), held, sum(1 << number[n] for n in partial), tuple(masks))

    @property
    def hard(self) -> int:
        """Bits of the rules that remove a cell wholly."""
        return ((1 << len(self.ids)) - 1) & ~self.include & ~self.partial

    @property
    def simple(self) -> bool:
        """True when every rule removes whole cells: the bits are then all that there is to know."""
        return not self.include and not self.partial

    def in_force(self, held: int) -> int:
        """Return the bits of a cell without those that land forced in sets aside."""
        aside = 0
        for k, mask in enumerate(self.over):
            if held >> k & 1:
                aside |= mask
        return held & ~aside

    def names(self, held: int) -> tuple[str, ...]:
        """Return the ids of set bits, in order."""
        return tuple(name for k, name in enumerate(self.ids) if held >> k & 1)

    def over_array(self) -> npt.NDArray[np.uint64]:
        """Return ``over`` as the loops want it."""
        return np.asarray(self.over, dtype=np.uint64)

    def numbers(self, held: int) -> npt.NDArray[np.int64]:
        """Return the numbers of set bits, in order."""
        return np.asarray([k for k in range(len(self.ids)) if held >> k & 1], dtype=np.int64)
