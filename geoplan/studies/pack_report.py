"""What became of a pack, layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from geoplan.catalogue import PackEntry
from geoplan.catalogue.text import Text
from geoplan.errors import Problem

__all__ = ["LayerReport", "PackReport", "joint_method", "together", "weakest_basis"]


@dataclass(frozen=True)
class LayerReport:
    """What became of one layer of a pack.

    Parameters
    ----------
    status : str
        ``loaded``, ``unchanged`` (the same files and entry are current already) or ``checked``.
    version : int or None
        Version number that is current now.
    rows_read, rows_made, rows_stored, rows_refused, filtered
        ``read + made = stored + refused + filtered``. A file that two entries read counts once;
        ``made`` are rows stored beyond the first of each row read, as of a wide table whose
        columns become figures.
    """

    layer: str
    status: str
    version: int | None
    rows_read: int
    rows_made: int
    rows_stored: int
    rows_refused: int
    filtered: Mapping[str, int]
    basis: str | None
    as_of: str | None
    seconds: float
    problems: Sequence[Problem] = ()

    def count(self, severity: str) -> int:
        """Return how many rows or cells the findings of one severity stand for."""
        return sum(p.count for p in self.problems if p.severity == severity)

    @property
    def repaired(self) -> dict[str, int]:
        """Repairs by code, with the number of rows or cells of each."""
        out: Counter[str] = Counter()
        for p in self.problems:
            if p.severity == "repaired":
                out[p.code] += p.count
        return dict(out)

    @property
    def warnings(self) -> int:
        """How many findings a person should look at."""
        return sum(p.severity == "warning" for p in self.problems)


@dataclass(frozen=True)
class PackReport:
    """What became of a pack."""

    pack: str
    layers: Sequence[LayerReport]
    seconds: float

    @property
    def problems(self) -> list[Problem]:
        """Every finding of every layer."""
        return [p for layer in self.layers for p in layer.problems]


def together(values: Sequence[str | None]) -> str | None:
    """Return what the entries of a layer say, each once."""
    kept = list(dict.fromkeys(v for v in values if v))
    return "; ".join(kept) or None


def weakest_basis(entries: Sequence[PackEntry]) -> str | None:
    """Return the weakest basis of the entries: one assumed part makes the layer assumed."""
    found = {e.basis for e in entries}
    return next((b for b in ("assumed", "licensed", "metered") if b in found), None)


def joint_method(entries: Sequence[PackEntry]) -> Text | None:
    """Return how assumed figures of all entries were derived, and the notes on the delivery."""
    said = [t for e in entries for t in (e.method, e.note) if t]
    methods = list(dict.fromkeys(said))
    if not methods:
        return None
    local = [m.local for m in methods if m.local]
    return Text(
        en="\n".join(m.en for m in methods),
        fa="\n".join(m.fa or m.en for m in methods) if any(m.fa for m in methods) else None,
        local="\n".join(local) if local else None,
    )
