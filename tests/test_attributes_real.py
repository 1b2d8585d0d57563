"""Typed fields of real files, and attributes that PostgreSQL reads as they were written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from geoplan.catalogue import Catalogue
from geoplan.catalogue.pack import FieldMap, PackEntry
from geoplan.expression import columns_of
from geoplan.ingest.attributes.attrs import json_objects
from geoplan.ingest.attributes.plan import AttributePlan
from geoplan.ingest.columns import blank_destroyed, blank_missing
from geoplan.ingest.fields import fit_fields
from geoplan.ingest.findings import Findings

MOST_ROWS = 2_000


def _sources(rule: FieldMap | str) -> tuple[str, ...]:
    if isinstance(rule, str):
        return (rule,)
    if rule.expr is not None:
        return columns_of(rule.expr)
    return (rule.source,) if rule.source is not None else ()


def _same(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, float) and bool(np.isclose(a, b, rtol=1e-12, atol=0)))


@pytest.mark.pack
def test_real_files_become_what_packs_make_of_them(iran_pack: Path) -> None:
    """Every vector entry, as far as its fields need no join: the same values in both ways."""
    catalogue = Catalogue.standard()
    layers = catalogue.layers()
    compared = 0
    for entry in catalogue.pack("iran").entries:
        spec, file = layers[entry.layer], iran_pack / entry.file
        if spec.kind != "vector" or file.suffix != ".gpkg":
            continue
        _, table = pyogrio.read_arrow(
            file, layer=entry.source_layer, read_geometry=False, max_features=MOST_ROWS
        )
        table = table.rename_columns([entry.columns.get(c, c) for c in table.column_names])
        names = table.column_names
        fields = {f: r for f, r in entry.fields.items() if set(_sources(r)) <= set(names)}
        batch = pa.record_batch(
            {
                "__row__": pa.array(np.arange(1, len(table) + 1)),
                **{n: table[n].combine_chunks() for n in names},
            }
        )
        plan = AttributePlan.compile(
            spec,
            fields,
            [(f.name, f.type) for f in batch.schema],
            missing=entry.missing,
            where=entry.file,
            # What joins, places and defaults of the entry give.
            given=[*spec.fields, "code", "kind", "unit", "resource", "basis"],
        )
        out = plan.apply(batch)
        frame, findings = table.to_pandas(), Findings(entry.file)
        blank_missing(frame, entry.missing, findings)
        blank_destroyed(frame, findings)
        bare = PackEntry.model_validate({"layer": entry.layer, "file": entry.file})
        expected = fit_fields(frame, spec, bare.model_copy(update={"fields": fields}), findings)
        for name in set(expected.columns) & set(out.values):
            told = [None if pd.isna(v) else v for v in expected[name].tolist()]
            got = out.values[name].to_pylist()
            assert all(map(_same, told, got)), f"{entry.layer}.{name}"
            compared += 1
    assert compared > 80


JSON_TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), JSON_TEXT, st.sampled_from(['"', "\\", "\n", "\x01\x1f", "</x>"])),
            st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            st.one_of(st.none(), JSON_TEXT),
        ),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
)
def test_postgresql_reads_attributes_as_they_were(
    database: Engine, rows: list[tuple[Any, ...]], bare: bool
) -> None:
    words, numbers, whole, more = zip(*rows, strict=True)
    values = {
        'na"me\n': pa.array(words, pa.string()),
        "نام": pa.array(numbers, pa.float64()),
        "n": pa.array(whole, pa.int64()),
    }
    optional = {"x": pa.array(more, pa.string()), "y": pa.array(words, pa.string())}
    made = json_objects({} if bare else values, optional, len(rows)).to_pylist()
    expected = []
    for a, b, c, d in rows:
        whole_row = {} if bare else {'na"me\n': a, "نام": b, "n": c}
        expected.append(whole_row | {k: v for k, v in (("x", d), ("y", a)) if v is not None})
    assert [json.loads(t) for t in made] == expected
    with database.connect() as connection:
        read = connection.execute(
            text("select cast(t as jsonb) from unnest(cast(:made as text[])) t"), {"made": made}
        )
        stored = [row[0] for row in read]
    # PostgreSQL writes large doubles as whole numbers; they mean the same double.
    for row in stored:
        if row.get("نام") is not None:
            row["نام"] = float(row["نام"])
    assert stored == expected
