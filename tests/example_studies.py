"""The made-up run with every study that a scenario can ask for, as the studies write them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from example_result import example_result

from geoplan.catalogue import Scenario
from geoplan.mcda.value_statistics import Histogram, ValueStatistics
from geoplan.siting.result import SitingResult
from geoplan.studies.ranking import methods_of
from geoplan.studies.smaa import smaa_of

__all__ = ["studied_result", "study_documents"]


def _scenario() -> Scenario:
    plain = example_result().scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return Scenario.model_validate(
        plain | {"ranking": {}, "robustness": {"draws": 2000, "seed": 7, "plans": 50}}
    )


def _candidates() -> Any:
    """Return the six candidates with values that tell them apart."""
    frame = example_result().candidates.copy()
    values = {
        "road": [0.98, 0.60, 0.90, 0.85, 0.30, 0.75],
        "deprivation": [0.70, 0.95, 0.60, 0.75, 0.99, 0.40],
        "slope": [1.00, 0.90, 0.85, 0.55, 0.80, 0.75],
    }
    weights = example_result().weights
    score = np.zeros(len(frame))
    for name, column in values.items():
        frame[f"value_{name}"] = column
        frame[f"contribution_{name}"] = weights[name] * np.array(column)
        score += weights[name] * np.array(column)
    frame["score"] = score
    frame["rank"] = (-pd.Series(score, index=frame.index)).rank(method="first").astype(int)
    frame = frame.sort_values("rank")
    frame["inclusion_acceptability"] = [0.98, 0.7, 0.3, 0.12, 0.0, 0.0]
    return frame


def study_documents() -> dict[str, Any]:
    """Return documents of the studies whose producers need a whole country."""
    before = {"gini_before": 0.412, "theil_t_before": 0.305}
    points = [
        {"point": 1, "efficiency": 1.80, "equity": 9000.0, "gap": 0.0, "proven": True,
         "cost": 1.3e10, "benefit": 24000.0, "share_less_industrialised": 0.5, **before,
         "gini_after": 0.401, "theil_t_after": 0.291, "is_plan": True,
         "sites": ["s0001", "s0002"], "entering": [], "leaving": [], "bound": 1.8,
         "gained": {"0101": 12000.0, "0201": 12000.0}},
        {"point": 2, "efficiency": 1.61, "equity": 12400.0, "gap": 0.0, "proven": True,
         "cost": 1.5e10, "benefit": 25000.0, "share_less_industrialised": 0.5, **before,
         "gini_after": 0.388, "theil_t_after": 0.270, "is_plan": False,
         "sites": ["s0001", "s0005"], "entering": ["s0005"], "leaving": ["s0002"], "bound": 1.61,
         "gained": {"0101": 12000.0, "0201": 13000.0}},
        {"point": 3, "efficiency": 1.42, "equity": 15100.0, "gap": 0.02, "proven": False,
         "cost": 1.9e10, "benefit": 26000.0, "share_less_industrialised": 1.0, **before,
         "gini_after": 0.371, "theil_t_after": 0.252, "is_plan": False,
         "sites": ["s0002", "s0005"], "entering": ["s0002"], "leaving": ["s0001"], "bound": 1.45,
         "gained": {"0201": 26000.0}},
    ]  # fmt: skip
    return {
        "pareto": {
            "objective": "deprivation", "level": 2, "measure": "jobs", "equity_unit": "jobs",
            "more_is_better": True, "status": "time-limit", "complete": False, "asked": 8,
            "efficiency_step": 1e-6, "equity_step": 1.0, "open_between": [[2, 3]],
            "plan": {"efficiency": 1.80, "equity": 9000.0, "cost": 1.3e10, "point": 1},
            "regions": [
                {"code": "0101", "name_en": "West", "name_local": "باختر", "population": 1e5,
                 "before": 9000.0, "industrialisation": 0.75, "counted": True},
            ],
            "points": points,
        },
        "inclusion": {
            "asked": 50, "plans": 48, "infeasible": 2, "unproven": 1, "demand_half_width": 0.15,
            "headroom_half_width": 0.2, "gap": 1e-3, "kept": [0, 16, 32],
            "sites": [
                {"site_id": "s0001", "inclusion": 0.98, "standard_error": 0.02},
                {"site_id": "s0002", "inclusion": 0.70, "standard_error": 0.066},
                {"site_id": "s0005", "inclusion": 0.30, "standard_error": 0.066},
                {"site_id": "s0003", "inclusion": 0.12, "standard_error": 0.047},
            ],
        },
        "alternatives": {
            "best": {"sites": ["s0001", "s0002"], "worth": 1.80, "cost": 1.375e10},
            "within": 0.05, "differ_min": 1, "ended": "worth",
            "plans": [
                {"number": 1, "sites": ["s0001", "s0005"], "worth": 1.77, "loss": 0.03,
                 "bound": 1.771, "cost": 1.4e10, "status": "optimal", "leave": ["s0002"],
                 "enter": ["s0005"]},
            ],
        },
        "trade_offs": {
            "gap": 1e-4,
            "sites": [
                {"site_id": "s0001", "direction": "out", "status": "optimal", "loss": 0.21,
                 "loss_at_least": 0.209, "leave": ["s0001"], "enter": ["s0003"]},
                {"site_id": "s0002", "direction": "out", "status": "infeasible", "loss": None,
                 "loss_at_least": None, "leave": [], "enter": []},
                {"site_id": "s0005", "direction": "in", "status": "optimal", "loss": 0.03,
                 "loss_at_least": 0.03, "leave": ["s0002"], "enter": ["s0005"]},
            ],
        },
        "backtest": {
            "layer": "estates", "where": None,
            "text": {
                "en": "4 existing estates score, on average, above 71.5 % of the allowed land.",
                "local": "۴ شهرک موجود به‌طور میانگین امتیازی بالاتر از ۷۱٫۵ ٪ زمین مجاز دارند.",
            },
            "estates": 4, "unscored": 1, "mean_percentile": 71.5, "standard_error": 9.0,
            "upper_quarter": 0.5, "excluded": 0.25,
            "rows": [
                {"key": "e1", "name_en": "Old estate", "name_local": "شهرک کهن",
                 "area_ha": 240.0, "score": 0.91, "percentile": 96.2, "removed": ""},
                {"key": "e2", "name_en": None, "name_local": None, "area_ha": 90.0,
                 "score": 0.55, "percentile": 46.8,
                 "removed": "settlements (62 %); slope (4 %)"},
                {"key": "e3", "name_en": "Far estate", "name_local": None, "area_ha": 60.0,
                 "score": float("nan"), "percentile": float("nan"), "removed": ""},
            ],
        },
    }  # fmt: skip


def _statistics() -> tuple[dict[str, ValueStatistics], dict[str, Histogram]]:
    rng = np.random.default_rng(7)
    spreads = {"road": rng.gamma(2.0, 9.0, 5000), "slope": rng.gamma(1.5, 4.0, 5000)}
    statistics, histograms = {}, {}
    for name, values in spreads.items():
        counts, edges = np.histogram(values, bins=40)
        statistics[name] = ValueStatistics(
            min=float(values.min()), max=float(values.max()), mean=float(values.mean()),
            std=float(values.std()), count=len(values),
        )  # fmt: skip
        histograms[name] = Histogram(tuple(edges.tolist()), tuple(counts.tolist()))
    return statistics, histograms


def studied_result(**changes: Any) -> SitingResult:
    """Return the run with all studies; ``changes`` replace fields of `SitingResult`."""
    scenario = _scenario()
    candidates = _candidates()
    base = example_result()
    methods, methods_document, _ = methods_of(candidates, scenario, base.weights)
    smaa, smaa_document, _ = smaa_of(candidates, scenario, base.weights)
    statistics, histograms = _statistics()
    portfolio = base.portfolio.assign(level=[1.0, 0.5], water_shortfall=[0.0, 250.0])
    caps = pd.DataFrame(
        {"id": ["basin-a"], "resource": ["water"], "sources": [2], "max": [2000.0],
         "used": [2000.0], "unit": ["m3/day"], "basis": ["assumed"]}
    )  # fmt: skip
    documents = study_documents() | {"methods": methods_document, "smaa": smaa_document}
    result = replace(
        base,
        scenario=scenario,
        candidates=candidates,
        portfolio=portfolio,
        caps=caps,
        methods=methods,
        smaa=smaa,
        documents=documents,
        value_statistics=statistics,
        value_histograms=histograms,
    )
    return replace(result, **changes)
