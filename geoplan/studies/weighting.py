"""The weights of a scenario: by the method that it names, with the evidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue import Scenario
from geoplan.catalogue.text import Text
from geoplan.catalogue.weighting import SampleSpec, WeightSpec
from geoplan.errors import ShapeError
from geoplan.mcda.ahp import RANDOM_INDEX, AhpResult
from geoplan.mcda.ahp_group import GroupResult, group_ahp
from geoplan.mcda.ahp_hierarchy import (
    AhpRules,
    HierarchyResult,
    Judgments,
    hierarchy,
    tables_of,
)
from geoplan.mcda.bwm import BwmResult, bwm
from geoplan.mcda.direct import combined, direct
from geoplan.mcda.objective import ObjectiveMethod, objective_weights
from geoplan.mcda.rank_weights import RankMethod, place_weights, rank_weights
from geoplan.studies.weight_notices import (
    ahp_notices,
    bwm_notices,
    direct_notices,
    objective_notices,
)

__all__ = ["WeighResult", "judged", "sample_cells", "weigh"]

_RANKS: dict[str, RankMethod] = {
    "roc": "roc",
    "rank_sum": "rank_sum",
    "rank_exponent": "rank_exponent",
    "rank_reciprocal": "rank_reciprocal",
}
_OBJECTIVE: dict[str, ObjectiveMethod] = {
    "entropy": "entropy",
    "critic": "critic",
    "merec": "merec",
    "std": "std",
}
_EXPONENT = 2.0


@dataclass(frozen=True, slots=True)
class WeighResult:
    """Weights with what a reader needs to check them.

    Parameters
    ----------
    weights : dict
        Criterion → weight, in the order of the scenario; sums to 1.
    record : dict
        Plain values for ``run.json`` and the report: ``method`` and the evidence of the method.
    notices : tuple of Text
        What a reader must be told.
    """

    weights: dict[str, float]
    record: dict[str, Any]
    notices: tuple[Text, ...]


def sample_cells(
    allowed: npt.NDArray[np.bool_], spec: SampleSpec | None, *, seed: int
) -> npt.NDArray[np.int64]:
    """Return the cells that weights from the data are taken from.

    Parameters
    ----------
    allowed : ndarray of bool, any shape
    spec : SampleSpec, optional
        Default: 10,000 cells.
    seed : int
        The scenario's; a seed of the sample's own goes before it.

    Returns
    -------
    ndarray of int64, shape (cells,), rising
        Places in the flattened array; all allowed cells where there are no more than asked for.
    """
    spec = spec or SampleSpec()
    places = np.flatnonzero(allowed)
    if len(places) > spec.rows:
        rng = np.random.default_rng(seed if spec.seed is None else spec.seed)
        places = np.sort(rng.choice(places, size=spec.rows, replace=False))
    return places.astype(np.int64)


def _direct(spec: WeightSpec, scenario: Scenario) -> WeighResult:
    given = spec.weights or {
        name: float(criterion.weight or 0.0) for name, criterion in scenario.criteria.items()
    }
    ordered = {name: given[name] for name in scenario.criteria}
    weights = direct(ordered, as_given=spec.scale == "as-given", where="weights.weights")
    total = math.fsum(ordered.values())
    record = {"method": "direct", "given": ordered, "sum": total, "scaled": abs(total - 1) > 1e-9}
    return WeighResult(weights, record, direct_notices(total))


def _ahp(spec: WeightSpec, names: list[str]) -> WeighResult:
    rules = AhpRules(
        table=spec.random_index, incomplete=spec.incomplete, scale_max=spec.scale_max or 9.0
    )
    groups = {name: list(group.criteria) for name, group in (spec.groups or {}).items()}
    found: AhpResult | HierarchyResult | GroupResult
    if spec.judges is None:
        given = Judgments(
            spec.pairs or {},
            {name: group.pairs or {} for name, group in (spec.groups or {}).items()},
        )
        places = {"where": "weights.pairs", "where_within": "weights.groups.{group}.pairs"}
        tables = tables_of(names, given, groups, rules=rules, **places)
        found = hierarchy(names, tables, groups, rules=rules, **places)
    else:
        found = group_ahp(
            names,
            {name: Judgments(j.pairs, j.within) for name, j in spec.judges.items()},
            groups,
            judge_weights={name: j.weight for name, j in spec.judges.items()},
            merging=spec.merging,
            gate=spec.gate,
            rules=rules,
        )
    record = found.record()
    record["random_index_table"] = rules.table
    record["random_indices"] = {str(n + 3): x for n, x in enumerate(RANDOM_INDEX[rules.table])}
    record["scale_max"] = rules.scale_max
    return WeighResult(found.weights, record, ahp_notices(found))


def _bwm(spec: WeightSpec, names: list[str]) -> WeighResult:
    found: BwmResult = bwm(
        names,
        best=spec.best or "",
        worst=spec.worst or "",
        best_to_others=spec.best_to_others or {},
        others_to_worst=spec.others_to_worst or {},
        model=spec.model,
        scale_max=spec.scale_max or 9.0,
    )
    return WeighResult(found.weights, found.record(), bwm_notices(found))


def _ranked(spec: WeightSpec, names: list[str]) -> WeighResult:
    method = _RANKS[spec.method]
    exponent = _EXPONENT if spec.exponent is None else spec.exponent
    found = rank_weights(spec.ties, method, exponent=exponent)
    record = {
        "method": spec.method,
        "order": [list(tied) for tied in spec.ties],
        "place_weights": place_weights(len(names), method, exponent=exponent),
        "ties": "mean of the weights of the tied places",
        **({"exponent": exponent} if method == "rank_exponent" else {}),
    }
    return WeighResult({name: found[name] for name in names}, record, ())


def judged(scenario: Scenario) -> WeighResult | None:
    """Return the weights that need no data, or None where the method takes them from it.

    Raises
    ------
    GeoPlanError
        What is wrong with the judgments; `geoplan.studies.scenario_weights` lists it all.
    """
    spec, names = scenario.weights, list(scenario.criteria)
    if spec.method in _OBJECTIVE:
        return None
    if spec.method == "ahp":
        return _ahp(spec, names)
    if spec.method == "bwm":
        return _bwm(spec, names)
    if spec.method in _RANKS:
        return _ranked(spec, names)
    return _direct(spec, scenario)


def weigh(scenario: Scenario, values: Callable[[], pd.DataFrame] | None = None) -> WeighResult:
    """Return the weights of a scenario's criteria.

    Parameters
    ----------
    scenario : Scenario
        Checked before: see `geoplan.studies.scenario.problems_of`.
    values : callable, optional
        Called only where weights come from the data (``scenario.weights.objective`` is not None):
        gives one row per cell of :func:`sample_cells` and one column per criterion id, the
        criterion's value 0–1 (after value function and inversion, so that more is better), NaN
        where it is missing (before any filling in).

    Returns
    -------
    WeighResult

    Raises
    ------
    ProblemsFound
        A criterion is the same on all sampled land, has no value there, or values that the method
        has no meaning for; all at once.
    ShapeError
        Values are needed and there are none, or a criterion has no column.
    """
    spec, names = scenario.weights, list(scenario.criteria)
    found = judged(scenario)
    if spec.objective is None:
        if found is None:
            raise ShapeError(f"no weights by method '{spec.method}'", where="weights.method")
        return found
    if values is None:
        raise ShapeError(
            f"method '{spec.objective}' takes weights from values, and there are none",
            where="weights.method",
        )
    frame = values()
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise ShapeError(f"no values of {', '.join(absent)}", where="weights.sample")
    data = objective_weights(
        frame[names].to_numpy(dtype=np.float64),
        names,
        _OBJECTIVE[spec.objective],
        floor=spec.floor,
    )
    sample = spec.sample or SampleSpec()
    evidence = data.record() | {
        "floor": spec.floor,
        "sample": {
            "of": "allowed cells, values 0 to 1, more is better",
            "asked": sample.rows,
            "rows": data.rows,
            "seed": scenario.seed if sample.seed is None else sample.seed,
        },
    }
    notices = objective_notices(data)
    if found is None or spec.combine is None:
        return WeighResult(data.weights, evidence, notices)
    share = 0.5 if spec.combine.subjective_share is None else spec.combine.subjective_share
    weights = combined(found.weights, data.weights, how=spec.combine.how, subjective_share=share)
    record = {
        **found.record,
        "judged_weights": found.weights,
        "combined": {
            "how": spec.combine.how,
            "subjective_share": share if spec.combine.how == "mix" else None,
            "objective": evidence,
        },
        "criteria": names,
        "weights": list(weights.values()),
    }
    return WeighResult(weights, record, found.notices + notices)
