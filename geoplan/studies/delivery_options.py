"""What a person asks when a file is delivered, and what the work tells while it runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from geoplan.catalogue.mapping import FileMapping
from geoplan.catalogue.text import Identifier, Strict
from geoplan.errors import Stopped

__all__ = ["DeliveryOptions", "Meter", "Progress", "Tell"]


class DeliveryOptions(Strict):
    """How one file is to be checked and loaded."""

    layer: Identifier = Field(description="Layer of the catalogue")
    profile: str | None = Field(None, description="Country profile; absent: the only one")
    mode: Literal["replace", "upsert", "append"] = Field(
        "replace",
        description="replace all rows; upsert by key (others stay); append (no key may be there)",
    )
    mapping: FileMapping = Field(
        default_factory=lambda: FileMapping.model_validate({}),
        description="How columns become fields",
    )
    accept_crs: bool = Field(False, description="Take the CRS that the coordinates speak for")
    partial: bool = Field(
        False, description="Store the good rows; rows with an error go into quarantine"
    )
    force: bool = Field(False, description="A new version even where nothing has changed")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work is.

    Parameters
    ----------
    step : str
        ``read``, ``check``, ``store`` …
    share : float
        Share of the whole that is done, 0 to 1.
    rows_done, rows_total : int or None
        Rows read so far, and in all where the file knows.
    rows_per_s : float or None
        Rows read in a second.
    seconds_left : float or None
        What is left at this pace.
    """

    step: str
    share: float
    rows_done: int = 0
    rows_total: int | None = None
    rows_per_s: float | None = None
    seconds_left: float | None = None


Tell = Callable[[Progress], None]
"""Called a few times a second with how far the work is."""


@dataclass(slots=True)
class Meter:
    """Counts rows and tells the pace, at most five times a second."""

    tell: Tell | None
    stop: Callable[[], bool] | None
    total: int | None = None
    rows: int = 0
    _started: float = field(default_factory=time.monotonic)
    _told: float = 0.0

    def read(self, rows: int) -> None:
        """Note that rows were read.

        Raises
        ------
        Stopped
            Somebody asked for it.
        """
        self.rows += rows
        self.pause()
        now = time.monotonic()
        if self.tell is None or now - self._told < 0.2:
            return
        self._told = now
        pace = self.rows / max(now - self._started, 1e-9)
        left = (self.total - self.rows) / pace if self.total else None
        # Reading is most of the work; what follows it is shown as the last fifth.
        share = 0.8 * min(1.0, self.rows / self.total) if self.total else 0.0
        self.tell(Progress("read", share, self.rows, self.total, pace, left))

    def step(self, step: str, share: float) -> None:
        """Tell that another step begins."""
        self.pause()
        if self.tell is not None:
            self.tell(Progress(step, share, self.rows, self.total))

    def pause(self) -> None:
        """Stop here if somebody asked for it."""
        if self.stop is not None and self.stop():
            raise Stopped("stopped as asked; nothing was kept")
