"""Check and load a pack: files → staged layers → one transaction, all of it or nothing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geoplan.catalogue import Catalogue, Pack, PackEntry
from geoplan.catalogue.text import Text
from geoplan.errors import InputError, ProblemsFound, UnknownName
from geoplan.ingest import Context, Staged, read_layer
from geoplan.settings import Settings
from geoplan.store import read, write
from geoplan.store.session import transaction
from geoplan.studies.pack_plan import PackPlan, hash_of, plan_pack, reading_order
from geoplan.studies.pack_report import LayerReport, PackReport, together, weakest_basis
from geoplan.studies.pack_store import published, raster_room, store_layer

__all__ = ["LayerReport", "PackReport", "check_pack", "load_pack", "single_file_pack"]

Progress = Callable[[str, float], None]
"""Called with what is being done, and the share of the whole that is finished, 0 to 1."""


def _silent(what: str, share: float) -> None:
    del what, share


def check_pack(
    catalogue: Catalogue,
    pack: str | Pack,
    root: Path,
    *,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> PackReport:
    """Read every file of a pack as a load would, and store nothing.

    Parameters
    ----------
    catalogue : Catalogue
        Layers, profiles and packs.
    pack : str or Pack
        Pack by id or path of its YAML, or a pack that was made in memory.
    root : Path
        Folder of the delivered files.
    engine : Engine, optional
        Where regions of an earlier load are looked up.

    Returns
    -------
    PackReport
        Every finding; ``error`` ones would stop a load.

    Raises
    ------
    GeoPlanError
        The pack itself, its profile or its folder cannot be read.
    """
    started = time.perf_counter()
    plan = plan_pack(catalogue, pack, root)
    context = Context(plan.folder, country_layer=plan.country, lookup=_lookup(engine))
    reports = []
    order = reading_order(plan, list(plan.entries))
    for i, layer in enumerate(order):
        (progress or _silent)(layer, i / len(order))
        at = time.perf_counter()
        staged = read_layer(
            plan.pack, plan.entries[layer], plan.specs[layer], plan.profile, context
        )
        reports.append(_report(plan, staged, "checked", None, time.perf_counter() - at))
    (progress or _silent)("done", 1.0)
    return PackReport(plan.pack.id, reports, time.perf_counter() - started)


def load_pack(
    engine: Engine,
    settings: Settings,
    catalogue: Catalogue,
    pack: str | Pack,
    root: Path,
    *,
    progress: Progress | None = None,
    loaded_by: str,
    force: bool = False,
) -> PackReport:
    """Load a pack. Either every layer gets its new version, or nothing changes.

    Parameters
    ----------
    engine : Engine
        The database.
    settings : Settings
        Says where rasters lie.
    catalogue, pack, root
        As for :func:`check_pack`.
    progress : callable, optional
        Told what is being done.
    loaded_by : str
        Who loads.
    force : bool
        Store a new version even where the same files and entry are current already.

    Returns
    -------
    PackReport
        One line per layer.

    Raises
    ------
    ProblemsFound
        Something in the data stops the load; all findings of severity ``error`` of all layers.
    DatabaseLost, DiskFull
        Nothing of the pack was kept.
    """
    started = time.perf_counter()
    tell = progress or _silent
    plan = plan_pack(catalogue, pack, root)
    with transaction(engine) as session:
        _same_country(session, plan, catalogue)
        current = read.layer_versions(session, [*plan.entries, *_outside(plan)])
        lost = {
            layer
            for layer, spec in plan.specs.items()
            if spec.kind == "raster"
            and layer in current
            and not Path(read.raster_asset(session, layer).path).is_file()
        }
    stored = {layer: str(v["sha256"]) for layer, v in current.items()}
    broken: set[str] = set()
    for layer in plan.entries:
        try:
            hash_of(plan, layer, stored)
        except UnknownName:
            raise
        except InputError:
            # A file that cannot be read is told below, together with everything else.
            broken.add(layer)
    wanted = [
        layer
        for layer in plan.entries
        if force or layer in broken or layer in lost or stored.get(layer) != plan.hashes[layer]
    ]
    order = reading_order(plan, wanted)
    staged: dict[str, Staged] = {}
    seconds: dict[str, float] = {}
    with raster_room(settings.rasters_dir, plan, wanted) as room:
        context = Context(
            plan.folder, rasters_dir=room, country_layer=plan.country, lookup=_lookup(engine)
        )
        for i, layer in enumerate(order):
            tell(f"read {layer}", 0.8 * i / max(1, len(order)))
            at = time.perf_counter()
            found = staged[layer] = read_layer(
                plan.pack,
                plan.entries[layer],
                plan.specs[layer],
                plan.profile,
                context,
                sha256=plan.hashes.get(layer),
            )
            if found.raster is not None:
                final = settings.rasters_dir / found.raster.path.name
                found.raster = replace(found.raster, path=final)
            seconds[layer] = time.perf_counter() - at
        errors = [p for s in staged.values() for p in s.errors]
        if errors:
            raise ProblemsFound(
                f"'{plan.pack.title.en}' was not loaded: {len(errors)} problem"
                f"{'s' if len(errors) > 1 else ''}; nothing was changed",
                errors,
                where=str(root),
            )
        numbers: dict[str, int] = {}
        with published(engine, staged, wanted) as publish, transaction(engine) as session:
            for i, layer in enumerate(wanted):
                tell(f"store {layer}", 0.8 + 0.2 * i / max(1, len(wanted)))
                at = time.perf_counter()
                store_layer(session, plan, staged[layer], loaded_by)
                seconds[layer] += time.perf_counter() - at
            for layer in plan.entries:
                if layer not in wanted:
                    # Titles and styles are shown from the database, and are not part of the hash.
                    write.put_layer(session, plan.specs[layer])
            # Renamed last and before the commit: a row never names a file that is not there.
            publish()
            session.flush()
            after = read.layer_versions(session, list(plan.entries))
            numbers = {layer: int(v["number"]) for layer, v in after.items()}
            rows = {layer: int(v["rows"]) for layer, v in after.items()}
    tell("done", 1.0)
    reports = [
        _report(plan, staged[layer], "loaded", numbers[layer], seconds[layer])
        if layer in wanted
        else _unchanged(plan, layer, numbers[layer], rows[layer])
        for layer in plan.entries
    ]
    return PackReport(plan.pack.id, reports, time.perf_counter() - started)


def _same_country(session: Session, plan: PackPlan, catalogue: Catalogue) -> None:
    """Refuse to mix two countries in one database: runs would read layers of both."""
    held = read.layer_versions(session, [*catalogue.layers(), *plan.entries])
    other = sorted(
        {
            str(version["profile_id"])
            for version in held.values()
            if version["profile_id"] not in (None, plan.profile.id)
        }
    )
    if other:
        raise InputError(
            f"this database holds the layers of profile '{other[0]}'; this delivery is for "
            f"'{plan.profile.id}'",
            where=plan.pack.title.en,
            remedy="give each country a database of its own: another --home, or another "
            "GEOPLAN_DATABASE_URL",
        )


def _outside(plan: PackPlan) -> list[str]:
    return [x for layer in plan.entries for x in plan.refers_to(layer) if x not in plan.entries]


def _lookup(engine: Engine | None) -> Callable[[str], gpd.GeoDataFrame | None]:
    def find(layer: str) -> gpd.GeoDataFrame | None:
        if engine is None:
            return None
        with transaction(engine) as session:
            if not read.layer_versions(session, [layer]):
                return None
            frame = read.layer_frame(session, layer)
        return frame if "code" in frame.columns else None

    return find


def _report(
    plan: PackPlan, staged: Staged, status: str, version: int | None, seconds: float
) -> LayerReport:
    entries = plan.entries[staged.layer]
    return LayerReport(
        layer=staged.layer,
        status=status,
        version=version,
        rows_read=staged.rows_read,
        rows_stored=0 if staged.errors else staged.rows_stored,
        rows_made=staged.balance.made,
        rows_refused=staged.rows_refused,
        filtered=staged.filtered,
        basis=weakest_basis(entries),
        as_of=together([e.as_of for e in entries]),
        seconds=seconds,
        problems=staged.report,
    )


def _unchanged(plan: PackPlan, layer: str, version: int, rows: int) -> LayerReport:
    entries = plan.entries[layer]
    return LayerReport(
        layer, "unchanged", version, 0, 0, rows, 0, {}, weakest_basis(entries),
        together([e.as_of for e in entries]), 0.0,
    )  # fmt: skip


def single_file_pack(
    file: Path, layer: str, profile: str, options: Mapping[str, Any]
) -> tuple[Pack, Path]:
    """Return a pack of one entry for one file, and the folder it lies in.

    Parameters
    ----------
    file : Path
        The file.
    layer, profile : str
        Layer id and profile id.
    options : mapping
        Further keys of :class:`PackEntry`: ``crs``, ``lon``, ``lat``, ``fields`` …
    """
    name = "file-" + hashlib.sha256(layer.encode()).hexdigest()[:8]
    entry = PackEntry.model_validate({"layer": layer, "file": file.name, **options})
    title = Text(en=file.name)
    return Pack(id=name, title=title, profile=profile, entries=(entry,)), file.parent
