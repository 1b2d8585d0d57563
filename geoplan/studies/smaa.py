"""How firm the ranks of a run's candidates are when weights and values move."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from geoplan.catalogue import Scenario
from geoplan.catalogue.robustness import RobustnessSpec
from geoplan.catalogue.text import Text
from geoplan.errors import GeoPlanError, Problem
from geoplan.mcda.decision import decision
from geoplan.mcda.smaa import Smaa, smaa
from geoplan.mcda.weight_draws import sampler
from geoplan.siting.sentences import Amount, both
from geoplan.studies.ranking import candidate_values

__all__ = ["MOST_CANDIDATES", "robustness_problems", "smaa_of"]

MOST_CANDIDATES = 2_000
"""Candidates that are ranked in every draw; of more, the best by score."""

_SHOWN = 50
"""Candidates whose rank acceptabilities the pages show."""

_RANKS_SHOWN = 20


def robustness_problems(scenario: Scenario, weights: Mapping[str, float]) -> list[Problem]:
    """Return what of ``robustness`` does not fit the criteria and their weights.

    Parameters
    ----------
    scenario : Scenario
    weights : mapping
        Criterion → weight, sum 1; without them (not yet known) only names are checked.
    """
    spec = scenario.robustness
    if spec is None:
        return []
    out = []
    widths = spec.values_half_width
    names: list[tuple[str, str]] = []
    if isinstance(widths, dict):
        names += [("values_half_width", name) for name in widths]
    names += [("weights.intervals", name) for name in spec.weights.intervals]
    names += [("weights.order", name) for name in spec.weights.order]
    for key, name in names:
        if name not in scenario.criteria:
            out.append(
                Problem(
                    f"robustness.{key}",
                    f"no criterion '{name}'",
                    f"the criteria are {', '.join(scenario.criteria)}",
                )
            )
    used = {name: weight for name, weight in weights.items() if weight > 0}
    if not out and used:
        try:
            sampler(spec.weights, used)
        except GeoPlanError as error:
            out.append(Problem(error.where, error.what, error.remedy))
    return out


def smaa_of(
    frame: pd.DataFrame,
    scenario: Scenario,
    weights: Mapping[str, float],
    *,
    threads: int | None = None,
) -> tuple[pd.DataFrame, dict[str, Any], list[Text]]:
    """Return rank acceptabilities, central weights and confidence of the candidates.

    Parameters
    ----------
    frame : DataFrame, index ``site_id``
        Candidates of a run: ``rank`` and ``value_<criterion>``.
    scenario : Scenario
        ``robustness`` says what is drawn; absent: its defaults.
    weights : mapping
        Weights of the run; sum 1.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    frame : DataFrame, index ``site_id``
        ``first_acceptability``, ``top_acceptability`` (rank within the number of sites in the
        plan), ``standard_error`` (the larger of the two shares' errors), ``mean_rank``,
        ``confidence``, ``central_<criterion>`` (NaN: never first). Only the candidates ranked.
    document : dict
        What was drawn, and the rank acceptabilities of the best, as JSON holds it.
    notices : list of Text

    Raises
    ------
    ProblemsFound
        A candidate has no value on a weighted criterion.
    UnknownName, RangeError
        Parameters that do not fit the criteria.
    """
    spec = scenario.robustness or RobustnessSpec()
    best = frame.sort_values("rank", kind="stable").head(MOST_CANDIDATES)
    values, used = candidate_values(best, weights)
    question = decision(values, used)
    top = min(scenario.portfolio.count, len(best))
    widths = spec.values_half_width
    half = np.array(
        [widths.get(n, 0.0) if isinstance(widths, dict) else widths for n in used], dtype=float
    )
    found = smaa(
        question.values,
        sampler(spec.weights, used),
        draws=spec.draws,
        seed=spec.seed,
        half_width=half,
        ranks=max(top, _RANKS_SHOWN),
        threads=threads,
    )
    table = _table(found, best.index, list(scenario.criteria), list(used), top)
    document = _document(found, table, spec, used, half, top, len(frame), scenario)
    return table, document, _notices(table, frame, scenario, spec)


def _table(
    found: Smaa, index: pd.Index, criteria: list[str], used: list[str], top: int
) -> pd.DataFrame:
    among = found.top(top)
    out = pd.DataFrame(
        {
            "first_acceptability": found.first,
            "top_acceptability": among,
            "standard_error": np.maximum(
                found.standard_error(found.first), found.standard_error(among)
            ),
            "mean_rank": found.mean_rank,
            "confidence": found.confidence,
        },
        index=index,
    )
    first = np.where(found.counts[:, 0] > 0, 0.0, np.nan)
    for name in criteria:
        out[f"central_{name}"] = found.central[:, used.index(name)] if name in used else first
    return out


def _document(
    found: Smaa,
    table: pd.DataFrame,
    spec: RobustnessSpec,
    used: Mapping[str, float],
    half: np.ndarray[Any, np.dtype[np.float64]],
    top: int,
    candidates: int,
    scenario: Scenario,
) -> dict[str, Any]:
    shown = np.lexsort(
        (np.arange(len(table)), table["mean_rank"], -table["top_acceptability"].to_numpy())
    )[:_SHOWN]
    ranks = min(found.counts.shape[1], _RANKS_SHOWN)
    share = found.acceptability
    return {
        "draws": spec.draws,
        "seed": spec.seed,
        "value": "weighted_sum",
        "score_method": scenario.aggregation.method,
        "weights": spec.weights.model_dump(mode="json"),
        "weights_status": "stated" if "weights" in spec.model_fields_set else "assumed",
        "stated_weights": dict(used),
        "values_half_width": dict(zip(used, half.tolist(), strict=True)),
        "top": top,
        "candidates": candidates,
        "ranked": len(table),
        "largest_standard_error": 0.5 / math.sqrt(spec.draws),
        "ties": "of equal values the candidate with the better rank by score goes first",
        "sites": [
            {
                "site_id": str(table.index[i]),
                "first_acceptability": float(found.first[i]),
                "top_acceptability": float(table["top_acceptability"].iloc[i]),
                "standard_error": float(table["standard_error"].iloc[i]),
                "mean_rank": float(found.mean_rank[i]),
                "confidence": _number(float(found.confidence[i])),
                "central": {
                    name: _number(float(found.central[i, j])) for j, name in enumerate(used)
                },
                "ranks": [float(x) for x in share[i, :ranks]],
            }
            for i in shown
        ],
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _notices(
    table: pd.DataFrame, frame: pd.DataFrame, scenario: Scenario, spec: RobustnessSpec
) -> list[Text]:
    out = []
    if len(table) < len(frame):
        out.append(
            both(
                "rank acceptability is of the best {ranked} of {all} candidates by score",
                "مقبولیت رتبه برای {ranked} نامزد برتر از {all} نامزد، به ترتیب امتیاز، محاسبه شد",
                ranked=len(table),
                all=len(frame),
            )
        )
    method: str = scenario.aggregation.method
    if method != "weighted_sum":
        out.append(
            both(
                "rank acceptability adds weighted values, while the score of this scenario is "
                "put together by {method}",
                "مقبولیت رتبه ارزش‌های وزن‌دار را جمع می‌کند، ولی امتیاز این سناریو با روش "
                "{method} ساخته شده است",
                method=method,
            )
        )
    if len(table) > 1:
        often = str(table["first_acceptability"].idxmax())
        by_score = str(table.index[0])
        if table.loc[often, "first_acceptability"] > table["first_acceptability"].iloc[0]:
            out.append(
                both(
                    "{often} comes first more often than {site}, which is first by score: in "
                    "{a} % and in {b} % of {draws} draws",
                    "{often} بیش از {site} که از نظر امتیاز اول است رتبهٔ نخست را می‌گیرد: در "
                    "{a} و {b} درصد از {draws} نمونه",
                    often=often,
                    site=by_score,
                    a=Amount(100 * float(table["first_acceptability"].max()), "", 1),
                    b=Amount(100 * float(table["first_acceptability"].iloc[0]), "", 1),
                    draws=spec.draws,
                )
            )
    return out
