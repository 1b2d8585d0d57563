"""Where the rules of a scenario remove land, from layers to masks on the grid."""

from __future__ import annotations

import numpy as np

from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.studies.surface import BoolArray, Ground

__all__ = ["excluded"]


def excluded(ground: Ground, rule: ExclusionRule) -> BoolArray:
    """Return where a rule removes land (True), on the whole grid.

    Notes
    -----
    A feature removes every cell that it touches; a distance is measured between cell centres, so
    a limit smaller than half a cell removes just the touched cells. Both err towards removing.
    """
    if rule.layer is not None:
        if rule.beyond_m is not None:
            out = ground.distance(rule.layer, rule.where) > rule.beyond_m
        else:
            out = ground.distance(rule.layer, rule.where) <= float(rule.within_m or 0.0)
        return ~out if rule.outside else out
    values = ground.raster(str(rule.raster))
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        out = np.zeros(values.shape, dtype=np.bool_)
        if rule.above is not None:
            out |= values > rule.above
        if rule.below is not None:
            out |= values < rule.below
        if rule.classes is not None:
            out |= np.isin(values, np.asarray(rule.classes, dtype=values.dtype))
    if rule.outside:
        out = ~out
    out[missing] = rule.missing == "exclude"
    return out
