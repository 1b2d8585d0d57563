"""A measure of regions as files: workbook, CSV, map picture, offline map page."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geoplan.catalogue.profile import Profile
from geoplan.catalogue.text import Text
from geoplan.errors import FileMissing, InputError
from geoplan.partial import full_disk_told
from geoplan.report.choropleth import choropleth_svg
from geoplan.report.choropleth_classes import Classing
from geoplan.report.choropleth_map import MapLayer, choropleth_map
from geoplan.report.language import Language
from geoplan.report.region_workbook import Sheet

__all__ = [
    "check_target",
    "columns_in",
    "reader",
    "region_page",
    "region_svg",
    "sheet_csv",
    "sheet_in",
    "source_note",
    "write_whole",
]

_LANGUAGES = ("en", "fa")
_BOTH = ("name_en",)
_TEXT_START = ("=", "+", "-", "@", "\t", "\r")


def columns_in(sheet: Sheet, language: Language) -> list[str]:
    """Return the fields of a sheet without the texts of the other language; names stay."""
    other = tuple(f"_{c}" for c in _LANGUAGES if c != language.code)
    return [
        c.field for c in sheet.columns if c.field in _BOTH or not c.field.endswith(other)
    ]  # fmt: skip


def sheet_in(sheet: Sheet, language: Language) -> Sheet:
    """Return a sheet with the texts of one language."""
    wanted = set(columns_in(sheet, language))
    return replace(sheet, columns=tuple(c for c in sheet.columns if c.field in wanted))


def sheet_csv(sheet: Sheet) -> str:
    """Return a sheet as CSV: field names, one row each, missing empty, both languages.

    A text that a spreadsheet would take for a formula gets an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    fields = [c.field for c in sheet.columns]
    writer.writerow(fields)
    for row in sheet.frame[fields].itertuples(index=False, name=None):
        writer.writerow([_cell(v) for v in row])
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_TEXT_START) else value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return "" if value != value else repr(value)
    return str(value)


_NOTE = 110
"""Characters of the line under a map that fit its width."""

_UNITS = {
    "per 1,000 people": "در هزار نفر",
    "per 100,000 people": "در صد هزار نفر",
    "per million people": "در میلیون نفر",
    "MW per 1,000 people": "مگاوات در هزار نفر",
    "kt/yr per 1,000 people": "هزار تن در سال در هزار نفر",
    "ha per 1,000 people": "هکتار در هزار نفر",
    "USD per person": "دلار سرانه",
    "persons / persons": "نفر به نفر",
    "count / persons": "شمار به نفر",
    "workshops / persons": "کارگاه به نفر",
    "persons / km2": "نفر بر کیلومتر مربع",
    "km2": "کیلومتر مربع",
    "MW": "مگاوات",
    "workshops": "کارگاه",
    "0 or 1": "۰ یا ۱",
}


def reader(profile: Profile, code: str) -> Language:
    """Return a reader's language with the words for units of measures of regions."""
    own = {f"unit_{unit}": Text(en=unit, fa=fa) for unit, fa in _UNITS.items()}
    return Language(code, profile.calendar, {**own, **profile.terms})


def source_note(
    layers: Mapping[str, Mapping[str, Any]], *, first: str | None, synthetic: bool
) -> Text:
    """Return one line that says where a map's data come from, as far as it fits.

    Parameters
    ----------
    layers : mapping of layer id to version record
    first : str, optional
        Layer whose source stands first: that of the shapes, which licences ask for.
    synthetic : bool
        The country is made up.
    """
    order = sorted(layers, key=lambda name: (name != first, name))
    sources = list(
        dict.fromkeys(str(layers[n]["source"]) for n in order if layers[n].get("source"))
    )
    said = ""
    for source in sources:
        longer = f"{said}; {source}" if said else source
        if said and len(longer) > _NOTE:
            said += " …"
            break
        said = longer
    said = said if len(said) <= _NOTE + 2 else said[:_NOTE] + " …"
    # Isolated, because sources are in English in a line that runs right to left.
    en, fa = f"Data: {said or '–'}", f"داده‌ها: \u2068{said or '–'}\u2069"
    if synthetic:
        en, fa = f"Synthetic country. {en}", f"کشور ساختگی. {fa}"
    return Text(en=en, fa=fa)


def region_svg(
    regions: gpd.GeoDataFrame,
    values: pd.Series,
    *,
    level: int,
    title: Text,
    unit: str,
    classes: Classing,
    centre: float,
    count: int,
    language: Language,
    crs: str,
    note: Text | None = None,
) -> str:
    """Return the map of one variable of one level; see `choropleth_svg` for the errors."""
    own = regions[regions["level"] == level]
    return choropleth_svg(
        own, values, title=title, unit=unit, language=language, crs=crs, classes=classes,
        count=count, centre=centre, note=note,
    )  # fmt: skip


def region_page(
    regions: gpd.GeoDataFrame,
    layers: Sequence[MapLayer],
    *,
    level: int,
    title: Text,
    language: Language,
    crs: str,
) -> str:
    """Return the offline map page of some variables of one level."""
    own = regions[regions["level"] == level]
    return choropleth_map(own, layers, title=title, language=language, crs=crs)


def check_target(path: Path, endings: tuple[str, ...], option: str) -> None:
    """Raise where a file of this name cannot be written: its ending, or no folder.

    Raises
    ------
    InputError, FileMissing
    """
    if path.suffix.lower() not in endings:
        raise InputError(
            f"'{path.name}' does not end with {' or '.join(endings)}", where=option,
            remedy=f"name a {endings[0]} file",
        )  # fmt: skip
    if path.is_dir():
        raise InputError(f"'{path}' is a folder", where=option, remedy="name a file")
    if not path.parent.is_dir():
        raise FileMissing(
            "there is no such folder", where=f"{option} {path.parent}", remedy="make it first"
        )


def write_whole(path: Path, text: str) -> Path:
    """Write UTF-8 text whole, or not at all."""
    part = path.with_name(f".{path.name}.part")
    with full_disk_told(path.parent):
        try:
            part.write_text(text, encoding="utf-8", newline="\n")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    return path
