"""The OpenAPI document, the same bytes on every machine; the web client is generated from it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the document to a file or to standard output, or say whether a file holds it.

    Returns
    -------
    int
        Exit code: 0, or 1 where the checked file holds another document.
    """
    parser = argparse.ArgumentParser(prog="python -m api.openapi", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="absent: standard output")
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    given = parser.parse_args(arguments)
    if given.file is None:
        if given.check:
            parser.error("--check needs the file to compare with")
        sys.stdout.write(text())
        return 0
    held = given.file.read_text(encoding="utf-8") if given.file.is_file() else None
    if held == text():
        return 0
    if given.check:
        print(f"{given.file} is stale: write it with 'make openapi'", file=sys.stderr)  # noqa: T201
        return 1
    given.file.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
