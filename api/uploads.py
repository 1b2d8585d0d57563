"""Receive files: streamed to the disk, hashed on the way, kept whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
import shutil
import time
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from anyio import to_thread

from api.errors import TooLarge, TooMany
from api.writing import writing
from geoplan.errors import DiskFull, InputError
from geoplan.partial import full_disk_told, held, sweep
from geoplan.settings import Settings
from geoplan.store.serve.database import Database
from geoplan.store.upload import UploadInfo, put_upload

__all__ = ["Uploads", "remove_unknown", "safe_name"]

_CHUNK = 1 << 20  # bytes handed to the disk at a time
_SPARE = 64 << 20  # bytes of the disk that an upload never takes
_YOUNG_S = 3600.0  # seconds
_IDLE_S = 60.0  # seconds without a byte after which a sender is gone
_NAME_BYTES = 200  # of 255 that file systems take; the rest is for what is put beside the file
_ZWNJ = "\u200c"  # a letter of Persian words, though Unicode counts it among the format marks


def safe_name(name: str) -> str:
    """Return the last component of a file name, free of what a file system or page could trip on.

    Parameters
    ----------
    name : str
        As the client calls it, with or without folders of any system.

    Raises
    ------
    InputError
        Nothing is left of it.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    # Control, format (also those that turn the direction of text), surrogates, unassigned.
    kept = "".join(c for c in last if c == _ZWNJ or unicodedata.category(c)[0] != "C")
    kept = kept.strip(" " + _ZWNJ).lstrip(".").rstrip(". ")
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, ending = kept, ""
    room = _NAME_BYTES - len((dot + ending).encode() if ending else b"")
    while len(stem.encode()) > room:
        stem = stem[:-1]
    kept = f"{stem}.{ending}" if ending else stem
    if not kept.strip(" ."):
        raise InputError(
            "this is no file name", where="name", remedy="send a name such as ?name=plots.gpkg"
        )
    return kept


def remove_unknown(folder: Path, known: set[str]) -> None:
    """Remove the folders in ``folder`` whose names are not ``known``, but none of this hour."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        # A younger one may belong to a row that is being entered just now.
        old = time.time() - entry.stat().st_mtime > _YOUNG_S
        if entry.is_dir() and old and not entry.name.startswith(".") and entry.name not in known:
            shutil.rmtree(entry, ignore_errors=True)


class Uploads:
    """Takes files into a folder.

    Parameters
    ----------
    settings : Settings
        Folder and largest size.
    database : Database
        Where they are entered.
    at_once : int
        Files that may arrive at the same time.
    """

    def __init__(self, settings: Settings, database: Database, *, at_once: int = 4) -> None:
        self._folder = settings.uploads_dir
        self._most = int(settings.upload_mb * 1e6)
        self._database = database
        self._free = at_once
        self._place: str | None = None

    def path(self, upload: UploadInfo) -> Path:
        """Return where a file lies."""
        return self._folder / upload.id / upload.name

    def place(self) -> str:
        """Return the name of the folder, by which servers that share a database tell theirs."""
        file = self._folder / ".place"
        if self._place is None:
            self._make_folder()
            with contextlib.suppress(FileExistsError), held(file) as folder:
                (folder / "name").write_text(secrets.token_hex(16), encoding="ascii")
                # A link is made whole or not at all, and never over what is there.
                file.hardlink_to(folder / "name")
            self._place = file.read_text(encoding="ascii")
        return self._place

    def sweep(self, known: set[str]) -> None:
        """Remove what was never finished, and folders of uploads that are not in ``known``."""
        sweep(self._folder)
        remove_unknown(self._folder, known)

    async def receive(
        self,
        chunks: AsyncIterator[bytes],
        *,
        name: str,
        sent_by: str,
        length: int | None = None,
        sha256: str | None = None,
    ) -> tuple[UploadInfo, bool]:
        """Take one file; return it, and whether it is new here.

        Parameters
        ----------
        chunks : async iterator of bytes
            The file.
        name : str
            As the client calls it.
        sent_by : str
            Who sends it.
        length : int, optional
            Bytes that were announced.
        sha256 : str, optional
            Hash that it must have.

        Raises
        ------
        TooLarge
            It is, or is announced to be, larger than the service takes.
        TooMany
            Too many files arrive already.
        DiskFull
            No space is left for it.
        InputError
            Its name is no name, it is empty, was cut off, or has another hash.
        """
        name = safe_name(name)
        self._check_room(length or 0)
        if self._free < 1:
            raise TooMany(
                "too many files arrive at the same time", remedy="send it again in a minute"
            )
        self._free -= 1
        try:
            with full_disk_told(self._folder):
                await to_thread.run_sync(self._make_folder)
                upload_id = secrets.token_hex(16)
                with held(self._folder / upload_id) as folder:
                    size, digest = await self._write(folder / "body", chunks)
                    if size == 0:
                        raise InputError(
                            "the file is empty", where=name, remedy="send the file as the body"
                        )
                    if sha256 is not None and digest != sha256.lower():
                        raise InputError(
                            f"the bytes that arrived have the SHA-256 {digest}",
                            where=name,
                            remedy="something changed them on the way: send the file again",
                        )
                    made = _Draft(upload_id, name, size, digest, sent_by)
                    return await to_thread.run_sync(self._keep, folder / "body", made)
        finally:
            self._free += 1

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _check_room(self, wanted: int) -> None:
        if wanted > self._most:
            raise self._too_large()
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if shutil.disk_usage(folder).free < wanted + _SPARE:
            raise DiskFull(
                "no space is left for this file; nothing of it was kept",
                where="uploads",
                remedy="ask who runs this server to free some space, then send it again",
            )

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"a file may have {self._most / 1e6:,.0f} MB",
            where="body",
            remedy="send it in parts or zipped, or raise GEOPLAN_UPLOAD_MB on the server",
        )

    async def _write(self, target: Path, chunks: AsyncIterator[bytes]) -> tuple[int, str]:
        size, digest, waiting = 0, hashlib.sha256(), bytearray()
        with target.open("xb") as stream:
            async for chunk in _timely(chunks):
                size += len(chunk)
                if size > self._most:
                    raise self._too_large()
                waiting += chunk
                if len(waiting) >= _CHUNK:
                    await to_thread.run_sync(_store, stream, digest, bytes(waiting))
                    waiting.clear()
                    if size % (_CHUNK * 64) < _CHUNK:
                        self._check_room(0)
            await to_thread.run_sync(_store, stream, digest, bytes(waiting))
            await to_thread.run_sync(_to_disk, stream)
        return size, digest.hexdigest()

    def _keep(self, body: Path, draft: _Draft) -> tuple[UploadInfo, bool]:
        folder = self._folder / draft.id
        try:
            with writing(self._database) as session:
                kept = put_upload(
                    session,
                    upload_id=draft.id,
                    place=self.place(),
                    name=draft.name,
                    size=draft.size,
                    sha256=draft.sha256,
                    sent_by=draft.sent_by,
                )
                target = self.path(kept)
                # The same file again is dropped, unless somebody has lost the first one.
                if not target.is_file() or target.stat().st_size != kept.size:
                    target.parent.mkdir(mode=0o700, exist_ok=True)
                    body.replace(target)
            return kept, kept.id == draft.id
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


@dataclass(frozen=True, slots=True)
class _Draft:
    """A file that has arrived and is not entered yet."""

    id: str
    name: str
    size: int
    sha256: str
    sent_by: str


async def _timely(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    iterator = aiter(chunks)
    while True:
        try:
            async with asyncio.timeout(_IDLE_S):
                chunk = await anext(iterator)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise InputError(
                f"nothing arrived for {_IDLE_S:g} s; nothing of the file was kept",
                where="body",
                remedy="send it again",
            ) from error
        yield chunk


def _store(stream: BinaryIO, digest: hashlib._Hash, chunk: bytes) -> None:
    digest.update(chunk)
    stream.write(chunk)


def _to_disk(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())
