"""The fields of one batch of rows, typed, and what was wrong with their cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from geoplan.ingest.findings import listed

__all__ = ["CellFinding", "Fields"]

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CellFinding:
    """One kind of defect in the cells of one field.

    Parameters
    ----------
    code : str
        A key of :data:`geoplan.catalogue.checks.DEFECTS`: ``wrong-type``, ``not-whole``,
        ``out-of-range``, ``unknown-code``, ``destroyed-text``, ``required-missing`` or
        ``missing-key``.
    field : str
        Field of the layer.
    column : str
        Where it comes from in the file.
    rows : ndarray of int
        Rows of the source, from 1.
    texts : pyarrow.StringArray
        The value as found, for each of ``rows``; missing where there was none.
    """

    code: str
    field: str
    column: str
    rows: Rows
    texts: pa.StringArray

    @property
    def samples(self) -> tuple[str, ...]:
        """Up to five different values as found."""
        head = self.texts[:2000].drop_null().unique()
        return tuple(head[:5].to_pylist())

    def __str__(self) -> str:
        shown = listed(map(repr, self.samples))
        what = f"{self.field} ← {self.column}: {self.code} in {len(self.rows):,} rows"
        return f"{what}: {shown}" if shown else what


@dataclass(frozen=True, slots=True)
class Fields:
    """One batch of rows as a layer stores them.

    Parameters
    ----------
    rows : ndarray of int
        Row number of each in the source.
    key : pyarrow.StringArray
        Key in its one way of writing; missing where the row has none.
    search : pyarrow.StringArray
        Search keys of key, numbers and names, parted by spaces.
    attrs : pyarrow.StringArray
        A JSON object of what has no column of its own in the layer's table.
    values : mapping
        Every field by name, own column or not: ``string``, ``int64``, ``double``, ``bool`` or
        ``date32[day]``. What does not fit is missing here and stands in ``findings``.
    own : tuple of str
        Those of ``values`` that are columns of the layer's table.
    findings : tuple of CellFinding
        What was wrong, by field.
    blanked : mapping
        How many cells of a field's column held a value that means 'not known'.
    """

    rows: Rows
    key: pa.StringArray
    search: pa.StringArray
    attrs: pa.StringArray
    values: Mapping[str, pa.Array]
    own: tuple[str, ...]
    findings: tuple[CellFinding, ...] = ()
    blanked: Mapping[str, int] = field(default_factory=dict)
