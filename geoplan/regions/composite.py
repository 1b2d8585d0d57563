"""A composite index of regions: put together, ranked, and drawn under other methods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.composite import CompositeSpec
from geoplan.errors import Problem, ProblemsFound
from geoplan.mcda.decision import decision
from geoplan.mcda.topsis import topsis
from geoplan.regions.index_draws import IndexDraws, draw_index, ranked
from geoplan.regions.index_score import IndexMethod, Scorer
from geoplan.regions.indicator_values import IndicatorTable, indicator_table, with_peer_medians
from geoplan.regions.input_checks import check_facts, check_values
from geoplan.regions.outliers import changes

__all__ = ["CompositeResult", "composite_index", "composite_of_facts"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CompositeResult:
    """An index, what it is made of, and how firm it is.

    Parameters
    ----------
    spec : CompositeSpec
        As it was computed.
    frame : DataFrame, index ``code``
        ``index`` (NaN: too little data), ``rank`` (1 most industrialised, NA), ``coverage`` (share
        of expert weight that is known, 0–1), ``status`` (``indexed`` or ``too-little-data``),
        ``missing``, ``handed_down``, ``imputed`` (lists of indicator ids), ``handed_down_share``
        (share of expert weight whose figure is that of a coarser region), ``less_industrialised``
        and ``least_industrialised`` (boolean, NA), ``topsis`` (closeness 0–1) and ``topsis_rank``
        (over regions with every indicator), and the columns of `IndexDraws.frame`.
    detail : DataFrame
        One row per region and indicator: ``code``, ``indicator``, ``value``, ``unit``,
        ``treated``, ``normalised``, ``weight`` (share in this region's index, NaN where missing),
        ``origin``, ``as_of``, ``source``.
    changed : DataFrame
        Values that the outlier rule changed: ``code``, ``indicator``, ``before``, ``after``,
        ``rule``.
    spared : tuple of str
        Indicators that the outlier rule left alone, because it would have made them the same
        everywhere.
    weights : DataFrame, index ``indicator``
        One column per weighting used by the index or its draws, on the index's outlier rule.
    draws : IndexDraws
    remarks : tuple of Problem
        Warnings and repairs found in the input; errors stop the computation.
    """

    spec: CompositeSpec
    frame: pd.DataFrame
    detail: pd.DataFrame
    changed: pd.DataFrame
    spared: tuple[str, ...]
    weights: pd.DataFrame
    draws: IndexDraws
    remarks: tuple[Problem, ...]

    @property
    def formula(self) -> str:
        """The index in one line, with its weights and rules."""
        spec = self.spec
        terms = ", ".join(f"{w:.3f} {i}" for i, w in self.weights[spec.weighting].items())
        return (
            f"{spec.aggregation} mean of {spec.normalisation} values; outliers: "
            f"{spec.outliers.rule}; weights ({spec.weighting}): {terms}; missing: "
            f"{spec.missing.rule}, no index below {spec.missing.coverage_min:.0%} known weight"
        )


def composite_of_facts(
    spec: CompositeSpec, *, regions: pd.DataFrame, facts: pd.DataFrame
) -> CompositeResult:
    """Return the index from facts, after every check of the input.

    Parameters
    ----------
    spec : CompositeSpec
    regions : DataFrame
        All regions: ``code``, ``parent_code``, ``level`` and names.
    facts : DataFrame
        ``level``, ``region_code``, ``variable``, ``value``, ``unit``, ``as_of``, ``source``.

    Raises
    ------
    ProblemsFound
        Everything that is wrong with the facts that the index uses, at once.
    """
    used = {(i.level, name) for i in spec.indicators for name in i.facts}
    for check in spec.sums:
        used |= {(check.level, check.parts), (check.level - 1, check.whole)}
    keys = list(zip(facts["level"], facts["variable"], strict=True))
    wanted = facts[[k in used for k in keys]]
    levels = {spec.level, *(level for level, _ in used)}
    found = check_facts(wanted, regions[regions["level"].isin(levels)], sums=spec.sums)
    blocking = {"region-twice", "fact-twice", "code-type"}
    table: IndicatorTable | None = None
    if not any(p.code in blocking for p in found):
        # what cannot be measured stands beside the problems of rows, so that none hides another
        try:
            table = indicator_table(spec, regions=regions, facts=wanted)
            found += check_values(table.values, spec)
        except ProblemsFound as error:
            found += error.problems
    errors = [p for p in found if p.severity == "error"]
    if errors or table is None:
        raise ProblemsFound(
            f"index '{spec.id}' has {len(errors)} problem{'s' if len(errors) > 1 else ''} in its "
            "facts",
            found,
        )
    own = regions[regions["level"] == spec.level].set_index("code")["parent_code"]
    return composite_index(spec, table, parents=own, remarks=tuple(found))


def composite_index(
    spec: CompositeSpec,
    table: IndicatorTable,
    *,
    parents: pd.Series,
    remarks: tuple[Problem, ...] = (),
) -> CompositeResult:
    """Return the index of measured indicators.

    Parameters
    ----------
    spec : CompositeSpec
    table : IndicatorTable
        From `indicator_table`; its columns are the indicators of ``spec``.
    parents : Series of str, index ``code``
        Parent of each region, for the median of peers.
    remarks : tuple of Problem
        Passed on.

    Raises
    ------
    ProblemsFound, RangeError, ShapeError
        An indicator without a difference, a rule that does not fit it, no region with an index.
    """
    if spec.missing.rule == "peer-median":
        table = with_peer_medians(table, spec.missing, parents)
    values = table.values.to_numpy(dtype=np.float64)
    codes = [str(c) for c in table.values.index]
    scorer = Scorer(values, spec)
    method = IndexMethod.of(spec)
    treated = scorer.treated(method.outliers)
    scaled = scorer.scaled(method.outliers, method.normalisation)
    known = ~np.isnan(values)
    coverage = np.where(known, scorer.expert, 0.0).sum(axis=1)
    indexed = coverage >= spec.missing.coverage_min - 1e-12
    own = scorer.weights(method.outliers, method.weighting)
    index = np.where(indexed, scorer.scores(method, own[:, None])[:, 0], np.nan)
    draws = draw_index(scorer, codes, indexed)
    frame = pd.DataFrame(
        {
            "index": index,
            "rank": _ranks(index),
            "coverage": coverage,
            "status": np.where(indexed, "indexed", "too-little-data"),
            "missing": table.marked("missing"),
            "handed_down": table.marked("handed-down"),
            "imputed": table.marked("imputed"),
            "handed_down_share": np.where(
                (table.origin == "handed-down").to_numpy(), scorer.expert, 0.0
            ).sum(axis=1),
            "less_industrialised": _below(index, spec.less_industrialised_below),
            "least_industrialised": _below(index, spec.least_below),
        },
        index=table.values.index,
    )
    closeness = _topsis(spec, treated.values, own, known.all(axis=1))
    frame["topsis"], frame["topsis_rank"] = closeness, _ranks(closeness)
    # whole numbers and flags stay what they are beside regions without an index
    kinds = {"i": "Int64", "b": "boolean"}
    kept = {c: kinds[t.kind] for c, t in draws.frame.dtypes.items() if t.kind in kinds}
    frame = frame.join(draws.frame.astype(kept))
    used = dict.fromkeys((spec.weighting, "expert", *spec.draws.weightings))
    weights = pd.DataFrame(
        {w: scorer.weights(method.outliers, w) for w in used},
        index=pd.Index(scorer.names, name="indicator"),
    )
    return CompositeResult(
        spec,
        frame,
        _detail(spec, table, treated.values, scaled, own),
        changes(values, treated, codes, scorer.names),
        tuple(n for n, s in zip(scorer.names, treated.spared, strict=True) if s),
        weights,
        draws,
        remarks,
    )


def _ranks(scores: FloatArray) -> pd.array:
    ranks = pd.array([pd.NA] * len(scores), dtype="Int64")
    known = ~np.isnan(scores)
    if known.any():
        ranks[known] = ranked(scores[known])
    return ranks


def _below(index: FloatArray, quantile: float) -> pd.array:
    flags = pd.array([pd.NA] * len(index), dtype="boolean")
    known = ~np.isnan(index)
    own = np.round(index[known], 12)
    flags[known] = own < np.quantile(own, quantile)
    return flags


def _topsis(
    spec: CompositeSpec, values: FloatArray, weights: FloatArray, complete: npt.NDArray[np.bool_]
) -> FloatArray:
    """Return closeness of the regions that have every indicator; TOPSIS knows no missing value."""
    out = np.full(len(values), np.nan)
    if complete.sum() >= 2:
        question = decision(
            values[complete],
            weights / weights.sum(),
            directions=["max" if i.direction == "more" else "min" for i in spec.indicators],
        )
        out[complete] = topsis(question, normalisation=spec.topsis).closeness
    return out


def _detail(
    spec: CompositeSpec,
    table: IndicatorTable,
    treated: FloatArray,
    scaled: FloatArray,
    weights: FloatArray,
) -> pd.DataFrame:
    known = table.values.notna().to_numpy()
    held = np.where(known, weights, np.nan)
    with np.errstate(invalid="ignore"):
        share = held / np.nansum(held, axis=1, keepdims=True)
    count = len(spec.indicators)
    return pd.DataFrame(
        {
            "code": np.repeat(table.values.index.to_numpy(), count),
            "indicator": np.tile([i.id for i in spec.indicators], len(table.values)),
            "value": table.values.to_numpy().ravel(),
            "unit": np.tile([i.unit for i in spec.indicators], len(table.values)),
            "treated": treated.ravel(),
            "normalised": scaled.ravel(),
            "weight": share.ravel(),
            "origin": table.origin.to_numpy().ravel(),
            "as_of": table.as_of.to_numpy().ravel(),
            "source": table.source.to_numpy().ravel(),
        }
    )
