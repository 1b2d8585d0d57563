"""Start the command line: signals, the one place where errors are told, exit codes.

Only what is quick to load is imported here, so that Ctrl-C is answered from the first moment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING

from geoplan.cli.cause import as_geoplan_error
from geoplan.errors import GeoPlanError, Infeasible, ProblemsFound

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

__all__ = ["main"]

_STOPPED = 130
_AGAIN_SECONDS = 0.05


class _Stop:
    """Whether a person, or the system, asked the program to stop."""

    def __init__(self) -> None:
        self.asked = False

    def install(self) -> None:
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        # A closed terminal stops it in good order, too; unless nohup was asked for.
        if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
            signal.signal(signal.SIGHUP, self._on_signal)
        sys.unraisablehook = self._on_lost

    @staticmethod
    def release() -> None:
        """From here on a signal ends the process at once and without a word."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        sys.unraisablehook = sys.__unraisablehook__
        # An interruption that passed through exec(), as some imports do, stays noted in CPython,
        # which then ends by the signal in spite of the exit code. The next exec() clears it.
        exec("")  # noqa: S102

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.default_int_handler(number, frame)

    def _on_lost(self, lost: UnraisableHookArgs) -> None:
        # Raised while a destructor or a library's callback ran, the request would be lost: it
        # is made again a moment later, outside of them.
        if isinstance(lost.exc_value, KeyboardInterrupt):
            signal.signal(signal.SIGALRM, self._on_signal)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
        else:
            sys.__unraisablehook__(lost)


def _tell(error: GeoPlanError, *, as_json: bool) -> None:
    if as_json:
        body: dict[str, object] = {
            "error": type(error).__name__,
            "what": error.what,
            "where": error.where,
            "remedy": error.remedy,
        }
        if isinstance(error, ProblemsFound):
            body["problems"] = [
                {"where": p.where, "what": p.what, "remedy": p.remedy, "severity": p.severity}
                for p in error.problems
            ]
        if isinstance(error, Infeasible):
            body["relaxations"] = [
                {
                    "limit": r.limit,
                    "label": r.label,
                    "value": r.value,
                    "needed": r.needed,
                    "by": r.by,
                    "unit": r.unit,
                }
                for r in error.relaxations
            ]
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
    sys.stderr.write(f"geoplan: {error}\n")


def main() -> None:
    """Run the command line; exit 0 done, 1 the answer is no, 2 could not be done as asked."""
    stop = _Stop()
    try:
        stop.install()
        code = _run()
    except KeyboardInterrupt:
        code = _STOPPED
    except BrokenPipeError:
        # The reader of a pipe went away; Python would say so once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        known = as_geoplan_error(error)
        if stop.asked:
            # Libraries turn an interruption into errors of their own.
            code = _STOPPED
        elif known is None or os.environ.get("GEOPLAN_TRACEBACK"):
            raise
        else:
            _tell(known, as_json="--json" in sys.argv)
            code = known.exit_code
    stop.release()
    if code == _STOPPED:
        line = "\n" if sys.stderr.isatty() else ""  # a step may stand there, unfinished
        sys.stderr.write(f"{line}geoplan: stopped; nothing half-written was kept\n")
    sys.exit(code)


def _run() -> int:
    from typer.exceptions import Abort, Exit, TyperException

    from geoplan.cli.app import app

    try:
        code = app(standalone_mode=False)
    except Abort:
        return _STOPPED
    except Exit as stop:
        return int(stop.exit_code)
    except TyperException as usage:
        show = getattr(usage, "show", None)
        if show is not None:
            show()
        else:
            sys.stderr.write(f"geoplan: {usage}\n")
        return 2
    return code if isinstance(code, int) else 0
