"""What people receive of a run: its folder of tables, layers, map and report."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.report.embed import require_assets
    from geoplan.report.folder import write_run_folder

__all__ = ["require_assets", "write_run_folder"]


def __getattr__(name: str) -> object:
    # A load writes reports of this package too, and needs no map library in memory for it.
    if name not in __all__:
        raise AttributeError(f"module 'geoplan.report' has no attribute '{name}'")
    from importlib import import_module

    where = "embed" if name == "require_assets" else "folder"
    return getattr(import_module(f"geoplan.report.{where}"), name)
