"""Why any place on the map is, or is not, part of a candidate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geoplan.catalogue.text import Text
from geoplan.siting.place import NearSite, Removal, contiguous_cells, place_reasons


@given(st.integers(0, 2**31), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_contiguous_land_is_what_labels_say(seed, at_most):
    rng = np.random.default_rng(seed)
    land = rng.random((9, 11)) < 0.6
    labels, _ = ndimage.label(land)
    row, col = int(rng.integers(9)), int(rng.integers(11))
    size = int((labels == labels[row, col]).sum()) if land[row, col] else 0
    assert contiguous_cells(land, row, col, at_most=at_most) == min(size, at_most)


def codes(**facts):
    return [r.code for r in place_reasons(**facts)]


def test_rules_speak_first_and_with_their_basis():
    town = Removal(
        "town", Text(en="Within 1.5 km of a town", fa="تا ۱٫۵ کیلومتری شهر"), "DOE", "read"
    )
    slope = Removal("slope", Text(en="Slope", fa="شیب"), "", "unverified")
    both = place_reasons(inside=True, removed_by=[town, slope], score=0.9)
    assert [r.code for r in both] == ["rule", "rule"]
    assert both[0].text.en == "Removed by «Within 1.5 km of a town». Basis: DOE."
    assert both[1].text.en == "Removed by «Slope». Basis: not given (unverified)."
    assert both[1].text.fa == "با قاعدهٔ «شیب» حذف شده است. مبنا: گفته نشده (تأییدنشده)."
    (alone,) = place_reasons(inside=True, removed_by=[town])
    assert alone.text.en.endswith("No other rule does.")


def test_each_other_reason():
    near = NearSite("S0007", 7, 0.81, 2.5, in_portfolio=True)
    base = {"inside": True, "score": 0.5, "percentile": 61.0, "patch_ha": 900.0,
            "smallest_ha": 800.0}  # fmt: skip
    assert codes(inside=False) == ["outside"]
    assert codes(inside=True) == ["no-data"]
    assert codes(**base, holds=near) == ["score", "in-candidate"]
    assert codes(**base | {"patch_ha": 75.0}) == ["score", "patch"]
    assert codes(**base, nearest=near, spacing_km=5) == ["score", "near-candidate"]
    assert codes(**base, nearest=near, spacing_km=2, lowest_kept=0.6) == ["score", "lower-score"]
    assert codes(**base) == ["score", "not-grown"]
    found = place_reasons(**base | {"patch_ha": 75.0})
    assert found[0].text.en == (
        "No rule removes this place. Its score is 0.500, above 61 % of the allowed land."
    )
    assert found[1].text.en == ("Only 75 ha hang together here; the smallest candidate has 800 ha.")
    assert "۷۵ هکتار" in found[1].text.fa
    for reason in (*found, *place_reasons(**base, holds=near)):
        assert reason.text.fa
        assert not any(c in "0123456789" for c in (reason.text.fa or "").replace("S0007", ""))


def test_land_that_is_closed_has_no_patch():
    assert contiguous_cells(np.zeros((3, 3), dtype=bool), 1, 1, at_most=5) == 0
    assert contiguous_cells(np.ones((3, 3), dtype=bool), 1, 1, at_most=0) == 0
    assert contiguous_cells(np.ones((3, 3), dtype=bool), 1, 1, at_most=100) == pytest.approx(9)
