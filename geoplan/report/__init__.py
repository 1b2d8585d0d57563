"""What people receive of a run: its folder of tables, layers, map and report."""

from geoplan.report.embed import require_assets
from geoplan.report.folder import write_run_folder

__all__ = ["require_assets", "write_run_folder"]
