"""Checks of where a scenario looks, and of its exclusion rules."""

from __future__ import annotations

from typing import Any

from geoplan.catalogue import Profile
from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.catalogue.profile import Rule
from geoplan.studies.scenario_case import TABLE_COLUMNS, Case, near

__all__ = ["check_land", "resolve_rule"]


def resolve_rule(rule: ExclusionRule, profile: Profile) -> tuple[ExclusionRule, Rule | None]:
    """Return an exclusion with distance, basis and status filled in from the profile's rule.

    Raises
    ------
    KeyError
        The profile has no such rule.
    """
    if rule.rule is None:
        return rule, None
    set_id, _, rule_id = rule.rule.partition("/")
    found = next(
        (r for s in profile.rule_sets if s.id == set_id for r in s.rules if r.id == rule_id), None
    )
    if found is None:
        raise KeyError(rule.rule)
    update: dict[str, Any] = {
        "basis": rule.basis or found.basis,
        "status": rule.status or found.status,
        "title": rule.title or found.title,
    }
    if rule.layer is not None and rule.within_m is None and rule.beyond_m is None:
        update["within_m"] = found.distance_m
    return rule.model_copy(update=update), found


def check_land(case: Case) -> None:
    """Note the problems of ``area`` and ``exclude``."""
    scenario, profile = case.scenario, case.profile
    case.layer("area.layer", scenario.area.layer, kind="vector", table="regions")
    for column in scenario.area.where or {}:
        if column not in TABLE_COLUMNS["regions"]:
            case.add(
                f"area.where.{column}",
                f"regions have no column '{column}'",
                f"use one of: {', '.join(TABLE_COLUMNS['regions'])}",
                "unknown-column",
            )
    for number, rule in enumerate(scenario.exclude):
        where = f"exclude[{number}] {rule.id}"
        if rule.layer is not None:
            case.layer(f"{where}.layer", rule.layer, kind="vector")
            case.expression(f"{where}.where", rule.layer, rule.where)
        if rule.raster is not None:
            case.layer(f"{where}.raster", rule.raster, kind="raster")
        if rule.extent is not None and rule.extent.layer is not None:
            case.layer(f"{where}.extent.layer", rule.extent.layer, kind="vector")
            case.expression(f"{where}.extent.where", rule.extent.layer, rule.extent.where)
        _over(case, rule, where)
        try:
            resolved, _ = resolve_rule(rule, profile)
        except KeyError:
            rules = [f"{s.id}/{r.id}" for s in profile.rule_sets for r in s.rules]
            case.add(
                f"{where}.rule",
                f"profile '{profile.id}' has no rule '{rule.rule}'",
                near(str(rule.rule), rules),
                "unknown-rule",
            )
            continue
        if rule.layer and resolved.within_m is None and resolved.beyond_m is None:
            case.add(
                f"{where}.rule",
                f"rule '{rule.rule}' has no distance",
                "give 'within_m' beside it",
                "no-distance",
            )
        if resolved.basis is None:
            case.add(
                f"{where}.basis", "no legal or customary basis", "add 'basis' or 'rule'", "no-basis"
            )
    ids = [r.id for r in scenario.exclude]
    for name in sorted({i for i in ids if ids.count(i) > 1}):
        case.add(
            "exclude", f"rule id '{name}' is used twice", "give each rule its own id", "duplicate"
        )
    if len(ids) > 64:
        case.add("exclude", f"{len(ids)} rules", "at most 64 rules in one scenario", "too-many")


def _over(case: Case, rule: ExclusionRule, where: str) -> None:
    """Note rules that land is to be forced in over, and that remove none."""
    removing = [r.id for r in case.scenario.exclude if r.effect == "exclude"]
    for name in rule.over or ():
        if name not in removing:
            case.add(
                f"{where}.over",
                f"there is no rule '{name}' that removes land",
                near(name, removing) if removing else "add a rule that removes land",
                "unknown-rule",
            )
    if rule.effect == "include" and not removing:
        case.add(
            f"{where}.effect",
            "land is forced in, and no rule removes any",
            "take the rule out, or add the rules that it stands against",
            "no-effect",
        )
