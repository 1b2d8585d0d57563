"""Administrative regions and their industrialisation."""

from __future__ import annotations

from fastapi import APIRouter

from api.regions import read_region, read_regions
from api.schemas import RegionDetail, RegionSummary
from api.service import Code, LevelQuery, Name, RunQuery, Service, Serving
from geoplan.store.serve.current import CurrentLayer

__all__ = ["router", "run_and_layers"]

router = APIRouter(tags=["regions"])


def run_and_layers(
    service: Service, run: str | None, level: int | None
) -> tuple[str | None, list[CurrentLayer]]:
    """Return the run whose index is shown, and the layers of regions of its country."""
    current = service.snapshot.get()
    if run is not None:
        asked = current.run(run)
        return asked.id, service.countries.region_layers(current, asked.profile_id, level)
    profile_id, _ = service.countries.chosen(current)
    latest = current.latest_run(profile_id)
    layers = service.countries.region_layers(current, profile_id, level)
    return (latest.id if latest else None), layers


@router.get("/regions")
def list_regions(
    service: Serving, level: LevelQuery = None, parent: Code = None, run: RunQuery = None
) -> list[RegionSummary]:
    """List the regions, of one level or below one parent, with the index of a run."""
    run_id, layers = run_and_layers(service, run, level)
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return read_regions(reading, layers, run_id=run_id, level=level, parent=parent)


@router.get("/regions/{code}")
def get_region(
    service: Serving, code: Name, level: LevelQuery = None, run: RunQuery = None
) -> RegionDetail:
    """Return one region with its indicators and facts."""
    run_id, layers = run_and_layers(service, run, level)
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return read_region(reading, layers, code, run_id=run_id, level=level)
