"""Unpack what was delivered in a zip or gzip, into a private folder and within limits."""

from __future__ import annotations

import errno
import gzip
import lzma
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from geoplan.errors import InputError, RangeError
from geoplan.ingest.reader.encoding import detect
from geoplan.ingest.reader.request import Limits

__all__ = ["unpack_gzip", "unpack_zip"]

_CHUNK = 1 << 20
_RATIO = 200
_SMALL = 50_000_000


def unpack_zip(path: Path, folder: Path, limits: Limits) -> list[Path]:
    """Unpack a zip and return its files.

    Raises
    ------
    InputError
        It is damaged, encrypted, or has names that leave the folder, links or nested archives.
    RangeError
        It has too many files, or unpacks to too much: counted while unpacking, because what the
        archive says of its sizes can be a lie.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            _check_names(members, limits, path.name)
            return _unpack(archive, members, folder, limits, path)
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, ValueError,
        RuntimeError, IndexError, struct.error,
    ) as error:  # fmt: skip
        raise _damaged(error, path.name) from error
    except OSError as error:
        if error.errno == errno.EINVAL:  # an offset in front of the file
            raise _damaged(error, path.name) from error
        raise


def _damaged(error: Exception, where: str) -> InputError:
    return InputError(
        f"the zip cannot be unpacked: {error}", where=where, remedy="deliver it again"
    )


def _check_names(members: list[zipfile.ZipInfo], limits: Limits, where: str) -> None:
    if len(members) > limits.members:
        raise RangeError(
            f"the zip holds {len(members):,} files; the limit is {limits.members:,}",
            where=where,
            remedy="deliver fewer files at once",
        )
    seen: set[str] = set()
    for member in members:
        name = _name(member)
        outside = name.is_absolute() or ".." in name.parts or ":" in member.filename
        if outside or "\x00" in member.filename or not name.name:
            raise InputError(
                f"the zip holds a path that leaves its folder: {member.filename!r}",
                where=where,
                remedy="pack the files again, without '..' and drive letters",
            )
        if any(len(part.encode("utf-8", "replace")) > 255 for part in name.parts):
            raise InputError(
                f"the zip holds a name of {len(member.filename):,} letters",
                where=where,
                remedy="give it a shorter name",
            )
        if str(name) in seen or any(str(p) in seen for p in name.parents):
            raise InputError(
                f"the zip holds the name {str(name)!r} twice", where=where, remedy="pack it again"
            )
        seen.add(str(name))
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise InputError(
                f"the zip holds a link or device: {member.filename!r}",
                where=where,
                remedy="pack the file itself",
            )
        if member.flag_bits & 0x1:
            raise InputError(
                "the zip is encrypted", where=where, remedy="deliver it without a password"
            )
        if name.suffix.lower() in (".zip", ".rar", ".7z", ".gz", ".tar"):
            raise InputError(
                f"the zip holds another archive: {name.name!r}",
                where=where,
                remedy="unpack it and deliver one zip",
            )


def _name(member: zipfile.ZipInfo) -> PurePosixPath:
    """Return where a member goes, with ``/`` between folders and letters as they were meant."""
    name = member.filename
    if not member.flag_bits & 0x800 and not name.isascii():
        # Old packers write names in the code page of their machine; zipfile reads all as cp437.
        raw = name.encode("cp437", "replace")
        name = raw.decode(detect(raw).name, "replace")
    return PurePosixPath(name.replace("\\", "/"))


def _unpack(
    archive: zipfile.ZipFile,
    members: list[zipfile.ZipInfo],
    folder: Path,
    limits: Limits,
    path: Path,
) -> list[Path]:
    packed = max(1, path.stat().st_size)
    total = 0
    out = []
    for member in members:
        target = folder / _name(member)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK):
                total += len(chunk)
                _within(total, packed, limits, path.name)
                sink.write(chunk)
        out.append(target)
    return out


def unpack_gzip(path: Path, folder: Path, limits: Limits) -> Path:
    """Unpack a gzip file and return the file in it.

    Raises
    ------
    InputError, RangeError
        It is damaged, or unpacks to too much.
    """
    name = path.name[:-3] if path.name.lower().endswith(".gz") else path.name
    target = folder / (name or "unpacked")
    packed = max(1, path.stat().st_size)
    total = 0
    try:
        with gzip.open(path, "rb") as source, target.open("xb") as sink:
            while chunk := source.read(_CHUNK):
                total += len(chunk)
                _within(total, packed, limits, path.name)
                sink.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(
            f"the gzip file cannot be unpacked: {error}", where=path.name, remedy="deliver it again"
        ) from error
    return target


def _within(total: int, packed: int, limits: Limits, where: str) -> None:
    if total > limits.unpacked_bytes or (total > _SMALL and total > _RATIO * packed):
        raise RangeError(
            f"{packed:,} bytes unpack to more than {total:,}",
            where=where,
            remedy="this looks like a zip bomb; deliver the files themselves",
        )
