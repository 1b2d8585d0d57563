"""Which layers of a drawing hold plots, which hold texts, which are left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase

from geoplan.errors import InputError, UnknownName
from geoplan.ingest.reader.dxf_open import OpenDrawing
from geoplan.ingest.reader.dxf_shape import attribute, readable
from geoplan.ingest.reader.request import Note

__all__ = ["ROLES", "LayerRoles"]

ROLES = ("plot", "hatch", "text", "ignore")
"""Roles of a layer: ``hatch`` is ``plot`` whose hatch boundaries are plots too."""

_LETTERS = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک"})


def _key(name: str) -> str:
    return name.casefold().translate(_LETTERS)


class LayerRoles:
    """Roles of the layers of one drawing.

    Parameters
    ----------
    drawing : OpenDrawing
        The drawing.
    mapping : mapping
        Glob over layer names → role; the first that matches counts. Case does not matter, nor
        whether ی and ک are Arabic or Persian. Without a ``plot`` the rings of every layer that
        is not left out are plots; without a ``text`` all its texts are texts.
    only : str or None
        A glob: rings of other layers are left out.
    where : str
        Name of the file, for messages.

    Raises
    ------
    UnknownName
        A glob matches no layer of the drawing.
    InputError
        A role is unknown.
    """

    def __init__(
        self, drawing: OpenDrawing, mapping: Mapping[str, str], only: str | None, *, where: str
    ) -> None:
        for glob, role in mapping.items():
            if role not in ROLES:
                raise InputError(
                    f"layer '{glob}' is given the role '{role}'",
                    where=where,
                    remedy=f"roles are {', '.join(ROLES)}",
                )
        self._mapping = [(_key(glob), role) for glob, role in mapping.items()]
        self._only = None if only is None else _key(only)
        roles = set(mapping.values())
        self.explicit = bool(roles & {"plot", "hatch"}) or only is not None
        """Whether a person said which layers hold plots."""
        self._by_default = (not roles & {"plot", "hatch"}, "text" not in roles)
        self._found: dict[str, tuple[bool, bool, bool]] = {}
        self.colours: dict[str, int] = {}
        names: list[str] = []
        self._hidden: list[str] = []
        for layer in drawing.doc.layers:
            name = readable(str(layer.dxf.name))
            names.append(name)
            colour = int(layer.dxf.get("color", 7))
            self.colours[name] = abs(colour)
            if colour < 0 or int(layer.dxf.get("flags", 0)) & 1:
                self._hidden.append(name)
        # Layers that entities use although no table lists them.
        used = {readable(str(n)) for n in {attribute(e, "layer", "0") for e in drawing.entities()}}
        names += sorted(used.difference(names))
        self.names = tuple(names)
        for glob in [*mapping, *([only] if only is not None else [])]:
            if not any(fnmatchcase(_key(n), _key(glob)) for n in names):
                listed = ", ".join(re.sub(r"\s+", " ", n) for n in names[:20])
                more = f" and {len(names) - 20} more" if len(names) > 20 else ""
                raise UnknownName(
                    f"no layer of the drawing is named '{glob}'",
                    where=where,
                    remedy=f"its layers are {listed}{more}",
                )

    def of(self, layer: str) -> tuple[bool, bool, bool]:
        """Return whether a layer's rings, hatches and texts are used."""
        found = self._found.get(layer)
        if found is None:
            found = self._found[layer] = self._role(_key(layer))
        return found

    def _role(self, key: str) -> tuple[bool, bool, bool]:
        role = next((r for glob, r in self._mapping if fnmatchcase(key, glob)), None)
        plots, texts = self._by_default
        if role == "ignore":
            return False, False, False
        rings = role in ("plot", "hatch") or (role is None and plots)
        if self._only is not None and not fnmatchcase(key, self._only):
            rings = False
        return rings, rings and role == "hatch", role == "text" or texts

    def notes(self) -> list[Note]:
        """Return a note of the layers that are off or frozen: what a person does not see."""
        shown = [n for n in self._hidden if any(self.of(n))]
        if not shown:
            return []
        listed = ", ".join(shown[:10]) + (" …" if len(shown) > 10 else "")
        return [
            Note(
                "dxf-hidden-layer",
                f"{len(shown)} layers are off or frozen in the drawing and were read: {listed}",
                "leave them out with the role 'ignore' where they are not meant",
                count=len(shown),
            )
        ]
