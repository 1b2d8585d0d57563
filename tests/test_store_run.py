"""A finished run, written once and read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_result import example_document, example_result, infeasible_result
from sqlalchemy import func, select

from geoplan.errors import InputError, UnknownName
from geoplan.store import read
from geoplan.store.run import put_run
from geoplan.store.serve.runs import studies, study
from geoplan.store.session import transaction
from geoplan.store.tables import (
    Candidate,
    Run,
    RunRegion,
    RunSource,
    RunStudy,
    SupplyAssignment,
)


def put(session, result=None, run_id="two-estates-1", **document):
    put_run(
        session,
        run_id=run_id,
        run_hash="ef" * 32,
        result=result or example_result(),
        document=example_document() | document,
        folder=Path("runs") / run_id,
    )


def test_run_there_and_back(database):
    with transaction(database) as session:
        before = read.data_version(session)
        put(session)
    with transaction(database) as session:
        assert read.data_version(session) != before
        (row,) = read.runs(session)
        whole = read.run(session, "two-estates-1")
    assert (row.id, row.status, row.candidates, row.sites) == ("two-estates-1", "within-gap", 6, 2)
    assert row.document is None
    assert row.synthetic
    assert row.assumed
    assert row.folder == Path("runs/two-estates-1")
    assert whole.document["seed"] == 7
    assert whole.document["nothing"] is None  # NaN is no JSON
    assert whole.document["scenario"]["id"] == row.scenario_id


def test_what_the_studies_found_lies_with_the_run(database):
    front = {"points": [{"efficiency": 1.5, "equity": float("nan")}]}
    with transaction(database) as session:
        put(session, replace(example_result(), documents={"pareto": front, "smaa": {"draws": 3}}))
        put(session, run_id="two-estates-2")
    with transaction(database) as session:
        assert studies(session, "two-estates-1") == ["pareto", "smaa"]
        assert study(session, "two-estates-1", "pareto") == {
            "points": [{"efficiency": 1.5, "equity": None}]
        }
        assert studies(session, "two-estates-2") == []
        with pytest.raises(UnknownName, match=r"no study 'why'") as error:
            study(session, "two-estates-1", "why")
        assert "pareto, smaa" in error.value.remedy
        session.delete(session.get(Run, "two-estates-1"))
        session.flush()
        assert session.scalar(select(func.count()).select_from(RunStudy)) == 0


def test_candidate_says_why(database):
    result = example_result()
    with transaction(database) as session:
        put(session, result)
    with transaction(database) as session:
        sites = session.scalars(select(Candidate).order_by(Candidate.rank)).all()
        shapes = session.scalars(
            select(func.ST_AsText(Candidate.geom)).order_by(Candidate.rank)
        ).all()
        first, third = sites[0], sites[2]
    assert [s.site_id for s in sites] == list(result.candidates.index)
    assert shapes[0].startswith("MULTIPOLYGON(((")
    assert (first.region1_code, first.region2_code, first.region3_code) == ("01", "0101", None)
    assert first.in_portfolio
    assert not third.in_portfolio
    detail = first.detail
    assert detail["regions"] == [
        {"level": 1, "code": "01", "name": {"en": "One", "local": "یک"}},
        {"level": 2, "code": "0101", "name": {"en": "West", "local": "باختر"}},
    ]
    assert detail["demand"] == [
        {"resource": "water", "amount": 1000.0, "unit": "m3/day"},
        {"resource": "power", "amount": 60.0, "unit": "MVA"},
        {"resource": "wastewater", "amount": 700.0, "unit": "m3/day"},
    ]
    road, slope, *_ = (c for c in detail["criteria"] if c["id"] in ("road", "slope"))
    assert road["id"] == "road"
    assert road["weight"] == 0.5
    assert road["measured"] == 2.0
    # Median of 2, 4, 6, 8, 10, 12.
    assert road["national_median"] == 7.0
    assert road["contribution"] == pytest.approx(0.5 * 0.9)
    assert slope["measured"] is None
    assert slope["national_median"] is None
    assert sum(c["contribution"] for c in detail["criteria"]) == pytest.approx(first.score)
    assert detail["reasons"] == [
        {"code": "chosen", "text": {"en": "Highest score.", "local": "بالاترین امتیاز."}}
    ]
    assert detail["cost"] == 6.5e9
    assert detail["inclusion_acceptability"] is None
    assert third.detail["cost"] is None
    assert third.detail["reasons"][0]["code"] == "region-cap"


def test_regions_with_their_indicators(database):
    with transaction(database) as session:
        put(session)
    with transaction(database) as session:
        west, _, south = session.scalars(select(RunRegion).order_by(RunRegion.code)).all()
    assert (west.code, west.level, west.rank) == ("0101", 2, 1)
    assert west.detail["formula"].startswith("index = ")
    assert [i["id"] for i in west.detail["indicators"]] == ["plants", "jobless"]
    assert west.detail["indicators"][0]["title"] == {
        "en": "Plants per person", "local": "کارخانه به ازای نفر"
    }  # fmt: skip
    assert west.detail["indicators"][0]["value"] == 30.0
    assert south.industrialisation is None
    assert south.rank is None
    assert south.coverage == 0.25
    assert south.detail["indicators"][0]["value"] is None


def test_sources_and_supply_lines(database):
    result = example_result()
    with transaction(database) as session:
        put(session, result)
    with transaction(database) as session:
        found = session.execute(
            select(RunSource.source_id, RunSource.used, func.ST_AsText(RunSource.geom)).order_by(
                RunSource.source_id
            )
        ).all()
        lines = session.execute(
            select(
                SupplyAssignment.source_id,
                SupplyAssignment.amount,
                func.ST_AsText(SupplyAssignment.geom),
            ).where(SupplyAssignment.site_id == "s0002")
        ).all()
        total = session.scalar(select(func.sum(SupplyAssignment.amount)))
    places = {name: place for name, _, place in found}
    assert places["stations:1"] == "POINT(52.1 33.6)"
    assert places["own:s0001:plant"] is None
    drawn = {name: (amount, line) for name, amount, line in lines}
    assert drawn["stations:1"] == (60.0, "LINESTRING(52.1 33.6,52.5 33.5)")
    assert drawn["own:s0002:plant"] == (700.0, None)
    assert drawn["dams:a"][0] == 1000.0 / 3  # to the last bit
    assert total == pytest.approx(float(result.supply["amount"].sum()))


def test_run_without_a_plan(database):
    with transaction(database) as session:
        put(session, infeasible_result())
        (row,) = read.runs(session)
        assert (row.status, row.candidates, row.sites) == ("infeasible", 6, 0)
        assert session.scalar(select(func.count()).select_from(SupplyAssignment)) == 0


def test_runs_are_never_changed_and_listed_newest_first(database):
    with transaction(database) as session:
        put(session)
    with pytest.raises(InputError, match="never changed"), transaction(database) as session:
        put(session)
    with transaction(database) as session:
        put(session, run_id="two-estates-2")
    with transaction(database) as session:
        assert [r.id for r in read.runs(session)] == ["two-estates-2", "two-estates-1"]
        with pytest.raises(UnknownName, match="two-estates-3") as caught:
            read.run(session, "two-estates-3")
    assert "two-estates-" in caught.value.remedy


def test_half_a_run_is_no_run(database):
    whole = example_result()
    broken = example_result(supply=whole.supply.assign(amount=np.inf))
    with pytest.raises(InputError, match="infinite"), transaction(database) as session:
        put(session, broken)
    with transaction(database) as session:
        for table in (Run, RunRegion, Candidate, RunSource, SupplyAssignment):
            assert session.scalar(select(func.count()).select_from(table)) == 0
