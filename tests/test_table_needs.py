"""What a layer's table needs is missed while a pack is checked, not while it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from small_country import codes, points, spec, stage

from geoplan.catalogue import LayerSpec
from geoplan.ingest.fields import table_columns
from geoplan.store import tables

NODES = {
    "table": "utility_nodes",
    "key": "code",
    "fields": {"code": {"type": "string", "required": True}},
}
GIVEN: dict[str, Any] = {
    "code": "label",
    "resource": {"default": "water"},
    "kind": {"default": "well"},
    "unit": {"default": "m3/day"},
    "headroom": "free",
}


def facts(**fields: Any) -> LayerSpec:
    return spec(kind="table", geometry=None, table="region_facts", level=1, fields=fields)


def test_a_melted_table_without_units(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,n,m\n01,3,1\n02,5,\n")
    entry = {
        "file": "t.csv",
        "fields": {"region_code": "code"},
        "melt": {"n": "people", "m": "jobs"},
    }
    staged = stage(tmp_path, facts(), entry)
    assert [(p.code, p.count) for p in staged.errors] == [("missing-column", 1)]
    assert "'unit'" in staged.errors[0].what and "'unit'" in staged.errors[0].remedy
    # One of two variables has its unit from the layer: the other is named.
    staged = stage(tmp_path, facts(people={"type": "number", "unit": "persons"}), entry)
    assert [(p.code, p.count) for p in staged.errors] == [("missing-value-needed", 1)]
    assert staged.errors[0].what.endswith("jobs")


@pytest.mark.parametrize("left_out", ["resource", "kind", "unit", "basis"])
def test_a_source_of_supply_without_what_the_plan_needs(tmp_path: Path, left_out: str) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31)}, free=[5.0])
    fields = {k: v for k, v in GIVEN.items() if k != left_out}
    entry = {"file": "t.gpkg", "fields": fields}
    if left_out != "basis":
        entry["basis"] = "metered"
    staged = stage(tmp_path, spec(**NODES), entry)
    assert [p.code for p in staged.errors] == ["missing-column"]
    assert f"'{left_out}'" in staged.errors[0].what


def test_words_and_amounts_that_the_table_refuses(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31), "b": (51, 32)}, free=[5.0, -1.0], of=["water", "x"])
    fields = {**GIVEN, "resource": "of"}
    staged = stage(
        tmp_path, spec(**NODES), {"file": "t.gpkg", "fields": fields, "basis": "metered"}
    )
    assert codes(staged, "warning") == {"unknown-code": 1, "out-of-range": 1}
    assert [(p.code, p.count) for p in staged.errors] == [("missing-value-needed", 1)]
    assert staged.errors[0].what.endswith(": b")


def test_a_layer_may_narrow_but_not_widen_the_words_of_its_table(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31)}, free=[5.0])
    wide = {**NODES["fields"], "resource": {"type": "string", "codes": ["steam", "water"]}}
    fields = {**GIVEN, "resource": {"default": "steam"}}
    entry = {"file": "t.gpkg", "fields": fields, "basis": "metered"}
    staged = stage(tmp_path, spec(**{**NODES, "fields": wide}), entry)
    assert [p.code for p in staged.errors] == ["missing-value-needed"]


def test_a_key_that_nothing_gives(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31)})
    layer = spec(key="number", fields={"number": {"type": "string"}})
    staged = stage(tmp_path, layer, {"file": "t.gpkg"})
    assert [p.code for p in staged.errors] == ["missing-column"]
    assert "'key'" in staged.errors[0].remedy


def test_geometry_that_the_table_cannot_hold(tmp_path: Path) -> None:
    points(tmp_path / "t.gpkg", {"a": (51, 31)}, code=["01"])
    layer = spec(table="regions", level=1, key="code", fields={"code": {"type": "string"}})
    staged = stage(tmp_path, layer, {"file": "t.gpkg"})
    assert [p.code for p in staged.errors] == ["wrong-geometry"]
    (tmp_path / "t.csv").write_text("label,free\na,5\n")
    entry = {"file": "t.csv", "fields": GIVEN, "basis": "metered"}
    staged = stage(tmp_path, spec(**NODES, kind="table", geometry=None), entry)
    assert [p.code for p in staged.errors] == ["missing-geometry"]


def test_the_words_of_the_tables_are_those_of_their_checks() -> None:
    for table, model in (
        ("utility_nodes", tables.UtilityNode),
        ("utility_lines", tables.UtilityLine),
    ):
        checks = {
            str(c.name).rsplit("_", 1)[-1]: str(getattr(c, "sqltext", ""))
            for c in model.__table__.constraints
        }
        columns = table_columns(table)
        for name in ("resource", "basis"):
            words = columns[name].codes or ()
            assert checks[name] == f"{name} in ({', '.join(map(repr, words))})"
