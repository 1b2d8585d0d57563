"""The names that ``source_layer`` may give for a file."""

from __future__ import annotations

from pathlib import Path

from geoplan.ingest.reader.dispatch import resolved
from geoplan.ingest.reader.kind import DRIVERS, kind_of_file
from geoplan.ingest.reader.request import ReadRequest

__all__ = ["layers_in"]


def layers_in(request: ReadRequest, folder: Path) -> list[str]:
    """Return the layers of a file, the sheets of a workbook, or the files of an archive.

    Raises
    ------
    GeoPlanError
        It cannot be read.
    """
    if kind_of_file(request.path).format == "zip":
        from geoplan.ingest.reader.archive import unpack_zip
        from geoplan.ingest.reader.packed import datasets_in

        room = folder / "listed"
        room.mkdir()
        files = unpack_zip(request.path, room, request.limits)
        names = datasets_in(files, room, request.path.name.split(".")[0])
        if len(names) != 1:
            return sorted(names)
    inner, kind = resolved(request, folder, [])
    if kind.format in DRIVERS:
        from geoplan.ingest.reader.gdal import layers_of, set_environment
        from geoplan.ingest.reader.stage import staged

        set_environment(kind.format, inner)
        file = staged(inner.path, kind.format, folder, [])
        return list(layers_of(file, inner.path, kind.format).values())
    if kind.format == "XLSX":
        from geoplan.ingest.reader.sheet import sheets_of

        return sheets_of(inner.path, request)
    if kind.format == "KML":
        from geoplan.ingest.reader.kml import folders_of

        return folders_of(inner.path, request)
    if kind.format == "DXF":
        from geoplan.ingest.reader.dxf import read_dxf

        return list(read_dxf(inner)[0].layers)
    return []
