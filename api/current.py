"""What is current: layers with their versions, and runs, read once a second at most.

Every address that can be cached carries a token made from these rows, so a stale answer cannot
outlive a load by more than a second and needs no restart to disappear.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.database import Database
from geoplan.errors import UnknownName
from geoplan.store.tables import Layer, LayerVersion, Run

__all__ = ["Current", "CurrentLayer", "CurrentRun", "Snapshot", "token"]


def token(*parts: object) -> str:
    """Return 12 hexadecimal digits that change when any part changes."""
    text = "\x1f".join(map(str, parts))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class CurrentLayer:
    """A layer with its current version."""

    id: str
    kind: str
    table: str
    level: int | None
    spec: dict[str, Any]
    title_en: str
    title_local: str | None
    theme: str
    version: LayerVersion
    token: str


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """A run by its names; newest first in a snapshot."""

    id: str
    profile_id: str
    synthetic: bool
    token: str


@dataclass(frozen=True, slots=True)
class Current:
    """All current layers and runs at one moment."""

    layers: dict[str, CurrentLayer]
    runs: dict[str, CurrentRun]
    data_version: str

    def layer(self, layer_id: str) -> CurrentLayer:
        """Return a loaded layer; ``UnknownName`` names what is loaded."""
        try:
            return self.layers[layer_id]
        except KeyError:
            raise UnknownName(
                f"no layer '{layer_id[:80]}' is loaded",
                where="layer",
                remedy="/api/layers lists the loaded layers; 'geoplan pack load' loads more",
            ) from None

    def run(self, run_id: str) -> CurrentRun:
        """Return a run; ``UnknownName`` when there is none of that id."""
        try:
            return self.runs[run_id]
        except KeyError:
            raise UnknownName(
                f"no run '{run_id[:80]}'",
                where="run",
                remedy="/api/runs lists the runs; 'geoplan site run' makes one",
            ) from None

    def latest_run(self, profile_id: str | None = None) -> CurrentRun | None:
        """Return the newest run, of one profile where given."""
        return next((r for r in self.runs.values() if profile_id in (None, r.profile_id)), None)


class Snapshot:
    """The current layers and runs, not older than ``seconds``.

    Parameters
    ----------
    database : Database
        Where they are read.
    seconds : float
        How old an answer may be; 0 reads every time.
    clock : callable
        Monotonic seconds; tests set their own.
    """

    def __init__(
        self,
        database: Database,
        *,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._held: Current | None = None
        self._read_at = 0.0

    def fresh(self) -> Current | None:
        """Return what is held if it is young enough, without touching the database."""
        held = self._held
        if held is not None and self._clock() - self._read_at < self._seconds:
            return held
        return None

    def get(self) -> Current:
        """Return the current layers and runs; read them when what is held is too old."""
        held = self.fresh()
        if held is not None:
            return held
        # One reader at a time: the others wait for its answer rather than ask the same.
        with self._lock:
            held = self.fresh()
            if held is None:
                started = self._clock()
                held = self._read()
                self._held, self._read_at = held, started
            return held

    def _read(self) -> Current:
        with self._database.reading() as connection:
            with Session(bind=connection) as session:
                rows = session.execute(
                    select(Layer, LayerVersion)
                    .join(LayerVersion, LayerVersion.id == Layer.current_version_id)
                    .order_by(Layer.id)
                ).all()
                session.expunge_all()
            runs = connection.execute(
                select(Run.id, Run.hash, Run.profile_id, Run.synthetic, Run.created_at).order_by(
                    Run.created_at.desc(), Run.id.desc()
                )
            ).all()
        layers = {layer.id: _layer(layer, version) for layer, version in rows}
        found = {
            r.id: CurrentRun(r.id, r.profile_id, r.synthetic, token(r.id, r.hash, r.created_at))
            for r in runs
        }
        return Current(
            layers,
            found,
            token(*(x.token for x in layers.values()), "/", *(x.token for x in found.values())),
        )


def _layer(layer: Layer, version: LayerVersion) -> CurrentLayer:
    spec = layer.spec or {}
    level = spec.get("level")
    return CurrentLayer(
        id=layer.id,
        kind=layer.kind,
        table=str(spec.get("table") or "features"),
        level=level if isinstance(level, int) else None,
        spec=spec,
        title_en=layer.title_en,
        title_local=layer.title_local,
        theme=layer.theme,
        version=version,
        token=token(layer.id, version.id, version.sha256, version.loaded_at, spec),
    )
