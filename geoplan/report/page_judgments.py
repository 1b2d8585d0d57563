"""Judgments of people on the page: pairwise comparisons, groups, judges, best and worst."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from geoplan.report.evidence import Evidence, EvidenceWords

__all__ = ["best_worst", "pairwise"]

_TOLD_BY_NAME = 8
"""Criteria up to which a table of judgments has one column for each of them."""


def _consistency(record: Mapping[str, Any], words: EvidenceWords) -> list[tuple[str, str]]:
    facts = []
    for key, decimals in (("cr", 3), ("ci", 4), ("lambda_max", 3), ("random_index", 2)):
        if record.get(key) is not None:
            facts.append((words.t(f"evidence_{key}"), words.language.number(record[key], decimals)))
    return facts


def pairwise(record: Mapping[str, Any], words: EvidenceWords) -> list[Evidence]:
    """Return the evidence of weights by AHP: judges, groups, and each table of judgments."""
    parts: list[Evidence] = []
    judges = record.get("judges")
    if isinstance(judges, Mapping):
        parts.append(_judges(record, judges, words))
    if isinstance(record.get("groups"), Mapping):
        whole = record.get("hierarchy") or {}
        top = record["groups"]
        within = record.get("within") or {}
        parts.append(
            Evidence(
                words.t("evidence_hierarchy"),
                _consistency(whole, words),
                header=[words.t("evidence_group"), words.t("weight"), words.t("evidence_members")],
                rows=[
                    [
                        str(name),
                        words.weight(weight),
                        words.language.comma.join(
                            words.name(n) for n in within.get(name, {}).get("criteria", [])
                        ),
                    ]
                    for name, weight in zip(
                        top.get("criteria", []), top.get("weights", []), strict=True
                    )
                ],
            )
        )
        parts.append(_table(top, words, words.t("evidence_between_groups")))
        parts += [
            _table(found, words, words.t("evidence_within", group=name))
            for name, found in within.items()
            if len(found.get("criteria", [])) > 1
        ]
        return [p for p in parts if p.rows or p.facts]
    own = _table(record, words, words.t("evidence_merged") if judges else "")
    return [*parts, own] if own.rows or own.facts or own.notes else parts


def _table(record: Mapping[str, Any], words: EvidenceWords, title: str) -> Evidence:
    """Return one table of pairwise judgments with its consistency."""
    facts, notes = _consistency(record, words), []
    if record.get("cr") is not None:
        notes.append(words.t("consistency_limit"))
    if record.get("missing"):
        notes.append(words.t("evidence_missing", count=words.language.number(record["missing"])))
    odd = record.get("odd_pair")
    if odd:
        first, _, second = str(odd["pair"]).partition("/")
        notes.append(
            words.t(
                "evidence_odd",
                first=words.name(first),
                second=words.name(second),
                given=words.judgment(odd["given"]),
                implied=words.judgment(odd["implied"]),
                cr=words.language.number(odd["cr_mended"], 3),
            )
        )
    names = [words.name(n) for n in record.get("criteria", [])]
    judgments: Sequence[Sequence[Any]] = record.get("judgments") or []
    weights = record.get("weights") or []
    header: list[str] = []
    rows: list[list[str]] = []
    if judgments and len(names) <= _TOLD_BY_NAME:
        header = [words.t("criterion"), *names, words.t("weight")]
        rows = [
            [name, *(words.judgment(x) for x in row), words.weight(weight)]
            for name, row, weight in zip(names, judgments, weights, strict=True)
        ]
    elif judgments:
        # Too many columns for a page: each pair once, the more important criterion first.
        header = [words.t("evidence_pair"), words.t("evidence_judgment")]
        for i, row in enumerate(judgments):
            for j in range(i + 1, len(row)):
                if row[j] is None:
                    continue
                a, b, x = (i, j, row[j]) if row[j] >= 1 else (j, i, 1 / row[j])
                rows.append([f"{names[a]} : {names[b]}", words.judgment(x)])
    return Evidence(title, facts, notes, header, rows)


def _judges(record: Mapping[str, Any], judges: Mapping[str, Any], words: EvidenceWords) -> Evidence:
    merging = "judgments" if "AIJ" in str(record.get("merging", "")) else "priorities"
    facts = [
        (words.t("evidence_merging"), words.t(f"merging_{merging}")),
        (words.t("evidence_gate"), words.language.word("gate", record.get("gate"))),
    ]
    names = list(record.get("criteria", []))
    rows = []
    for judge, found in judges.items():
        ratio = found.get("cr", (found.get("hierarchy") or {}).get("cr"))
        held = dict(zip(found.get("criteria", []), found.get("weights", []), strict=True))
        rows.append(
            [
                str(judge),
                words.language.percent(found.get("share")),
                words.language.number(ratio, 3),
                *(words.weight(held.get(n)) for n in names),
            ]
        )
    header = [
        words.t("evidence_judge"),
        words.t("evidence_share"),
        words.t("evidence_cr"),
        *(words.name(n) for n in names),
    ]
    return Evidence(words.t("evidence_judges"), facts, [], header, rows)


def best_worst(record: Mapping[str, Any], words: EvidenceWords) -> list[Evidence]:
    """Return the evidence of weights by the best-worst method."""
    language = words.language
    facts = [
        (words.t("evidence_model"), language.word("bwm", record.get("model"))),
        (words.t("evidence_best"), words.name(str(record.get("best")))),
        (words.t("evidence_worst"), words.name(str(record.get("worst")))),
    ]
    facts += [
        (words.t(f"evidence_{key}"), language.number(record[key], 4))
        for key in (
            "xi", "consistency_index", "consistency_ratio", "input_consistency_ratio",
            "input_consistency_threshold",
        )
        if record.get(key) is not None
    ]  # fmt: skip
    notes = []
    if record.get("accepted") is not None:
        notes.append(words.t("bwm_accepted" if record["accepted"] else "bwm_not_accepted"))
    intervals = record.get("intervals") or {}
    header = [
        words.t("criterion"), words.t("evidence_best_to"), words.t("evidence_to_worst"),
        words.t("weight"), *([words.t("evidence_interval")] if intervals else []),
    ]  # fmt: skip
    to, back = record.get("best_to_others") or {}, record.get("others_to_worst") or {}
    rows = []
    for name, weight in zip(record.get("criteria", []), record.get("weights", []), strict=True):
        row = [
            words.name(name), words.judgment(to.get(name, 1)), words.judgment(back.get(name, 1)),
            words.weight(weight),
        ]  # fmt: skip
        if intervals:
            low, high = intervals[name]
            row.append(words.t("from_to", low=words.weight(low), high=words.weight(high)))
        rows.append(row)
    return [Evidence("", facts, notes, header, rows)]
