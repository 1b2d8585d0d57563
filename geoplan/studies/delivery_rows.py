"""Checked rows as the columns of their table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from geoplan.catalogue import LayerSpec
from geoplan.catalogue.mapping import FileMapping
from geoplan.ingest.attributes.plan import AttributePlan
from geoplan.ingest.examine import Checked, Examination
from geoplan.ingest.reader import GEOMETRY, ROW
from geoplan.store.write import TABLES

__all__ = ["columns_of", "refused_rows", "stored_batch"]

Mask = npt.NDArray[np.bool_]


def columns_of(spec: LayerSpec, plan: AttributePlan, mapping: FileMapping) -> tuple[str, ...]:
    """Return the columns of the layer's table that a file fills, in order."""
    table = TABLES[spec.table].__table__
    there = set(table.columns.keys())
    said = {
        "basis": mapping.basis,
        "as_of": mapping.as_of,
        "method_en": mapping.method.en if mapping.method else None,
        "method_local": mapping.method.in_language("fa") if mapping.method else None,
    }
    names = ["key", *(n for n in plan.own if n != "key")]
    names += [n for n, v in said.items() if v is not None and n in there and n not in names]
    names += [n for n in ("search", "attrs", "geom", "source_geom", "source_srid") if n in there]
    return tuple(names)


def stored_batch(
    batch: Checked,
    names: tuple[str, ...],
    exam: Examination,
    mapping: FileMapping,
    *,
    keep: Mask,
) -> pa.RecordBatch:
    """Return the rows of a batch that are kept, as columns of the table.

    Parameters
    ----------
    names : tuple of str
        From :func:`columns_of`.
    keep : ndarray of bool
        Which rows.
    """
    fields = batch.fields
    n = len(fields.rows)
    srid = exam.crs.crs.to_epsg()
    known = {
        "key": fields.key,
        "search": fields.search,
        "attrs": fields.attrs,
        "geom": batch.geometry,
        "source_geom": batch.surveyed,
        "source_srid": pa.nulls(n, pa.int32()) if srid is None else _same(srid, n, pa.int32()),
        "basis": _same(mapping.basis, n, pa.string()),
        "as_of": _same(mapping.as_of, n, pa.string()),
        "method_en": _same(mapping.method.en if mapping.method else None, n, pa.string()),
        "method_local": _same(
            mapping.method.in_language("fa") if mapping.method else None, n, pa.string()
        ),
    }
    columns = [fields.values[name] if name in fields.values else known[name] for name in names]
    if "key" in names:
        columns[names.index("key")] = fields.key
    out = pa.RecordBatch.from_arrays(columns, names=list(names))
    return out if keep.all() else out.filter(pa.array(keep))


def _same(value: object, rows: int, kind: pa.DataType) -> pa.Array:
    return pa.repeat(pa.scalar(value, kind), rows)


def refused_rows(batch: Checked, bad: Mask) -> pa.RecordBatch:
    """Return rows as the source had them, with their key, for the quarantine."""
    names = batch.source.schema.names
    keys = batch.fields.key
    columns = [batch.source.column(ROW), keys, batch.surveyed]
    rest = [n for n in names if n not in (ROW, GEOMETRY)]
    columns += [batch.source.column(n) for n in rest]
    out = pa.RecordBatch.from_arrays(columns, names=[ROW, "__key__", GEOMETRY, *rest])
    return out.filter(pa.array(bad))
