"""The scorecard of regions: figures between base and target, ranked overall and among peers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.slices import ScorecardSpec
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound, RangeError
from geoplan.regions.peers import PeerGroups, peer_groups
from geoplan.regions.slice_document import rows_of

__all__ = ["Scorecard", "kpi_score", "scorecard"]


@dataclass(frozen=True)
class Scorecard:
    """Scores and ranks.

    Parameters
    ----------
    frame : DataFrame, index ``code``
        ``score`` (0–1.2, NaN: too little reported), ``coverage`` (0–1), ``rank`` (1 is best),
        ``peer_group``, ``peer_rank``, ``peers`` (ranked regions in the group).
    detail : DataFrame
        ``code``, ``kpi``, ``value`` (NaN: not reported), ``unit``, ``base``, ``target``,
        ``score``, ``deviation`` (value − target, in the unit), ``gap`` (share of the way from
        base to target that is missing; below 0: beyond the target), ``weight``.
    groups : PeerGroups or None
    document : dict
        For JSON.
    notices : tuple of Text
    """

    frame: pd.DataFrame
    detail: pd.DataFrame
    groups: PeerGroups | None
    document: dict[str, Any]
    notices: tuple[Text, ...]


def kpi_score(values: npt.ArrayLike, *, base: float, target: float) -> npt.NDArray[np.float64]:
    """Return how far values came from base to target.

    Parameters
    ----------
    values : array_like of float
        NaN stays NaN: not reported is not 0.
    base, target : float
        Score 0 and 1, in the values' unit; a target below the base where less is better.

    Returns
    -------
    ndarray of float, 0–1.2

    Raises
    ------
    RangeError
        Base and target are one.

    Notes
    -----
    ``clip((x − base) / (target − base), 0, 1.2)``: what lies beyond the target counts to a fifth,
    so that one figure cannot hide the others.

    Examples
    --------
    >>> kpi_score([40.0, 65.0, 120.0], base=40, target=90).tolist()
    [0.0, 0.5, 1.2]
    """
    if base == target:
        raise RangeError(f"base and target are both {base:g}", remedy="give two points")
    x = np.asarray(values, dtype=np.float64)
    return np.asarray(np.clip((x - base) / (target - base), 0.0, 1.2))


def scorecard(
    spec: ScorecardSpec, values: pd.DataFrame, *, indicators: pd.DataFrame | None = None
) -> Scorecard:
    """Return the scorecard of the regions of one level.

    Parameters
    ----------
    spec : ScorecardSpec
        Figures with base, target and weight; peer groups.
    values : DataFrame, index ``code``
        One column per KPI; NaN or no column: not reported.
    indicators : DataFrame, index ``code``, optional
        What peer groups are computed from.

    Raises
    ------
    ProblemsFound
        A region stands twice; no KPI is reported by any region; peer groups cannot be formed.

    Notes
    -----
    ``score = Σ_k w_k s_k / Σ_k w_k`` over the reported figures k, empty below
    ``spec.coverage_min`` of the weight. Equal scores share the better rank.
    """
    problems = [
        Problem(f"region {code}", "it stands twice", "keep one row", code="region-twice")
        for code in sorted(set(values.index[values.index.duplicated()]))
    ]
    ids = [k.id for k in spec.kpis]
    if not any(name in values and values[name].notna().any() for name in ids):
        problems.append(
            Problem(
                "scorecard.kpis",
                f"no region reports any of {', '.join(ids)}",
                f"columns given: {', '.join(map(str, values.columns)) or 'none'}",
                code="nothing-reported",
            )
        )
    if problems:
        raise ProblemsFound("the scorecard cannot be made", problems)
    codes = pd.Index(sorted(values.index), name="code")
    weights = np.array([k.weight for k in spec.kpis]) / sum(k.weight for k in spec.kpis)
    table = np.full((len(codes), len(ids)), np.nan)
    parts = []
    for j, kpi in enumerate(spec.kpis):
        raw = values[kpi.id] if kpi.id in values else pd.Series(np.nan, index=values.index)
        x = raw.reindex(codes).to_numpy(dtype=np.float64)
        table[:, j] = kpi_score(x, base=kpi.base, target=kpi.target)
        parts.append(
            pd.DataFrame(
                {
                    "code": codes, "kpi": kpi.id, "value": x, "unit": kpi.unit, "base": kpi.base,
                    "target": kpi.target, "score": table[:, j], "deviation": x - kpi.target,
                    "gap": (kpi.target - x) / (kpi.target - kpi.base), "weight": weights[j],
                }
            )
        )  # fmt: skip
    known = ~np.isnan(table)
    coverage = known @ weights
    held = np.where(known, table, 0.0) @ weights
    enough = (coverage > 0) & (coverage >= spec.coverage_min - 1e-12)
    score = np.where(enough, held / np.where(coverage > 0, coverage, 1.0), np.nan)
    frame = pd.DataFrame({"score": score, "coverage": coverage}, index=codes)
    frame["rank"] = frame["score"].round(12).rank(ascending=False, method="min")
    groups = None if spec.peers is None else peer_groups(spec.peers, codes, indicators)
    frame["peer_group"] = pd.Series(None, index=codes, dtype=object)
    if groups is not None:
        frame["peer_group"] = groups.group
    in_group = frame["score"].round(12).groupby(frame["peer_group"])
    frame["peer_rank"] = in_group.rank(ascending=False, method="min")
    frame["peers"] = in_group.transform("count")
    detail = pd.concat(parts, ignore_index=True)
    notices = _notices(frame, groups, ids, known)
    document = {
        "scores": rows_of(frame.reset_index()),
        "kpis": rows_of(detail),
        "peer_groups": None
        if groups is None
        else {"formula": groups.formula, "centre": groups.centre},
        "formula": "score_k = clip((x − base) / (target − base), 0, 1.2); score = weighted mean "
        "of the reported figures",
        "notices": [n.model_dump(exclude_none=True) for n in notices],
    }
    return Scorecard(frame, detail, groups, document, notices)


def _notices(
    frame: pd.DataFrame,
    groups: PeerGroups | None,
    ids: list[str],
    known: npt.NDArray[np.bool_],
) -> tuple[Text, ...]:
    out = []
    silent = [name for j, name in enumerate(ids) if not known[:, j].any()]
    if silent:
        text = ", ".join(silent)
        out.append(
            Text(en=f"No region reports {text}.", fa=f"هیچ منطقه‌ای {text} را گزارش نکرده است.")
        )
    unscored = ", ".join(frame.index[frame["score"].isna()])
    if unscored:
        out.append(
            Text(
                en=f"Too little is reported for a score: {unscored}.",
                fa=f"گزارش کافی برای امتیاز نیست: {unscored}.",
            )
        )
    alone = ", ".join(frame.index[frame["peer_group"].isna()]) if groups is not None else ""
    if alone:
        out.append(
            Text(
                en=f"In no peer group, as a figure of them is unknown or none holds them: {alone}.",
                fa=f"در هیچ گروه هم‌تراز نیستند: {alone}.",
            )
        )
    return tuple(out)
