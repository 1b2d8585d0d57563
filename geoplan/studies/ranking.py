"""The candidates of a run by other methods than its score, and how far these agree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from geoplan.catalogue import Scenario
from geoplan.catalogue.ranking import Method, RankingSpec
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound, ShapeError
from geoplan.mcda.promethee import GAUSSIAN_MOST
from geoplan.mcda.ranking import Agreement, RankingResult, rank_by
from geoplan.siting.sentences import Amount, Named, both, joined

__all__ = ["METHOD_NAMES", "candidate_values", "methods_of", "ranking_problems"]

METHOD_NAMES: Mapping[str, Named] = {
    "score": Named("the score", "امتیاز"),
    "topsis": Named("TOPSIS", "تاپسیس"),
    "vikor": Named("VIKOR", "ویکور"),
    "promethee": Named("PROMETHEE II", "پرومته ۲"),
    "spotis": Named("SPOTIS", "اسپوتیس"),
}

_COLUMNS = {
    "topsis": "topsis_closeness",
    "vikor": "vikor_q",
    "promethee": "promethee_net",
    "spotis": "spotis_distance",
}
"""Column of each method's own score."""


def ranking_problems(scenario: Scenario) -> list[Problem]:
    """Return preference functions of criteria that the scenario does not have."""
    spec = scenario.ranking
    if spec is None:
        return []
    return [
        Problem(
            f"ranking.preferences.{name}",
            f"no criterion '{name}'",
            f"the criteria are {', '.join(scenario.criteria)}",
        )
        for name in spec.preferences
        if name not in scenario.criteria
    ]


def candidate_values(
    frame: pd.DataFrame, weights: Mapping[str, float]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the candidates' values on the criteria that count, and their weights.

    Parameters
    ----------
    frame : DataFrame, index ``site_id``
        ``value_<criterion>``, 0–1.
    weights : mapping
        Criterion → weight. Criteria of weight 0 are left out.

    Returns
    -------
    (DataFrame, dict)
        One column a criterion; weights in the same order.

    Raises
    ------
    ShapeError
        The frame lacks a criterion's values.
    """
    used = {name: float(weight) for name, weight in weights.items() if weight > 0}
    absent = [name for name in used if f"value_{name}" not in frame.columns]
    if absent:
        raise ShapeError(
            f"the candidates have no values of {', '.join(absent)}",
            remedy="the columns are named value_<criterion>",
        )
    values = pd.DataFrame({name: frame[f"value_{name}"].astype(float) for name in used})
    # Values are kept in float32, whose rounding may lie a hair outside the scale.
    return values.clip(0.0, 1.0), used


def methods_of(
    frame: pd.DataFrame,
    scenario: Scenario,
    weights: Mapping[str, float],
    *,
    threads: int | None = None,
) -> tuple[pd.DataFrame, dict[str, Any], list[Text]]:
    """Return the ranks of the candidates by the methods that a scenario asks for.

    Parameters
    ----------
    frame : DataFrame, index ``site_id``
        Candidates of a run: ``rank`` and ``value_<criterion>``.
    scenario : Scenario
        ``ranking`` says which methods; absent: all, as by default.
    weights : mapping
        Weights of the run; sum 1.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    frame : DataFrame, index ``site_id``
        ``<method>_rank`` of each method, and ``topsis_closeness``; ``vikor_q``, ``vikor_s``,
        ``vikor_r``; ``promethee_net``, ``promethee_plus``, ``promethee_minus``;
        ``spotis_distance``.
    document : dict
        What was used and how far the methods agree, as JSON holds it.
    notices : list of Text
        Strong disagreement, reversals, criteria that tell nothing apart.

    Raises
    ------
    ProblemsFound
        A candidate has no value on a weighted criterion, or a preference function stands for a
        criterion that does not exist.
    """
    spec = scenario.ranking or RankingSpec()
    problems = ranking_problems(scenario)
    if problems:
        raise ProblemsFound(f"scenario {scenario.id} names criteria it does not have", problems)
    values, used = candidate_values(frame, weights)
    methods = list(spec.methods)
    notices: list[Text] = []
    gaussian = [n for n in used if spec.preferences.get(n, spec.preference).kind == "gaussian"]
    if "promethee" in methods and gaussian and len(frame) > GAUSSIAN_MOST:
        methods.remove("promethee")
        notices.append(_gaussian_left_out(scenario, gaussian, len(frame)))
    known = spec.model_copy(
        update={"preferences": {n: p for n, p in spec.preferences.items() if n in used}}
    )
    found = rank_by(
        methods,
        values,
        used,
        known,
        top=scenario.portfolio.count,
        beside={"score": frame["rank"].to_numpy(dtype=float)},
        threads=threads,
    )
    notices += _notices(found, scenario)
    return _frame(found, methods), _document(found, methods, spec, used), notices


def _frame(found: RankingResult, methods: list[Method]) -> pd.DataFrame:
    out = pd.DataFrame(index=found.ranks.index)
    for method in methods:
        out[f"{method}_rank"] = found.ranks[method]
        out[_COLUMNS[method]] = found.scores[method]
        for more in found.scores.columns:
            if more.startswith(f"{method}_"):
                out[more] = found.scores[more]
    return out


def _document(
    found: RankingResult, methods: list[Method], spec: RankingSpec, used: Mapping[str, float]
) -> dict[str, Any]:
    compromise = found.vikor
    default = spec.preference.model_dump(mode="json")
    return {
        "methods": list(methods),
        "weights": dict(used),
        "top": found.top,
        "candidates": len(found.ranks),
        "normalisation": spec.normalisation if "topsis" in methods else None,
        "preferences": {
            name: (spec.preferences[name].model_dump(mode="json"))
            if name in spec.preferences
            else default
            for name in used
        }
        if "promethee" in methods
        else None,
        "preference_status": "assumed"
        if "promethee" in methods and "preference" not in spec.model_fields_set
        else None,
        "spotis_bounds": [0.0, 1.0] if "spotis" in methods else None,
        "constant": list(found.constant),
        "ties": {name: int(number) for name, number in found.ties.items()},
        "agreement": [
            {
                "first": a.first,
                "second": a.second,
                "kendall_tau_b": _number(a.tau),
                "spearman_rho": _number(a.rho),
                "top_overlap": a.overlap,
            }
            for a in found.agreement
        ],
        "reversal": {
            name: {
                "top": r.top,
                "dropped": r.dropped,
                "dropped_changed": r.dropped_changed,
                "copied": r.copied,
                "copied_changed": r.copied_changed,
                "moved_most": r.moved_most,
                "first_changed": r.first_changed,
            }
            for name, r in found.reversal.items()
        },
        "reversal_left_out": list(found.reversal_left_out),
        "vikor": None
        if compromise is None
        else {
            "v": compromise.v,
            "compromise": [str(found.ranks.index[i]) for i in compromise.compromise],
            "advantage": compromise.advantage,
            "stability": compromise.stability,
            "equal_s": compromise.equal_s,
            "equal_r": compromise.equal_r,
        },
        "ranks": {
            str(site): {method: int(found.ranks.at[site, method]) for method in methods}
            for site in found.ranks.index
        },
        "best": {
            method: [str(site) for site in found.ranks[method].nsmallest(found.top).index]
            for method in methods
        },
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _notices(found: RankingResult, scenario: Scenario) -> list[Text]:
    out = [_disagreement(pair, found.top) for pair in found.disagreements]
    for method, test in found.reversal.items():
        if not test.free:
            out.append(
                both(
                    "{method}: the order of the best {top} changes in {changed} of {tests} "
                    "rankings when a weak candidate is left out or a dominated copy is added",
                    "{method}: با کنار گذاشتن نامزدی ضعیف یا افزودن رونوشتی مغلوب، ترتیب {top} "
                    "نامزد برتر در {changed} رتبه‌بندی از {tests} رتبه‌بندی تغییر می‌کند",
                    method=METHOD_NAMES[method],
                    top=test.top,
                    changed=test.dropped_changed + test.copied_changed,
                    tests=test.dropped + test.copied,
                )
            )
    if found.constant and len(found.ranks) > 1:
        out.append(
            both(
                "all candidates have the same value on {names}; it tells none of them apart",
                "ارزش همهٔ نامزدها در {names} یکسان است و آن‌ها را از هم جدا نمی‌کند",
                names=joined([_title(scenario, name) for name in found.constant]),
            )
        )
    regrets = found.vikor
    if regrets is not None and len(found.ranks) > 1 and (regrets.equal_s or regrets.equal_r):
        which = [
            name
            for name, equal in (
                (Named("sum of regrets", "مجموع پشیمانی‌ها"), regrets.equal_s),
                (Named("largest regret", "بیشترین پشیمانی"), regrets.equal_r),
            )
            if equal
        ]
        out.append(
            both(
                "VIKOR: all candidates have the same {which}; that part of Q is 0",
                "ویکور: {which} همهٔ نامزدها یکسان است و آن بخش از Q صفر گرفته شد",
                which=joined(which),
            )
        )
    for method in found.reversal_left_out:
        out.append(
            both(
                "{method}: rank reversal was not tested; a gaussian preference would have to "
                "compare every pair of {count} candidates again and again",
                "{method}: وارونگی رتبه آزموده نشد؛ ترجیح گاوسی باید همهٔ زوج‌های {count} نامزد "
                "را بارها مقایسه کند",
                method=METHOD_NAMES[method],
                count=len(found.ranks),
            )
        )
    return out


def _disagreement(pair: Agreement, top: int) -> Text:
    return both(
        "{first} and {second} rank the candidates very differently: Kendall's τ is {tau}, and "
        "they share {shared} of their best {top}",
        "{first} و {second} نامزدها را بسیار متفاوت رتبه‌بندی می‌کنند: تاو کندال {tau} است و از "
        "{top} نامزد برتر {shared} نامزد مشترک دارند",
        first=METHOD_NAMES[pair.first],
        second=METHOD_NAMES[pair.second],
        tau=Amount(pair.tau, "", 2),
        shared=round(pair.overlap * top),
        top=top,
    )


def _gaussian_left_out(scenario: Scenario, names: list[str], count: int) -> Text:
    return both(
        "PROMETHEE II is left out: a gaussian preference ({names}) compares every pair, which is "
        "done up to {most} candidates, and there are {count}; a linear preference has no limit",
        "پرومته ۲ کنار گذاشته شد: ترجیح گاوسی ({names}) همهٔ زوج‌ها را مقایسه می‌کند که تا {most} "
        "نامزد انجام می‌شود و اینجا {count} نامزد هست؛ ترجیح خطی محدودیتی ندارد",
        names=joined([_title(scenario, name) for name in names]),
        most=GAUSSIAN_MOST,
        count=count,
    )


def _title(scenario: Scenario, name: str) -> Named:
    title = scenario.criteria[name].title
    return Named(title.en, title.in_language("fa")) if title else Named(name, name)
