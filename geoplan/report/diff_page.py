"""What changed between two versions, on a map that needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from geoplan.report.diff import KINDS, DiffView, shown, verdict
from geoplan.report.diff_layers import DIFF_COLOURS
from geoplan.report.export_file import new_file
from geoplan.report.inspection_page import LANGUAGES, Words, map_kinds, offline_page, spoken_first
from geoplan.report.inspection_place import finite
from geoplan.report.inspection_scene import Item, scene
from geoplan.report.inspection_words import isolated, quantity, signed
from geoplan.report.language import Language

__all__ = ["diff_html", "write_diff_html"]

_LISTED = 300  # rows of one kind in the list
_DRAWN = 1_500  # outlines of one kind on the map
_LAYER = {"reshaped": "reshaped_after"}


def write_diff_html(
    view: DiffView,
    path: Path,
    *,
    language: str = "fa",
    languages: Sequence[Language] = LANGUAGES,
    overwrite: bool = False,
) -> None:
    """Write the page as UTF-8; see `diff_html`.

    Raises
    ------
    InputError, FileMissing, DiskFull
        As :func:`geoplan.report.export_file.new_file`; also where the embedded assets are absent.
    """
    page = diff_html(view, language=language, languages=languages)
    with new_file(path, overwrite=overwrite) as part:
        part.write_text(page, encoding="utf-8", newline="\n")


def diff_html(
    view: DiffView, *, language: str = "fa", languages: Sequence[Language] = LANGUAGES
) -> str:
    """Return the page, in which a reader changes the language.

    Parameters
    ----------
    view : DiffView
        The difference.
    language : str
        The language shown first.
    languages : sequence of Language
        All that the page holds.

    Returns
    -------
    str
        HTML with everything inside; all text from data is escaped, and lists and outlines that
        are cut say so.
    """
    spoken = spoken_first(languages, language)
    listed: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    items: list[Item] = []
    placed = number = 0
    for kind in KINDS:
        frame = view.frame(kind)
        shapes = finite(frame.geometry)
        rows = pd.DataFrame(frame.drop(columns=frame.geometry.name)).to_dict("records")
        # All that changed about one row of the layer has one number and one place.
        groups: dict[Any, list[int]] = {}
        for at, row in enumerate(rows):
            groups.setdefault(row["key"] if kind == "changed" else at, []).append(at)
        places = [shapes[members[0]] for members in groups.values()]
        placed += sum(shape is not None for shape in places)
        listed[kind] = []
        for members, shape in list(zip(groups.values(), places, strict=True))[:_DRAWN]:
            number += 1
            of_this = [rows[at] for at in members]
            if len(listed[kind]) < _LISTED:
                listed[kind] += [(number, row) for row in of_this]
            tip = _tip(number, kind, of_this, spoken)
            if kind == "reshaped":
                # The number belongs to the outline after; the one before has none of its own.
                items.append(Item(-number, "reshaped_before", of_this[0]["geometry_before"], tip))
            items.append(Item(number, _LAYER.get(kind, kind), shape, tip))
        if kind == "reshaped":
            placed += sum(shape is not None for shape in finite(frame["geometry_before"]))
    drawing = scene(items, "EPSG:4326")
    numbers: dict[str, list[int]] = {}
    for item in items:
        numbers.setdefault(item.kind, []).append(item.number)
    names: list[tuple[str, Words, str]] = [
        (kind, partial(_word, kind), colour)
        for kind, colour in DIFF_COLOURS.items()
        if kind in numbers
    ]
    kinds = map_kinds(names, {k: [n for n in v if n > 0] for k, v in numbers.items()}, spoken)
    for each in kinds:
        each["dashed"] = each["id"] == "reshaped_before"
    return offline_page(
        "diff.html.j2", spoken, drawing, kinds,
        v=view, kinds=KINDS, verdict=verdict, listed=listed, placed=placed, shown=shown,
        colours=DIFF_COLOURS, on_map={item["n"] for item in drawing.data["items"]},
        totals={k: len(view.changed) if k == "changed" else view.count(k) for k in KINDS},
    )  # fmt: skip


def _word(key: str, language: Language) -> str:
    return language.t(key)


def _tip(
    number: int, kind: str, rows: Sequence[dict[str, Any]], languages: Sequence[Language]
) -> str:
    blocks = []
    for each in languages:
        lines = [f"{each.t('key')}: {isolated(rows[0]['key'])}"]
        for row in rows:
            if kind == "reshaped":
                before, after = row["area_before_m2"], row["area_after_m2"]
                lines.append(
                    f"{each.t('area_before')} {quantity(before, 'm2', each)}{each.semicolon}"
                    f"{each.t('area_after')} {quantity(after, 'm2', each)} "
                    f"({isolated(signed(after - before, 'm2', each))})"
                )
            elif kind == "changed":
                arrow = "←" if each.direction == "rtl" else "→"
                values = f"{shown(row['before'], each)} {arrow} {shown(row['after'], each)}"
                lines.append(f"{isolated(row['field'])}: {values}")
        blocks.append(
            f'<div lang="{each.code}" dir="{each.direction}">'
            f"<b>{each.digits(number)}. {escape(each.t(kind))}</b>"
            f"{''.join(f'<p>{escape(line)}</p>' for line in lines)}</div>"
        )
    return "".join(blocks)
