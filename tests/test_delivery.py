"""A delivered file from its bytes to a version of its layer, and back where it may not be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, text

from geoplan.catalogue import Catalogue
from geoplan.errors import CrsProblem, InputError, ProblemsFound, Stopped, UnknownName
from geoplan.settings import Settings
from geoplan.store import read, write
from geoplan.store.session import transaction
from geoplan.studies.delivery import LoadOutcome, check_delivery, load_delivery
from geoplan.studies.delivery_options import DeliveryOptions, Progress

EAST, NORTH = 500_000.0, 3_950_000.0  # zone 39: 51° E, near Tehran


def square(x: float, y: float, size: float = 20.0) -> shapely.Polygon:
    return shapely.box(EAST + x, NORTH + y, EAST + x + size, NORTH + y + size)


def frame(shapes: list[Any], crs: str | None = "EPSG:32639", **more: Any) -> gpd.GeoDataFrame:
    n = len(shapes)
    columns = {
        "code": [f"P-{i + 1}" for i in range(n)],
        "block_key": ["B-1"] * n,
        "number": [str(i + 1) for i in range(n)],
        "area_m2": [None if s is None else s.area for s in shapes],
    }
    return gpd.GeoDataFrame(columns | more, geometry=shapes, crs=crs)


def row_of(n: int) -> list[shapely.Polygon]:
    return [square(20.0 * i, 0.0) for i in range(n)]


@pytest.fixture
def place(tmp_path: Path, database: Engine, settings: Settings) -> Place:
    return Place(tmp_path, database, settings)


class Place:
    """A database, and a folder to put files in."""

    def __init__(self, folder: Path, engine: Engine, settings: Settings) -> None:
        self.folder, self.engine, self.settings = folder, engine, settings
        self.catalogue = Catalogue.standard()

    def file(self, what: gpd.GeoDataFrame, name: str = "plots.gpkg") -> Path:
        path = self.folder / name
        path.unlink(missing_ok=True)
        pyogrio.write_dataframe(what, path)
        return path

    def options(self, **asked: Any) -> DeliveryOptions:
        return DeliveryOptions.model_validate({"layer": "plots", "profile": "iran", **asked})

    def check(self, path: Path, **asked: Any) -> Any:
        return check_delivery(
            self.engine, self.settings, self.catalogue, path, self.options(**asked)
        )

    def load(self, path: Path, **asked: Any) -> LoadOutcome:
        return load_delivery(
            self.engine,
            self.settings,
            self.catalogue,
            path,
            self.options(**asked),
            loaded_by="zahra",
        )

    def rows(self, layer: str = "plots", columns: list[str] | None = None) -> gpd.GeoDataFrame:
        with transaction(self.engine) as session:
            return read.layer_frame(session, layer, columns=columns)

    def versions(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text("select count(*) from layer_version")).scalar_one())

    def stray_tables(self) -> list[str]:
        asked = "select relname from pg_class where relkind = 'r' and relname ~ '_v[0-9]+$'"
        kept = "select relation from layer_version where relation is not null"
        with self.engine.connect() as connection:
            there = set(connection.execute(text(asked)).scalars())
            return sorted(there - set(connection.execute(text(kept)).scalars()))

    def put(self, layer: str, what: gpd.GeoDataFrame) -> None:
        spec = self.catalogue.layer(layer)
        with transaction(self.engine) as session:
            version = write.new_version(
                session, spec, pack_id=None, source_file="made", sha256="0" * 64, loaded_by="test",
                rows_read=len(what), rows_refused=0, source_crs=None, as_of=None, source="",
                licence="", confidence="", basis=None, method=None, synthetic=True, report=[],
                profile_id="iran",
            )  # fmt: skip
            write.put_features(session, version, spec, what.to_crs(4326))
            write.make_current(session, layer, version)


def codes(found: Any) -> dict[str, int]:
    return {code: tally.count for code, tally in found.tallies.items()}


def test_a_good_file_is_stored_as_it_is(place: Place) -> None:
    made = frame(row_of(3), number=["۱۲/۳", "12/4 الف", "5"])
    outcome = place.load(place.file(made))
    assert (outcome.number, outcome.rows_stored, outcome.inspection.errors) == (1, 3, 0)
    got = place.rows(
        columns=["key", "number", "area_m2", "block_key", "source_geom", "source_srid"]
    )
    assert list(got["number"]) == ["۱۲/۳", "12/4 الف", "5"]
    assert list(got["area_m2"]) == [400.0, 400.0, 400.0]
    assert set(got["source_srid"]) == {32639}
    surveyed = shapely.from_wkb([bytes(v) for v in got["source_geom"]])
    for ours, theirs in zip(surveyed, made.geometry, strict=True):
        assert shapely.get_parts(ours)[0].equals(theirs)  # nothing surveyed is lost
    there = gpd.GeoSeries(made.geometry).to_crs(4326)
    assert shapely.equals_exact(
        shapely.normalize(shapely.get_parts(np.asarray(got.geometry.array))),
        shapely.normalize(np.asarray(there.array)), 1e-12,
    ).all()  # fmt: skip
    assert outcome.inspection.crs == "EPSG:32639"
    assert outcome.inspection.columns[0][0] == "block_key"


def test_the_same_file_twice_is_no_new_version_unless_forced(place: Place) -> None:
    path = place.file(frame(row_of(2)))
    place.load(path)
    again = place.load(path)
    assert (again.unchanged, again.number, place.versions()) == (True, 1, 1)
    assert place.load(path, force=True).number == 2


def test_everything_wrong_is_told_at_once_and_nothing_is_kept(place: Place) -> None:
    good = place.file(frame(row_of(2)))
    place.load(good)
    bow = shapely.Polygon(
        [
            (EAST + 100, NORTH),
            (EAST + 120, NORTH + 20),
            (EAST + 120, NORTH),
            (EAST + 100, NORTH + 20),
        ]
    )
    shapes = [
        square(0, 0), square(19.5, 0),  # 0.5 m × 20 m of overlap
        bow, square(200, 0), square(200, 0), None, square(300, 0), square(320, 0),
    ]  # fmt: skip
    made = frame(shapes, code=["1", "2", "3", "4", "5", "6", None, "1"])
    made.loc[6, "area_m2"] = 500.0
    outcome = place.load(place.file(made, "bad.gpkg"))
    assert outcome.version is None
    assert codes(outcome.inspection) == {
        "duplicate-geometry": 1, "duplicate-key": 1, "empty-geometry": 1, "invalid-ring": 1,
        "missing-key": 1, "overlap": 1, "required-missing": 1, "stated-area": 2,
    } or codes(outcome.inspection)["overlap"] == 1  # fmt: skip
    overlap = next(f for f in outcome.inspection.findings if f.code == "overlap")
    assert (overlap.rows, overlap.keys) == ((1, 2), ("1", "2"))
    assert overlap.area_m2 == pytest.approx(10.0)
    assert overlap.geometry.equals(shapely.box(EAST + 19.5, NORTH, EAST + 20, NORTH + 20))
    assert len(place.rows()) == 2  # what was there before
    assert place.versions() == 1
    assert place.stray_tables() == []


def test_check_stores_nothing_and_says_the_same(place: Place) -> None:
    path = place.file(frame([square(0, 0), square(10, 0)]))
    found = place.check(path)
    assert codes(found)["overlap"] == 1
    assert found.rows_read == 2 and place.versions() == 0


def test_upsert_keeps_the_others_and_append_refuses_a_key_that_is_there(place: Place) -> None:
    place.load(place.file(frame(row_of(3))))
    changed = frame([square(40, 0, 18), square(60, 0)], code=["P-3", "P-4"])
    outcome = place.load(place.file(changed, "more.gpkg"), mode="upsert")
    assert (outcome.number, outcome.rows_stored) == (2, 4)
    got = place.rows().set_index("key")
    assert list(got.index) == ["P-1", "P-2", "P-3", "P-4"]
    assert got.loc["P-3", "area_m2"] == 18.0 * 18.0
    with pytest.raises(InputError, match="P-4"):
        place.load(place.file(frame([square(90, 0)], code=["P-4"]), "twice.gpkg"), mode="append")
    assert place.load(
        place.file(frame([square(90, 0)], code=["P-9"]), "new.gpkg"), mode="append"
    ).rows_stored == 5  # fmt: skip


def test_keys_are_one_whatever_the_keyboard(place: Place) -> None:
    made = frame(row_of(2), code=["قطعه‌ي ۱۲", "قطعهی 12"])
    found = place.check(place.file(made))
    assert codes(found)["duplicate-key"] == 1
    place.load(place.file(made.iloc[:1]))
    assert list(place.rows()["key"]) == ["قطعهی 12"]


@pytest.mark.parametrize("declared", ["EPSG:32640", "EPSG:4326", None])
def test_a_wrong_or_absent_crs_is_proposed_and_never_guessed(
    place: Place, declared: str | None
) -> None:
    west = shapely.box(50.0, 34.0, 52.5, 37.0)
    place.put("provinces", gpd.GeoDataFrame(
        {"code": ["23"], "name_en": ["Tehran"], "name_local": ["تهران"]}, geometry=[west], crs=4326
    ))  # fmt: skip
    made = frame(row_of(3), crs=declared)
    path = place.file(made)
    outcome = place.load(path)
    assert outcome.version is None
    evidence = outcome.inspection.evidence
    assert evidence is not None and evidence.crs == "EPSG:32639"
    problem = next(p for p in outcome.inspection.problems if p.code.startswith("crs-"))
    assert problem.severity == "error" and "--accept-crs" in problem.remedy
    taken = place.load(path, accept_crs=True)
    assert (taken.number, taken.inspection.crs, taken.inspection.crs_how) == (
        1, "EPSG:32639", "proposed",
    )  # fmt: skip
    assert place.rows().total_bounds == pytest.approx([51.0, 35.69, 51.0007, 35.7], abs=0.01)


def test_swapped_axes_are_seen_and_turned_back_only_as_confirmed(place: Place) -> None:
    tehran = gpd.GeoSeries(row_of(2), crs=32639).to_crs(4326)
    turned = [shapely.transform(g, lambda xy: xy[:, ::-1]) for g in tehran]
    path = place.file(frame(turned, crs="EPSG:4326", area_m2=[400.0, 400.0]))
    refused = place.load(path)
    assert refused.version is None and refused.inspection.evidence.swap_axes
    assert refused.inspection.evidence.reason == "axes-swapped"
    outcome = place.load(path, accept_crs=True)
    assert outcome.rows_stored == 2
    assert codes(outcome.inspection) == {}
    assert place.rows().total_bounds[0] == pytest.approx(51.0, abs=0.01)


def test_rows_are_held_against_their_blocks(place: Place) -> None:
    place.put("blocks", gpd.GeoDataFrame(
        {"key": ["B-1"], "phase_key": ["F-1"], "number": ["1"]},
        geometry=[shapely.box(EAST, NORTH, EAST + 60, NORTH + 20)], crs=32639,
    ))  # fmt: skip
    made = frame([square(0, 0), square(45, 0), square(20, 0)], block_key=["B-1", "B-1", "B-7"])
    found = place.check(place.file(made))
    assert codes(found) == {"outside-parent": 1, "unknown-parent": 1, "gap": 1} or codes(found) == {
        "outside-parent": 1, "unknown-parent": 1,
    }  # fmt: skip
    outside = next(f for f in found.findings if f.code == "outside-parent")
    assert outside.rows == (2,) and outside.area_m2 == pytest.approx(5 * 20, abs=1e-3)


def test_partial_stores_the_good_rows_and_keeps_the_others(place: Place) -> None:
    shapes = [square(0, 0), square(10, 0), square(100, 0), square(100, 0), square(200, 0)]
    outcome = place.load(place.file(frame(shapes)), partial=True)
    assert outcome.rows_stored == 2  # of two that overlap none, of two that are one the first
    assert list(place.rows()["key"]) == ["P-3", "P-5"]
    assert outcome.quarantine is not None
    assert outcome.inspection.rows_refused == 3


def test_repairs_only_where_asked_each_with_its_areas(place: Place) -> None:
    spiked = shapely.Polygon(
        [(EAST, NORTH), (EAST + 20, NORTH), (EAST + 20, NORTH + 20), (EAST + 10.002, NORTH + 20),
         (EAST + 10.001, NORTH + 25), (EAST + 10, NORTH + 20), (EAST, NORTH + 20)]
    )  # fmt: skip
    path = place.file(frame([spiked], area_m2=[400.0]))
    assert codes(place.check(path)) == {"spike": 1}
    found = place.check(path, mapping={"repair": ["remove_spikes"]})
    assert codes(found) == {"repaired": 1}
    (repair,) = found.repairs
    assert repair.area_before_m2 == pytest.approx(spiked.area)
    assert repair.area_after_m2 == pytest.approx(400.0, abs=1e-6)
    place.load(path, mapping={"repair": ["remove_spikes"]})
    got = place.rows(columns=["source_geom"])
    assert shapely.area(shapely.from_wkb(bytes(got["source_geom"][0]))) == pytest.approx(400.0)


def test_columns_that_do_not_fit_are_told_together(place: Place) -> None:
    path = place.file(frame(row_of(1)))
    with pytest.raises(ProblemsFound) as told:
        place.check(path, mapping={"fields": {"numbr": "number", "zone": "zoen"}})
    assert len(told.value.problems) >= 2
    with pytest.raises(UnknownName, match="plotz"):
        place.check(path, layer="plotz")


def test_progress_counts_rows_and_a_stop_keeps_nothing(place: Place) -> None:
    path = place.file(frame(row_of(5)))
    told: list[Progress] = []
    load_delivery(
        place.engine, place.settings, place.catalogue, path, place.options(), loaded_by="x",
        progress=told.append,
    )  # fmt: skip
    assert told[0].rows_done == 5 and told[0].rows_total == 5
    assert [p.step for p in told][-1] == "store"
    with pytest.raises(Stopped):
        load_delivery(
            place.engine, place.settings, place.catalogue, path, place.options(force=True),
            loaded_by="x", stop=lambda: True,
        )  # fmt: skip
    assert place.versions() == 1 and place.stray_tables() == []


def test_a_crs_option_wins_and_is_doubted_aloud(place: Place) -> None:
    path = place.file(frame(row_of(2), crs="EPSG:32639"))
    with pytest.raises(CrsProblem):
        place.check(path, mapping={"crs": "EPSG:nonsense"})
    found = place.check(path, mapping={"crs": "EPSG:4326"})
    assert found.crs == "EPSG:4326" and found.crs_how == "option"
    assert any(p.severity == "warning" and p.code.startswith("crs-") for p in found.problems)


def test_many_rows_lie_in_a_table_of_their_own(place: Place) -> None:
    side = 110
    x, y = np.meshgrid(np.arange(side) * 10.0, np.arange(side) * 10.0)
    x, y = EAST + x.ravel(), NORTH + y.ravel()
    shapes = list(shapely.box(x, y, x + 10, y + 10))
    made = frame(shapes, block_key=["B"] * len(shapes))
    outcome = place.load(place.file(made))
    assert outcome.rows_stored == side * side
    with place.engine.connect() as connection:
        relation = connection.execute(text("select relation from layer_version")).scalar_one()
    assert relation == f"plot_v{outcome.version}"
    assert len(place.rows()) == side * side
    assert place.stray_tables() == []
