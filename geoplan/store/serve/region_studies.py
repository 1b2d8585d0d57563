"""Measures of regions that were stored: lists, documents and values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geoplan.errors import UnknownName
from geoplan.store import tables
from geoplan.store.region_study import VALUE_COLUMNS

__all__ = ["StudyRow", "region_studies", "region_study", "region_values", "study_document"]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study, without its document."""

    id: str
    kind: str
    spec_id: str
    spec_sha256: str
    profile_id: str
    title_en: str
    title_local: str | None
    level: int
    created_at: datetime
    synthetic: bool
    assumed: bool
    layers: dict[str, Any]
    software: dict[str, Any]
    values: int


def _query() -> Any:
    study, value = tables.RegionStudy, tables.RegionValue
    count = (
        select(func.count()).where(value.study_id == study.id).correlate(study).scalar_subquery()
    )
    names = ("id", "kind", "spec_id", "spec_sha256", "profile_id", "title_en", "title_local",
             "level", "created_at", "synthetic", "assumed", "layers", "software")  # fmt: skip
    return select(*(getattr(study, n) for n in names), count.label("values"))


def region_studies(session: Session, profile_id: str | None = None) -> list[StudyRow]:
    """Return the studies, newest first; of one country where it is named."""
    study = tables.RegionStudy
    query = _query().order_by(study.created_at.desc(), study.id.collate("C"))
    if profile_id is not None:
        query = query.where(study.profile_id == profile_id)
    return [StudyRow(**row._mapping) for row in session.execute(query)]


def region_study(session: Session, study_id: str) -> StudyRow:
    """Return one study.

    Raises
    ------
    UnknownName
        There is none of that id.
    """
    row = session.execute(_query().where(tables.RegionStudy.id == study_id)).first()
    if row is None:
        newest = tables.RegionStudy.created_at.desc()
        known = list(session.scalars(select(tables.RegionStudy.id).order_by(newest)))
        close = get_close_matches(study_id, known, n=1)
        raise UnknownName(
            f"there is no study of regions '{study_id[:80]}'",
            where="study",
            remedy=f"did you mean '{close[0]}'?" if close else "see 'geoplan regions studies'",
        )
    return StudyRow(**row._mapping)


def study_document(session: Session, study_id: str) -> dict[str, Any]:
    """Return what a study found; ``UnknownName`` as `region_study`."""
    found = session.scalar(
        select(tables.RegionStudy.document).where(tables.RegionStudy.id == study_id)
    )
    if found is None:
        region_study(session, study_id)
    return dict(found or {})


def region_values(
    session: Session, study_id: str, *, level: int | None = None, variable: str | None = None
) -> pd.DataFrame:
    """Return a study's values, ordered by level, variable and code.

    Parameters
    ----------
    study_id : str
    level : int, optional
    variable : str, optional

    Returns
    -------
    DataFrame
        `geoplan.store.region_study.VALUE_COLUMNS`; ``value`` NaN: not known.

    Raises
    ------
    UnknownName
        No such study, or it has no such variable (at that level).
    """
    value = tables.RegionValue
    region_study(session, study_id)
    query = (
        select(*(getattr(value, name) for name in VALUE_COLUMNS))
        .where(value.study_id == study_id)
        .order_by(value.level, value.variable.collate("C"), value.code.collate("C"))
    )
    if level is not None:
        query = query.where(value.level == level)
    if variable is not None:
        query = query.where(value.variable == variable)
    frame = pd.DataFrame(session.execute(query).all(), columns=list(VALUE_COLUMNS))
    if frame.empty and (variable is not None or level is not None):
        pairs = session.execute(
            select(value.variable, value.level).where(value.study_id == study_id).distinct()
        ).all()
        known = ", ".join(f"{v} (level {n})" for v, n in sorted(pairs))
        asked = f"'{(variable or '')[:80]}'" if variable is not None else "values"
        raise UnknownName(
            f"the study has no {asked}" + (f" at level {level}" if level is not None else ""),
            where="variable" if variable is not None else "level",
            remedy=f"it has: {known or 'none'}",
        )
    return frame.astype({"level": "int64", "value": "float64"})
