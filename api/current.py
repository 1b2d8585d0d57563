"""What is current: layers with their versions, and runs, read once a second at most.

Every address that can be cached carries a token made from these rows, so a stale answer cannot
outlive a load by more than a second and needs no restart to disappear.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from geoplan.errors import UnknownName
from geoplan.store.serve.current import (
    CurrentLayer,
    CurrentRun,
    current_layers,
    current_runs,
    token,
)
from geoplan.store.serve.database import Database

__all__ = ["Current", "Snapshot"]


@dataclass(frozen=True, slots=True)
class Current:
    """All current layers and runs at one moment."""

    layers: dict[str, CurrentLayer]
    runs: dict[str, CurrentRun]
    data_version: str
    # What requests worked out from this moment; gone with it.
    regions: dict[tuple[str | None, int], tuple[str | None, list[CurrentLayer]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @classmethod
    def of(cls, layers: dict[str, CurrentLayer], runs: dict[str, CurrentRun]) -> Current:
        """Return the layers and runs with the token of them all."""
        tokens = (x.token for x in layers.values()), (x.token for x in runs.values())
        return cls(layers, runs, token(*tokens[0], "/", *tokens[1]))

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
        with self._database.reading() as reading:
            return Current.of(current_layers(reading), current_runs(reading))
