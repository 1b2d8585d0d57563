"""A pack: one YAML that maps a delivery of files to catalogued layers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Basis, Identifier, Strict, Text

__all__ = ["Check", "FieldMap", "Join", "Pack", "PackEntry"]


class FieldMap(Strict):
    """How one layer field comes out of the source columns. A bare string means ``{from: …}``."""

    source: str | None = Field(None, alias="from", description="Source column (after 'columns')")
    expr: str | None = Field(None, description="Expression over columns; see reference")
    strip_prefix: str | None = Field(None, description="Text removed from the front")
    strip_suffix: str | None = Field(None, description="Text removed from the end")
    head: int | None = Field(None, ge=1, description="Only the first characters, after padding")
    prefix: str | None = Field(None, description="Text put in front, last of all")
    zero_pad: int | None = Field(None, ge=1, le=20, description="Left-pad a code with zeros")
    codes: dict[str, str] | None = Field(None, description="Value in the file → code stored")
    default: str | float | None = Field(None, description="Value where the source is missing")
    unit: str | None = Field(
        None, description="Unit of the number in the file; converted to the unit of the field"
    )
    decimal: Literal[".", ","] | None = Field(
        None, description="Mark before the fraction of a number; absent: what is clear is read"
    )
    calendar: Literal["auto", "jalali", "gregorian", "excel"] | None = Field(
        None,
        description=(
            "Calendar of a date; 'auto' tells Jalali from Gregorian years, 'excel' reads serial "
            "numbers"
        ),
    )


class Join(Strict):
    """Attributes from a second file, matched by key, by place, or by both.

    With ``near_km`` each row of the second file goes to one row here: the nearest within that
    distance, or with ``similarity`` the one whose name is most alike.
    """

    file: str
    source_layer: str | None = Field(None, description="Layer inside the file")
    encoding: str | None = None
    missing: tuple[str | float, ...] = Field((), description="Values that mean 'not known'")
    columns: dict[str, str] = Field(default_factory=dict, description="Source column → short name")
    on: dict[str, str] = Field(
        default_factory=dict, description="Column here → column (short name) there"
    )
    near_km: float | None = Field(None, gt=0, le=1000, description="Match by place within this")
    lon: str | None = Field(None, description="Table: column of longitude, for 'near_km'")
    lat: str | None = Field(None, description="Table: column of latitude, for 'near_km'")
    similarity: float | None = Field(
        None, gt=0, le=1, description="With 'near_km': least likeness of the names in 'on'"
    )
    normalise: bool = Field(False, description="Match names by search key (letters, spaces)")
    where: str | None = Field(None, description="Expression that selects rows of the second file")
    prepare: dict[str, FieldMap | str] = Field(
        default_factory=dict, description="New column of the second file, made like 'fields'"
    )
    compute: dict[str, str] = Field(
        default_factory=dict, description="New column of the second file → expression, row by row"
    )
    take: dict[str, Literal["first", "sum", "mean", "count", "min", "max"]] = Field(
        description="Column (short name) there → how several rows become one"
    )

    fill: bool = Field(False, description="Only fill what is empty; keep the values that are there")

    @model_validator(mode="after")
    def _has_a_way_to_match(self) -> Join:
        if not self.on and self.near_km is None:
            raise ValueError("a join needs 'on' or 'near_km'")
        if self.similarity is not None and (self.near_km is None or len(self.on) != 1):
            raise ValueError("'similarity' needs 'near_km' and exactly one pair of names in 'on'")
        return self


class Check(Strict):
    """A plausibility rule of one entry; rows that break it are counted and listed."""

    id: Identifier
    where: str = Field(description="Expression that holds for a row with the fault")
    what: str = Field(description="What is wrong, in words")
    remedy: str = Field("", description="What was done about it")
    clear: tuple[str, ...] = Field((), description="Columns emptied in these rows")
    refuse: bool = Field(False, description="These rows are not stored")


class PackEntry(Strict):
    """One file that becomes one version of one layer."""

    layer: Identifier
    file: str = Field(description="Path relative to the pack's folder; stays inside it")
    source_layer: str | None = Field(None, description="Layer inside the file")
    encoding: str | None = None
    crs: str | None = Field(None, description="CRS, where the file does not carry one")
    lon: str | None = Field(None, description="CSV: column of longitude")
    lat: str | None = Field(None, description="CSV: column of latitude")
    columns: dict[str, str] = Field(default_factory=dict, description="Source column → short name")
    missing: tuple[str | float, ...] = Field((), description="Values that mean 'not known'")
    where: str | None = Field(None, description="Expression: rows kept; the others are counted")
    prepare: dict[str, FieldMap | str] = Field(
        default_factory=dict, description="Columns made first, like 'fields', for what follows"
    )
    sample: dict[str, str] = Field(
        default_factory=dict, description="New column → raster file read at the point on surface"
    )
    joins: tuple[Join, ...] = ()
    fields: dict[str, FieldMap | str] = Field(default_factory=dict)
    melt: dict[str, str] | None = Field(
        None, description="Wide fact tables: column → variable; rows become region facts"
    )
    group_by: tuple[str, ...] = Field((), description="Sum rows that share these columns first")
    region_of: Identifier | tuple[Identifier, ...] | None = Field(
        None,
        description=(
            "Layers of regions whose code each feature receives (point on surface) as "
            "'<layer>_code'; 'region_code' is the first one"
        ),
    )
    to_point: bool = Field(False, description="Polygons and lines become their point on surface")
    checks: tuple[Check, ...] = ()
    apart_km: float | None = Field(
        None, gt=0, description="Left out where an earlier entry of the layer is this close"
    )
    clip: str | None = Field(None, description="File or layer id whose polygons cut this one")
    inside: Literal["keep", "report", "drop"] = Field(
        "report", description="Features outside the profile's country: kept, reported, or dropped"
    )
    repair: tuple[
        Literal["make_valid", "dequantise", "swap_axes", "close_rings", "drop_empty"], ...
    ] = ()
    dequantise_step: float | None = Field(None, gt=0, description="Step of a quantised raster")
    as_of: str | None = None
    source: str = ""
    licence: str = ""
    confidence: str = ""
    basis: Basis | None = Field(None, description="Basis of headroom figures in this entry")
    method: Text | None = Field(None, description="How assumed figures were derived, in words")
    note: Text | None = Field(
        None, description="What people should know about this delivery; shown with the layer"
    )


class Pack(Strict):
    """A delivery of files for one country (``layers/packs/<id>.yaml`` or ``pack.yaml``)."""

    id: Identifier
    title: Text
    profile: Identifier
    synthetic: bool = False
    entries: tuple[PackEntry, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()
