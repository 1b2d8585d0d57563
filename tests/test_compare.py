"""Two runs side by side, from their folders alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import pytest
from example_result import example_document, example_result
from shapely.geometry import box

from geoplan.errors import FileMissing, InputError
from geoplan.report import write_run_folder
from geoplan.studies.compare import compare_runs, match_sites

CRS = "+proj=laea +lat_0=33 +lon_0=52 +datum=WGS84 +units=m +no_defs"


def write(folder: Path, result=None, **changes):
    folder.mkdir()
    found = result or example_result()
    document = {
        "profile": {"id": "example", "document": {"currency": "rial"}},
        "grid": {"crs": CRS},
        "scenario": found.scenario.model_dump(mode="json", by_alias=True),
        "weights": found.weights,
        "layers": {"roads": {"version": 1, "sha256": "aa", "rows": 5}},
        "software": {"geoplan": "1"},
        "solver": {"status": found.solver.status, "objective": found.solver.objective},
        "sites": len(found.portfolio),
        "candidates": len(found.candidates),
        "run_id": folder.name,
    }
    write_run_folder(folder, found, example_document() | document | changes)
    return folder


def test_a_run_beside_itself(tmp_path):
    one, two = write(tmp_path / "one"), write(tmp_path / "two")
    found = compare_runs(one, two)
    assert (found.before, found.after) == ("one", "two")
    assert found.scenario == found.layers == found.profile == found.software == found.result == ()
    assert found.matched == 6
    assert found.kendall_tau == pytest.approx(1)
    assert found.sites["change"].tolist() == ["kept", "kept"]
    assert (found.sites["overlap"] > 0.999).all()
    assert (found.weights["before"] == found.weights["after"]).all()


def test_what_was_changed_is_told_by_its_path(tmp_path):
    base = example_result()
    one = write(tmp_path / "one")
    scenario = base.scenario.model_dump(mode="json", by_alias=True)
    scenario["portfolio"]["count"] = 1
    rule = scenario["exclude"][0]
    changed = dict(rule) | ({"within_m": 777.0} if rule["layer"] else {"above": 3.25})
    scenario["exclude"][0] = changed
    scenario["title"] = {"en": "Another title"}
    frame = base.candidates.copy()
    ids = list(frame.index)
    chosen = frame.index[frame["in_portfolio"]]
    frame = frame.rename(index={s: f"N{k}" for k, s in enumerate(ids)})
    out = f"N{ids.index(chosen[0])}"
    frame.loc[out, "in_portfolio"] = False
    moved = replace(
        base,
        candidates=frame,
        portfolio=base.portfolio.iloc[1:].assign(
            site_id=[f"N{ids.index(s)}" for s in base.portfolio["site_id"].iloc[1:]]
        ),
        supply=base.supply.iloc[:0],
        reasons={},
    )
    two = write(
        tmp_path / "two",
        moved,
        scenario=scenario,
        layers={"roads": {"version": 2, "sha256": "bb", "rows": 6}, "rail": {"sha256": "cc"}},
        weights={**base.weights, "extra": 0.0},
    )
    found = compare_runs(one, two)
    paths = {c.path: (c.before, c.after) for c in found.scenario}
    assert paths["portfolio.count"] == (base.scenario.portfolio.count, 1)
    assert any(p.startswith(f"exclude[{rule['id']}].") for p in paths)
    assert len(paths) == 2  # a title is no change of the question
    assert [(c.path, c.before and c.before["version"]) for c in found.layers] == [
        ("rail", None),
        ("roads", 1),
    ]
    assert found.sites["change"].tolist() == ["left", "kept"]
    left = found.sites.iloc[0]
    assert (left["before"], left["after"]) == (chosen[0], out)
    assert found.weights["before"].isna().tolist()[-1]
    assert ("sites", 2, 1) in [(c.path, c.before, c.after) for c in found.result]


def test_places_are_matched_by_land_not_by_name():
    def squares(**at):
        return gpd.GeoSeries({k: box(x, 0, x + 10, 10) for k, x in at.items()}, crs=CRS)

    found = match_sites(squares(a=0, b=100, c=200, d=203), squares(d=2, e=95.1, f=201))
    # a–d share 8 of 12, b–e 5.1 of 14.9, c–f 9 of 11, d–f 8 of 12: f goes to c
    assert found.values.tolist() == [
        ["a", "d", pytest.approx(8 / 12)],
        ["c", "f", pytest.approx(9 / 11)],
    ]


def test_what_cannot_be_compared(tmp_path):
    one = write(tmp_path / "one")
    other = {"id": "elsewhere", "document": {}}
    with pytest.raises(InputError, match="elsewhere"):
        compare_runs(one, write(tmp_path / "two", profile=other))
    with pytest.raises(FileMissing, match=r"run\.json"):
        compare_runs(one, tmp_path)
    (one / "sites.gpkg").unlink()
    with pytest.raises(FileMissing, match=r"sites\.gpkg"):
        compare_runs(write(tmp_path / "three"), one)
