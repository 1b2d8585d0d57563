"""What the routes of versions take and answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Answer

__all__ = [
    "ChangedRow",
    "DiffAnswer",
    "EventAnswer",
    "HistoryAnswer",
    "OneSidedRow",
    "RefusedLoadAnswer",
    "ReshapedRow",
    "RollbackRequest",
    "VersionAnswer",
]


class VersionAnswer(Answer):
    """One accepted load of a layer."""

    id: int
    number: int
    current: bool
    loaded_at: str
    loaded_by: str
    source_file: str
    mode: str | None = Field(description="replace, upsert or append; null: before it was noted")
    rows_read: int
    rows_stored: int
    rows_refused: int
    source_crs: str | None
    as_of: str | None
    source: str
    synthetic: bool
    report: list[dict[str, Any]] = Field(description="where, what, remedy, severity, code, count")


class EventAnswer(Answer):
    """A change of what a layer shows; null: no version."""

    at: str
    who: str
    action: Literal["load", "rollback", "delete"]
    from_number: int | None
    to_number: int | None
    note: str


class HistoryAnswer(Answer):
    """Versions and events of a layer, each newest first."""

    layer: str
    versions: list[VersionAnswer]
    events: list[EventAnswer]


class OneSidedRow(Answer):
    """A row of one version only."""

    key: str
    area_m2: float | None
    geometry: dict[str, Any] | None = Field(description="GeoJSON; null unless asked for")


class ReshapedRow(Answer):
    """A row whose outline differs."""

    key: str
    area_before_m2: float | None
    area_after_m2: float | None
    moved_m2: float | None = Field(description="Area that lies in one of the two only")
    geometry_before: dict[str, Any] | None
    geometry: dict[str, Any] | None


class ChangedRow(Answer):
    """An attribute that differs."""

    key: str
    field: str
    old: Any
    new: Any


class DiffAnswer(Answer):
    """Two versions compared; the counts are exact, the lists hold at most `limit` rows each."""

    layer: str
    from_number: int
    to_number: int
    rows_from: int
    rows_to: int
    added_count: int
    removed_count: int
    reshaped_count: int
    changed_count: int
    unchanged_count: int
    limit: int
    added: list[OneSidedRow]
    removed: list[OneSidedRow]
    reshaped: list[ReshapedRow]
    changed: list[ChangedRow]


class RollbackRequest(BaseModel):
    """Let a layer show another of its versions."""

    model_config = ConfigDict(extra="forbid")

    to: int = Field(ge=1, le=2_147_483_647, description="Number of the version")
    note: str = Field("", max_length=1000, description="Why, for the record")


class RefusedLoadAnswer(Answer):
    """A load whose refused rows are kept."""

    id: str
    layer: str
    at: str
    who: str
    source_file: str
    source_format: str
    source_crs: str | None
    rows: int
    link: str
