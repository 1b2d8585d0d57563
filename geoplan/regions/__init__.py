"""Measures of regions: industrialisation and inequality. Frames in, frames out."""

from geoplan.regions.industrialisation import (
    IndexResult,
    ancestors,
    coarser,
    industrialisation,
    measure_indicator,
    orphans,
)

__all__ = [
    "IndexResult",
    "ancestors",
    "coarser",
    "industrialisation",
    "measure_indicator",
    "orphans",
]
