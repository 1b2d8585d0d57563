"""A run's folder takes its name and its rows are kept, both or neither.

The folder is moved just before the commit, so that a row always has its folder. What was moved
and not kept is recognised by the empty shell that it came from: it stays held until the commit is
known, and where a process was killed or a database went away in between, the next run settles it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geoplan.errors import GeoPlanError, InputError
from geoplan.partial import UNSETTLED, abandoned
from geoplan.store import read
from geoplan.store.session import transaction

__all__ = ["files_in", "publish", "refuse_taken", "settle"]

_NOTE, _FILES = "note.json", "run"


def files_in(shell: Path) -> Path:
    """Make the folder inside a held one in which a run's files are written."""
    files = shell / _FILES
    files.mkdir()
    return files


def refuse_taken(target: Path) -> None:
    """Refuse a run folder that holds something already.

    Raises
    ------
    InputError
        It is a file, or a folder that is not empty.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(
            "the output folder exists and is not empty",
            where=str(target),
            remedy="name a new folder; a run is never overwritten",
        )


@contextlib.contextmanager
def publish(
    engine: Engine, files: Path, target: Path, run_id: str, *, owner: str
) -> Iterator[Session]:
    """Open the transaction that stores a run; as it is kept, ``files`` becomes ``target``.

    Parameters
    ----------
    files : Path
        The finished folder, inside one that :func:`geoplan.partial.held` holds.
    target : Path
        Absent or empty.
    run_id : str
        As in ``files/run.json``.
    owner : str
        Names the database: runs of several may be written side by side.

    Raises
    ------
    InputError
        Another run has taken the folder meanwhile.
    GeoPlanError
        The database did not keep the run; the folder is gone, too.
    """
    shell, asked = files.parent, False
    note = {"run_id": run_id, "target": str(target), "owner": owner}
    (shell / _NOTE).write_text(json.dumps(note), encoding="utf-8")
    try:
        with transaction(engine) as session:
            yield session
            # The rows are sent before the folder moves: what the database refuses is told by now.
            session.flush()
            asked = True
            _move(files, target)
    except BaseException:
        kept = _kept(engine, run_id) if asked else False
        if not kept and _run_in(target) == run_id:
            if kept is None:
                (shell / UNSETTLED).touch()
            target.rename(files)
        raise


def settle(engine: Engine, parent: Path, *, owner: str) -> None:
    """Finish or remove what runs that were cut off left behind in ``parent``.

    Parameters
    ----------
    owner : str
        As in :func:`publish`; what belongs to another database is left to its next run.
    """
    for shell in abandoned(parent):
        try:
            note = json.loads((shell / _NOTE).read_text(encoding="utf-8"))
            run_id, target, whose = str(note["run_id"]), Path(note["target"]), note["owner"]
        except (OSError, ValueError, KeyError, TypeError):
            shutil.rmtree(shell, ignore_errors=True)
            continue
        kept = _kept(engine, run_id) if whose == owner else None
        if kept is None:
            continue
        if kept and (shell / _FILES).is_dir() and not target.exists():
            (shell / _FILES).rename(target)
        elif not kept and _run_in(target) == run_id:
            shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(shell, ignore_errors=True)


def _move(files: Path, target: Path) -> None:
    """Give the folder its name; an empty folder of that name is replaced, nothing else is."""
    try:
        files.replace(target)
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError) or target.exists():
            refuse_taken(target)
            raise InputError(
                f"the folder cannot be replaced: {error.strerror}",
                where=str(target),
                remedy="name a new folder",
            ) from error
        raise


def _run_in(folder: Path) -> str | None:
    try:
        found = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return str(found["run_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _kept(engine: Engine, run_id: str) -> bool | None:
    """Return whether the run is in the database, ``None`` where that cannot be asked."""
    try:
        with transaction(engine) as session:
            return any(r.id == run_id for r in read.runs(session))
    except GeoPlanError:
        return None
