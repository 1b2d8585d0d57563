"""From source columns to the typed fields of a layer: resolved once, applied batch by batch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import FieldMap
from geoplan.errors import InputError, Problem, ProblemsFound
from geoplan.ingest.attributes.attrs import json_objects
from geoplan.ingest.attributes.fields import CellFinding, Fields, Rows
from geoplan.ingest.attributes.letters import search_text
from geoplan.ingest.attributes.resolve import Resolution, resolve
from geoplan.ingest.attributes.source import BatchColumns
from geoplan.ingest.attributes.step import Made, Step
from geoplan.ingest.reader.request import ROW

__all__ = ["AttributePlan"]

_KEY_DIGITS = 6


@dataclass(frozen=True, slots=True)
class AttributePlan:
    """How the columns of one file become the fields of one layer.

    Parameters
    ----------
    spec : LayerSpec
        The layer.
    steps : tuple of Step
        One for each field that has a source.
    own : tuple of str
        Columns of the layer's table that :meth:`apply` gives in ``values``.
    columns : tuple of (str, str, str)
        Field, where it comes from (a column, ``= expression`` or ``default``), type.
    unused : tuple of str
        Columns of the file that no field takes.
    notes : tuple of Problem
        Columns that could be a field and were not taken because two are equally good.
    missing : tuple of str or number
        Values that mean 'not known'.
    where : str
        Name of the file, for messages.
    """

    spec: LayerSpec
    steps: tuple[Step, ...]
    own: tuple[str, ...]
    columns: tuple[tuple[str, str, str], ...]
    unused: tuple[str, ...]
    notes: tuple[Problem, ...]
    missing: tuple[str | float, ...]
    where: str

    @classmethod
    def compile(
        cls,
        spec: LayerSpec,
        mapping: Mapping[str, FieldMap | str],
        columns: Sequence[tuple[str, Any]],
        *,
        missing: Sequence[str | float] = (),
        where: str,
        given: Collection[str] = (),
    ) -> AttributePlan:
        """Resolve a mapping against the columns of a file.

        Parameters
        ----------
        spec : LayerSpec
            The layer.
        mapping : mapping
            Field → rule, or → source column. A field that is not in it takes the column of its
            name: exactly, else by the search key of its id, else by those of its titles, where
            field and column agree on one another alone. ``{}`` as a rule keeps a field empty.
        columns : sequence of (str, Arrow type or its name)
            Columns of the file, in order.
        missing : sequence of str or number
            Values that mean 'not known', in every column.
        where : str
            Name of the file.
        given : collection of str
            Columns of the table that the caller fills (``basis``, ``as_of`` …).

        Raises
        ------
        ProblemsFound
            Unknown fields or columns, expressions that cannot be read, units, calendars and types
            that do not fit, required fields without a source: all at once.
        """
        kept = [(n, str(t)) for n, t in columns if not n.startswith("__")]
        found: Resolution = resolve(spec, mapping, kept, where=where, given=given)
        if found.problems:
            n = len(found.problems)
            raise ProblemsFound(
                f"the columns do not fit layer '{spec.id}': {n} problem{'s' if n > 1 else ''}",
                found.problems,
                where=where,
            )
        own = tuple(s.field for s in found.steps if s.field in found.own)
        # A region without a code of its own is named by its key.
        if "code" in found.own and "code" not in own:
            own = (*own, "code")
        return cls(
            spec,
            found.steps,
            own,
            tuple((s.field, s.origin, s.spec.type) for s in found.steps),
            found.unused,
            found.notes,
            tuple(missing),
            where,
        )

    def apply(self, batch: pa.RecordBatch) -> Fields:
        """Return the fields of one batch.

        Parameters
        ----------
        batch : pyarrow.RecordBatch
            ``__row__`` and the columns that the plan was made for.

        Raises
        ------
        InputError
            An expression does not fit the values of its columns.
        """
        rows: Rows = np.asarray(batch.column(ROW).to_numpy(zero_copy_only=False), dtype=np.int64)
        source = BatchColumns(batch, rows, self.missing)
        made = {step.field: self._made(step, source) for step in self.steps}
        values = {name: m.value for name, m in made.items()}
        findings = [f for m in made.values() for f in m.findings]
        key = self._key(values, rows)
        if "code" in self.own:
            values.setdefault("code", key)
        rest = {n: v for n, v in values.items() if n not in self.own and n != "key"}
        written = {f"{n}_as_written": m.written for n, m in made.items() if m.written is not None}
        blanked = {
            s.field: source.blanked[c] for s in self.steps for c in s.sources if c in source.blanked
        }
        return Fields(
            rows,
            key,
            self._search(values, key),
            json_objects(rest, written, len(rows)),
            values,
            self.own,
            (*self._destroyed(source), *findings),
            blanked,
        )

    def _made(self, step: Step, source: BatchColumns) -> Made:
        try:
            return step.run(source)
        except InputError as error:
            raise InputError(
                error.what,
                where=f"{self.where}, field '{step.field}'",
                remedy=error.remedy,
            ) from error

    def _key(self, values: Mapping[str, pa.Array], rows: Rows) -> Any:
        name = self.spec.key or "key"
        if name in values:
            key = values[name]
            return key if pa.types.is_string(key.type) else key.cast(pa.string())
        numbers = pa.array(rows).cast(pa.string())
        return pc.utf8_lpad(numbers, _KEY_DIGITS, "0")

    def _search(self, values: Mapping[str, pa.Array], key: pa.Array) -> Any:
        names = [
            n
            for n, v in values.items()
            if pa.types.is_string(v.type) and (n == "number" or n.startswith("name"))
        ]
        return search_text([key, *(values[n] for n in names)])

    def _destroyed(self, source: BatchColumns) -> list[CellFinding]:
        """Return a finding for each column with destroyed text, once, by its first field."""
        out, told = [], set()
        for step in self.steps:
            for column in step.sources:
                if column in source.destroyed and column not in told:
                    told.add(column)
                    rows, texts = source.destroyed[column]
                    out.append(CellFinding("destroyed-text", step.field, column, rows, texts))
        return out
