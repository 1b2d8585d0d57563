"""The folder of a delivery: which of its files may be read, and what they weigh and hash to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath, PureWindowsPath

from geoplan.errors import FileMissing, InputError, RangeError

__all__ = ["PackFolder"]

_MAX_BYTES = 8_000_000_000
_SIDECARS = (".dbf", ".shx", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".shp.xml")


@dataclass
class PackFolder:
    """A folder that files are read from, and nothing outside of it.

    Parameters
    ----------
    root : Path
        The folder.

    Raises
    ------
    FileMissing
        It does not exist or is not a folder.
    """

    root: Path
    _hashes: dict[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise FileMissing(
                "the pack's folder does not exist",
                where=str(self.root),
                remedy="give the folder that holds the delivered files",
            )
        self.root = self.root.resolve()

    def file(self, relative: str) -> Path:
        """Return the absolute path of a file of the pack.

        Raises
        ------
        InputError
            The path is absolute, climbs out of the folder (also through a link), or is one of
            GDAL's virtual or network paths.
        FileMissing
            There is no such file.
        RangeError
            The file is too large.
        """
        windows = PureWindowsPath(relative)
        posix = PurePosixPath(relative)
        outside = (
            not relative.strip()
            or "\x00" in relative
            or "\\" in relative
            or ":" in relative
            or posix.is_absolute()
            or bool(windows.drive)
            or ".." in posix.parts
            or relative.lower().startswith("/vsi")
        )
        if outside:
            raise InputError(
                f"the path {relative!r} does not stay inside the pack's folder",
                where=str(self.root),
                remedy="write it relative to the folder, without '..', links or addresses",
            )
        path = self.root / relative
        try:
            real = path.resolve(strict=True)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise FileMissing(
                "there is no such file in the pack", where=relative, remedy=self._suggest(relative)
            ) from error
        except (OSError, RuntimeError) as error:
            raise InputError(f"this path cannot be followed: {error}", where=relative) from error
        family = [real]
        if real.suffix.lower() == ".shp":
            family += [s for x in _SIDECARS if (s := path.with_suffix(x)).exists()]
        for member in family:
            if not member.resolve().is_relative_to(self.root):
                raise InputError(
                    f"{member.name} is a link that leaves the pack's folder",
                    where=relative,
                    remedy="put the file itself into the folder",
                )
        if not real.is_file():
            raise FileMissing("this is not a file", where=relative, remedy=self._suggest(relative))
        size = real.stat().st_size
        if size > _MAX_BYTES:
            raise RangeError(
                f"the file has {size:,} bytes; the limit is {_MAX_BYTES:,}",
                where=relative,
                remedy="split it",
            )
        return real

    def sha256(self, relative: str) -> str:
        """Return the SHA-256 of a file; of a Shapefile, of all its parts."""
        known = self._hashes.get(relative)
        if known is not None:
            return known
        path = self.file(relative)
        digest = hashlib.sha256()
        parts = [path]
        if path.suffix.lower() == ".shp":
            parts += [s for x in _SIDECARS if (s := path.with_suffix(x)).exists()]
        for part in parts:
            try:
                with part.open("rb") as stream:
                    while chunk := stream.read(1 << 20):
                        digest.update(chunk)
            except OSError as error:
                raise FileMissing(
                    f"this file cannot be read: {error.strerror}",
                    where=relative,
                    remedy="check its permissions",
                ) from error
        self._hashes[relative] = digest.hexdigest()
        return self._hashes[relative]

    def _suggest(self, relative: str) -> str:
        there = [
            str(p.relative_to(self.root))
            for p in sorted(self.root.rglob("*"))[:5000]
            if p.is_file() and not p.is_symlink()
        ]
        close = get_close_matches(relative, there, n=1) or get_close_matches(
            PurePosixPath(relative).name, [PurePosixPath(t).name for t in there], n=1
        )
        return f"did you mean '{close[0]}'?" if close else "check the pack's 'file'"
