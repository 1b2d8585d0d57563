"""A delivery whose file says what happens: how long it takes, what is found, how it ends.

The file is JSON: ``rows`` (how many batches), ``pause_s`` after each, ``errors`` to find, ``fail``
with a word of :data:`FAILURES`. A load makes a version of the layer in one transaction, as the
real one does, and notes each start beside the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from api.delivery import Work
from geoplan.catalogue import LayerSpec
from geoplan.catalogue.checks import CheckRules
from geoplan.catalogue.text import Text
from geoplan.errors import CrsProblem, DatabaseLost, Problem, Stopped
from geoplan.ingest.inspection import Inspection, Tally
from geoplan.ingest.reader.request import SourceInfo
from geoplan.store import write
from geoplan.store.job_work import settle
from geoplan.store.session import transaction
from geoplan.studies.delivery_options import Progress

LAYER = """\
id: made_plots
title: {en: Made plots, fa: قطعه‌های ساختگی}
theme: industry
kind: vector
table: features
geometry: polygon
fields:
  number: {type: string, title: {en: Number}}
"""

FAILURES: MappingProxyType[str, Callable[[], Exception]] = MappingProxyType(
    {
        "crs": lambda: CrsProblem("the file names no CRS", where="a.json", remedy="give --crs"),
        "bug": lambda: RuntimeError("secret: SELECT * FROM people"),
        "lost": lambda: DatabaseLost("the server at 10.1.2.3 went away", where="10.1.2.3/geoplan"),
    }
)


@dataclass(frozen=True)
class Outcome:
    version: int | None
    rows_stored: int
    inspection: Inspection
    unchanged: bool = False
    quarantine: str | None = None


class MadeDelivery:
    """Does what the file says."""

    def check(self, work: Work) -> Inspection:
        wish = json.loads(work.file.read_text())
        self._read(work, wish)
        return inspection(work, wish)

    def load(self, work: Work) -> Outcome:
        wish = json.loads(work.file.read_text())
        with (work.file.parent / "starts").open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        found = inspection(work, wish)
        if found.errors and not work.options.partial:
            return Outcome(None, 0, found)
        spec = LayerSpec.model_validate(
            {
                "id": work.options.layer,
                "title": {"en": "Made plots"},
                "theme": "industry",
                "kind": "vector",
                "table": "features",
                "geometry": "polygon",
                "fields": {},
            }
        )
        with transaction(work.engine) as session:
            version = write.new_version(
                session, spec, pack_id=None, source_file=work.file.name, sha256=found.sha256,
                loaded_by=work.loaded_by, rows_read=wish["rows"], rows_refused=0, source_crs=None,
                as_of=None, source="", licence="", confidence="", basis=None, method=None,
                synthetic=True, report=(),
            )  # fmt: skip
            self._read(work, wish)
            write.make_current(session, spec.id, version)
            settle(session, work.job_id, version)
        return Outcome(version, wish["rows"], found)

    def report(self, inspection: Inspection, folder: Path) -> None:
        (folder / "report.json").write_text(json.dumps({"file": inspection.file}))
        (folder / "report.html").write_text("<!doctype html><p>report")
        (folder / "problems.gpkg").write_bytes(b"SQLite format 3\0")

    def _read(self, work: Work, wish: dict) -> None:
        total = wish["rows"]
        for row in range(1, total + 1):
            if work.stop():
                raise Stopped("stopped as asked; nothing was kept")
            time.sleep(wish.get("pause_s", 0))
            work.progress(Progress("read", row / total, row, total, 100.0, (total - row) / 100))
        if wish.get("fail"):
            raise FAILURES[wish["fail"]]()


def inspection(work: Work, wish: dict) -> Inspection:
    wrong = wish.get("errors", 0)
    return Inspection(
        file=work.file.name,
        sha256=hashlib.sha256(work.file.read_bytes()).hexdigest(),
        layer=work.options.layer,
        title=Text(en="Made plots"),
        source=SourceInfo("JSON", None, (), "EPSG:32639", "utf-8", "declared", None, 1, ()),
        crs="EPSG:32639",
        crs_how="declared",
        evidence=None,
        columns=(("number", "NO", "string"),),
        unused=("x",),
        rows_read=wish["rows"],
        rows_good=wish["rows"] - wrong,
        rows_refused=wrong,
        findings=(),
        tallies={"overlap": Tally("error", wrong, float("nan"))} if wrong else {},
        problems=(Problem("a.json", "a column is odd", severity="warning"),),
        repairs=(),
        rules=CheckRules.model_validate({}),
        synthetic=True,
        seconds=0.5,
    )


def wish(**parts: object) -> bytes:
    """Return a file that makes the delivery do this."""
    return json.dumps({"rows": 2, **parts}).encode()
