"""What is asked of the reader of one file, and what it says before the first row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["GEOMETRY", "ROW", "Limits", "Note", "ReadRequest", "SourceInfo"]

GEOMETRY = "__geometry__"
"""Column of a batch that holds ISO WKB in the CRS of the source, straight-edged; null: none."""

ROW = "__row__"
"""Column of a batch that holds the row's number in the source, from 1."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask for before it is refused.

    Parameters
    ----------
    file_bytes, unpacked_bytes : int
        Size of the file, and of all that an archive unpacks to.
    members : int
        Files in an archive.
    rows, columns : int
        Rows and columns of a source.
    feature_bytes : int
        Size of one row's geometry.
    memory_bytes : int
        Address space of the reading process.
    idle_s : float
        Seconds without a batch after which the reading process is ended.
    """

    file_bytes: int = 8_000_000_000
    unpacked_bytes: int = 16_000_000_000
    members: int = 10_000
    rows: int = 20_000_000
    columns: int = 2_000
    feature_bytes: int = 64_000_000
    memory_bytes: int = 4_000_000_000
    idle_s: float = 120.0


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One file to read.

    Parameters
    ----------
    path : Path
        The file; for a FileGDB its folder.
    source_layer : str, optional
        Layer inside the file; for DXF, a glob over its layers.
    encoding : str, optional
        Encoding of the text, by the person who loads; it wins over what the file says.
    crs : str, optional
        Only for readers that need one to interpret the file; never guessed.
    lon, lat : str, optional
        Table: columns of x and y.
    wkt : str, optional
        Table: column of WKT.
    dxf_layers : mapping
        DXF: layer in the drawing (glob) → role ``plot``, ``text`` or ``ignore``.
    curve_tolerance_m, close_tolerance_m : float
        Largest distance between an arc and its chords; largest gap at the end of a ring that is
        closed. In units of the source.
    limits : Limits
        What is refused.
    """

    path: Path
    source_layer: str | None = None
    encoding: str | None = None
    crs: str | None = None
    lon: str | None = None
    lat: str | None = None
    wkt: str | None = None
    dxf_layers: Mapping[str, str] = field(default_factory=dict)
    curve_tolerance_m: float = 0.01
    close_tolerance_m: float = 0.05
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What a file is, known before its first row.

    Parameters
    ----------
    format : str
        ``GeoPackage``, ``Shapefile``, ``DXF`` …
    layer : str or None
        The layer that is read.
    layers : tuple of str
        All layers of the file.
    crs : str or None
        Authority code such as ``EPSG:32639``, else WKT; ``None`` where the file says none.
    encoding, encoding_how : str or None
        Encoding of the text, and ``declared``, ``cpg``, ``option`` or ``detected``.
    geometry_type : str or None
        As the file declares it, for example ``MultiPolygon Z``; ``None`` for a plain table.
    rows : int or None
        Number of rows, where the format knows it.
    columns : tuple of (str, str)
        Names and Arrow types of the attributes, in order.
    """

    format: str
    layer: str | None
    layers: tuple[str, ...]
    crs: str | None
    encoding: str | None
    encoding_how: str | None
    geometry_type: str | None
    rows: int | None
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the reader found or did, for the report.

    Parameters
    ----------
    code : str
        A key of :data:`geoplan.catalogue.checks.DEFECTS`, or a reader's own code such as
        ``encoding-detected``.
    what, remedy : str
        As in :class:`geoplan.errors.Problem`.
    rows : tuple of int
        Rows it stands for; empty: the file.
    count : int
        How many it stands for.
    wkb : bytes or None
        Place, in the CRS of the source.
    """

    code: str
    what: str
    remedy: str = ""
    rows: tuple[int, ...] = ()
    count: int = 1
    wkb: bytes | None = None
