"""The keys of a field mapping that read numbers and dates, in packs."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from geoplan.catalogue.layer import FieldSpec
from geoplan.catalogue.pack import FieldMap
from geoplan.errors import InputError
from geoplan.ingest.columns import make_column, typed
from geoplan.ingest.findings import Findings

HECTARES = FieldSpec.model_validate({"type": "number", "unit": "ha"})
DAY = FieldSpec.model_validate({"type": "date"})


def _rule(**keys: object) -> FieldMap:
    return FieldMap.model_validate({"from": "x", **keys})


def test_units_are_converted_to_that_of_the_field() -> None:
    findings = Findings("a file")
    frame = pd.DataFrame({"x": [25_000.0, None]})
    out = make_column("gross_ha", _rule(unit="m2"), frame, findings, spec=HECTARES)
    assert out.tolist()[0] == 2.5
    assert out.isna().tolist() == [False, True]
    assert findings.problems == []


def test_a_unit_without_a_field_that_has_one_is_refused() -> None:
    frame = pd.DataFrame({"x": [1.0]})
    with pytest.raises(InputError, match="has no unit"):
        make_column("x", _rule(unit="m2"), frame, Findings("a file"))
    with pytest.raises(InputError, match="'km' is length and 'ha' is area"):
        make_column("x", _rule(unit="km"), frame, Findings("a file"), spec=HECTARES)


def test_a_stated_decimal_mark_is_read_and_the_rest_told() -> None:
    findings = Findings("a file")
    frame = pd.DataFrame({"x": ["1.234,5", "۱۲٫۵", "x", None]})
    out = make_column("gross_ha", _rule(decimal=","), frame, findings, spec=HECTARES)
    assert out.tolist()[:2] == [1234.5, 12.5]
    assert out.isna().tolist() == [False, False, True, True]
    assert [(p.code, p.count) for p in findings.problems] == [("wrong-type", 1)]


def test_calendars_are_read_as_told() -> None:
    findings = Findings("a file")
    frame = pd.DataFrame({"x": ["1403/01/01", "1402/12/30", None]})
    made = make_column("opened_on", _rule(calendar="jalali"), frame, findings, spec=DAY)
    out = typed("opened_on", made, DAY, findings)
    assert out.tolist() == [date(2024, 3, 20), None, None]
    assert [(p.code, p.count) for p in findings.problems] == [("wrong-type", 1)]
    assert "1402/12/30" in findings.problems[0].what
    serial = pd.DataFrame({"x": [45371]})
    made = make_column("opened_on", _rule(calendar="excel"), serial, findings, spec=DAY)
    assert made.tolist() == [date(2024, 3, 20)]


def test_jalali_days_are_no_days_of_the_middle_ages() -> None:
    findings = Findings("a file")
    column = pd.Series(["1403/01/01", "1402/02/31", "2024-03-20", "1402/12/30", None])
    out = typed("opened_on", column, DAY, findings)
    assert out.tolist() == [
        date(2024, 3, 20), date(2023, 5, 21), date(2024, 3, 20), None, None,
    ]  # fmt: skip
    assert [(p.code, p.count) for p in findings.problems] == [("wrong-type", 1)]
