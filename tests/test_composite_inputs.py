"""Facts that are wrong: every problem at once, with its row and its remedy."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from geoplan.catalogue.composite import CompositeIndicator, CompositeSpec, SumCheck
from geoplan.catalogue.text import Text
from geoplan.errors import ProblemsFound
from geoplan.regions.composite import composite_of_facts
from geoplan.regions.input_checks import check_facts, match_names

REGIONS = pd.DataFrame(
    [
        ("01", None, 1, "Gilan", "گیلان"),
        ("17", None, 1, "Kohgiluyeh and Boyer-Ahmad", "کهگیلویه و بویراحمد"),
        ("0101", "01", 2, "Rasht", "رشت"),
        ("0102", "01", 2, "Anzali", "بندر انزلی"),
        ("1701", "17", 2, "Boyer-Ahmad", "بویراحمد"),
    ],
    columns=["code", "parent_code", "level", "name_en", "name_local"],
)


def facts(*rows: tuple[Any, ...], **more: Any) -> pd.DataFrame:
    names = ["level", "region_code", "variable", "value", "unit"]
    frame = pd.DataFrame(rows, columns=names)
    return frame.assign(as_of="2016", source="test", **more)


def codes_of(frame: pd.DataFrame, **more: Any) -> list[str]:
    return [p.code for p in check_facts(frame, REGIONS, **more)]


def test_clean_facts_have_no_problem() -> None:
    given = facts(
        (1, "01", "people", 300.0, "persons"), (2, "0101", "people", 200.0, "persons"),
        (2, "0102", "people", 100.0, "persons"), (1, "17", "rate", 100.0, "%"),
    )  # fmt: skip
    assert check_facts(given, REGIONS, sums=[SumCheck(parts="people", whole="people")]) == []


def test_totals_that_do_not_add_up_say_both_numbers_and_the_tolerance() -> None:
    given = facts((1, "01", "people", 310.0, "persons"), (2, "0101", "people", 200.0, "persons"),
                  (2, "0102", "people", 100.0, "persons"))  # fmt: skip
    check = SumCheck(parts="people", whole="people", tolerance=0.01)
    (problem,) = check_facts(given, REGIONS, sums=[check])
    assert problem.code == "sum-differs" and problem.where == "row 0, region 01"
    assert "is 310" in problem.what and "sum to 300" in problem.what
    assert "differ by 10 (3.2%), allowed 1.0%" in problem.what
    loose = SumCheck(parts="people", whole="people", tolerance=0.04)
    assert check_facts(given, REGIONS, sums=[loose]) == []


def test_a_total_with_a_missing_part_is_a_warning_and_no_false_alarm() -> None:
    given = facts((1, "01", "people", 310.0, "persons"), (2, "0101", "people", 200.0, "persons"))
    (problem,) = check_facts(given, REGIONS, sums=[SumCheck(parts="people", whole="people")])
    assert (problem.code, problem.severity) == ("sum-unknown", "warning")
    assert "0102" in problem.remedy


def test_lost_zeros_are_told_from_unknown_codes() -> None:
    given = facts((1, "1", "x", 1.0, "1"), (2, "101.0", "x", 1.0, "1"), (2, "۰۱۰۱", "x", 1.0, "1"),
                  (1, "99", "x", 1.0, "1"))  # fmt: skip
    found = check_facts(given, REGIONS)
    assert [p.code for p in found] == ["code-zeros", "code-unknown", "code-zeros", "code-zeros"]
    assert found[0].remedy.startswith("write '01'")
    assert {p.remedy.split("'")[1] for p in found[2:]} == {"0101"}
    numbers = facts((1, 1, "x", 1.0, "1"))
    assert codes_of(numbers) == ["code-type"]


def test_regions_given_twice_and_short_codes() -> None:
    twice = pd.concat([REGIONS, REGIONS.iloc[[0]]], ignore_index=True)
    (problem,) = check_facts(facts(), twice)
    assert problem.code == "region-twice" and "rows 0, 5" in problem.where
    short = REGIONS.assign(code=["1", "17", "0101", "0102", "1701"])
    assert [p.code for p in check_facts(facts(), short)] == ["code-length"]


def test_figures_given_twice_name_their_rows_in_the_file() -> None:
    given = facts((1, "01", "x", 1.0, "1"), (1, "01", "x", 2.0, "1"), row=[12, 40])
    (problem,) = check_facts(given, REGIONS)
    assert problem.code == "fact-twice" and problem.where == "rows 12, 40, region 01"
    assert "2 times: 1, 2" in problem.what


def test_percentages_beyond_their_range() -> None:
    given = facts((1, "01", "rate", 112.0, "%"), (1, "17", "rate", -3.0, "% of units"),
                  (1, "01", "growth", 112.0, "index"))  # fmt: skip
    assert codes_of(given) == ["percent-range", "percent-range"]


def test_other_spellings_are_told_from_other_names() -> None:
    arabic = "كهگيلويه و بوير احمد"
    given = facts((1, "17", "x", 1.0, "1"), (1, "01", "x", 1.0, "1"),
                  region_name=[arabic, "مازندران"])  # fmt: skip
    spelling, other = check_facts(given, REGIONS)
    assert (spelling.code, spelling.severity) == ("name-spelling", "repaired")
    assert (other.code, other.severity) == ("name-differs", "error")


def test_names_are_matched_by_letters_and_never_guessed() -> None:
    names = pd.Series(["گيلان", "گیلان", "Gilann", "", "رشت"], index=[2, 3, 4, 5, 6])
    found, problems = match_names(names, REGIONS, level=1)
    assert found.tolist()[:2] == ["01", "01"] and found.isna().tolist()[2:] == [True] * 3
    assert [(p.where, p.code) for p in problems] == [
        ("row 2", "name-spelling"), ("row 4", "name-unknown"), ("row 5", "name-unknown"),
        ("row 6", "name-unknown"),
    ]  # fmt: skip
    assert "did you mean 'Gilan'?" in problems[1].remedy


def test_a_name_of_two_regions_needs_its_parent() -> None:
    more = pd.concat(
        [REGIONS, pd.DataFrame([("1702", "17", 2, "Rasht", "رشت")], columns=REGIONS.columns)],
        ignore_index=True,
    )
    names = pd.Series(["رشت"])
    found, problems = match_names(names, more, level=2)
    assert found.isna().all() and problems[0].code == "name-ambiguous"
    found, problems = match_names(names, more, level=2, parents=pd.Series(["17"]))
    assert found.tolist() == ["1702"] and not problems


def test_everything_is_reported_at_once_and_nothing_is_computed() -> None:
    def mark(name: str, **more: Any) -> CompositeIndicator:
        return CompositeIndicator(id=name, title=Text(en=name), formula=name, level=1,
                                  unit="1", source="t", as_of="t", **more)  # fmt: skip

    spec = CompositeSpec(
        id="bad", title=Text(en="bad"), profile="none", level=1,
        indicators=(mark("same"), mark("rate"), mark("good")),
        sums=(SumCheck(parts="good", whole="good"),),
    )  # fmt: skip
    given = facts(
        (1, "01", "same", 5.0, "1"), (1, "17", "same", 5.0, "1"),
        (1, "01", "rate", 120.0, "%"), (1, "17", "rate", 20.0, "%"),
        (1, "01", "good", 9.0, "1"), (1, "7", "good", 1.0, "1"),
        (2, "0101", "good", 1.0, "1"), (2, "0102", "good", 1.0, "1"),
    )  # fmt: skip
    with pytest.raises(ProblemsFound) as error:
        composite_of_facts(spec, regions=REGIONS, facts=given)
    found = {p.code for p in error.value.problems}
    assert found >= {"indicator-constant", "percent-range", "code-unknown", "sum-differs"}
    assert all(p.remedy for p in error.value.problems)


def test_an_indicator_without_any_value_is_named() -> None:
    def mark(name: str, formula: str) -> CompositeIndicator:
        return CompositeIndicator(
            id=name, title=Text(en=name), formula=formula, level=1, unit="1", source="t",
            as_of="t", denominator=("people",),
        )  # fmt: skip

    spec = CompositeSpec(
        id="bad", title=Text(en="bad"), profile="none", level=1,
        indicators=(mark("a", "x / people"), mark("b", "y / people")),
    )  # fmt: skip
    given = facts((1, "01", "x", 5.0, "1"), (1, "17", "x", 6.0, "1"), (1, "01", "people", 0.0, "1"),
                  (1, "17", "people", 0.0, "1"))  # fmt: skip
    with pytest.raises(ProblemsFound) as error:
        composite_of_facts(spec, regions=REGIONS, facts=given)
    assert [(p.where, p.code) for p in error.value.problems] == [("indicator 'b'", "unknown-fact")]
    more = pd.concat([given, facts((1, "01", "y", 1.0, "1"))], ignore_index=True)
    with pytest.raises(ProblemsFound) as error:
        composite_of_facts(spec, regions=REGIONS, facts=more)
    assert [p.code for p in error.value.problems] == ["indicator-empty", "indicator-empty"]
