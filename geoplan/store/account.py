"""Which user owns the private cluster, and which folder that user can keep it in.

PostgreSQL refuses to run as root. Started by root, everything that touches the data is run as an
unprivileged user, and the data lie where that user can reach them.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pwd
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoplan.errors import DiskFull, InputError, Unavailable

__all__ = ["Account", "Place", "account_for", "choose_place", "known_place"]

_FOLDER = "postgres"
_POINTER = "database.json"


@dataclass(frozen=True, slots=True)
class Account:
    """The user that the server runs as; ``drop``: this process is root and changes to it."""

    name: str
    uid: int
    gid: int
    drop: bool

    @property
    def run_as(self) -> dict[str, Any]:
        """Arguments of ``subprocess`` that change to this user."""
        if not self.drop:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this user can reach ``folder`` and write in it."""
        # Asked as that user, by the kernel: mode bits alone miss access lists and mounts.
        test = 'cd -- "$1" 2>/dev/null && test -w .'
        done = subprocess.run(
            ["/bin/sh", "-c", test, "sh", str(folder)],
            cwd="/", stdin=subprocess.DEVNULL, capture_output=True, check=False, **self.run_as,
        )  # fmt: skip
        return done.returncode == 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cluster lies, whose it is, and why there."""

    folder: Path
    account: Account
    reason: str

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self.folder / "server.log"


def account_for(folder: Path | None = None) -> Account:
    """Return the user that runs the server.

    Parameters
    ----------
    folder : Path, optional
        An existing cluster folder: its owner runs it, when this process may become that user.

    Raises
    ------
    InputError
        The folder belongs to somebody that this process may not become.
    """
    me = os.geteuid()
    if folder is not None:
        info = folder.stat()
        if me not in (0, info.st_uid):
            raise InputError(
                f"the database belongs to user {_user_name(info.st_uid)}, "
                f"and this process runs as {_user_name(me)}",
                where=str(folder),
                remedy="run as that user or as root, or choose another folder with GEOPLAN_HOME",
            )
        if info.st_uid != 0:
            return Account(_user_name(info.st_uid), info.st_uid, info.st_gid, drop=me == 0)
    if me != 0:
        return Account(_user_name(me), me, os.getegid(), drop=False)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid, drop=True)
    raise Unavailable(
        "PostgreSQL does not run as root, and this machine has neither user postgres nor nobody",
        remedy="run as an ordinary user, or make a user with: useradd --system postgres",
    )


def known_place(home: Path) -> Place | None:
    """Return where the cluster of ``home`` lies, or ``None`` when it has none yet."""
    pointer = home / _POINTER
    try:
        said = json.loads(pointer.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror}",
            where=str(pointer),
            remedy="run as the user that made it, or choose another folder with GEOPLAN_HOME",
        ) from error
    except ValueError as error:
        raise InputError(
            f"the file is damaged: {error}", where=str(pointer), remedy="restore it or delete it"
        ) from error
    inside = said["inside"]
    folder = home / _FOLDER if inside else Path(said["folder"])
    if not inside and said["home"] != str(home) and (Path(said["home"]) / _POINTER).exists():
        # A copied checkout brings the pointer along; the data stay with the original.
        return None
    if not folder.is_dir():
        return None
    return Place(folder, account_for(folder), said["reason"])


def choose_place(home: Path) -> Place:
    """Choose and make the folder of a new cluster, and remember it in ``home``.

    The first of these that the server's user can enter: ``home/postgres``;
    ``/var/lib/geoplan/<hash of home>`` for root, the user's state folder otherwise;
    ``/var/tmp/geoplan-<hash of home>``.

    Raises
    ------
    Unavailable
        None of them can be used; each is named with its reason.
    DiskFull
        No space is left.
    """
    account = account_for()
    refused: list[str] = []
    for folder in _folders(home, account):
        why = _make(folder, account)
        if why is None:
            reason = f"beside the checkout's other data, in {home}"
            if refused:
                reason = f"{'; '.join(refused)}: the data lie in {folder}"
            place = Place(folder, account, reason)
            _remember(home, place)
            return place
        refused.append(why)
    raise Unavailable(
        f"no folder for the database: {'; '.join(refused)}",
        where=str(home),
        remedy="set GEOPLAN_HOME to a folder that the user may enter",
    )


def _folders(home: Path, account: Account) -> Sequence[Path]:
    short = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    if account.drop:
        second = Path("/var/lib/geoplan") / short
    else:
        state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        second = Path(state).expanduser() / "geoplan" / short
    return (home / _FOLDER, second, Path("/var/tmp") / f"geoplan-{short}")  # noqa: S108


def _make(folder: Path, account: Account) -> str | None:
    """Make ``folder`` for ``account`` alone; return why not, or ``None`` when it is ready."""
    made = False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir(mode=0o700)
            made = True
        except FileExistsError:
            pass
        info = folder.lstat()
        # In a folder open to all, somebody else may have put a link or a folder of theirs there.
        if not stat.S_ISDIR(info.st_mode) or info.st_uid not in (account.uid, os.geteuid()):
            return f"{folder} belongs to somebody else"
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
        folder.chmod(0o700)
        info = folder.lstat()
        if info.st_uid != account.uid or stat.S_IMODE(info.st_mode) != 0o700:
            why: str | None = f"the file system of {folder} does not keep owners and modes"
        elif not account.can_enter(folder):
            why = f"user {account.name} cannot enter {folder}"
        else:
            why = None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                "no space is left for the database", where=str(folder), remedy="free some space"
            ) from error
        why = f"{folder}: {error.strerror}"
    if why is not None and made:
        folder.rmdir()
    return why


def _remember(home: Path, place: Place) -> None:
    inside = place.folder == home / _FOLDER
    said = {
        "inside": inside,
        "folder": str(place.folder),
        "home": str(home),
        "user": place.account.name,
        "reason": place.reason,
    }
    pointer = home / _POINTER
    partial = pointer.with_suffix(".partial")
    partial.write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(pointer)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
