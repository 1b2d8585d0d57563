"""Which CRS the coordinates of a file speak for: by where they fall against the regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from geoplan.errors import CrsProblem, RangeError
from geoplan.ingest.country import Country
from geoplan.ingest.inspection import CrsEvidence

__all__ = ["SWAPPED", "Floats", "candidates_of", "parse", "rivals", "weigh_crs"]

Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

SWAPPED = " with x and y exchanged"
"""Stands behind a CRS whose axes are swapped in the file."""

_BETTER = 0.2
"""Another CRS has to hold this much more of the sample before the declared one is doubted."""

_EQUAL = 0.05
"""Candidates whose shares differ by no more fit equally."""

_NEAR_DEG = 0.1
"""'Near' existing rows, degrees: about 10 km, little against the 6° between two UTM zones."""

_SAME_PLACE_DEG = 0.02
"""Two CRS that differ by less (about 2 km: datums) put the data in the same place."""


@dataclass(frozen=True, slots=True)
class _Scored:
    label: str
    crs: CRS
    swap: bool
    inside: float
    near: float
    lonlat: Floats


def candidates_of(bbox: Box, *, analysis_crs: str | None = None) -> tuple[str, ...]:
    """Return the CRS that data of a country usually come in.

    Parameters
    ----------
    bbox : tuple of float, degrees
        lon_min, lat_min, lon_max, lat_max of the country.
    analysis_crs : str, optional
        The profile's own CRS.

    Returns
    -------
    tuple of str
        EPSG:4326, the WGS 84 UTM zones of the box and one more on each side, EPSG:3857.

    Examples
    --------
    >>> candidates_of((46.0, 25.0, 59.0, 39.0))[:3]
    ('EPSG:4326', 'EPSG:32637', 'EPSG:32638')
    """
    west, south, east, north = bbox
    # Zone n spans 6 degrees from 6 n − 186.
    first, last = int((west + 180) // 6) + 1, int((min(east, 179.999) + 180) // 6) + 1
    zones = dict.fromkeys((z - 1) % 60 + 1 for z in range(first - 1, last + 2))
    out = ["EPSG:4326"]
    out += [f"EPSG:{32600 + z}" for z in zones if north > 0]
    out += [f"EPSG:{32700 + z}" for z in zones if south < 0]
    out.append("EPSG:3857")
    if analysis_crs is not None:
        out.append(analysis_crs)
    return tuple(out)


def parse(text: str) -> CRS:
    """Return a CRS from a code, WKT or PROJ text, or raise CrsProblem."""
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise CrsProblem(
            f"'{text[:200]}' is not a coordinate reference system",
            remedy="for example EPSG:4326 or EPSG:32639",
        ) from error


def _name(crs: CRS, text: str) -> str:
    """Return the authority code of a CRS where it is surely that one, else its text."""
    found = crs.to_authority(min_confidence=70)
    return ":".join(found) if found is not None else text


class _Place:
    """Where points lie: on the regions, and near what is known already."""

    def __init__(self, regions: gpd.GeoDataFrame | None, bbox: Box, near: Any) -> None:
        if regions is not None and len(regions):
            outlines = [g for g in regions.geometry.array if g is not None and not g.is_empty]
        else:
            outlines = [shapely.box(*bbox)]
        self.country = Country(outlines)
        self.near = (
            shapely.STRtree([g for g in near.geometry.array if g is not None and not g.is_empty])
            if near is not None
            else None
        )

    def score(self, label: str, crs: CRS, swap: bool, xy: Floats) -> _Scored:
        x, y = (xy[:, 1], xy[:, 0]) if swap else (xy[:, 0], xy[:, 1])
        try:
            lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
        except ProjError:
            lon = lat = np.full(len(x), np.nan)
        lonlat = np.column_stack([lon, lat]).astype(np.float64)
        # A point that no place on earth has is in no region.
        with np.errstate(invalid="ignore"):
            good = np.asarray((np.abs(lonlat) <= (180.0, 90.0)).all(axis=1), dtype=bool)
        inside = np.zeros(len(xy), dtype=bool)
        inside[good] = ~self.country.outside(lonlat[good, 0], lonlat[good, 1])
        near = 0.0
        if self.near is not None and len(self.near) and inside.any():
            hit = self.near.query(
                shapely.points(lonlat[good]), predicate="dwithin", distance=_NEAR_DEG
            )[0]
            near = len(np.unique(hit)) / len(xy)
        return _Scored(label, crs, swap, float(inside.mean()), near, lonlat)


def weigh_crs(
    xy_sample: Floats,
    declared: str | None,
    regions: gpd.GeoDataFrame | None,
    candidates: Sequence[str] | None = None,
    *,
    bbox: Box | None = None,
    analysis_crs: str | None = None,
    near: gpd.GeoDataFrame | None = None,
) -> CrsEvidence:
    """Weigh which CRS the coordinates of a file speak for.

    Parameters
    ----------
    xy_sample : ndarray of float, shape (n, 2)
        x and y as they stand in the file, of up to some 2,000 features; points that are no
        numbers are passed over.
    declared : str or None
        What the file says, by code, WKT or PROJ text.
    regions : GeoDataFrame or None
        Outlines of the country's level-1 regions, EPSG:4326; ``None``: ``bbox`` is the country.
    candidates : sequence of str, optional
        CRS to try beside the declared one; by default :func:`candidates_of` the country.
    bbox : tuple of float, degrees
        The country's box, where it has no outlines.
    analysis_crs : str, optional
        The profile's CRS, tried as well.
    near : GeoDataFrame, optional
        Where the rows are expected, EPSG:4326: existing rows of the layer or of its parent, or
        the region that the attributes name. It settles what the country cannot: one UTM zone
        further, data moves by 6° of longitude and often stays inside.

    Returns
    -------
    CrsEvidence
        Each candidate is tried as it is and with x and y exchanged. The declared CRS is kept
        unless another one puts at least 20 % more of the sample on the regions. Where half of
        the sample or more lies within 10 km of ``near`` with some candidate, all shares are
        those near it, not those in the country. ``others`` are the candidates that put data in
        another place and on the regions, best first; :func:`rivals` are those that fit equally.

    Raises
    ------
    CrsProblem
        A CRS cannot be read.
    RangeError
        No point is left to weigh.
    """
    xy = np.asarray(xy_sample, dtype=np.float64).reshape(-1, 2)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if not len(xy):
        raise RangeError(
            "no coordinate is left to tell the CRS from",
            remedy="give the CRS, and look why no row has a geometry",
        )
    box = bbox
    if regions is not None and len(regions):
        box = tuple(float(v) for v in regions.total_bounds)  # type: ignore[assignment]
    if box is None:
        raise RangeError("neither regions nor a box say where the country is")
    tried: dict[str, CRS] = {}
    own: str | None = None
    if declared is not None:
        crs = parse(declared)
        own = _name(crs, declared)
        tried[own] = crs
    degrees = bool((np.abs(xy) <= 360).all())
    for text in candidates or candidates_of(box, analysis_crs=analysis_crs):
        crs = parse(text)
        # Read as metres, degrees lie within a stone's throw of a projection's origin, which may
        # well be the middle of the country.
        if degrees and not crs.is_geographic:
            continue
        tried.setdefault(_name(crs, text), crs)
    place = _Place(regions, box, near)
    scored = [place.score(n, c, s, xy) for s in (False, True) for n, c in tried.items()]
    # Where the rows are expected says more than the country, if any candidate leads there.
    by_near = max(s.near for s in scored) >= 0.5
    return _chosen(scored, own, declared, by_near=by_near)


def _chosen(
    scored: list[_Scored], own: str | None, declared: str | None, *, by_near: bool
) -> CrsEvidence:
    def share(s: _Scored) -> float:
        return s.near if by_near else s.inside

    said = next((s for s in scored if s.label == own and not s.swap), None)
    # The sort is stable: of equals, the declared CRS, the zone beside it, then axes as they are.
    ranked = sorted(scored, key=lambda s: (-share(s), said is None or not _beside(said, s)))
    best = ranked[0]
    doubted = said is None or share(best) > share(said) + _BETTER
    chosen = best if said is None or doubted else said
    others = [
        (s.label + (SWAPPED if s.swap else ""), round(share(s), 4))
        for s in ranked
        if share(s) > 0 and s is not chosen and not _same_place(s, chosen)
    ]
    reason: Any = "fits"
    if said is None:
        reason = "absent"
    elif doubted:
        reason = _why(said, chosen)
    elif share(said) == 0:
        reason = "impossible"
    return CrsEvidence(
        crs=chosen.label,
        declared=declared,
        reason=reason,
        swap_axes=chosen.swap,
        inside_share=round(share(chosen), 4),
        declared_share=None if said is None else round(share(said), 4),
        others=tuple(others),
    )


def _same_place(a: _Scored, b: _Scored) -> bool:
    apart = np.abs(a.lonlat - b.lonlat)
    return bool(np.nanmax(apart, initial=0.0) < _SAME_PLACE_DEG and np.isfinite(apart).any())


def _beside(said: _Scored, other: _Scored) -> bool:
    """Tell whether a CRS is the declared one, or the UTM zone next to it, axes as they are."""
    if other.swap:
        return False
    if other.label == said.label:
        return True
    zones = [c.utm_zone for c in (said.crs, other.crs)]
    if None in zones:
        return False
    (a, north), (b, too) = ((int(str(z)[:-1]), str(z)[-1]) for z in zones)
    return (a - b) % 60 in (1, 59) and north == too


def _why(said: _Scored, chosen: _Scored) -> str:
    if chosen.label == said.label:
        return "axes-swapped"
    return "zone-off" if _beside(said, chosen) else "impossible"


def rivals(evidence: CrsEvidence) -> tuple[str, ...]:
    """Return the other CRS that fit as well as the proposed one; not empty: it is undecided."""
    low = evidence.inside_share - _EQUAL
    return tuple(name for name, share in evidence.others if share > 0 and share >= low)
