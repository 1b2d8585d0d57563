"""What fits where: a score of every activity in every region, from named parts with evidence.

``score(r, a) = Σ_p w_p s_p(r, a) / Σ_p w_p`` over the parts p that are known. A part that is not
known leaves the sum, is counted in ``coverage`` and is never 0. A part that has no meaning for an
activity (it needs no resource) is left out of both. Of every part ½ is neutral.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.catalogue.pattern import PARTS, PatternSpec
from geoplan.catalogue.profile import DemandClass
from geoplan.errors import Problem, ProblemsFound
from geoplan.regions.pattern_parts import Evidence, parts_of
from geoplan.regions.relatedness import density, proximity, specialised

__all__ = ["Pattern", "regional_pattern"]


@dataclass(frozen=True, eq=False)
class Pattern:
    """The pattern.

    Parameters
    ----------
    frame : DataFrame
        One row per region and proposed activity, regions in order, best first: ``region``,
        ``activity``, ``score`` (0–1, NaN: too little is known), ``coverage`` (known share of the
        weight), ``least`` and ``most`` (the score if every part that is not known were 0, or 1),
        ``rank`` (1 best in the region; NaN where the score is; equal scores share the better
        rank), and one column per part.
    parts : DataFrame
        One row per region, activity and part that has a meaning: ``region``, ``activity``,
        ``part``, ``weight`` (sums to 1 over an activity's parts), ``score`` (NaN: not known),
        ``value``, ``low``, ``high`` (what is measured), ``need`` (of water, power, jobs),
        ``assumed``, ``reason`` (why it is not known).
    presence : DataFrame, region × activity
        1 specialised, 0 not, NaN unknown.
    proximity : DataFrame, activity × activity
        How often two activities are found together.
    formula : str
        The formula in words, with the weights.
    """

    frame: pd.DataFrame
    parts: pd.DataFrame
    presence: pd.DataFrame
    proximity: pd.DataFrame
    formula: str


def regional_pattern(
    spec: PatternSpec,
    evidence: Evidence,
    classes: Mapping[str, DemandClass],
    regions: pd.Index,
) -> Pattern:
    """Score every activity in every region.

    Parameters
    ----------
    spec : PatternSpec
        Activities, weights, guards.
    evidence : Evidence
        What is known.
    classes : mapping of str to DemandClass
        The profile's demand classes.
    regions : Index
        Region codes, in the order of the result.

    Returns
    -------
    Pattern

    Raises
    ------
    ProblemsFound
        An activity names a demand class that the profile does not have; what a region has is below
        0 or infinite.

    Notes
    -----
    The parts, each 0 to 1: ``specialisation`` LQ / (1 + LQ), which is the symmetric quotient of
    Laursen (2015) on 0–1; ``relatedness`` the rank of the region's density among the regions
    (`relatedness.density`); ``resources`` the weighted mean of what is there; ``water``,
    ``power``, ``labour`` free / (free + need), ½ where the estate would take all that is free;
    ``market`` the rank of the market potential.
    """
    _check_classes(spec, classes)
    _check_have(evidence.have)
    table = evidence.quotients.pivot(index="region", columns="activity", values="lq")
    table = table.reindex(regions)
    presence = specialised(table, above=spec.specialised_above)
    told = table.columns[table.notna().sum() >= spec.guards.regions_min]
    enough = len(told) >= spec.guards.activities_min
    phi = proximity(presence[told]) if enough else pd.DataFrame()
    near = density(presence, phi) if enough else pd.DataFrame(index=regions)
    rows = [
        parts_of(spec, activity, evidence, classes, regions, near)
        for activity in spec.activities
        if activity.demand_class is not None
    ]
    parts = pd.concat(rows, ignore_index=True)
    return Pattern(_scored(spec, parts, regions), parts, presence, phi, _formula(spec))


def _check_classes(spec: PatternSpec, classes: Mapping[str, DemandClass]) -> None:
    problems = [
        Problem(
            f"activity {a.id}",
            f"the profile has no demand class '{a.demand_class}'",
            f"known: {', '.join(classes)}",
            code="unknown-class",
        )
        for a in spec.activities
        if a.demand_class is not None and a.demand_class not in classes
    ]
    if problems:
        raise ProblemsFound(f"pattern {spec.id} does not fit its profile", problems)


def _check_have(have: pd.DataFrame) -> None:
    problems = [
        Problem(f"region {region}, {part}", f"{value:g} is free", "give 0 or more", code="negative")
        for part in have.columns
        for region, value in have[part].dropna().items()
        if not 0 <= value < np.inf
    ]
    if problems:
        raise ProblemsFound(f"{len(problems)} figures of regions cannot be", problems)


def _scored(spec: PatternSpec, parts: pd.DataFrame, regions: pd.Index) -> pd.DataFrame:
    wide = parts.pivot(index=["region", "activity"], columns="part", values="score")
    weight = parts.pivot(index=["region", "activity"], columns="part", values="weight")
    held = weight.where(wide.notna())
    coverage = held.sum(axis=1)
    score = (wide * held).sum(axis=1) / coverage.where(coverage > 0)
    score = score.where(coverage >= spec.coverage_min - 1e-12)
    least = (wide * held).sum(axis=1)
    frame = pd.DataFrame(
        {"score": score, "coverage": coverage, "least": least, "most": least + 1 - coverage}
    )
    frame["rank"] = score.groupby(level="region").rank(ascending=False, method="min")
    frame = frame.join(wide.reindex(columns=[p for p in PARTS if p in wide.columns]))
    frame = frame.reset_index()
    place = {code: i for i, code in enumerate(regions)}
    order = {a.id: i for i, a in enumerate(spec.activities)}
    frame["_place"], frame["_order"] = frame["region"].map(place), frame["activity"].map(order)
    frame = frame.sort_values(["_place", "rank", "_order"], na_position="last", kind="stable")
    return frame.drop(columns=["_place", "_order"]).reset_index(drop=True)


def _formula(spec: PatternSpec) -> str:
    total = sum(spec.weights.values())
    terms = " + ".join(f"{spec.weights[p] / total:.2f}·{p}" for p in PARTS if p in spec.weights)
    return (
        f"score = ({terms}) / sum of known weights; specialisation: LQ/(1+LQ); relatedness and "
        "market: rank among regions; resources: weighted mean of what is there; water, power, "
        f"labour: free/(free+need of {spec.estate_ha:g} ha); empty below "
        f"{spec.coverage_min:.0%} known weight; weights: {spec.weights_status}"
    )
