"""Which CRS a file is read in: what a person says, what the file says, what its places say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from pyproj import CRS

from geoplan.errors import CrsProblem, Problem, Severity
from geoplan.ingest.crs_evidence import rivals, weigh_crs
from geoplan.ingest.crs_words import explain, places_of
from geoplan.ingest.inspection import CrsEvidence
from geoplan.ingest.vector import parse_crs

__all__ = ["CrsChoice", "choose_crs"]


@dataclass(frozen=True)
class CrsChoice:
    """The CRS that is used.

    Parameters
    ----------
    crs, name : pyproj.CRS, str
        The CRS, and what it is called.
    how : str
        ``option``, ``declared`` or ``proposed``.
    swap : bool
        x and y change places.
    evidence : CrsEvidence
        What the coordinates speak for.
    problems : list of Problem
        A proposal that nobody confirmed is an error; everything else is still checked with it.
    """

    crs: CRS
    name: str
    how: str
    swap: bool
    evidence: CrsEvidence
    problems: list[Problem] = field(default_factory=list)


def choose_crs(
    sample: npt.NDArray[np.float64],
    *,
    declared: str | None,
    option: str | None,
    accept: bool,
    bbox: tuple[float, float, float, float],
    outlines: gpd.GeoDataFrame | None,
    near: gpd.GeoDataFrame | None,
    analysis_crs: str | None = None,
    where: str,
) -> CrsChoice:
    """Choose the CRS of a file; nothing is guessed silently.

    Parameters
    ----------
    sample : ndarray of float, shape (n, 2)
        Points of some rows as they stand in the file.
    declared, option : str or None
        CRS by the file, and by the person who loads; the person wins.
    accept : bool
        The person takes what the coordinates speak for.
    bbox, outlines, near, analysis_crs
        See :class:`geoplan.ingest.examine.Given`.
    where : str
        The file's name.

    Raises
    ------
    CrsProblem
        The option is no CRS; or nothing is known and the coordinates fit nowhere.
    """
    stated = option or declared
    if stated is not None:
        parse_crs(stated, where=where)
    evidence = weigh_crs(sample, stated, outlines, bbox=bbox, near=near, analysis_crs=analysis_crs)
    places = places_of(sample, evidence, outlines) if outlines is not None else {}
    told = explain(evidence, where=where, places=places)
    if stated is not None and (evidence.reason == "fits" or option is not None):
        # The person decided; what speaks against it is told, and does not stop the load.
        severity: Severity = "info" if evidence.reason == "fits" else "warning"
        how = "option" if option is not None else "declared"
        return CrsChoice(
            parse_crs(stated, where=where), _name(stated), how, False, evidence,
            [replace(told, severity=severity)],
        )  # fmt: skip
    if evidence.inside_share <= 0 and stated is None:
        raise CrsProblem(told.what, where=where, remedy=told.remedy)
    # Several that fit equally are no proposal: then only the person can say which.
    if accept and not rivals(evidence):
        told = replace(told, remedy="taken, as confirmed", severity="info")
    return CrsChoice(
        parse_crs(evidence.crs, where=where), _name(evidence.crs), "proposed", evidence.swap_axes,
        evidence, [told],
    )  # fmt: skip


def _name(text: str) -> str:
    """Return the short name of a CRS: its authority code, else its name."""
    crs = CRS.from_user_input(text)
    authority = crs.to_authority()
    return ":".join(authority) if authority else str(crs.name)
