"""The land part of a run in strips, on the workers of a dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geoplan.errors import EmptyLayer, Unavailable
from geoplan.expression import select
from geoplan.siting.criteria import Suitability
from geoplan.siting.exclude import Exclusions
from geoplan.siting.exclude_rules import RuleBits
from geoplan.studies import tiled_steps as steps
from geoplan.studies.tiled_plan import LandPlan

__all__ = ["TiledLand", "tiled_suitability"]

_VERTICES = 2_000_000
"""Of a layer; with more, its features are shared among steps."""


@dataclass(frozen=True, slots=True)
class TiledLand:
    """What :func:`tiled_suitability` found.

    Parameters
    ----------
    exclusions : Exclusions
    suitability : Suitability
    """

    exclusions: Exclusions
    suitability: Suitability


def tiled_suitability(
    plan: LandPlan,
    client: Any,
    folder: Path,
    *,
    on_strip: Callable[[int], None] | None = None,
) -> TiledLand:
    """Return the exclusions and the score of a plan, worked through in strips.

    Parameters
    ----------
    plan : LandPlan
    client : distributed.Client
        Its workers run this version of GeoPlan and see ``folder`` and the plan's rasters under
        the same paths.
    folder : Path
        New or empty, shared. Arrays travel through it; the scheduler sees names and numbers only.
        It is left as it is, with the strips of the result.
    on_strip : callable, optional
        Told the number of each strip that is done.

    Returns
    -------
    TiledLand
        The same bytes as the whole grid in one process gives, for any number of workers and
        strips, and when workers are lost on the way.

    Raises
    ------
    Unavailable
        The package distributed is not installed, or workers died again and again.
    GeoPlanError
        As `geoplan.siting.exclude.combine` and `geoplan.siting.criteria.suitability`.
    """
    try:
        from distributed import KilledWorker, as_completed
    except ImportError as error:
        raise Unavailable(
            "strips need dask's distributed, which is not installed",
            remedy="install the extra: pip install 'geoplan[cluster]'",
        ) from error
    _check_drawn(plan)
    plan.write(folder)
    futures: list[Any] = []

    def submit(step: Callable[..., Any], *given: Any) -> Any:
        futures.append(client.submit(step, folder, *given, pure=False))
        return futures[-1]

    try:
        ready, borders = _prepared(plan, submit)
        finish = not any(steps.needs_all_land(c) for c in plan.criteria.values())
        strips = plan.strips
        landed = [submit(steps.find_land, s.index, finish, ready) for s in strips]
        last = landed
        known: dict[str, Any] = {}
        if not finish:
            known = {
                name: submit(steps.find_known, name, landed)
                for name, criterion in plan.criteria.items()
                if steps.needs_all_land(criterion)
            }
            last = [submit(steps.find_score, s.index, known) for s in strips]
        number = {future.key: k for k, future in enumerate(last)}
        for (layer, where), border in borders.items():
            if not border.result():
                chosen = f" where {where}" if where else ""
                raise EmptyLayer(
                    f"no feature of layer '{layer}'{chosen} lies in the search area",
                    remedy="take the criterion out, or widen the area",
                )
        for future in as_completed(last):  # type: ignore[no-untyped-call]
            future.result()
            if on_strip is not None:
                on_strip(number[future.key])
        lands = client.gather(landed)
        tables = [table for _, table in lands] if finish else client.gather(last)
        found = client.gather(known)
    except KilledWorker as error:
        raise Unavailable(
            f"workers died again and again: {error}",
            remedy="give workers more memory, or set strip_rows so that strips are smaller",
        ) from error
    finally:
        client.cancel(futures)
    _check_rasters(plan, set().union(*(with_value for with_value, _ in lands)))
    return _joined(plan, folder, tables, found)


def _prepared(
    plan: LandPlan, submit: Callable[..., Any]
) -> tuple[list[Any], dict[tuple[str, str | None], Any]]:
    """Start the steps that need the whole grid or all features of a layer."""
    ready = [submit(steps.draw_area)]
    borders = {}
    for number, key in enumerate(plan.drawn):
        parts = _parts(plan, *key)
        drawn = [submit(steps.draw, number, k, parts) for k in range(parts)]
        borders[key] = submit(steps.find_borders, number, parts, drawn)
    for name, criterion in plan.asked.items():
        if criterion.measure == "region":
            ready.append(submit(steps.draw_region, name))
        elif steps.is_point_density(criterion):
            ready.append(submit(steps.find_points, name))
        elif criterion.measure not in ("distance", "raster"):
            ready.append(submit(steps.find_measure, name))
    ready += [submit(steps.find_rule, r.id) for r in plan.rules if not steps.by_strip(r)]
    return [*ready, *borders.values()], borders


def _parts(plan: LandPlan, layer: str, where: str | None) -> int:
    """Return in how many shares the features of a layer are drawn."""
    frame = plan.frames[layer]
    geometry = (frame[select(where, frame)] if where else frame).geometry.to_numpy()
    points = shapely.get_type_id(geometry) == 0
    if points.any() and not points.all():
        return 1  # points alone are drawn by another way than points among lines
    return 1 + int(shapely.get_num_coordinates(geometry).sum()) // _VERTICES


def _check_drawn(plan: LandPlan) -> None:
    for layer, where in plan.drawn:
        frame = plan.frames.get(layer)
        if frame is not None and not len(frame[select(where, frame)] if where else frame):
            chosen = f" where {where}" if where else ""
            raise EmptyLayer(
                f"layer '{layer}' has no feature{chosen}, so no distance can be measured",
                remedy="correct 'where', or load the layer",
            )


def _check_rasters(plan: LandPlan, known: set[str]) -> None:
    for rule in plan.rules:
        if steps.by_strip(rule) and rule.id not in known:
            raise EmptyLayer(
                f"raster '{rule.raster}': no cell of the grid has a value",
                where=f"exclude.{rule.id}",
                remedy="load a raster that covers the search area, or take the rule out",
            )


def _joined(
    plan: LandPlan, folder: Path, tables: list[pd.DataFrame], known: dict[str, steps.Known]
) -> TiledLand:
    grid = plan.grid
    inside = np.unpackbits(np.load(folder / "inside.npy"), axis=1, count=grid.cols).view(np.bool_)
    bits = np.empty(grid.shape, dtype=np.load(folder / "bits-0.npy", mmap_mode="r").dtype)
    score = np.empty(grid.shape, dtype=np.float32)
    for strip in plan.strips:
        rows = slice(strip.start, strip.stop)
        bits[rows] = np.load(folder / f"bits-{strip.index}.npy")
        score[rows] = np.load(folder / f"score-{strip.index}.npy")
    missing = tables[0].copy()
    for table in tables[1:]:
        missing[["cells", "excluded"]] += table[["cells", "excluded"]]
    fill = {}
    for name, criterion in plan.criteria.items():
        mean = known.get(name, (None, None))[1]
        fill[name] = mean if mean is not None else 0.0 if criterion.missing == "zero" else np.nan
    of_data = {name: given[0] for name, given in known.items() if given[0] is not None}
    return TiledLand(
        _exclusions(plan, folder, bits, inside), Suitability(score, fill, missing, of_data)
    )


def _exclusions(
    plan: LandPlan,
    folder: Path,
    bits: npt.NDArray[np.unsignedinteger],
    inside: npt.NDArray[np.bool_],
) -> Exclusions:
    partial = {r.id: steps.told(folder, r, None)["share"] for r in plan.rules}
    partial = {name: share for name, share in partial.items() if share is not None}
    include = {r.id: r.over for r in plan.rules if r.effect == "include"}
    rules = RuleBits.of(
        [r.id for r in plan.rules], include=list(include), partial=list(partial), over=include
    )
    return Exclusions(rules, bits, inside, tuple(partial.values()), plan.usable_share_min)
