"""The folder of a run that a person names by its id or its path."""

from __future__ import annotations

from pathlib import Path

from geoplan.cli.context import AppContext
from geoplan.errors import UnknownName
from geoplan.store import cluster, read
from geoplan.store.session import engine_for, transaction

__all__ = ["folder_of"]


def folder_of(context: AppContext, run_or_folder: str) -> Path:
    """Return the folder of a run.

    Raises
    ------
    UnknownName
        It is no folder, and no run has this id.
    """
    path = Path(run_or_folder)
    if path.is_dir():
        return path
    with transaction(engine_for(cluster.ensure(context.settings))) as session:
        found = [r for r in read.runs(session) if r.id == run_or_folder]
    if not found:
        raise UnknownName(
            f"no run or run folder '{run_or_folder}'", remedy="see: geoplan site list"
        )
    return found[0].folder
