"""Sites at the sizes at which they may be built: each size is a variant of the site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Variants", "variants_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Variants:
    """Every site at every level: variants of one site lie side by side, the largest first.

    Parameters
    ----------
    place : int array
        Number of the site of each variant.
    level : float array
        Share of the site's area that is built.
    benefit : float array
        Share of the site's score that counts.
    ids : tuple of str
        The site's id where it has one level or is built in full; else ``<site>@<level>``.
    per_place : int
    """

    place: IntArray
    level: FloatArray
    benefit: FloatArray
    ids: tuple[str, ...]
    per_place: int

    def mask(self, places: int) -> int:
        """Return the bits of the variants of sites given as bits."""
        n = self.per_place
        if n == 1:
            return places
        out, all_of_one = 0, (1 << n) - 1
        while places:
            low = places & -places
            out |= all_of_one << (low.bit_length() - 1) * n
            places ^= low
        return out

    def of(self, place: int) -> range:
        """Return the variants of a site."""
        return range(place * self.per_place, (place + 1) * self.per_place)

    def near(self, places: list[int]) -> tuple[int, ...]:
        """Return, for each variant, what it excludes, from what each site excludes, as bits."""
        if self.per_place == 1:
            return tuple(places)
        out = []
        for j, bits in enumerate(places):
            mine, others = self.mask(1 << j), self.mask(bits)
            out += [(mine ^ 1 << v) | others for v in self.of(j)]
        return tuple(out)

    def cliques(self, cliques: list[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
        """Return cliques of variants from cliques of sites; a site in none makes its own."""
        if self.per_place == 1:
            return tuple(c for c in cliques if len(c) > 1)
        held = {j for c in cliques for j in c}
        alone = [(j,) for j in range(len(self.place) // self.per_place) if j not in held]
        return tuple(tuple(v for j in c for v in self.of(j)) for c in [*cliques, *alone])


def variants_of(ids: list[str], sizes: tuple[tuple[float, float], ...]) -> Variants:
    """Return the variants of sites.

    Parameters
    ----------
    ids : list of str
    sizes : tuple of (level, benefit)
        Largest level first.
    """
    n = len(sizes)
    level, benefit = np.array(sizes, dtype=np.float64).T
    names = ids if n == 1 else [s if v == 1 else f"{s}@{v:g}" for s in ids for v, _ in sizes]
    return Variants(
        place=np.repeat(np.arange(len(ids), dtype=np.int64), n),
        level=np.tile(level, len(ids)),
        benefit=np.tile(benefit, len(ids)),
        ids=tuple(names),
        per_place=n,
    )
