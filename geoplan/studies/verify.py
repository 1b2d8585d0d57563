"""A run's folder checked again from its files alone, with arithmetic of its own.

Nothing of ``geoplan.siting`` is used: a mistake there must not hide itself here. ``run.json``
must hold ``scenario`` (as parsed), ``profile`` (``id``, ``document``), ``solver``, ``weights``,
``status`` and, for the digests, ``files``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import rasterio

from geoplan.errors import FileMissing
from geoplan.studies import verify_land, verify_plan, verify_supply
from geoplan.studies.evidence import Evidence, NotSo, as_table

__all__ = ["Check", "VerifyReport", "verify_folder"]

_TABLES = ("ranking", "portfolio", "supply", "sources", "exclusions")
_UNREADABLE = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    ArithmeticError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Check:
    """One question asked of a folder, and its answer."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Every check of a folder, in order."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether all checks passed."""
        return all(c.passed for c in self.checks)


def verify_folder(folder: Path) -> VerifyReport:
    """Check a run's folder.

    Parameters
    ----------
    folder : Path
        With the files of a run.

    Returns
    -------
    VerifyReport
        First whether each file is there, can be read and has the recorded sha256; then the plan:
        count, ranks, region caps, quota, spacing, cost and budget, solver's record; supply:
        units, demand recomputed and served in full, headroom, own supply, reuse, distances,
        costs; land: areas, allowed land, scores and candidate spacing. A file that is missing
        or cannot be read fails its own line, and the checks that need it fail with that reason.

    Raises
    ------
    FileMissing
        The folder itself does not exist.
    """
    if not folder.is_dir():
        raise FileMissing(
            "there is no such run folder", where=str(folder), remedy="give the folder of a run"
        )
    evidence = Evidence(folder=folder)
    questions: list[tuple[str, Callable[[Evidence], str]]] = [
        ("file run.json", _read_document),
        *((f"file {name}.csv", partial(_read_table, name=name)) for name in _TABLES),
        ("file sites.gpkg", _read_sites),
        ("file suitability.tif", _read_score),
        ("digests", _digests),
        *verify_plan.CHECKS,
        *verify_supply.CHECKS,
        *verify_land.CHECKS,
    ]
    return VerifyReport(tuple(_answer(name, ask, evidence) for name, ask in questions))


def _answer(name: str, question: Callable[[Evidence], str], evidence: Evidence) -> Check:
    try:
        return Check(name, True, question(evidence))
    except NotSo as no:
        return Check(name, False, str(no))
    except _UNREADABLE as error:
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        return Check(name, False, f"cannot be checked, the files do not fit together ({what})")


def _path(evidence: Evidence, name: str) -> Path:
    path = evidence.folder / name
    if not path.is_file():
        raise NotSo(f"{name} is missing")
    return path


def _read_document(evidence: Evidence) -> str:
    try:
        document: Any = json.loads(_path(evidence, "run.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise NotSo(f"run.json is not JSON ({error})") from error
    if not isinstance(document, dict) or not isinstance(document.get("scenario"), dict):
        raise NotSo("run.json has no scenario")
    evidence.document = document
    return f"run {document.get('run_id', 'without a name')}"


def _read_table(evidence: Evidence, name: str) -> str:
    path = _path(evidence, f"{name}.csv")
    try:
        # Codes stay text: a region '01' is not the number 1.
        raw = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, pd.errors.ParserError) as error:
        raise NotSo(f"{name}.csv cannot be read ({error})") from error
    evidence.tables[name] = as_table(raw, name)
    return f"{len(raw):,} rows"


def _read_sites(evidence: Evidence) -> str:
    path = _path(evidence, "sites.gpkg")
    try:
        sites = gpd.read_file(path, layer="sites")
    except Exception as error:
        raise NotSo(f"sites.gpkg cannot be read ({type(error).__name__})") from error
    if sites.crs is None or sites.crs.to_epsg() != 4326:
        raise NotSo(f"sites.gpkg is in {sites.crs}, not EPSG:4326")
    bad = int((~sites.geometry.is_valid | sites.geometry.is_empty).sum())
    if bad:
        raise NotSo(f"{bad} polygons of sites.gpkg are invalid or empty")
    twice = sites["site_id"][sites["site_id"].duplicated()]
    if len(twice):
        raise NotSo(f"site {twice.iloc[0]} occurs twice in sites.gpkg")
    evidence.polygons = sites.set_index("site_id")
    return f"{len(sites):,} polygons"


def _read_score(evidence: Evidence) -> str:
    path = _path(evidence, "suitability.tif")
    try:
        with rasterio.open(path) as source:
            evidence.score = source.read(1)
            evidence.transform = source.transform
            evidence.crs = source.crs
    except rasterio.errors.RasterioError as error:
        raise NotSo(f"suitability.tif cannot be read ({error})") from error
    rows, cols = evidence.score.shape
    return f"{rows} × {cols} cells"


def _digests(evidence: Evidence) -> str:
    listed = evidence.document.get("files") or {}
    if not listed:
        return "run.json lists no digests"
    for name, value in sorted(listed.items()):
        wanted = value.get("sha256") if isinstance(value, dict) else value
        with _path(evidence, name).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        if found != wanted:
            raise NotSo(f"{name} was changed after the run: its sha256 is not the recorded one")
    return f"{len(listed)} files have the recorded sha256"
