"""Indicators of regions from facts: measured, handed down, summed up, or imputed, and marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.catalogue.composite import CompositeIndicator, CompositeSpec, MissingSpec
from geoplan.errors import Problem, ProblemsFound, RangeError, UnknownName
from geoplan.expression import evaluate
from geoplan.regions.industrialisation import ancestors

__all__ = ["IndicatorTable", "indicator_table", "with_peer_medians"]


@dataclass(frozen=True)
class IndicatorTable:
    """Indicators by region.

    Parameters
    ----------
    values : DataFrame of float, index ``code``, columns indicator ids
        NaN where not known.
    origin : DataFrame of str, the same shape
        ``measured``, ``handed-down``, ``summed``, ``imputed`` or ``missing``.
    as_of, source : DataFrame of str, the same shape
        Of the facts that were used; empty where missing.
    """

    values: pd.DataFrame
    origin: pd.DataFrame
    as_of: pd.DataFrame
    source: pd.DataFrame

    def marked(self, origin: str) -> list[list[str]]:
        """Return, for each region, the indicators of that origin."""
        names = np.array(self.values.columns, dtype=object)
        return [names[row].tolist() for row in (self.origin == origin).to_numpy()]


def indicator_table(
    spec: CompositeSpec, *, regions: pd.DataFrame, facts: pd.DataFrame
) -> IndicatorTable:
    """Return every indicator of an index for every region of its level.

    Parameters
    ----------
    spec : CompositeSpec
        Indicators, and the level of the result.
    regions : DataFrame
        All regions: ``code``, ``parent_code``, ``level``.
    facts : DataFrame
        ``level``, ``region_code``, ``variable``, ``value``, ``unit``, ``as_of``, ``source``.

    Raises
    ------
    ProblemsFound
        Indicators of another level that may be neither handed down nor summed up, and facts that
        no region of the level has: all at once.
    RangeError
        A fact is given twice for one region.

    Notes
    -----
    A fact that is not listed for a region is not known, and so is every indicator that uses it.
    A sum over parts of which one is not known is not known either.
    """
    _refuse(spec, facts)
    codes = pd.Index(sorted(regions.loc[regions["level"] == spec.level, "code"]), name="code")
    if not len(codes):
        raise UnknownName(f"no regions of level {spec.level} are loaded")
    parts = [_measured(i, spec.level, codes, regions, facts) for i in spec.indicators]
    ids = [i.id for i in spec.indicators]
    made = {
        key: pd.concat([p[key] for p in parts], axis=1, keys=ids)
        for key in ("value", "origin", "as_of", "source")
    }
    return IndicatorTable(made["value"], made["origin"], made["as_of"], made["source"])


def with_peer_medians(
    table: IndicatorTable, spec: MissingSpec, parents: pd.Series
) -> IndicatorTable:
    """Return the table with missing values replaced by the median of peers, and marked.

    Parameters
    ----------
    table : IndicatorTable
    spec : MissingSpec
        ``peers``: the regions of the same parent, or all.
    parents : Series of str, index ``code``
        Parent of each region; missing at the coarsest level, where all are peers.

    Returns
    -------
    IndicatorTable
        Values without a known peer stay missing.
    """
    group = parents.reindex(table.values.index).astype(object)
    group = pd.Series("all", index=group.index) if spec.peers == "all" else group.fillna("all")
    medians = table.values.groupby(group).transform("median")
    fill = table.values.isna() & medians.notna()
    return IndicatorTable(
        table.values.where(~fill, medians),
        table.origin.where(~fill, "imputed"),
        table.as_of,
        table.source.where(~fill, f"median of peers ({spec.peers})"),
    )


def _refuse(spec: CompositeSpec, facts: pd.DataFrame) -> None:
    problems = []
    for i in spec.indicators:
        at = f"indicator '{i.id}'"
        if i.level < spec.level and not i.hand_down:
            problems.append(
                Problem(at, f"known at level {i.level}, the index is of level {spec.level}",
                        "set hand_down: true to give each region the figure of the one that "
                        "holds it (marked), or leave it out", code="coarser-indicator")
            )  # fmt: skip
        if i.level > spec.level and not i.sum_up:
            problems.append(
                Problem(at, f"known at level {i.level}, the index is of level {spec.level}",
                        "set sum_up: true if its facts are amounts, or leave it out",
                        code="finer-indicator")
            )  # fmt: skip
        own = facts.loc[(facts["level"] == i.level) & facts["value"].notna(), "variable"]
        known = sorted(set(own))
        for name in sorted(set(i.facts) - set(known)):
            problems.append(
                Problem(at, f"no region of level {i.level} has a fact '{name}'",
                        f"known at this level: {', '.join(known) or 'none'}", code="unknown-fact")
            )  # fmt: skip
    if problems:
        raise ProblemsFound(f"index '{spec.id}' cannot be measured", problems)


def _measured(
    indicator: CompositeIndicator,
    level: int,
    codes: pd.Index,
    regions: pd.DataFrame,
    facts: pd.DataFrame,
) -> pd.DataFrame:
    """Return ``value``, ``origin``, ``as_of``, ``source`` by region of the index level."""
    used = list(indicator.facts)
    rows = facts[(facts["level"] == indicator.level) & facts["variable"].isin(used)]
    twice = rows.duplicated(["region_code", "variable"])
    if twice.any():
        first = rows[twice].iloc[0]
        raise RangeError(
            f"fact '{first['variable']}' is given twice for region {first['region_code']}",
            remedy="keep one figure per region, variable and level",
        )
    own = pd.Index(sorted(regions.loc[regions["level"] == indicator.level, "code"]), name="code")
    wide = rows.pivot(index="region_code", columns="variable", values="value")
    wide = wide.reindex(index=own, columns=used).astype(float)
    said = {key: _said(rows["region_code"], rows[key], own) for key in ("as_of", "source")}
    origin = "measured"
    if indicator.level > level:
        up = ancestors(regions, indicator.level)[level].reindex(own)
        wide = wide.groupby(up).agg(lambda part: part.sum(skipna=False)).reindex(codes)
        said = {k: _said(up, s, codes) for k, s in said.items()}
        origin = "summed"
    value = _applied(indicator, wide)
    if indicator.level < level:
        holder = ancestors(regions, level)[indicator.level].reindex(codes)
        value = value.reindex(holder.to_numpy()).set_axis(codes)
        said = {k: s.reindex(holder.to_numpy()).fillna("").set_axis(codes) for k, s in said.items()}
        origin = "handed-down"
    known = value.notna()
    return pd.DataFrame(
        {
            "value": value,
            "origin": np.where(known, origin, "missing"),
            "as_of": said["as_of"].where(known, "").replace("", indicator.as_of).where(known, ""),
            "source": said["source"].where(known, "").replace("", indicator.source).where(known, "")
        },
        index=codes,
    )  # fmt: skip


def _applied(indicator: CompositeIndicator, wide: pd.DataFrame) -> pd.Series:
    columns = {str(name): wide[name] for name in wide.columns}
    found = evaluate(indicator.formula, columns)
    value = pd.to_numeric(pd.Series(found, index=wide.index), errors="coerce").astype(float)
    # a comparison of a missing fact is False and not missing, and x / 0 is infinite
    known = wide.notna().all(axis=1) & np.isfinite(value)
    for name in indicator.denominator:
        known &= wide[name] > 0
    return value.where(known)


def _said(keys: pd.Series, texts: pd.Series, order: pd.Index) -> pd.Series:
    """Return the different texts of each key, joined; empty where there is none."""
    pairs = pd.DataFrame({"key": keys.to_numpy(), "text": texts.to_numpy()}).dropna()
    pairs = pairs[pairs["text"] != ""].drop_duplicates()
    many = pairs["key"].duplicated(keep=False)
    one = pairs[~many].set_index("key")["text"]
    joined = pairs[many].groupby("key")["text"].agg("; ".join)
    return pd.concat([one, joined]).reindex(order).fillna("")
