"""GeoParquet, written batch by batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geoplan.errors import Problem
from geoplan.report.export_about import Provenance
from geoplan.report.export_frames import GEOMETRY, Outgoing

__all__ = ["write_geoparquet"]

_NAMES = (
    "Point", "LineString", "LineString", "Polygon", "MultiPoint", "MultiLineString",
    "MultiPolygon", "GeometryCollection",
)  # fmt: skip


def write_geoparquet(path: Path, frames: Outgoing, about: Provenance) -> list[Problem]:
    """Write GeoParquet 1.1 with WKB geometry; ``about`` stands in the file's metadata.

    Notes
    -----
    https://geoparquet.org/releases/v1.1.0/. The CRS is PROJJSON; x is always the easting or
    longitude, whatever the order of axes of the CRS (§ Coordinate axis order).
    """
    schema = frames.schema.append(pa.field(GEOMETRY, pa.binary()))
    kinds: set[str] = set()
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table, shapes in frames.batches:
            wkb = pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary())
            writer.write_table(table.append_column(schema.field(GEOMETRY), wkb).cast(schema))
            known = shapes[~shapely.is_missing(shapes)]
            kinds |= {
                _NAMES[kind] + (" Z" if z else "")
                for kind, z in zip(shapely.get_type_id(known), shapely.has_z(known), strict=True)
            }
            box = shapely.total_bounds(known)
            if np.isfinite(box).all():
                bounds[:2] = np.minimum(bounds[:2], box[:2])
                bounds[2:] = np.maximum(bounds[2:], box[2:])
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": sorted(kinds),
            "crs": frames.crs.to_json_dict(),
        }
        if np.isfinite(bounds).all():
            column["bbox"] = bounds.tolist()
        geo = {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
        writer.add_key_value_metadata(
            {
                "geo": json.dumps(geo),
                "geoplan": about.json(crs=frames.crs_name, rows=frames.rows),
            }
        )
    return []
