"""What is asked of a plan once it is found: other plans, single sites, drawn states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geoplan.catalogue import Scenario
from geoplan.catalogue.text import Text
from geoplan.mcda.weight_draws import sampler
from geoplan.siting.alternatives import alternatives
from geoplan.siting.forced import forced
from geoplan.siting.portfolio import Plan
from geoplan.siting.problem import PortfolioProblem
from geoplan.siting.result import Reason
from geoplan.siting.robustness import draw, inclusion
from geoplan.siting.sentences import both
from geoplan.siting.trade_words import inclusion_notice, inclusion_reason, trade_reasons
from geoplan.studies.ranking import candidate_values

__all__ = ["Study", "alternative_plans", "drawn_plans", "single_sites"]

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Study:
    """What one study found.

    Parameters
    ----------
    frame : DataFrame
        For the run's folder.
    document : dict
        For the pages.
    reasons : dict
        Site → sentences that join its others.
    notices : tuple of Text
    """

    frame: pd.DataFrame
    document: dict[str, Any]
    reasons: Mapping[str, tuple[Reason, ...]]
    notices: tuple[Text, ...] = ()


def alternative_plans(problem: PortfolioProblem, plan: Plan, scenario: Scenario) -> Study:
    """Return the near-optimal plans that the scenario asks for."""
    spec = scenario.alternatives
    if spec is None or not plan.chosen:
        return Study(pd.DataFrame(), {}, {})
    found = alternatives(
        problem, plan, spec, seed=scenario.seed % 2**31,
        time_limit_s=min(scenario.portfolio.time_limit_s, 60.0),
    )  # fmt: skip
    rows = found.frame.to_dict("records")
    document = {
        "best": {"sites": list(plan.chosen), "worth": plan.record.objective, "cost": plan.cost},
        "within": spec.within,
        "differ_min": spec.differ_min,
        "ended": found.ended,
        "plans": [{k: list(v) if isinstance(v, tuple) else v for k, v in r.items()} for r in rows],
    }
    kept = set(plan.chosen)
    for other in found.frame["sites"]:
        kept &= set(other)
    notice = (
        both(
            "{n} other plans are worth at least {share} of the best one; {kept} of its {count} "
            "sites are in all of them.",
            "{n} برنامهٔ دیگر دست‌کم {share} بهترین برنامه می‌ارزند؛ {kept} شهرک از {count} شهرک آن "
            "در همهٔ آن‌هاست.",
            n=len(rows),
            share=1 - spec.within,
            kept=len(kept),
            count=len(plan.chosen),
        )
        if rows
        else both(
            "No other plan is worth at least {share} of the best one.",
            "هیچ برنامهٔ دیگری دست‌کم {share} بهترین برنامه نمی‌ارزد.",
            share=1 - spec.within,
        )
    )
    return Study(found.frame, document, {}, (notice,))


def single_sites(
    problem: PortfolioProblem, plan: Plan, scenario: Scenario, frame: pd.DataFrame
) -> Study:
    """Return what keeping each chosen site out, and putting each of the next best in, costs."""
    spec = scenario.trade_offs
    if spec is None or not plan.chosen:
        return Study(pd.DataFrame(), {}, {})
    able = frame.index[plan.served_alone.reindex(frame.index).astype(bool)]
    others = [str(s) for s in able if s not in set(plan.chosen)][: spec.into]
    found = forced(
        problem,
        plan,
        out=plan.chosen if spec.out else (),
        into=others,
        gap=spec.gap,
        time_limit_s=spec.time_limit_s,
        seed=scenario.seed % 2**31,
    )
    rows = [
        {k: list(v) if isinstance(v, tuple) else v for k, v in r.items()}
        for r in found.to_dict("records")
    ]
    reasons = {site: (reason,) for site, reason in trade_reasons(found).items()}
    return Study(found, {"gap": spec.gap, "sites": rows}, reasons)


def drawn_plans(
    problem: PortfolioProblem,
    plan: Plan,
    scenario: Scenario,
    frame: pd.DataFrame,
    weights: Mapping[str, float],
) -> Study:
    """Return how often each candidate stands in the plan solved again in drawn states.

    Notes
    -----
    Weights are drawn as for rank acceptability, with the scenario's seed for draws; demand and
    headroom as `geoplan.siting.robustness.draw` says. Each plan is solved to ``plan_gap``.
    """
    spec = scenario.robustness
    if spec is None or not plan.chosen:
        return Study(pd.DataFrame(), {}, {})
    values, used = candidate_values(frame, weights)
    generator = np.random.default_rng([spec.seed, 1])
    drawn = sampler(spec.weights, used)(generator, spec.plans)
    states = draw(
        problem, drawn, demand_half_width=spec.demand_half_width,
        headroom_half_width=spec.headroom_half_width, seed=spec.seed,
    )  # fmt: skip
    found = inclusion(
        problem, values, states, chosen=plan.chosen, gap=spec.plan_gap,
        time_limit_s=spec.plan_time_limit_s, seed=scenario.seed % 2**31,
    )  # fmt: skip
    share = found.sites["inclusion"]
    error = found.sites["standard_error"]
    told = set(plan.chosen) | {str(s) for s in share.index[share > 0]}
    reasons = {
        s: (inclusion_reason(float(share[s]), float(error[s]), found.plans),)
        for s in told
        if found.plans
    }
    document = {
        "asked": found.asked,
        "plans": found.plans,
        "infeasible": found.infeasible,
        "unproven": found.unproven,
        "demand_half_width": spec.demand_half_width,
        "headroom_half_width": spec.headroom_half_width,
        "gap": spec.plan_gap,
        "kept": np.bincount(
            found.base_kept[found.base_kept >= 0], minlength=len(plan.chosen) + 1
        ).tolist(),
        "sites": [
            {"site_id": s, "inclusion": float(share[s]), "standard_error": float(error[s])}
            for s in share.sort_values(ascending=False, kind="stable").index
            if share[s] > 0
        ],
    }
    notice = inclusion_notice(found, len(plan.chosen))
    return Study(found.sites, document, reasons, (notice,))
