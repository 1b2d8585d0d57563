"""The evidence of the weights on the page: judgments, orders, measures of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geoplan.catalogue import Scenario
from geoplan.report.evidence import Evidence, EvidenceWords
from geoplan.report.language import Language
from geoplan.report.page_judgments import best_worst, pairwise

__all__ = ["weight_evidence"]


def weight_evidence(
    record: Mapping[str, Any], scenario: Scenario, language: Language
) -> list[Evidence]:
    """Return the evidence of a run's weights in the reader's language.

    Parameters
    ----------
    record : mapping
        ``SitingResult.weight_record``, as `geoplan.studies.weighting.weigh` makes it. What it
        does not hold is not shown.
    scenario : Scenario
        Titles of criteria.
    language : Language
    """
    words = EvidenceWords(scenario, language)
    parts = _of_method(record, words)
    both = record.get("combined")
    if isinstance(both, Mapping):
        parts += _combined(record, both, words)
    return parts


def _of_method(record: Mapping[str, Any], words: EvidenceWords) -> list[Evidence]:
    method = str(record.get("method", ""))
    if method == "ahp":
        return pairwise(record, words)
    if method == "bwm":
        return best_worst(record, words)
    if "order" in record:
        return _ranked(record, words)
    if method == "direct":
        return _direct(record, words)
    return _objective(record, words) if "measures" in record else []


def _ranked(record: Mapping[str, Any], words: EvidenceWords) -> list[Evidence]:
    language = words.language
    facts, notes = [], []
    if record.get("exponent") is not None:
        facts.append((words.t("evidence_exponent"), language.compact(record["exponent"])))
    order: Sequence[Sequence[str]] = record["order"]
    if any(len(tied) > 1 for tied in order):
        notes.append(words.t("evidence_ties"))
    places: Sequence[float] = record.get("place_weights") or []
    rows, at = [], 0
    for tied in order:
        mine = places[at : at + len(tied)]
        share = sum(mine) / len(mine) if mine else None
        for name in tied:
            rows.append([language.number(at + 1), words.name(name), words.weight(share)])
        at += len(tied)
    header = [words.t("evidence_place"), words.t("criterion"), words.t("evidence_place_weight")]
    return [Evidence("", facts, notes, header, rows)]


def _direct(record: Mapping[str, Any], words: EvidenceWords) -> list[Evidence]:
    given: Mapping[str, Any] = record.get("given") or {}
    if not given:
        return []
    if not record.get("scaled"):
        return [Evidence("", [], [words.t("evidence_as_given")])]
    total = words.language.compact(record.get("sum"))
    rows = [[words.name(n), words.language.compact(w)] for n, w in given.items()]
    header = [words.t("criterion"), words.t("as_given")]
    return [Evidence("", [], [words.t("evidence_scaled", total=total)], header, rows)]


def _objective(record: Mapping[str, Any], words: EvidenceWords) -> list[Evidence]:
    language = words.language
    sample = record.get("sample") or {}
    facts = [
        (words.t("evidence_cells"), language.number(record.get("rows"))),
        (words.t("evidence_cells_used"), language.number(record.get("rows_used"))),
    ]
    if sample.get("seed") is not None:
        facts.append((words.t("seed"), language.digits(sample["seed"])))
    if record.get("floor") is not None:
        facts.append((words.t("evidence_floor"), language.compact(record["floor"])))
    measures: Mapping[str, Mapping[str, float]] = record["measures"]
    header = [
        words.t("criterion"), *(language.word("evidence", what) for what in measures),
        words.t("weight"),
    ]  # fmt: skip
    rows = [
        [words.name(n), *(language.number(m.get(n), 4) for m in measures.values()), words.weight(w)]
        for n, w in zip(record.get("criteria", []), record.get("weights", []), strict=True)
    ]
    return [Evidence("", facts, [words.t("evidence_from_data")], header, rows)]


def _combined(
    record: Mapping[str, Any], both: Mapping[str, Any], words: EvidenceWords
) -> list[Evidence]:
    language = words.language
    data: Mapping[str, Any] = both.get("objective") or {}
    judged: Mapping[str, Any] = record.get("judged_weights") or {}
    drawn = dict(zip(data.get("criteria", []), data.get("weights", []), strict=True))
    final = dict(zip(record.get("criteria", []), record.get("weights", []), strict=True))
    facts = [
        (words.t("evidence_combined_how"), language.word("combine", both.get("how"))),
        (words.t("evidence_data_method"), language.word("method", data.get("method"))),
    ]
    if both.get("subjective_share") is not None:
        facts.append((words.t("evidence_judged_share"), language.percent(both["subjective_share"])))
    header = [
        words.t("criterion"), words.t("evidence_judged"), words.t("evidence_data"),
        words.t("weight"),
    ]  # fmt: skip
    rows = [
        [words.name(n), words.weight(w), words.weight(drawn.get(n)), words.weight(final.get(n))]
        for n, w in judged.items()
    ]
    table = Evidence(words.t("evidence_combined"), facts, [], header, rows)
    return [table, *(_objective(data, words) if "measures" in data else [])]
