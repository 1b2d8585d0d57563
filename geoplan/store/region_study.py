"""Write a measure of regions: once, whole, with what it rests on."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy.orm import Session

from geoplan.errors import InputError
from geoplan.store import tables
from geoplan.store.copy import cells, copy_rows, plain

__all__ = ["VALUE_COLUMNS", "put_region_study"]

VALUE_COLUMNS = ("level", "code", "variable", "value", "unit", "status", "assumed")


def put_region_study(
    session: Session,
    *,
    study_id: str,
    kind: str,
    spec_id: str,
    spec_sha256: str,
    profile_id: str,
    title: tuple[str, str | None],
    level: int,
    layers: dict[str, Any],
    software: dict[str, Any],
    synthetic: bool,
    document: dict[str, Any],
    values: pd.DataFrame,
) -> None:
    """Store a study and its values in the session's transaction.

    Parameters
    ----------
    study_id : str
        Not used before.
    kind : str
        ``index``, ``composite``, ``inequality`` …
    spec_id, spec_sha256 : str
        What was asked, and the sha256 of its canonical JSON.
    profile_id : str
        Country.
    title : tuple of str
        In English and in the country's own language.
    level : int
        Region level of the answer.
    layers : dict
        Layer id → its version record with sha256.
    software : dict
        Name → version.
    synthetic : bool
        The country is made up.
    document : dict
        The whole answer; NaN is stored as null.
    values : DataFrame
        `VALUE_COLUMNS`; one row per level, region and variable. A value that is not known is NaN,
        and ``status`` says why.

    Raises
    ------
    InputError
        There is a study of that id.
    RangeError
        A value is infinite: the document may say so in words, the table holds NaN.
    """
    if session.get(tables.RegionStudy, study_id) is not None:
        raise InputError(
            f"there is a study '{study_id}' already; studies are never changed",
            where="study",
            remedy="save it again: it gets an id of its own",
        )
    session.add(
        tables.RegionStudy(
            id=study_id,
            kind=kind,
            spec_id=spec_id,
            spec_sha256=spec_sha256,
            profile_id=profile_id,
            title_en=title[0],
            title_local=title[1],
            level=level,
            synthetic=synthetic,
            assumed=bool(values["assumed"].any()),
            layers=plain(layers),
            software=plain(software),
            document=plain(document),
        )
    )
    session.flush()
    table: Any = tables.RegionValue.__table__
    where = f"study '{study_id}'"
    parts = [cells([study_id] * len(values), table.c.study_id.type, where=where)]
    parts += [
        cells(values[name].tolist(), table.c[name].type, where=f"{where}, {name}")
        for name in VALUE_COLUMNS
    ]
    copy_rows(session, table, ["study_id", *VALUE_COLUMNS], zip(*parts, strict=True))
