"""The rules that come nearest to excluding a site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.catalogue.text import Text
from geoplan.siting.result import Reason
from geoplan.siting.sentences import Amount, Named, both, joined
from geoplan.studies.surface import Ground

__all__ = ["nearest_rules"]

_TOLD = 2


def nearest_rules(
    ground: Ground,
    rules: Iterable[ExclusionRule],
    sites: Mapping[str, tuple[shapely.Geometry, npt.NDArray[np.int64]]],
) -> dict[str, tuple[Reason, ...]]:
    """Return for each site the rules whose limit it keeps by the least.

    Parameters
    ----------
    ground : Ground
    rules : iterable of ExclusionRule
        Resolved. Told are setbacks (``within_m`` above 0) and raster limits (``above``, ``below``)
        that hold everywhere and take whole cells.
    sites : mapping
        Site → its outline in the grid's CRS, and its flat cell numbers.

    Returns
    -------
    dict of str to tuple of Reason
        One sentence of code ``nearest-rules``, with the two smallest margins as a share of the
        limit; none where no rule of these kinds has a margin.

    Notes
    -----
    A setback's margin is the distance from the outline to the nearest feature less the limit; a
    raster's, the limit less the farthest value on the site's cells.
    """
    margins: dict[str, list[tuple[float, Named]]] = {site: [] for site in sites}
    for rule in rules:
        if rule.effect != "exclude" or rule.share is not None or rule.extent is not None:
            continue
        if rule.outside:
            continue
        if rule.layer is not None and rule.within_m:
            _setback(ground, rule, sites, margins)
        elif rule.raster is not None and (rule.above is not None or rule.below is not None):
            _limit(ground, rule, sites, margins)
    out: dict[str, tuple[Reason, ...]] = {}
    for site, found in margins.items():
        if not found:
            continue
        found.sort(key=lambda m: (m[0], m[1].en))
        text = both(
            "The rules nearest to excluding it: {rules}.",
            "نزدیک‌ترین قاعده‌ها به حذف آن: {rules}.",
            rules=joined([words for _, words in found[:_TOLD]]),
        )
        out[site] = (Reason("nearest-rules", text),)
    return out


def _title(rule: ExclusionRule) -> Text:
    return rule.title or Text(en=rule.id)


def _setback(
    ground: Ground,
    rule: ExclusionRule,
    sites: Mapping[str, tuple[shapely.Geometry, Any]],
    margins: dict[str, list[tuple[float, Named]]],
) -> None:
    features = ground.frame(str(rule.layer), rule.where).geometry.to_numpy()
    if not len(features):
        return
    limit = float(rule.within_m or 0.0)
    tree = shapely.STRtree(features)
    outlines = [outline for outline, _ in sites.values()]
    nearest = tree.nearest(np.array(outlines, dtype=object))
    metres = shapely.distance(np.array(outlines, dtype=object), features[nearest])
    title = _title(rule)
    for site, distance in zip(sites, metres.tolist(), strict=True):
        metres_left = max(distance - limit, 0.0)
        near = metres_left < 1000
        spare = Amount(metres_left, "m", 0) if near else Amount(metres_left / 1000.0, "km")
        words = Named(
            f"«{title.en}» ({spare.en} beyond its limit)",
            f"«{title.fa or title.local or title.en}» ({spare.fa} آن‌سوی حد)",
        )
        margins[site].append(((distance - limit) / limit, words))


def _limit(
    ground: Ground,
    rule: ExclusionRule,
    sites: Mapping[str, tuple[Any, npt.NDArray[np.int64]]],
    margins: dict[str, list[tuple[float, Named]]],
) -> None:
    values = ground.raster(str(rule.raster)).reshape(-1)
    unit = ground.layers[str(rule.raster)].unit or ""
    title = _title(rule)
    for site, (_, cells) in sites.items():
        own = values[cells]
        own = own[~np.isnan(own)]
        if not own.size:
            continue
        for limit, farthest, sign in (
            (rule.above, float(own.max()), 1.0),
            (rule.below, float(own.min()), -1.0),
        ):
            if limit is None:
                continue
            held, most = Amount(farthest, unit), Amount(limit, unit)
            words = Named(
                f"«{title.en}» ({held.en}, its limit is {most.en})",
                f"«{title.fa or title.local or title.en}» ({held.fa}؛ حد آن {most.fa} است)",
            )
            margins[site].append((sign * (limit - farthest) / max(abs(limit), 1e-9), words))
