"""Files that were sent to the service: what is known of them; they lie beside the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geoplan.errors import UnknownName
from geoplan.store import tables

__all__ = [
    "UploadInfo",
    "find_upload",
    "known_uploads",
    "put_upload",
    "remove_old",
    "upload_info",
]


@dataclass(frozen=True, slots=True)
class UploadInfo:
    """A file that was sent.

    Parameters
    ----------
    id, name : str
        Name of its folder, and of the file in it.
    size : int
        Bytes.
    sha256, sent_by : str
        Its hash; who sent it.
    created_at : datetime
        When it was sent last.
    """

    id: str
    name: str
    size: int
    sha256: str
    sent_by: str
    created_at: datetime


def put_upload(
    session: Session,
    *,
    upload_id: str,
    place: str,
    name: str,
    size: int,
    sha256: str,
    sent_by: str,
) -> UploadInfo:
    """Enter a file that was received whole; return it, or the same one that was there before.

    Parameters
    ----------
    place : str
        Folder that has it: several servers may share a database and not their disks.
    size : int
        Bytes.
    """
    entered = (
        insert(tables.Upload)
        .values(id=upload_id, place=place, name=name, bytes=size, sha256=sha256, sent_by=sent_by)
        # What is sent again is wanted again: it is kept as long as a new one.
        .on_conflict_do_update(
            index_elements=["place", "sha256", "bytes", "name"], set_={"created_at": func.now()}
        )
        .returning(tables.Upload.id)
    )
    return find_upload(session, str(session.scalar(entered)))


def find_upload(session: Session, upload_id: str) -> UploadInfo:
    """Return an upload.

    Raises
    ------
    UnknownName
        There is none of this id.
    """
    row = session.get(tables.Upload, upload_id)
    if row is None:
        raise UnknownName(
            f"there is no upload '{upload_id[:80]}'",
            where="upload",
            remedy="send the file again with PUT /api/uploads",
        )
    return upload_info(row)


def known_uploads(session: Session) -> tuple[set[str], set[str]]:
    """Return the ids of all uploads and of all jobs; what lies under other names can go."""
    uploads = set(session.scalars(select(tables.Upload.id)))
    return uploads, set(session.scalars(select(tables.LoadJob.id)))


def remove_old(session: Session, *, days: float) -> int:
    """Forget uploads that nobody has touched for ``days``, with their jobs; return how many.

    An upload stays while one of its jobs waits or runs, or has ended within that time.
    """
    cut = func.now() - timedelta(days=days)
    job = tables.LoadJob
    young = select(job.upload_id).where(
        or_(job.finished_at.is_(None), job.finished_at >= cut, job.created_at >= cut)
    )
    gone = session.execute(
        delete(tables.Upload).where(tables.Upload.created_at < cut, tables.Upload.id.notin_(young))
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def upload_info(row: tables.Upload) -> UploadInfo:
    """Return what is known of a file, free of its session."""
    return UploadInfo(row.id, row.name, row.bytes, row.sha256, row.sent_by, row.created_at)
