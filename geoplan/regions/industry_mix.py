"""From a region's pattern to the industry mix of an estate there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from geoplan.catalogue.pattern import MixSpec
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError, UnknownName

__all__ = ["MIX_RULE", "mix_of", "mixes_of"]

_UNITS = 10_000

MIX_RULE = Text(
    en="The best activities of the region whose score is above the least one share the land in "
    "proportion to how far they are above it; activities of one class are added together; shares "
    "are rounded to 0.0001 by the largest remainder, so that they sum to 1.",
    fa="بهترین فعالیت‌های منطقه که امتیازشان از کمینه بیشتر است زمین را به نسبت فاصلهٔ امتیاز از "
    "کمینه میان خود بخش می‌کنند؛ فعالیت‌های یک رده با هم جمع می‌شوند؛ سهم‌ها تا ۰٫۰۰۰۱ با روش "
    "بزرگ‌ترین باقی‌مانده گرد می‌شوند تا جمع آن‌ها یک باشد.",
)
"""How `mix_of` shares the land, for outputs."""


def mix_of(
    region_pattern: pd.DataFrame,
    activity_class: Mapping[str, str],
    classes: Collection[str],
    rule: MixSpec | None = None,
) -> dict[str, float]:
    """Return the industry mix that the pattern of one region proposes.

    Parameters
    ----------
    region_pattern : DataFrame
        The region's rows of `Pattern.frame`: ``region``, ``activity``, ``score``.
    activity_class : mapping of activity to demand class
        From the pattern's spec.
    classes : collection of str
        Demand classes of the profile.
    rule : MixSpec, optional
        How many activities count, and their least score.

    Returns
    -------
    dict of demand class to share, in the order of the largest share
        Above 0, sums to 1: fits ``DemandSpec.mix``.

    Raises
    ------
    RangeError
        No activity of the region is above the least score, or rows of several regions are given.
    UnknownName
        An activity has no class, or one that the profile does not have.

    Notes
    -----
    ``share_a = (score_a − score_min) / Σ (score − score_min)`` over the ``top`` best above
    ``score_min``; then see `MIX_RULE`.
    """
    how = rule or MixSpec()
    named = sorted(map(str, region_pattern["region"].unique()))
    if len(named) > 1:
        raise RangeError(f"rows of {len(named)} regions were given", remedy="give one region's")
    best = region_pattern[region_pattern["score"] > how.score_min]
    best = best.sort_values(["score", "activity"], ascending=[False, True]).head(how.top)
    if best.empty:
        raise RangeError(
            f"no activity of region {named[0] if named else '(none)'} scores above "
            f"{how.score_min:g}",
            remedy="lower mix.score_min, give the figures that are missing, or keep the "
            "scenario's own mix for this region",
        )
    above: dict[str, float] = {}
    for activity, score in zip(best["activity"], best["score"], strict=True):
        kind = activity_class.get(str(activity))
        if kind is None or kind not in classes:
            raise UnknownName(
                f"activity '{activity}' has the class '{kind}', which the profile does not know",
                remedy=f"known classes: {', '.join(classes)}",
            )
        above[kind] = above.get(kind, 0.0) + float(score) - how.score_min
    total = sum(above.values())
    exact = {kind: _UNITS * value / total for kind, value in above.items()}
    whole = {kind: int(value) for kind, value in exact.items()}
    left = _UNITS - sum(whole.values())
    for kind in sorted(exact, key=lambda k: (whole[k] - exact[k], k))[:left]:
        whole[kind] += 1
    ordered = sorted(whole, key=lambda k: (-whole[k], k))
    return {kind: whole[kind] / _UNITS for kind in ordered if whole[kind] > 0}


def mixes_of(
    frame: pd.DataFrame,
    activity_class: Mapping[str, str],
    classes: Collection[str],
    rule: MixSpec | None = None,
) -> dict[str, dict[str, float]]:
    """Return the mix of every region that has one.

    Parameters
    ----------
    frame : DataFrame
        `Pattern.frame`.
    activity_class, classes, rule
        As for `mix_of`.

    Returns
    -------
    dict of region to mix
        Regions in which no activity is above the least score are absent, and keep the scenario's
        own mix.
    """
    least = (rule or MixSpec()).score_min
    return {
        str(region): mix_of(rows, activity_class, classes, rule)
        for region, rows in frame.groupby("region", sort=False)
        if (rows["score"] > least).any()
    }
