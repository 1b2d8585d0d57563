"""Tables of the database. The only place that says what a column is called.

Geometry is EPSG:4326; cadastral rows keep the source geometry and its SRID beside it. Every row
of a layer belongs to one accepted load (``layer_version``); what is current is
``layer.current_version_id``. Missing is NULL.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    DDL,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    event,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

__all__ = [
    "AccessToken",
    "Base",
    "Block",
    "Candidate",
    "Estate",
    "Feature",
    "Layer",
    "LayerEvent",
    "LayerVersion",
    "LoadJob",
    "Phase",
    "Plot",
    "PlotLineage",
    "QuarantineLoad",
    "QuarantineRow",
    "RasterAsset",
    "Region",
    "RegionFact",
    "RegionStudy",
    "RegionValue",
    "Run",
    "RunRegion",
    "RunSource",
    "RunStudy",
    "SupplyAssignment",
    "Upload",
    "UtilityLine",
    "UtilityNode",
]

SRID = 4326


class Base(DeclarativeBase):
    """Base of all tables, with stable constraint names for migrations."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        str: Text,
        int: BigInteger,
        float: Float(53),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def _geom(kind: str, *, nullable: bool = True) -> Any:
    # spatial_index=True: GeoAlchemy2 makes the GiST index; migrations use its alembic helpers so
    # that it is not made twice.
    return mapped_column(Geometry(kind, srid=SRID, spatial_index=True), nullable=nullable)


def _version() -> Any:
    return mapped_column(
        BigInteger, ForeignKey("layer_version.id", ondelete="CASCADE"), nullable=False, index=True
    )


def _id() -> Any:
    return mapped_column(BigInteger, primary_key=True, autoincrement=True)


class Layer(Base):
    """A catalogued layer as of its last load."""

    __tablename__ = "layer"
    id: Mapped[str] = mapped_column(primary_key=True)
    title_en: Mapped[str]
    title_local: Mapped[str | None]
    theme: Mapped[str]
    kind: Mapped[str]
    spec: Mapped[dict[str, Any]]
    current_version_id: Mapped[int | None] = mapped_column(
        ForeignKey("layer_version.id", use_alter=True, ondelete="SET NULL")
    )


class LayerVersion(Base):
    """One accepted load of a layer."""

    __tablename__ = "layer_version"
    __table_args__ = (UniqueConstraint("layer_id", "number"),)
    id: Mapped[int] = _id()
    layer_id: Mapped[str] = mapped_column(ForeignKey("layer.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(Integer)
    pack_id: Mapped[str | None]
    profile_id: Mapped[str | None]
    source_file: Mapped[str]
    sha256: Mapped[str]
    loaded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    loaded_by: Mapped[str]
    rows_read: Mapped[int]
    rows_stored: Mapped[int]
    rows_refused: Mapped[int] = mapped_column(default=0)
    source_crs: Mapped[str | None]
    bbox: Mapped[list[float] | None] = mapped_column(ARRAY(Float(53)))
    as_of: Mapped[str | None]
    source: Mapped[str] = mapped_column(default="")
    licence: Mapped[str] = mapped_column(default="")
    confidence: Mapped[str] = mapped_column(default="")
    basis: Mapped[str | None]
    method_en: Mapped[str | None]
    method_local: Mapped[str | None]
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False)
    report: Mapped[list[Any]]
    mode: Mapped[str | None]
    relation: Mapped[str | None]


# A version's own table goes with the version, whoever deletes it: no table is left over.
_DROP_RELATION = """
create function drop_version_relation() returns trigger language plpgsql as $$
begin
    execute format('drop table if exists %I', old.relation);
    return null;
end $$
"""
_DROP_RELATION_TRIGGER = """
create trigger drop_version_relation after delete on layer_version for each row
when (old.relation is not null) execute function drop_version_relation()
"""
for _statement in (_DROP_RELATION, _DROP_RELATION_TRIGGER):
    _ddl = DDL(_statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
    event.listen(LayerVersion.__table__, "after_create", _ddl)


class LayerEvent(Base):
    """What became of a layer: the record of which version was current when.

    It refers to nothing, so that it outlives the versions and the layer that it tells of.
    """

    __tablename__ = "layer_event"
    __table_args__ = (CheckConstraint("action in ('load', 'rollback', 'delete')", name="action"),)
    id: Mapped[int] = _id()
    layer_id: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    who: Mapped[str]
    action: Mapped[str]
    from_number: Mapped[int | None] = mapped_column(Integer)
    to_number: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str] = mapped_column(default="")


class Feature(Base):
    """A row of a layer that has no table of its own."""

    __tablename__ = "feature"
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    key: Mapped[str]
    name_en: Mapped[str | None]
    name_local: Mapped[str | None]
    search: Mapped[str | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = _geom("GEOMETRY")


class RasterAsset(Base):
    """A Cloud-Optimised GeoTIFF beside the database."""

    __tablename__ = "raster_asset"
    version_id: Mapped[int] = mapped_column(
        ForeignKey("layer_version.id", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str]
    sha256: Mapped[str]
    crs: Mapped[str]
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    transform: Mapped[list[float]] = mapped_column(ARRAY(Float(53)))
    dtype: Mapped[str]
    nodata: Mapped[float | None]
    unit: Mapped[str | None]
    stats: Mapped[dict[str, Any]]


class Region(Base):
    """An administrative region; level 1 is the coarsest."""

    __tablename__ = "region"
    __table_args__ = (
        UniqueConstraint("version_id", "code"),
        CheckConstraint("level between 1 and 3", name="level"),
    )
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    level: Mapped[int] = mapped_column(Integer)
    code: Mapped[str]
    parent_code: Mapped[str | None]
    name_en: Mapped[str | None]
    name_local: Mapped[str | None]
    population: Mapped[int | None]
    area_km2: Mapped[float | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = _geom("MULTIPOLYGON")


class RegionFact(Base):
    """One figure about one region, with date, source and confidence."""

    __tablename__ = "region_fact"
    __table_args__ = (Index("ix_region_fact_lookup", "level", "variable", "region_code"),)
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    level: Mapped[int] = mapped_column(Integer)
    region_code: Mapped[str]
    variable: Mapped[str]
    value: Mapped[float | None]
    text_value: Mapped[str | None]
    unit: Mapped[str]
    as_of: Mapped[str | None]
    source: Mapped[str] = mapped_column(default="")
    confidence: Mapped[str] = mapped_column(default="")


class Estate(Base):
    """An industrial estate or zone (LADM: LA_SpatialUnit, level estate)."""

    __tablename__ = "estate"
    __table_args__ = (UniqueConstraint("version_id", "key"),)
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    key: Mapped[str]
    name_en: Mapped[str | None]
    name_local: Mapped[str | None]
    kind: Mapped[str | None]
    ownership: Mapped[str | None]
    status: Mapped[str | None]
    region_code: Mapped[str | None]
    gross_ha: Mapped[float | None]
    approved_on: Mapped[date | None]
    search: Mapped[str | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = _geom("GEOMETRY")
    source_geom: Mapped[bytes | None]
    source_srid: Mapped[int | None] = mapped_column(Integer)


class Phase(Base):
    """A phase of an estate."""

    __tablename__ = "phase"
    __table_args__ = (UniqueConstraint("version_id", "key"),)
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    key: Mapped[str]
    estate_key: Mapped[str]
    number: Mapped[str]
    gross_ha: Mapped[float | None]
    industrial_ha: Mapped[float | None]
    opened_on: Mapped[date | None]
    search: Mapped[str | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = _geom("MULTIPOLYGON")
    source_geom: Mapped[bytes | None]
    source_srid: Mapped[int | None] = mapped_column(Integer)


class Block(Base):
    """A block of plots."""

    __tablename__ = "block"
    __table_args__ = (UniqueConstraint("version_id", "key"),)
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    key: Mapped[str]
    phase_key: Mapped[str]
    number: Mapped[str]
    search: Mapped[str | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = _geom("MULTIPOLYGON")
    source_geom: Mapped[bytes | None]
    source_srid: Mapped[int | None] = mapped_column(Integer)


class Plot(Base):
    """A plot (LADM: LA_SpatialUnit, level plot)."""

    __tablename__ = "plot"
    __table_args__ = (UniqueConstraint("version_id", "key"),)
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    key: Mapped[str]
    block_key: Mapped[str]
    number: Mapped[str]
    area_m2: Mapped[float | None]
    frontage_m: Mapped[float | None]
    depth_m: Mapped[float | None]
    zone: Mapped[str | None]
    status: Mapped[str | None]
    search: Mapped[str | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = _geom("MULTIPOLYGON")
    source_geom: Mapped[bytes | None]
    source_srid: Mapped[int | None] = mapped_column(Integer)


class PlotLineage(Base):
    """One old row and one new row that share ground: a line of a split, a merge or a redivision."""

    __tablename__ = "plot_lineage"
    __table_args__ = (
        CheckConstraint("kind in ('split', 'merge', 'redivision', 'renumbering')", name="kind"),
        Index("ix_plot_lineage_old", "layer_id", "old_key"),
        Index("ix_plot_lineage_new", "layer_id", "new_key"),
    )
    id: Mapped[int] = _id()
    layer_id: Mapped[str] = mapped_column(ForeignKey("layer.id", ondelete="CASCADE"))
    from_number: Mapped[int] = mapped_column(Integer)
    to_number: Mapped[int] = mapped_column(Integer)
    part: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    old_key: Mapped[str]
    new_key: Mapped[str]
    old_m2: Mapped[float]
    new_m2: Mapped[float]
    shared_m2: Mapped[float]


class QuarantineLoad(Base):
    """A load that refused rows and was kept all the same."""

    __tablename__ = "quarantine_load"
    id: Mapped[str] = mapped_column(primary_key=True)
    layer_id: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    who: Mapped[str]
    source_file: Mapped[str]
    source_format: Mapped[str]
    source_crs: Mapped[str | None]
    source_schema: Mapped[bytes]
    rows: Mapped[int]


class QuarantineRow(Base):
    """A row that a load refused, as the source had it."""

    __tablename__ = "quarantine_row"
    load_id: Mapped[str] = mapped_column(
        ForeignKey("quarantine_load.id", ondelete="CASCADE"), primary_key=True
    )
    row_number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str | None]
    reasons: Mapped[list[Any]]
    attrs: Mapped[dict[str, Any]]
    source_geom: Mapped[bytes | None]


class UtilityNode(Base):
    """A place that supplies water or power or takes wastewater."""

    __tablename__ = "utility_node"
    __table_args__ = (
        UniqueConstraint("version_id", "key"),
        CheckConstraint("resource in ('water', 'power', 'wastewater', 'gas')", name="resource"),
        CheckConstraint("basis in ('metered', 'licensed', 'assumed')", name="basis"),
        CheckConstraint("headroom is null or headroom >= 0", name="headroom"),
    )
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    key: Mapped[str]
    name_en: Mapped[str | None]
    name_local: Mapped[str | None]
    resource: Mapped[str]
    kind: Mapped[str]
    capacity: Mapped[float | None]
    committed: Mapped[float | None]
    headroom: Mapped[float | None]
    unit: Mapped[str]
    basis: Mapped[str]
    method_en: Mapped[str | None]
    method_local: Mapped[str | None]
    as_of: Mapped[str | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement] = _geom("POINT", nullable=False)


class UtilityLine(Base):
    """A line of a utility network."""

    __tablename__ = "utility_line"
    __table_args__ = (
        UniqueConstraint("version_id", "key"),
        CheckConstraint("resource in ('water', 'power', 'wastewater', 'gas')", name="resource"),
        CheckConstraint("basis in ('metered', 'licensed', 'assumed')", name="basis"),
    )
    id: Mapped[int] = _id()
    version_id: Mapped[int] = _version()
    key: Mapped[str]
    name_en: Mapped[str | None]
    name_local: Mapped[str | None]
    resource: Mapped[str]
    kind: Mapped[str]
    voltage_kv: Mapped[float | None]
    capacity: Mapped[float | None]
    committed: Mapped[float | None]
    headroom: Mapped[float | None]
    unit: Mapped[str | None]
    basis: Mapped[str | None]
    attrs: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement | None] = _geom("MULTILINESTRING")


class Run(Base):
    """A scenario executed on layer versions. Written once, never changed."""

    __tablename__ = "run"
    id: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(index=True)
    scenario_id: Mapped[str] = mapped_column(index=True)
    title_en: Mapped[str]
    title_local: Mapped[str | None]
    profile_id: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    synthetic: Mapped[bool] = mapped_column(Boolean, default=False)
    assumed: Mapped[bool] = mapped_column(Boolean, default=False)
    folder: Mapped[str]
    document: Mapped[dict[str, Any]]


class RunRegion(Base):
    """Industrialisation of a region as a run saw it."""

    __tablename__ = "run_region"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    level: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    industrialisation: Mapped[float | None]
    coverage: Mapped[float | None]
    rank: Mapped[int | None] = mapped_column(Integer)
    less_industrialised: Mapped[bool | None] = mapped_column(Boolean)
    detail: Mapped[dict[str, Any]]


class RunStudy(Base):
    """What a run's study found, as the pages show it: the front, rank acceptability."""

    __tablename__ = "run_study"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]


class RegionStudy(Base):
    """A measure of regions as it was computed. Written once, never changed."""

    __tablename__ = "region_study"
    __table_args__ = (CheckConstraint("level between 1 and 3", name="level"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    spec_id: Mapped[str]
    spec_sha256: Mapped[str]
    profile_id: Mapped[str]
    title_en: Mapped[str]
    title_local: Mapped[str | None]
    level: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    synthetic: Mapped[bool] = mapped_column(Boolean)
    assumed: Mapped[bool] = mapped_column(Boolean)
    layers: Mapped[dict[str, Any]]
    software: Mapped[dict[str, Any]]
    document: Mapped[dict[str, Any]]


class RegionValue(Base):
    """One value of one region in a study; joins to ``region`` by level and code."""

    __tablename__ = "region_value"
    __table_args__ = (CheckConstraint("level between 1 and 3", name="level"),)
    study_id: Mapped[str] = mapped_column(
        ForeignKey("region_study.id", ondelete="CASCADE"), primary_key=True
    )
    level: Mapped[int] = mapped_column(Integer, primary_key=True)
    variable: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[float | None]
    unit: Mapped[str]
    status: Mapped[str]
    assumed: Mapped[bool] = mapped_column(Boolean)


class Candidate(Base):
    """A candidate site of a run."""

    __tablename__ = "candidate"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(Integer)
    area_ha: Mapped[float]
    score: Mapped[float]
    lon: Mapped[float]
    lat: Mapped[float]
    region1_code: Mapped[str | None]
    region2_code: Mapped[str | None]
    region3_code: Mapped[str | None]
    served_alone: Mapped[bool] = mapped_column(Boolean)
    in_portfolio: Mapped[bool] = mapped_column(Boolean)
    detail: Mapped[dict[str, Any]]
    geom: Mapped[WKBElement] = _geom("MULTIPOLYGON", nullable=False)


class RunSource(Base):
    """A source as a run saw it, with what the plan takes from it."""

    __tablename__ = "run_source"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str]
    kind: Mapped[str]
    name_en: Mapped[str | None]
    name_local: Mapped[str | None]
    headroom: Mapped[float]
    used: Mapped[float]
    unit: Mapped[str]
    basis: Mapped[str]
    geom: Mapped[WKBElement | None] = _geom("POINT")


class SupplyAssignment(Base):
    """What one chosen site takes of one resource from one source."""

    __tablename__ = "supply_assignment"
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    site_id: Mapped[str] = mapped_column(primary_key=True)
    resource: Mapped[str] = mapped_column(primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    amount: Mapped[float]
    unit: Mapped[str]
    distance_km: Mapped[float | None]
    cost: Mapped[float]
    basis: Mapped[str]
    geom: Mapped[WKBElement | None] = _geom("LINESTRING")


class AccessToken(Base):
    """A token by which a person may write through the service; only its hash is known."""

    __tablename__ = "access_token"
    __table_args__ = (
        Index(
            "uq_access_token_name_in_use",
            "name",
            unique=True,
            postgresql_where=text("revoked_at is null"),
        ),
    )
    id: Mapped[int] = _id()
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    revoked_at: Mapped[datetime | None]
    last_used: Mapped[datetime | None]


class Upload(Base):
    """A file that was sent to the service; it lies in a folder named by ``id`` at ``place``."""

    __tablename__ = "upload"
    __table_args__ = (UniqueConstraint("place", "sha256", "bytes", "name"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str]
    name: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[str]
    sent_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class LoadJob(Base):
    """A check or load that runs in the background, and what came of it."""

    __tablename__ = "load_job"
    __table_args__ = (
        CheckConstraint("phase in ('check', 'load')", name="phase"),
        CheckConstraint(
            "state in ('queued', 'running', 'checked', 'loading', 'done', 'refused', 'failed', "
            "'cancelled')",
            name="state",
        ),
        Index(
            "ix_load_job_waiting",
            "created_at",
            postgresql_where=text("state in ('queued', 'running', 'loading')"),
        ),
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    upload_id: Mapped[str] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), index=True)
    layer_id: Mapped[str]
    options: Mapped[dict[str, Any]]
    phase: Mapped[str]
    state: Mapped[str]
    asked_by: Mapped[str]
    confirmed_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    heartbeat: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(Integer)
    stop_asked: Mapped[bool] = mapped_column(Boolean)
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    checked_against: Mapped[int | None]
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    version_id: Mapped[int | None] = mapped_column(
        ForeignKey("layer_version.id", ondelete="SET NULL")
    )
