"""What changed between two versions of a layer: as lines for a terminal and as a document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.catalogue.text import Text
from geoplan.errors import ShapeError
from geoplan.report.inspection_words import isolated, plain, quantity, signed, speaking
from geoplan.report.inspection_wrap import table, wrapped
from geoplan.report.language import Language
from geoplan.store.diff import Diff

__all__ = ["KINDS", "DiffView", "Side", "diff_document", "diff_lines", "diff_view", "verdict"]

KINDS = ("added", "removed", "reshaped", "changed")
"""Kinds of difference, in the order of every list."""

_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "added": ("key",),
    "removed": ("key",),
    "reshaped": ("key", "geometry_before", "area_before_m2", "area_after_m2"),
    "changed": ("key", "field", "before", "after"),
}
_DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions.

    Parameters
    ----------
    number : int
        Of the version.
    loaded_at, loaded_by, file : str
        ISO date and time, who, and the file.
    rows : int
        Rows in it.
    """

    number: int
    loaded_at: str = ""
    loaded_by: str = ""
    file: str = ""
    rows: int = 0


@dataclass(frozen=True, slots=True)
class DiffView:
    """What changed between two versions, in EPSG:4326.

    Parameters
    ----------
    layer, title : str, Text
        The layer.
    before, after : Side
        The two versions.
    added, removed : GeoDataFrame
        Whole rows, with a column ``key``.
    reshaped : GeoDataFrame
        ``key``, ``geometry_before``, ``area_before_m2``, ``area_after_m2``; its geometry is the
        one after.
    changed : GeoDataFrame
        One row for each attribute that changed: ``key``, ``field``, ``before``, ``after``; its
        geometry is the one after.
    unchanged : int
        Rows that are the same in both.
    counts : mapping, optional
        Rows by kind where the frames do not hold all; a row with three changed attributes counts
        once under ``changed``.
    synthetic : bool
        Made-up data.

    Raises
    ------
    ShapeError
        A frame lacks a column.
    """

    layer: str
    title: Text
    before: Side
    after: Side
    added: gpd.GeoDataFrame
    removed: gpd.GeoDataFrame
    reshaped: gpd.GeoDataFrame
    changed: gpd.GeoDataFrame
    unchanged: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    synthetic: bool = False

    def __post_init__(self) -> None:
        for kind in KINDS:
            absent = [c for c in _COLUMNS[kind] if c not in self.frame(kind).columns]
            if absent:
                raise ShapeError(
                    f"the frame lacks {', '.join(absent)}",
                    where=f"difference '{kind}'",
                    remedy="see geoplan.report.diff.DiffView",
                )

    def frame(self, kind: str) -> gpd.GeoDataFrame:
        """Return the frame of a kind of difference."""
        return getattr(self, kind)

    def count(self, kind: str) -> int:
        """Return how many rows of the layer have a kind of difference, exactly."""
        if kind in self.counts:
            return self.counts[kind]
        return int(self.frame(kind)["key"].nunique(dropna=False))

    @property
    def same(self) -> bool:
        """Whether the versions do not differ."""
        return not any(self.count(kind) for kind in KINDS)


def diff_view(
    found: Diff,
    title: Text,
    *,
    before: Side | None = None,
    after: Side | None = None,
    places: Mapping[str, shapely.Geometry] | None = None,
    synthetic: bool = False,
) -> DiffView:
    """Return a comparison of the store as people see it.

    Parameters
    ----------
    found : Diff
        The comparison; its counts are exact also where its tables were cut.
    title : Text
        Title of the layer.
    before, after : Side, optional
        The two versions; absent: their numbers and rows alone.
    places : mapping, optional
        Key → geometry in EPSG:4326 of rows of which only attributes changed. Those that were
        reshaped as well have theirs.
    synthetic : bool
        Made-up data.
    """
    known = {
        **(places or {}),
        **dict(zip(found.reshaped["key"], found.reshaped.geometry, strict=True)),
    }
    rows = found.changed.rename(columns={"old": "before", "new": "after"})
    where = np.array([*(known.get(key) for key in rows["key"]), None], dtype=object)[:-1]
    return DiffView(
        layer=found.layer_id,
        title=title,
        before=before or Side(found.a, rows=found.rows_a),
        after=after or Side(found.b, rows=found.rows_b),
        added=found.added,
        removed=found.removed,
        reshaped=found.reshaped,
        changed=gpd.GeoDataFrame(rows, geometry=where, crs="EPSG:4326"),
        unchanged=found.unchanged_count,
        counts={kind: int(getattr(found, f"{kind}_count")) for kind in KINDS},
        synthetic=synthetic,
    )


def verdict(view: DiffView, language: Language) -> str:
    """Return what changed, in one sentence."""
    if view.same:
        return language.t("comparison_none")
    counts = {kind: language.number(view.count(kind)) for kind in KINDS}
    return language.t("comparison_some", same=language.number(view.unchanged), **counts)


def diff_lines(
    view: DiffView, width: int, *, limit: int, language: Language | None = None
) -> list[str]:
    """Return what a person at a terminal has to know.

    Parameters
    ----------
    view : DiffView
        The difference.
    width : int
        Columns there are.
    limit : int
        Rows told of each kind; the counts are always exact.
    language : Language, optional
        English where absent.

    Returns
    -------
    list of str
        Lines no wider than ``width``.
    """
    say = speaking(language or Language("en"))
    width = max(40, width)
    head = f"{view.layer} v{view.before.number} → v{view.after.number}: "
    lines = wrapped(head, verdict(view, say), width, hang=2)
    if view.synthetic:
        lines += wrapped("  ", say.t("notice_synthetic"), width)
    for name, side in (("before", view.before), ("after", view.after)):
        about = [f"v{side.number}", isolated(side.file), f"{say.number(side.rows)}"]
        about[2] = f"{about[2]} {say.t('rows').lower()}"
        about += [say.date(side.loaded_at), isolated(side.loaded_by)]
        empty = ("\u2068\u2069", "–")
        text = say.comma.join(part for part in about if part not in empty)
        lines += wrapped(f"  {say.t(name)}: ", text, width)
    for kind in KINDS:
        frame = view.frame(kind).head(max(0, limit))
        if not len(frame):
            continue
        lines += ["", say.t(kind), *_rows(kind, frame, say, width)]
        total = len(view.frame(kind)) if kind == "changed" else view.count(kind)
        if len(frame) < total:
            words = say.t("differences_more", shown=say.number(len(frame)), total=say.number(total))
            lines += wrapped("  ", words, width)
    return lines


def _rows(kind: str, frame: gpd.GeoDataFrame, say: Language, width: int) -> list[str]:
    keys = [isolated(key, 30) for key in frame["key"]]
    if kind == "reshaped":
        heads = ["key", "area_before", "area_after", "change"]
        cells = [
            (k, quantity(a, "m2", say), quantity(b, "m2", say), signed(b - a, "m2", say))
            for k, a, b in zip(keys, frame["area_before_m2"], frame["area_after_m2"], strict=True)
        ]
        return table([say.t(h) for h in heads], cells, width, right=(1, 2, 3))
    if kind == "changed":
        heads = ["key", "attribute", "before", "after"]
        changes = [
            (k, plain(f, 30), shown(a, say, 24), shown(b, say, 24))
            for k, f, a, b in zip(
                keys, frame["field"], frame["before"], frame["after"], strict=True
            )
        ]
        return table([say.t(h) for h in heads], changes, width)
    return wrapped("  ", say.comma.join(keys), width)


def shown(value: Any, say: Language, longest: int = 200) -> str:
    """Return a value of an attribute as people read it; a dash where it is missing."""
    if missing(value):
        return say.number(None)
    if isinstance(value, (datetime, date)):
        return say.date(value)
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (int, np.integer)):
        return say.number(value) if abs(int(value)) >= 10_000 else say.digits(value)
    if isinstance(value, (float, np.floating)):
        return quantity(float(value), "", say)
    return isolated(value, longest)


def missing(value: Any) -> bool:
    """Return whether an attribute has no value."""
    return value is None or (
        bool(pd.isna(value)) if np.isscalar(value) or value is pd.NA else False
    )


def diff_document(view: DiffView) -> dict[str, Any]:
    """Return the difference as values that JSON has, geometry as GeoJSON in EPSG:4326."""
    say = {code: speaking(Language(code)) for code in ("en", "fa")}
    return {
        "layer": view.layer,
        "title": {name: words for name, words in view.title.model_dump().items() if words},
        "synthetic": view.synthetic,
        "before": _side(view.before),
        "after": _side(view.after),
        "same": view.same,
        "verdict": {code: verdict(view, each) for code, each in say.items()},
        "counts": {**{kind: view.count(kind) for kind in KINDS}, "unchanged": view.unchanged},
        **{kind: _features(view.frame(kind)) for kind in KINDS},
    }


def _side(side: Side) -> dict[str, Any]:
    names = ("number", "loaded_at", "loaded_by", "file", "rows")
    return {name: getattr(side, name) for name in names}


def _features(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    found = pd.DataFrame(frame.drop(columns=frame.geometry.name)).to_dict("records")
    shapes = {"geometry": frame.geometry.to_numpy()}
    if "geometry_before" in frame.columns:
        shapes["geometry_before"] = np.array([*frame["geometry_before"], None], dtype=object)[:-1]
    for name, values in shapes.items():
        rounded = shapely.transform(values, lambda xy: np.round(xy, _DECIMALS))
        for row, text in zip(found, shapely.to_geojson(rounded), strict=True):
            row[name] = None if text is None else json.loads(text)
    for row in found:
        if "area_before_m2" in row:
            row["area_change_m2"] = row["area_after_m2"] - row["area_before_m2"]
    return [{str(name): _value(value) for name, value in row.items()} for row in found]


def _value(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return value
    if missing(value):
        return None
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool)) else str(value)
