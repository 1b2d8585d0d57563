"""Where exported data come from: what goes with every file that leaves GeoPlan."""

from __future__ import annotations

import json
from dataclasses import dataclass

from geoplan import __version__
from geoplan.catalogue.text import Text

__all__ = ["Provenance"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of a layer version.

    Parameters
    ----------
    layer : str
        Identifier in the catalogue; also the name of the layer in the file.
    title : Text
        Its title.
    version : int, optional
        Number of the version.
    as_of, source, licence, confidence : str
        As given with the version; empty where nothing was given.
    synthetic : bool
        Made-up data.
    assumed : bool
        Figures in it are assumed, not metered.
    sha256 : str
        Of the file that the version was loaded from.
    loaded_at, loaded_by : str
        ISO date and time, and who.
    """

    layer: str
    title: Text
    version: int | None = None
    as_of: str = ""
    source: str = ""
    licence: str = ""
    confidence: str = ""
    synthetic: bool = False
    assumed: bool = False
    sha256: str = ""
    loaded_at: str = ""
    loaded_by: str = ""

    def items(self, *, crs: str, rows: int | None = None) -> dict[str, str]:
        """Return everything that is known as texts by name, in a fixed order.

        Parameters
        ----------
        crs : str
            CRS of the exported file.
        rows : int, optional
            Rows in it, where that is known when this is written.
        """
        known = {
            "layer": self.layer,
            "title_en": self.title.en,
            "title_fa": self.title.fa or "",
            "title_local": self.title.local or "",
            "version": "" if self.version is None else str(self.version),
            "as_of": self.as_of,
            "source": self.source,
            "licence": self.licence,
            "confidence": self.confidence,
            "synthetic": "yes" if self.synthetic else "no",
            "assumed": "yes" if self.assumed else "no",
            "sha256": self.sha256,
            "loaded_at": self.loaded_at,
            "loaded_by": self.loaded_by,
            "crs": crs,
            "rows": "" if rows is None else str(rows),
            "written_by": f"GeoPlan {__version__}",
        }
        return {name: text for name, text in known.items() if text}

    def json(self, *, crs: str, rows: int | None = None) -> str:
        """Return the same as one line of JSON."""
        return json.dumps(self.items(crs=crs, rows=rows), ensure_ascii=False)
