"""Folders that are not finished: written beside their target, held while in use, swept when not.

A folder is held by a lock that the system drops when its process ends, however it ends. What a
process that was killed outright left behind is therefore known for certain, also where process
numbers mean nothing: after a restart, or when containers share a disk.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from geoplan.errors import DiskFull

__all__ = ["UNSETTLED", "abandoned", "full_disk_told", "held", "sweep"]

UNSETTLED = "unsettled"
"""File by which a holder that cannot know whether its work was kept leaves its folder behind."""

_WORD = ".partial-"
_FULL = ("no space left", "disk is full", "disk quota", "disk full")
_LIBRARIES = ("rasterio", "pyogrio", "sqlite3")
_LITTLE = 128 * 1024  # bytes: less than this free is as good as none


@contextlib.contextmanager
def held(target: Path) -> Iterator[Path]:
    """Make a folder beside ``target``, hold it during the block, and remove it at the end.

    Parameters
    ----------
    target : Path
        What the folder is to become, or to fill; its parent exists.

    Yields
    ------
    Path
        An empty folder on the file system of ``target``, whose name begins with a dot. What must
        stay is moved out of it.
    """
    while True:
        folder = target.parent / f".{target.name}{_WORD}{secrets.token_hex(4)}"
        folder.mkdir()
        lock = _lock(folder)
        if lock is not None:
            break
        # Somebody swept it between these two lines.
    try:
        yield folder
    finally:
        if not (folder / UNSETTLED).exists():
            shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def abandoned(parent: Path, name: str = "*") -> Iterator[Path]:
    """Give the folders in ``parent`` that nobody holds any more, each held in its turn.

    Parameters
    ----------
    parent : Path
        Where targets lie; it need not exist.
    name : str
        Name of the target.
    """
    for folder in sorted(parent.glob(f".{name}{_WORD}*")):
        lock = _lock(folder)
        if lock is not None:
            try:
                yield folder
            finally:
                os.close(lock)


def sweep(parent: Path, name: str = "*") -> None:
    """Remove the folders in ``parent`` that nobody holds any more."""
    for folder in abandoned(parent, name):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def full_disk_told(folder: Path) -> Iterator[None]:
    """Turn what libraries say of a full disk into :class:`DiskFull`.

    GDAL and SQLite report a failed write in words of their own, or merely as failed; then the
    space that is left on the disk of ``folder`` tells.
    """
    try:
        yield
    except DiskFull as error:
        if _WORD not in error.where:
            raise
        # Nobody knows the folder that was not finished, and it is gone.
        raise DiskFull(error.what, where=str(folder), remedy=error.remedy) from error
    except Exception as error:
        if not _is_full(error, folder):
            raise
        raise DiskFull(
            "no space is left on the disk; nothing of this was kept",
            where=str(folder),
            remedy="free some space, or choose a folder on another disk",
        ) from error


def _is_full(error: BaseException, folder: Path) -> bool:
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        library = type(link).__module__.partition(".")[0] in _LIBRARIES
        if library and any(word in str(link).lower() for word in _FULL):
            return True
        if library and _free(folder) < _LITTLE:
            return True
        link = link.__cause__ or link.__context__
    return False


def _free(folder: Path) -> float:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return float("inf")


def _lock(folder: Path) -> int | None:
    """Return an open lock on a folder, or ``None`` where another process has it or it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The one who held it may have removed it, and its name may be another folder's by now.
        if os.path.samestat(os.fstat(handle), folder.stat()):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None
