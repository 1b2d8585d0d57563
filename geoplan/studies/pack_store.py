"""Store what was read: rows, rasters, and the record of the load."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geoplan.errors import GeoPlanError, UnknownName
from geoplan.ingest import Staged
from geoplan.partial import full_disk_told, held, sweep
from geoplan.store import read, write
from geoplan.store.session import transaction
from geoplan.studies.pack_plan import PackPlan
from geoplan.studies.pack_report import joint_method, together, weakest_basis

__all__ = ["published", "raster_room", "store_layer"]


@contextmanager
def raster_room(rasters_dir: Path, plan: PackPlan, wanted: Sequence[str]) -> Iterator[Path | None]:
    """Give a folder for rasters that are not published yet; ``None`` where none will be made.

    It goes with the block, and what a load that was killed outright left behind goes now.
    """
    if not any(plan.specs[layer].kind == "raster" for layer in wanted):
        yield None
        return
    with full_disk_told(rasters_dir):
        rasters_dir.mkdir(parents=True, exist_ok=True)
        sweep(rasters_dir, "load")
        with held(rasters_dir / "load") as room:
            yield room


@contextmanager
def published(
    engine: Engine, staged: Mapping[str, Staged], wanted: Sequence[str]
) -> Iterator[Callable[[], None]]:
    """Give a function that moves the rasters into place, and take them back if the load fails.

    Where a load was stopped as it ended, the database says whether it was kept. Where that cannot
    be asked, the files stay: one too many harms nothing, and the same load takes it again.
    """
    made: dict[str, Path] = {}

    def publish() -> None:
        for layer in wanted:
            raster = staged[layer].raster
            if raster is not None:
                if not raster.path.exists():
                    made[layer] = raster.path
                raster.staged.replace(raster.path)

    try:
        yield publish
    except BaseException:
        for layer, path in made.items():
            if _names(engine, layer, path) is False:
                path.unlink(missing_ok=True)
        raise


def _names(engine: Engine, layer: str, path: Path) -> bool | None:
    """Return whether the database names this file; ``None`` where it cannot be asked."""
    try:
        with transaction(engine) as session:
            return Path(read.raster_asset(session, layer).path) == path
    except UnknownName:
        return False
    except GeoPlanError:
        return None


def store_layer(session: Session, plan: PackPlan, staged: Staged, loaded_by: str) -> None:
    """Store a layer as its next version and make that the current one."""
    spec, entries = plan.specs[staged.layer], plan.entries[staged.layer]
    basis = weakest_basis(entries)
    version = write.new_version(
        session,
        spec,
        pack_id=plan.pack.id,
        profile_id=plan.profile.id,
        source_file=staged.source_file,
        sha256=staged.sha256,
        loaded_by=loaded_by,
        rows_read=staged.rows_read,
        rows_refused=staged.rows_refused,
        source_crs=staged.source_crs,
        as_of=together([e.as_of for e in entries]),
        source=together([e.source for e in entries]) or "",
        licence=together([e.licence for e in entries]) or "",
        confidence=together([e.confidence for e in entries]) or "",
        basis=basis,
        method=joint_method(entries),
        synthetic=staged.synthetic,
        report=staged.report,
    )
    if staged.raster is not None:
        r = staged.raster
        write.put_raster(
            session,
            version,
            path=r.path,
            sha256=r.sha256,
            crs=r.crs,
            width=r.width,
            height=r.height,
            transform=r.transform,
            dtype=r.dtype,
            nodata=r.nodata,
            unit=spec.unit,
            stats=r.stats,
        )
    elif staged.frame is not None:
        write.put_features(session, version, spec, staged.frame)
    write.make_current(session, staged.layer, version)
