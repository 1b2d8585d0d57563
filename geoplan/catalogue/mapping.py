"""How the columns of one file become the fields of a layer: a YAML that a province can keep."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geoplan.catalogue.pack import FieldMap
from geoplan.catalogue.text import Basis, Strict, Text

__all__ = ["REPAIRS", "FileMapping"]

REPAIRS = (
    "make_valid", "remove_spikes", "remove_repeated", "drop_empty", "swap_axes", "close_rings",
)  # fmt: skip
"""Repairs of single files by name; each is made only where it is asked for."""


class FileMapping(Strict):
    """What a person says of a file (``geoplan layers load FILE --mapping mine.yaml``)."""

    fields: dict[str, FieldMap | str] = Field(
        default_factory=dict, description="Field of the layer → how it is made; text: a column"
    )
    missing: tuple[str | float, ...] = Field((), description="Values that mean 'not known'")
    source_layer: str | None = Field(None, description="Layer inside the file")
    encoding: str | None = Field(None, description="Encoding of the text")
    crs: str | None = Field(None, description="CRS of the coordinates; wins over the file")
    lon: str | None = Field(None, description="Table: column of x or longitude")
    lat: str | None = Field(None, description="Table: column of y or latitude")
    wkt: str | None = Field(None, description="Table: column of WKT")
    dxf_layers: dict[str, Literal["plot", "text", "ignore"]] = Field(
        default_factory=dict, description="DXF: layer of the drawing (with * and ?) → its role"
    )
    repair: tuple[
        Literal[
            "make_valid", "remove_spikes", "remove_repeated", "drop_empty", "swap_axes",
            "close_rings",
        ],
        ...,
    ] = Field((), description="Repairs that are wanted")  # fmt: skip
    as_of: str | None = Field(None, description="Date or year that the data describe")
    source: str = Field("", description="Who surveyed or issued it")
    licence: str = ""
    confidence: str = ""
    basis: Basis | None = Field(None, description="Basis of headroom figures in the file")
    method: Text | None = Field(None, description="How assumed figures were derived, in words")
