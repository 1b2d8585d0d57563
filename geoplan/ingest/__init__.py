"""The only readers of files: check everything, mend by named rules, drop nothing silently."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.ingest.folder import PackFolder
    from geoplan.ingest.pack import Context, Staged, by_layer, fingerprint, read_entry, read_layer

__all__ = [
    "Context",
    "PackFolder",
    "Staged",
    "by_layer",
    "fingerprint",
    "read_entry",
    "read_layer",
]


def __getattr__(name: str) -> object:
    # The process that reads one file lives in this package, and must not load all of it to start.
    if name not in __all__:
        raise AttributeError(f"module 'geoplan.ingest' has no attribute '{name}'")
    from importlib import import_module

    where = "folder" if name == "PackFolder" else "pack"
    return getattr(import_module(f"geoplan.ingest.{where}"), name)
