"""What each region claims of a national target: need, capacity and past absorption."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan.catalogue.slices import Measure, Part, TargetSpec

__all__ = ["PARTS", "activity_figure", "claims", "figures_wanted", "measure_figure"]

PARTS = ("need", "capacity", "past")


def measure_figure(part: str, number: int) -> str:
    """Return the name under which a measure's figures stand: ``need.0``."""
    return f"{part}.{number}"


def activity_figure(activity: str) -> str:
    """Return the name under which an activity's figures stand: ``activity.food``."""
    return f"activity.{activity}"


def figures_wanted(spec: TargetSpec) -> dict[str, Measure | str]:
    """Return the figures that a target needs, by name.

    Returns
    -------
    dict of str to Measure or str
        ``need.0``, ``capacity.1`` … to its measure; ``size`` and ``activity.<id>`` to the fact
        variable (or ``population``).
    """
    out: dict[str, Measure | str] = {}
    for part in PARTS:
        of: Part = getattr(spec.parts, part)
        for number, measure in enumerate(of.measures):
            out[measure_figure(part, number)] = measure
    if spec.size is not None:
        out["size"] = spec.size
    for activity in spec.activities:
        if activity.variable is not None:
            out[activity_figure(activity.id)] = activity.variable
    return out


def claims(spec: TargetSpec, codes: pd.Index, figures: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Return the claims of the regions of one level.

    Parameters
    ----------
    spec : TargetSpec
        Parts, measures and size.
    codes : Index
        Region codes.
    figures : mapping of str to Series of float, index ``code``
        By the names of `figures_wanted`; NaN or absent: not known. A figure of kind ``index`` is
        the industrialisation, 0–1.

    Returns
    -------
    DataFrame, index ``code``
        ``need``, ``capacity``, ``past`` (0–1, NaN: not known), ``coverage`` (share of the weight
        that is known, 0–1), ``score`` (0–1, NaN: nothing known), ``size`` (NaN: not known;
        1 where the target has none), ``claim`` = score · size, NaN: not known.

    Notes
    -----
    ``part = Σ_m v_m x_m / Σ_m v_m`` over the known measures m of a part, ``score = Σ_k w_k part_k
    / Σ_k w_k`` over its known parts k: what is not known leaves the sum, and the coverage says how
    much did. Nothing is put in its place.
    """
    out = pd.DataFrame(index=codes)
    size = pd.Series(1.0, index=codes)
    if spec.size is not None:
        size = figures.get("size", pd.Series(dtype=float)).reindex(codes).astype(float)
    top = pd.Series(0.0, index=codes)
    known = pd.Series(0.0, index=codes)
    coverage = pd.Series(0.0, index=codes)
    for part in PARTS:
        of: Part = getattr(spec.parts, part)
        held = pd.Series(0.0, index=codes)
        weight = pd.Series(0.0, index=codes)
        for number, measure in enumerate(of.measures):
            raw = figures.get(measure_figure(part, number))
            if raw is None:
                continue
            amount = raw.reindex(codes).astype(float)
            if measure.per_size:
                amount = amount / size.where(size > 0)
            scaled = _scaled(measure, amount)
            held += scaled.fillna(0.0) * measure.weight
            weight += scaled.notna() * measure.weight
        value = held / weight.where(weight > 0)
        out[part] = value
        top += value.fillna(0.0) * of.weight
        known += value.notna() * of.weight
        if of.measures:
            coverage += of.weight * weight / sum(m.weight for m in of.measures)
    out["coverage"] = coverage
    out["score"] = top / known.where(known > 0)
    out["size"] = size
    # Twelve digits: the order in which measures were summed must not break a tie.
    out["claim"] = [_round(x) for x in out["score"] * out["size"]]
    return out


def _round(value: float) -> float:
    return float(f"{value:.12g}")


def _scaled(measure: Measure, values: pd.Series) -> pd.Series:
    if measure.kind == "index":
        return (1.0 - values).clip(0.0, 1.0)
    values = values / measure.per
    scaled = _on_scale(measure, values)
    return 1.0 - scaled if measure.direction == "less" else scaled


def _on_scale(measure: Measure, values: pd.Series) -> pd.Series:
    known = values.dropna()
    if measure.scale == "none" or known.empty:
        return values.clip(0.0, 1.0)
    if measure.scale == "largest":
        # All of them 0: known, and nobody has any.
        return (values / known.max()).clip(0.0, 1.0) if known.max() > 0 else values * 0.0
    if known.nunique() < 2:  # says nothing about who should get more
        return pd.Series(np.nan, index=values.index)
    if measure.scale == "minmax":
        return (values - known.min()) / (known.max() - known.min())
    return (values.rank(method="average") - 1) / (len(known) - 1)
