"""Progress of long work: lines that a person can follow, on standard error."""

from __future__ import annotations

import sys

from geoplan.studies.steps import Progress, silent

__all__ = ["step_lines"]


def step_lines(*, quiet: bool = False) -> Progress:
    """Return a progress callback that prints each step when it starts and ends.

    On a terminal the running step is shown and then replaced by its time; elsewhere one line is
    written per finished step.
    """
    if quiet:
        return silent
    terminal = sys.stderr.isatty()

    def tell(step: str, seconds: float | None) -> None:
        if seconds is None:
            if terminal:
                sys.stderr.write(f"  … {step}")
                sys.stderr.flush()
            return
        start = "\r\x1b[K" if terminal else ""
        sys.stderr.write(f"{start}  ✓ {step:<28} {seconds:7.2f} s\n")
        sys.stderr.flush()

    return tell
