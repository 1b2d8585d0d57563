"""Tell stored measures of regions: lists, documents, values, maps."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import geopandas as gpd
from pydantic import Field

from api.country import Countries
from api.current import Current
from api.labels import label, number
from api.schemas import Answer, Label
from geoplan.catalogue.profile import Profile
from geoplan.catalogue.text import Text
from geoplan.errors import EmptyLayer, UnknownName
from geoplan.report.region_files import reader, region_svg, source_note
from geoplan.store import read
from geoplan.store.serve.database import Reading
from geoplan.store.serve.region_studies import (
    StudyRow,
    region_studies,
    region_study,
    region_values,
    study_document,
)

__all__ = [
    "RegionStudySummary",
    "RegionValueRow",
    "read_studies",
    "read_study",
    "read_values",
    "study_map",
]


class RegionStudySummary(Answer):
    """A stored measure of regions, without its document."""

    id: str
    kind: str = Field(description="index, composite, inequality, specialisation, pattern or slices")
    spec_id: str = Field(description="Name of what was asked")
    spec_sha256: str = Field(description="sha256 of what was asked, as canonical JSON")
    profile_id: str
    title: Label
    level: int = Field(description="Region level of the answer; 1 is the coarsest")
    created_at: datetime
    synthetic: bool
    assumed: bool = Field(description="Some value rests on an assumption")
    layers: dict[str, str] = Field(description="Layer id → sha256 of the version that was read")
    values: int = Field(description="Values by region")


class RegionValueRow(Answer):
    """One value of one region."""

    level: int
    code: str
    variable: str
    value: float | None = Field(description="null: not known; `status` says why")
    unit: str
    status: str
    assumed: bool


def _summary(row: StudyRow) -> RegionStudySummary:
    return RegionStudySummary(
        id=row.id,
        kind=row.kind,
        spec_id=row.spec_id,
        spec_sha256=row.spec_sha256,
        profile_id=row.profile_id,
        title=label({"en": row.title_en, "local": row.title_local}),
        level=row.level,
        created_at=row.created_at,
        synthetic=row.synthetic,
        assumed=row.assumed,
        layers={k: str(v.get("sha256") or "") for k, v in row.layers.items()},
        values=row.values,
    )


def read_studies(reading: Reading, profile_id: str | None) -> list[RegionStudySummary]:
    """Return the studies of a country, or of all, newest first."""
    return [_summary(row) for row in region_studies(reading, profile_id)]


def read_study(reading: Reading, study_id: str) -> dict[str, Any]:
    """Return a study's document; ``UnknownName`` if there is none."""
    return {"id": study_id, **study_document(reading, study_id)}


def read_values(
    reading: Reading, study_id: str, *, level: int | None, variable: str | None
) -> list[RegionValueRow]:
    """Return a study's values; ``UnknownName`` where it has none such."""
    frame = region_values(reading, study_id, level=level, variable=variable)
    return [
        RegionValueRow(**{**row, "value": number(row["value"])})
        for row in frame.to_dict("records")
    ]  # fmt: skip


def study_map(
    reading: Reading,
    countries: Countries,
    current: Current,
    study_id: str,
    *,
    level: int | None,
    variable: str | None,
    language: str,
) -> str:
    """Return the map of one variable of a study as SVG.

    Raises
    ------
    UnknownName
        No such study or variable, or its country's profile is no longer there.
    EmptyLayer
        The regions of the level are not loaded any more.
    """
    study = region_study(reading, study_id)
    profile = countries.find(study.profile_id, current)
    if profile is None:
        raise UnknownName(
            f"there is no profile '{study.profile_id}' for this study",
            where="profile",
            remedy="start the service with the catalogue folder that has it",
        )
    about: Mapping[str, Any] = study_document(reading, study_id).get("study") or {}
    known: Mapping[str, Any] = about.get("variables") or {}
    chosen = level or study.level
    if variable is None:
        values = region_values(reading, study_id, level=chosen)
        main = about.get("main")
        have = values["variable"]
        variable = str(main if (have == main).any() else have.iloc[0])
    values = region_values(reading, study_id, level=chosen, variable=variable)
    layer, regions = _shapes(reading, profile, study, chosen)
    one: Mapping[str, Any] = known.get(variable, {})
    title = one.get("title")
    synthetic = study.synthetic
    return region_svg(
        regions,
        values.set_index("code")["value"],
        level=chosen,
        title=Text.model_validate(title) if title else Text(en=variable),
        unit=str(one.get("unit") or values["unit"].iloc[0]),
        classes=one.get("classes", "quantiles"),
        centre=float(one.get("centre", 0.0)),
        count=int(one.get("count", 5)),
        language=reader(profile, language),
        crs=profile.analysis_crs,
        note=source_note(study.layers, first=layer, synthetic=synthetic),
    )


def _shapes(
    reading: Reading, profile: Profile, study: StudyRow, level: int
) -> tuple[str, gpd.GeoDataFrame]:
    layer = next((r.layer for r in profile.region_levels if r.level == level), None)
    if layer is None or layer not in read.layer_versions(reading, [layer]):
        raise EmptyLayer(
            f"the regions of level {level} are not loaded",
            where="level",
            remedy="load the country's pack, or ask for another level",
        )
    number_then = study.layers.get(layer, {}).get("number")
    try:
        frame = read.layer_frame(reading, layer, number=number_then)
    except UnknownName:  # that version was removed since
        frame = read.layer_frame(reading, layer)
    keep = ["code", "parent_code", "level", "name_en", "name_local", "geometry"]
    return layer, gpd.GeoDataFrame(frame[keep], crs="EPSG:4326")
