"""One inspected file as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from geoplan.errors import Problem
from geoplan.ingest.inspection import Inspection
from geoplan.report.inspection_order import ordered_findings, ordered_tallies, verdict
from geoplan.report.inspection_words import (
    evidence_remedy,
    evidence_text,
    figures,
    isolated,
    plain,
    quantity,
    remedy,
    says,
    speaking,
    title,
    worst_first,
)
from geoplan.report.inspection_wrap import display_width, padded, table, wrapped
from geoplan.report.language import Language

__all__ = ["terminal_lines"]

_LEAST = 40
_ROWS_SHOWN = 3


def terminal_lines(
    inspection: Inspection, width: int, *, limit: int, language: Language | None = None
) -> list[str]:
    """Return what a person at a terminal has to know, the errors first.

    Parameters
    ----------
    inspection : Inspection
        What was found.
    width : int
        Columns there are; less than 40 is taken as 40.
    limit : int, 0 or more
        How many findings are told one by one. The table of kinds always has the exact counts.
    language : Language, optional
        English where absent.

    Returns
    -------
    list of str
        Lines no wider than ``width``. Text from the file stands between marks of isolation
        (U+2068, U+2069), so that Persian names keep their order in an English line, and its
        control characters are shown and not sent.
    """
    say = speaking(language or Language("en"))
    width = max(_LEAST, width)
    lines = wrapped(f"{isolated(inspection.file)}: ", verdict(inspection, say), width, hang=2)
    if inspection.synthetic:
        lines += wrapped("  ", say.t("notice_synthetic"), width)
    lines += _facts(inspection, say, width)
    lines += _kinds(inspection, say, width)
    lines += _problems(inspection.problems, say, width)
    lines += _one_by_one(inspection, say, width, limit)
    lines += _repairs(inspection, say, width, limit)
    lines += _next(inspection, say, width)
    return lines


def _facts(inspection: Inspection, say: Language, width: int) -> list[str]:
    source = inspection.source
    layer = f" / {isolated(source.layer)}" if source.layer else ""
    kind = f", {plain(source.geometry_type)}" if source.geometry_type else ""
    counts = say.comma.join(
        f"{say.number(value)} {say.t(name).lower()}"
        for name, value in (
            ("rows_good", inspection.rows_good),
            ("rows_refused", inspection.rows_refused),
        )
    )
    crs = f"{isolated(inspection.crs or say.t('crs_none'))} ({say.word('how', inspection.crs_how)})"
    columns = (
        f"{field} ← {isolated(column)} ({say.word('type', kind)})"
        for field, column, kind in inspection.columns
    )
    local = inspection.title.in_language("fa")
    named = f" / {isolated(local)}" if local != inspection.title.en else ""
    facts: list[tuple[str, str]] = [
        ("target", f"{inspection.layer}: {inspection.title.en}{named}"),
        ("format", f"{plain(source.format)}{layer}{kind}"),
        ("rows", f"{say.number(inspection.rows_read)} ({counts})"),
        ("encoding", _encoding(inspection, say)),
        ("crs", crs),
        ("columns", say.comma.join(columns)),
        ("unused_short", say.comma.join(isolated(c) for c in inspection.unused)),
        ("checksum", inspection.sha256),
    ]
    if inspection.evidence is not None:
        text = " ".join(evidence_text(inspection.evidence, say))
        text = f"{text} {evidence_remedy(inspection.evidence, inspection.crs_how, say)}".rstrip()
        facts.insert(5, ("evidence_short", text))
    named_facts = [(say.t(key), text) for key, text in facts if text]
    wide = min(max(display_width(name) for name, _ in named_facts), 20) + 2
    lines: list[str] = []
    for name, text in named_facts:
        lines += wrapped(f"  {padded(name, wide)}", text, width)
    return lines


def _encoding(inspection: Inspection, say: Language) -> str:
    source = inspection.source
    if not source.encoding:
        return ""
    how = f" ({say.word('how', source.encoding_how)})" if source.encoding_how else ""
    return f"{plain(source.encoding)}{how}"


def _kinds(inspection: Inspection, say: Language, width: int) -> list[str]:
    if not inspection.tallies:
        return []
    rows = [
        (
            say.word("severity", tally.severity),
            title(code, say),
            say.number(tally.count),
            quantity(tally.area_m2, "m2", say) if tally.area_m2 is not None else "",
            _first_rows(inspection, code, say),
        )
        for code, tally in ordered_tallies(inspection)
    ]
    heads = [say.t(k) for k in ("severity", "defect", "count", "area_total", "first_rows")]
    return ["", *table(heads, rows, width, right=(2, 3))]


def _first_rows(inspection: Inspection, code: str, say: Language) -> str:
    """Return the first rows of a kind with their keys: where to look at once."""
    seen: dict[int, str] = {}
    for finding in inspection.findings:
        if finding.code == code:
            for at, row in enumerate(finding.rows):
                key = finding.keys[at] if at < len(finding.keys) else ""
                seen.setdefault(row, key)
        if len(seen) > _ROWS_SHOWN:
            break
    named = [
        f"{say.digits(row)} ({isolated(key, 12)})" if key else say.digits(row)
        for row, key in seen.items()
    ]
    return say.comma.join(named[:_ROWS_SHOWN]) + (" …" if len(named) > _ROWS_SHOWN else "")


def _problems(problems: Sequence[Problem], say: Language, width: int) -> list[str]:
    lines: list[str] = []
    for problem in sorted(problems, key=worst_first):
        often = f" ({say.t('times', n=say.number(problem.count))})" if problem.count > 1 else ""
        first = f"{padded(say.word('severity', problem.severity), 8)} "
        text = f"{plain(problem.where, 60)}: {plain(problem.what, 1000)}{often}"
        lines += wrapped(first, text, width)
        if problem.remedy:
            lines += wrapped(f"{' ' * 9}→ ", plain(problem.remedy, 1000), width)
    return ["", say.t("file_problems"), *lines] if lines else []


def _one_by_one(inspection: Inspection, say: Language, width: int, limit: int) -> list[str]:
    shown = ordered_findings(inspection)[: max(0, limit)]
    total = sum(t.count for t in inspection.tallies.values())
    lines: list[str] = []
    for at, (number, finding) in enumerate(shown):
        more = say.semicolon.join(f"{name} {value}" for name, value in figures(finding, say))
        first = f"{padded(say.word('severity', finding.severity), 8)} {number:>4}  "
        lines += wrapped(first, says(finding, say) + (f" {more}" if more else ""), width)
        last = at + 1 == len(shown) or shown[at + 1][1].code != finding.code
        do = remedy(finding.code, say, inspection.rules)
        # What to do stands once, below the last finding of its kind.
        if last and do:
            lines += wrapped(f"{' ' * 15}→ ", do, width)
    if not lines:
        return []
    if len(shown) < total:
        lines.append("")
        lines += wrapped(
            "", say.t("findings_more", shown=say.number(len(shown)), total=say.number(total)), width
        )
    return ["", say.t("findings"), *lines]


def _repairs(inspection: Inspection, say: Language, width: int, limit: int) -> list[str]:
    shown = inspection.repairs[: max(1, limit)]
    if not shown:
        return []
    rows = [
        (
            say.digits(r.row),
            isolated(r.key, 20) if r.key else "",
            say.word("repair", r.how),
            quantity(r.area_before_m2, "m2", say),
            quantity(r.area_after_m2, "m2", say),
        )
        for r in shown
    ]
    heads = [say.t("row"), *(say.t(k) for k in ("key", "how", "area_before", "area_after"))]
    lines = ["", say.t("repairs"), *table(heads, rows, width, right=(0, 3, 4))]
    total = len(inspection.repairs)
    if len(shown) < total:
        lines += wrapped(
            "", say.t("repairs_more", shown=say.number(len(shown)), total=say.number(total)), width
        )
    return lines


def _next(inspection: Inspection, say: Language, width: int) -> list[str]:
    if not inspection.errors:
        return ["", *wrapped("→ ", say.t("next_good"), width)]
    lines = ["", *wrapped("→ ", say.t("next_bad"), width)]
    if any(p.severity == "error" for p in inspection.problems):
        return lines + wrapped("→ ", say.t("partial_not"), width)
    if inspection.rows_good:
        words = say.t(
            "partial",
            good=say.number(inspection.rows_good),
            read=say.number(inspection.rows_read),
            refused=say.number(inspection.rows_refused),
        )
        lines += wrapped("→ ", words, width)
    return lines
