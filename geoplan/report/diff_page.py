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
from geoplan.report.inspection_words import isolated, quantity
from geoplan.report.language import Language

__all__ = ["diff_html", "write_diff_html"]

_LISTED = 300  # rows of one kind in the list
_DRAWN = 1_500  # outlines of one kind on the map


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
        rows = pd.DataFrame(frame.drop(columns=frame.geometry.name)).head(_DRAWN).to_dict("records")
        numbered = list(enumerate(rows, number + 1))
        number += len(rows)
        listed[kind] = numbered[:_LISTED]
        shapes = finite(frame.geometry)
        placed += sum(shape is not None for shape in shapes)
        if kind == "reshaped":
            placed += sum(shape is not None for shape in finite(frame["geometry_before"]))
        name = "reshaped_after" if kind == "reshaped" else kind
        for (n, row), shape in zip(numbered, shapes, strict=False):
            tip = _tip(n, kind, row, spoken)
            if kind == "reshaped":
                # Its number belongs to the outline after; the one before has none of its own.
                items.append(Item(-n, "reshaped_before", row["geometry_before"], tip))
            items.append(Item(n, name, shape, tip))
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


def _tip(number: int, kind: str, row: dict[str, Any], languages: Sequence[Language]) -> str:
    blocks = []
    for each in languages:
        line = ""
        if kind == "reshaped":
            before, after = row["area_before_m2"], row["area_after_m2"]
            line = each.semicolon.join(
                f"{each.t(name)} {quantity(value, 'm2', each)}"
                for name, value in (("area_before", before), ("area_after", after))
            )
        elif kind == "changed":
            arrow = "←" if each.direction == "rtl" else "→"
            values = f"{shown(row['before'], each)} {arrow} {shown(row['after'], each)}"
            line = f"{isolated(row['field'])}: {values}"
        blocks.append(
            f'<div lang="{each.code}" dir="{each.direction}">'
            f"<b>{each.digits(number)}. {escape(each.t(kind))}</b>"
            f"<p>{escape(each.t('key'))}: <bdi>{escape(isolated(row['key']))}</bdi></p>"
            f"{f'<p>{escape(line)}</p>' if line else ''}</div>"
        )
    return "".join(blocks)
