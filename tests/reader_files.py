"""The same three plots in every format that is read."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely

from geoplan.ingest.reader import Note, ReadRequest, SourceInfo, open_source

NAMES = ["قطعهٔ یک", "كارخانه ي فولاد", "Plot 3"]
CODES = ["۱۲/۳", "0012", "C-3"]
AREAS = [100.0, 400.5, None]


def read(path: Path, **asked: Any) -> tuple[SourceInfo, list[dict[str, Any]], list[Note]]:
    with open_source(ReadRequest(path, **asked)) as source:
        rows = [row for batch in source for row in batch.to_pylist()]
        return source.info, rows, source.notes


@pytest.fixture
def own_temporary(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder for temporary files that no other test uses at the same time."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def left_behind() -> list[Path]:
    return list(Path(tempfile.gettempdir()).iterdir())


def plots(crs: str = "EPSG:32639") -> gpd.GeoDataFrame:
    x, y = (500_000.0, 3_950_000.0) if crs == "EPSG:32639" else (51.0, 35.7)
    step = 20.0 if crs == "EPSG:32639" else 0.0002
    shapes = [shapely.box(x + i * step, y, x + (i + 1) * step, y + step) for i in range(3)]
    return gpd.GeoDataFrame(
        {"code": CODES, "name": NAMES, "area": AREAS, "floor": [1, 2, 3]}, geometry=shapes, crs=crs
    )


def _gdal(
    name: str, driver: str, crs: str = "EPSG:32639", **options: str
) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        pyogrio.write_dataframe(plots(crs), path, driver=driver, **options)
        return path

    return make


def _zipped(make: Callable[[Path], Path], name: str) -> Callable[[Path], Path]:
    def packed(folder: Path) -> Path:
        inner = folder / "inner"
        inner.mkdir()
        made = make(inner)
        path = folder / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(inner.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(inner))
        del made
        return path

    return packed


def _parquet(folder: Path) -> Path:
    path = folder / "plots.parquet"
    plots().to_parquet(path)
    return path


def _csv(folder: Path) -> Path:
    frame = plots()
    frame["wkt"] = frame.geometry.to_wkt()
    path = folder / "plots.csv"
    frame.drop(columns="geometry").to_csv(path, index=False, sep=";", encoding="utf-8")
    return path


def _xlsx(folder: Path) -> Path:
    """Write a workbook through GDAL: the cells of a table, WKT among them."""
    import pandas as pd

    frame = plots()
    frame["wkt"] = frame.geometry.to_wkt()
    path = folder / "plots.xlsx"
    pyogrio.write_dataframe(pd.DataFrame(frame.drop(columns="geometry")), path, driver="XLSX")
    return path


def _gzip(folder: Path) -> Path:
    import gzip

    path = folder / "plots.csv.gz"
    path.write_bytes(gzip.compress(_csv(folder).read_bytes()))
    return path


def _shapefile_1256(folder: Path) -> Path:
    """A Shapefile in Windows-1256 that does not say so: no .cpg, no language driver."""
    path = folder / "arabic.shp"
    frame = plots()
    frame["name"] = frame["name"].str.replace("ی", "ي").str.replace("ٔ", "").str.replace("ۀ", "ه")
    frame["code"] = ["12/3", "0012", "C-3"]
    pyogrio.write_dataframe(frame, path, driver="ESRI Shapefile", encoding="windows-1256")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    dbf = path.with_suffix(".dbf")
    raw = bytearray(dbf.read_bytes())
    raw[29] = 0
    dbf.write_bytes(bytes(raw))
    return path


def _kmz(folder: Path) -> Path:
    kml = _gdal("doc.kml", "KML", "EPSG:4326")(folder)
    path = folder / "plots.kmz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(kml, "doc.kml")
    return path


def _gdb_zip(folder: Path) -> Path:
    gdb = _gdal("plots.gdb", "OpenFileGDB")(folder)
    shutil.make_archive(str(folder / "plots.gdb"), "zip", folder, "plots.gdb")
    del gdb
    return folder / "plots.gdb.zip"


FORMATS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "gpkg": ("GeoPackage", _gdal("plots.gpkg", "GPKG")),
    "shp": ("Shapefile", _gdal("plots.shp", "ESRI Shapefile", ENCODING="UTF-8")),
    "shp.zip": ("Shapefile", _zipped(_gdal("plots.shp", "ESRI Shapefile"), "plots.zip")),
    "shp-1256": ("Shapefile", _shapefile_1256),
    "geojson": ("GeoJSON", _gdal("plots.geojson", "GeoJSON", "EPSG:4326")),
    "geojsonl": ("GeoJSONSeq", _gdal("plots.geojsonl", "GeoJSONSeq", "EPSG:4326")),
    "geojsons": ("GeoJSONSeq", _gdal("plots.geojsons", "GeoJSONSeq", "EPSG:4326", RS="YES")),
    "fgb": ("FlatGeobuf", _gdal("plots.fgb", "FlatGeobuf")),
    "parquet": ("GeoParquet", _parquet),
    "gml": ("GML", _gdal("plots.gml", "GML")),
    "kml": ("KML", _gdal("plots.kml", "KML", "EPSG:4326")),
    "kmz": ("KML", _kmz),
    "gdb": ("FileGDB", _gdal("plots.gdb", "OpenFileGDB")),
    "gdb.zip": ("FileGDB", _gdb_zip),
    "sqlite": ("SpatiaLite", _gdal("plots.sqlite", "SQLite", SPATIALITE="NO")),
    "csv": ("CSV", _csv),
    "csv.gz": ("CSV", _gzip),
    "xlsx": ("XLSX", _xlsx),
}
"""Name → format as it is told, and how to make a file of it."""
