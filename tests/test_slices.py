"""Slices of a national target, worked by hand, and their laws."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.catalogue.folder import bundled_folder, read_model
from geoplan.catalogue.slices import PeerSpec, QuarterSpec, ScorecardSpec, TargetSpec
from geoplan.errors import ProblemsFound, RangeError
from geoplan.regions.peers import peer_groups
from geoplan.regions.quarters import (
    against_target,
    quarter_days,
    quarter_of,
    quarter_targets,
)
from geoplan.regions.scorecard import kpi_score, scorecard
from geoplan.regions.slice_checks import check_given, code_problem
from geoplan.regions.slices import SliceResult, slices
from geoplan.sample import make
from geoplan.settings import Settings
from geoplan.store.session import transaction
from geoplan.studies.pack import load_pack
from geoplan.studies.slices import slices_of

CATALOGUE = Catalogue.standard()
TARGETS = bundled_folder() / "targets"

REGIONS = pd.DataFrame(
    [
        ("01", None, 1, "Alpha", "آلفا"),
        ("02", None, 1, "Beta", "بتا"),
        ("03", None, 1, "Gamma", "گاما"),
        ("0101", "01", 2, "A1", None),
        ("0102", "01", 2, "A2", None),
        ("0201", "02", 2, "B1", None),
        ("0202", "02", 2, "B2", None),
        ("0301", "03", 2, "C1", None),
    ],
    columns=["code", "parent_code", "level", "name_en", "name_local"],
)


def fact(name: str, **more: Any) -> dict[str, Any]:
    return {"kind": "variable", "variable": name, "scale": "none", **more}


def target(**change: Any) -> TargetSpec:
    given = {
        "id": "land", "title": {"en": "Land"}, "basis": "made", "profile": "sample",
        "year": 1405, "measure": {"en": "land"}, "unit": "ha", "total": 12_000, "levels": [1],
        "parts": {
            "need": {"weight": 0.5, "measures": [{"kind": "index"}]},
            "capacity": {"weight": 0.3, "measures": [fact("room")]},
            "past": {"weight": 0.2, "measures": [fact("met")]},
        },
    }  # fmt: skip
    return TargetSpec.model_validate(given | change)


def by_code(**values: float) -> pd.Series:
    return pd.Series({k.removeprefix("c"): v for k, v in values.items()}, dtype=float)


FULL = {
    1: {
        # industrialisation .38 is a need of .62
        "need.0": by_code(c01=0.38, c02=0.5, c03=0.9),
        "capacity.0": by_code(c01=0.20, c02=0.5, c03=0.5),
        "past.0": by_code(c01=0.41, c02=0.5, c03=0.5),
    },
    2: {"need.0": by_code(c0101=0.2, c0102=0.6, c0201=0.5, c0202=0.5, c0301=0.1)},
}


def row(result: SliceResult, code: str) -> pd.Series:
    return result.frame.set_index("code").loc[code]


def test_a_claim_is_the_weighted_sum_of_its_parts() -> None:
    got = slices(target(), REGIONS, FULL)
    # .62·.5 + .20·.3 + .41·.2 = .452; .5; .1·.5 + .5·.5 = .3
    assert got.frame["score"].round(12).tolist() == [0.452, 0.5, 0.3]
    # 12,000 · .452 / 1.252 = 4,332.27; 4,792.33; 2,875.40. One hectare is left, and Webster's
    # priorities tie: .5 / 4,792.5 = .3 / 2,875.5 = 1 / 9,585. The larger claim gets it.
    assert got.frame["slice"].tolist() == [4332, 4793, 2875]
    assert got.document["ties"] == [["02", "03"]]
    assert got.frame["coverage"].round(12).tolist() == [1.0, 1.0, 1.0]
    assert row(got, "01")["reason_en"] == (
        "Alpha: need 0.62 × 0.5 + capacity 0.20 × 0.3 + past 0.41 × 0.2 = 0.45. "
        "That is 36.1 % of 12,000 ha: 4,332 ha."
    )
    assert row(got, "01")["reason_fa"].startswith("آلفا: نیاز ۰٫۶۲ × ۰٫۵ + ظرفیت ۰٫۲۰ × ۰٫۳")
    assert "proposed" in got.notices[0].en


def test_a_cap_frees_units_and_the_sentence_says_where_they_went() -> None:
    reason = {"en": "no water", "fa": "بی‌آبی"}
    got = slices(target(limits=[{"region": "01", "cap": 300, "reason": reason}]), REGIONS, FULL)
    # 11,700 in .5 : .3 is 7,312.5 and 4,387.5
    assert got.frame["slice"].tolist() == [300, 7313, 4387]
    assert row(got, "01")["bound"] == "cap"
    assert row(got, "01")["reason_en"].endswith(
        "Cut to its cap 300 ha; the 4,032 ha went to Beta (+2,520) and Gamma (+1,512). "
        "Reason: no water."
    )
    assert "بتا (+۲٬۵۲۰) و گاما (+۱٬۵۱۲)" in row(got, "01")["reason_fa"]
    # Beta, too, may have no more than 5,000: what it gained on the way is told.
    limits = [{"region": "01", "cap": 300}, {"region": "02", "cap": 5000}]
    two = slices(target(limits=limits), REGIONS, FULL)
    assert two.frame["slice"].tolist() == [300, 5000, 6700]
    assert "went to Gamma (+3,825) and Beta (+207)." in row(two, "01")["reason_en"]
    assert row(two, "02")["reason_en"].endswith(
        "The limits of others leave it 207 ha more, up to its own cap: 5,000 ha."
    )
    floor = slices(target(limits=[{"region": "03", "floor_share": 0.5}]), REGIONS, FULL)
    assert floor.frame["slice"].tolist() == [2849, 3151, 6000]
    assert "Raised to its floor 6,000 ha" in row(floor, "03")["reason_en"]


def test_missing_parts_leave_the_sum_and_a_region_without_any_is_named() -> None:
    figures = {
        1: {
            "need.0": by_code(c01=0.38, c02=0.5),
            "capacity.0": by_code(c01=0.20),
            "past.0": by_code(c02=np.nan),
        }
    }
    got = slices(target(), REGIONS, figures)
    # Alpha (.31 + .06) / .8 = .4625; Beta .25 / .5 = .5; Gamma nothing
    assert got.frame["score"].round(12).tolist()[:2] == [0.4625, 0.5]
    assert got.frame["coverage"].round(12).tolist() == [0.8, 0.5, 0.0]
    # 12,000 · .4625 / .9625 = 5,766.2
    assert got.frame["slice"].tolist() == [5766, 6234, 0]
    assert row(got, "03")["state"] == "unknown"
    assert np.isnan(row(got, "03")["claim"])
    assert "all unknown" in row(got, "03")["reason_en"]
    assert any("no slice for Gamma" in n.en for n in got.notices)
    assert any("بدون سهم: گاما" in str(n.fa) for n in got.notices)
    floor = slices(target(limits=[{"region": "03", "floor": 100}]), REGIONS, figures)
    assert row(floor, "03")["slice"] == 100
    assert "It gets its floor, 100 ha" in row(floor, "03")["reason_en"]


def test_scales_directions_and_size() -> None:
    parts = {
        "need": {"weight": 0, "measures": []},
        "past": {"weight": 0},
        "capacity": {
            "weight": 1,
            "measures": [
                fact("a", scale="largest"),
                fact("b", scale="minmax", direction="less"),
                fact("c", scale="rank", weight=2),
            ],
        },
    }
    figures = {
        1: {
            "capacity.0": by_code(c01=10, c02=5, c03=0),  # 1, .5, 0
            "capacity.1": by_code(c01=30, c02=20, c03=10),  # 0, .5, 1
            "capacity.2": by_code(c01=7, c02=7, c03=9),  # .25, .25, 1
            "size": by_code(c01=100, c02=200, c03=100),
        }
    }
    got = slices(target(parts=parts, size="population", total=1000), REGIONS, figures)
    assert got.frame["score"].tolist() == [(1 + 0.5) / 4, (1 + 0.5) / 4, 3 / 4]
    # 37.5 : 75 : 75
    assert got.frame["slice"].tolist() == [200, 400, 400]
    assert "Times population 200." in row(got, "02")["reason_en"]
    # 10 / 100, 5 / 200 and 0 / 100: per head, the second has a quarter of the first.
    parts["capacity"] = {"weight": 1, "measures": [fact("a", scale="largest", per_size=True)]}
    got = slices(target(parts=parts, size="population", total=1000), REGIONS, figures)
    assert got.frame["score"].tolist() == [1, 0.25, 0]
    assert got.frame["slice"].tolist() == [667, 333, 0]
    assert row(got, "03")["state"] == "no claim"
    with pytest.raises(ValidationError, match=r"the target has no size"):
        target(parts=parts)


def test_lots_levels_and_activities_add_up_everywhere() -> None:
    spec = target(
        total=1200,
        lot=4,
        levels=[1, 2],
        activities=[
            {"id": "food", "title": {"en": "Food"}, "total": 400},
            {"id": "metal", "title": {"en": "Metal"}, "total": 800, "variable": "smiths"},
        ],
        exclusions=[
            {"region": "02", "activity": "food", "reason": {"en": "no water"}},
            {"level": 2, "region": "0202", "reason": {"en": "protected"}},
        ],
    )
    figures = {n: dict(own) for n, own in FULL.items()}
    figures[1]["activity.metal"] = by_code(c01=10, c02=20)
    got = slices(spec, REGIONS, figures)
    frame, table = got.frame, got.by_activity
    assert (frame["slice"] % 4 == 0).all()
    assert frame[frame["level"] == 1]["slice"].sum() == 1200
    below = frame[frame["level"] == 2].groupby("parent_code")["slice"].sum()
    assert below.to_dict() == frame[frame["level"] == 1].set_index("code")["slice"].to_dict()
    assert row(got, "0202")["slice"] == 0
    assert row(got, "0202")["reason_en"] == "B2 takes no part: protected"
    cells = table.pivot_table(index=["level", "code"], columns="activity", values="slice")
    assert cells.loc[1].sum().to_dict() == {"food": 400, "metal": 800}
    assert cells.loc[(1, "02"), "food"] == 0
    assert (cells.sum(axis=1).to_numpy() == frame.set_index(["level", "code"])["slice"]).all()
    parents = REGIONS.set_index("code")["parent_code"]
    finer = cells.loc[2].groupby(parents.reindex(cells.loc[2].index)).sum()
    assert (finer == cells.loc[1].reindex(finer.index)).all().all()
    assert any("smiths is not known of 1 regions" in n.en for n in got.notices)
    document = json.loads(json.dumps(got.document, allow_nan=False))
    assert document["sums"] == {"1": 1200, "2": 1200}
    assert document["slices"][0]["cap"] is None


def test_what_cannot_be_handed_down_stays_whole_and_is_named() -> None:
    figures = {1: FULL[1], 2: {"need.0": by_code(c0101=0.2, c0102=0.6)}}
    lost = pd.DataFrame([("0901", "09", 2, "Lost", None)], columns=REGIONS.columns)
    got = slices(target(levels=[1, 2]), pd.concat([REGIONS, lost], ignore_index=True), figures)
    assert row(got, "0101")["slice"] + row(got, "0102")["slice"] == row(got, "01")["slice"]
    assert row(got, "02")["not_handed_down"] == row(got, "02")["slice"] == 4793
    assert row(got, "0901")["state"] == "orphan"
    assert "region 09, to which it belongs, is not loaded" in row(got, "0901")["reason_en"]
    assert any("7,668 ha of Beta and Gamma" in n.en for n in got.notices)


def test_limits_of_parts_hold_their_parent() -> None:
    limits = [{"level": 2, "region": "0301", "floor": 5000}]
    got = slices(target(levels=[1, 2], limits=limits), REGIONS, FULL)
    assert row(got, "03")["slice"] == row(got, "0301")["slice"] == 5000
    caps = [{"level": 2, "region": c, "cap": 10} for c in ("0101", "0102")]
    got = slices(target(levels=[1, 2], limits=caps), REGIONS, FULL)
    assert row(got, "01")["slice"] == 20
    out = [{"level": 2, "region": "0301", "reason": {"en": "no"}}]
    got = slices(target(levels=[1, 2], exclusions=out), REGIONS, FULL)
    assert row(got, "03")["slice"] == 0


def test_bad_codes_and_limits_are_told_at_once() -> None:
    spec = target(
        limits=[
            {"region": "1", "cap": 5},
            {"region": "02", "cap": 3, "floor": 7},
            {"region": "02", "floor": 1},
            {"region": "99"},
            {"level": 2, "region": "0101", "cap": 1},
        ],
        exclusions=[{"region": "02", "reason": {"en": "why"}}],
    )
    with pytest.raises(ProblemsFound) as caught:
        slices(spec, REGIONS, FULL)
    found = [(p.where, p.code) for p in caught.value.problems]
    assert found == [
        ("limits.0", "lost-zeros"),
        ("limits.1", "cap-below-floor"),
        ("limits.2", "region-twice"),
        ("limits.3", "unknown-region"),
        ("limits.4", "level"),
        ("exclusions.0", "excluded-floor"),
    ]
    assert caught.value.problems[0].remedy == "write '01', as text"
    tight = [{"region": c, "cap": 1000} for c in ("01", "02", "03")]
    with pytest.raises(ProblemsFound, match=r"the caps hold 3,000, 9,000 less than the 12,000"):
        slices(target(limits=tight), REGIONS, FULL)
    with pytest.raises(ProblemsFound, match=r"no region has a claim to the 12,000 ha: 3 unknown"):
        slices(target(), REGIONS, {})


def test_bad_figures_are_told_at_once() -> None:
    figures = {
        1: {
            "need.0": pd.Series([0.3, 1.4], index=["01", "02"]),
            "capacity.0": pd.Series([0.5, -0.1, 0.2], index=["01", "02", 3]),
            "past.0": pd.Series([65.0, 0.5], index=["01", "02"]),
        }
    }
    with pytest.raises(ProblemsFound) as caught:
        slices(target(), REGIONS, figures)
    assert [(p.where, p.code) for p in caught.value.problems] == [
        ("level 1, need.0 (index)", "index"),
        ("level 1, capacity.0 (room)", "lost-zeros"),
        ("level 1, capacity.0 (room)", "negative"),
        ("level 1, past.0 (met)", "no-share"),
    ]
    assert "per: 100" in caught.value.problems[3].remedy


def test_a_lost_zero_is_found_again() -> None:
    for code, shown in ((8, "08"), (8.0, "08"), ("8", "08"), ("۰۸", "08")):
        found = code_problem("row 1", code, ["08", "10"])
        assert found is not None
        assert f"'{shown}'" in found.remedy
    assert code_problem("row 1", "08", ["08"]) is None


def test_a_target_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(
        ValidationError, match=r"no whole number of lots of 7; write 11,998 or 12,005"
    ):
        target(lot=7)
    activity = {"id": "food", "title": {"en": "Food"}, "total": 9_000}
    with pytest.raises(ValidationError, match=r"add up to 9,000, the total is 12,000"):
        target(activities=[activity])
    with pytest.raises(ValidationError, match=r"add up to 1\.1, not 1"):
        target(parts={"need": {"weight": 0.6}})
    with pytest.raises(ValidationError, match=r"write variable: with kind: variable"):
        target(parts={"need": {"weight": 0.5, "measures": [{"kind": "variable"}]}})


def test_given_slices_are_checked_row_by_row() -> None:
    spec = target(total=1200, lot=4, levels=[1, 2])
    good = [(1, "01", 400), (1, "02", 600), (1, "03", 200), (2, "0101", 300), (2, "0102", 100),
            (2, "0201", 600), (2, "0301", 200)]  # fmt: skip
    columns = ["level", "code", "slice"]
    assert len(check_given(spec, REGIONS, pd.DataFrame(good, columns=columns))) == 7
    bad = pd.DataFrame(
        [(1, 1, 400), (1, "02", -4), (1, "02", 6), (1, "03", np.nan)], columns=columns
    )
    with pytest.raises(ProblemsFound) as caught:
        check_given(spec, REGIONS, bad)
    assert [(p.where, p.code) for p in caught.value.problems] == [
        ("row 1", "lost-zeros"), ("row 2", "negative"), ("row 3", "region-twice"),
        ("row 3", "lot"), ("row 4", "nan"),
    ]  # fmt: skip
    good[0], good[6] = (1, "01", 404), (2, "0301", 196)
    with pytest.raises(ProblemsFound) as caught:
        check_given(spec, REGIONS, pd.DataFrame(good, columns=columns))
    assert [(p.where, p.remedy) for p in caught.value.problems] == [
        ("level 1", "take away 4 ha"),
        ("region 01", "add 4 ha among its parts"),
        ("region 03", "add 4 ha among its parts"),
    ]


UNIT = st.one_of(st.none(), st.floats(0, 1))


@given(
    st.lists(UNIT, min_size=8, max_size=8),
    st.integers(0, 60),
    st.sampled_from(["webster", "hamilton", "jefferson"]),
    st.integers(0, 8),
)
@settings(max_examples=12, deadline=None, derandomize=True)
def test_sums_hold_at_every_level(
    needs: list[float | None], lots: int, method: str, cap: int
) -> None:
    spec = target(total=5 * lots, lot=5, levels=[1, 2], method=method,
                  limits=[{"region": "01", "cap": 5 * cap}])  # fmt: skip
    need = pd.Series([np.nan if x is None else x for x in needs], index=REGIONS["code"])
    figures = {n: {"need.0": need[REGIONS["code"][REGIONS["level"] == n]]} for n in (1, 2)}
    try:
        got = slices(spec, REGIONS, figures).frame
    except ProblemsFound as error:
        assert {p.code for p in error.problems} <= {"no-claims", "caps-below-total"}
        return
    top = got[got["level"] == 1].set_index("code")
    assert top["slice"].sum() == 5 * lots
    assert top.loc["01", "slice"] <= 5 * cap
    parts = got[got["level"] == 2].groupby("parent_code")["slice"].sum()
    assert (parts + top["not_handed_down"] == top["slice"]).all()
    assert (got["slice"] % 5 == 0).all()
    assert (got.loc[got["claim"].isna(), "slice"] == 0).all()


# ------------------------------------------------------------------ quarters


def test_jalali_quarters() -> None:
    assert quarter_of(date(2026, 3, 20), "jalali") == (1404, 4)
    assert quarter_of(date(2026, 3, 21), "jalali") == (1405, 1)
    assert quarter_of(date(2026, 12, 22), "jalali") == (1405, 4)
    # 1403 is a leap year: winter ends on 30 Esfand.
    assert quarter_days(1403, 4, "jalali") == (date(2024, 12, 20 + 1), date(2025, 3, 20))
    assert quarter_days(2026, 2, "gregorian") == (date(2026, 4, 1), date(2026, 6, 30))
    with pytest.raises(RangeError):
        quarter_days(1405, 5, "jalali")


def test_quarters_add_up_both_ways() -> None:
    spec = target(total=1003, levels=[1, 2])
    got = slices(spec, REGIONS, FULL)
    table = quarter_targets(spec, got.frame)
    top = table[table["level"] == 1].groupby("quarter")["target"].sum()
    # 150.45, 200.6, 250.75, 401.2: the two largest remainders are .75 and .6
    assert top.tolist() == [150, 201, 251, 401]
    sums = table.groupby(["level", "code"])["target"].sum()
    assert sums.to_dict() == got.frame.set_index(["level", "code"])["slice"].to_dict()
    parents = REGIONS.set_index("code")["parent_code"]
    finer = table[table["level"] == 2]
    below = finer.groupby([finer["code"].map(parents), finer["quarter"]])["target"].sum()
    above = table[table["level"] == 1].set_index(["code", "quarter"])["target"]
    assert below.to_dict() == above.to_dict()


def test_actual_against_target() -> None:
    targets = pd.DataFrame(
        [(1, "01", q, t) for q, t in enumerate([100, 100, 100, 200], 1)]
        + [(1, "02", q, t) for q, t in enumerate([10, 0, 10, 20], 1)],
        columns=["level", "code", "quarter", "target"],
    )
    actuals = pd.DataFrame(
        [
            (1, "01", 1, 90.0, "1405/04/10", None),
            (1, "01", 2, 75.0, "1405/07/10", None),
            (1, "01", 1, 60.0, "1405/08/01", "a contract was counted twice"),
            (1, "02", 2, 3.0, "1405/07/12", None),
            (1, "02", 3, 0.0, "1405/10/12", None),
        ],
        columns=["level", "code", "quarter", "actual", "reported", "reason"],
    )
    got = against_target(targets, actuals, QuarterSpec(), until=3).set_index(["code", "quarter"])
    assert got["status"].tolist() == [
        "red", "amber", "not reported", "not due", "not reported", "no target", "red", "not due",
    ]  # fmt: skip
    first = got.loc[("01", 1)]
    assert (first["actual"], first["first_actual"], first["earlier"]) == (60, 90, (90.0,))
    assert first["reason"] == "a contract was counted twice"
    # 60 + 75 of 200; the third quarter is not reported and adds to neither side.
    third = got.loc[("01", 3)]
    assert np.isnan(third["actual"])
    assert (third["cumulative_actual"], third["cumulative_target"]) == (135, 200)
    assert third["cumulative_ratio"] == 0.675
    assert third["quarters_reported"] == 2
    assert np.isnan(got.loc[("02", 1)]["cumulative_actual"])
    assert got.loc[("02", 3)]["actual"] == 0
    exact = pd.DataFrame([(1, "01", 1, 90.0), (1, "02", 1, 7.0)], columns=actuals.columns[:4])
    edge = against_target(targets, exact, QuarterSpec(), until=1)
    assert edge["status"].tolist()[::4] == ["green", "amber"]


def test_bad_actuals_are_told_at_once() -> None:
    targets = pd.DataFrame([(1, "08", 1, 100)], columns=["level", "code", "quarter", "target"])
    rows = [(1, 8, 1, 5.0), (1, "08", 5, 5.0), (1, "08", 1, -1.0), (1, "08", 1, 4.0)]
    with pytest.raises(ProblemsFound) as caught:
        against_target(targets, pd.DataFrame(rows, columns=["level", "code", "quarter", "actual"]),
                       QuarterSpec())  # fmt: skip
    assert [p.code for p in caught.value.problems] == [
        "lost-zeros", "quarter", "negative", "restated-without-reason",
    ]  # fmt: skip


# ------------------------------------------------------------------ scorecard and peers

PERCENT = {"title": {"en": "Figure"}, "unit": "%"}
CARD = ScorecardSpec.model_validate(
    {
        "kpis": [
            {"id": "done", "base": 40, "target": 90, "weight": 3, **PERCENT},
            {"id": "idle", "base": 18, "target": 8, "weight": 1, **PERCENT},
        ],
        "peers": {"groups": {"south": ["01", "02"], "north": ["03"]}},
    }
)


def test_scores_ranks_and_deviations() -> None:
    values = pd.DataFrame(
        {"done": [65.0, 120.0, np.nan, np.nan], "idle": [13.0, 20.0, 8.0, np.nan]},
        index=["01", "02", "03", "04"],
    )
    got = scorecard(CARD, values)
    # 01: .5 and .5; 02: 1.2 · .75 + 0; 03: a quarter of the weight alone, below the half asked for
    assert got.frame["score"].round(12).tolist()[:2] == [0.5, 0.9]
    assert np.isnan(got.frame.loc["03", "score"])
    assert got.frame["coverage"].tolist() == [1.0, 1.0, 0.25, 0.0]
    assert got.frame["rank"].tolist()[:2] == [2, 1]
    assert got.frame["peer_rank"].tolist()[:2] == [2, 1]
    assert got.frame["peer_group"].tolist()[:3] == ["south", "south", "north"]
    detail = got.detail.set_index(["kpi", "code"])
    assert detail.loc[("done", "01"), "deviation"] == -25
    assert detail.loc[("done", "01"), "gap"] == 0.5
    assert detail.loc[("idle", "02"), "gap"] == 1.2
    assert any("03, 04" in n.en for n in got.notices)
    json.dumps(got.document, allow_nan=False)
    with pytest.raises(ProblemsFound):
        scorecard(CARD, pd.DataFrame({"done": [1.0, 2.0]}, index=["01", "01"]))
    with pytest.raises(RangeError):
        kpi_score([1.0], base=2, target=2)


@pytest.mark.parametrize("method", ["ward", "kmedoids"])
def test_two_clear_clusters_are_found(method: str) -> None:
    x = pd.DataFrame(
        {"a": [0.0, 10.0, 0.2, 9.8, 0.1, np.nan], "b": [1.0, 5.0, 1.1, 5.2, 0.9, 1.0]},
        index=["01", "02", "03", "04", "05", "06"],
    )
    spec = PeerSpec(method=method, count=2, variables=("a", "b"), seed=3)  # type: ignore[arg-type]
    got = peer_groups(spec, x.index, x)
    assert got.group.tolist()[:5] == ["1", "2", "1", "2", "1"]
    assert pd.isna(got.group["06"])
    again = peer_groups(spec, x.index[::-1], x.iloc[::-1])
    assert again.group.sort_index().equals(got.group)
    if method == "kmedoids":
        assert got.centre == {"1": "01", "2": "02"}
    with pytest.raises(ProblemsFound, match="6 groups of 5 fully known regions"):
        peer_groups(spec.model_copy(update={"count": 6}), x.index, x)
    with pytest.raises(ProblemsFound, match="the figure is not there"):
        peer_groups(spec.model_copy(update={"variables": ("a", "z")}), x.index, x)


# ------------------------------------------------------------------ files and database


def test_the_targets_that_are_shipped_can_be_read_and_are_proposals() -> None:
    found = sorted(TARGETS.glob("*.yaml"))
    assert len(found) >= 2
    for path in found:
        spec = read_model(path, TargetSpec, what="target")
        assert spec.id == path.stem
        assert spec.status == spec.parts.status == spec.quarters.status == "proposed"
        assert spec.profile in CATALOGUE.profiles()


@pytest.mark.pack
def test_the_example_of_iran_on_the_real_provinces(iran_pack: Path) -> None:
    spec = read_model(TARGETS / "iran_land_1405.yaml", TargetSpec, what="target")
    spec = spec.model_copy(update={"levels": (1,)})
    file = iran_pack / "provinces_facts.csv"
    facts = pd.read_csv(file, dtype={"code": str}).sort_values("code").set_index("code")
    regions = facts.reset_index().assign(
        parent_code=None, level=1, name_local=facts["name_fa"].to_numpy()
    )
    workshops = facts["workshops10_per_100k"].astype(float)
    index = (workshops - workshops.min()) / (workshops.max() - workshops.min())
    people = facts["pop_2016"].astype(float)
    figures = {
        1: {"need.0": index, "need.1": facts["unemployment_2016_pct"].astype(float), "size": people}
    }
    got = slices(spec, regions, figures).frame.set_index("code")
    assert len(got) == 31
    assert got["slice"].sum() == 12_000
    assert (got["slice"] % 4 == 0).all()
    assert (got.loc["23", "slice"], got.loc["23", "bound"]) == (400, "cap")  # Tehran
    assert (got.loc["11", "slice"], got.loc["11", "bound"]) >= (480, "")  # Sistan and Baluchestan
    assert (got["coverage"] == 0.5).all()
    # Semnan has 83.7 workshops per 100,000, Kohgiluyeh 4.3; as many people, more need, more land.
    assert got.loc["17", "need"] > got.loc["20", "need"]
    assert got.loc["17", "slice"] > got.loc["20", "slice"]
    peers = spec.scorecard.peers if spec.scorecard else None
    assert peers is not None
    groups = peer_groups(peers, facts.index, facts[list(peers.variables)].astype(float))
    assert groups.group.nunique() == 4
    # Tehran (13 million) and Semnan (most workshops per head) have no like.
    assert (groups.group == groups.group["23"]).sum() == 1


def test_slices_from_the_database(
    database: Engine, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = make(tmp_path_factory.mktemp("small") / "country", size="small").folder
    pack = CATALOGUE.pack(str(folder / "pack.yaml"))
    layers = {"provinces", "counties", "province_facts", "county_facts", "estates",
              "water_sources", "substations"}  # fmt: skip
    few = pack.model_copy(update={"entries": tuple(e for e in pack.entries if e.layer in layers)})
    load_pack(database, settings, CATALOGUE, few, folder, loaded_by="test")
    profile = CATALOGUE.profile("sample")
    spec = read_model(TARGETS / "sample_land_2026.yaml", TargetSpec, what="target")
    with transaction(database) as session:
        got = slices_of(session, profile, spec)
        with pytest.raises(ProblemsFound, match="the profile is 'iran'"):
            slices_of(session, CATALOGUE.profile("iran"), spec)
        lost = spec.model_copy(update={"size": "no_such_fact"})
        with pytest.raises(ProblemsFound, match="fact 'no_such_fact'"):
            slices_of(session, profile, lost)
    assert got.document["sums"] == {"1": 1200, "2": 1200}
    sums = got.by_activity[got.by_activity["level"] == 2].groupby("activity")["slice"].sum()
    assert sums.to_dict() == {"food": 480, "metal": 720}
    assert got.frame["need"].notna().all()
    assert got.frame.loc[got.frame["level"] == 1, "capacity"].notna().any()
    assert got.frame["past"].isna().all()
    assert any("past is not known of any region" in n.en for n in got.notices)
    assert any(n.en.startswith("Free water is summed over ") for n in got.notices)
