"""Name of the migrated database that every test's own is cloned from."""

from __future__ import annotations

import os

__all__ = ["TEMPLATE"]

TEMPLATE = f"geoplan_test_template_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
"""Each of the processes that share the tests has its own, should they share a server."""
