"""Check and load a pack: files → staged layers → one transaction, all of it or nothing."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geoplan.catalogue import Catalogue, LayerSpec, Pack, PackEntry, Profile
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound, UnknownName
from geoplan.ingest import Context, PackFolder, Staged, by_layer, fingerprint, read_layer
from geoplan.settings import Settings
from geoplan.store import read, write
from geoplan.store.session import transaction

__all__ = ["LayerReport", "PackReport", "check_pack", "load_pack", "single_file_pack"]

Progress = Callable[[str, float], None]
"""Called with what is being done, and the share of the whole that is finished, 0 to 1."""


@dataclass(frozen=True)
class LayerReport:
    """What became of one layer of a pack.

    Parameters
    ----------
    status : str
        ``loaded``, ``unchanged`` (the same files and entry are current already) or ``checked``.
    version : int or None
        Version number that is current now.
    """

    layer: str
    status: str
    version: int | None
    rows_read: int
    rows_stored: int
    rows_refused: int
    filtered: Mapping[str, int]
    basis: str | None
    as_of: str | None
    seconds: float
    problems: Sequence[Problem] = ()

    def count(self, severity: str) -> int:
        """Return how many rows or cells the findings of one severity stand for."""
        return sum(p.count for p in self.problems if p.severity == severity)

    @property
    def repaired(self) -> dict[str, int]:
        """Repairs by code, with the number of rows or cells of each."""
        out: Counter[str] = Counter()
        for p in self.problems:
            if p.severity == "repaired":
                out[p.code] += p.count
        return dict(out)

    @property
    def warnings(self) -> int:
        """How many findings a person should look at."""
        return sum(p.severity == "warning" for p in self.problems)


@dataclass(frozen=True)
class PackReport:
    """What became of a pack."""

    pack: str
    layers: Sequence[LayerReport]
    seconds: float

    @property
    def problems(self) -> list[Problem]:
        """Every finding of every layer."""
        return [p for layer in self.layers for p in layer.problems]


@dataclass
class _Plan:
    """A pack with everything that is needed to read it."""

    pack: Pack
    profile: Profile
    specs: dict[str, LayerSpec]
    entries: dict[str, list[PackEntry]]
    folder: PackFolder
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def country(self) -> str:
        return self.profile.region_levels[0].layer

    def refers_to(self, layer: str) -> list[str]:
        """Return the region layers whose shape decides the rows of ``layer``."""
        out: list[str] = []
        for entry in self.entries[layer]:
            regions = entry.region_of
            out += [regions] if isinstance(regions, str) else list(regions or ())
            if entry.clip and "/" not in entry.clip and "." not in entry.clip:
                out.append(entry.clip)
            spatial = self.specs[layer].kind == "vector" or entry.lon is not None
            if spatial and entry.inside != "keep" and layer != self.country:
                out.append(self.country)
        return [x for x in dict.fromkeys(out) if x != layer]


def _plan(catalogue: Catalogue, pack: str | Pack, root: Path) -> _Plan:
    """Read pack, profile and layers, and tell everything that does not fit at once."""
    whole = pack if isinstance(pack, Pack) else catalogue.pack(pack)
    profile = catalogue.profile(whole.profile)
    known = catalogue.layers()
    entries = by_layer(whole)
    problems = [
        Problem(
            f"entries, layer '{layer}'",
            f"there is no layer '{layer}' in the catalogue",
            f"write layers/{layer}.yaml, or give --layers-dir",
            code="unknown-layer",
        )
        for layer in entries
        if layer not in known
    ]
    if problems:
        raise ProblemsFound(
            f"pack '{whole.id}' names {len(problems)} unknown layers", problems, where=whole.id
        )
    specs = {layer: known[layer] for layer in entries}
    return _Plan(whole, profile, specs, entries, PackFolder(root))


def _hash(plan: _Plan, layer: str, stored: Mapping[str, str], seen: tuple[str, ...] = ()) -> str:
    """Return the fingerprint of a layer and of the regions it refers to, files read once."""
    if layer in plan.hashes:
        return plan.hashes[layer]
    if layer in seen:
        raise UnknownName(
            f"the layers {' → '.join((*seen, layer))} refer to each other in a circle",
            where=plan.pack.id,
            remedy="remove one 'region_of' or 'clip'",
        )
    below = [
        _hash(plan, other, stored, (*seen, layer))
        if other in plan.entries
        else stored.get(other, "")
        for other in plan.refers_to(layer)
    ]
    plan.hashes[layer] = fingerprint(
        plan.entries[layer], plan.specs[layer], plan.profile, plan.folder, depends_on=below
    )
    return plan.hashes[layer]


def _order(plan: _Plan, wanted: Sequence[str]) -> list[str]:
    """Return the layers that must be read: those wanted and the regions they refer to, first."""
    out: list[str] = []

    def visit(layer: str, seen: tuple[str, ...]) -> None:
        if layer in out or layer not in plan.entries or layer in seen:
            return
        for other in plan.refers_to(layer):
            visit(other, (*seen, layer))
        out.append(layer)

    for layer in wanted:
        visit(layer, ())
    return out


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
    plan = _plan(catalogue, pack, root)
    context = Context(plan.folder, country_layer=plan.country, lookup=_lookup(engine))
    reports = []
    order = _order(plan, list(plan.entries))
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
    plan = _plan(catalogue, pack, root)
    with transaction(engine) as session:
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
            _hash(plan, layer, stored)
        except UnknownName:
            raise
        except Exception as error:  # noqa: BLE001 - read_layer tells a bad file with the others
            del error
            broken.add(layer)
    wanted = [
        layer
        for layer in plan.entries
        if force or layer in broken or layer in lost or stored.get(layer) != plan.hashes[layer]
    ]
    order = _order(plan, wanted)
    context = Context(
        plan.folder,
        rasters_dir=settings.rasters_dir,
        country_layer=plan.country,
        lookup=_lookup(engine),
    )
    staged: dict[str, Staged] = {}
    seconds: dict[str, float] = {}
    try:
        for i, layer in enumerate(order):
            tell(f"read {layer}", 0.8 * i / max(1, len(order)))
            at = time.perf_counter()
            staged[layer] = read_layer(
                plan.pack,
                plan.entries[layer],
                plan.specs[layer],
                plan.profile,
                context,
                sha256=plan.hashes.get(layer),
            )
            seconds[layer] = time.perf_counter() - at
        errors = [p for s in staged.values() for p in s.errors]
        if errors:
            raise ProblemsFound(
                f"pack '{plan.pack.id}' was not loaded: {len(errors)} problem"
                f"{'s' if len(errors) > 1 else ''}; nothing was changed",
                errors,
                where=str(root),
            )
        numbers: dict[str, int] = {}
        with _published(staged, wanted) as publish, transaction(engine) as session:
            for i, layer in enumerate(wanted):
                tell(f"store {layer}", 0.8 + 0.2 * i / max(1, len(wanted)))
                at = time.perf_counter()
                _store(session, plan, staged[layer], loaded_by)
                seconds[layer] += time.perf_counter() - at
            # Renamed last and before the commit: a row never names a file that is not there.
            publish()
            session.flush()
            after = read.layer_versions(session, list(plan.entries))
            numbers = {layer: int(v["number"]) for layer, v in after.items()}
            rows = {layer: int(v["rows"]) for layer, v in after.items()}
    finally:
        for s in staged.values():
            if s.raster is not None:
                s.raster.staged.unlink(missing_ok=True)
    tell("done", 1.0)
    reports = [
        _report(plan, staged[layer], "loaded", numbers[layer], seconds[layer])
        if layer in wanted
        else _unchanged(plan, layer, numbers[layer], rows[layer])
        for layer in plan.entries
    ]
    return PackReport(plan.pack.id, reports, time.perf_counter() - started)


def _outside(plan: _Plan) -> list[str]:
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


@contextmanager
def _published(staged: Mapping[str, Staged], wanted: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Give a function that moves the rasters into place, and take them back if the load fails."""
    made: list[Path] = []

    def publish() -> None:
        for layer in wanted:
            raster = staged[layer].raster
            if raster is not None:
                if not raster.path.exists():
                    made.append(raster.path)
                raster.staged.replace(raster.path)

    try:
        yield publish
    except BaseException:
        for path in made:
            path.unlink(missing_ok=True)
        raise


def _store(session: Session, plan: _Plan, staged: Staged, loaded_by: str) -> None:
    spec, entries = plan.specs[staged.layer], plan.entries[staged.layer]
    basis = _basis(entries)
    version = write.new_version(
        session,
        spec,
        pack_id=plan.pack.id,
        source_file=staged.source_file,
        sha256=staged.sha256,
        loaded_by=loaded_by,
        rows_read=staged.rows_read,
        rows_refused=staged.rows_refused,
        source_crs=staged.source_crs,
        as_of=_together([e.as_of for e in entries]),
        source=_together([e.source for e in entries]) or "",
        licence=_together([e.licence for e in entries]) or "",
        confidence=_together([e.confidence for e in entries]) or "",
        basis=basis,
        method=_method(entries),
        synthetic=plan.pack.synthetic or plan.profile.synthetic,
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


def _together(values: Sequence[str | None]) -> str | None:
    kept = list(dict.fromkeys(v for v in values if v))
    return "; ".join(kept) or None


def _basis(entries: Sequence[PackEntry]) -> str | None:
    """Return the weakest basis of the entries: one assumed part makes the layer assumed."""
    found = {e.basis for e in entries}
    return next((b for b in ("assumed", "licensed", "metered") if b in found), None)


def _method(entries: Sequence[PackEntry]) -> Text | None:
    methods = list(dict.fromkeys(e.method for e in entries if e.method))
    if not methods:
        return None
    local = [m.local for m in methods if m.local]
    return Text(
        en="\n".join(m.en for m in methods),
        fa="\n".join(m.fa or m.en for m in methods) if any(m.fa for m in methods) else None,
        local="\n".join(local) if local else None,
    )


def _report(
    plan: _Plan, staged: Staged, status: str, version: int | None, seconds: float
) -> LayerReport:
    entries = plan.entries[staged.layer]
    return LayerReport(
        layer=staged.layer,
        status=status,
        version=version,
        rows_read=staged.rows_read,
        rows_stored=0 if staged.errors else staged.rows_stored,
        rows_refused=staged.rows_refused,
        filtered=staged.filtered,
        basis=_basis(entries),
        as_of=_together([e.as_of for e in entries]),
        seconds=seconds,
        problems=staged.report,
    )


def _unchanged(plan: _Plan, layer: str, version: int, rows: int) -> LayerReport:
    entries = plan.entries[layer]
    return LayerReport(
        layer, "unchanged", version, 0, rows, 0, {}, _basis(entries),
        _together([e.as_of for e in entries]), 0.0,
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
