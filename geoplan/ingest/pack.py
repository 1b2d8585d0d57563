"""Read the entries of a pack into staged layers. No database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import Pack, PackEntry
from geoplan.catalogue.profile import Profile
from geoplan.errors import InputError, Problem, ProblemsFound, RangeError
from geoplan.ingest.account import Account
from geoplan.ingest.entry import read_rows
from geoplan.ingest.fields import tell_missing
from geoplan.ingest.findings import Findings
from geoplan.ingest.folder import PackFolder
from geoplan.ingest.gather import gather, leave_near, regions_of, stamp, tell_parents
from geoplan.ingest.raster import RASTER_SUFFIXES, RasterFile
from geoplan.ingest.source import is_file
from geoplan.ingest.staged import Context, Staged
from geoplan.ingest.surface import read_surface

__all__ = ["Context", "Staged", "by_layer", "fingerprint", "read_entry", "read_layer"]

# Part of every fingerprint: raise it when the same file and entry give other rows than before.
_REVISION = 1


def by_layer(pack: Pack) -> dict[str, list[PackEntry]]:
    """Return the entries of a pack grouped by layer, layers in the order of their first entry."""
    out: dict[str, list[PackEntry]] = {}
    for entry in pack.entries:
        out.setdefault(entry.layer, []).append(entry)
    return out


def files_of(entry: PackEntry) -> list[str]:
    """Return every file that an entry reads."""
    clip = [entry.clip] if entry.clip and is_file(entry.clip) else []
    return [entry.file, *[j.file for j in entry.joins], *clip, *entry.sample.values()]


def fingerprint(
    entries: Sequence[PackEntry],
    spec: LayerSpec,
    profile: Profile,
    folder: PackFolder,
    *,
    depends_on: Sequence[str] = (),
) -> str:
    """Return the SHA-256 of everything that decides a layer's rows: entries, layer, files.

    Parameters
    ----------
    depends_on : sequence of str
        Fingerprints of region layers that place or cut this one.
    """
    document: dict[str, Any] = {
        "revision": _REVISION,
        "entries": [e.model_dump(mode="json", by_alias=True) for e in entries],
        # How a layer is drawn or titled does not change its rows.
        "layer": spec.model_dump(
            mode="json",
            exclude={
                "style": True,
                "title": True,
                "description": True,
                "fields": {"__all__": {"title"}},
            },
        ),
        "bbox": list(profile.bbox),
        "files": {f: folder.sha256(f) for e in entries for f in files_of(e)},
        "depends_on": list(depends_on),
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _told(findings: Findings, error: InputError) -> None:
    """Turn an exception into a finding, so that the other entries are still checked."""
    if isinstance(error, ProblemsFound):
        findings.problems += error.problems
        return
    code = {
        "FileMissing": "missing-file",
        "CrsProblem": "wrong-crs",
        "EmptyLayer": "empty-layer",
        "UnknownName": "unknown-name",
        "RangeError": "out-of-range",
    }.get(type(error).__name__, "unreadable")
    where = error.where if error.where in findings.where else f"{findings.where}, {error.where}"
    at = where.rstrip(", ") if error.where and error.where not in findings.where else findings.where
    findings.problems.append(Problem(at, error.what, error.remedy, "error", code))


def read_entry(
    root: Path,
    pack: Pack,
    entry: PackEntry,
    spec: LayerSpec,
    profile: Profile,
    context: Context | None = None,
) -> Staged:
    """Read and check one entry on its own. See :func:`read_layer`."""
    context = context or Context(PackFolder(root), country_layer=profile.region_levels[0].layer)
    return read_layer(pack, [entry], spec, profile, context)


def read_layer(
    pack: Pack,
    entries: Sequence[PackEntry],
    spec: LayerSpec,
    profile: Profile,
    context: Context,
    *,
    sha256: str | None = None,
) -> Staged:
    """Read all entries of one layer and put their rows one after the other.

    Parameters
    ----------
    pack : Pack
        The pack, for what all its entries share: whether they are made up.
    entries : sequence of PackEntry
        The layer's entries in order.
    spec, profile : LayerSpec, Profile
        What the layer is; where the country lies.
    context : Context
        Folder, regions read before, where rasters go. Regions read here are added to it.
    sha256 : str, optional
        The fingerprint, where it is known.

    Returns
    -------
    Staged
        Findings of all entries; those of severity ``error`` mean it must not be stored. It never
        raises for what is wrong in the data, so that one pass finds everything.
    """
    findings = Findings(f"{spec.id} ← {entries[0].file}")
    made_up = pack.synthetic or profile.synthetic
    frames: list[gpd.GeoDataFrame | pd.DataFrame] = []
    uncut: list[gpd.GeoSeries] = []
    raster: RasterFile | None = None
    account = Account()
    crs: list[str] = []
    sha = sha256 or ""
    try:
        sha = sha256 or fingerprint(entries, spec, profile, context.folder)
    except InputError:
        # The entry whose file this is tells it below, in its turn.
        sha = ""
    if spec.derived is not None:
        findings.add(
            "derived-layer",
            f"'{spec.id}' is computed from '{spec.derived.source}'",
            "remove the entry",
            severity="error",
        )
        return replace(
            _staged(spec, entries, findings, None, None, account, sha, crs), synthetic=made_up
        )
    for entry in entries:
        findings.where = f"{spec.id} ← {entry.file}"
        try:
            if spec.kind == "raster":
                if len(entries) > 1:
                    raise RangeError("a raster layer has one entry", where=entry.file)
                raster, found = read_surface(entry, spec, context, sha, findings)
                account.enter(entry.file, 1, np.zeros(1, dtype=int), ())
                crs.append(found)
                continue
            if entry.file.lower().endswith(RASTER_SUFFIXES):
                raise InputError(f"layer '{spec.id}' is no raster", where=entry.file)
            rows = read_rows(entry, spec, profile, context, findings)
        except InputError as error:
            _told(findings, error)
            findings.left = []
            continue
        frame = stamp(rows, spec, entry)
        tell_missing(frame, spec, findings)
        if entry.apart_km is not None and frames:
            frame = leave_near(frame, frames, entry.apart_km, findings)
        source = (entry.file, entry.source_layer)
        account.enter(source, rows.rows_read, frame["_row"].to_numpy(), findings.left)
        findings.left = []
        frames.append(frame)
        if rows.source_crs:
            crs.append(rows.source_crs)
        if rows.uncut is not None:
            uncut.append(rows.uncut)
    whole = gather(frames, spec, findings) if frames else None
    if whole is not None and spec.table == "regions" and "code" in whole:
        only = uncut[0] if len(frames) == len(uncut) == 1 else None
        context.regions[spec.id] = regions_of(whole, only)
    if whole is not None and "parent_code" in whole and spec.level and spec.level > 1:
        tell_parents(whole, spec, profile, context, findings)
    return replace(
        _staged(spec, entries, findings, whole, raster, account, sha, crs), synthetic=made_up
    )


def _staged(
    spec: LayerSpec,
    entries: Sequence[PackEntry],
    findings: Findings,
    frame: gpd.GeoDataFrame | pd.DataFrame | None,
    raster: RasterFile | None,
    account: Account,
    sha: str,
    crs: Sequence[str],
) -> Staged:
    return Staged(
        layer=spec.id,
        frame=None if frame is None else frame.drop(columns="_row", errors="ignore"),
        raster=raster,
        report=findings.problems,
        balance=account.balance(),
        sha256=sha,
        source_crs=", ".join(dict.fromkeys(crs)) or None,
        source_file=" + ".join(dict.fromkeys(e.file for e in entries)),
    )
