"""One new file, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from geoplan.errors import FileMissing, InputError
from geoplan.partial import full_disk_told, held, sweep

__all__ = ["new_file"]


@contextlib.contextmanager
def new_file(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a path to write; it becomes ``path`` when the block ends well, and is gone otherwise.

    Parameters
    ----------
    path : Path
        What the file is to become; its folder exists.
    overwrite : bool
        Replace a file that is there.

    Yields
    ------
    Path
        A name of the same ending in a folder of its own, on the same disk. Files written beside
        it are removed with that folder.

    Raises
    ------
    InputError
        ``path`` exists and ``overwrite`` is false, or it is a folder.
    FileMissing
        Its folder does not exist.
    DiskFull
        No space is left.
    """
    if not path.parent.is_dir():
        raise FileMissing(
            f"the folder {path.parent} does not exist",
            where=str(path),
            remedy="make it, or name another",
        )
    _refuse_existing(path, overwrite)
    sweep(path.parent, path.name)
    with full_disk_told(path.parent), held(path) as folder:
        part = folder / path.name
        yield part
        if overwrite:
            part.replace(path)
            return
        try:
            # Unlike a rename, a link never replaces what somebody made in the meantime.
            os.link(part, path)
        except FileExistsError:
            _refuse_existing(path, overwrite)
        except OSError:
            _refuse_existing(path, overwrite)
            part.replace(path)  # a disk without hard links


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if path.is_dir():
        raise InputError("a folder has this name", where=str(path), remedy="name a file")
    if path.exists() and not overwrite:
        raise InputError(
            "the file exists already",
            where=str(path),
            remedy="name another file, or ask for overwriting",
        )
