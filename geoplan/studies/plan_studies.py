"""What is asked of a plan once it is found: other plans, single sites, drawn states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geoplan.catalogue import Scenario
from geoplan.catalogue.alternatives import AlternativesSpec
from geoplan.catalogue.text import Text
from geoplan.mcda.leave_one_out import adds_up
from geoplan.mcda.weight_draws import sampler
from geoplan.siting.alternatives import Alternatives, alternatives
from geoplan.siting.forced import forced
from geoplan.siting.portfolio import Plan
from geoplan.siting.problem import PortfolioProblem
from geoplan.siting.result import Reason
from geoplan.siting.robustness import draw, inclusion
from geoplan.siting.sentences import Amount, both
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
    notice = _alternatives_notice(found, spec, kept=len(kept), count=len(plan.chosen))
    return Study(found.frame, document, {}, (notice,))


def _alternatives_notice(
    found: Alternatives, spec: AlternativesSpec, *, kept: int, count: int
) -> Text:
    share = _percent(1 - spec.within)
    if len(found.frame):
        return both(
            "Other plans worth at least {share} of the best one: {n} found; {kept} of its {count} "
            "sites are in all of them.",
            "برنامه‌های دیگری که دست‌کم {share} بهترین برنامه می‌ارزند: {n} برنامه یافت شد؛ {kept} "
            "شهرک از {count} شهرک آن در همهٔ آن‌هاست.",
            n=len(found.frame),
            share=share,
            kept=kept,
            count=count,
        )
    if found.ended == "time-limit":
        return both(
            "Whether another plan is worth at least {share} of the best one was not settled in "
            "the time given.",
            "اینکه برنامهٔ دیگری دست‌کم {share} بهترین برنامه می‌ارزد یا نه، در زمان داده‌شده روشن "
            "نشد.",
            share=share,
        )
    if found.ended == "infeasible":
        return both(
            "No other plan that differs enough keeps all limits.",
            "هیچ برنامهٔ دیگری با تفاوت کافی همهٔ محدودیت‌ها را رعایت نمی‌کند.",
        )
    return both(
        "No other plan is worth at least {share} of the best one.",
        "هیچ برنامهٔ دیگری دست‌کم {share} بهترین برنامه نمی‌ارزد.",
        share=share,
    )


def _percent(share: float) -> Amount:
    """Return a share in percent with the digits that it needs: 99.9 % is not 100 %."""
    value = round(100 * share, 6)
    decimals = next((d for d in range(4) if round(value, d) == value), 4)
    return Amount(value, "%", decimals)


def single_sites(
    problem: PortfolioProblem, plan: Plan, scenario: Scenario, frame: pd.DataFrame
) -> Study:
    """Return what keeping each chosen site out, and putting each of the next best in, costs."""
    spec = scenario.trade_offs
    if spec is None or not plan.chosen:
        return Study(pd.DataFrame(), {}, {})
    able = frame.index[plan.served_alone.reindex(frame.index).astype(bool)]
    settled = set(plan.chosen) | problem.lock_out
    others = [str(s) for s in able if s not in settled][: spec.into]
    # A site that the scenario locks is no choice, so it has no price.
    free = [s for s in plan.chosen if s not in problem.lock_in]
    found = forced(
        problem,
        plan,
        out=free if spec.out else (),
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
    generator = np.random.default_rng([spec.seed, 2**32 - 1])
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
    notices = [inclusion_notice(found, len(plan.chosen))]
    if not adds_up(scenario.aggregation):
        notices.append(
            both(
                "In the drawn states candidates score by the weighted sum of their values, while "
                "the plan itself was chosen by another way of joining them; how often its sites "
                "stay also tells of that difference.",
                "در حالت‌های قرعه‌کشی‌شده امتیاز نامزدها جمع وزنی ارزش‌هاست، ولی خود برنامه با روش "
                "دیگری از ترکیب ارزش‌ها برگزیده شده است؛ بسامد ماندن شهرک‌ها این تفاوت را نیز نشان "
                "می‌دهد.",
            )
        )
    return Study(found.sites, document, reasons, tuple(notices))
