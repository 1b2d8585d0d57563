"""The parts of a pattern's score: each 0 to 1 with its evidence, NaN with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan.catalogue.pattern import PARTS, Activity, PatternSpec
from geoplan.catalogue.profile import DemandClass
from geoplan.regions.industrialisation import normalise

__all__ = ["Evidence", "needs_of", "parts_of"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of regions and activities, as frames.

    Parameters
    ----------
    quotients : DataFrame
        ``region``, ``activity``, ``amount``, ``lq``, ``low``, ``high``, ``reason`` (from
        `location_quotients`); an activity without figures has no rows.
    resources : DataFrame
        ``region``, ``activity``, ``resource``, ``value`` (NaN: not known).
    have : DataFrame, index region
        ``water`` (m3/day), ``power`` (MVA), ``labour`` (persons), ``market`` (persons/km), of
        which any may be absent; NaN: not known.
    assumed : DataFrame of bool, index region
        Where a column of ``have`` is assumed; columns that are absent are not.
    """

    quotients: pd.DataFrame
    resources: pd.DataFrame
    have: pd.DataFrame
    assumed: pd.DataFrame = field(default_factory=pd.DataFrame)


def needs_of(
    activity: Activity, classes: Mapping[str, DemandClass], estate_ha: float
) -> dict[str, float]:
    """Return what an estate of one activity needs.

    Parameters
    ----------
    activity : Activity
        With a ``demand_class`` of ``classes``.
    classes : mapping of str to DemandClass
        The profile's.
    estate_ha : float
        Net industrial land, ha.

    Returns
    -------
    dict
        ``water`` (m3/day, process water), ``power`` (MVA at the peak), ``labour`` (jobs):
        m³/day/ha × ha; kVA/ha × coincidence × ha / 1000; jobs/ha × ha.
    """
    kind = classes[str(activity.demand_class)]
    return {
        "water": kind.water.value * estate_ha,
        "power": kind.connected_power.value * kind.coincidence.value * estate_ha / 1000,
        "labour": kind.jobs.value * estate_ha,
    }


def parts_of(
    spec: PatternSpec,
    activity: Activity,
    evidence: Evidence,
    classes: Mapping[str, DemandClass],
    regions: pd.Index,
    near: pd.DataFrame,
) -> pd.DataFrame:
    """Return the parts of one activity in every region.

    Parameters
    ----------
    spec, activity, evidence, classes, regions
        As for `geoplan.regions.pattern.regional_pattern`.
    near : DataFrame, region × activity
        Density; an activity of which nothing is told has no column.

    Returns
    -------
    DataFrame
        As `geoplan.regions.pattern.Pattern.parts`, of this activity.
    """
    needs = needs_of(activity, classes, spec.estate_ha)
    weights = {
        p: spec.weight(activity, p)
        for p in PARTS
        if spec.weight(activity, p) > 0 and (p != "resources" or activity.resources)
    }
    total = sum(weights.values())
    out = []
    for part, weight in weights.items():
        if part == "specialisation":
            frame = _specialisation(activity, evidence.quotients, regions)
        elif part == "relatedness":
            frame = _relatedness(activity, near, regions)
        elif part == "resources":
            frame = _resources(activity, evidence.resources, regions)
        else:
            frame = _supply(part, needs.get(part), evidence.have, regions)
        frame["region"], frame["activity"], frame["part"] = regions, activity.id, part
        frame["weight"] = weight / total
        frame["assumed"] = False
        if part in evidence.assumed.columns:
            frame["assumed"] = frame.index.isin(evidence.assumed.index[evidence.assumed[part]])
        out.append(frame.reset_index(drop=True))
    columns = ["region", "activity", "part", "weight", "score", "value", "low", "high", "need",
               "assumed", "reason"]  # fmt: skip
    return pd.concat(out, ignore_index=True).reindex(columns=columns)


def _empty(regions: pd.Index, reason: str) -> pd.DataFrame:
    columns = ["score", "value", "low", "high", "need"]
    frame = pd.DataFrame(np.nan, index=regions, columns=columns)
    frame["reason"] = reason
    return frame


def _specialisation(activity: Activity, quotients: pd.DataFrame, regions: pd.Index) -> pd.DataFrame:
    own = quotients[quotients["activity"] == activity.id].set_index("region").reindex(regions)
    if own["reason"].isna().all():
        return _empty(regions, "no-figures")
    frame = _empty(regions, "")
    frame["value"], frame["low"], frame["high"] = own["lq"], own["low"], own["high"]
    frame["score"] = own["lq"] / (1 + own["lq"])
    frame["reason"] = own["reason"].fillna("unknown")
    return frame


def _relatedness(activity: Activity, near: pd.DataFrame, regions: pd.Index) -> pd.DataFrame:
    if activity.id not in near.columns:
        return _empty(regions, "no-figures" if len(near.columns) else "too-few")
    frame = _empty(regions, "")
    frame["value"] = near[activity.id]
    frame["score"] = normalise(near[activity.id], method="rank", direction="more")
    frame["reason"] = np.where(frame["score"].notna(), "", "alike")
    frame.loc[frame["value"].isna(), "reason"] = "unknown"
    return frame


def _resources(activity: Activity, resources: pd.DataFrame, regions: pd.Index) -> pd.DataFrame:
    own = resources[resources["activity"] == activity.id]
    total, known = pd.Series(0.0, index=regions), pd.Series(0.0, index=regions)
    for need in activity.resources:
        value = own[own["resource"] == need.id].set_index("region")["value"].reindex(regions)
        if need.shape == "presence":
            score = (value > 0).astype(float).where(value.notna())
        else:
            score = normalise(value, method="rank", direction="more")
        total += need.weight * score.fillna(0)
        known += need.weight * score.notna()
    frame = _empty(regions, "")
    frame["score"] = total / known.where(known > 0)
    # The share of the resources' weight that is known, for the reader.
    frame["value"] = known / sum(need.weight for need in activity.resources)
    frame["reason"] = np.where(known > 0, "", "unknown")
    return frame


def _supply(part: str, need: float | None, have: pd.DataFrame, regions: pd.Index) -> pd.DataFrame:
    if part not in have.columns or have[part].isna().all():
        return _empty(regions, "no-figures")
    value = have[part].reindex(regions)
    frame = _empty(regions, "")
    frame["value"] = value
    if need is None:
        frame["score"] = normalise(value, method="rank", direction="more")
        frame["reason"] = np.where(frame["score"].notna(), "", "alike")
    else:
        frame["need"] = need
        both = value + need
        # What needs nothing is never short, also where nothing is free.
        frame["score"] = value / both if need > 0 else (value >= 0).astype(float)
        frame["score"] = frame["score"].where(value.notna())
    frame.loc[value.isna(), "reason"] = "unknown"
    return frame
