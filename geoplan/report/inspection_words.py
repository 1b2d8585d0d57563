"""What is said of a finding: one plain sentence, its figures and what to do, in each language."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

from geoplan.catalogue.checks import DEFECTS, CheckRules
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, Severity
from geoplan.ingest.inspection import CrsEvidence, Finding
from geoplan.report.language import Language

__all__ = [
    "SEVERITIES",
    "Sentence",
    "evidence_remedy",
    "evidence_text",
    "figures",
    "isolated",
    "plain",
    "quantity",
    "remedy",
    "says",
    "sentences",
    "signed",
    "speaking",
    "title",
    "tolerances",
    "who",
    "worst_first",
]

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "repaired", "info")
"""Severities, the worst first: the order of every list."""

_FSI, _PDI = "\u2068", "\u2069"
_LONGEST = 80
_NAMED = 4
_FINEST = 4
_UNITS = (("_m2", "m2"), ("_m", "m"), ("_deg", "deg"), ("_share", "share"), ("_s", "s"))
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said of one kind of defect, and what a person can do."""

    say: Text
    do: Text


@cache
def sentences() -> Mapping[str, Sentence]:
    """Return the sentences of every code of :data:`geoplan.catalogue.checks.DEFECTS`."""
    raw = yaml.safe_load((_HERE / "defects.yaml").read_text(encoding="utf-8"))
    return {
        str(code): Sentence(Text.model_validate(given["say"]), Text.model_validate(given["do"]))
        for code, given in raw.items()
    }


@cache
def _terms() -> Mapping[str, Text]:
    raw = yaml.safe_load((_HERE / "inspection.yaml").read_text(encoding="utf-8"))
    return {str(key): Text.model_validate(value) for key, value in raw.items()}


def speaking(language: Language) -> Language:
    """Return the language with the words of these pages under those of the country."""
    return replace(language, terms={**_terms(), **language.terms})


def plain(value: object, longest: int = _LONGEST) -> str:
    r"""Return text from a file so that it can neither steer a terminal nor turn a line around.

    Control characters and marks of direction become visible escapes; the zero-width non-joiner
    of Persian stays. Text longer than ``longest`` is cut and ends with an ellipsis.

    Examples
    --------
    >>> plain("a\x1b[31m\n"), plain("نام‌ها"), plain("x" * 9, 4)
    ('a\\x1b[31m\\n', 'نام‌ها', 'xxx…')
    """
    text = str(value)
    if len(text) > longest:
        text = f"{text[: longest - 1]}…"
    return "".join(_visible(c) for c in text)


def _visible(letter: str) -> str:
    kind = unicodedata.category(letter)
    if letter in "\u200c\u200d" or kind not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"):
        return letter
    return letter.encode("unicode_escape").decode("ascii")


def isolated(value: object, longest: int = _LONGEST) -> str:
    """Return text from a file between marks that keep its own and the line's order apart."""
    return f"{_FSI}{plain(value, longest)}{_PDI}"


def title(code: str, language: Language) -> str:
    """Return the name of a defect."""
    return language.text(DEFECTS[code].title) if code in DEFECTS else plain(code)


def who(finding: Finding, language: Language, most: int = _NAMED) -> str:
    """Return the rows of a finding by number and key: ``row 3 (12) and row 5 (13)``."""
    if not finding.rows:
        return language.t("no_row")
    names = []
    for at, row in enumerate(finding.rows[:most]):
        key = finding.keys[at] if at < len(finding.keys) else ""
        number = language.digits(row)
        names.append(f"{language.t('row')} {number}" + (f" ({isolated(key)})" if key else ""))
    left = len(finding.rows) - len(names)
    if left > 0:
        names.append(language.t("and_more", n=language.number(left)))
    if len(names) == 1:
        return names[0]
    return f"{language.comma.join(names[:-1])} {language.t('and')} {names[-1]}"


def quantity(value: float | None, unit: str, language: Language) -> str:
    """Return a number with its unit, small ones with enough figures to be seen.

    Parameters
    ----------
    value : float or None
        Missing gives a dash.
    unit : str
        ``m2``, ``m``, ``deg``, ``s``, ``share`` (given in per cent) or empty.
    """
    if value is None or value != value:
        return language.number(None)
    if unit == "share":
        return language.percent(value, _decimals(value * 100))
    text = language.number(value, _decimals(value))
    if value and abs(value) < 10.0**-_FINEST / 2:
        text = f"< {language.number(10.0**-_FINEST, _FINEST)}"
    if not unit:
        return text
    space = "" if unit == "deg" and language.code == "en" else " "
    return f"{text}{space}{language.unit(unit)}"


def signed(value: float, unit: str, language: Language) -> str:
    """Return a difference with its unit and its sign; see `quantity`."""
    return ("+" if value > 0 else "") + quantity(value, unit, language)


def _decimals(value: float) -> int:
    """Return the decimals that say something: 0.5 for 0.5000, four below one, none for millions."""
    size = abs(value)
    most = 0 if size >= 1_000_000 else 2 if size >= 1 else _FINEST
    return len(f"{size:.{most}f}".rstrip("0").partition(".")[2])


def says(finding: Finding, language: Language, most: int = _NAMED) -> str:
    """Return one sentence: what is wrong, how much, and with which rows, at most ``most``."""
    known = sentences().get(finding.code)
    people = who(finding, language, most)
    size = quantity(finding.area_m2, "m2", language) if finding.area_m2 is not None else ""
    persian = language.code == "fa"
    quote = ("«", "»") if persian else ("“", "”")
    # The name of a repair is said in words; everything else stands as it was found.
    text = language.word("repair", finding.text) if finding.text else ""
    tokens = {
        "who": people,
        "size": size and (f" به مساحت {size}" if persian else f" of {size}"),
        "by": size and (f" به اندازهٔ {size}" if persian else f" by {size}"),
        "value": text and f" ({quote[0]}{isolated(text)}{quote[1]})",
    }
    pattern = language.text(known.say) if known else f"{title(finding.code, language)}{{value}}"
    return _filled(pattern, tokens)


def _filled(pattern: str, tokens: Mapping[str, str]) -> str:
    # One pass: braces in a key or a text are not looked into.
    return re.sub(r"\{(\w+)\}", lambda found: tokens.get(found[1], found[0]), pattern)


def remedy(code: str, language: Language, rules: CheckRules) -> str:
    """Return what a person can do about a kind of defect; empty for an unknown code."""
    known = sentences().get(code)
    if known is None:
        return ""
    return _filled(language.text(known.do), dict(_tolerance_texts(language, rules)))


def _tolerance_texts(language: Language, rules: CheckRules) -> list[tuple[str, str]]:
    return [
        (name, quantity(float(value), _unit(name)[1], language))
        for name, value in rules.model_dump().items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    ]


def tolerances(rules: CheckRules, language: Language) -> list[tuple[str, str]]:
    """Return every tolerance in words and with its unit."""
    return [(language.word("tol", name), text) for name, text in _tolerance_texts(language, rules)]


def figures(finding: Finding, language: Language) -> list[tuple[str, str]]:
    """Return the further figures of a finding: what each is called, and its value with unit."""
    found = []
    for name, value in finding.numbers.items():
        stem, unit = _unit(name)
        key = f"fig_{name}"
        words = language.t(key) if language.has(key) else plain(stem.replace("_", " "))
        found.append((words, quantity(float(value), unit, language)))
    return found


def _unit(name: str) -> tuple[str, str]:
    for suffix, unit in _UNITS:
        if name.endswith(suffix):
            return name.removesuffix(suffix), unit
    return name, ""


def evidence_text(evidence: CrsEvidence, language: Language) -> list[str]:
    """Return the sentences on which CRS the coordinates speak for."""

    def share(value: float | None) -> str:
        return language.percent(value, 0)

    declared = plain(evidence.declared) if evidence.declared else language.t("crs_none")
    lines = [
        language.t(
            f"evidence_{'undecided' if _undecided(evidence) else evidence.reason}",
            crs=isolated(evidence.crs),
            declared=isolated(declared),
            share=share(evidence.inside_share),
            declared_share=share(evidence.declared_share),
        )
    ]
    if evidence.others:
        others = (f"{isolated(crs)} {share(value)}" for crs, value in evidence.others[:4])
        lines.append(language.t("evidence_others", others=language.comma.join(others)))
    return lines


def _undecided(evidence: CrsEvidence) -> bool:
    """Return whether nothing that was tried is better than what the file says."""
    return (
        evidence.reason != "fits"
        and not evidence.swap_axes
        and (evidence.inside_share <= 0 or evidence.crs == evidence.declared)
    )


def evidence_remedy(evidence: CrsEvidence, how: str, language: Language) -> str:
    """Return what a person has to say about the CRS; empty where nothing is open.

    Parameters
    ----------
    evidence : CrsEvidence
        What the coordinates speak for.
    how : str
        How the CRS that was used is known: ``declared``, ``option`` or ``proposed``.
    language : Language
        With the words of these pages.
    """
    if evidence.reason == "fits" or how == "option":
        return ""
    return language.t("evidence_state" if _undecided(evidence) else "evidence_confirm")


def worst_first(item: Finding | Problem) -> int:
    """Return the place of a severity in the order of every list."""
    return SEVERITIES.index(item.severity)
