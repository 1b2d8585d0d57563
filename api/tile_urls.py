"""Addresses of tiles, with the version that lets a browser keep a tile for good.

A new load or run has another version and so another address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from urllib.parse import quote

from geoplan.store.serve.current import CurrentLayer, CurrentRun, token
from geoplan.store.serve.tile_query import has_tiles

__all__ = ["candidate_tiles", "layer_tiles", "region_tiles", "region_version"]


def layer_tiles(layer: CurrentLayer) -> str | None:
    """Return the address template of a layer's tiles; ``None`` where it has none."""
    if not has_tiles(layer):
        return None
    return f"/tiles/layers/{quote(layer.id, safe='')}/{{z}}/{{x}}/{{y}}.mvt?v={layer.token}"


def candidate_tiles(run: CurrentRun) -> str:
    """Return the address template of a run's candidates."""
    return f"/tiles/runs/{quote(run.id, safe='')}/candidates/{{z}}/{{x}}/{{y}}.mvt?v={run.token}"


def region_version(layers: Iterable[CurrentLayer], run: CurrentRun | None) -> str:
    """Return the version of tiles of regions: of their layers and of the run that ranks them."""
    return token(*(x.token for x in layers), run.token if run else "")


def region_tiles(
    layers: Sequence[CurrentLayer], run: CurrentRun | None, *, named: bool
) -> dict[str, str]:
    """Return the address template of each level of regions.

    Parameters
    ----------
    layers : sequence of CurrentLayer
        Layers of regions, coarse first.
    run : CurrentRun or None
        The run whose index is shown.
    named : bool
        Name the run in the address; without it the address means the latest run.
    """
    ask = f"run={quote(run.id, safe='')}&" if run and named else ""
    return {
        str(level): f"/tiles/regions/{level}/{{z}}/{{x}}/{{y}}.mvt?{ask}"
        f"v={region_version(one, run)}"
        for level, found in groupby(layers, key=lambda x: x.level)
        for one in (list(found),)
    }
