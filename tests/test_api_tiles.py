"""Vector tiles: where features lie, what they carry, what is said when not all fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import made_country
import pyogrio
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from api.app import create_app
from api.limits import Limits
from api.routes.tiles import MVT_TYPE
from geoplan.catalogue import Catalogue
from geoplan.errors import RangeError, Unavailable
from geoplan.settings import Settings
from geoplan.store.serve.address import TileAddress
from geoplan.store.serve.database import Database

SMALL = Limits(tile_features=30, fresh_seconds=0)


def client_of(engine: Engine, folder: Path) -> TestClient:
    made_country.fill(engine, folder)
    app = create_app(Settings(home=folder), engine=engine, catalogue=Catalogue(()), limits=SMALL)
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def shared(template_url: str) -> Iterator[Engine]:
    with made_country.shared_database(template_url) as engine:
        yield engine


@pytest.fixture(scope="module")
def client(shared: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client on a country that no test changes."""
    with client_of(shared, tmp_path_factory.mktemp("country")) as made:
        yield made


@pytest.fixture
def own(database: Engine, tmp_path: Path) -> Iterator[TestClient]:
    """A client on a country of its own, for a test that changes it."""
    with client_of(database, tmp_path) as made:
        yield made


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Address of the tile that holds a place: the published slippy-map formula."""
    n = 1 << z
    x = int((lon + 180) / 360 * n)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n)
    return z, x, y


def read(body: bytes, address: tuple[int, int, int], folder: Path) -> dict[str, gpd.GeoDataFrame]:
    """Decode a tile with GDAL, which takes the tile's place from the path z/x/y.mvt."""
    z, x, y = address
    file = folder / "tile" / str(z) / str(x) / f"{y}.mvt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    names = [str(name) for name, _ in pyogrio.list_layers(file)]
    return {
        name: pyogrio.read_dataframe(file, layer=name, fid_as_index=True, CLIP="NO").to_crs(4326)
        for name in names
    }


def fetch(client: TestClient, path: str, address: tuple[int, int, int], **more: Any) -> Any:
    z, x, y = address
    return client.get(f"{path}/{z}/{x}/{y}.mvt", **more)


class TestAddress:
    def test_box_of_a_known_tile(self) -> None:
        # Zoom 1, north-west quarter: 180° W to 0°, equator to the edge of Web Mercator.
        west, south, east, north = TileAddress(1, 0, 0).box()
        assert (west, east) == (-180, 0)
        assert south == pytest.approx(0, abs=1e-12)
        assert north == pytest.approx(85.0511287798)

    @given(st.data(), st.integers(0, 22))
    def test_a_tile_holds_its_own_centre(self, data: st.DataObject, z: int) -> None:
        x = data.draw(st.integers(0, (1 << z) - 1))
        y = data.draw(st.integers(0, (1 << z) - 1))
        west, south, east, north = TileAddress.checked(z, x, y).box()
        assert -180 <= west < east <= 180
        assert -85.06 < south < north < 85.06
        assert tile_at((west + east) / 2, (south + north) / 2, z) == (z, x, y)

    @given(st.integers(0, 12), st.data())
    def test_a_margin_only_adds_and_never_wraps(self, z: int, data: st.DataObject) -> None:
        x, y = (data.draw(st.integers(0, (1 << z) - 1)) for _ in "xy")
        inner, outer = TileAddress(z, x, y).box(), TileAddress(z, x, y).box(64)
        assert outer[0] <= inner[0] and outer[1] <= inner[1]
        assert outer[2] >= inner[2] and outer[3] >= inner[3]
        assert outer[0] >= -180 and outer[2] <= 180

    @pytest.mark.parametrize("address", [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, 8), (3, 0, -1)])
    def test_no_such_tile(self, address: tuple[int, int, int]) -> None:
        with pytest.raises(RangeError):
            TileAddress.checked(*address)


class TestLayerTile:
    def test_geometry_lies_where_it_should(self, client: TestClient, tmp_path: Path) -> None:
        address = tile_at(51.2, 31.2, 8)
        answer = fetch(client, "/tiles/layers/wells", address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == MVT_TYPE
        wells = read(answer.content, address, tmp_path)["layer"].set_index("key")
        # One tile unit at zoom 8 is 360/256/4096 = 0.00034°.
        place = wells.geometry["w1"]
        assert place.x == pytest.approx(51.2, abs=0.0004)
        assert place.y == pytest.approx(31.2, abs=0.0004)

    def test_catalogue_fields_are_typed(self, client: TestClient, tmp_path: Path) -> None:
        address = tile_at(51, 31.5, 4)
        body = fetch(client, "/tiles/layers/roads", address).content
        roads = read(body, address, tmp_path)["layer"].set_index("key")
        first = roads.loc["r1"]
        assert (first["name_en"], first["name_local"], first["class"]) == ("R1", "راه", "primary")
        assert first["lanes"] == 4 and first["width_m"] == 22.5 and bool(first["paved"]) is True
        assert first['odd "name" %s :x'] == "yes"
        # 'many' lanes and paved = 1 are not what the catalogue says: no value, and no failed tile.
        assert roads.loc["r3", ["lanes", "width_m", "paved"]].isna().all()
        assert roads["lanes"].dtype.kind in "if"

    def test_utility_nodes_say_what_is_assumed(self, client: TestClient, tmp_path: Path) -> None:
        address = tile_at(52, 31.2, 4)
        body = fetch(client, "/tiles/layers/wells", address).content
        wells = read(body, address, tmp_path)["layer"].set_index("key")
        assert wells.loc["w1", ["resource", "kind", "unit", "basis"]].tolist() == [
            "water", "well", "m3/day", "assumed",
        ]  # fmt: skip
        assert wells["assumed"].astype(bool).to_dict() == {"w1": True, "w2": False}
        assert wells.loc["w1", "headroom"] == 5000.0
        assert math.isnan(wells.loc["w2", "headroom"])  # missing is absent, not zero

    def test_a_clipped_line_ends_just_beyond_its_tile(
        self, client: TestClient, tmp_path: Path
    ) -> None:
        address = tile_at(51.9, 31.0, 9)
        body = fetch(client, "/tiles/layers/roads", address).content
        line = read(body, address, tmp_path)["layer"].set_index("key").geometry["r1"]
        west, _, east, _ = TileAddress(*address).box(65)
        assert west <= line.bounds[0] and line.bounds[2] <= east
        inner = TileAddress(*address).box(60)
        assert line.bounds[0] <= inner[0] and inner[2] <= line.bounds[2]

    def test_whole_world_and_poles(self, own: TestClient, database: Engine, tmp_path: Path) -> None:
        with Session(database) as session, session.begin():
            version = made_country.add_layer(session, "world", 2, geometry="polygon")
            for key, box in (("all", (-180, -90, 180, 90)), ("cap", (-180, 84, 180, 90))):
                session.add(
                    made_country.tables.Feature(
                        version_id=version, key=key, attrs={},
                        geom=made_country.shape(made_country.square(*box)),
                    )
                )  # fmt: skip
        answer = fetch(own, "/tiles/layers/world", (0, 0, 0))
        assert answer.status_code == 200
        world = read(answer.content, (0, 0, 0), tmp_path)["layer"].set_index("key")
        assert world.geometry["all"].bounds == pytest.approx((-180, -85.05, 180, 85.05), abs=0.2)
        assert fetch(own, "/tiles/layers/world", (3, 7, 0)).status_code == 200

    def test_nothing_there_is_204(self, client: TestClient) -> None:
        answer = fetch(client, "/tiles/layers/roads", (10, 0, 0))
        assert (answer.status_code, answer.content) == (204, b"")
        assert "etag" in answer.headers

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/tiles/layers/roads/3/8/0.mvt", 400),
            ("/tiles/layers/roads/99/0/0.mvt", 400),
            ("/tiles/layers/roads/-1/0/0.mvt", 400),
            ("/tiles/layers/roads/a/0/0.mvt", 400),
            ("/tiles/layers/nowhere/0/0/0.mvt", 404),
            ("/tiles/layers/relief/0/0/0.mvt", 404),
            ("/tiles/layers/province_facts/0/0/0.mvt", 404),
            ("/tiles/layers/roads'; drop table layer;--/0/0/0.mvt", 404),
            ("/tiles/layers/%00/0/0/0.mvt", 400),
            ("/tiles/regions/4/0/0/0.mvt", 400),
            ("/tiles/regions/3/0/0/0.mvt", 404),
            ("/tiles/regions/1/0/0/0.mvt?run=nowhere", 404),
            ("/tiles/runs/nowhere/candidates/0/0/0.mvt", 404),
        ],
    )
    def test_bad_addresses(self, client: TestClient, path: str, status: int) -> None:
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status and problem["detail"] and problem["remedy"]


class TestTruncation:
    def test_a_tile_that_is_not_all_says_so(self, client: TestClient, tmp_path: Path) -> None:
        address = tile_at(51, 31, 6)
        answer = fetch(client, "/tiles/layers/towns", address)
        assert answer.headers["x-geoplan-truncated"] == "shown=30; matched=100"
        layers = read(answer.content, address, tmp_path)
        assert len(layers["layer"]) == 30
        meta = layers["meta"].iloc[0]
        assert bool(meta["truncated"]) is True
        assert (meta["shown"], meta["matched"]) == (30, 100)

    def test_a_tile_that_is_all_does_not(self, client: TestClient, tmp_path: Path) -> None:
        address = tile_at(51.2, 31.2, 6)
        answer = fetch(client, "/tiles/layers/wells", address)
        assert "x-geoplan-truncated" not in answer.headers
        assert set(read(answer.content, address, tmp_path)) == {"layer"}


class TestRegionTile:
    def test_index_is_absent_where_it_is_unknown(self, client: TestClient, tmp_path: Path) -> None:
        address = tile_at(52, 31.5, 4)
        body = fetch(client, "/tiles/regions/1", address).content
        regions = read(body, address, tmp_path)["layer"].set_index("code")
        assert regions.loc["01", "industrialisation"] == 0.75
        assert bool(regions.loc["01", "less_industrialised"]) is False
        assert regions.loc["01", "rank"] == 1 and regions.loc["01", "level"] == 1
        assert regions.loc["01", "name_local"] == "منطقه 01"
        assert math.isnan(regions.loc["02", "industrialisation"])
        assert regions.geometry["01"].bounds == pytest.approx((50, 30, 52, 33), abs=0.02)

    def test_given_run(self, client: TestClient) -> None:
        z, x, y = tile_at(52, 31.5, 4)
        latest = client.get(f"/tiles/regions/1/{z}/{x}/{y}.mvt")
        given_run = client.get(f"/tiles/regions/1/{z}/{x}/{y}.mvt?run={made_country.RUN}")
        assert latest.content == given_run.content


class TestCandidateTile:
    def test_properties(self, client: TestClient, tmp_path: Path) -> None:
        address = tile_at(51.0, 31.0, 6)
        body = fetch(client, f"/tiles/runs/{made_country.RUN}/candidates", address).content
        sites = read(body, address, tmp_path)["layer"].set_index("site_id")
        assert sites.loc["s-001", "score"] == 0.9
        assert sites.loc["s-001", "area_ha"] == 1000.0
        assert sites["rank"].to_dict()["s-002"] == 2
        assert sites["in_portfolio"].astype(bool).to_dict()["s-001"] is True
        assert sites["in_portfolio"].astype(bool).to_dict()["s-002"] is False
        assert bool(sites.loc["s-002", "served_alone"]) is True


class TestCaching:
    def test_304_asks_no_geometry(self, client: TestClient, shared: Engine) -> None:
        address = tile_at(51, 31, 6)
        first = fetch(client, "/tiles/layers/roads", address)
        said: list[str] = []
        event.listen(shared, "before_cursor_execute", lambda *a: said.append(a[2]))
        again = fetch(
            client, "/tiles/layers/roads", address, headers={"If-None-Match": first.headers["etag"]}
        )
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert not [s for s in said if "ST_AsMVT" in s]

    def test_a_new_load_changes_the_tile_and_its_etag(
        self, own: TestClient, database: Engine
    ) -> None:
        address = tile_at(51, 31, 6)
        before = fetch(own, "/tiles/layers/towns", address)
        with Session(database) as session, session.begin():
            made_country.add_towns(session, side=3)
        after = fetch(
            own,
            "/tiles/layers/towns",
            address,
            headers={"If-None-Match": before.headers["etag"]},
        )
        assert after.status_code == 200
        assert after.headers["etag"] != before.headers["etag"]
        assert "x-geoplan-truncated" not in after.headers

    def test_a_versioned_address_may_be_kept_for_good(self, client: TestClient) -> None:
        template = client.get("/api/layers/roads").json()["tiles"]
        z, x, y = tile_at(51, 31, 6)
        url = template.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
        assert "immutable" in client.get(url).headers["cache-control"]
        assert "no-cache" in client.get(url.split("?")[0]).headers["cache-control"]
        assert "no-cache" in client.get(url.split("?")[0] + "?v=old").headers["cache-control"]

    def test_regions_and_candidates_have_versioned_addresses(self, client: TestClient) -> None:
        run = client.get(f"/api/runs/{made_country.RUN}").json()
        latest = client.get("/api/info").json()["region_tiles"]
        assert set(run["region_tiles"]) == set(latest) >= {"1"}
        z, x, y = tile_at(51, 31.5, 6)
        for template in (run["tiles"], *run["region_tiles"].values(), *latest.values()):
            url = template.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
            answer = client.get(url)
            assert answer.status_code == 200
            assert "immutable" in answer.headers["cache-control"], url

    def test_packed_only_for_who_takes_it(self, client: TestClient) -> None:
        address = tile_at(51, 31, 6)
        plain = fetch(
            client, "/tiles/layers/towns", address, headers={"Accept-Encoding": "identity"}
        )
        packed = fetch(client, "/tiles/layers/towns", address, headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in plain.headers
        assert plain.content == packed.content  # the client unpacks
        if len(plain.content) >= 1_400:
            assert packed.headers["content-encoding"] == "gzip"

    def test_a_slow_tile_is_stopped_and_says_so(self, shared: Engine) -> None:
        database = Database(Settings(home=Path()), shared)
        with pytest.raises(Unavailable, match=r"0\.05 s"):
            database.one("SELECT pg_sleep(%(s)s)", {"s": 2}, seconds=0.05)
        with pytest.raises(Exception, match="read-only transaction"):
            database.one("DELETE FROM feature RETURNING id", {})
        # The limits ended with their statement: the connection goes back as it came.
        with shared.connect() as connection:
            assert connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "off"
            assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "10min"

    def test_the_box_uses_the_index(self, client: TestClient, shared: Engine) -> None:
        said: list[tuple[str, Any]] = []
        event.listen(shared, "before_cursor_execute", lambda *a: said.append((a[2], a[3])))
        fetch(client, "/tiles/layers/towns", tile_at(51, 31, 14))
        query, values = next((q, v) for q, v in said if "ST_AsMVT" in q)
        with shared.connect() as connection:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = (
                connection.exec_driver_sql(f"EXPLAIN {query[query.index('WITH hit') :]}", values)
                .scalars()
                .all()
            )
        assert any("idx_feature_geom" in line for line in plan), "\n".join(plan)
