"""The evidence for a CRS in words that a person can judge."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer

from geoplan.errors import Problem
from geoplan.ingest.crs_evidence import SWAPPED, Floats, parse, rivals
from geoplan.ingest.inspection import CrsEvidence

__all__ = ["explain", "places_of"]


def places_of(
    xy_sample: Floats, evidence: CrsEvidence, regions: gpd.GeoDataFrame
) -> dict[str, str]:
    """Return in which region most of the sample lies, by CRS: what a person can judge.

    Parameters
    ----------
    xy_sample, evidence
        As given to and by :func:`weigh_crs`.
    regions : GeoDataFrame
        EPSG:4326, with ``name_en``, ``name_local`` or ``code``.

    Returns
    -------
    dict of str
        CRS as it stands in ``evidence`` → name of the region; CRS that lead nowhere are absent.
    """
    xy = np.asarray(xy_sample, dtype=np.float64).reshape(-1, 2)
    xy = xy[np.isfinite(xy).all(axis=1)]
    named = next((c for c in ("name_en", "name_local", "code") if c in regions), None)
    tree = shapely.STRtree(regions.geometry.array)
    first = evidence.crs + (SWAPPED if evidence.swap_axes else "")
    texts = [first, *(name for name, _ in evidence.others)]
    if evidence.declared is not None:
        texts.append(evidence.declared)
    out: dict[str, str] = {}
    for text in texts:
        swap = text.endswith(SWAPPED)
        crs = parse(text.removesuffix(SWAPPED))
        x, y = (xy[:, 1], xy[:, 0]) if swap else (xy[:, 0], xy[:, 1])
        lon, lat = Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
        good = np.isfinite(lon) & np.isfinite(lat)
        hit = tree.query(shapely.points(lon[good], lat[good]), predicate="intersects")[1]
        if len(hit):
            most = int(np.bincount(hit).argmax())
            row = regions.iloc[most]
            out[text] = str(row[named]) if named is not None else f"region {most + 1}"
    return out


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def explain(
    evidence: CrsEvidence, *, where: str = "", places: Mapping[str, str] | None = None
) -> Problem:
    """Return the evidence in words, with what to do.

    Parameters
    ----------
    evidence : CrsEvidence
        From :func:`weigh_crs`.
    where : str
        Name of the file.
    places : mapping, optional
        From :func:`places_of`.

    Returns
    -------
    Problem
        ``info`` where the declared CRS fits; ``error`` where a person has to decide. Code
        ``crs-`` and the reason; ``crs-undecided`` where nothing is declared and several fit.
    """
    known = places or {}
    chosen = evidence.crs + (SWAPPED if evidence.swap_axes else "")

    def named(text: str) -> str:
        return f"{text} ({known[text]})" if text in known else text

    share = _percent(evidence.inside_share)
    declared = evidence.declared if len(evidence.declared or "") < 80 else "the declared CRS"
    said = _percent(evidence.declared_share or 0.0)
    equal = rivals(evidence)
    also = f"; {', '.join(map(named, equal))} would fit as well" if equal else ""
    if evidence.reason == "fits":
        what = f"with {named(chosen)} {share} of the sampled rows lie where they are expected{also}"
        remedy = "if that is another place than you know, give --crs" if equal else ""
        return Problem(where, what, remedy, "info", "crs-fits")
    if evidence.inside_share == 0:
        told = f"{declared} is declared" if declared else "the file says no CRS"
        return Problem(
            where,
            f"{told}, and no CRS that was tried puts the sampled rows where they are expected",
            "give --crs with the CRS of the survey; if it is the right one, the data lie outside "
            "the country",
            "error",
            f"crs-{evidence.reason}",
        )
    fall = "of the sampled rows lie where they are expected"
    starts = {
        "absent": "the file says no CRS",
        "axes-swapped": f"x and y are exchanged: with {declared} as it stands {said} {fall}",
        "zone-off": f"the UTM zone is off by one: with {declared} {said} {fall}",
    }
    start = starts.get(evidence.reason, f"{declared} is declared, and with it {said} {fall}")
    what = f"{start}; with {named(chosen)} it is {share}{also}"
    swap = " and 'swap_axes' in 'repair'" if evidence.swap_axes else ""
    if equal:
        options = ", ".join([evidence.crs, *equal])
        remedy = f"ask who drew it which one it is, and give it with --crs: {options}"
        code = "crs-undecided" if evidence.reason == "absent" else f"crs-{evidence.reason}"
        return Problem(where, what, remedy, "error", code)
    remedy = f"give --crs {evidence.crs}{swap}, or confirm the proposal with --accept-crs"
    return Problem(where, what, remedy, "error", f"crs-{evidence.reason}")
