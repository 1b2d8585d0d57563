"""What refuses a row, what is counted, what is listed."""

import numpy as np

from geoplan.cadastre import Defect
from geoplan.catalogue.checks import CheckRules
from geoplan.ingest.ledger import Ledger


def ledger(**severity: str) -> Ledger:
    return Ledger(CheckRules.model_validate({"severity": severity}), most=3)


def test_counts_and_areas_stay_exact_where_the_list_is_cut() -> None:
    book = ledger()
    book.add(Defect("overlap", (n, n + 1), area_m2=2.0) for n in range(1, 11))
    tally = book.tallies["overlap"]
    assert (tally.severity, tally.count, tally.area_m2) == ("error", 10, 20.0)
    found = book.findings(lambda rows: tuple(f"P{r}" for r in rows))
    assert [f.rows for f in found] == [(1, 2), (2, 3), (3, 4)]
    assert found[0].keys == ("P1", "P2")
    assert book.refused().tolist() == list(range(1, 12))


def test_what_is_switched_off_is_not_there_and_a_warning_refuses_nobody() -> None:
    book = ledger(gap="off", overlap="warning")
    book.add([Defect("gap", (1, 2)), Defect("overlap", (3, 4), area_m2=1.0)])
    assert list(book.tallies) == ["overlap"]
    assert len(book.refused()) == 0


def test_a_gap_refuses_nobody_and_of_equal_outlines_the_first_stays() -> None:
    book = ledger()
    book.add([Defect("gap", (1, 2)), Defect("duplicate-geometry", (7, 5, 9))])
    assert book.refused().tolist() == [7, 9]


def test_one_key_for_two_different_plots_refuses_both_and_for_the_same_plot_the_second() -> None:
    book = ledger()
    book.add([Defect("duplicate-geometry", (5, 7))])
    book.add([Defect("duplicate-key", (5, 7)), Defect("duplicate-key", (1, 2))])
    assert book.refused().tolist() == [1, 2, 7]


def test_errors_come_first_and_each_row_has_its_reasons() -> None:
    book = ledger()
    book.add_rows("wrong-type", np.array([4, 2]), text=lambda i: ["a", "b"][i])
    book.add_rows("missing-key", np.array([4]))
    assert list(book.tallies) == ["missing-key", "wrong-type"]
    assert book.refused().tolist() == [4]
    assert book.reasons([4]) == {4: [{"code": "missing-key", "text": ""}]}
