"""Canned studies of a run: the front, other plans, inclusion, ranks, other methods, a back-test."""

from __future__ import annotations

from typing import Any

__all__ = ["PLACE", "study_answers"]

PLACE = {
    "score": 0.41, "percentile": 37.5, "site_id": None,
    "reasons": [
        {"code": "allowed", "text": {"en": "No rule removes this place.",
                                     "local": "هیچ قاعده‌ای این‌جا را حذف نمی‌کند."}},
        {"code": "score", "text": {"en": "It scores 0.41, above 37.5 % of the allowed land.",
                                   "local": "امتیاز آن ۰٫۴۱ و بالاتر از ۳۷٫۵ ٪ زمین مجاز است."}},
    ],
}  # fmt: skip
"""What the service says of any place, but for where it is."""

_METHODS = ("topsis", "vikor", "promethee", "spotis")


def study_answers(sites: list[dict[str, Any]]) -> dict[str, Any]:
    """Return study → document, as `geoplan.studies` writes them, about these candidates."""
    chosen = [s["site_id"] for s in sites if s["in_portfolio"]]
    others = [s["site_id"] for s in sites if not s["in_portfolio"]]
    return {
        "pareto": _front(chosen, others),
        "inclusion": {
            "asked": 50, "plans": 48, "infeasible": 2, "unproven": 0, "demand_half_width": 0.15,
            "headroom_half_width": 0.2, "gap": 1e-3, "kept": [0] * len(chosen) + [48],
            "sites": [
                {"site_id": site, "inclusion": share, "standard_error": 0.04}
                for site, share in zip([*chosen[:-1], *others[:3]],
                                       [0.98, 0.9, 0.85, 0.8, 0.72, 0.6, 0.5, 0.3, 0.2, 0.1],
                                       strict=False)
            ],
        },
        "alternatives": {
            "best": {"sites": chosen, "worth": 11.42, "cost": 2.1e13}, "within": 0.05,
            "differ_min": 1, "ended": "worth",
            "plans": [
                {"number": n + 1, "sites": [*chosen[: -1 - n], *others[: n + 1]],
                 "worth": 11.42 - loss, "loss": loss, "bound": 11.42 - loss, "cost": 2.2e13,
                 "status": "optimal", "leave": chosen[-1 - n :], "enter": others[: n + 1]}
                for n, loss in enumerate((0.03, 0.21))
            ],
        },
        "smaa": {
            "draws": 10000, "top": len(chosen), "candidates": len(sites), "ranked": len(sites),
            "sites": [
                {"site_id": site, "first_acceptability": 0.4 / (n + 1),
                 "top_acceptability": max(0.95 - 0.05 * n, 0.0), "standard_error": 0.004,
                 "mean_rank": n + 1.5, "confidence": None, "central": {}, "ranks": [0.1] * 10}
                for n, site in enumerate([s["site_id"] for s in sites[:50]])
            ],
        },
        "methods": {
            "methods": list(_METHODS), "top": len(chosen), "candidates": len(sites),
            "best": {
                m: [s["site_id"] for s in sites[k : k + len(chosen)]]
                for k, m in enumerate(_METHODS)
            },
            "agreement": [
                {"first": first, "second": second, "kendall_tau_b": 0.9 - 0.07 * k,
                 "spearman_rho": 0.95, "top_overlap": 0.8}
                for k, (first, second) in enumerate(
                    (a, b) for i, a in enumerate(("score", *_METHODS)) for b in _METHODS[i:]
                )
            ],
        },
        "backtest": {
            "layer": "estates", "where": None, "estates": 12, "unscored": 1,
            "text": {
                "en": "12 existing estates score, on average, above 71.5 % of the allowed land.",
                "local": "۱۲ شهرک موجود به‌طور میانگین امتیازی بالاتر از ۷۱٫۵ ٪ زمین مجاز دارند.",
            },
        },
    }  # fmt: skip


def _front(chosen: list[str], others: list[str]) -> dict[str, Any]:
    points = []
    for n in range(4):
        kept = chosen[: len(chosen) - n]
        points.append({
            "point": n + 1, "efficiency": 11.42 - 0.6 * n, "equity": 41000.0 + 9000 * n,
            "gap": 0.0, "proven": n != 3, "cost": 2.1e13 + 1e12 * n, "benefit": 1e5,
            "share_less_industrialised": 0.5 + 0.1 * n, "gini_before": 0.412,
            "gini_after": 0.401 - 0.01 * n, "theil_t_before": 0.305,
            "theil_t_after": 0.291 - 0.01 * n, "is_plan": n == 0,
            "sites": [*kept, *others[:n]], "entering": others[n - 1 : n] if n else [],
            "leaving": [chosen[-n]] if n else [], "bound": 11.42 - 0.6 * n, "gained": {},
        })  # fmt: skip
    return {
        "objective": "deprivation", "level": 1, "measure": "jobs", "equity_unit": "jobs",
        "more_is_better": True, "status": "time-limit", "complete": False, "asked": 8,
        "efficiency_step": 1e-6, "equity_step": 1.0, "open_between": [[3, 4]],
        "plan": {"efficiency": 11.42, "equity": 41000.0, "cost": 2.1e13, "point": 1},
        "regions": [], "points": points,
    }  # fmt: skip
