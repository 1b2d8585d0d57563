"""The folder of a run: every file of one result, and the digests that seal it."""

from __future__ import annotations

import errno
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from geoplan.errors import DiskFull, FileMissing, InputError
from geoplan.report import tables
from geoplan.report.embed import require_assets
from geoplan.report.exclusion_raster import write_exclusions
from geoplan.report.exclusion_tables import exclusions_by_region_csv, exclusions_csv
from geoplan.report.map import map_html
from geoplan.report.outline import outlines
from geoplan.report.page import report_html
from geoplan.report.pareto_tables import pareto_csv
from geoplan.report.plan_tables import alternatives_csv, trade_offs_csv
from geoplan.report.ranking_tables import methods_csv, smaa_csv
from geoplan.report.raster import write_decisive, write_suitability
from geoplan.report.sites import write_sites
from geoplan.siting.result import SitingResult

__all__ = ["ASKED", "FILES", "files_of", "run_json", "write_run_folder"]

FILES = (
    "ranking.csv", "portfolio.csv", "supply.csv", "sources.csv", "exclusions.csv",
    "exclusions_by_region.csv", "regions.csv", "sites.gpkg", "suitability.tif", "map.html",
    "report.html", "run.json",
)  # fmt: skip
"""Every file of any run, in the order in which it is written."""

ASKED = (
    "methods.csv", "smaa.csv", "pareto.csv", "alternatives.csv", "trade_offs.csv",
    "exclusions.tif", "decisive.tif",
)  # fmt: skip
"""Files of a run that was asked for more than its plan, written before the pages."""


def write_run_folder(
    folder: Path, result: SitingResult, document: dict[str, Any]
) -> dict[str, str]:
    """Write every file of a run into an empty folder, ``run.json`` last.

    Parameters
    ----------
    folder : Path
        Exists and is empty.
    result : SitingResult
        A finished run, with or without a plan.
    document : dict
        What ``run.json`` says: scenario and digests, software, solver, timings. The pages look
        up ``run_id``, ``created_at`` (ISO 8601), ``hash``, ``index_formula`` and
        ``software.geoplan``, each where present.

    Returns
    -------
    dict of str to str
        File name → sha256, ``run.json`` included.

    Raises
    ------
    FileMissing
        The folder does not exist, or the embedded assets are absent.
    InputError
        The folder is not empty: a run is immutable.
    DiskFull
        No space is left; what was written so far stays for the caller to remove.

    Notes
    -----
    The same result gives the same bytes of every file but ``run.json`` and ``report.html``,
    which state when and how fast the run was.
    """
    if not folder.is_dir():
        raise FileMissing("the run folder does not exist", where=str(folder))
    if any(folder.iterdir()):
        raise InputError(
            "the run folder is not empty", where=str(folder), remedy="give a new folder"
        )
    require_assets()
    shapes = outlines(result)
    text: dict[str, Callable[[], bytes]] = {
        "ranking.csv": lambda: tables.ranking_csv(result),
        "portfolio.csv": lambda: tables.portfolio_csv(result),
        "supply.csv": lambda: tables.supply_csv(result),
        "sources.csv": lambda: tables.sources_csv(result),
        "exclusions.csv": lambda: exclusions_csv(result),
        "exclusions_by_region.csv": lambda: exclusions_by_region_csv(result),
        "methods.csv": lambda: methods_csv(result),
        "smaa.csv": lambda: smaa_csv(result),
        "pareto.csv": lambda: pareto_csv(result.pareto, currency=result.profile.currency),
        "alternatives.csv": lambda: alternatives_csv(result),
        "trade_offs.csv": lambda: trade_offs_csv(result),
        "regions.csv": lambda: tables.regions_csv(result, str(document.get("index_formula") or "")),
        "map.html": lambda: map_html(result, shapes).encode("utf-8"),
        "report.html": lambda: report_html(result, document, shapes).encode("utf-8"),
    }
    digests: dict[str, str] = {}
    try:
        for name in files_of(result)[:-1]:
            path = folder / name
            if name == "sites.gpkg":
                write_sites(path, result)
            elif name == "suitability.tif":
                write_suitability(path, result)
            elif name == "decisive.tif":
                write_decisive(path, result)
            elif name == "exclusions.tif" and result.rules is not None:
                write_exclusions(path, result.rules, result.grid)
            else:
                path.write_bytes(text[name]())
            digests[name] = _digest(path)
        path = folder / "run.json"
        path.write_bytes(run_json(document, digests))
        digests["run.json"] = _digest(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                f"no space is left for {path.name}",
                where=str(folder),
                remedy="free some space or give a folder on another disk",
            ) from error
        raise
    return digests


def files_of(result: SitingResult) -> tuple[str, ...]:
    """Return the names of the files of a run, in the order in which they are written."""
    has = {
        "methods.csv": len(result.methods) > 0,
        "smaa.csv": len(result.smaa) > 0,
        "pareto.csv": len(result.pareto) > 0,
        "alternatives.csv": "alternatives" in result.documents,
        "trade_offs.csv": "trade_offs" in result.documents,
        "exclusions.tif": result.rules is not None,
        "decisive.tif": result.decisive is not None,
    }
    asked = tuple(name for name in ASKED if has[name])
    at = FILES.index("map.html")
    return (*FILES[:at], *asked, *FILES[at:])


def run_json(document: Mapping[str, Any], digests: Mapping[str, str]) -> bytes:
    """Return ``run.json``: the document with ``files``, in its order, missing numbers null.

    Keys are not sorted: the order of criteria is the order of columns and of the weighted sum,
    and a replay must find it again.
    """
    content = {**document, "files": dict(digests)}
    text = json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _plain(value.model_dump(mode="json", by_alias=True))
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [_plain(inner) for inner in value]
        return sorted(items, key=str) if isinstance(value, (set, frozenset)) else items
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    return value


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
