"""What on the page is not certain: coefficients without a firm basis, limits, methods of layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from geoplan.catalogue.text import Coefficient, Text
from geoplan.errors import Relaxation
from geoplan.report.language import Language
from geoplan.siting.result import SitingResult

__all__ = ["layer_method", "limit_words", "uncertain_coefficients"]

_CERTAIN = ("in force", "read", "calculated")


def uncertain_coefficients(
    result: SitingResult,
) -> list[tuple[Text | str, list[tuple[str, Coefficient]]]]:
    """Return the coefficients in use whose status is not certain.

    One entry for each coefficient, or for those of one activity that share status and basis:
    what it belongs to, and pairs of word and coefficient.
    """
    rows: list[tuple[Text | str, list[tuple[str, Coefficient]]]] = [
        (name, [("", c)])
        for name, c in result.profile.coefficients.items()
        if c.status not in _CERTAIN
    ]
    for name, share in result.scenario.demand.mix.items():
        activity = result.profile.demand_classes.get(name)
        if activity is None or not share > 0:
            continue
        groups: dict[tuple[str, str], list[tuple[str, Coefficient]]] = {}
        for word, c in (
            ("water_per_ha", activity.water),
            ("return_ratio", activity.return_ratio),
            ("connected_power", activity.connected_power),
            ("coincidence", activity.coincidence),
            ("jobs_per_ha", activity.jobs),
        ):
            if c.status not in _CERTAIN:
                groups.setdefault((c.status, c.basis), []).append((word, c))
        rows += [(activity.title, group) for group in groups.values()]
    return rows


def limit_words(move: Relaxation, language: Language) -> Markup:
    """Return a limit in words; one without Persian words stays left to right on a Persian page."""
    if language.direction == "ltr":
        return Markup.escape(move.label)
    if move.label_fa:
        return Markup.escape(move.label_fa)
    return Markup('<bdi lang="en" dir="ltr">{}</bdi>').format(move.label)


def layer_method(value: Any, language: Language) -> str:
    """Return how a layer's assumed figures were derived, from a Text or its dump."""
    if isinstance(value, Text):
        return language.text(value)
    if isinstance(value, Mapping):
        return str(value.get(language.code) or value.get("local") or value.get("en") or "")
    return str(value or "")
