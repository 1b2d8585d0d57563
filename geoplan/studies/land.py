"""The land part of a run: what the rules leave, what the criteria measure, how it scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue import Profile, Scenario
from geoplan.catalogue.text import Text
from geoplan.errors import AnswerNo
from geoplan.mcda.aggregate import aggregate
from geoplan.mcda.leave_one_out import adds_up
from geoplan.mcda.value_fit import fitted
from geoplan.mcda.value_statistics import Histogram, ValueStatistics, histogram, statistics
from geoplan.mcda.weight_draws import sampler
from geoplan.siting.allowed import AllowedLand
from geoplan.siting.criteria import Measure, Suitability, suitability, value_of
from geoplan.siting.exclude import Exclusions, combine
from geoplan.siting.exclude_area import accounting_by_region
from geoplan.siting.quantised import QuantisedCriteria, Quantiser, top_share_map
from geoplan.studies.exclusion import described, region_numbers, resolved_rules, rule_masks
from geoplan.studies.measure import measured
from geoplan.studies.measure_notices import assumed_measures, measure_notices, road_notices
from geoplan.studies.notices import missing_measures
from geoplan.studies.steps import Steps
from geoplan.studies.surface import Ground
from geoplan.studies.weighting import sample_cells, weigh

__all__ = ["BEST_SHARE", "Land", "land_of"]

BEST_SHARE = 0.05
"""Part of the allowed land that counts as the best in the map of where the weights decide."""

_MAP_DRAWS = 200

_HELD_BYTES = 3 << 30
"""Above this the measures are made again where they are needed, instead of held in memory."""


@dataclass(frozen=True)
class Land:
    """What rules and criteria say of the land.

    Parameters
    ----------
    exclusions : Exclusions
    table : DataFrame
        As ``SitingResult.exclusions``.
    by_region : DataFrame
        As ``SitingResult.exclusions_by_region``.
    measures : dict
        Criterion id → measure.
    weights : dict
    weight_record : dict
    surface : Suitability
    of_data : dict
        Criterion id → statistics of its measure over the allowed land.
    histograms : dict
    decisive : ndarray of float32, or None
        See `geoplan.siting.quantised.top_share_map`; where the scenario draws weights.
    notices : list of Text
    """

    exclusions: Exclusions
    table: pd.DataFrame
    by_region: pd.DataFrame
    measures: dict[str, Measure]
    weights: dict[str, float]
    weight_record: dict[str, Any]
    surface: Suitability
    of_data: dict[str, ValueStatistics]
    histograms: dict[str, Histogram]
    decisive: npt.NDArray[np.float32] | None
    notices: list[Text]

    def values_document(self, scenario: Scenario) -> dict[str, Any]:
        """Return the value functions with every number written out, for the run's record."""
        return {
            name: {
                "function": fitted(c.value, self.of_data.get(name)).model_dump(mode="json"),
                "invert": c.invert,
                "unit": c.unit,
                "statistics": _numbers(self.of_data.get(name)),
            }
            for name, c in scenario.criteria.items()
        }


def _numbers(found: ValueStatistics | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {k: float(getattr(found, k)) for k in ("min", "max", "mean", "std", "count")}


def land_of(
    ground: Ground,
    scenario: Scenario,
    profile: Profile,
    facts: pd.DataFrame,
    *,
    inside: npt.NDArray[np.bool_],
    steps: Steps,
) -> Land:
    """Return what is allowed and how it scores.

    Parameters
    ----------
    ground : Ground
    scenario, profile
        Checked before.
    facts : DataFrame
        Facts of regions.
    inside : ndarray of bool, grid shape
        The searched area.
    steps : Steps

    Raises
    ------
    AnswerNo
        The rules leave no land.
    EmptyLayer
        A criterion is missing on all of the allowed land.
    """
    with steps.step("exclusions"):
        rules = resolved_rules(scenario, profile)
        exclusions = combine(
            rule_masks(ground, rules),
            inside=inside,
            count=len(rules),
            usable_share_min=scenario.land.usable_share_min,
        )
        labels, up = region_numbers(ground)
        areas = accounting_by_region(exclusions, ground.grid, labels, up)
        del labels
        national = areas[areas["level"] == 0].drop(columns=["level", "code"])
        table = described(national.reset_index(drop=True), rules, profile)
        allowed = exclusions.allowed
    if not allowed.any():
        raise AnswerNo(
            "the exclusions leave no land at all",
            where="exclude",
            remedy="the widest rules are: " + ", ".join(_widest(table)),
        )
    with steps.step("criteria"):
        measures = _measures(ground, scenario, facts)
        notices = measure_notices(measures, allowed)
        notices += road_notices(ground, scenario.criteria)
        land = AllowedLand.of(allowed)
        of_data: dict[str, ValueStatistics] = {}
        histograms: dict[str, Histogram] = {}
        for name, measure in measures.items():
            raw = land.take(measure.array(), where=f"criteria.{name}")
            of_data[name], histograms[name] = statistics(raw), histogram(raw)
        found = weigh(scenario, lambda: _sample(scenario, measures, of_data, allowed))
        notices += found.notices
        quantiser = Quantiser(land, tuple(measures)) if scenario.robustness is not None else None
        surface = suitability(
            measures, found.weights, allowed, quantiser=quantiser,
            aggregate=_joining(scenario), known=of_data,
        )  # fmt: skip
        notices += missing_measures(surface.missing, scenario)
        decisive = None
        if quantiser is not None:
            decisive = _decisive(quantiser.finish(), scenario, found.weights)
    return Land(
        exclusions=exclusions,
        table=table,
        by_region=areas[areas["level"] > 0].reset_index(drop=True),
        measures=measures,
        weights=found.weights,
        weight_record=found.record,
        surface=surface,
        of_data=of_data,
        histograms=histograms,
        decisive=decisive,
        notices=[*notices, *assumed_measures(scenario.criteria)],
    )


def _widest(table: pd.DataFrame) -> list[str]:
    removing = table[table["effect"] == "exclude"]
    return [str(rule) for rule in removing.nlargest(3, "area_ha_alone")["rule"]]


def _measures(ground: Ground, scenario: Scenario, facts: pd.DataFrame) -> dict[str, Measure]:
    """Return the measures: held where they fit in memory, else made each time they are read."""
    hold = len(scenario.criteria) * ground.grid.size * 4 <= _HELD_BYTES
    out: dict[str, Measure] = {}
    for name, criterion in scenario.criteria.items():
        where = f"criteria.{name}"
        if hold:
            out[name] = Measure(criterion, measured(ground, criterion, facts, where=where))
        else:
            out[name] = Measure(criterion, _later(ground, criterion, facts, where))
    if hold:
        ground.release()
    return out


def _later(
    ground: Ground, criterion: Any, facts: pd.DataFrame, where: str
) -> Callable[[], npt.NDArray[np.floating]]:
    def make() -> npt.NDArray[np.floating]:
        made = measured(ground, criterion, facts, where=where)
        ground.release()
        return made

    return make


def _sample(
    scenario: Scenario,
    measures: Mapping[str, Measure],
    of_data: Mapping[str, ValueStatistics],
    allowed: npt.NDArray[np.bool_],
) -> pd.DataFrame:
    at = sample_cells(allowed, scenario.weights.sample, seed=scenario.seed)
    return pd.DataFrame(
        {
            name: value_of(
                m.criterion, np.ravel(m.array())[at], statistics=of_data[name],
                where=f"criteria.{name}",
            )
            for name, m in measures.items()
        }
    )  # fmt: skip


def _joining(scenario: Scenario) -> Callable[..., npt.NDArray[np.float32]] | None:
    spec = scenario.aggregation
    if adds_up(spec):
        return None
    return lambda values, weights: aggregate(spec, values, weights)


def _decisive(
    quantised: QuantisedCriteria, scenario: Scenario, weights: Mapping[str, float]
) -> npt.NDArray[np.float32]:
    """Return in what part of weight draws each cell is among the best land."""
    spec = scenario.robustness
    if spec is None:
        raise AssertionError("no draws were asked for")
    used = {name: w for name, w in weights.items() if w > 0}
    draws = sampler(spec.weights, used)(
        np.random.default_rng([spec.seed, 2**32 - 2]), min(spec.draws, _MAP_DRAWS)
    )
    whole = np.zeros((len(draws), len(quantised.names)))
    for k, name in enumerate(used):
        whole[:, quantised.names.index(name)] = draws[:, k]
    return top_share_map(quantised, whole, BEST_SHARE)
