"""Whether the service runs, and what the page needs to start."""

from __future__ import annotations

from fastapi import APIRouter

import geoplan
from api.current import Current
from api.labels import label
from api.schemas import AppInfo, Health
from api.service import Serving
from api.tile_urls import region_tiles
from geoplan.catalogue import Profile
from geoplan.errors import Unavailable

__all__ = ["router"]

router = APIRouter(tags=["service"])


@router.get("/health")
def get_health(service: Serving) -> Health:
    """Say whether the service and its database answer. Always 200 while the service runs."""
    try:
        service.database.check(seconds=2)
    except Unavailable:
        return Health(status="degraded", version=geoplan.__version__, database=False)
    return Health(status="ok", version=geoplan.__version__, database=True)


@router.get("/info")
def get_info(service: Serving) -> AppInfo:
    """Return the country shown, its languages, calendar, extent, levels and latest run."""
    current = service.snapshot.get()
    profile_id, profile = service.countries.chosen(current)
    run = current.latest_run(profile_id)
    levels = service.countries.region_layers(current, profile_id)
    made_up = any(x.version.synthetic for x in current.layers.values()) or (run and run.synthetic)
    if profile is None:
        return AppInfo(
            version=geoplan.__version__,
            profile_id=profile_id,
            title=label(profile_id or "GeoPlan"),
            country=None,
            synthetic=bool(made_up),
            languages=["en"],
            calendar="gregorian",
            bounds=_extent(current),
            region_levels=[
                {"level": x.level, "title": label(x.spec.get("title")).model_dump()} for x in levels
            ],
            currency="",
            price_year="",
            latest_run=run.id if run else None,
            data_version=current.data_version,
            region_tiles=region_tiles(levels, run, named=False),
        )
    return AppInfo(
        version=geoplan.__version__,
        profile_id=profile.id,
        title=label(profile.title.model_dump()),
        country=profile.country,
        synthetic=profile.synthetic or bool(made_up),
        languages=list(profile.languages),
        calendar=profile.calendar,
        bounds=profile.bbox,
        region_levels=_levels(profile),
        currency=profile.currency,
        price_year=profile.price_year,
        latest_run=run.id if run else None,
        data_version=current.data_version,
        region_tiles=region_tiles(levels, run, named=False),
    )


def _levels(profile: Profile) -> list[dict[str, object]]:
    ordered = sorted(profile.region_levels, key=lambda r: r.level)
    return [{"level": r.level, "title": label(r.title.model_dump()).model_dump()} for r in ordered]


def _extent(current: Current) -> tuple[float, float, float, float]:
    boxes = [x.version.bbox for x in current.layers.values() if x.version.bbox]
    if not boxes:
        return (-180.0, -60.0, 180.0, 75.0)
    west, south, east, north = zip(*boxes, strict=True)
    return (min(west), min(south), max(east), max(north))
