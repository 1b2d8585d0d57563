"""Tell why a place is, or is not, part of a candidate of a run."""

from __future__ import annotations

from pathlib import Path

from api.labels import label, number
from api.schemas import PlaceDetail, Reason
from geoplan.studies.place import why_place

__all__ = ["place_detail"]


def place_detail(folder: Path, lon: float, lat: float) -> PlaceDetail:
    """Return what a run's folder says of a place; see `geoplan.studies.place.why_place`."""
    found = why_place(folder, lon, lat)
    return PlaceDetail(
        lon=lon,
        lat=lat,
        score=number(found.score),
        percentile=number(found.percentile),
        site_id=found.site_id,
        reasons=[
            Reason(code=r.code, text=label({"en": r.text.en, "local": r.text.fa}))
            for r in found.reasons
        ],
    )
