"""The OpenAPI document, the same bytes on every machine; the web client is generated from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from api.app import create_app
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings

__all__ = ["document", "main", "text"]


def document() -> dict[str, Any]:
    """Return the OpenAPI document; neither a database nor a catalogue is read."""
    return create_app(Settings(home=Path()), catalogue=Catalogue(())).openapi()


def text() -> str:
    """Return the document as it is written to ``web/openapi.json``."""
    return json.dumps(document(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write the document to standard output."""
    sys.stdout.write(text())


if __name__ == "__main__":
    main()
