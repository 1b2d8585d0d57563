"""A small country put straight into the tables, for tests of what is served.

Two regions of level 1 side by side (50–52° and 52–54° east, 30–33° north), two of level 2, roads,
wells with assumed headroom, and a run with three candidates of which one is chosen. All numbers
are round so that a test can say what it expects.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from template_database import TEMPLATE

from geoplan.store import tables
from geoplan.store.session import engine_for

RUN = "made-estates-1"
PLAN_CSV = "site_id,area_ha\ns-001,1000\n"

ROAD_FIELDS = {
    "class": {"type": "string"},
    "lanes": {"type": "integer"},
    "width_m": {"type": "number"},
    "paved": {"type": "boolean"},
    'odd "name" %s :x': {"type": "string"},
}


def shape(wkt: str) -> WKTElement:
    return WKTElement(wkt, srid=4326)


def square(west: float, south: float, east: float, north: float) -> str:
    ring = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
    return f"MULTIPOLYGON((({ring})))"


def add_layer(session: Session, layer_id: str, rows: int, **spec: Any) -> int:
    """Put a layer with one current version; return the version's id."""
    version_fields = {
        k: spec.pop(k) for k in ("basis", "method_en", "synthetic", "bbox") if k in spec
    }
    kind = spec.setdefault("kind", "vector")
    spec = {"id": layer_id, "title": {"en": layer_id.title()}, "table": "features", **spec}
    layer = session.get(tables.Layer, layer_id)
    number = 1
    if layer is None:
        layer = tables.Layer(
            id=layer_id,
            title_en=layer_id.title(),
            title_local=f"«{layer_id}»",
            theme="transport",
            kind=kind,
            spec=spec,
        )
        session.add(layer)
    else:
        number = 2
    session.flush()
    version = tables.LayerVersion(
        layer_id=layer_id,
        number=number,
        source_file=f"{layer_id}.gpkg",
        sha256=hashlib.sha256(f"{layer_id}{number}".encode()).hexdigest(),
        loaded_by="test",
        rows_read=rows,
        rows_stored=rows,
        as_of="2024",
        source="made up",
        licence="none",
        report=[],
        **version_fields,
    )
    session.add(version)
    session.flush()
    layer.current_version_id = version.id
    return version.id


def add_regions(session: Session) -> None:
    one = add_layer(
        session, "provinces", 2, geometry="polygon", table="regions", level=1,
        bbox=[50.0, 30.0, 54.0, 33.0],
    )  # fmt: skip
    two = add_layer(session, "counties", 2, geometry="polygon", table="regions", level=2)
    facts = add_layer(session, "province_facts", 1, kind="table", table="region_facts")

    def region(version: int, level: int, code: str, parent: str | None, box: Any, **more: Any):
        session.add(
            tables.Region(
                version_id=version, level=level, code=code, parent_code=parent,
                name_en=f"Region {code}", name_local=f"منطقه {code}", attrs={},
                geom=shape(square(*box)), **more,
            )
        )  # fmt: skip

    region(one, 1, "01", None, (50, 30, 52, 33), population=1_000_000, area_km2=63_000.0)
    region(one, 1, "02", None, (52, 30, 54, 33))
    region(two, 2, "01", "01", (50, 30, 51, 33))
    region(two, 2, "0102", "01", (51, 30, 52, 33))
    session.add(
        tables.RegionFact(
            version_id=facts, level=1, region_code="01", variable="plants", value=120.0,
            unit="count", as_of="1402", source="made up", confidence="high",
        )
    )  # fmt: skip


def add_roads(session: Session) -> None:
    roads = add_layer(
        session, "roads", 3, geometry="line", fields=ROAD_FIELDS,
        style={"color": "#8a5a2b", "width": 1.5, "show": True},
    )  # fmt: skip
    rows: list[tuple[str, str, dict[str, Any]]] = [
        (
            "r1",
            "LINESTRING(50.5 31, 53.5 31)",
            {
                "class": "primary",
                "lanes": 4,
                "width_m": 22.5,
                "paved": True,
                'odd "name" %s :x': "yes",
            },
        ),
        ("r2", "LINESTRING(51 30.5, 51 32.5)", {"class": "secondary", "lanes": 2}),
        ("r3", "LINESTRING(50.5 32, 51.5 32)", {"lanes": "many", "width_m": None, "paved": 1}),
    ]
    for key, wkt, attrs in rows:
        session.add(
            tables.Feature(
                version_id=roads, key=key, name_en=key.upper(), name_local="راه", attrs=attrs,
                geom=shape(wkt),
            )
        )  # fmt: skip


def add_towns(session: Session, side: int = 10) -> None:
    """Put ``side``² towns on a lattice inside the country, spaced 0.01°."""
    towns = add_layer(session, "towns", side * side, geometry="point")
    for i in range(side * side):
        place = f"POINT({51 + (i % side) / 100} {31 + (i // side) / 100})"
        session.add(tables.Feature(version_id=towns, key=f"t{i:04}", attrs={}, geom=shape(place)))


def add_wells(session: Session) -> None:
    wells = add_layer(
        session, "wells", 2, geometry="point", table="utility_nodes", basis="assumed",
        method_en="A tenth of the licensed discharge", synthetic=True,
    )  # fmt: skip
    for key, lon, headroom, basis in (
        ("w1", 51.2, 5000.0, "assumed"),
        ("w2", 52.8, None, "metered"),
    ):
        session.add(
            tables.UtilityNode(
                version_id=wells, key=key, name_en=key.upper(), resource="water", kind="well",
                headroom=headroom, unit="m3/day", basis=basis, attrs={},
                geom=shape(f"POINT({lon} 31.2)"),
            )
        )  # fmt: skip


def add_run(session: Session, folder: Path, run_id: str = RUN) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "portfolio.csv").write_text(PLAN_CSV)
    (folder / "map.html").write_text("<!doctype html><title>map</title>")
    (folder / "secret.txt").write_text("not listed")
    session.add(
        tables.Run(
            id=run_id, hash="ab12", scenario_id="made-estates", title_en="Made estates",
            title_local="شهرک‌های ساختگی", profile_id="made", status="within-gap",
            synthetic=True, assumed=True, folder=str(folder),
            document={
                "solver": {"status": "within-gap", "objective": 0.8, "bound": 0.81, "gap": 1e-4},
                "timings": [{"step": "grid", "seconds": 1.5, "peak_mb": 200}],
                "warnings": [{"en": "made up", "fa": "ساختگی"}],
                "assumptions": [{"en": "Headroom is assumed", "fa": "ظرفیت فرضی است"}],
                "criteria": [
                    {"id": "road", "title": {"en": "Road", "fa": "راه"}, "unit": "km", "weight": 1}
                ],
                "limits": {"count": 1},
                "files": {
                    "portfolio.csv": hashlib.sha256(PLAN_CSV.encode()).hexdigest(),
                    "map.html": "0" * 64,
                    "gone.csv": "1" * 64,
                    "../../outside.txt": "2" * 64,
                },
            },
        )
    )  # fmt: skip
    session.flush()
    session.add(
        tables.RunStudy(run_id=run_id, name="pareto", document={"points": [{"efficiency": 0.8}]})
    )
    detail = {
        "regions": [{"level": 1, "code": "01", "name": {"en": "Region 01", "local": "منطقه ۰۱"}}],
        "demand": [{"resource": "water", "amount": 900.0, "unit": "m3/day"}],
        "criteria": [
            {
                "id": "road", "title": {"en": "Road", "local": "راه"}, "measured": 3.0,
                "unit": "km", "value": 0.9, "weight": 1.0, "contribution": 0.9,
                "national_median": 12.0,
            }
        ],
        "reasons": [{"code": "chosen", "text": {"en": "Best score", "local": "بهترین امتیاز"}}],
        "cost": 1.5e12,
    }  # fmt: skip
    for rank, (west, chosen, more) in enumerate(
        ((51.0, True, detail), (51.5, False, detail), (52.5, False, {})), start=1
    ):
        session.add(
            tables.Candidate(
                run_id=run_id, site_id=f"s-{rank:03}", rank=rank, area_ha=1000.0,
                score=1 - rank / 10, lon=west + 0.015, lat=31.015,
                region1_code="01" if west < 52 else "02", served_alone=rank < 3,
                in_portfolio=chosen, detail=more,
                geom=shape(square(west, 31.0, west + 0.03, 31.03)),
            )
        )  # fmt: skip
    for code, index, rank in (("01", 0.75, 1), ("02", None, None)):
        session.add(
            tables.RunRegion(
                run_id=run_id, code=code, level=1, industrialisation=index, coverage=1.0,
                rank=rank, less_industrialised=None if index is None else index < 0.5,
                detail={
                    "formula": "mean of ranks",
                    "indicators": [
                        {"id": "plants", "title": {"en": "Plants"}, "value": 120, "unit": "count",
                         "normalised": 0.75, "weight": 1, "as_of": 1402, "source": "made up"}
                    ],
                },
            )
        )  # fmt: skip
    for source, kind, used in (("wells:w1", "well", 900.0), ("own:s-001", "own", 0.0)):
        session.add(
            tables.RunSource(
                run_id=run_id, source_id=source, resource="water", kind=kind, name_en=source,
                name_local=None, headroom=5000.0, used=used, unit="m3/day", basis="assumed",
                geom=shape("POINT(51.2 31.2)") if kind == "well" else None,
            )
        )  # fmt: skip
    for source, kind, amount, line in (
        ("wells:w1", "network", 800.0, shape("LINESTRING(51.2 31.2, 51.015 31.015)")),
        ("own:s-001", "plant", 100.0, None),
    ):
        session.add(
            tables.SupplyAssignment(
                run_id=run_id, site_id="s-001", resource="water", source_id=source, kind=kind,
                amount=amount, unit="m3/day", distance_km=26.0 if line else None, cost=1e9,
                basis="assumed", geom=line,
            )
        )  # fmt: skip


def fill(engine: Engine, folder: Path) -> None:
    """Put the whole country; the run's files go below ``folder``."""
    with Session(engine) as session, session.begin():
        add_regions(session)
        add_roads(session)
        add_towns(session)
        add_wells(session)
        add_layer(session, "relief", 0, kind="raster", table="raster")
        add_run(session, folder / RUN)


@contextmanager
def shared_database(template_url: str) -> Iterator[Engine]:
    """Open one clone of the migrated template for tests that only read, and drop it afterwards."""
    name = f"geoplan_test_{secrets.token_hex(6)}"
    server = create_engine(template_url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    url = make_url(template_url).set(database=name).render_as_string(hide_password=False)
    engine = engine_for(url)
    try:
        yield engine
    finally:
        engine.dispose()
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
