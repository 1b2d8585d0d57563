"""A scenario beside profile, catalogue and loaded layers, and what is found wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from geoplan.catalogue import LayerSpec, Profile, Scenario
from geoplan.errors import GeoPlanError, Problem
from geoplan.expression import columns_of

__all__ = ["TABLE_COLUMNS", "Case", "near"]

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


def near(name: str, known: list[str]) -> str:
    """Return a remedy for an unknown name: the nearest known one, else all of them."""
    close = get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(sorted(known))}"


@dataclass
class Case:
    """What a scenario is checked against, and the problems so far.

    Parameters
    ----------
    scenario, profile
        The question and the country.
    layers : mapping
        Catalogue by layer id.
    loaded : mapping
        Layer ids that have a current version in the database.
    """

    scenario: Scenario
    profile: Profile
    layers: Mapping[str, LayerSpec]
    loaded: Mapping[str, Any]
    found: list[Problem] = field(default_factory=list)

    def add(self, where: str, what: str, remedy: str, code: str) -> None:
        """Note a problem; ``where`` is its path in the scenario file."""
        self.found.append(Problem(where, what, remedy, code=code))

    def layer(
        self, where: str, name: str, *, kind: str | None = None, table: str | None = None
    ) -> None:
        """Check that a layer exists, is of the kind, holds the table and has been loaded."""
        spec = self.layers.get(name)
        if spec is None:
            self.add(
                where, f"unknown layer '{name}'", near(name, list(self.layers)), "unknown-layer"
            )
            return
        if kind is not None and spec.kind != kind:
            what = f"layer '{name}' is a {spec.kind}, not a {kind}"
            self.add(where, what, "name another layer", "kind")
            return
        if table is not None and spec.table != table:
            what = f"layer '{name}' holds {spec.table}, not {table}"
            self.add(where, what, f"name a layer of {table}", "kind")
            return
        needed = spec.derived.source if spec.derived else name
        if needed not in self.loaded:
            self.add(
                where,
                f"layer '{needed}' has not been loaded",
                "load the pack that brings it: geoplan pack load",
                "not-loaded",
            )

    def expression(self, where: str, name: str | None, text: str | None) -> None:
        """Check an expression over the columns of a layer."""
        if text is None or name is None or name not in self.layers:
            return
        spec = self.layers[name]
        known = {"key", "name_en", "name_local", *spec.fields, *TABLE_COLUMNS[spec.table]}
        try:
            used = columns_of(text)
        except GeoPlanError as error:
            self.add(where, error.what, error.remedy, "expression")
            return
        for column in used:
            if column not in known:
                self.add(
                    where,
                    f"layer '{name}' has no column '{column}'",
                    near(column, sorted(known)),
                    "unknown-column",
                )
