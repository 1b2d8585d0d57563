"""Small sound files of every format: what fuzzing starts from."""

from __future__ import annotations

import json
import struct
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

__all__ = ["make_seeds"]

_CRS = "EPSG:32639"
_NAMES = ("قطعه ۱۲", "كارگاه نجاري", "Plot 3", "پارک چوب", 'a "b", c', "شهرک‌سازی")


def plots(count: int = 12) -> gpd.GeoDataFrame:
    """Return adjacent plots with a hole, a multi-polygon and Persian attributes."""
    shapes: list[Any] = []
    for k in range(count):
        x, y = 512_000 + 20 * (k % 4), 3_945_000 + 30 * (k // 4)
        shapes.append(shapely.box(x, y, x + 20, y + 30))
    inner = shapely.box(512_005, 3_945_005, 512_015, 3_945_025)
    shapes[0] = shapes[0].difference(inner)
    shapes[1] = shapely.MultiPolygon(
        [shapes[1], shapely.box(513_000, 3_945_000, 513_010, 3_945_010)]
    )
    rows = {
        "plot_no": [_NAMES[k % len(_NAMES)] for k in range(count)],
        "area": [600.0 + k for k in range(count)],
        "code": list(range(count)),
        "issued": ["1402/05/31" if k % 2 else "2023-08-22" for k in range(count)],
    }
    return gpd.GeoDataFrame(rows, geometry=shapes, crs=_CRS)


def _curve(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a GeoPackage and put curved polygons, a TIN and a collection into it."""
    import sqlite3

    frame.iloc[:4].to_file(path, driver="GPKG")
    arc = struct.pack("<BII6d", 1, 8, 3, 0, 0, 10, 10, 20, 0)
    back = struct.pack("<BII4d", 1, 2, 2, 20, 0, 0, 0)
    ring = struct.pack("<BII", 1, 9, 2) + arc + back
    curved = struct.pack("<BII", 1, 10, 1) + ring
    surface = struct.pack("<BII", 1, 12, 1) + curved
    tin = struct.pack("<BII", 1, 16, 1) + struct.pack(
        "<BIII8d", 1, 17, 1, 4, 0, 0, 1, 0, 1, 1, 0, 0
    )
    mixed = struct.pack("<BII", 1, 7, 1) + arc
    head = b"GP\0\x01" + struct.pack("<i", 32639)
    with sqlite3.connect(path) as db:
        # triggers of the spatial index call functions that plain SQLite lacks
        for (name,) in db.execute("select name from sqlite_master where type='trigger'").fetchall():
            db.execute(f'drop trigger "{name}"')
        for k, wkb in enumerate((curved, surface, tin, mixed), start=1):
            db.execute(f"update {path.stem} set geom=? where fid=?", (head + wkb, k))


def _xlsx(path: Path, frame: gpd.GeoDataFrame) -> None:
    rows = frame.assign(wkt=frame.geometry.to_wkt()).drop(columns="geometry")
    pyogrio.write_dataframe(rows, path, driver="XLSX")


def _drawing(path: Path, version: str, *, binary: bool = False) -> None:
    import ezdxf.filemanagement

    doc = ezdxf.filemanagement.new(version)
    doc.units = 6
    msp = doc.modelspace()
    block = doc.blocks.new("P")
    for k in range(8):
        x, y = 512_000 + 20 * (k % 4), 3_945_000 + 30 * (k // 4)
        space = block if k == 7 else msp
        if version == "R12":
            space.add_polyline2d(
                [(x, y, 0.2), (x + 20, y, 0), (x + 20, y + 30, 0)], format="xyb", close=True
            )
        else:
            space.add_lwpolyline(
                [(x, y, 0.2), (x + 20, y, 0), (x + 20, y + 30, 0)], format="xyb", close=True
            )
        space.add_text(_NAMES[k % len(_NAMES)], height=1).set_placement((x + 10, y + 5))
    insert = msp.add_blockref("P", (50, 60), dxfattribs={"rotation": 30, "xscale": -2})
    insert.add_attrib("NO", "۷", (512_000, 3_945_000))
    msp.add_line((0, 0), (10, 0))
    msp.add_arc((10, 5), 5, 270, 90)
    msp.add_line((10, 10), (0, 10))
    msp.add_line((0, 10), (0, 0.01))
    msp.add_circle((100, 100), 5)
    if version != "R12":
        msp.add_mtext(r"{\fB Nazanin;قطعه}\P12", dxfattribs={"insert": (100, 100)})
        msp.add_ellipse((200, 0), (10, 0), 0.5)
        msp.add_spline().set_closed([(300, 0, 0), (310, 0, 0), (310, 10, 0), (300, 10, 0)])
        hatch = msp.add_hatch()
        hatch.paths.add_polyline_path([(0, 0), (1, 0), (1, 1)], is_closed=True)
    doc.saveas(path, fmt="bin" if binary else "asc")


def _raster(path: Path) -> None:
    import rasterio
    from rasterio.transform import from_origin

    data = np.arange(32 * 32, dtype=np.float32).reshape(32, 32)
    with rasterio.open(
        path, "w", driver="GTiff", width=32, height=32, count=1, dtype="float32", crs=_CRS,
        transform=from_origin(512_000, 3_945_000, 10, 10), nodata=-9999, compress="deflate",
    ) as made:  # fmt: skip
        made.write(data, 1)


def _zip(path: Path, members: dict[str, Path]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in members.items():
            archive.write(source, name)


def make_seeds(folder: Path) -> dict[str, Path]:
    """Write one small file, or folder, of every format that this machine's libraries write.

    Returns
    -------
    dict
        Format → what to open: a file, or for formats of several files the one of them that a
        person would name, alone with its siblings in a folder of its own.
    """
    frame = plots()
    lonlat = frame.to_crs("EPSG:4326")
    seeds: dict[str, Path] = {}

    def into(kind: str, name: str) -> Path:
        home = folder / kind
        home.mkdir(parents=True)
        seeds[kind] = home / name
        return seeds[kind]

    frame.to_file(into("gpkg", "plots.gpkg"), driver="GPKG", engine="pyogrio")
    _curve(frame, into("gpkg-curves", "curves.gpkg"))
    shp = into("shapefile", "plots.shp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Persian digits are not in Windows-1256: as in real files
        frame.to_file(shp, driver="ESRI Shapefile", encoding="cp1256")
    shp.with_suffix(".cpg").unlink(missing_ok=True)
    _zip(into("shapefile-zip", "plots.zip"), {p.name: p for p in sorted(shp.parent.iterdir())})
    lonlat.to_file(into("geojson", "plots.geojson"), driver="GeoJSON")
    lonlat.to_file(into("geojsonl", "plots.geojsonl"), driver="GeoJSONSeq")
    frame.to_file(into("flatgeobuf", "plots.fgb"), driver="FlatGeobuf")
    frame.to_parquet(into("geoparquet", "plots.parquet"))
    frame.to_file(into("gml", "plots.gml"), driver="GML")
    lonlat.to_file(into("kml", "plots.kml"), driver="KML")
    _zip(into("kmz", "plots.kmz"), {"doc.kml": seeds["kml"]})
    gdb = into("filegdb", "plots.gdb")
    multi = frame.set_geometry(
        [s if s.geom_type == "MultiPolygon" else shapely.MultiPolygon([s]) for s in frame.geometry],
        crs=_CRS,
    )
    multi.to_file(gdb, driver="OpenFileGDB")
    _zip(
        into("filegdb-zip", "plots.gdb.zip"),
        {f"plots.gdb/{p.name}": p for p in sorted(gdb.iterdir())},
    )
    frame.to_file(into("sqlite", "plots.sqlite"), driver="SQLite")
    rows = frame.assign(wkt=frame.geometry.to_wkt()).drop(columns="geometry")
    rows.to_csv(into("csv-wkt", "plots.csv"), index=False)
    points = lonlat.assign(
        lon=lonlat.representative_point().x, lat=lonlat.representative_point().y
    ).drop(columns="geometry")
    points.to_csv(into("csv-points", "points.csv"), index=False, encoding="utf-8-sig")
    _xlsx(into("xlsx", "plots.xlsx"), frame)
    _raster(into("geotiff", "ground.tif"))
    _drawing(into("dxf", "plan.dxf"), "R2010")
    _drawing(into("dxf-r12", "plan.dxf"), "R12")
    _drawing(into("dxf-binary", "plan.dxf"), "R2000", binary=True)
    return seeds


if __name__ == "__main__":
    made = make_seeds(Path(sys.argv[1]))
    print(json.dumps({kind: str(path) for kind, path in made.items()}))
