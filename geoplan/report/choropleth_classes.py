"""Classes of a choropleth: where they break, their colours, and how they are said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.errors import RangeError
from geoplan.report.language import Language

__all__ = ["Classes", "Classing", "classify", "diverging_colours", "sequential_colours"]

Classing = Literal["quantiles", "equal", "given", "diverging"]

_LIGHT, _MIDDLE, _DARK = (0xF6, 0xF0, 0xD8), (0x58, 0xA8, 0x98), (0x0C, 0x35, 0x5E)
_LOW, _WHITE, _HIGH = (0x8C, 0x3D, 0x04), (0xF5, 0xF3, 0xEE), (0x14, 0x3D, 0x8C)
"""Brown to blue: the pair that every common colour blindness keeps apart."""

_BELOW = Text(en="below {x}", fa="کمتر از {x}")
_ABOVE = Text(en="{x} and more", fa="{x} و بیشتر")

_FIGURES = 2
_MOST = 9


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes of one map.

    Parameters
    ----------
    breaks : tuple of float
        Values between the classes, rounded as they are shown: a value on a break belongs to the
        class above it.
    low, high : float
        Ends of the lowest and the highest class: the smallest and largest known value (around a
        centre: equally far from it); NaN where none is known.
    colours : tuple of str
        One per class.
    place : Series of int, index as the values
        Class of each region; -1 where there is no value.
    decimals : int
        Decimals with which values and breaks are shown.
    method : Classing
        How the breaks were set.
    """

    breaks: tuple[float, ...]
    low: float
    high: float
    colours: tuple[str, ...]
    place: pd.Series
    decimals: int
    method: Classing

    @property
    def counts(self) -> tuple[int, ...]:
        """Regions in each class."""
        return tuple(int((self.place == n).sum()) for n in range(len(self.colours)))

    @property
    def missing(self) -> int:
        """Regions without a value."""
        return int((self.place < 0).sum())

    def labels(self, language: Language) -> tuple[str, ...]:
        """Return the range of each class in words, with this language's digits."""
        if not self.colours:
            return ()
        inner = [signed(language, edge, self.decimals) for edge in self.breaks]
        if self.method == "given":
            # Fixed breaks are open at both ends, so that maps of several dates can be compared.
            between = [language.t("from_to", low=a, high=b) for a, b in pairwise(inner)]
            below = language.text(_BELOW).replace("{x}", inner[0])
            return (below, *between, language.text(_ABOVE).replace("{x}", inner[-1]))
        ends = [signed(language, edge, self.decimals) for edge in (self.low, self.high)]
        said = [ends[0], *inner, ends[1]]
        if len(said) == 2 and said[0] == said[1]:
            return (said[0],)
        return tuple(language.t("from_to", low=a, high=b) for a, b in pairwise(said))


def signed(language: Language, value: float, decimals: int) -> str:
    """Return a number; in right-to-left text the minus sign stays on the left of its digits."""
    text = language.number(value, decimals)
    return f"\u200e{text}" if language.direction == "rtl" and text.startswith("−") else text


def classify(
    values: pd.Series,
    *,
    method: Classing = "quantiles",
    count: int = 5,
    breaks: Sequence[float] | None = None,
    centre: float = 0.0,
    decimals: int | None = None,
) -> Classes:
    """Return the classes of some values.

    Parameters
    ----------
    values : Series of float
        One per region; missing and infinite ones get no class.
    method : Classing
        ``quantiles``: as many regions in each class as ties allow; ``equal``: equal widths;
        ``given``: ``breaks``; ``diverging``: equal widths on both sides of ``centre``, as far as
        the value farthest from it.
    count : int, 2 to 9
        Classes wanted; fewer where values tie. Even for ``diverging``.
    breaks : sequence of float
        Increasing; only for ``given``.
    centre : float
        For ``diverging``.
    decimals : int, optional
        Absent: as many as show the least step between breaks by two figures.

    Raises
    ------
    RangeError
        ``count``, ``breaks`` or ``method`` cannot be used.
    """
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    numbers = numbers.where(np.isfinite(numbers))
    known = np.sort(numbers.dropna().to_numpy())
    if not 2 <= count <= _MOST:
        raise RangeError(f"{count} classes", where="count", remedy=f"give 2 to {_MOST}")
    ends = (float(known[0]), float(known[-1])) if len(known) else (math.nan, math.nan)
    if method == "given":
        edges = _given(breaks)
    elif breaks is not None:
        raise RangeError(f"breaks with method '{method}'", where="breaks",
                         remedy="use method 'given', or leave the breaks out")  # fmt: skip
    elif len(known) == 0:
        edges = np.empty(0)
    elif method == "quantiles":
        edges = np.quantile(known, np.arange(1, count) / count)
    elif method == "equal":
        edges = np.linspace(known[0], known[-1], count + 1)[1:-1]
    elif method == "diverging":
        if count % 2:
            raise RangeError(f"{count} classes around a centre", where="count",
                             remedy="give an even number")  # fmt: skip
        reach = float(np.abs(known - centre).max())
        ends = (centre - reach, centre + reach)
        edges = centre + reach * np.arange(-count // 2 + 1, count // 2) / (count // 2)
    else:
        raise RangeError(f"'{method}' is no way to set classes", where="classes",
                         remedy="quantiles, equal, given or diverging")  # fmt: skip
    low, high = ends
    if decimals is None:
        decimals = _decimals(np.concatenate([edges, known[:1], known[-1:]]))
    if method != "given":
        # The breaks that are shown are the breaks that are used.
        edges = np.unique(np.round(edges, decimals))
        # No class below the smallest value: it would stand empty in the legend.
        edges = edges[(edges > low) & (edges <= high)]
    number = len(edges) + 1 if len(known) or method == "given" else 0
    place = np.searchsorted(edges, numbers.to_numpy(), side="right")
    place = np.where(numbers.isna().to_numpy(), -1, place)
    colours = diverging_colours(number) if method == "diverging" else sequential_colours(number)
    return Classes(tuple(map(float, edges)), low, high, colours,
                   pd.Series(place, index=values.index, dtype=int), decimals, method)  # fmt: skip


def _given(breaks: Sequence[float] | None) -> npt.NDArray[np.float64]:
    edges = np.asarray(breaks if breaks is not None else (), dtype=np.float64)
    if not 1 <= len(edges) <= _MOST - 1 or not np.isfinite(edges).all():
        raise RangeError(f"{len(edges)} breaks", where="breaks",
                         remedy=f"give 1 to {_MOST - 1} finite values")  # fmt: skip
    if (np.diff(edges) <= 0).any():
        raise RangeError(f"breaks {', '.join(f'{e:g}' for e in edges)}", where="breaks",
                         remedy="give them in increasing order")  # fmt: skip
    return edges


def _decimals(edges: npt.NDArray[np.float64]) -> int:
    """Return the decimals that show the smallest step between edges by two figures."""
    steps = np.diff(np.unique(edges))
    spread = float(np.ptp(edges)) if len(edges) else 0.0
    steps = steps[steps > 1e-3 * spread]
    size = float(steps.min()) if len(steps) else abs(float(edges[0])) if len(edges) else 1.0
    if size <= 0 or not math.isfinite(size):
        return 0
    return int(min(max(_FIGURES - 1 - math.floor(math.log10(size)), 0), 8))


def sequential_colours(count: int) -> tuple[str, ...]:
    """Return colours from light to dark, each darker than the one before.

    Lightness alone tells them apart, so they read in grey and with any colour blindness.
    """
    return _ramp((_LIGHT, _MIDDLE, _DARK), count)


def diverging_colours(count: int) -> tuple[str, ...]:
    """Return colours from brown by near white to blue, the darkest at both ends."""
    return _ramp((_LOW, (0xD9, 0xA3, 0x66), _WHITE, (0x8C, 0xB1, 0xDB), _HIGH), count)


def _ramp(anchors: Sequence[tuple[int, int, int]], count: int) -> tuple[str, ...]:
    if count <= 0:
        return ()
    places = [0.5] if count == 1 else [n / (count - 1) for n in range(count)]
    axis = np.linspace(0.0, 1.0, len(anchors))
    channels = np.asarray(anchors, dtype=np.float64).T
    return tuple(
        "#" + "".join(f"{round(float(np.interp(t, axis, c))):02x}" for c in channels)
        for t in places
    )
