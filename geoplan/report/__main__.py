"""``python -m geoplan.report``: fetch the third-party files that map and report embed."""

from __future__ import annotations

import sys

from geoplan.errors import GeoPlanError
from geoplan.report.embed import fetch

__all__: list[str] = []

if __name__ == "__main__":
    try:
        names = fetch()
    except GeoPlanError as error:
        sys.exit(str(error))
    sys.stdout.write(f"report assets: {', '.join(names) or 'all there'}\n")
