"""Layers and their versions, regions, estates, utilities, runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_RESOURCES = "resource in ('water', 'power', 'wastewater', 'gas')"
_BASES = "basis in ('metered', 'licensed', 'assumed')"
_SPATIAL = (
    "region", "feature", "estate", "phase", "block", "plot", "utility_node", "utility_line",
    "candidate", "run_source", "supply_assignment",
)  # fmt: skip


def upgrade() -> None:
    """Make all tables."""
    op.execute("create extension if not exists postgis")
    _layers()
    _regions()
    _cadastre()
    _utilities()
    _runs()
    for table in _SPATIAL:
        # GeoAlchemy2's operation, registered by its Alembic parts when the migrations run.
        op.create_geospatial_index(  # type: ignore[attr-defined]
            f"idx_{table}_geom", table, ["geom"], postgresql_using="gist"
        )


def downgrade() -> None:
    """Drop all tables; PostGIS stays, others may use it."""
    op.drop_constraint("fk_layer_current_version_id_layer_version", "layer", type_="foreignkey")
    for table in (
        "supply_assignment", "run_source", "candidate", "run_region", "run", "utility_line",
        "utility_node", "plot", "block", "phase", "estate", "region_fact", "region",
        "raster_asset", "feature", "layer_version", "layer",
    ):  # fmt: skip
        op.drop_table(table)


def _layers() -> None:
    op.create_table(
        "layer",
        _text("id", False),
        _text("title_en", False),
        _text("title_local"),
        _text("theme", False),
        _text("kind", False),
        sa.Column("spec", JSONB(), nullable=False),
        sa.Column("current_version_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_layer"),
    )
    op.create_table(
        "layer_version",
        _id(),
        _text("layer_id", False),
        _integer("number", False),
        _text("pack_id"),
        _text("profile_id"),
        _text("source_file", False),
        _text("sha256", False),
        _now("loaded_at"),
        _text("loaded_by", False),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_stored", sa.BigInteger(), nullable=False),
        sa.Column("rows_refused", sa.BigInteger(), nullable=False),
        _text("source_crs"),
        sa.Column("bbox", sa.ARRAY(sa.Float(53))),
        _text("as_of"),
        _text("source", False),
        _text("licence", False),
        _text("confidence", False),
        _text("basis"),
        _text("method_en"),
        _text("method_local"),
        _boolean("synthetic", False),
        sa.Column("report", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_layer_version"),
        sa.UniqueConstraint("layer_id", "number", name="uq_layer_version_layer_id_number"),
        sa.ForeignKeyConstraint(
            ["layer_id"],
            ["layer.id"],
            name="fk_layer_version_layer_id_layer",
            ondelete="CASCADE",
        ),
    )
    # The two tables point at each other, so one of the keys can only come afterwards.
    op.create_foreign_key(
        "fk_layer_current_version_id_layer_version",
        "layer",
        "layer_version",
        ["current_version_id"],
        ["id"],
        ondelete="SET NULL",
    )
    _versioned(
        "feature", _text("key", False), _text("name_en"), _text("name_local"), _attrs(), _geom()
    )
    op.create_table(
        "raster_asset",
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        _text("path", False),
        _text("sha256", False),
        _text("crs", False),
        _integer("width", False),
        _integer("height", False),
        sa.Column("transform", sa.ARRAY(sa.Float(53)), nullable=False),
        _text("dtype", False),
        _number("nodata"),
        _text("unit"),
        sa.Column("stats", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", name="pk_raster_asset"),
        _to_version("raster_asset"),
    )


def _regions() -> None:
    _versioned(
        "region",
        _integer("level", False),
        _text("code", False),
        _text("parent_code"),
        _text("name_en"),
        _text("name_local"),
        sa.Column("population", sa.BigInteger()),
        _number("area_km2"),
        _attrs(),
        _geom("MULTIPOLYGON"),
        sa.CheckConstraint("level between 1 and 3", name=op.f("ck_region_level")),
        sa.UniqueConstraint("version_id", "code", name="uq_region_version_id_code"),
    )
    _versioned(
        "region_fact",
        _integer("level", False),
        _text("region_code", False),
        _text("variable", False),
        _number("value"),
        _text("text_value"),
        _text("unit", False),
        _text("as_of"),
        _text("source", False),
        _text("confidence", False),
    )
    op.create_index("ix_region_fact_lookup", "region_fact", ["level", "variable", "region_code"])


def _cadastre() -> None:
    _versioned(
        "estate",
        _text("key", False),
        _text("name_en"),
        _text("name_local"),
        _text("kind"),
        _text("ownership"),
        _text("status"),
        _text("region_code"),
        _number("gross_ha"),
        sa.Column("approved_on", sa.Date()),
        _attrs(),
        _geom(),
        *_surveyed(),
        _one_key("estate"),
    )
    _versioned(
        "phase",
        _text("key", False),
        _text("estate_key", False),
        _text("number", False),
        _number("gross_ha"),
        _number("industrial_ha"),
        sa.Column("opened_on", sa.Date()),
        _attrs(),
        _geom("MULTIPOLYGON"),
        *_surveyed(),
        _one_key("phase"),
    )
    _versioned(
        "block",
        _text("key", False),
        _text("phase_key", False),
        _text("number", False),
        _attrs(),
        _geom("MULTIPOLYGON"),
        *_surveyed(),
        _one_key("block"),
    )
    _versioned(
        "plot",
        _text("key", False),
        _text("block_key", False),
        _text("number", False),
        _number("area_m2"),
        _number("frontage_m"),
        _number("depth_m"),
        _text("zone"),
        _text("status"),
        _attrs(),
        _geom("MULTIPOLYGON"),
        *_surveyed(),
        _one_key("plot"),
    )


def _utilities() -> None:
    _versioned(
        "utility_node",
        _text("key", False),
        _text("name_en"),
        _text("name_local"),
        _text("resource", False),
        _text("kind", False),
        _number("capacity"),
        _number("committed"),
        _number("headroom"),
        _text("unit", False),
        _text("basis", False),
        _text("method_en"),
        _text("method_local"),
        _text("as_of"),
        _attrs(),
        _geom("POINT", nullable=False),
        sa.CheckConstraint(_RESOURCES, name=op.f("ck_utility_node_resource")),
        sa.CheckConstraint(_BASES, name=op.f("ck_utility_node_basis")),
        sa.CheckConstraint(
            "headroom is null or headroom >= 0", name=op.f("ck_utility_node_headroom")
        ),
        _one_key("utility_node"),
    )
    _versioned(
        "utility_line",
        _text("key", False),
        _text("name_en"),
        _text("name_local"),
        _text("resource", False),
        _text("kind", False),
        _number("voltage_kv"),
        _number("capacity"),
        _number("committed"),
        _number("headroom"),
        _text("unit"),
        _text("basis"),
        _attrs(),
        _geom("MULTILINESTRING"),
        sa.CheckConstraint(_RESOURCES, name=op.f("ck_utility_line_resource")),
        sa.CheckConstraint(_BASES, name=op.f("ck_utility_line_basis")),
        _one_key("utility_line"),
    )


def _runs() -> None:
    op.create_table(
        "run",
        _text("id", False),
        _text("hash", False),
        _text("scenario_id", False),
        _text("title_en", False),
        _text("title_local"),
        _text("profile_id", False),
        _text("status", False),
        _now("created_at"),
        _boolean("synthetic", False),
        _boolean("assumed", False),
        _text("folder", False),
        sa.Column("document", JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
    )
    op.create_index("ix_run_hash", "run", ["hash"])
    op.create_index("ix_run_scenario_id", "run", ["scenario_id"])
    _of_run(
        "run_region",
        ("level", "code"),
        _integer("level", False),
        _text("code", False),
        _number("industrialisation"),
        _number("coverage"),
        _integer("rank"),
        _boolean("less_industrialised"),
        sa.Column("detail", JSONB(), nullable=False),
    )
    _of_run(
        "candidate",
        ("site_id",),
        _text("site_id", False),
        _integer("rank", False),
        _number("area_ha", False),
        _number("score", False),
        _number("lon", False),
        _number("lat", False),
        _text("region1_code"),
        _text("region2_code"),
        _text("region3_code"),
        _boolean("served_alone", False),
        _boolean("in_portfolio", False),
        sa.Column("detail", JSONB(), nullable=False),
        _geom("MULTIPOLYGON", nullable=False),
    )
    _of_run(
        "run_source",
        ("source_id",),
        _text("source_id", False),
        _text("resource", False),
        _text("kind", False),
        _text("name_en"),
        _text("name_local"),
        _number("headroom", False),
        _number("used", False),
        _text("unit", False),
        _text("basis", False),
        _geom("POINT"),
    )
    _of_run(
        "supply_assignment",
        ("site_id", "resource", "source_id"),
        _text("site_id", False),
        _text("resource", False),
        _text("source_id", False),
        _text("kind", False),
        _number("amount", False),
        _text("unit", False),
        _number("distance_km"),
        _number("cost", False),
        _text("basis", False),
        _geom("LINESTRING"),
    )


def _versioned(table: str, *parts: Any) -> None:
    op.create_table(
        table,
        _id(),
        sa.Column("version_id", sa.BigInteger(), nullable=False),
        *parts,
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        _to_version(table),
    )
    op.create_index(f"ix_{table}_version_id", table, ["version_id"])


def _of_run(table: str, key: tuple[str, ...], *parts: Any) -> None:
    op.create_table(
        table,
        _text("run_id", False),
        *parts,
        sa.PrimaryKeyConstraint("run_id", *key, name=f"pk_{table}"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["run.id"], name=f"fk_{table}_run_id_run", ondelete="CASCADE"
        ),
    )


def _to_version(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["version_id"],
        ["layer_version.id"],
        name=f"fk_{table}_version_id_layer_version",
        ondelete="CASCADE",
    )


def _one_key(table: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint("version_id", "key", name=f"uq_{table}_version_id_key")


def _id() -> sa.Column[Any]:
    return sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False)


def _text(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _number(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Float(53), nullable=nullable)


def _integer(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _boolean(name: str, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=nullable)


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _attrs() -> sa.Column[Any]:
    return sa.Column("attrs", JSONB(), nullable=False)


def _geom(kind: str = "GEOMETRY", *, nullable: bool = True) -> sa.Column[Any]:
    # The index is made by itself below; GeoAlchemy2 would otherwise make it a second time.
    return sa.Column("geom", Geometry(kind, srid=4326, spatial_index=False), nullable=nullable)


def _surveyed() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return sa.Column("source_geom", sa.LargeBinary()), _integer("source_srid")
