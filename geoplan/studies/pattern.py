"""The regional and commodity pattern of a loaded country."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.folder import bundled_folder, read_model
from geoplan.catalogue.pattern import PART_TITLES, PARTS, PatternSpec
from geoplan.catalogue.text import Text
from geoplan.errors import InputError, UnknownName
from geoplan.regions.industry_mix import mixes_of
from geoplan.regions.market import market_potential, own_distance_km
from geoplan.regions.pattern import Pattern, regional_pattern
from geoplan.regions.pattern_parts import Evidence
from geoplan.siting.sentences import Named, both
from geoplan.studies.index import all_regions
from geoplan.studies.pattern_document import pattern_document
from geoplan.studies.pattern_words import reasons_of
from geoplan.studies.region_figure import Figures
from geoplan.studies.specialisation import Specialisation, measure_activities

__all__ = ["PatternResult", "pattern_of", "patterns", "read_pattern"]

_HAVE = {"water": "water", "power": "power", "unemployed": "labour"}


@dataclass(frozen=True, eq=False)
class PatternResult:
    """The pattern of a country.

    Parameters
    ----------
    frame : DataFrame
        As `geoplan.regions.pattern.Pattern.frame`, with ``name_en``, ``name_local``, and ``for``,
        ``against``, ``unknown``: lists of Text.
    document : dict
        Ready for JSON: formula, weights, activities, and by region the mix and the activities with
        scores, parts and sentences. NaN is None.
    notices : tuple of Text
        What a reader must be told: no figures, assumed figures, proposed weights.
    mixes : dict of region to industry mix
        For ``DemandSpec.mix`` of an estate in that region.
    pattern : Pattern
    specialisation : Specialisation
    """

    frame: pd.DataFrame
    document: dict[str, Any]
    notices: tuple[Text, ...]
    mixes: dict[str, dict[str, float]]
    pattern: Pattern
    specialisation: Specialisation


def patterns(folder: Path | None = None) -> dict[str, Path]:
    """Return the files of the patterns by id, of ``folder`` or of the bundled catalogue."""
    room = (folder or bundled_folder()) / "patterns"
    return {path.stem: path for path in sorted(room.glob("*.yaml"))}


def read_pattern(name: str, folder: Path | None = None) -> PatternSpec:
    """Return a pattern by id or by the path of its YAML.

    Raises
    ------
    UnknownName, FileMissing, ProblemsFound
        No such pattern or file; the file breaks the model.
    """
    known = patterns(folder)
    path = known.get(name)
    if path is None:
        path = Path(name)
        if path.suffix not in (".yaml", ".yml"):
            raise UnknownName(
                f"unknown pattern '{name}'",
                remedy=f"known: {', '.join(known) or 'none'}; or give the path of a .yaml file",
            )
    return read_model(path, PatternSpec, what="pattern")


def pattern_of(session: Session, profile: Profile, spec: PatternSpec) -> PatternResult:
    """Return which activities fit which regions, and what speaks for and against each.

    Parameters
    ----------
    session : Session
        Database with the country's layers.
    profile : Profile
        Its demand classes say what an activity needs.
    spec : PatternSpec
        From `read_pattern`.

    Raises
    ------
    InputError
        The pattern is for another profile.
    EmptyLayer
        The regions are not loaded.
    ProblemsFound
        An activity names an unknown demand class; a figure is negative.
    """
    if spec.profile != profile.id:
        raise InputError(
            f"pattern '{spec.id}' is for profile '{spec.profile}', not '{profile.id}'",
            remedy="give a pattern of this country",
        )
    regions = all_regions(session, profile)
    figures = Figures(session, regions, spec.level)
    special = measure_activities(figures, spec)
    notices = list(special.notices)
    resources = _resources(figures, spec, notices)
    have, assumed = _have(figures, spec, regions, profile, notices)
    evidence = Evidence(special.quotients, resources, have, assumed)
    pattern = regional_pattern(spec, evidence, profile.demand_classes, figures.codes)
    notices += _standing(spec, profile, pattern, set(assumed.columns[assumed.any()]))
    notices += list(spec.notes)
    own = regions[regions["level"] == spec.level].set_index("code")
    frame = pattern.frame.copy()
    frame.insert(1, "name_en", frame["region"].map(own["name_en"]))
    frame.insert(2, "name_local", frame["region"].map(own["name_local"]))
    said = reasons_of(spec, pattern, resources)
    keys = list(zip(frame["region"], frame["activity"], strict=True))
    frame["for"] = [said[key].speaks_for for key in keys]
    frame["against"] = [said[key].against for key in keys]
    frame["unknown"] = [said[key].unknown for key in keys]
    classes = {a.id: a.demand_class for a in spec.activities if a.demand_class is not None}
    mixes = mixes_of(frame, classes, profile.demand_classes, spec.mix)
    document = pattern_document(spec, pattern, frame, special, mixes, notices)
    return PatternResult(frame, document, tuple(notices), mixes, pattern, special)


def _resources(figures: Figures, spec: PatternSpec, notices: list[Text]) -> pd.DataFrame:
    frames = []
    for activity in spec.activities:
        for need in activity.resources:
            found = figures.measure(need.figure, need.title)
            notices += [n for n in found.notices if n not in notices]
            frames.append(
                pd.DataFrame(
                    {
                        "region": figures.codes,
                        "activity": activity.id,
                        "resource": need.id,
                        "value": found.value.to_numpy(),
                        "assumed": found.assumed.to_numpy(),
                    }
                )
            )
    columns = ["region", "activity", "resource", "value", "assumed"]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def _have(
    figures: Figures,
    spec: PatternSpec,
    regions: gpd.GeoDataFrame,
    profile: Profile,
    notices: list[Text],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what regions have by part, and where it is assumed."""
    have = pd.DataFrame(index=figures.codes)
    assumed = pd.DataFrame(index=figures.codes)
    for name, part in _HAVE.items():
        figure = getattr(spec.have, name)
        if figure is None:
            continue
        found = figures.measure(figure, PART_TITLES[part])
        have[part] = found.value
        notices += [n for n in found.notices if n not in notices]
        assumed[part] = found.assumed
    if spec.have.population is not None:
        people = figures.measure(spec.have.population, PART_TITLES["market"])
        notices += [n for n in people.notices if n not in notices]
        own = regions[regions["level"] == spec.level].set_index("code").reindex(figures.codes)
        have["market"] = market_potential(
            people.value.to_numpy(), _distances_km(own, profile.analysis_crs)
        )
    return have, assumed


def _distances_km(regions: gpd.GeoDataFrame, crs: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return distances between the regions' centres; inside a region by its area."""
    shapes = gpd.GeoSeries(regions.geometry, crs="EPSG:4326").to_crs(crs)
    centre = shapes.centroid
    x, y = centre.x.to_numpy(), centre.y.to_numpy()
    distance = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :]) / 1000
    np.fill_diagonal(distance, own_distance_km(shapes.area.to_numpy() / 1e6))
    return np.asarray(distance, dtype=np.float64)


def _standing(
    spec: PatternSpec, profile: Profile, pattern: Pattern, assumed: set[str]
) -> list[Text]:
    """Return what is assumed or only proposed, and what is known nowhere."""
    out = []
    if assumed:
        names = [PART_TITLES[p] for p in PARTS if p in assumed]
        out.append(
            both("assumed figures stand behind: {names}",
                 "این اجزا بر رقم‌های فرضی استوارند: {names}",
                 names=_listed(names))
        )  # fmt: skip
    kinds = {a.demand_class for a in spec.activities if a.demand_class is not None}
    proposed = any(
        getattr(profile.demand_classes[k], what).status == "proposed"
        for k in kinds
        for what in ("water", "connected_power", "jobs")
    )
    if proposed or spec.weights_status == "proposed":
        out.append(
            both("the weights of the parts and the needs per hectare are proposals, not law or "
                 "measurement",
                 "وزن اجزا و نیاز هر هکتار پیشنهادی است، نه قانون و نه اندازه‌گیری")
        )  # fmt: skip
    lost = [part for part, rows in pattern.parts.groupby("part") if rows["score"].isna().all()]
    if lost:
        names = [PART_TITLES[p] for p in PARTS if p in lost]
        out.append(
            both("known nowhere, and left out of every score: {names}",
                 "در هیچ منطقه‌ای معلوم نیست و در هیچ امتیازی نیامده است: {names}",
                 names=_listed(names))
        )  # fmt: skip
    return out


def _listed(names: list[Text]) -> Named:
    return Named(", ".join(n.en for n in names), "، ".join(n.in_language("fa") for n in names))
