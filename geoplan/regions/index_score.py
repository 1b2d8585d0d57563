"""One index under many methods: treated, normalised and weighed once each, then put together."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.composite import (
    Aggregation,
    CompositeSpec,
    Normalisation,
    OutlierRule,
    Weighting,
)
from geoplan.errors import RangeError
from geoplan.regions.index_weights import index_weights
from geoplan.regions.normalise import normalised
from geoplan.regions.outliers import Treated, treat

__all__ = ["IndexMethod", "Scorer", "aggregated"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class IndexMethod:
    """One choice of each kind."""

    outliers: OutlierRule
    normalisation: Normalisation
    weighting: Weighting
    aggregation: Aggregation

    @classmethod
    def of(cls, spec: CompositeSpec) -> IndexMethod:
        """Return the method of the index itself."""
        return cls(spec.outliers.rule, spec.normalisation, spec.weighting, spec.aggregation)


def aggregated(
    scaled: FloatArray, weights: FloatArray, how: Aggregation, *, shift: float = 0.01
) -> FloatArray:
    """Return the index of each region under each set of weights.

    Parameters
    ----------
    scaled : ndarray of float64, shape (regions, indicators)
        Normalised values; NaN leaves the sum, and the other weights share its weight.
    weights : ndarray of float64, shape (indicators, sets), ≥ 0
    how : {"arithmetic", "geometric"}
    shift : float, > 0
        Geometric: added before, taken off after.

    Returns
    -------
    ndarray of float64, shape (regions, sets)
        NaN where no weighted indicator is known.

    Raises
    ------
    RangeError
        ``geometric`` of values at or below −shift.

    Notes
    -----
    ``Σ w n / Σ w`` or ``exp(Σ w ln(n + s) / Σ w) − s``, sums over the known indicators. Sums are
    taken in the order of the indicators, so that nothing depends on threads.
    """
    value = scaled
    if how == "geometric":
        least = float(np.nanmin(scaled))
        if least <= -shift:
            raise RangeError(
                f"a normalised value of {least:g} has no logarithm after a shift of {shift:g}",
                remedy="move the values to 0 or more first",
            )
        value = np.log(scaled + shift)
    known = ~np.isnan(value)
    filled = np.where(known, value, 0.0)
    total = np.zeros((len(value), weights.shape[1]))
    held = np.zeros_like(total)
    for j in range(value.shape[1]):
        total += filled[:, j, None] * weights[j]
        held += known[:, j, None] * weights[j]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(held > 0, total / held, np.nan)
    return np.exp(mean) - shift if how == "geometric" else mean


@dataclass
class Scorer:
    """Indicators of regions, ready to be put together by any method.

    Parameters
    ----------
    values : ndarray of float64, shape (regions, indicators)
        NaN where not known.
    spec : CompositeSpec
        Its indicators are the columns.
    """

    values: FloatArray
    spec: CompositeSpec
    _treated: dict[OutlierRule, Treated] = field(default_factory=dict, init=False)
    _scaled: dict[tuple[OutlierRule, Normalisation], FloatArray] = field(
        default_factory=dict, init=False
    )
    _weights: dict[tuple[OutlierRule, Weighting], FloatArray] = field(
        default_factory=dict, init=False
    )

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the indicators."""
        return tuple(i.id for i in self.spec.indicators)

    @property
    def expert(self) -> FloatArray:
        """Expert weights, sum 1."""
        given = np.array([i.weight for i in self.spec.indicators])
        return np.asarray(given / given.sum())

    def treated(self, rule: OutlierRule) -> Treated:
        """Return the values after an outlier rule."""
        if rule not in self._treated:
            self._treated[rule] = treat(self.values, self.spec.outliers, self.names, rule=rule)
        return self._treated[rule]

    def scaled(self, rule: OutlierRule, method: Normalisation) -> FloatArray:
        """Return normalised values, shape (regions, indicators).

        Goalposts and targets go through ``log1p`` with the values.
        """
        key = (rule, method)
        if key not in self._scaled:
            marks = self.spec.indicators
            bounds = targets = None
            if method == "goalposts":
                bounds = np.array([i.goalposts for i in marks], dtype=np.float64).T
            if method == "target":
                targets = np.array([i.target for i in marks], dtype=np.float64)
            if rule == "log1p":
                bounds = None if bounds is None else self._log1p(bounds, "goalposts")
                targets = None if targets is None else self._log1p(targets, "target")
            self._scaled[key] = normalised(
                self.treated(rule).values,
                method,
                more=np.array([i.direction == "more" for i in marks]),
                names=self.names,
                bounds=bounds,
                targets=targets,
            )
        return self._scaled[key]

    def _log1p(self, marks: FloatArray, what: str) -> FloatArray:
        """Return goalposts or targets, shape (…, indicators), on the scale of ln(1 + x)."""
        below = np.flatnonzero((np.atleast_2d(marks) < 0).any(axis=0))
        if len(below):
            raise RangeError(
                f"log1p of the {what} of {', '.join(self.names[j] for j in below.tolist())}, which "
                "is below 0",
                remedy="give 0 or more, or take log1p out of the outlier rules",
            )
        return np.asarray(np.log1p(marks))

    def weights(self, rule: OutlierRule, method: Weighting) -> FloatArray:
        """Return the weights of a method, sum 1; expert weights as they are given."""
        key = (rule, method)
        if key not in self._weights:
            if method in ("equal", "expert"):
                basis = self.values
            else:
                basis = self.scaled(rule, "minmax")
            self._weights[key] = index_weights(method, basis, self.names, self.expert)
        return self._weights[key]

    def scores(self, method: IndexMethod, weights: FloatArray) -> FloatArray:
        """Return the index under each set of weights.

        Parameters
        ----------
        method : IndexMethod
        weights : ndarray of float64, shape (indicators, sets)

        Returns
        -------
        ndarray of float64, shape (regions, sets)
        """
        scaled = self.scaled(method.outliers, method.normalisation)
        if method.aggregation == "geometric" and method.normalisation == "zscore":
            scaled = scaled - np.nanmin(scaled, axis=0)
        return aggregated(scaled, weights, method.aggregation, shift=self.spec.zero_shift)
