"""The one order and the one verdict that terminal, document, file and page give of a file."""

from __future__ import annotations

from geoplan.ingest.inspection import Finding, Inspection, Tally
from geoplan.report.inspection_words import SEVERITIES, worst_first
from geoplan.report.language import Language

__all__ = ["ordered_findings", "ordered_tallies", "verdict"]


def ordered_findings(inspection: Inspection) -> list[tuple[int, Finding]]:
    """Return the findings with their numbers, which are the same everywhere: worst first.

    Within a severity they stand by kind, the kind with most findings last, so that a few overlaps
    are not lost behind thousands of notes; within a kind as they were found.
    """
    place = {code: at for at, (code, _) in enumerate(ordered_tallies(inspection))}
    listed = sorted(
        inspection.findings, key=lambda f: (worst_first(f), place.get(f.code, len(place)))
    )
    return list(enumerate(listed, 1))


def ordered_tallies(inspection: Inspection) -> list[tuple[str, Tally]]:
    """Return the kinds of findings: the worst first, then the rarest."""
    return sorted(
        inspection.tallies.items(),
        key=lambda item: (SEVERITIES.index(item[1].severity), item[1].count, item[0]),
    )


def verdict(inspection: Inspection, language: Language) -> str:
    """Return whether the file can be loaded, in one sentence."""
    errors = inspection.errors
    if errors:
        return language.t("verdict_bad", errors=_counted("errors", errors, language))
    if not inspection.rows_read:
        return language.t("verdict_empty")
    warnings = sum(t.count for t in inspection.tallies.values() if t.severity == "warning")
    warnings += sum(p.severity == "warning" for p in inspection.problems)
    if warnings:
        return language.t("verdict_warned", warnings=_counted("warnings", warnings, language))
    return language.t("verdict_good", good=language.number(inspection.rows_good))


def _counted(what: str, count: int, language: Language) -> str:
    return language.t(f"{what}_one" if count == 1 else f"{what}_many", n=language.number(count))
