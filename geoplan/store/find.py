"""Find rows of a layer by what people type."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2 import sql
from sqlalchemy.orm import Session

from geoplan.errors import InputError
from geoplan.persian import search_key
from geoplan.store.rows import driver_of, version_rows

__all__ = ["FoundRow", "find_rows"]


@dataclass(frozen=True, slots=True)
class FoundRow:
    """A row that was found.

    Parameters
    ----------
    id : int
        As in tiles.
    bbox : tuple of 4 float or None
        West, south, east, north, EPSG:4326.
    """

    id: int
    key: str
    search: str
    bbox: tuple[float, float, float, float] | None


def find_rows(session: Session, layer_id: str, text: str, limit: int = 20) -> list[FoundRow]:
    """Return rows of the current version whose key or search text holds what was typed.

    Parameters
    ----------
    text : str
        Spelt as it may be: letters and digits are compared as
        :func:`geoplan.persian.search_key` writes them. Without a letter or digit nothing is found.
    limit : int
        At least 1, at most 1,000.

    Returns
    -------
    list of FoundRow
        The very key first, then those that begin with the text, then the rest; by key.

    Raises
    ------
    UnknownName
        The layer was never loaded.
    InputError
        Its table has no search text, or the limit is outside its range.
    """
    if not 1 <= limit <= 1_000:
        raise InputError(f"a limit of {limit} is outside 1 to 1,000", where="limit")
    place = version_rows(session, layer_id)
    if "search" not in place.table.c:
        raise InputError(f"rows of table '{place.table.name}' cannot be searched", where=layer_id)
    typed = text.replace("\0", "").strip()
    wanted = search_key(typed)
    if not wanted:
        return []
    part = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    statement = sql.SQL(
        "select id, key, coalesce(search, ''), "
        "st_xmin(geom), st_ymin(geom), st_xmax(geom), st_ymax(geom) from {} "
        "where {} and (search like %(within)s or key = %(typed)s) "
        "order by key <> %(typed)s, search not like %(begins)s, "
        'key collate "C", id limit %(limit)s'
    ).format(place.source, place.only())
    values = {"within": f"%{part}%", "begins": f"{part}%", "typed": typed, "limit": limit}
    with driver_of(session).cursor() as cursor:
        cursor.execute(statement, values)
        return [
            FoundRow(row[0], row[1], row[2], None if row[3] is None else tuple(row[3:]))
            for row in cursor.fetchall()
        ]
