"""From source columns to typed fields: resolved once, applied batch by batch."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.catalogue import Catalogue
from geoplan.catalogue.layer import FieldSpec, LayerSpec
from geoplan.catalogue.pack import FieldMap
from geoplan.errors import InputError, ProblemsFound
from geoplan.ingest.attributes.fields import Fields
from geoplan.ingest.attributes.match import match_names
from geoplan.ingest.attributes.plan import AttributePlan
from geoplan.ingest.attributes.step import ARROW
from geoplan.ingest.columns import make_column, typed
from geoplan.ingest.fields import table_columns
from geoplan.ingest.findings import Findings
from geoplan.persian import key_form

PLOTS: dict[str, Any] = {
    "id": "plots",
    "title": {"en": "Plots"},
    "theme": "cadastre",
    "kind": "vector",
    "geometry": "polygon",
    "table": "plots",
    "key": "code",
    "fields": {
        "code": {"type": "string", "required": True},
        "block_key": {"type": "string", "required": True, "title": {"en": "Block", "fa": "بلوک"}},
        "number": {"type": "string", "required": True, "title": {"en": "No", "fa": "شمارهٔ قطعه"}},
        "area_m2": {"type": "number", "unit": "m2", "minimum": 0},
        "zone": {"type": "string", "codes": ["industrial", "green"]},
        "floors": {"type": "integer", "minimum": 0, "maximum": 60},
        "served": {"type": "boolean"},
        "sold_on": {"type": "date"},
        "remark": {"type": "string"},
    },
    "checks": {"parent": "blocks", "parent_field": "block_key"},
}
FEATURES: dict[str, Any] = {
    "id": "things",
    "title": {"en": "Things"},
    "theme": "energy",
    "kind": "vector",
    "geometry": "point",
    "table": "features",
    "fields": {"power": {"type": "number", "unit": "kW"}, "name_fa": {"type": "string"}},
}


def _rule(**keys: object) -> FieldMap:
    return FieldMap.model_validate(keys)


def _apply(
    spec: dict[str, Any],
    mapping: dict[str, Any],
    data: dict[str, Any],
    *,
    missing: tuple[str | float, ...] = (),
) -> Fields:
    table = {k: v if isinstance(v, pa.Array) else pa.array(v) for k, v in data.items()}
    n = len(next(iter(table.values())))
    batch = pa.record_batch({"__row__": pa.array(np.arange(1, n + 1)), **table})
    plan = AttributePlan.compile(
        LayerSpec.model_validate(spec),
        mapping,
        [(f.name, f.type) for f in batch.schema],
        missing=missing,
        where="plots.shp",
    )
    return plan.apply(batch)


def _one(field: dict[str, Any], column: Any, **rule: object) -> tuple[list[Any], list[Any]]:
    """Return the values of one field, and its findings as (code, rows, texts)."""
    spec = {**FEATURES, "fields": {"x": field}}
    out = _apply(spec, {"x": _rule(**{"from": "c", **rule})}, {"c": column})
    found = [(f.code, f.rows.tolist(), f.texts.to_pylist()) for f in out.findings]
    return out.values["x"].to_pylist(), found


def test_a_delivery_by_hand() -> None:
    out = _apply(
        PLOTS,
        {"code": "PLAK", "area_m2": _rule(**{"from": "MASAHAT", "unit": "ha"})},
        {
            "PLAK": ["۱۲/۳ الف", " 12/4 ", "ك-٥", None],
            "بلوک": ["B۱", "B1", "B1", "B1"],
            "شماره قطعه": ["۱۲", "13", "۱۴", "15"],
            "MASAHAT": [0.25, 1.0, None, 0.5],
            "Zone": ["Industrial", "green", "park", "???"],
            "FLOORS": ["۲", "61", "1.5", "x"],
            "served": ["Yes", "0", "maybe", None],
            "SOLD_ON": ["1403/01/01", "1402/12/30", "", "2024-03-20"],
            "remark": ['say "hi"', "", "a\\b\n", None],
            "OTHER": [1, 2, 3, 4],
        },
    )
    assert out.rows.tolist() == [1, 2, 3, 4]
    assert out.key.to_pylist() == ["12/3 الف", "12/4", "ک-5", None]
    assert out.values["block_key"].to_pylist() == ["B1", "B1", "B1", "B1"]
    assert out.values["number"].to_pylist() == ["۱۲", "13", "۱۴", "15"]
    assert out.values["area_m2"].to_pylist() == [2500.0, 10_000.0, None, 5000.0]
    assert out.values["zone"].to_pylist() == ["industrial", "green", None, None]
    assert out.values["floors"].to_pylist() == [2, None, 2, None]
    assert out.values["served"].to_pylist() == [True, False, None, None]
    assert out.values["sold_on"].to_pylist() == [date(2024, 3, 20), None, None, date(2024, 3, 20)]
    assert out.own == ("block_key", "number", "area_m2", "zone")
    assert out.search.to_pylist() == ["123الف 12", "124 13", "ک5 14", "15"]
    attrs = [json.loads(t) for t in out.attrs.to_pylist()]
    assert attrs == [
        {
            "code": "12/3 الف", "floors": 2, "served": True, "sold_on": "2024-03-20",
            "remark": 'say "hi"', "code_as_written": "۱۲/۳ الف", "block_key_as_written": "B۱",
        },
        {"code": "12/4", "floors": None, "served": False, "sold_on": None, "remark": None},
        {
            "code": "ک-5", "floors": 2, "served": None, "sold_on": None, "remark": "a\\b",
            "code_as_written": "ك-٥",
        },
        {"code": None, "floors": None, "served": None, "sold_on": "2024-03-20", "remark": None},
    ]  # fmt: skip
    found = {(f.code, f.field): (f.rows.tolist(), f.texts.to_pylist()) for f in out.findings}
    assert found == {
        ("destroyed-text", "zone"): ([4], ["???"]),
        ("missing-key", "code"): ([4], [None]),
        ("unknown-code", "zone"): ([3], ["park"]),
        ("out-of-range", "floors"): ([2], ["61"]),
        ("not-whole", "floors"): ([3], ["1.5"]),
        ("wrong-type", "floors"): ([4], ["x"]),
        ("wrong-type", "served"): ([3], ["maybe"]),
        ("wrong-type", "sold_on"): ([2], ["1402/12/30"]),
    }


def test_the_plan_says_where_fields_come_from() -> None:
    plan = AttributePlan.compile(
        LayerSpec.model_validate(PLOTS),
        {"code": "ID", "remark": _rule(expr="floors * 2"), "served": _rule(default="yes")},
        [("__row__", "int64"), ("ID", "string"), ("block_key", "string"), ("no", "int64"),
         ("floors", "int64"), ("left", "string")],
        where="plots.shp",
    )  # fmt: skip
    assert set(plan.columns) == {
        ("code", "ID", "string"),
        ("block_key", "block_key", "string"),
        ("number", "no", "string"),
        ("floors", "floors", "integer"),
        ("remark", "= floors * 2", "string"),
        ("served", "default", "boolean"),
    }
    assert plan.unused == ("left",)


def test_all_problems_at_once() -> None:
    with pytest.raises(ProblemsFound) as told:
        AttributePlan.compile(
            LayerSpec.model_validate(PLOTS),
            {
                "numbr": "number",
                "key": "number",
                "block_key": "BLOKC",
                "area_m2": _rule(**{"from": "area", "unit": "km"}),
                "floors": _rule(**{"from": "area", "unit": "m", "calendar": "jalali"}),
                "zone": _rule(expr="nowhere + 1"),
                "remark": _rule(expr="import os"),
                "sold_on": _rule(**{"from": "flag", "decimal": ","}),
            },
            [("number", "string"), ("BLOCK", "string"), ("area", "double"), ("flag", "bool"),
             ("served", "binary")],
            where="plots.shp",
        )  # fmt: skip
    lines = [f"{p.where.split(chr(39))[1]} {p.code}: {p.what}" for p in told.value.problems]
    assert sorted(lines) == sorted(
        [
            "numbr unknown-field: layer 'plots' has no field 'numbr'",
            "key unknown-field: layer 'plots' has no field 'key'; its key comes from 'code'",
            "block_key unknown-column: it comes from an unknown column 'BLOKC'",
            "zone unknown-column: it comes from an unknown column 'nowhere'",
            "remark bad-expression: cannot read the expression 'import os'",
            "code required-missing: it is required and no column of the file gives it",
            "area_m2 wrong-unit: 'km' is length and 'm2' is area",
            "floors wrong-unit: 'unit: m' for a field that has no unit",
            "floors wrong-type: 'calendar' for a field of type integer",
            "sold_on wrong-type: 'decimal' for a field of type date",
            "sold_on wrong-type: column 'flag' holds values of type bool, and the field is of "
            "type date",
            "served wrong-type: column 'served' holds values of type binary, and the field is of "
            "type boolean",
        ]
    )
    remedies = {p.what: p.remedy for p in told.value.problems}
    assert remedies["it comes from an unknown column 'BLOKC'"] == "did you mean 'BLOCK'?"
    assert remedies["layer 'plots' has no field 'numbr'"] == "did you mean 'number'?"


def test_two_columns_that_are_equally_good_are_none() -> None:
    text = FieldSpec.model_validate({"type": "string"})
    titled = FieldSpec.model_validate({"type": "string", "title": {"en": "Code"}})
    found, unclear = match_names({"zone": text}, ["ZONE", "Zone"])
    assert (found, unclear) == ({}, {"zone": ("ZONE", "Zone")})
    # An exact name wins over a like one, an id over a title.
    assert match_names({"zone": text}, ["ZONE", "zone"])[0] == {"zone": "zone"}
    assert match_names({"code": text, "kind": titled}, ["CODE"])[0] == {"code": "CODE"}
    # Two fields of one title.
    assert match_names({"a": titled, "b": titled}, ["code"])[0] == {}
    # What a mapping uses is not taken again, but for its very name.
    assert match_names({"zone": text}, ["ZONE"], taken=["ZONE"])[0] == {}
    assert match_names({"zone": text}, ["zone"], taken=["zone"])[0] == {"zone": "zone"}


def test_an_unclear_column_is_told() -> None:
    columns = [("code", "string"), ("block_key", "string"), ("number", "string")]
    spec = LayerSpec.model_validate(PLOTS)
    plan = AttributePlan.compile(
        spec, {}, [*columns, ("ZONE", "string"), ("Zone", "string")], where="f"
    )
    assert [(n.code, n.severity, n.what) for n in plan.notes] == [
        ("unclear-column", "info", "could be 'ZONE', 'Zone'; none was taken")
    ]
    assert plan.unused == ("ZONE", "Zone")
    empty = AttributePlan.compile(spec, {"zone": _rule()}, [*columns, ("zone", "binary")], where="")
    assert empty.unused == ("zone",)


def test_rows_without_a_key_of_their_own_are_numbered() -> None:
    out = _apply(FEATURES, {"power": _rule(**{"from": "mw", "unit": "MW"})}, {"mw": [1.5, None]})
    assert out.key.to_pylist() == ["000001", "000002"]
    assert out.values["power"].to_pylist() == [1500.0, None]
    assert out.attrs.to_pylist() == ['{"power":1500}', '{"power":null}']
    named = _apply(FEATURES, {"key": "k"}, {"k": ["٧", "b"], "name_fa": ["نام يك", "b"]})
    assert named.key.to_pylist() == ["7", "b"]
    assert named.search.to_pylist() == ["7 نامیک", "b b"]
    assert json.loads(named.attrs.to_pylist()[0]) == {"name_fa": "نام يك", "key_as_written": "٧"}


def test_a_region_without_a_code_is_named_by_its_key() -> None:
    spec = {**FEATURES, "table": "regions", "level": 1, "geometry": "polygon", "fields": {}}
    out = _apply(spec, {}, {"name_local": ["يزد", "قم"]})
    assert out.own == ("name_local", "code")
    assert out.values["code"].to_pylist() == out.key.to_pylist() == ["000001", "000002"]
    assert out.attrs.to_pylist() == ["{}", "{}"]


def test_values_that_mean_not_known_are_emptied_and_counted() -> None:
    out = _apply(
        PLOTS,
        {"floors": "f"},
        {
            "code": ["a", "b", "c", "d"],
            "block_key": ["1"] * 4,
            "number": ["1"] * 4,
            "f": ["-", "۹۹۹", "999.0", "3"],
            "area_m2": [999.0, float("nan"), 4.0, None],
            "remark": ["-", "x", None, " - "],
        },
        missing=("-", 999),
    )
    assert out.values["floors"].to_pylist() == [None, None, None, 3]
    assert out.values["area_m2"].to_pylist() == [None, None, 4.0, None]
    assert out.values["remark"].to_pylist() == [None, "x", None, None]
    assert out.blanked == {"floors": 3, "area_m2": 1, "remark": 2}
    assert out.findings == ()


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array([1, None], pa.int8()), ["1", None]),
        (pa.array([2**63], pa.uint64()), ["9223372036854775808"]),
        (pa.array([5.0, 0.1, 1e20]), ["5", "0.1", "100000000000000000000"]),
        (pa.array([True, None]), ["true", None]),
        (pa.array([date(2024, 3, 20)]), ["2024-03-20"]),
        (pa.array([pd.Timestamp("2024-03-20")], pa.timestamp("ms")), ["2024-03-20"]),
        (pa.array([pd.Timestamp("2024-03-20T12:30:05")], pa.timestamp("ns")),
         ["2024-03-20 12:30:05"]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([" a "], pa.large_string()), ["a"]),
        (pa.array([None], pa.null()), [None]),
        (pa.array([["a", "b"]]), ['["a", "b"]']),
        (pa.array(["??? ??", "why?"]), [None, "why?"]),
    ],
)  # fmt: skip
def test_text_of_every_type(column: pa.Array, text: list[str | None]) -> None:
    assert _one({"type": "string"}, column)[0] == text


def test_numbers_of_every_type() -> None:
    number, integer = {"type": "number"}, {"type": "integer"}
    assert _one(number, pa.array([1, None], pa.int32()))[0] == [1.0, None]
    assert _one(integer, pa.array([2**62 + 1]))[0] == [2**62 + 1]
    assert _one(integer, ["4611686018427387905"])[0] == [2**62 + 1]
    assert _one(number, [float("inf"), 1.0]) == ([None, 1.0], [("wrong-type", [1], ["inf"])])
    assert _one(integer, [1e300, 2.5, 3.5]) == (
        [None, 2, 4],
        [("wrong-type", [1], [str(int(1e300))]), ("not-whole", [2, 3], ["2.5", "3.5"])],
    )
    assert _one(number, [True, False])[0] == [1.0, 0.0]
    low = {"type": "number", "minimum": 1, "maximum": 2}
    assert _one(low, [0.5, 1.0, 2.0, 3.0, None]) == (
        [None, 1.0, 2.0, None, None],
        [("out-of-range", [1, 4], ["0.5", "3"])],
    )
    assert _one(number, ["1,234", "12,5"], decimal=",") == ([1.234, 12.5], [])


def test_codes_of_a_mapping_in_other_spellings() -> None:
    zone = {"type": "string", "codes": ["industrial", "green"]}
    out = _one(
        zone, ["صنعتي", "صنعتی", "سبز", "?", "x"], codes={"صنعتی": "industrial", "سبز": "green"}
    )
    assert out == (
        ["industrial", "industrial", "green", None, None],
        [("destroyed-text", [4], ["?"]), ("unknown-code", [5], ["x"])],
    )


RULES = [
    {"strip_prefix": "County "},
    {"strip_suffix": " ha", "zero_pad": 4},
    {"head": 2},
    {"prefix": "IR-"},
    {"zero_pad": 3, "head": 2, "default": "none"},
    {"default": "0"},
    {"codes": {"1": "one", "2": "two"}, "default": "many", "prefix": "n-"},
]
SEEN = st.sampled_from(["1", "2", "County 7", "5 ha", "x", " 12 "])
CELLS = st.one_of(st.none(), SEEN, st.text("ab1 ", max_size=4))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(RULES), st.lists(CELLS, min_size=1, max_size=8))
def test_rules_are_those_of_packs(rule: dict[str, Any], cells: list[str | None]) -> None:
    whole = _rule(**{"from": "c", **rule})
    # Outer spaces go as the column is read, here for both.
    bare = [None if c is None or not c.strip() else c.strip() for c in cells]
    findings = Findings("f")
    made = make_column("x", whole, pd.DataFrame({"c": pd.Series(bare, dtype=object)}), findings)
    text = FieldSpec.model_validate({"type": "string"})
    expected = [None if pd.isna(v) else v for v in typed("x", made, text, findings)]
    got, found = _one({"type": "string"}, pa.array(cells, pa.string()), **rule)
    assert got == expected
    assert sum(len(rows) for _, rows, _ in found) == sum(p.count for p in findings.problems)


TYPED = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(10**9), 10**9)), min_size=1),
    st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1),
    st.lists(st.one_of(st.none(), st.sampled_from(["1", "2.5", "x", "true", "No", "2024-03-20"])),
             min_size=1),
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["string", "integer", "number", "boolean"]), TYPED)
def test_types_are_those_of_packs(kind: str, cells: list[Any]) -> None:
    field: dict[str, Any] = {"type": kind}
    if kind in ("integer", "number"):
        field |= {"minimum": -1000, "maximum": 1000}
    column = pa.array(cells)
    series = column.to_pandas()
    findings = Findings("f")
    expected = typed("x", series, FieldSpec.model_validate(field), findings)
    got, found = _one(field, column)
    assert got == [None if pd.isna(v) else v for v in expected.tolist()]
    mine = {}
    for code, rows, _ in found:
        mine[code] = mine.get(code, 0) + len(rows)
    assert mine == {p.code: p.count for p in findings.problems}


def test_expressions_are_those_of_packs() -> None:
    data = {"a": [1, 2, None], "b": [0.5, None, 1.0], "t": ["x;y", None, "z"]}
    number = {**FEATURES, "fields": {"x": {"type": "number"}, "s": {"type": "string"}}}
    rules = {"x": _rule(expr="a * 2 + b"), "s": _rule(expr="first_of(t, ';')", prefix="p-")}
    out = _apply(number, rules, data)
    assert out.values["x"].to_pylist() == [2.5, None, None]
    assert out.values["s"].to_pylist() == ["p-x", None, "p-z"]
    with pytest.raises(InputError, match="does not fit its columns") as told:
        _apply(number, {"x": _rule(expr="first_of(a, 1) - t")}, data)
    assert "field 'x'" in told.value.where


@pytest.mark.parametrize("rows", [0, 1])
def test_batches_of_nothing(rows: int) -> None:
    out = _apply(
        PLOTS,
        {},
        {n: pa.nulls(rows, pa.string()) for n in PLOTS["fields"]},
    )
    assert len(out.key) == len(out.attrs) == len(out.search) == rows
    assert out.search.to_pylist() == [""] * rows
    missing = {f.field for f in out.findings if f.code in ("missing-key", "required-missing")}
    assert missing == ({"code", "block_key", "number"} if rows else set())


def test_every_layer_of_the_catalogue_compiles_with_its_own_field_names() -> None:
    for spec in Catalogue.standard().layers().values():
        if spec.kind == "raster":
            continue
        names = dict.fromkeys([*table_columns(spec.table), *spec.fields])
        fields = {**table_columns(spec.table), **spec.fields}
        columns = [(n, ARROW[fields[n].type]) for n in names]
        plan = AttributePlan.compile(spec, {}, columns, where=spec.id)
        batch = pa.record_batch(
            {"__row__": pa.array([1, 2]), **{n: pa.nulls(2, t) for n, t in columns}}
        )
        out = plan.apply(batch)
        assert [json.loads(t) for t in out.attrs.to_pylist()]
        assert {n: v.type for n, v in out.values.items() if n in plan.own} == {
            n: ARROW[fields[n].type] for n in plan.own
        }


KINDS = st.sampled_from(
    [
        pa.string(), pa.large_string(), pa.int8(), pa.int64(), pa.uint64(), pa.float32(),
        pa.float64(), pa.bool_(), pa.date32(), pa.timestamp("ms"), pa.timestamp("ns", "UTC"),
        pa.time32("s"), pa.decimal128(12, 2), pa.binary(), pa.list_(pa.string()),
        pa.dictionary(pa.int32(), pa.string()), pa.null(), pa.struct([("a", pa.int64())]),
    ]
)  # fmt: skip
CELL_TEXT = st.one_of(
    st.text(max_size=6),
    st.text("0123456789۰۱۲۳٫٬,. -/+e", max_size=10),
    st.sampled_from(["1402/12/30", "??", "a\x00b", "\ufffd", '"', "\\", "nan", "inf", "1e400"]),
)


@st.composite
def _columns(draw: st.DrawFn) -> pa.Array:
    kind = draw(KINDS)
    n = 4
    values: Any
    if pa.types.is_null(kind):
        return pa.nulls(n)
    if pa.types.is_integer(kind):
        bits = kind.bit_width
        low = 0 if kind == pa.uint64() else -(2 ** (bits - 1))
        values = st.integers(low, low + 2**bits - 1)
    elif pa.types.is_floating(kind):
        values = st.floats(width=kind.bit_width)
    elif pa.types.is_boolean(kind):
        values = st.booleans()
    elif pa.types.is_date(kind):
        values = st.dates()
    elif pa.types.is_timestamp(kind):
        values = st.datetimes(date_time(1700), date_time(2200))
    elif pa.types.is_time(kind):
        values = st.times().map(lambda t: t.replace(microsecond=0))
    elif pa.types.is_decimal(kind):
        values = st.decimals(-9999, 9999, places=2)
    elif pa.types.is_binary(kind):
        values = st.binary(max_size=3)
    elif pa.types.is_list(kind):
        values = st.lists(st.text(max_size=3), max_size=2)
    elif pa.types.is_struct(kind):
        values = st.fixed_dictionaries({"a": st.integers(0, 9)})
    else:
        values = CELL_TEXT
    cells = draw(st.lists(st.one_of(st.none(), values), min_size=n, max_size=n))
    if pa.types.is_dictionary(kind):
        return pa.array(cells, pa.string()).dictionary_encode()
    return pa.array(cells, kind)


def date_time(year: int) -> datetime:
    return datetime(year, 1, 1)


@settings(deadline=None, max_examples=300)
@given(
    _columns(),
    st.sampled_from(["string", "integer", "number", "boolean", "date"]),
    st.sampled_from([(), ("-", 0, 1.5)]),
    st.booleans(),
)
def test_no_cell_of_any_type_breaks_a_load(
    column: pa.Array, kind: str, missing: tuple[str | float, ...], required: bool
) -> None:
    field: dict[str, Any] = {"type": kind, "required": required}
    if kind in ("integer", "number"):
        field |= {"minimum": -5}
    spec = {**FEATURES, "key": "x", "fields": {"x": field}}
    try:
        out = _apply(spec, {}, {"x": column}, missing=missing)
    except ProblemsFound:
        return
    assert out.values["x"].type == ARROW[kind]
    for texts in (out.key, out.search, out.attrs):
        texts.validate(full=True)
        assert len(texts) == len(column)
        assert not any("\x00" in t for t in texts.to_pylist() if t is not None)
    for line, value in zip(out.attrs.to_pylist(), out.values["x"].to_pylist(), strict=True):
        stored = json.loads(line)["x"]
        assert stored == (value.isoformat() if isinstance(value, date) else value)
    lost = {r for f in out.findings if f.code == "missing-key" for r in f.rows.tolist()}
    assert lost == {
        r for r, v in zip(out.rows.tolist(), out.key.to_pylist(), strict=True) if v is None
    }
    # Nothing is emptied without a word.
    told = {r for f in out.findings for r in f.rows.tolist()}
    blank = sum(out.blanked.values())
    empty = [
        r
        for r, v, c in zip(
            out.rows.tolist(), out.values["x"].to_pylist(), column.to_pylist(), strict=True
        )
        if v is None and c is not None and not (isinstance(c, str) and not key_form(c)) and c == c
    ]
    assert len(set(empty) - told) <= blank
