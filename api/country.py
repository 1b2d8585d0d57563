"""Which country the page shows: its profile, and how it is chosen."""

from __future__ import annotations

import threading
from pathlib import Path

from pydantic import ValidationError

from api.current import Current
from geoplan.catalogue import Catalogue, Profile
from geoplan.errors import FileMissing, ProblemsFound, UnknownName
from geoplan.store.serve.current import CurrentLayer, CurrentRun
from geoplan.store.serve.database import Database
from geoplan.store.serve.runs import recorded_profile

__all__ = ["Countries"]


class Countries:
    """Profiles by id or path, read again only when their file changes.

    Parameters
    ----------
    catalogue : Catalogue
        Where profiles are looked up.
    asked : str or None
        The profile that the settings ask for.
    database : Database
        Runs carry the profile that they were made with.
    """

    def __init__(self, catalogue: Catalogue, asked: str | None, database: Database) -> None:
        self._catalogue = catalogue
        self._asked = asked
        self._database = database
        self._held: dict[str, tuple[float, Profile]] = {}
        self._recorded: dict[str, Profile | None] = {}
        self._lock = threading.Lock()

    def profile(self, name: str) -> Profile:
        """Return a profile by id or path; parsing YAML on each request would cost 50 ms."""
        path = self._catalogue.profiles().get(name, Path(name))
        changed = path.stat().st_mtime if path.is_file() else 0.0
        with self._lock:
            held = self._held.get(name)
            if held is None or held[0] != changed:
                held = (changed, self._catalogue.profile(name))
                self._held[name] = held
        return held[1]

    def find(self, name: str, current: Current) -> Profile | None:
        """Return a profile of the catalogue, else as the newest run of it recorded it.

        A country given by path is in no catalogue of this server; its runs still know it.
        """
        try:
            return self.profile(name)
        except (UnknownName, FileMissing, ProblemsFound):
            run = current.latest_run(name)
            return self._of_run(run) if run is not None else None

    def _of_run(self, run: CurrentRun) -> Profile | None:
        with self._lock:
            if run.token in self._recorded:
                return self._recorded[run.token]
        with self._database.reading() as reading:
            recorded = recorded_profile(reading, run.id)
        try:
            profile = Profile.model_validate(recorded) if recorded else None
        except ValidationError:
            profile = None  # written by another version of the software
        with self._lock:
            self._recorded = {run.token: profile}
        return profile

    def chosen(self, current: Current) -> tuple[str | None, Profile | None]:
        """Return the id and profile of the country shown.

        The settings' profile; else the latest run's; else the only one whose regions of level 1
        are loaded. The id comes without a profile where neither catalogue nor run has it.
        """
        if self._asked:
            profile = self.profile(self._asked)
            return profile.id, profile
        latest = current.latest_run()
        if latest is not None:
            return latest.profile_id, self.find(latest.profile_id, current)
        known = (self.find(name, current) for name in self._catalogue.profiles())
        loaded = [p for p in known if p is not None]
        loaded = [p for p in loaded if self._has_regions(p, current)]
        if len(loaded) > 1:
            packs = {self._pack_profile(x) for x in current.layers.values() if x.level == 1}
            loaded = [p for p in loaded if p.id in packs]
        return (loaded[0].id, loaded[0]) if len(loaded) == 1 else (None, None)

    def region_layers(
        self, current: Current, profile_id: str | None, level: int | None = None
    ) -> list[CurrentLayer]:
        """Return the loaded layers of regions of a profile, coarse first.

        Without a readable profile these are all loaded layers of regions.
        """
        loaded = [x for x in current.layers.values() if x.table == "regions" and x.level]
        profile = self.find(self._asked, current) if self._asked else None
        if profile is None or (profile_id is not None and profile.id != profile_id):
            profile = self.find(profile_id, current) if profile_id else None
        if profile is not None:
            wanted = {r.layer for r in profile.region_levels}
            loaded = [x for x in loaded if x.id in wanted] or loaded
        return sorted(
            (x for x in loaded if level in (None, x.level)), key=lambda x: (x.level or 0, x.id)
        )

    @staticmethod
    def _has_regions(profile: Profile, current: Current) -> bool:
        return any(r.level == 1 and r.layer in current.layers for r in profile.region_levels)

    def _pack_profile(self, layer: CurrentLayer) -> str | None:
        if layer.version.profile_id is not None:
            return str(layer.version.profile_id)
        pack = layer.version.pack_id
        if pack is None:
            return None
        try:
            return self._catalogue.pack(pack).profile
        except (UnknownName, FileMissing, ProblemsFound):
            return None
