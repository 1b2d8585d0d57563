"""What a delivered file is held against: layer, country, parents, what is current."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
from sqlalchemy.orm import Session

from geoplan.catalogue import Catalogue, LayerSpec, Profile
from geoplan.errors import InputError, UnknownName
from geoplan.ingest.digest import digest
from geoplan.ingest.examine import Given
from geoplan.persian import key_form
from geoplan.settings import Settings
from geoplan.store import read
from geoplan.studies.delivery_options import DeliveryOptions

__all__ = ["Case", "open_case"]

# Part of every fingerprint: raise it when the same file and options give other rows than before.
_REVISION = 1


@dataclass(frozen=True)
class Case:
    """A file with everything that its examination needs.

    Parameters
    ----------
    file : Path
        The file.
    options : DeliveryOptions
        What was asked.
    spec, profile : LayerSpec, Profile
        The layer, and the country.
    given : Given
        What the file is held against.
    sha256 : str
        Hash of the file.
    fingerprint : str
        Hash of everything that decides the rows: file, mapping, layer, mode.
    current : mapping or None
        The layer's current version.
    folder : Path
        Where temporary files may lie.
    """

    file: Path
    options: DeliveryOptions
    spec: LayerSpec
    profile: Profile
    given: Given
    sha256: str
    fingerprint: str
    current: dict[str, Any] | None
    folder: Path

    @property
    def unchanged(self) -> bool:
        """Whether the layer shows just this already."""
        return self.current is not None and self.current["sha256"] == self.fingerprint


def open_case(
    session: Session,
    settings: Settings,
    catalogue: Catalogue,
    file: Path,
    options: DeliveryOptions,
) -> Case:
    """Find out what a file is held against.

    Parameters
    ----------
    session : Session
        Only read from. What is asked does not grow with the number of layers.

    Raises
    ------
    FileMissing
        There is no such file.
    UnknownName
        No such layer or profile, or none was named where there are several.
    InputError
        The layer is loaded in another way, or the database holds another country.
    """
    spec = catalogue.layer(options.layer)
    if spec.kind != "vector" or spec.table in ("regions", "region_facts", "raster"):
        raise InputError(
            f"layer '{spec.id}' is a {spec.kind} of '{spec.table}'; it is loaded by pack",
            where=options.layer,
            remedy="use 'geoplan pack load', or 'geoplan layers load' on the command line",
        )
    profile = catalogue.profile(_profile(catalogue, options.profile or settings.profile))
    _same_country(session, profile)
    sha = digest(file)
    current = read.layer_versions(session, [spec.id]).get(spec.id)
    outlines = _frame(session, profile.region_levels[0].layer)
    parents, near = None, None
    if spec.checks.parent is not None:
        above = _frame(session, spec.checks.parent)
        if above is not None:
            parents = dict(zip(above["key"].map(key_form), above.geometry, strict=True))
            near = above
    if near is None and current is not None:
        near = _extent(current)
    return Case(
        file=file,
        options=options,
        spec=spec,
        profile=profile,
        given=Given(
            spec,
            options.mapping,
            profile.bbox,
            profile.analysis_crs,
            outlines=outlines,
            near=near,
            parents=parents,
            accept_crs=options.accept_crs,
        ),
        sha256=sha,
        fingerprint=_fingerprint(sha, spec, options),
        current=current,
        folder=settings.home,
    )


def _profile(catalogue: Catalogue, named: str | None) -> str:
    if named is not None:
        return named
    known = list(catalogue.profiles())
    if len(known) == 1:
        return known[0]
    raise UnknownName(
        "no profile was named",
        remedy=f"geoplan --profile NAME …; known: {', '.join(known) or 'none'}",
    )


def _same_country(session: Session, profile: Profile) -> None:
    other = read.other_profile(session, profile.id)
    if other is not None:
        raise InputError(
            f"this database holds the layers of profile '{other}'; this file is for '{profile.id}'",
            where=profile.id,
            remedy="give each country a database of its own: another --home, or another "
            "GEOPLAN_DATABASE_URL",
        )


def _frame(session: Session, layer: str) -> gpd.GeoDataFrame | None:
    if not read.layer_versions(session, [layer]):
        return None
    frame = read.layer_frame(session, layer)
    drawn = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    return drawn if len(drawn) else None


def _extent(current: dict[str, Any]) -> gpd.GeoDataFrame | None:
    """Return the box of the current version: new rows are expected where the old ones are."""
    box = current.get("bbox")
    if not box:
        return None
    import shapely

    return gpd.GeoDataFrame(geometry=[shapely.box(*box)], crs=4326)


def _fingerprint(sha: str, spec: LayerSpec, options: DeliveryOptions) -> str:
    document = {
        "revision": _REVISION,
        "file": sha,
        "mapping": options.mapping.model_dump(mode="json", by_alias=True),
        "accept_crs": options.accept_crs,
        "mode": options.mode,
        "partial": options.partial,
        "layer": spec.model_dump(mode="json", exclude={"style": True, "title": True}),
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
