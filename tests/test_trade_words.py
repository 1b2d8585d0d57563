"""What was found by solving the plan again, in sentences of both languages."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.siting.robustness import Inclusion
from geoplan.siting.trade_words import inclusion_notice, inclusion_reason, trade_reasons

ROWS = pd.DataFrame(
    [
        ("S1", "out", "within-gap", 0.0123, 0.01, ("S1",), ("S9",)),
        ("S2", "out", "infeasible", np.nan, np.nan, (), ()),
        ("S3", "out", "time-limit", 0.2, 0.05, ("S3", "S4"), ("S8", "S9")),
        ("S5", "in", "optimal", 0.004, 0.004, ("S4",), ("S5",)),
        ("S6", "in", "infeasible", np.nan, np.nan, (), ()),
        ("S7", "in", "time-limit", np.nan, 0.0, (), ()),
    ],
    columns=["site_id", "direction", "status", "loss", "loss_at_least", "leave", "enter"],
)


def test_each_site_has_its_sentence():
    said = trade_reasons(ROWS)
    assert {k: r.code for k, r in said.items()} == {
        "S1": "keep-out", "S2": "keep-out", "S3": "keep-out", "S5": "put-in", "S6": "put-in",
        "S7": "put-in",
    }  # fmt: skip
    assert said["S1"].text.en == (
        "Keeping it out would cost the plan 0.012 points; then S9 would come in."
    )
    assert said["S2"].text.en == "Without it no plan keeps all limits."
    assert said["S3"].text.en == (
        "Keeping it out would cost the plan 0.200 points (at least 0.050; not proven further); "
        "then S8 and S9 would come in and S4 would go."
    )
    assert said["S5"].text.en == (
        "Putting it in would cost the plan 0.004 points; for it S4 would go."
    )
    assert said["S6"].text.en == "No plan that holds it keeps all limits."
    assert "in time" in said["S7"].text.en
    for reason in said.values():
        bare = "".join(c for c in str(reason.text.fa) if c.isascii() and c.isdigit())
        assert set(bare) <= set("123456789")  # only ids of sites keep their digits
    assert "۰٫۰۱۲" in str(said["S1"].text.fa)


def test_how_often_a_site_stays():
    reason = inclusion_reason(0.875, 0.0331, 40)
    assert reason.text.en.startswith("It stands in 88 % of 40 plans")
    sites = pd.DataFrame({"inclusion": [1.0], "standard_error": [0.0]}, index=["A"])
    some = Inclusion(sites, 4, 3, 1, 2, np.array([2, 3, -1, 3]))
    assert "4 times" in inclusion_notice(some, 3).en
    assert "2.7 of its 3 sites" in inclusion_notice(some, 3).en
    none = Inclusion(sites, 4, 0, 4, 0, np.full(4, -1))
    assert inclusion_notice(none, 3).en.startswith("No plan exists in any of the 4")
