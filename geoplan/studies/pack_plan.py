"""What a pack needs before it can be read: layers, order, fingerprints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geoplan.catalogue import Catalogue, LayerSpec, Pack, PackEntry, Profile
from geoplan.errors import Problem, ProblemsFound, UnknownName
from geoplan.ingest import PackFolder, by_layer, fingerprint
from geoplan.ingest.source import is_file, is_table

__all__ = ["PackPlan", "hash_of", "plan_pack", "reading_order"]


@dataclass
class PackPlan:
    """A pack with everything that is needed to read it."""

    pack: Pack
    profile: Profile
    specs: dict[str, LayerSpec]
    entries: dict[str, list[PackEntry]]
    folder: PackFolder
    hashes: dict[str, str] = field(default_factory=dict)

    @property
    def country(self) -> str:
        """The level-1 regions, which make up the country."""
        return self.profile.region_levels[0].layer

    def refers_to(self, layer: str) -> list[str]:
        """Return the region layers whose shape decides the rows of ``layer``."""
        out: list[str] = []
        for entry in self.entries[layer]:
            regions = entry.region_of
            out += [regions] if isinstance(regions, str) else list(regions or ())
            if entry.clip and not is_file(entry.clip):
                out.append(entry.clip)
            drawn = self.specs[layer].kind == "vector" and not is_table(entry.file)
            spatial = drawn or entry.lon is not None
            if spatial and entry.inside != "keep" and layer != self.country:
                out.append(self.country)
        return [x for x in dict.fromkeys(out) if x != layer]


def plan_pack(catalogue: Catalogue, pack: str | Pack, root: Path) -> PackPlan:
    """Read pack, profile and layers, and tell everything that does not fit at once."""
    whole = pack if isinstance(pack, Pack) else catalogue.pack(pack)
    profile = catalogue.profile(whole.profile)
    known = catalogue.layers()
    entries = by_layer(whole)
    problems = [
        Problem(
            f"entries, layer '{layer}'",
            f"there is no layer '{layer}' in the catalogue",
            f"write layers/{layer}.yaml, or give --layers-dir",
            code="unknown-layer",
        )
        for layer in entries
        if layer not in known
    ]
    if problems:
        raise ProblemsFound(
            f"pack '{whole.id}' names {len(problems)} unknown layers", problems, where=whole.id
        )
    specs = {layer: known[layer] for layer in entries}
    return PackPlan(whole, profile, specs, entries, PackFolder(root))


def hash_of(
    plan: PackPlan, layer: str, stored: Mapping[str, str], seen: tuple[str, ...] = ()
) -> str:
    """Return the fingerprint of a layer and of the regions it refers to, files read once."""
    if layer in plan.hashes:
        return plan.hashes[layer]
    if layer in seen:
        raise UnknownName(
            f"the layers {' → '.join((*seen, layer))} refer to each other in a circle",
            where=plan.pack.id,
            remedy="remove one 'region_of' or 'clip'",
        )
    below = [
        hash_of(plan, other, stored, (*seen, layer))
        if other in plan.entries
        else stored.get(other, "")
        for other in plan.refers_to(layer)
    ]
    plan.hashes[layer] = fingerprint(
        plan.entries[layer], plan.specs[layer], plan.profile, plan.folder, depends_on=below
    )
    return plan.hashes[layer]


def reading_order(plan: PackPlan, wanted: Sequence[str]) -> list[str]:
    """Return the layers that must be read: those wanted and the regions they refer to, first."""
    out: list[str] = []

    def visit(layer: str, seen: tuple[str, ...]) -> None:
        if layer in out or layer not in plan.entries or layer in seen:
            return
        for other in plan.refers_to(layer):
            visit(other, (*seen, layer))
        out.append(layer)

    for layer in wanted:
        visit(layer, ())
    return out
