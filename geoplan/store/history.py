"""The versions of a layer, what was current when, and the way back to an older one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from geoplan.errors import InputError, UnknownName
from geoplan.store import tables
from geoplan.store.write import make_current

__all__ = [
    "Event",
    "History",
    "Version",
    "delete_version",
    "find_load",
    "history",
    "rollback",
]


@dataclass(frozen=True, slots=True)
class Version:
    """One accepted load of a layer.

    Parameters
    ----------
    id, number : int
        Id in the database, and number within the layer, from 1.
    mode : str or None
        ``replace``, ``append`` or ``upsert``; ``None``: loaded before modes were noted.
    own_table : str or None
        Table that holds its rows alone.
    current : bool
        The layer shows it now.
    report : list
        Problems that were found, as :class:`geoplan.errors.Problem` has them.
    """

    id: int
    number: int
    loaded_at: datetime
    loaded_by: str
    source_file: str
    sha256: str
    mode: str | None
    rows_read: int
    rows_stored: int
    rows_refused: int
    source_crs: str | None
    as_of: str | None
    source: str
    synthetic: bool
    own_table: str | None
    current: bool
    report: list[Any]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of what a layer shows: from which version to which; ``None``: none."""

    at: datetime
    who: str
    action: Literal["load", "rollback", "delete"]
    from_number: int | None
    to_number: int | None
    note: str


@dataclass(frozen=True, slots=True)
class History:
    """Versions and events of a layer, each newest first."""

    layer_id: str
    versions: tuple[Version, ...]
    events: tuple[Event, ...]


def history(session: Session, layer_id: str) -> History:
    """Return every version of a layer and what became of them.

    Raises
    ------
    UnknownName
        The layer was never loaded.
    """
    version, event = tables.LayerVersion, tables.LayerEvent
    current = session.scalar(
        select(tables.Layer.current_version_id).where(tables.Layer.id == layer_id)
    )
    versions = [
        _version(row, current)
        for row in session.scalars(
            select(version)
            .where(version.layer_id == layer_id)
            .order_by(version.number.desc())
            .execution_options(populate_existing=True)
        )
    ]
    events = [
        Event(row.at, row.who, row.action, row.from_number, row.to_number, row.note)
        for row in session.execute(
            select(event.at, event.who, event.action, event.from_number, event.to_number,
                   event.note)
            .where(event.layer_id == layer_id)
            .order_by(event.id.desc())
        )
    ]  # fmt: skip
    if not versions and not events:
        raise _never_loaded(layer_id)
    return History(layer_id, tuple(versions), tuple(events))


def find_load(session: Session, layer_id: str, sha256: str) -> Version | None:
    """Return the newest version of a layer that came from the file of this checksum."""
    version = tables.LayerVersion
    row = session.scalars(
        select(version)
        .where(version.layer_id == layer_id, version.sha256 == sha256)
        .order_by(version.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    current = session.scalar(
        select(tables.Layer.current_version_id).where(tables.Layer.id == layer_id)
    )
    return _version(row, current)


def rollback(session: Session, layer_id: str, number: int, who: str, note: str = "") -> Version:
    """Let a layer show an older (or newer) version again; rows are not touched.

    Parameters
    ----------
    number : int
        Which version.
    who, note : str
        Who asks for it, and why, for the record.

    Raises
    ------
    UnknownName
        There is no such layer or version.
    InputError
        The layer shows that version already.
    """
    layer = _locked(session, layer_id)
    version = _numbered(session, layer_id, number)
    if layer.current_version_id == version.id:
        raise InputError(
            f"layer '{layer_id}' shows version {number} already",
            where=layer_id,
            remedy="name another version; 'geoplan layers history' lists them",
        )
    make_current(session, layer_id, version.id, who=who, note=note, action="rollback")
    return _version(version, version.id)


def delete_version(session: Session, layer_id: str, number: int, who: str, note: str = "") -> None:
    """Delete a version that is not current, with its rows and its table.

    Raises
    ------
    UnknownName
        There is no such layer or version.
    InputError
        It is the current one.
    """
    layer = _locked(session, layer_id)
    version = _numbered(session, layer_id, number)
    if layer.current_version_id == version.id:
        raise InputError(
            f"version {number} of layer '{layer_id}' is the one that it shows",
            where=layer_id,
            remedy="roll back to another version first",
        )
    session.expunge(version)
    session.execute(delete(tables.LayerVersion).where(tables.LayerVersion.id == version.id))
    session.add(
        tables.LayerEvent(
            layer_id=layer_id, who=who, action="delete", from_number=number, note=note
        )
    )
    session.flush()


def _locked(session: Session, layer_id: str) -> tables.Layer:
    layer = session.get(tables.Layer, layer_id, with_for_update=True, populate_existing=True)
    if layer is None:
        raise _never_loaded(layer_id)
    return layer


def _numbered(session: Session, layer_id: str, number: int) -> tables.LayerVersion:
    version = tables.LayerVersion
    row = session.scalars(
        select(version).where(version.layer_id == layer_id, version.number == number)
    ).first()
    if row is None:
        known = session.scalars(
            select(version.number).where(version.layer_id == layer_id).order_by(version.number)
        ).all()
        raise UnknownName(
            f"layer '{layer_id}' has no version {number}",
            where=layer_id,
            remedy=f"it has {', '.join(map(str, known[-20:])) or 'none'}",
        )
    return row


def _version(row: tables.LayerVersion, current: int | None) -> Version:
    return Version(
        row.id, row.number, row.loaded_at, row.loaded_by, row.source_file, row.sha256, row.mode,
        row.rows_read, row.rows_stored, row.rows_refused, row.source_crs, row.as_of, row.source,
        row.synthetic, row.relation, row.id == current, list(row.report),
    )  # fmt: skip


def _never_loaded(layer_id: str) -> UnknownName:
    return UnknownName(
        f"layer '{layer_id}' was never loaded",
        where=layer_id,
        remedy="see 'geoplan layers list' for those that were",
    )
