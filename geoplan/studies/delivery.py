"""Check and load one delivered file: read once, checked while it is stored, kept whole or not."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geoplan.catalogue import Catalogue
from geoplan.errors import EmptyLayer
from geoplan.ingest.examine import Examination
from geoplan.ingest.inspection import Inspection
from geoplan.settings import Settings
from geoplan.store import write
from geoplan.store.job_work import settle
from geoplan.store.lineage import record_lineage
from geoplan.store.quarantine import put_quarantine
from geoplan.store.session import transaction
from geoplan.store.version import VersionWriter, begin_version
from geoplan.studies.delivery_case import Case, open_case
from geoplan.studies.delivery_options import DeliveryOptions, Meter, Tell
from geoplan.studies.delivery_report import problems_of
from geoplan.studies.delivery_rows import columns_of, refused_rows, stored_batch

__all__ = ["LoadOutcome", "check_delivery", "load_delivery"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LoadOutcome:
    """What came of a load.

    Parameters
    ----------
    version, number : int or None
        Id and number of the version that the layer shows now; ``None``: the file was refused, and
        nothing was kept.
    rows_stored : int
        Rows of that version.
    inspection : Inspection
        What was found in the file.
    unchanged : bool
        The layer showed just this before; nothing was read or stored.
    quarantine : str or None
        Name under which refused rows are kept.
    """

    version: int | None
    number: int | None
    rows_stored: int
    inspection: Inspection
    unchanged: bool = False
    quarantine: str | None = None


class _Refused(Exception):
    """Ends the transaction of a load that found errors."""


def check_delivery(
    engine: Engine,
    settings: Settings,
    catalogue: Catalogue,
    file: Path,
    options: DeliveryOptions,
    *,
    progress: Tell | None = None,
    stop: Callable[[], bool] | None = None,
) -> Inspection:
    """Read and check a file as a load would, and store nothing.

    Parameters
    ----------
    engine : Engine
        Where the country's regions and the parent layer are looked up.
    settings, catalogue : Settings, Catalogue
        Where temporary files may lie; layers and profiles.
    file : Path
        The file.
    options : DeliveryOptions
        Layer, mapping, repairs.
    progress : callable, optional
        Told how far it is.
    stop : callable, optional
        Asked after each batch whether to stop.

    Returns
    -------
    Inspection
        Everything that was found.

    Raises
    ------
    GeoPlanError
        The file cannot be read at all, or its columns do not fit the layer.
    Stopped
        It was asked to.
    """
    started = time.perf_counter()
    with transaction(engine) as session:
        case = open_case(session, settings, catalogue, file, options)
    return _checked(case, started, progress, stop)[0]


def load_delivery(
    engine: Engine,
    settings: Settings,
    catalogue: Catalogue,
    file: Path,
    options: DeliveryOptions,
    *,
    loaded_by: str,
    job_id: str | None = None,
    progress: Tell | None = None,
    stop: Callable[[], bool] | None = None,
) -> LoadOutcome:
    """Load a file as the next version of its layer: all of it, or nothing.

    Parameters
    ----------
    engine, settings, catalogue, file, options, progress, stop
        As for :func:`check_delivery`. With ``options.partial`` rows with an error go into
        quarantine instead of stopping the load.
    loaded_by : str
        Who loads.
    job_id : str, optional
        A job that becomes done in the same transaction.

    Returns
    -------
    LoadOutcome
        Its ``version`` is ``None`` where errors were found; the layer shows what it showed.

    Raises
    ------
    GeoPlanError
        As for :func:`check_delivery`.
    DatabaseLost, DiskFull
        Nothing was kept.
    """
    started = time.perf_counter()
    with transaction(engine) as session:
        case = open_case(session, settings, catalogue, file, options)
    if case.unchanged and not options.force and case.current is not None:
        return _unchanged(engine, case, job_id, started)
    if options.partial:
        return _load_partial(engine, case, loaded_by, job_id, started, progress, stop)
    meter = Meter(progress, stop)
    try:
        with (
            Examination(case.file, case.given, folder=case.folder) as exam,
            transaction(engine) as session,
        ):
            meter.total = exam.info.rows
            writer = _begin(session, case, loaded_by)
            writer.write_all(_good(exam, case, meter))
            found = exam.inspection(
                sha256=case.sha256,
                seconds=time.perf_counter() - started,
                synthetic=case.profile.synthetic,
            )
            if found.errors:
                raise _Refused
            meter.step("store", 0.85)
            return _finish(session, case, writer, found, loaded_by, job_id)
    except _Refused:
        return LoadOutcome(None, None, 0, found)


def _checked(
    case: Case, started: float, progress: Tell | None, stop: Callable[[], bool] | None
) -> tuple[Inspection, Examination]:
    meter = Meter(progress, stop)
    with Examination(case.file, case.given, folder=case.folder) as exam:
        meter.total = exam.info.rows
        for batch in exam.batches():
            meter.read(len(batch.fields.rows))
        meter.step("check", 0.9)
        found = exam.inspection(
            sha256=case.sha256,
            seconds=time.perf_counter() - started,
            synthetic=case.profile.synthetic,
        )
    return found, exam


def _good(exam: Examination, case: Case, meter: Meter) -> Iterator[pa.RecordBatch]:
    """Give what is to be stored; once something is wrong only the checks go on."""
    names = columns_of(case.spec, exam.plan, case.options.mapping)
    wrong = any(p.severity == "error" for p in exam.problems)
    for batch in exam.batches():
        meter.read(len(batch.fields.rows))
        wrong = wrong or bool(batch.refused.any())
        if not wrong:
            yield stored_batch(batch, names, exam, case.options.mapping, keep=~batch.dropped)
    meter.step("check", 0.8)


def _begin(session: Session, case: Case, loaded_by: str) -> VersionWriter:
    mapping = case.options.mapping
    return begin_version(
        session,
        case.spec,
        mode=case.options.mode,
        pack_id=None,
        profile_id=case.profile.id,
        source_file=case.file.name,
        sha256=case.fingerprint,
        loaded_by=loaded_by,
        rows_read=0,
        rows_refused=0,
        source_crs=None,
        as_of=mapping.as_of,
        source=mapping.source,
        licence=mapping.licence,
        confidence=mapping.confidence,
        basis=mapping.basis,
        method=mapping.method,
        synthetic=case.profile.synthetic,
        report=(),
    )


def _finish(
    session: Session,
    case: Case,
    writer: VersionWriter,
    found: Inspection,
    loaded_by: str,
    job_id: str | None,
    *,
    quarantine: str | None = None,
) -> LoadOutcome:
    """Build indexes, make the version current, and write what became of whom."""
    rows = writer.finish(
        rows_read=found.rows_read,
        rows_refused=found.rows_refused,
        source_crs=found.crs,
        report=problems_of(found),
    )
    if not rows:
        raise EmptyLayer(
            "no row is left to store",
            where=case.file.name,
            remedy="look at the findings; 'geoplan layers check' lists them",
        )
    before = None if case.current is None else int(case.current["number"])
    note = f"{case.file.name}, {case.options.mode}"
    cadastral = case.spec.geometry == "polygon" and case.spec.theme == "cadastre"
    if before is not None and cadastral:
        traced = record_lineage(session, case.spec.id, before, writer.number)
        note += "" if traced is not None else "; lineage not traced"
    write.make_current(session, case.spec.id, writer.version_id, who=loaded_by, note=note)
    if job_id is not None:
        settle(session, job_id, writer.version_id)
    return LoadOutcome(writer.version_id, writer.number, rows, found, quarantine=quarantine)


def _load_partial(
    engine: Engine,
    case: Case,
    loaded_by: str,
    job_id: str | None,
    started: float,
    progress: Tell | None,
    stop: Callable[[], bool] | None,
) -> LoadOutcome:
    """Check first, then read again and store the rows without an error."""
    found, first = _checked(case, started, progress, stop)
    if any(p.severity == "error" for p in found.problems):
        return LoadOutcome(None, None, 0, found)
    refused = first.ledger.refused()
    reasons = first.ledger.reasons(refused.tolist())
    load_id = secrets.token_hex(8) if len(refused) else None
    meter = Meter(progress, stop, total=found.rows_read)
    with (
        Examination(
            case.file, case.given, folder=case.folder, neighbours=False, checks=False
        ) as exam,
        transaction(engine) as session,
    ):
        names = columns_of(case.spec, exam.plan, case.options.mapping)
        left: list[pa.RecordBatch] = []

        def good() -> Iterator[pa.RecordBatch]:
            for batch in exam.batches():
                meter.read(len(batch.fields.rows))
                bad = np.isin(batch.fields.rows, refused, assume_unique=True)
                if bad.any():
                    left.append(refused_rows(batch, bad))
                keep = ~bad & ~batch.dropped
                if keep.any():
                    yield stored_batch(batch, names, exam, case.options.mapping, keep=keep)

        writer = _begin(session, case, loaded_by)
        writer.write_all(good())
        if load_id is not None:
            put_quarantine(
                session,
                case.spec.id,
                load_id=load_id,
                who=loaded_by,
                source_file=case.file.name,
                source_format=found.source.format,
                source_crs=found.crs,
                rows=left,
                reasons=reasons,
            )
        found = replace(found, seconds=time.perf_counter() - started)
        return _finish(session, case, writer, found, loaded_by, job_id, quarantine=load_id)


def _unchanged(engine: Engine, case: Case, job_id: str | None, started: float) -> LoadOutcome:
    assert case.current is not None  # noqa: S101
    with Examination(case.file, case.given, folder=case.folder) as exam:
        found = exam.inspection(sha256=case.sha256, seconds=time.perf_counter() - started)
    version = int(case.current["version_id"])
    if job_id is not None:
        with transaction(engine) as session:
            settle(session, job_id, version)
    return LoadOutcome(
        version, int(case.current["number"]), int(case.current["rows"]), found, unchanged=True
    )
