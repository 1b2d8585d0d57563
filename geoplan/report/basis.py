"""Whether figures are assumed: the word goes with them wherever they are shown."""

from __future__ import annotations

from geoplan.siting.result import SitingResult

__all__ = ["assumed_basis", "is_assumed"]


def is_assumed(result: SitingResult) -> bool:
    """Return whether any figure of the run is assumed."""
    frames = (frame for frame in (result.sources, result.supply) if len(frame))
    return bool(result.assumptions) or any(
        assumed_basis(basis) for frame in frames for basis in frame["basis"].unique()
    )


def assumed_basis(basis: object) -> bool:
    """Return whether a basis says that its figure is assumed, alone or within a sentence."""
    return "assumed" in str(basis).lower()
