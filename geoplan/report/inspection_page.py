"""One inspected file as a page that needs no network: verdict, map, findings, remedies."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import shapely
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from geoplan.catalogue.checks import DEFECTS
from geoplan.ingest.inspection import Finding, Inspection
from geoplan.report import embed
from geoplan.report.export_file import new_file
from geoplan.report.inspection_order import ordered_findings, ordered_tallies, verdict
from geoplan.report.inspection_place import finite
from geoplan.report.inspection_scene import Item, Scene, scene, scene_json
from geoplan.report.inspection_style import colour
from geoplan.report.inspection_words import (
    evidence_remedy,
    evidence_text,
    figures,
    plain,
    quantity,
    remedy,
    says,
    signed,
    speaking,
    title,
    tolerances,
    worst_first,
)
from geoplan.report.language import Language

__all__ = [
    "LANGUAGES",
    "Words",
    "inspection_html",
    "map_kinds",
    "offline_page",
    "spoken_first",
    "write_inspection_html",
]

LANGUAGES = (Language("fa", "jalali"), Language("en"))
"""Languages of a page where the caller names none."""

Words = Callable[[Language], str]

_LISTED = 100  # findings of one kind in the list
_DRAWN = 1_000  # findings of one kind on the map
_REPAIRS = 500


def write_inspection_html(
    inspection: Inspection,
    path: Path,
    *,
    language: str = "fa",
    languages: Sequence[Language] = LANGUAGES,
    context: Iterable[shapely.Geometry | None] | None = None,
    made: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write the page as UTF-8; see `inspection_html`.

    Raises
    ------
    InputError, FileMissing, DiskFull
        As :func:`geoplan.report.export_file.new_file`; also where the embedded assets are absent.
    """
    page = inspection_html(
        inspection, language=language, languages=languages, context=context, made=made
    )
    with new_file(path, overwrite=overwrite) as part:
        part.write_text(page, encoding="utf-8", newline="\n")


def inspection_html(
    inspection: Inspection,
    *,
    language: str = "fa",
    languages: Sequence[Language] = LANGUAGES,
    context: Iterable[shapely.Geometry | None] | None = None,
    made: str | None = None,
) -> str:
    """Return the page, in which a reader changes the language.

    Parameters
    ----------
    inspection : Inspection
        What was found.
    language : str
        The language shown first.
    languages : sequence of Language
        All that the page holds, see :func:`geoplan.report.language.languages_of`.
    context : iterable of Geometry, optional
        Outlines of the file in ``inspection.crs``, drawn faintly; capped, and the page says so.
    made : str, optional
        ISO date of the check.

    Returns
    -------
    str
        HTML with script, styles, font and data inside. A content-security policy allows the
        page's own scripts by their digest and no request. All text from data is escaped.
    """
    spoken = spoken_first(languages, language)
    listed = ordered_findings(inspection)
    groups = _groups(inspection, listed)
    drawable = {
        number
        for (number, _), shape in zip(listed, finite(f.geometry for _, f in listed), strict=True)
        if shape is not None
    }
    shown = [pair for pair in _at_most(listed, _DRAWN) if pair[0] in drawable]
    drawing = scene(
        [Item(n, f.code, f.geometry, _tip(n, f, spoken)) for n, f in shown],
        inspection.crs, context,
    )  # fmt: skip
    numbers: dict[str, list[int]] = {}
    for number, finding in shown:
        numbers.setdefault(finding.code, []).append(number)
    names: list[tuple[str, Words, str]] = [
        (code, partial(title, code), colour(code)) for code in numbers
    ]
    kinds = map_kinds(names, numbers, spoken)
    return offline_page(
        "inspection.html.j2",
        spoken,
        drawing,
        kinds,
        i=inspection,
        made=made,
        tone="no" if inspection.errors else "warned" if _warned(inspection) else "",
        verdict=verdict,
        file_error=any(p.severity == "error" for p in inspection.problems),
        tallies=ordered_tallies(inspection),
        problems=sorted(inspection.problems, key=worst_first),
        known=DEFECTS,
        groups=groups,
        listed={group["code"] for group in groups},
        placed=len(drawable),
        drawable=drawable,
        on_map={item["n"] for item in drawing.data["items"]},
        repairs=inspection.repairs[:_REPAIRS],
        evidence=evidence_text,
        evidence_remedy=evidence_remedy,
        colour=colour,
        title=title,
        says=says,
        figures=figures,
        remedy=remedy,
        tolerances=tolerances,
    )


def spoken_first(languages: Sequence[Language], code: str) -> tuple[Language, ...]:
    """Return the languages of a page, ``code`` first, with the words of these pages."""
    ordered = sorted(languages, key=lambda each: each.code != code)
    return tuple(speaking(each) for each in ordered)


def _warned(inspection: Inspection) -> bool:
    return any(t.severity == "warning" for t in inspection.tallies.values()) or any(
        p.severity == "warning" for p in inspection.problems
    )


def _groups(inspection: Inspection, listed: Sequence[tuple[int, Finding]]) -> list[dict[str, Any]]:
    found = []
    for code, tally in ordered_tallies(inspection):
        shown = [pair for pair in listed if pair[1].code == code][:_LISTED]
        if shown:
            found.append(
                {
                    "code": code,
                    "severity": tally.severity,
                    "count": tally.count,
                    "area_m2": tally.area_m2,
                    "shown": shown,
                }
            )
    return found


def _at_most(listed: Sequence[tuple[int, Finding]], most: int) -> list[tuple[int, Finding]]:
    """Return the first findings of each kind, so that many notes do not crowd out a few errors."""
    seen: dict[str, int] = {}
    out = []
    for pair in listed:
        code = pair[1].code
        seen[code] = seen.get(code, 0) + 1
        if seen[code] <= most:
            out.append(pair)
    return out


def _tip(number: int, finding: Finding, languages: Sequence[Language]) -> str:
    blocks = []
    for each in languages:
        more = each.semicolon.join(f"{name} {value}" for name, value in figures(finding, each))
        blocks.append(
            f'<div lang="{each.code}" dir="{each.direction}">'
            f"<b>{each.digits(number)}. {escape(title(finding.code, each))}</b> "
            f'<span class="dim">({escape(each.word("severity", finding.severity))})</span>'
            f"<p>{escape(says(finding, each))}</p>"
            f"{f'<p>{escape(more)}</p>' if more else ''}</div>"
        )
    return "".join(blocks)


def map_kinds(
    kinds: Sequence[tuple[str, Words, str]],
    numbers: Mapping[str, Sequence[int]],
    languages: Sequence[Language],
    *,
    fill: float = 0.45,
) -> list[dict[str, Any]]:
    """Return what the map knows of each kind: its label and numbers in every language.

    Parameters
    ----------
    kinds : sequence of (id, name, colour)
        ``name`` gives the words of a kind in a language.
    numbers : mapping
        Kind → numbers of its items.
    languages : sequence of Language
        As on the page.
    fill : float
        Opacity of areas, 0 to 1.
    """

    def both(make: Words) -> str:
        return "".join(
            f'<span lang="{each.code}" dir="{each.direction}">{escape(make(each))}</span>'
            for each in languages
        )

    return [
        {
            "id": name,
            "colour": hue,
            "fill": fill,
            "label": f'<span class="swatch" style="background:{hue}"></span>{both(words)}',
            "numbers": {n: both(partial(_digits, n)) for n in numbers.get(name, ())},
        }
        for name, words, hue in kinds
    ]


def _digits(number: int, language: Language) -> str:
    return language.digits(number)


def offline_page(
    template: str,
    languages: Sequence[Language],
    drawing: Scene,
    map_legend: Sequence[Mapping[str, Any]],
    **values: Any,
) -> str:
    """Return a page with a map, and with everything that it needs inside."""
    environment = Environment(
        loader=PackageLoader("geoplan.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    source = Path(__file__).parent / "templates" / "inspection_map.js"
    scripts = (embed.leaflet_js(), source.read_text(encoding="utf-8"))
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'"
        for s in scripts
    )
    policy = (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data:; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )
    kinds_text = json.dumps(map_legend, ensure_ascii=False)
    for letter in "<>&\u2028\u2029":
        kinds_text = kinds_text.replace(letter, f"\\u{ord(letter):04x}")
    safe = {
        "font": embed.font_css(),
        "leaflet_css": embed.leaflet_css(),
        "leaflet_js": scripts[0],
        "map_js": scripts[1],
        "policy": policy,
        "scene_json": scene_json(drawing),
        "kinds_json": kinds_text,
    }
    page: str = environment.get_template(template).render(
        languages=languages,
        scene=drawing,
        plain=plain,
        quantity=quantity,
        signed=signed,
        **{name: Markup(text) for name, text in safe.items()},  # noqa: S704, escaped above
        **values,
    )
    return page
