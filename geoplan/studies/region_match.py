"""Two sources of regions, from files or loaded layers, joined and written out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue.text import Text
from geoplan.errors import EmptyLayer, FileMissing, InputError, UnknownName
from geoplan.regions.matching import MatchLimits, MatchResult, match_regions
from geoplan.report.language import Language
from geoplan.report.region_workbook import About, Sheet, SheetColumn, Source, region_workbook
from geoplan.store import read

__all__ = [
    "FileColumns",
    "match_document",
    "match_sheets",
    "match_sources",
    "regions_of_file",
    "regions_of_layer",
    "write_match",
]

_TABLES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True, slots=True)
class FileColumns:
    """Which columns of a file hold what.

    Parameters
    ----------
    code, parent : str
        Columns of the region's and of its parent's code.
    name_local, name_en : str, optional
        Columns of names; at least one.
    parent_last : int, optional
        Only this many last characters of the parent's code: 2 makes ``IR-07`` into ``07``.
    parent_digits : int, optional
        Parent codes are filled with zeros to this length: register lists drop them.
    code_digits : int, optional
        The same for codes. 0 takes codes that the file holds as whole numbers as they are.
    """

    code: str = "code"
    parent: str = "parent_code"
    name_local: str | None = "name_local"
    name_en: str | None = None
    parent_last: int | None = None
    parent_digits: int | None = None
    code_digits: int | None = None


def regions_of_file(
    path: Path, columns: FileColumns, *, layer: str | None = None
) -> gpd.GeoDataFrame | pd.DataFrame:
    """Return the regions of a file in the form that the join takes.

    Parameters
    ----------
    path : Path
        CSV or TSV (UTF-8; every column is read as text, so that zeros stay), or any vector file
        that GDAL reads.
    columns : FileColumns
        Where codes and names stand.
    layer : str, optional
        Layer of a file that holds several.

    Returns
    -------
    GeoDataFrame or DataFrame
        ``code``, ``parent_code``, ``name_local``, ``name_en``, and the shapes of a vector file.

    Raises
    ------
    FileMissing
        There is no such file, or it cannot be read.
    UnknownName
        A column is not there; the message lists those that are.
    EmptyLayer
        It has no row.
    """
    if not path.is_file():
        raise FileMissing(f"there is no file {path.name}", where=str(path),
                          remedy="check the path")  # fmt: skip
    try:
        if path.suffix.lower() in _TABLES:
            separator = "\t" if path.suffix.lower() == ".tsv" else ","
            frame = pd.read_csv(path, dtype=str, sep=separator, encoding="utf-8-sig")
        else:
            frame = gpd.read_file(path, layer=layer)
    except Exception as error:
        raise FileMissing(f"it cannot be read: {error}", where=str(path),
                          remedy="give a UTF-8 CSV or a vector file") from error  # fmt: skip
    return _standard(frame, columns, where=path.name)


def regions_of_layer(
    session: Session, layer: str, columns: FileColumns | None = None
) -> gpd.GeoDataFrame:
    """Return the regions of a loaded layer in the form that the join takes.

    Absent ``columns``, codes are in ``code`` or the layer's key and parents in ``parent_code`` or
    ``province_code``.

    Raises
    ------
    EmptyLayer
        It is not loaded, or has no row.
    UnknownName
        A column is not there.
    """
    if layer not in read.layer_versions(session, [layer]):
        raise EmptyLayer(f"layer '{layer}' is not loaded", where=layer,
                         remedy="load the country's pack: geoplan pack load")  # fmt: skip
    frame = read.layer_frame(session, layer)
    if columns is None:
        code = "code" if "code" in frame.columns else "key"
        parent = "parent_code" if "parent_code" in frame.columns else "province_code"
        columns = FileColumns(code, parent, "name_local", "name_en")
    return gpd.GeoDataFrame(_standard(frame, columns, where=layer))


def _standard(
    frame: pd.DataFrame, columns: FileColumns, *, where: str
) -> gpd.GeoDataFrame | pd.DataFrame:
    wanted = {"code": columns.code, "parent_code": columns.parent,
              "name_local": columns.name_local, "name_en": columns.name_en}  # fmt: skip
    for role, name in wanted.items():
        if name is not None and name not in frame.columns:
            raise UnknownName(
                f"there is no column '{name}' for {role}", where=where,
                remedy=f"columns are: {', '.join(map(str, frame.columns))}",
            )  # fmt: skip
    if columns.name_local is None and columns.name_en is None:
        raise InputError("no column of names was named", where=where,
                         remedy="name the column of local or English names")  # fmt: skip
    if not len(frame):
        raise EmptyLayer("it has no row", where=where, remedy="give regions")
    kept = {role: frame[name] for role, name in wanted.items() if name is not None}
    table = pd.DataFrame(kept)
    if columns.parent_last is not None:
        table["parent_code"] = table["parent_code"].str[-columns.parent_last :]
    for role, digits in (("parent_code", columns.parent_digits), ("code", columns.code_digits)):
        # Numbers are refused by the join, unless it was said how many digits a code has.
        if digits is not None:
            whole = pd.api.types.is_integer_dtype(table[role])
            text = table[role].astype(str) if whole else table[role]
            table[role] = text.str.zfill(digits)
    if isinstance(frame, gpd.GeoDataFrame):
        return gpd.GeoDataFrame(table, geometry=frame.geometry)
    return table


def match_sources(
    old: gpd.GeoDataFrame | pd.DataFrame,
    new: gpd.GeoDataFrame | pd.DataFrame,
    *,
    crs: str | None,
    parents: tuple[pd.DataFrame, pd.DataFrame] | None = None,
    same_codes: bool = False,
    limits: MatchLimits | None = None,
) -> MatchResult:
    """Join two sources; see :func:`geoplan.regions.matching.match_regions`.

    Parameters
    ----------
    parents : pair of DataFrame, optional
        The parents of both sources (``code`` and names), where their codes are of two registers:
        they are joined by name first, and the new regions get the old parents' codes.

    Raises
    ------
    UnknownName
        A new parent has no old one of that name.
    """
    if parents is not None:
        flat = [frame.assign(parent_code=None) for frame in parents]
        above = match_regions(flat[0], flat[1], crs=None).frame
        codes = above[above["accounts_for"] == "both"].set_index("new_code")["old_code"]
        lost = sorted(set(new["parent_code"].dropna()) - set(codes.index))
        if lost:
            raise UnknownName(f"no old parent has the name of the new parents {', '.join(lost)}",
                              remedy="correct the names of the parents")  # fmt: skip
        new = new.assign(parent_code=new["parent_code"].map(codes))
    return match_regions(old, new, crs=crs, same_codes=same_codes, limits=limits or MatchLimits())


def match_document(result: MatchResult) -> dict[str, Any]:
    """Return the join as a JSON-able document."""
    document: dict[str, Any] = {
        "counts": result.counts,
        "limits": asdict(result.limits),
        "regions": json.loads(result.frame.to_json(orient="records", double_precision=6)),
        "crosswalk": json.loads(result.crosswalk.to_json(orient="records", double_precision=9)),
        "problems": [asdict(problem) for problem in result.problems],
    }
    return document


_STATUS = {
    "matched": Text(en="matched", fa="همخوان"),
    "renamed": Text(en="renamed", fa="تغییر نام"),
    "split": Text(en="split off", fa="جداشده"),
    "merged": Text(en="merged", fa="ادغام‌شده"),
    "unmatched": Text(en="unmatched", fa="بی‌همتا"),
    "part": Text(en="part", fa="بخش"),
}
_METHOD = {
    "code": Text(en="code", fa="کد"),
    "name": Text(en="name", fa="نام"),
    "variant": Text(en="name variant", fa="گونهٔ نام"),
    "geometry": Text(en="area", fa="مساحت"),
}
_ACCOUNTS = {
    "both": Text(en="both", fa="هر دو"),
    "old": Text(en="old", fa="قدیم"),
    "new": Text(en="new", fa="جدید"),
}


def match_sheets(result: MatchResult, language: Language) -> list[Sheet]:
    """Return the join and its crosswalk as sheets of a workbook."""
    frame = result.frame.copy()
    for column, words in (("status", _STATUS), ("method", _METHOD), ("accounts_for", _ACCOUNTS)):
        frame[column] = [_word(words, value, language) for value in frame[column]]
    frame["reason"] = frame["reason_fa" if language.code == "fa" else "reason_en"]
    walk = result.crosswalk.copy()
    walk["kind"] = [_word(_STATUS, value, language) for value in walk["kind"]]
    for side in ("old", "new"):
        known = result.frame.dropna(subset=[f"{side}_code"]).drop_duplicates(f"{side}_code")
        walk[f"{side}_name"] = walk[f"{side}_code"].map(
            known.set_index(f"{side}_code")[f"{side}_name"]
        )
    share = {"kind": "share", "decimals": 1}
    columns: Sequence[SheetColumn] = (
        SheetColumn("old_code", Text(en="Old code", fa="کد قدیم")),
        SheetColumn("old_name", Text(en="Old name", fa="نام قدیم")),
        SheetColumn("new_code", Text(en="New code", fa="کد جدید")),
        SheetColumn("new_name", Text(en="New name", fa="نام جدید")),
        SheetColumn("accounts_for", Text(en="Accounts for", fa="حساب برای")),
        SheetColumn("status", Text(en="Status", fa="وضعیت")),
        SheetColumn("method", Text(en="By", fa="بر پایهٔ")),
        SheetColumn("share_old", Text(en="Share of old area", fa="سهم از مساحت قدیم"),
                    **share),  # type: ignore[arg-type]
        SheetColumn("share_new", Text(en="Share of new area", fa="سهم از مساحت جدید"),
                    **share),  # type: ignore[arg-type]
        SheetColumn("comparable", Text(en="Border unmoved", fa="مرز ثابت"), "flag"),
        SheetColumn("conflict", Text(en="Conflict", fa="ناسازگاری"), "flag"),
        SheetColumn("reason", Text(en="Evidence", fa="شاهد")),
    )  # fmt: skip
    sheets = [
        Sheet(_tab(language, "regions", "منطقه‌ها"),
              Text(en="Every old and every new region", fa="همهٔ منطقه‌های قدیم و جدید"),
              columns, frame)
    ]  # fmt: skip
    if len(walk):
        sheets.append(
            Sheet(
                _tab(language, "crosswalk", "جدول تبدیل"),
                Text(en="How the area of each old region is divided among the new ones",
                     fa="مساحت هر منطقهٔ قدیم چگونه میان منطقه‌های جدید تقسیم می‌شود"),
                (
                    SheetColumn("old_code", Text(en="Old code", fa="کد قدیم")),
                    SheetColumn("old_name", Text(en="Old name", fa="نام قدیم")),
                    SheetColumn("new_code", Text(en="New code", fa="کد جدید")),
                    SheetColumn("new_name", Text(en="New name", fa="نام جدید")),
                    SheetColumn("kind", Text(en="Kind", fa="نوع")),
                    SheetColumn("area_km2", Text(en="Common area", fa="مساحت مشترک"), "number",
                                "km2", 1),
                    SheetColumn("share_old", Text(en="Share of old area", fa="سهم از مساحت قدیم"),
                                **share),  # type: ignore[arg-type]
                    SheetColumn("share_new", Text(en="Share of new area", fa="سهم از مساحت جدید"),
                                **share),  # type: ignore[arg-type]
                    SheetColumn("weight", Text(en="Weight", fa="وزن"), "number", decimals=6),
                ),
                walk,
                notes=(
                    Text(en="A count of an old region goes to new ones by weight and is then "
                            "estimated by area: it takes the count to be spread evenly.",
                         fa="شمارِ هر منطقهٔ قدیم به نسبت وزن به منطقه‌های جدید می‌رسد و «برآورد به "
                            "نسبت مساحت» است: فرض بر پخش یکنواخت است."),
                ),
            )
        )  # fmt: skip
    return sheets


def write_match(
    result: MatchResult,
    path: Path,
    *,
    made: datetime,
    sources: Sequence[Source],
    language: Language,
) -> Path:
    """Write the join: a workbook (``.xlsx``) or the whole document (``.json``).

    Raises
    ------
    InputError
        The name ends in neither.
    """
    if path.suffix.lower() == ".json":
        text = json.dumps(match_document(result), ensure_ascii=False, indent=2)
        path.write_text(text + "\n", encoding="utf-8", newline="\n")
        return path
    if path.suffix.lower() != ".xlsx":
        raise InputError(f"'{path.suffix}' is no format of a join", where=path.name,
                         remedy="end the name in .xlsx or .json")  # fmt: skip
    limits = result.limits
    about = About(
        Text(en="Two sources of regions joined", fa="پیوند دو منبع از منطقه‌ها"),
        made,
        formula=Text(
            en=f"code, then name in the same parent, then spelling, then shapes that share at "
               f"least {limits.inside:.0%}; overlaps below {limits.sliver:.0%} of both regions "
               "are noise of drawing",
            fa=language.digits(
                "کد، سپس نام در همان استان، سپس گونهٔ نوشتاری، سپس هندسه‌هایی که دست‌کم "
                f"{100 * limits.inside:.0f}٪ مشترک‌اند؛ هم‌پوشانی کمتر از "
                f"{100 * limits.sliver:.0f}٪ از هر دو منطقه خطای ترسیم است"
            ),
        ),
        sources=sources,
    )  # fmt: skip
    return region_workbook(path, match_sheets(result, language), about=about, language=language)


def _word(words: dict[str, Text], value: object, language: Language) -> str | None:
    if not isinstance(value, str):
        return None
    return language.text(words.get(value), value)


def _tab(language: Language, en: str, fa: str) -> str:
    return fa if language.code == "fa" else en
