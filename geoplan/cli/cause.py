"""What went wrong outside the program, in GeoPlan's words."""

from __future__ import annotations

import errno

from geoplan.errors import DatabaseLost, DiskFull, GeoPlanError, InputError, Unavailable

__all__ = ["as_geoplan_error"]

_FULL = (errno.ENOSPC, errno.EDQUOT)
_LOCKED = (errno.EACCES, errno.EPERM, errno.EROFS)


def as_geoplan_error(error: BaseException) -> GeoPlanError | None:
    """Return the error as a person should read it; ``None`` for a mistake of the program's own.

    Parameters
    ----------
    error : BaseException
        As a command let it through.
    """
    if isinstance(error, GeoPlanError):
        return error
    if isinstance(error, MemoryError):
        text = str(error)
        return Unavailable(
            f"there is not enough memory{': ' + text if text else ''}",
            remedy="give a larger grid.cell_m or a smaller area, or end other programs",
        )
    if isinstance(error, OSError) and error.errno is not None:
        return _of_the_system(error)
    if type(error).__module__.startswith(("sqlalchemy", "psycopg2")) and type(error).__name__ in (
        "OperationalError",
        "InterfaceError",
    ):
        text = str(getattr(error, "orig", error)).strip()
        return DatabaseLost(
            text.splitlines()[0] if text else "the database went away",
            remedy="see 'geoplan db status'; nothing of this command was kept in the database",
        )
    return None


def _of_the_system(error: OSError) -> GeoPlanError:
    where = str(error.filename or "")
    if error.errno in _FULL:
        return DiskFull(
            "no space is left on the disk",
            where=where,
            remedy="free some space, or set GEOPLAN_HOME to a larger disk; nothing half-written "
            "was kept",
        )
    if error.errno in _LOCKED:
        return InputError(
            f"this may not be read or written: {error.strerror}",
            where=where,
            remedy="change the permissions, or choose another folder",
        )
    return Unavailable(
        f"the system refused it: {error.strerror}",
        where=where,
        remedy="check this path and try again",
    )
