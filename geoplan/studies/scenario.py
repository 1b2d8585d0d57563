"""Check a scenario against profile, catalogue and database before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from geoplan.catalogue import LayerSpec, Profile, Scenario
from geoplan.catalogue.profile import Rule
from geoplan.catalogue.scenario import ExclusionRule
from geoplan.errors import GeoPlanError, Problem
from geoplan.expression import columns_of

__all__ = ["TABLE_COLUMNS", "problems_of", "resolve_rule"]

TABLE_COLUMNS: dict[str, tuple[str, ...]] = {
    "features": (),
    "regions": ("code", "parent_code", "level", "population", "area_km2"),
    "region_facts": ("region_code", "variable", "value", "unit"),
    "estates": ("kind", "ownership", "status", "region_code", "gross_ha"),
    "phases": ("estate_key", "number", "gross_ha", "industrial_ha"),
    "blocks": ("phase_key", "number"),
    "plots": ("block_key", "number", "area_m2", "frontage_m", "depth_m", "zone", "status"),
    "utility_nodes": ("resource", "kind", "capacity", "committed", "headroom", "unit", "basis"),
    "utility_lines": ("resource", "kind", "voltage_kv", "capacity", "committed", "headroom"),
    "raster": (),
}
"""Columns that a table has whatever the layer's fields are."""


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


def problems_of(
    scenario: Scenario,
    profile: Profile,
    layers: Mapping[str, LayerSpec],
    loaded: Mapping[str, Any],
) -> list[Problem]:
    """Return every problem of a scenario that its own model cannot see.

    Parameters
    ----------
    scenario, profile
        The question and the country.
    layers : mapping
        Catalogue by layer id.
    loaded : mapping
        Layer ids that have a current version in the database.

    Returns
    -------
    list of Problem
        Each with its path in the scenario file and its remedy; empty when it can run.
    """
    found: list[Problem] = []

    def add(where: str, what: str, remedy: str, code: str) -> None:
        found.append(Problem(where, what, remedy, code=code))

    def near(name: str, known: list[str]) -> str:
        close = get_close_matches(name, known, n=1)
        return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"

    def layer(where: str, name: str, *, kind: str | None = None, table: str | None = None) -> None:
        spec = layers.get(name)
        if spec is None:
            add(where, f"unknown layer '{name}'", near(name, list(layers)), "unknown-layer")
            return
        if kind is not None and spec.kind != kind:
            add(
                where,
                f"layer '{name}' is a {spec.kind}, not a {kind}",
                "name another layer",
                "kind",
            )
            return
        if table is not None and spec.table != table:
            add(
                where,
                f"layer '{name}' holds {spec.table}, not {table}",
                f"name a layer of {table}",
                "kind",
            )
            return
        needed = spec.derived.source if spec.derived else name
        if needed not in loaded:
            add(
                where,
                f"layer '{needed}' has not been loaded",
                "load the pack that brings it: geoplan pack load",
                "not-loaded",
            )

    def expression(where: str, name: str | None, text: str | None) -> None:
        if text is None or name is None or name not in layers:
            return
        spec = layers[name]
        known = {"key", "name_en", "name_local", *spec.fields, *TABLE_COLUMNS[spec.table]}
        try:
            used = columns_of(text)
        except GeoPlanError as error:
            add(where, error.what, error.remedy, "expression")
            return
        for column in used:
            if column not in known:
                add(
                    where,
                    f"layer '{name}' has no column '{column}'",
                    near(column, sorted(known)),
                    "unknown-column",
                )

    layer("area.layer", scenario.area.layer, kind="vector", table="regions")
    for column in scenario.area.where or {}:
        if column not in TABLE_COLUMNS["regions"]:
            add(
                f"area.where.{column}",
                f"regions have no column '{column}'",
                f"use one of: {', '.join(TABLE_COLUMNS['regions'])}",
                "unknown-column",
            )
    for number, rule in enumerate(scenario.exclude):
        where = f"exclude[{number}] {rule.id}"
        if rule.layer is not None:
            layer(f"{where}.layer", rule.layer, kind="vector")
            expression(f"{where}.where", rule.layer, rule.where)
        if rule.raster is not None:
            layer(f"{where}.raster", rule.raster, kind="raster")
        try:
            resolved, _ = resolve_rule(rule, profile)
        except KeyError:
            rules = [f"{s.id}/{r.id}" for s in profile.rule_sets for r in s.rules]
            add(
                f"{where}.rule",
                f"profile '{profile.id}' has no rule '{rule.rule}'",
                near(str(rule.rule), rules),
                "unknown-rule",
            )
            continue
        if rule.layer and resolved.within_m is None and resolved.beyond_m is None:
            add(
                f"{where}.rule",
                f"rule '{rule.rule}' has no distance",
                "give 'within_m' beside it",
                "no-distance",
            )
        if resolved.basis is None:
            add(
                f"{where}.basis", "no legal or customary basis", "add 'basis' or 'rule'", "no-basis"
            )
    ids = [r.id for r in scenario.exclude]
    for name in sorted({i for i in ids if ids.count(i) > 1}):
        add("exclude", f"rule id '{name}' is used twice", "give each rule its own id", "duplicate")
    if len(ids) > 64:
        add("exclude", f"{len(ids)} rules", "at most 64 rules in one scenario", "too-many")

    for name, criterion in scenario.criteria.items():
        where = f"criteria.{name}"
        if criterion.layer is not None:
            layer(f"{where}.layer", criterion.layer, kind="vector")
            expression(f"{where}.where", criterion.layer, criterion.where)
            expression(f"{where}.weight_field", criterion.layer, criterion.weight_field)
        if criterion.raster is not None:
            layer(f"{where}.raster", criterion.raster, kind="raster")
            spec = layers.get(criterion.raster)
            if spec and spec.unit and criterion.unit and spec.unit != criterion.unit:
                add(
                    f"{where}.unit",
                    f"raster '{criterion.raster}' is in {spec.unit}, not {criterion.unit}",
                    f"write unit: {spec.unit} and thresholds in {spec.unit}",
                    "unit",
                )
            if spec and spec.categorical != (criterion.value.kind == "categorical"):
                kind = "classes" if spec.categorical else "numbers"
                add(
                    f"{where}.value",
                    f"raster '{criterion.raster}' holds {kind}",
                    "use kind categorical for classes, and only for classes",
                    "value-kind",
                )
        if criterion.measure in ("distance", "density") and criterion.value.kind == "identity":
            add(
                f"{where}.value",
                f"a {criterion.measure} needs a value function",
                "add value: {kind: linear, best: …, worst: …}",
                "value-kind",
            )
    found += _weights(scenario)
    known_classes = set(profile.demand_classes)
    for name in scenario.demand.mix:
        if name not in known_classes:
            add(
                f"demand.mix.{name}",
                f"profile '{profile.id}' has no activity class '{name}'",
                near(name, sorted(known_classes)),
                "unknown-class",
            )
    for resource in ("water", "power", "wastewater"):
        supply = getattr(scenario.supply, resource)
        for number, name in enumerate(supply.layers):
            layer(f"supply.{resource}.layers[{number}]", name, kind="vector", table="utility_nodes")
        if not supply.layers and not supply.own:
            add(
                f"supply.{resource}",
                f"no source of {resource} and no own supply",
                "name at least one layer of sources, or own supply",
                "no-supply",
            )
    levels = {level.level for level in profile.region_levels}
    if scenario.portfolio.per_region_max is not None and (
        scenario.portfolio.region_level not in levels
    ):
        add(
            "portfolio.region_level",
            f"the profile has no region level {scenario.portfolio.region_level}",
            f"use one of: {', '.join(map(str, sorted(levels)))}",
            "unknown-level",
        )
    low, high = scenario.candidates.area_ha
    cell_ha = scenario.grid.cell_m**2 / 10_000
    if high < cell_ha:
        add(
            "candidates.area_ha",
            f"the largest site ({high:g} ha) is smaller than one cell ({cell_ha:g} ha)",
            "use a smaller grid.cell_m",
            "impossible-size",
        )
    elif low < 4 * cell_ha:
        add(
            "candidates.area_ha",
            f"the smallest site ({low:g} ha) has fewer than 4 cells of {cell_ha:g} ha",
            f"use grid.cell_m ≤ {int((low * 10_000 / 4) ** 0.5)}",
            "impossible-size",
        )
    if scenario.candidates.keep < scenario.portfolio.count:
        add(
            "candidates.keep",
            f"{scenario.candidates.keep} candidates are kept for {scenario.portfolio.count} sites",
            "keep more candidates than sites",
            "impossible-size",
        )
    return found


def _weights(scenario: Scenario) -> list[Problem]:
    """Return the problems of the weights: missing, for unknown criteria, or all zero."""
    names = set(scenario.criteria)
    spec = scenario.weights
    out: list[Problem] = []
    if spec.method == "ahp":
        used = {part for pair in spec.pairs or {} for part in pair.split("/")}
        for name in sorted(used - names):
            out.append(
                Problem("weights.pairs", f"no criterion '{name}'", "use the ids under 'criteria'")
            )
        for name in sorted(names - used):
            if len(names) > 1:
                out.append(
                    Problem("weights.pairs", f"criterion '{name}' is in no pair", "compare it")
                )
        return out
    given: dict[str, float | None] = dict(spec.weights or {}) or {
        n: c.weight for n, c in scenario.criteria.items()
    }
    for name in sorted(set(given) - names):
        out.append(Problem(f"weights.weights.{name}", "no such criterion", "remove it"))
    for name in sorted(names):
        if given.get(name) is None:
            out.append(
                Problem(
                    f"criteria.{name}.weight",
                    "no weight",
                    "give every criterion a weight, or use weights: {method: ahp, pairs: …}",
                )
            )
    if not any(w for w in given.values()):
        out.append(Problem("weights", "all weights are 0", "give at least one above 0"))
    return out
