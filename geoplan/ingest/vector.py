"""Read vector files through GDAL, offline, by what they are and not by what they are called."""

from __future__ import annotations

import warnings
from pathlib import Path

import geopandas as gpd
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from geoplan.errors import CrsProblem, EmptyLayer, FileMissing, InputError, RangeError, UnknownName

__all__ = ["VECTOR_SUFFIXES", "parse_crs", "read_vector"]

VECTOR_SUFFIXES = (".gpkg", ".shp", ".geojson", ".json", ".fgb")
"""File names that are read as vector data."""

_MAX_ROWS = 20_000_000
_MAX_JSON_BYTES = 1_500_000_000

_OFFLINE = {
    # A data file can name remote or virtual sources; none of them is ever followed.
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": "{none}",
    "GDAL_HTTP_MAX_RETRY": 0,
    "GDAL_HTTP_CONNECTTIMEOUT": 1,
    "OGR_GEOJSON_MAX_OBJ_SIZE": 500,
    "GDAL_DISABLE_READDIR_ON_OPEN": False,
    "GDAL_PAM_ENABLED": False,
}


def _kind(path: Path) -> str | None:
    """Return the format by the first bytes; GDAL would also open files that name other files."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    if head.startswith(b"SQLite format 3\x00"):
        return "GeoPackage"
    if head.startswith(b"fgb\x03fgb"):
        return "FlatGeobuf"
    if head.startswith(b"\x00\x00\x27\x0a"):
        return "Shapefile"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return "GeoJSON"
    return None


def parse_crs(text: str, *, where: str) -> CRS:
    """Return a CRS from an authority code, WKT or PROJ string, or say that it is none."""
    try:
        return CRS.from_user_input(text)
    except CRSError as error:
        raise CrsProblem(
            f"'{text}' is not a coordinate reference system",
            where=where,
            remedy="for example EPSG:4326 or EPSG:32639",
        ) from error


def read_vector(
    path: Path,
    *,
    source_layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    where: str = "",
) -> tuple[gpd.GeoDataFrame, str]:
    """Read one layer of a GeoPackage, Shapefile, GeoJSON or FlatGeobuf.

    Parameters
    ----------
    path : Path
        The file.
    source_layer : str, optional
        Layer inside the file; may be left out where there is only one.
    encoding : str, optional
        Encoding of a Shapefile's text.
    crs : str, optional
        CRS of a file that does not carry one.
    where : str
        Name for messages.

    Returns
    -------
    GeoDataFrame, str
        Rows as found, in the file's own CRS, and the name of that CRS.

    Raises
    ------
    InputError, UnknownName, EmptyLayer, CrsProblem, RangeError
        Not vector data, several layers and none named, no rows, no CRS, too large.
    """
    where = where or path.name
    kind = _kind(path)
    if path.suffix.lower() not in VECTOR_SUFFIXES or kind is None:
        raise InputError(
            "this is not a vector file that can be read",
            where=where,
            remedy="deliver GeoPackage, Shapefile, GeoJSON or FlatGeobuf: "
            f"{', '.join(VECTOR_SUFFIXES)}",
        )
    if kind == "GeoJSON" and path.stat().st_size > _MAX_JSON_BYTES:
        raise RangeError(
            f"a GeoJSON file of {path.stat().st_size:,} bytes",
            where=where,
            remedy="deliver it as GeoPackage",
        )
    if kind == "Shapefile":
        for needed in (".dbf", ".shx"):
            if not path.with_suffix(needed).exists():
                raise FileMissing(
                    f"the Shapefile has no {needed} part", where=where, remedy="deliver all parts"
                )
    pyogrio.set_gdal_config_options(_OFFLINE)
    try:
        names = [str(n) for n in pyogrio.list_layers(path)[:, 0]]
        if source_layer is not None and source_layer not in names:
            raise UnknownName(
                f"the file has no layer '{source_layer}'",
                where=where,
                remedy=f"its layers: {', '.join(names) or 'none'}",
            )
        if source_layer is None and len(names) > 1:
            raise InputError(
                f"the file has {len(names)} layers",
                where=where,
                remedy=f"name one in 'source_layer': {', '.join(names)}",
            )
        info = pyogrio.read_info(path, layer=source_layer, force_feature_count=True)
        if info["features"] > _MAX_ROWS:
            raise RangeError(
                f"{info['features']:,} features; the limit is {_MAX_ROWS:,}", where=where
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            frame = pyogrio.read_dataframe(path, layer=source_layer, encoding=encoding)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError(
            f"the {kind} cannot be read: {str(error).strip()[:200]}",
            where=where,
            remedy="deliver it again; it may be cut off or damaged",
        ) from error
    except (UnicodeDecodeError, LookupError) as error:
        raise InputError(
            f"its text is not {encoding or 'in the encoding it states'}",
            where=where,
            remedy="name its 'encoding' in the pack, for example windows-1256",
        ) from error
    except (pyogrio.errors.FieldError, pyogrio.errors.GeometryError, ValueError) as error:
        raise InputError(
            f"the {kind} cannot be read: {str(error).strip()[:200]}", where=where
        ) from error
    if len(frame) == 0:
        raise EmptyLayer("the layer has no features", where=where, remedy="deliver it with data")
    if not isinstance(frame, gpd.GeoDataFrame):
        raise InputError(
            "the layer has no geometry", where=where, remedy="deliver it as CSV, or with geometry"
        )
    if frame.crs is None:
        if crs is None:
            raise CrsProblem(
                "the file does not say its coordinate reference system",
                where=where,
                remedy="name it in the pack: crs: EPSG:…",
            )
        frame = frame.set_crs(parse_crs(crs, where=where))
    if frame.geometry.name != "geometry":
        frame = frame.rename_geometry("geometry")
    authority = frame.crs.to_authority()
    return frame, ":".join(authority) if authority else str(frame.crs.name)
