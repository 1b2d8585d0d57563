"""What one layer becomes before it is stored, and what reading it may refer to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geoplan.errors import Problem, UnknownName
from geoplan.ingest.account import Balance
from geoplan.ingest.folder import PackFolder
from geoplan.ingest.raster import RasterFile

__all__ = ["Context", "Staged"]


@dataclass
class Staged:
    """One layer, read and checked, not yet stored.

    Parameters
    ----------
    layer : str
        Layer id.
    frame : DataFrame, GeoDataFrame or None
        ``key``, ``name_en``, ``name_local``, the columns of the layer's table and its fields;
        geometry in EPSG:4326 or none.
    raster : RasterFile or None
        The written file of a raster layer; ``None`` when it was only checked.
    report : list of Problem
        Every finding with its count.
    balance : Balance
        Where the rows of the files went.
    sha256 : str
        Hash of the entries, the layer and all files that went in.
    source_crs, source_file : str
        CRS and files as found.
    synthetic : bool
        Made-up data, by the pack or the country's profile.
    """

    layer: str
    frame: gpd.GeoDataFrame | pd.DataFrame | None
    raster: RasterFile | None
    report: list[Problem]
    balance: Balance
    sha256: str
    source_crs: str | None
    source_file: str
    synthetic: bool = False

    @property
    def rows_stored(self) -> int:
        """Rows that will be stored; 1 for a raster."""
        return len(self.frame) if self.frame is not None else 1

    @property
    def rows_read(self) -> int:
        """Rows in the files, each once."""
        return self.balance.read

    @property
    def rows_refused(self) -> int:
        """Rows that could not be stored."""
        return self.balance.refused

    @property
    def filtered(self) -> dict[str, int]:
        """Rows left out by a stated rule, by the rule's code."""
        return self.balance.filtered

    @property
    def errors(self) -> list[Problem]:
        """The findings that stop the load."""
        return [p for p in self.report if p.severity == "error"]


@dataclass
class Context:
    """What an entry may refer to beside its own file.

    Parameters
    ----------
    folder : PackFolder
        The delivered files.
    rasters_dir : Path or None
        Where rasters are written; ``None`` only checks them.
    country_layer : str or None
        The level-1 regions.
    lookup : callable
        Returns regions (``code`` and geometry, EPSG:4326) that an earlier load stored, or None.
    regions : dict
        Regions of this load, by layer, before anything was cut from them: a coast in one source
        must not lose the ports of another.
    """

    folder: PackFolder
    rasters_dir: Path | None = None
    country_layer: str | None = None
    lookup: Callable[[str], gpd.GeoDataFrame | None] | None = None
    regions: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)

    def region_layer(self, layer: str, *, where: str) -> gpd.GeoDataFrame:
        """Return the regions of a layer.

        Raises
        ------
        UnknownName
            Neither this pack nor an earlier load has them.
        """
        if layer not in self.regions:
            found = self.lookup(layer) if self.lookup is not None else None
            if found is None:
                raise UnknownName(
                    f"the regions '{layer}' are not loaded",
                    where=where,
                    remedy="load them first, or put their entry before this one in the pack",
                )
            self.regions[layer] = found
        return self.regions[layer]

    def outlines(self, layer: str, *, where: str) -> gpd.GeoDataFrame:
        """Return those regions of a layer that have an outline.

        Raises
        ------
        UnknownName
            The regions are not known, or only by name and code.
        """
        regions = self.region_layer(layer, where=where)
        drawn = regions[~(regions.geometry.isna() | regions.geometry.is_empty)]
        if not len(drawn):
            raise UnknownName(
                f"the regions '{layer}' are known by name and code only; nothing can be placed "
                "in them",
                where=where,
                remedy="name a layer of regions that has outlines",
            )
        return drawn

    def country(self) -> gpd.GeoDataFrame | None:
        """Return the level-1 regions that make up the country, if their outlines are known."""
        if self.country_layer is None:
            return None
        try:
            return self.outlines(self.country_layer, where="")
        except UnknownName:
            return None
