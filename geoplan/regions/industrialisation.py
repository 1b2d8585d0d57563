"""The industrialisation index of regions: a weighted mean of normalised indicators.

``index(r) = Σ_i w_i · n_i(r) / Σ_i w_i`` over the indicators i that are known for region r, where
``n_i`` is the indicator after division, transform and normalisation. Missing is never zero: an
unknown indicator leaves the sum, and the share of weight that is known is published as
``coverage``. Below the least coverage the index is empty.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.catalogue.profile import IndexSpec, Indicator
from geoplan.errors import RangeError, UnknownName
from geoplan.expression import evaluate, select

__all__ = [
    "IndexResult",
    "ancestors",
    "coarser",
    "industrialisation",
    "measure_indicator",
    "normalise",
    "orphans",
]


@dataclass(frozen=True)
class IndexResult:
    """The index and what it is made of.

    Parameters
    ----------
    frame : DataFrame, index ``code``
        ``industrialisation`` (0 least … 1 most, NaN: too little data), ``coverage`` (0–1),
        ``rank`` (1 is the most industrialised; NaN where the index is), ``less_industrialised``
        (boolean, NA where the index is NaN).
    detail : DataFrame
        One row per region and indicator: ``code``, ``indicator``, ``value``, ``unit``,
        ``normalised`` (0–1), ``weight``, ``as_of``, ``source``.
    formula : str
        The formula in words, with weights, for outputs.
    """

    frame: pd.DataFrame
    detail: pd.DataFrame
    formula: str


def ancestors(regions: pd.DataFrame, level: int) -> pd.DataFrame:
    """Return, for each region of ``level``, the code of its ancestor at every coarser level.

    Parameters
    ----------
    regions : DataFrame
        All regions: ``code``, ``parent_code``, ``level``.
    level : int
        Level of the rows of the result.

    Returns
    -------
    DataFrame, index ``code``
        Columns are the levels 1 … ``level``; the own level holds the code itself. Missing where
        a parent is not known or not loaded (levels are of different dates: a district of 2020
        may name a county that the counties of 2016 do not have); see `orphans`.

    Raises
    ------
    UnknownName
        No region of this level is loaded.
    """
    by_level = {
        int(n): group.set_index("code")["parent_code"] for n, group in regions.groupby("level")
    }
    if level not in by_level:
        raise UnknownName(
            f"no regions of level {level} are loaded",
            remedy="load the pack's region layers first",
        )
    out = pd.DataFrame(index=by_level[level].index)
    current = pd.Series(out.index, index=out.index)
    for step in range(level, 0, -1):
        out[step] = current
        if step == 1:
            break
        parents = current.map(by_level[step])
        known = by_level.get(step - 1, pd.Series(dtype=object)).index
        current = parents.where(parents.isin(known))
    return out[sorted(out.columns)]


def orphans(regions: pd.DataFrame) -> pd.DataFrame:
    """Return the regions below the coarsest level whose parent is not loaded.

    Parameters
    ----------
    regions : DataFrame
        All regions: ``code``, ``parent_code``, ``level``.

    Returns
    -------
    DataFrame
        Those rows of ``regions``.
    """
    pairs = set(zip(regions["level"], regions["code"], strict=True))
    lost = [
        level > 1 and (level - 1, parent) not in pairs
        for level, parent in zip(regions["level"], regions["parent_code"], strict=True)
    ]
    return regions[np.array(lost, dtype=bool)]


def normalise(values: pd.Series, *, method: str, direction: str) -> pd.Series:
    """Return values on 0–1, 1 being the most industrialised.

    Parameters
    ----------
    values : Series of float
        NaN where not known.
    method : {"minmax", "rank"}
        ``minmax``: (x − min) / (max − min). ``rank``: (average rank − 1) / (n − 1), which is
        immune to outliers.
    direction : {"more", "less"}
        Whether a higher value is more or less industrialised.

    Returns
    -------
    Series of float, the same index
        NaN stays NaN. An indicator with one distinct value carries no information and is NaN
        everywhere.
    """
    known = values.dropna()
    if known.nunique() < 2:
        return pd.Series(np.nan, index=values.index)
    if method == "rank":
        scaled = (known.rank(method="average") - 1) / (len(known) - 1)
    else:
        low, high = known.min(), known.max()
        scaled = (known - low) / (high - low)
    if direction == "less":
        scaled = 1 - scaled
    return scaled.reindex(values.index)


def measure_indicator(
    indicator: Indicator,
    *,
    regions: pd.DataFrame,
    index_level: int,
    facts: pd.DataFrame,
    features: gpd.GeoDataFrame | None = None,
    features_as_of: str | None = None,
    features_source: str = "",
) -> pd.DataFrame:
    """Return one indicator for every region of the index level.

    Parameters
    ----------
    indicator : Indicator
        Its definition.
    regions : DataFrame
        All regions: ``code``, ``parent_code``, ``level``.
    index_level : int
        Level of the result. A coarser indicator is handed down unchanged; a finer one is summed.
    facts : DataFrame
        ``level``, ``region_code``, ``variable``, ``value``, ``unit``, ``as_of``, ``source``.
    features : GeoDataFrame, optional
        For indicators of a layer: its features with a column ``region_code`` at
        ``indicator.level``; rows without a region are not counted.
    features_as_of, features_source : str, optional
        Date and source of that layer.

    Returns
    -------
    DataFrame, index ``code``
        ``value`` (NaN: not known), ``as_of``, ``source``.

    Notes
    -----
    A layer that was loaded lists what exists, so a region with no feature has a count of 0; a fact
    that is not listed for a region is unknown.
    """
    own = regions.loc[regions["level"] == indicator.level, "code"]
    if indicator.layer is not None:
        if features is None:
            raise UnknownName(
                f"indicator '{indicator.id}' needs layer '{indicator.layer}'",
                remedy="load the layer, or take the indicator out of the profile",
            )
        rows = features[select(indicator.where, features)] if indicator.where else features
        amount = (
            pd.to_numeric(
                pd.Series(evaluate(indicator.value, rows), index=rows.index), errors="coerce"
            )
            if indicator.value
            else pd.Series(1.0, index=rows.index)
        )
        value = amount.groupby(rows["region_code"]).sum().reindex(own).fillna(0.0)
        as_of = pd.Series(features_as_of, index=value.index, dtype=object)
        source = pd.Series(features_source, index=value.index, dtype=object)
    else:
        found = _fact(facts, indicator.level, str(indicator.variable)).reindex(own)
        value, as_of, source = found["value"], found["as_of"], found["source"]
    if indicator.per is not None:
        below = _fact(facts, indicator.level, indicator.per)["value"].reindex(value.index)
        if (below < 0).any():
            raise RangeError(f"indicator '{indicator.id}': '{indicator.per}' has negative values")
        value = value / below.where(below > 0) * indicator.per_unit
    else:
        value = value * indicator.per_unit
    out = pd.DataFrame({"value": value, "as_of": as_of, "source": source})
    if indicator.level == index_level:
        return out
    if indicator.level < index_level:
        up = ancestors(regions, index_level)[indicator.level]
        moved = out.reindex(up.to_numpy())
        moved.index = up.index
        return moved
    down = ancestors(regions, indicator.level)[index_level].reindex(out.index)
    grouped = out.groupby(down)
    return pd.DataFrame(
        {
            "value": grouped["value"].sum(min_count=1),
            "as_of": grouped["as_of"].first(),
            "source": grouped["source"].first(),
        }
    ).reindex(regions.loc[regions["level"] == index_level, "code"])


def _fact(facts: pd.DataFrame, level: int, variable: str) -> pd.DataFrame:
    rows = facts[(facts["level"] == level) & (facts["variable"] == variable)]
    if rows.empty:
        known = sorted(facts.loc[facts["level"] == level, "variable"].unique())
        raise UnknownName(
            f"no region of level {level} has a fact '{variable}'",
            remedy=f"known at this level: {', '.join(known) or 'none'}",
        )
    twice = rows["region_code"].duplicated()
    if twice.any():
        raise RangeError(
            f"fact '{variable}' is given twice for region {rows.loc[twice, 'region_code'].iloc[0]}",
            remedy="keep one figure per region, variable and level",
        )
    return rows.set_index("region_code")[["value", "as_of", "source"]]


def industrialisation(
    spec: IndexSpec, measured: dict[str, pd.DataFrame], codes: pd.Index
) -> IndexResult:
    """Combine measured indicators into the index.

    Parameters
    ----------
    spec : IndexSpec
        Indicators with weights and directions, normalisation, least coverage.
    measured : dict of str to DataFrame
        Result of `measure_indicator` by indicator id.
    codes : Index
        Region codes of the index level, in the order of the result.

    Returns
    -------
    IndexResult
    """
    weights = pd.Series({i.id: i.weight for i in spec.indicators}, dtype=float)
    weights /= weights.sum()
    scaled: dict[str, pd.Series] = {}
    parts: list[pd.DataFrame] = []
    for indicator in spec.indicators:
        frame = measured[indicator.id].reindex(codes)
        value = frame["value"].astype(float)
        moved = np.log1p(value) if indicator.transform == "log1p" else value
        scaled[indicator.id] = normalise(
            moved, method=spec.normalisation, direction=indicator.direction
        )
        parts.append(
            pd.DataFrame(
                {
                    "code": codes,
                    "indicator": indicator.id,
                    "value": value.to_numpy(),
                    "unit": indicator.unit,
                    "normalised": scaled[indicator.id].to_numpy(),
                    "weight": weights[indicator.id],
                    "as_of": frame["as_of"].to_numpy(),
                    "source": frame["source"].to_numpy(),
                }
            )
        )
    table = pd.DataFrame(scaled, index=codes)
    known = table.notna().mul(weights, axis=1).sum(axis=1)
    index = table.mul(weights, axis=1).sum(axis=1, min_count=1) / known.where(known > 0)
    index = index.where(known >= spec.coverage_min - 1e-12)
    cut = index.quantile(spec.less_industrialised_below)
    less = pd.Series(pd.NA, index=codes, dtype="boolean")
    less[index.notna()] = (index[index.notna()] < cut).to_numpy()
    result = pd.DataFrame(
        {
            "industrialisation": index,
            "coverage": known,
            "rank": index.rank(ascending=False, method="min"),
            "less_industrialised": less,
        }
    )
    result.index.name = "code"
    terms = " + ".join(f"{weights[i.id]:.2f}·n({i.id})" for i in spec.indicators)
    formula = (
        f"index = ({terms}) / sum of known weights; n: {spec.normalisation} normalisation; "
        f"empty below {spec.coverage_min:.0%} known weight; less industrialised: below the "
        f"{spec.less_industrialised_below:.0%} quantile of regions"
    )
    return IndexResult(result, pd.concat(parts, ignore_index=True), formula)


def coarser(
    index: pd.DataFrame, regions: pd.DataFrame, *, spec: IndexSpec, level: int
) -> pd.DataFrame:
    """Return the index of a coarser level: the population-weighted mean of its parts.

    Parameters
    ----------
    index : DataFrame, index ``code``
        `IndexResult.frame` of ``spec.level``.
    regions : DataFrame
        All regions: ``code``, ``parent_code``, ``level``, ``population``.
    spec : IndexSpec
        Its quantile says what is less industrialised, at this level too.
    level : int
        Coarser than ``spec.level``.

    Returns
    -------
    DataFrame, index ``code``
        As ``index``. A part without index or population is left out; ``coverage`` is the share of
        the region's population whose parts have an index, times their own coverage. Empty where
        that share is below ``spec.coverage_min``.
    """
    up = ancestors(regions, spec.level)[level].reindex(index.index)
    people = regions[regions["level"] == spec.level].set_index("code")["population"]
    weight = people.reindex(index.index).astype(float)
    known = index["industrialisation"].notna() & weight.notna()
    total = weight.groupby(up).sum(min_count=1)
    held = weight.where(known)
    share = held.groupby(up).sum(min_count=1)
    mean = (index["industrialisation"] * held).groupby(up).sum(min_count=1) / share
    coverage = (index["coverage"] * held).groupby(up).sum(min_count=1) / total
    codes = pd.Index(sorted(regions.loc[regions["level"] == level, "code"]), name="code")
    mean, coverage = mean.reindex(codes), coverage.reindex(codes)
    mean = mean.where(coverage >= spec.coverage_min - 1e-12)
    less = pd.Series(pd.NA, index=codes, dtype="boolean")
    cut = mean.quantile(spec.less_industrialised_below)
    less[mean.notna()] = (mean[mean.notna()] < cut).to_numpy()
    return pd.DataFrame(
        {
            "industrialisation": mean,
            "coverage": coverage,
            "rank": mean.rank(ascending=False, method="min"),
            "less_industrialised": less,
        }
    )
