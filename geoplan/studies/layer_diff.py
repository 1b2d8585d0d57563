"""What changed between two versions of a layer, as reports show it."""

from __future__ import annotations

from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.errors import UnknownName
from geoplan.report.diff import DiffView, Side, diff_view
from geoplan.store import read
from geoplan.store.diff import diff
from geoplan.store.history import History, Version, history
from geoplan.store.session import transaction

__all__ = ["MOST_SHOWN", "compare_versions"]

MOST_SHOWN = 20_000
"""Rows of each kind that are shown one by one; counts are exact whatever is left out."""


def compare_versions(
    engine: Engine,
    catalogue: Catalogue,
    layer: str,
    *,
    before: int | None = None,
    after: int | None = None,
) -> DiffView:
    """Compare two versions of a layer.

    Parameters
    ----------
    engine, catalogue : Engine, Catalogue
        The database; titles.
    layer : str
        Layer.
    before, after : int, optional
        Numbers of the versions; absent: the one that the layer shows, and the one before it.

    Raises
    ------
    UnknownName
        No such layer or version, or there is only one.
    """
    spec = catalogue.layer(layer)
    with transaction(engine) as session:
        known = history(session, layer)
        newer = _numbered(known, after)
        older = _numbered(known, before) if before is not None else _before(known, newer)
        found = diff(session, layer, older.number, newer.number, most=MOST_SHOWN)
        places = {}
        if len(found.changed):
            rows = read.layer_frame(session, layer, columns=["key"], number=newer.number)
            places = dict(zip(rows["key"], rows.geometry, strict=True))
    return diff_view(
        found,
        spec.title,
        before=_side(older, found.rows_a),
        after=_side(newer, found.rows_b),
        places=places,
        synthetic=newer.synthetic,
    )


def _numbered(known: History, number: int | None) -> Version:
    for version in known.versions:
        if version.current if number is None else version.number == number:
            return version
    there = ", ".join(str(v.number) for v in known.versions)
    raise UnknownName(
        f"layer '{known.layer_id}' has no version {number}",
        where=known.layer_id,
        remedy=f"it has {there}",
    )


def _before(known: History, newer: Version) -> Version:
    older = [v for v in known.versions if v.number < newer.number]
    if not older:
        raise UnknownName(
            f"there is no version before {newer.number}",
            where=known.layer_id,
            remedy="name two versions with --from and --to",
        )
    return max(older, key=lambda v: v.number)


def _side(version: Version, rows: int) -> Side:
    return Side(
        version.number, version.loaded_at.isoformat(), version.loaded_by, version.source_file, rows
    )
