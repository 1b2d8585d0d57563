"""What each region claims of a national target: need, capacity and past absorption."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from geoplan.catalogue.slices import Measure, Part, TargetSpec
from geoplan.errors import Problem
from geoplan.regions.slice_checks import code_problem

__all__ = [
    "PARTS",
    "activity_figure",
    "check_figures",
    "claims",
    "figures_wanted",
    "measure_figure",
]

_SURELY_NO_SHARE = 2.0
"""A past target may have been met by half as much again; above this a share is a percentage."""

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


def check_figures(
    spec: TargetSpec, codes: pd.Index, figures: Mapping[str, pd.Series], *, level: int
) -> list[Problem]:
    """Return what is wrong with the figures of one level.

    Parameters
    ----------
    spec : TargetSpec
    codes : Index
        The level's region codes.
    figures : mapping of str to Series of float, index ``code``
        As for `claims`. A code that is no region of the level is left alone (levels are of
        different dates), unless its leading zeros are lost.
    level : int
        For the messages.
    """
    problems = []
    known = set(codes)
    widths = {len(str(c)) for c in known}
    for name, what in figures_wanted(spec).items():
        values = figures.get(name)
        if values is None:
            continue
        label = f"level {level}, {name}"
        if isinstance(what, Measure):
            label += f" ({what.variable or what.resource or 'index'})"
        for code in values.index[values.index.duplicated()]:
            problems.append(
                Problem(
                    label,
                    f"region {code} is given twice",
                    "keep one figure",
                    code="region-twice",
                )
            )
        for code in values.index:
            near = any(str(code).zfill(w) in known for w in widths)
            if code in known or (isinstance(code, str) and not near):
                continue  # the search for the code that was meant is slow
            found = code_problem(label, code, codes)
            if found is not None and found.code == "lost-zeros":
                problems.append(found)
        kind = what.kind if isinstance(what, Measure) else "variable"
        scale = what.scale if isinstance(what, Measure) else "largest"
        per = what.per if isinstance(what, Measure) else 1.0
        for code, value in values.dropna().items():
            if kind == "index" and not 0 <= value <= 1:
                say, remedy, sort = "", "an index lies between 0 and 1", "index"
            elif value < 0 and (kind == "headroom" or scale in ("none", "largest")):
                say, remedy, sort = "", "give 0 or more; leave out what is not known", "negative"
            elif kind == "variable" and scale == "none" and value / per > _SURELY_NO_SHARE:
                say = f", with per: {per:g}"
                remedy, sort = "a share lies between 0 and 1; write per: 100 for %", "no-share"
            else:
                continue
            problems.append(
                Problem(label, f"the figure of region {code} is {value:,g}{say}", remedy, code=sort)
            )
    return problems


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
