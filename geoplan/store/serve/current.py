"""What is current: each layer with its accepted load, and the runs, by name.

Whatever is remembered about them is remembered under their tokens, so that a stale answer cannot
outlive a load.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from geoplan.store.serve.database import Reading
from geoplan.store.tables import Layer, LayerVersion, Run

__all__ = ["CurrentLayer", "CurrentRun", "Load", "current_layers", "current_runs", "token"]


def token(*parts: object) -> str:
    """Return 12 hexadecimal digits that change when any part changes."""
    text = "\x1f".join(map(str, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Load:
    """One accepted load of a layer; named as in ``layer_version``."""

    id: int
    number: int
    pack_id: str | None
    profile_id: str | None
    sha256: str
    loaded_at: datetime
    rows_stored: int
    bbox: list[float] | None
    as_of: str | None
    source: str
    licence: str
    basis: str | None
    method_en: str | None
    method_local: str | None
    synthetic: bool
    relation: str | None


@dataclass(frozen=True, slots=True)
class CurrentLayer:
    """A layer with its current load."""

    id: str
    kind: str
    table: str
    level: int | None
    spec: dict[str, Any]
    title_en: str
    title_local: str | None
    theme: str
    version: Load
    token: str


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """A run by its names."""

    id: str
    profile_id: str
    synthetic: bool
    token: str


_LOAD = [LayerVersion.__table__.c[name] for name in Load.__slots__]


def current_layers(reading: Reading) -> dict[str, CurrentLayer]:
    """Return the loaded layers by id, in the order of their ids."""
    rows = reading.execute(
        select(
            Layer.id.label("layer_id"),
            Layer.kind,
            Layer.title_en,
            Layer.title_local,
            Layer.theme,
            Layer.spec,
            *_LOAD,
        )
        .join(LayerVersion, LayerVersion.id == Layer.current_version_id)
        .order_by(Layer.id)
    )
    return {row.layer_id: _layer(row) for row in rows}


def _layer(row: Any) -> CurrentLayer:
    spec = row.spec or {}
    level = spec.get("level")
    load = Load(**{name: getattr(row, name) for name in Load.__slots__})
    return CurrentLayer(
        id=row.layer_id,
        kind=row.kind,
        table=str(spec.get("table") or "features"),
        level=level if isinstance(level, int) else None,
        spec=spec,
        title_en=row.title_en,
        title_local=row.title_local,
        theme=row.theme,
        version=load,
        token=token(row.layer_id, load.id, load.sha256, load.loaded_at, spec),
    )


def current_runs(reading: Reading) -> dict[str, CurrentRun]:
    """Return the runs by id, newest first."""
    rows = reading.execute(
        select(Run.id, Run.hash, Run.profile_id, Run.synthetic, Run.created_at).order_by(
            Run.created_at.desc(), Run.id.desc()
        )
    )
    return {
        row.id: CurrentRun(
            row.id, row.profile_id, row.synthetic, token(row.id, row.hash, row.created_at)
        )
        for row in rows
    }
