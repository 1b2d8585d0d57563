"""Whether a worker of this machine still lives: a file that it holds locked."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

__all__ = ["Presence"]


class Presence:
    """A lock by which others on this machine know for certain that a worker lives.

    The system drops it when the process ends, however it ends.

    Parameters
    ----------
    folder : Path
        Folder that the workers of one database share.
    name : str
        The worker.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / ".workers"
        self._name = name
        self._handle = -1

    def __enter__(self) -> Presence:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handle = os.open(self._folder / self._name, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return self

    def __exit__(self, *_: object) -> None:
        (self._folder / self._name).unlink(missing_ok=True)
        os.close(self._handle)

    def dead(self, workers: Sequence[str]) -> list[str]:
        """Return those whose process has ended; of a worker elsewhere nothing is known."""
        return [w for w in workers if w != self._name and self._ended(w)]

    def sweep(self, needed: Sequence[str]) -> None:
        """Remove the files of workers that have ended and have no job that tells of them."""
        for file in self._folder.iterdir():
            if file.name != self._name and file.name not in needed and self._ended(file.name):
                file.unlink(missing_ok=True)

    def _ended(self, worker: str) -> bool:
        try:
            handle = os.open(self._folder / worker, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(handle)
        return True
