"""The evidence of the weights on the page: judgments, consistency, orders, measures of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geoplan.catalogue import Scenario
from geoplan.report.language import Language

__all__ = ["Evidence", "weight_evidence"]

_TOLD_BY_NAME = 8
"""Criteria up to which a table of judgments has one column for each of them."""


@dataclass(frozen=True)
class Evidence:
    """One part of what weights rest on.

    Parameters
    ----------
    title : str
        Heading; may be empty.
    facts : list of (str, str)
        Terms and values.
    notes : list of str
        Sentences.
    header, rows : list
        A table, its first column names; empty where there is none.
    """

    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


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
    words = _Words(scenario, language)
    parts = _of_method(record, words)
    both = record.get("combined")
    if isinstance(both, Mapping):
        parts += _combined(record, both, words)
    return parts


@dataclass(frozen=True)
class _Words:
    scenario: Scenario
    language: Language

    def name(self, key: str) -> str:
        criterion = self.scenario.criteria.get(key)
        return self.language.text(criterion.title, key) if criterion else key

    def t(self, key: str, **values: Any) -> str:
        return self.language.t(key, **values)

    def weight(self, value: Any) -> str:
        return self.language.number(value, 3)

    def judgment(self, value: Any) -> str:
        """Return a judgment as people give it: 3, or 1/3."""
        if value is None:
            return self.language.number(None)
        number = float(value)
        if 0 < number < 1:
            return f"{self.language.digits(1)}/{self.language.compact(round(1 / number, 3))}"
        return self.language.compact(round(number, 3))


def _of_method(record: Mapping[str, Any], words: _Words) -> list[Evidence]:
    method = str(record.get("method", ""))
    if method == "ahp":
        return _ahp(record, words, "")
    if method == "bwm":
        return _bwm(record, words)
    if "order" in record:
        return _ranked(record, words)
    if method == "direct":
        return _direct(record, words)
    return _objective(record, words) if "measures" in record else []


def _consistency(record: Mapping[str, Any], words: _Words) -> list[tuple[str, str]]:
    facts = []
    for key, decimals in (("cr", 3), ("ci", 4), ("lambda_max", 3), ("random_index", 2)):
        if record.get(key) is not None:
            facts.append((words.t(f"evidence_{key}"), words.language.number(record[key], decimals)))
    return facts


def _ahp(record: Mapping[str, Any], words: _Words, title: str) -> list[Evidence]:
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
    own = _table(record, words, title or (words.t("evidence_merged") if judges else ""))
    return [*parts, own] if own.rows or own.facts or own.notes else parts


def _table(record: Mapping[str, Any], words: _Words, title: str) -> Evidence:
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


def _judges(record: Mapping[str, Any], judges: Mapping[str, Any], words: _Words) -> Evidence:
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


def _bwm(record: Mapping[str, Any], words: _Words) -> list[Evidence]:
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


def _ranked(record: Mapping[str, Any], words: _Words) -> list[Evidence]:
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


def _direct(record: Mapping[str, Any], words: _Words) -> list[Evidence]:
    given: Mapping[str, Any] = record.get("given") or {}
    if not given or not record.get("scaled"):
        return []
    total = words.language.compact(record.get("sum"))
    rows = [[words.name(n), words.language.compact(w)] for n, w in given.items()]
    header = [words.t("criterion"), words.t("as_given")]
    return [Evidence("", [], [words.t("evidence_scaled", total=total)], header, rows)]


def _objective(record: Mapping[str, Any], words: _Words) -> list[Evidence]:
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


def _combined(record: Mapping[str, Any], both: Mapping[str, Any], words: _Words) -> list[Evidence]:
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
