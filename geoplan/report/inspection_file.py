"""The report of one file as a file: a page, a GeoPackage or a JSON document, by its ending."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import shapely

from geoplan.errors import InputError
from geoplan.ingest.inspection import Inspection
from geoplan.report.export_file import new_file
from geoplan.report.inspection_document import inspection_document
from geoplan.report.inspection_layers import write_problem_gpkg
from geoplan.report.inspection_page import write_inspection_html

__all__ = ["write_inspection"]


def write_inspection(
    inspection: Inspection, path: Path, *, language: str = "en", made: str | None = None
) -> None:
    """Write a report, whole or not at all; one that is there is replaced.

    Parameters
    ----------
    inspection : Inspection
        What was found.
    path : Path
        ``.html`` (offline, with a map), ``.gpkg`` (each place) or ``.json`` (everything).
    language : str
        Language that the page opens with.
    made : str, optional
        ISO date that stands on the page.

    Raises
    ------
    InputError
        Another ending.
    DiskFull, FileMissing
        It cannot be written there.
    """
    suffix = path.suffix.lower()
    if suffix in (".html", ".htm"):
        ground = shapely.from_wkb(np.array(inspection.outlines, dtype=object))
        write_inspection_html(
            inspection, path, language=language, context=ground, made=made, overwrite=True
        )
    elif suffix == ".gpkg":
        write_problem_gpkg(inspection, path, overwrite=True)
    elif suffix == ".json":
        document = inspection_document(inspection)
        text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
        with new_file(path, overwrite=True) as part:
            part.write_text(text + "\n", encoding="utf-8")
    else:
        raise InputError(
            f"a report of kind '{suffix or path.name}' is not written",
            where=path.name,
            remedy="use a name that ends in .html, .json or .gpkg",
        )
