"""Check a scenario against profile, catalogue and database before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from geoplan.catalogue import LayerSpec, Profile, Scenario
from geoplan.errors import Problem
from geoplan.studies.ranking import ranking_problems
from geoplan.studies.scenario_case import TABLE_COLUMNS, Case
from geoplan.studies.scenario_criteria import check_criteria
from geoplan.studies.scenario_land import check_land, resolve_rule
from geoplan.studies.scenario_plan import check_plan
from geoplan.studies.scenario_studies import check_studies
from geoplan.studies.scenario_weights import weight_problems
from geoplan.studies.smaa import robustness_problems

__all__ = ["TABLE_COLUMNS", "problems_of", "resolve_rule"]


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
    case = Case(scenario, profile, layers, loaded)
    check_land(case)
    check_criteria(case)
    case.found += weight_problems(scenario)
    check_plan(case)
    case.found += ranking_problems(scenario) + robustness_problems(scenario, {})
    check_studies(case)
    return case.found
