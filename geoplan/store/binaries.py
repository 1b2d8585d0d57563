"""Find the PostgreSQL and PostGIS programs of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import PostgisMissing

__all__ = [
    "MIN_POSTGIS",
    "MIN_POSTGRES",
    "Binaries",
    "find_binaries",
    "install_remedy",
    "usual_folders",
]

MIN_POSTGRES = 15
MIN_POSTGIS = (3, 3)

_PROGRAMS = ("initdb", "pg_ctl", "postgres", "pg_dump", "pg_restore")
_USUAL = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat family
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)
# The PostgreSQL that each distribution release carries, to name the exact package.
_RELEASES = {
    ("debian", "12"): 15,
    ("debian", "13"): 17,
    ("ubuntu", "23.04"): 15,
    ("ubuntu", "24.04"): 16,
    ("ubuntu", "25.04"): 17,
    ("ubuntu", "25.10"): 17,
    ("ubuntu", "26.04"): 18,
}


@dataclass(frozen=True, slots=True)
class Binaries:
    """One usable installation.

    Parameters
    ----------
    folder : Path
        Holds ``initdb``, ``pg_ctl``, ``postgres``, ``pg_dump`` and ``pg_restore``.
    version : tuple of int
        PostgreSQL version, for example ``(15, 14)``.
    postgis : str
        Version of the PostGIS extension that this server would create.
    """

    folder: Path
    version: tuple[int, ...]
    postgis: str

    @property
    def major(self) -> int:
        """Major version of the server, which is also the format of its data."""
        return self.version[0]

    def program(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / name)


def usual_folders() -> list[Path]:
    """Return the folders in which PostgreSQL's server programs are looked for, without repeats."""
    found: list[Path] = []
    asked = shutil.which("pg_config")
    if asked and (said := _output([asked, "--bindir"])):
        found.append(Path(said))
    found += [
        Path(program).resolve().parent
        for name in ("postgres", "initdb")
        if (program := shutil.which(name))
    ]
    for pattern in _USUAL:
        found += Path("/").glob(pattern.lstrip("/"))
    return list(dict.fromkeys(found))


def find_binaries(
    folders: Sequence[Path] | None = None, *, major: int | None = None, where: str = ""
) -> Binaries:
    """Return the newest installation that has PostGIS.

    Parameters
    ----------
    folders : sequence of Path, optional
        Where to look; default the usual folders and what ``pg_config`` says.
    major : int, optional
        Only this major version: a data folder can be opened by no other.
    where : str, optional
        The data folder that asks for ``major``; named in the error.

    Raises
    ------
    PostgisMissing
        Nothing usable; the remedy names the packages to install.
    """
    servers = sorted(_servers(usual_folders() if folders is None else folders), reverse=True)
    usable = []
    for version, folder in servers:
        postgis = _postgis_version(folder, version[0])
        if postgis is not None and _numbers(postgis)[:2] >= MIN_POSTGIS:
            usable.append(Binaries(folder, version, postgis))
    usable = [b for b in usable if b.major >= MIN_POSTGRES]
    if major is not None:
        same = [b for b in usable if b.major == major]
        if not same:
            raise PostgisMissing(
                f"the database was made by PostgreSQL {major}, "
                f"which is not on this machine with PostGIS",
                where=where,
                remedy=f"apt-get install postgresql-{major} postgresql-{major}-postgis-3",
            )
        return same[0]
    if usable:
        return usable[0]
    raise PostgisMissing(
        *_missing(servers), remedy=install_remedy(servers[0][0][0] if servers else None)
    )


def install_remedy(found_major: int | None = None) -> str:
    """Return the command that installs what is missing.

    Parameters
    ----------
    found_major : int, optional
        Major version of a PostgreSQL that is there without PostGIS.
    """
    major = found_major if found_major and found_major >= MIN_POSTGRES else _release_major()
    elsewhere = "or set GEOPLAN_DATABASE_URL to a server that has PostGIS"
    if major is None:
        return (
            f"install PostgreSQL {MIN_POSTGRES} or newer with PostGIS 3 "
            f"(Debian: apt-get install postgresql postgresql-NN-postgis-3, NN the version), "
            f"{elsewhere}"
        )
    return f"apt-get install postgresql postgresql-{major}-postgis-3, {elsewhere}"


def _missing(servers: Sequence[tuple[tuple[int, ...], Path]]) -> tuple[str]:
    if not servers:
        return (f"no PostgreSQL server (version {MIN_POSTGRES} or newer) was found",)
    version, folder = servers[0]
    number = ".".join(map(str, version))
    if version[0] < MIN_POSTGRES:
        return (f"PostgreSQL {number} in {folder} is older than {MIN_POSTGRES}",)
    postgis = _postgis_version(folder, version[0])
    if postgis is None:
        return (f"PostgreSQL {number} in {folder} has no PostGIS",)
    return (f"PostGIS {postgis} of {folder} is older than {'.'.join(map(str, MIN_POSTGIS))}",)


def _servers(folders: Iterable[Path]) -> Iterable[tuple[tuple[int, ...], Path]]:
    for folder in folders:
        if all(os.access(folder / name, os.X_OK) for name in _PROGRAMS):
            version = _numbers(_output([str(folder / "postgres"), "--version"]))
            if version:
                yield version, folder


def _postgis_version(folder: Path, major: int) -> str | None:
    for share in _share_folders(folder, major):
        control = share / "extension" / "postgis.control"
        if control.is_file():
            text = control.read_text(encoding="utf-8", errors="replace")
            said = re.search(r"default_version\s*=\s*'([^']+)'", text)
            return said.group(1) if said else None
    return None


def _share_folders(folder: Path, major: int) -> Iterable[Path]:
    said = _output([str(folder / "pg_config"), "--sharedir"])
    if said:
        yield Path(said)
    # A server without the development package has no pg_config of its own.
    yield Path(f"/usr/share/postgresql/{major}")
    yield Path(f"/usr/share/postgresql{major}")
    yield folder.parent / "share" / "postgresql"
    yield folder.parent / "share"


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _numbers(text: str) -> tuple[int, ...]:
    said = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(n) for n in said.group().split(".")) if said else ()


def _release_major() -> int | None:
    try:
        lines = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    key = (said.get("ID", "").strip('"'), said.get("VERSION_ID", "").strip('"'))
    return _RELEASES.get(key)
