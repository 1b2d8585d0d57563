"""Time and peak memory of the steps of a study, told as they happen."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from geoplan.siting.result import StepTiming

__all__ = ["Progress", "Steps", "silent"]

Progress = Callable[[str, float | None], None]
"""Called with a step's name and, when it ends, its seconds (``None`` when it starts)."""


def silent(_step: str, _seconds: float | None) -> None:
    """Tell nobody."""


def _reset_peak() -> bool:
    # Linux can forget the peak so far, so that each step is told its own; elsewhere the peak
    # of the whole process stands in.
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def _peak_mb() -> float:
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024) if sys.platform == "darwin" else peak / 1024


class Steps:
    """Collect the timings of one study.

    Parameters
    ----------
    progress : callable
        Told when a step starts and ends.
    """

    def __init__(self, progress: Progress = silent) -> None:
        self._progress = progress
        self.timings: list[StepTiming] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the block as one step; a step that fails is not recorded."""
        self._progress(name, None)
        _reset_peak()
        start = time.perf_counter()
        yield
        seconds = time.perf_counter() - start
        self.timings.append(StepTiming(name, round(seconds, 3), round(_peak_mb(), 1)))
        self._progress(name, seconds)
