"""Weights of a composite index: equal, expert, from principal components, from entropy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.composite import Weighting
from geoplan.errors import Problem, ProblemsFound, RangeError, UnknownName
from geoplan.mcda.objective import objective_weights

__all__ = ["Components", "components", "index_weights", "varimax", "weights_of_loadings"]

FloatArray = npt.NDArray[np.float64]

_SWEEPS = 200
_EXPLAINED = 0.6


@dataclass(frozen=True)
class Components:
    """Principal components of the correlations between indicators.

    Parameters
    ----------
    eigenvalues : ndarray of float64, shape (indicators,)
        Largest first; they sum to the number of indicators.
    loadings : ndarray of float64, shape (indicators, retained)
        Before rotation.
    rotated : ndarray of float64, shape (indicators, retained)
        After varimax.
    rows : int
        Regions that have every indicator: the others were left out.
    """

    eigenvalues: FloatArray
    loadings: FloatArray
    rotated: FloatArray
    rows: int


def index_weights(
    method: Weighting, values: FloatArray, names: Sequence[str], expert: FloatArray
) -> FloatArray:
    """Return the weights of a method.

    Parameters
    ----------
    method : {"equal", "expert", "pca", "pca-first", "entropy"}
    values : ndarray of float64, shape (regions, indicators), 0–1
        Min–max values of treated indicators, 1 being the most industrialised. Weights from data
        are always taken from these, so that they do not change with the normalisation. Regions
        with a missing value are left out of them.
    names : sequence of str
        Ids of the indicators.
    expert : ndarray of float64, shape (indicators,), > 0

    Returns
    -------
    ndarray of float64, shape (indicators,)
        0 or more; sum 1.

    Raises
    ------
    ProblemsFound, RangeError
        Too few complete regions, or indicators that are the same over all of them.

    Notes
    -----
    ``pca``: components of the correlation matrix, rotated (varimax), squared loadings weighed by
    the variance their component explains (Nicoletti, Scarpetta & Boylaud 2000, OECD Economics
    Working Paper 226; OECD/JRC Handbook 2008, §6.1). ``pca-first``: squared loadings of
    the first component. ``entropy``: `geoplan.mcda.objective.objective_weights`.
    """
    count = len(names)
    if method == "equal":
        return np.full(count, 1.0 / count)
    if method == "expert":
        return np.asarray(expert / expert.sum())
    if method == "entropy":
        found = objective_weights(values, names, "entropy", where="weighting entropy")
        return np.array([found.weights[n] for n in names])
    if method in ("pca", "pca-first"):
        found_by = components(values, names)
        if method == "pca":
            return weights_of_loadings(found_by.rotated)
        squared = found_by.loadings[:, 0] ** 2
        return np.asarray(squared / squared.sum())
    raise UnknownName(f"weighting '{method}'", remedy="see the catalogue's list of weightings")


def components(values: FloatArray, names: Sequence[str]) -> Components:
    """Return the principal components of the indicators, retained and rotated.

    Parameters
    ----------
    values : ndarray of float64, shape (regions, indicators)
        NaN where not known; only complete rows are used.
    names : sequence of str
        Ids of the indicators, for messages.

    Raises
    ------
    RangeError
        Fewer than three complete regions.
    ProblemsFound
        Indicators that are the same over all complete regions.

    Notes
    -----
    Retained: components with an eigenvalue of 1 or more, and further ones until 60 % of the
    variance is explained (OECD/JRC Handbook 2008, §6.1). Signs are set so that the loadings of a
    component sum to 0 or more.
    """
    rows = values[~np.isnan(values).any(axis=1)]
    if len(rows) < 3:
        missing = np.isnan(values).sum(axis=0)
        worst = int(np.argmax(missing))
        raise RangeError(
            f"{len(rows)} of {len(values)} regions have every indicator; '{names[worst]}' is "
            "missing most often",
            where="weighting pca",
            remedy="leave that indicator out, or weigh by equal or expert weights",
        )
    centred = rows - rows.mean(axis=0)
    spread = np.sqrt((centred**2).mean(axis=0))
    flat = np.flatnonzero(spread <= 1e-12 * np.maximum(np.abs(rows).max(axis=0), 1e-300))
    if len(flat):
        raise ProblemsFound(
            f"{len(flat)} indicators cannot be weighed by principal components",
            [
                Problem(
                    f"indicator '{names[j]}'",
                    f"the same in all {len(rows)} regions that have every indicator",
                    "leave the indicator out, or weigh by equal or expert weights",
                    code="indicator-constant",
                )
                for j in flat.tolist()
            ],
            where="weighting pca",
        )
    standard = centred / spread
    correlation = np.array(
        [[(standard[:, a] * standard[:, b]).mean() for b in range(len(names))]
         for a in range(len(names))]
    )  # fmt: skip
    found, vectors = np.linalg.eigh(correlation)
    found, vectors = np.maximum(found[::-1], 0.0), vectors[:, ::-1]
    explained = np.cumsum(found) / len(names)
    retained = max(
        int((found >= 1.0 - 1e-9).sum()),
        int(np.searchsorted(explained, _EXPLAINED - 1e-9)) + 1,
    )
    loadings = vectors[:, :retained] * np.sqrt(found[:retained])
    loadings = loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    return Components(found, loadings, varimax(loadings), len(rows))


def varimax(loadings: FloatArray) -> FloatArray:
    """Return loadings rotated so that each component has few large ones.

    Parameters
    ----------
    loadings : ndarray of float64, shape (indicators, components)

    Returns
    -------
    ndarray of float64, the same shape
        The sum of squares of each indicator is unchanged.

    Notes
    -----
    Raw varimax by planar rotations: for each pair of columns a, b with u = a² − b², v = 2ab,
    ``tan 4φ = (2Σuv − 2ΣuΣv/n) / (Σ(u² − v²) − ((Σu)² − (Σv)²)/n)`` (Kaiser 1958, Psychometrika
    23, 187–200, without his division by communalities).
    """
    turned = np.array(loadings, dtype=np.float64)
    n, count = turned.shape
    for _ in range(_SWEEPS):
        largest = 0.0
        for p in range(count - 1):
            for q in range(p + 1, count):
                a, b = turned[:, p].copy(), turned[:, q].copy()
                u, v = a * a - b * b, 2.0 * a * b
                above = 2.0 * (u * v).sum() - 2.0 * u.sum() * v.sum() / n
                below = (u * u - v * v).sum() - (u.sum() ** 2 - v.sum() ** 2) / n
                if np.hypot(above, below) < 1e-14:
                    continue
                angle = 0.25 * np.arctan2(above, below)
                turned[:, p] = a * np.cos(angle) + b * np.sin(angle)
                turned[:, q] = b * np.cos(angle) - a * np.sin(angle)
                largest = max(largest, abs(angle))
        if largest < 1e-10:
            break
    return turned


def weights_of_loadings(rotated: FloatArray) -> FloatArray:
    """Return weights from rotated loadings.

    Parameters
    ----------
    rotated : ndarray of float64, shape (indicators, components)

    Returns
    -------
    ndarray of float64, shape (indicators,)
        Sum 1.

    Notes
    -----
    Each indicator belongs to the component on which it loads most. Within a component its weight
    is ``a² / Σa²`` (the squared loading over the variance E that the component explains), and a
    component counts ``E / ΣE``: together ``max_k a²ₖ``, scaled to a sum of 1 (Handbook 2008,
    tables 17–18).
    """
    most = (rotated**2).max(axis=1)
    return np.asarray(most / most.sum())
