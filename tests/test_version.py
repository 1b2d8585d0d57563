"""New versions from Arrow: few rows among the others, many in a table of their own."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import shapely
from shapely import wkb
from sqlalchemy import text

from geoplan.catalogue import LayerSpec
from geoplan.errors import DatabaseLost, InputError, Problem, UnknownName
from geoplan.store import read, tables
from geoplan.store.merge import KeyClash
from geoplan.store.rows import OWN_TABLE_ROWS, version_rows
from geoplan.store.serve.current import current_layers
from geoplan.store.serve.tile import tile_statement
from geoplan.store.serve.tile_query import layer_query
from geoplan.store.session import transaction
from geoplan.store.version import VersionWriter, begin_version
from geoplan.store.write import make_current

FACTS: dict[str, Any] = {
    "pack_id": None, "source_file": "plots.gpkg", "sha256": "ab" * 32, "loaded_by": "zahra",
    "rows_read": 0, "rows_refused": 0, "source_crs": "EPSG:32639", "as_of": "1404",
    "source": "survey", "licence": "", "confidence": "", "basis": None, "method": None,
    "synthetic": True, "report": [],
}  # fmt: skip
MANY = OWN_TABLE_ROWS + 5


def layer(layer_id: str = "plots", table: str = "plots", **more: Any) -> LayerSpec:
    geometry = {"geometry": "polygon"} if table != "region_facts" else {}
    kind = "table" if table == "region_facts" else "vector"
    return LayerSpec.model_validate(
        {
            "id": layer_id, "title": {"en": layer_id, "fa": "قطعه"}, "theme": "cadastre",
            "kind": kind, "table": table, **geometry, **more,
        }
    )  # fmt: skip


def plots(keys: Any, *, area: float = 100.0, **more: Any) -> pa.RecordBatch:
    """Plots beside each other, each 0.001° wide at its number."""
    keys = list(keys)
    west = 51 + 1e-3 * np.array([int(k.rsplit("-", 1)[-1]) % 1000 for k in keys], dtype=float)
    north = 35 + 1e-3 * np.array([int(k.rsplit("-", 1)[-1]) // 1000 for k in keys], dtype=float)
    shapes = shapely.box(west, north, west + 9e-4, north + 9e-4) if keys else []
    columns = {
        "key": keys,
        "block_key": [f"b-{k}" for k in keys],
        "number": keys,
        "area_m2": [area] * len(keys),
        "attrs": [json.dumps({"owner": f"مالک {k}", "floors": None}) for k in keys],
        "search": [f"{k} مالک" for k in keys],
        "geom": shapely.to_wkb(shapes) if keys else [],
        "source_geom": shapely.to_wkb(shapes) if keys else [],
        "source_srid": [32639] * len(keys),
    } | more
    types = {
        "area_m2": pa.float64(), "geom": pa.binary(), "source_geom": pa.binary(),
        "source_srid": pa.int32(),
    }  # fmt: skip
    return pa.record_batch(
        {n: pa.array(list(v), type=types.get(n, pa.string())) for n, v in columns.items()}
    )


def many(prefix: str = "p", count: int = MANY, **more: Any) -> pa.RecordBatch:
    return plots([f"{prefix}-{n}" for n in range(count)], **more)


def load(engine, batches: list[pa.RecordBatch], spec: LayerSpec | None = None, **more: Any) -> int:
    spec = spec or layer()
    with transaction(engine) as session:
        writer = begin_version(session, spec, **(FACTS | more))
        writer.write_all(batches)
        writer.finish()
        make_current(session, spec.id, writer.version_id)
        return writer.number


def relations(engine) -> set[str]:
    with engine.connect() as connection:
        return set(
            connection.scalars(text("select relname from pg_class where relname ~ '_v[0-9]+$'"))
        )


def current_keys(engine, layer_id: str = "plots") -> list[str]:
    with transaction(engine) as session:
        return list(read.layer_frame(session, layer_id, columns=["key"])["key"])


def test_few_rows_lie_in_the_shared_table(database):
    load(database, [plots(["p-1", "p-2"]), plots(["p-3"])], rows_read=4, rows_refused=1)
    assert relations(database) == set()
    with transaction(database) as session:
        place = version_rows(session, "plots")
        assert (place.relation, place.number) == (None, 1)
        frame = read.layer_frame(session, "plots")
        version = session.get_one(tables.LayerVersion, place.version_id)
        assert (version.rows_stored, version.rows_read, version.mode) == (3, 4, "replace")
        assert version.bbox == pytest.approx([51.001, 35.0, 51.0039, 35.0009], abs=1e-12)
    assert list(frame["key"]) == ["p-1", "p-2", "p-3"]
    assert list(frame["owner"]) == ["مالک p-1", "مالک p-2", "مالک p-3"]
    assert "search" not in frame.columns
    parts = frame.geometry[1].geoms
    assert [part.wkb for part in parts] == [plots(["p-2"])["geom"][0].as_py()]


def test_many_rows_lie_in_a_table_of_their_own(database):
    load(database, [many()])
    assert relations(database) == {"plot_v1"}
    with transaction(database) as session:
        place = version_rows(session, "plots")
        assert place.relation == "plot_v1"
        frame = read.layer_frame(
            session, "plots", columns=["key", "owner", "source_geom", "source_srid"]
        )
        indexes = set(
            session.scalars(text("select indexname from pg_indexes where tablename = 'plot_v1'"))
        )
        everything = session.scalar(text("select count(*) from plot"))
        shared = session.scalar(text("select count(*) from only plot"))
    assert indexes == {"plot_v1_key", "plot_v1_geom", "plot_v1_pkey"}
    assert (everything, shared) == (MANY, 0)
    assert len(frame) == MANY
    row = frame.set_index("key").loc["p-4711"]
    assert row["owner"] == "مالک p-4711"
    assert row["source_srid"] == 32639
    assert wkb.loads(bytes(row["source_geom"])).equals(row["geometry"])


def test_a_new_column_of_the_shared_table_reaches_the_own_ones(database):
    load(database, [many()])
    with transaction(database) as session:
        session.execute(text("alter table plot add column extra text default 'x'"))
        assert session.scalar(text("select count(*) from plot_v1 where extra = 'x'")) == MANY


def test_rows_that_belong_to_another_version_are_refused(database):
    load(database, [many()])
    with pytest.raises(InputError, match="plot_v1_version_id_check"), transaction(database) as s:
        s.execute(text("update plot_v1 set version_id = 7"))


def test_replace_keeps_the_version_before(database):
    assert load(database, [many()]) == 1
    assert load(database, [plots(["q-1"])]) == 2
    assert current_keys(database) == ["q-1"]
    with transaction(database) as session:
        assert len(read.layer_frame(session, "plots", number=1)) == MANY
        with pytest.raises(UnknownName, match="no version 9") as caught:
            read.layer_frame(session, "plots", number=9)
        assert caught.value.remedy == "it has 1, 2"


@pytest.mark.parametrize("large", [False, True])
def test_append_adds_to_the_version_before(database, large):
    first = many() if large else plots(["p-1", "p-2"])
    load(database, [first])
    load(database, [plots(["q-1", "q-2"], area=7.0)], mode="append")
    with transaction(database) as session:
        place = version_rows(session, "plots")
        frame = read.layer_frame(session, "plots").set_index("key")
        assert len(read.layer_frame(session, "plots", number=1)) == first.num_rows
    assert (place.relation is not None) == large
    assert len(frame) == first.num_rows + 2
    assert (frame["area_m2"]["p-1"], frame["area_m2"]["q-2"]) == (100.0, 7.0)
    assert frame["owner"]["p-2"] == "مالک p-2"


@pytest.mark.parametrize("large", [False, True])
def test_append_refuses_keys_that_are_there(database, large):
    load(database, [many() if large else plots([f"p-{n}" for n in range(20)])])
    with pytest.raises(KeyClash, match="7 of the new rows have keys that version 1 has") as caught:
        load(database, [plots([f"p-{n}" for n in range(13, 20)] + ["q-1"])], mode="append")
    assert caught.value.count == 7
    assert caught.value.keys == ("p-13", "p-14", "p-15", "p-16", "p-17")
    assert "upsert" in caught.value.remedy
    assert len(current_keys(database)) == (MANY if large else 20)
    assert len(relations(database)) == int(large)


@pytest.mark.parametrize("large", [False, True])
def test_upsert_replaces_rows_of_the_same_key(database, large):
    first = many() if large else plots([f"p-{n}" for n in range(5)])
    load(database, [first])
    load(database, [plots(["p-3", "q-1"], area=7.0)], mode="upsert")
    with transaction(database) as session:
        frame = read.layer_frame(session, "plots").set_index("key")
    assert len(frame) == first.num_rows + 1
    assert frame.index.is_unique
    assert list(frame["area_m2"][["p-2", "p-3", "p-4", "q-1"]]) == [100.0, 7.0, 100.0, 7.0]


def test_append_and_upsert_to_nothing_store_the_new_rows(database):
    load(database, [plots(["p-1"])], mode="append")
    load(database, [plots(["r-1"])], layer("others"), mode="upsert")
    assert (current_keys(database), current_keys(database, "others")) == (["p-1"], ["r-1"])


@pytest.mark.parametrize("large", [False, True])
def test_a_key_that_stands_twice_is_refused(database, large):
    batch = many() if large else plots(["p-1", "p-2"])
    with pytest.raises(KeyClash, match="2 keys stand twice or more: p-1, p-2") as caught:
        load(database, [batch, plots(["p-2", "p-1"])])
    assert caught.value.where == "layer 'plots', column 'key'"
    assert relations(database) == set()
    with transaction(database) as session, pytest.raises(UnknownName, match="never loaded"):
        version_rows(session, "plots")


def test_features_may_share_a_key(database):
    spec = layer("factories", "features")
    batch = many().select(["key", "attrs", "geom"])
    load(database, [batch, batch.slice(0, 3)], spec)
    assert len(current_keys(database, "factories")) == MANY + 3
    assert relations(database) == {"feature_v1"}


def test_regions_stay_together_however_many(database):
    spec = layer("villages", "regions", level=3)
    batch = many()
    batch = pa.record_batch(
        {
            "code": batch["key"], "level": pa.array([3] * MANY, pa.int32()),
            "attrs": batch["attrs"], "geom": batch["geom"],
        }
    )  # fmt: skip
    load(database, [batch], spec)
    assert relations(database) == set()
    assert len(current_keys(database, "villages")) == MANY
    with pytest.raises(KeyClash, match="have keys that version 1"):
        load(database, [batch.slice(0, 1)], spec, mode="append")


def test_an_error_of_the_source_leaves_nothing(database):
    load(database, [many()])

    def broken():
        yield many("q")
        raise InputError("the file ended early", where="plots.gpkg")

    with pytest.raises(InputError, match="ended early"), transaction(database) as session:
        begin_version(session, layer(), **FACTS).write_all(broken())
    assert relations(database) == {"plot_v1"}
    assert current_keys(database)[0] == "p-0"


def test_a_lost_database_leaves_nothing(database):
    load(database, [many()])

    def cut():
        yield many("q")
        with database.connect() as other:
            other.exec_driver_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        yield from (many(f"r{n}") for n in range(30))

    with pytest.raises(DatabaseLost), transaction(database) as session:
        begin_version(session, layer(), **FACTS).write_all(cut())
    assert relations(database) == {"plot_v1"}


def test_columns_that_the_table_has_not_or_needs(database):
    def write(batch: pa.RecordBatch) -> None:
        with transaction(database) as session:
            begin_version(session, layer(), **FACTS).write(batch)

    with pytest.raises(InputError, match="no column 'owner'"):
        write(plots(["p-1"], owner=["x"]))
    with pytest.raises(InputError, match="column 'number' is absent"):
        write(plots(["p-1"]).drop_columns(["number"]))
    with pytest.raises(InputError, match="the first had key"), transaction(database) as session:
        begin_version(session, layer(), **FACTS).write_all(
            [plots(["p-1"]), plots(["p-2"]).drop_columns(["search"])]
        )
    with pytest.raises(InputError, match="null value in column"):
        write(plots(["p-1"], number=[None]))


def test_nothing_may_be_read_at_all(database):
    with transaction(database) as session:
        writer = begin_version(session, layer(), **FACTS)
        assert writer.write_all([]) == 0
        found = Problem("plots.gpkg", "the layer is empty", severity="warning")
        assert writer.finish(rows_read=0, source_crs="EPSG:4326", report=[found]) == 0
        make_current(session, "plots", writer.version_id)
        version = session.get_one(tables.LayerVersion, writer.version_id)
        assert (version.source_crs, version.bbox) == ("EPSG:4326", None)
        assert version.report[0]["what"] == "the layer is empty"
    assert current_keys(database) == []


def test_rows_in_a_savepoint_of_their_own(database):
    # COPY with FREEZE is refused there; the rows must come all the same.
    with transaction(database) as session:
        writer = begin_version(session, layer(), **FACTS)
        with session.begin_nested():
            writer.write(plots(["p-1"]))
        writer.write(plots(["p-2"]))
        assert writer.finish() == 2


def test_two_loads_of_different_layers_run_beside_each_other(database):
    load(database, [many()], layer("first"))
    with transaction(database) as one:
        writer = begin_version(one, layer("second"), **FACTS)
        writer.write(many())
        # While that transaction is open, a whole other load begins and ends.
        load(database, [many()], layer("third"))
        writer.finish()
        make_current(one, "second", writer.version_id)
    assert len(relations(database)) == 3


def test_deleting_a_version_or_a_layer_drops_its_table(database):
    load(database, [many()])
    load(database, [many("q")])
    assert relations(database) == {"plot_v1", "plot_v2"}
    with transaction(database) as session:
        session.execute(text("delete from layer_version where number = 1"))
    assert relations(database) == {"plot_v2"}
    with transaction(database) as session:
        session.execute(text("delete from layer"))
    assert relations(database) == set()


@pytest.mark.parametrize("large", [False, True])
def test_tiles_read_the_one_table_by_name(database, large):
    load(database, [many() if large else plots(["p-1", "p-2"])])
    load(database, [many("z")], layer("others"))
    with transaction(database) as session:
        current = current_layers(session)["plots"]
        statement = tile_statement(layer_query(current))
        said = 'FROM "plot_v1"' if large else "FROM ONLY plot"
        assert said in statement.sql.replace(" \n", " ").replace("\n", " ")
        values = statement.values(_address(12), 50_000)
        driver = session.connection().connection.driver_connection
        with driver.cursor() as cursor:
            cursor.execute(statement.sql, values)
            body, shown, matched = cursor.fetchone()
            cursor.execute("explain " + statement.sql, values)
            plan = "\n".join(line for (line,) in cursor.fetchall())
    assert shown == matched
    assert 0 < matched <= (MANY if large else 2)
    assert bytes(body)
    assert "plot_v2" not in plan


def _address(z: int) -> Any:
    from geoplan.store.serve.address import TileAddress

    x = int((51.0015 + 180) / 360 * 2**z)
    lat = math.radians(35.0005)
    y = int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * 2**z)
    return TileAddress(z, x, y)


def test_writer_names_its_table_and_number(database):
    with transaction(database) as session:
        writer = begin_version(session, layer(), **FACTS)
        assert isinstance(writer, VersionWriter)
        assert (writer.relation, writer.number, writer.rows) == ("plot_v1", 1, 0)
        with pytest.raises(InputError, match="no mode 'merge'"):
            begin_version(session, layer("x"), **(FACTS | {"mode": "merge"}))
        raster = LayerSpec.model_validate(
            {"id": "dem", "title": {"en": "DEM"}, "theme": "terrain", "kind": "raster",
             "table": "raster"}
        )  # fmt: skip
        with pytest.raises(InputError, match="raster"):
            begin_version(session, raster, **FACTS)
