"""``geoplan layers`` as a person at a terminal uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely
from typer.testing import CliRunner

from geoplan.cli.app import app
from geoplan.errors import CheckFailed, InputError
from geoplan.settings import Settings

EAST, NORTH = 500_000.0, 3_950_000.0


def plots(*spans: tuple[float, float], **more: Any) -> gpd.GeoDataFrame:
    shapes = [shapely.box(EAST + a, NORTH, EAST + b, NORTH + 20) for a, b in spans]
    n = len(shapes)
    columns = {
        "code": [f"P-{i + 1}" for i in range(n)],
        "block_key": ["B-1"] * n,
        "number": [f"۱۲/{i + 1}" for i in range(n)],
    }
    return gpd.GeoDataFrame(columns | more, geometry=shapes, crs=32639)


class Terminal:
    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder = folder
        self._home = ["--home", str(settings.home), "--profile", "iran"]
        assert settings.database_url is not None
        self._url = settings.database_url

    def file(self, what: gpd.GeoDataFrame, name: str) -> str:
        pyogrio.write_dataframe(what, self.folder / name)
        return str(self.folder / name)

    def run(self, *words: str) -> str:
        """Run a command and return what it prints; its error is raised."""
        result = CliRunner().invoke(
            app, [*self._home, "layers", *words], env={"GEOPLAN_DATABASE_URL": self._url},
            standalone_mode=False,
        )  # fmt: skip
        self.printed = result.stdout
        if result.exception is not None:
            raise result.exception
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def terminal(settings: Settings, tmp_path: Path) -> Terminal:
    return Terminal(settings, tmp_path)


def test_check_load_history_diff_rollback_export(terminal: Terminal) -> None:
    first = terminal.file(plots((0, 20), (20, 40), (40, 60)), "one.gpkg")
    out = terminal.run("check", first, "--layer", "plots")
    assert "3 good" in out or "Rows" in out
    assert "version 1 with 3 rows" in terminal.run("load", first, "--layer", "plots")
    assert "nothing to do" in terminal.run("load", first, "--layer", "plots")
    # The second plot is split, the third gets another shape.
    second = terminal.file(
        plots((0, 20), (20, 30), (30, 40), (40, 58), code=["P-1", "P-2a", "P-2b", "P-3"]),
        "two.gpkg",
    )
    assert "version 2 with 4 rows" in terminal.run("load", second, "--layer", "plots")
    history = terminal.json("history", "plots")
    assert [v["number"] for v in history["versions"]] == [2, 1]
    assert [(e["from_number"], e["to_number"]) for e in history["events"]] == [(1, 2), (None, 1)]
    found = terminal.json("diff", "plots", "--from", "1", "--to", "2")
    counts = {k: found[k]["count"] if isinstance(found[k], dict) else found[k]
              for k in ("added", "removed", "reshaped")}  # fmt: skip
    assert json.dumps(counts) and "P-2a" in json.dumps(found)
    for name in ("d.html", "d.gpkg", "d.json"):
        terminal.run("diff", "plots", "--report", str(terminal.folder / name))
        assert (terminal.folder / name).stat().st_size > 500
    lineage = terminal.json("lineage", "plots", "P-2a")
    (step,) = lineage["ancestors"]
    assert (step["kind"], step["old_key"], step["new_key"]) == ("split", "P-2", "P-2a")
    assert step["shared_m2"] == pytest.approx(200.0, rel=1e-3)
    assert "version 1 again" in terminal.run("rollback", "plots", "--to", "1", "--note", "تست")
    assert terminal.json("history", "plots")["events"][0]["note"] == "تست"
    with pytest.raises(InputError, match="shows version 1 already"):
        terminal.run("rollback", "plots", "--to", "1")


def test_what_was_surveyed_comes_back_unchanged(terminal: Terminal) -> None:
    made = plots((0, 20), (20, 40.123456789))
    terminal.run("load", terminal.file(made, "one.gpkg"), "--layer", "plots")
    for name in ("out.gpkg", "out.fgb", "out.parquet"):
        path = terminal.folder / name
        terminal.run("export", "plots", str(path), "--crs", "EPSG:32639")
        back = gpd.read_parquet(path) if name.endswith("parquet") else gpd.read_file(path)
        back = back.sort_values("key")
        for ours, theirs in zip(back.geometry, made.geometry, strict=True):
            assert shapely.get_parts(ours)[0].equals_exact(theirs, 0.0, normalize=True)
        assert list(back["number"]) == ["۱۲/1", "۱۲/2"]
    with pytest.raises(InputError, match=r"out\.gpkg"):
        terminal.run("export", "plots", str(terminal.folder / "out.gpkg"))


def test_rows_are_found_whichever_keyboard_wrote_them(terminal: Terminal) -> None:
    made = plots((0, 20), (20, 40), code=["كارگاه ۱", "انبار ۲"])
    terminal.run("load", terminal.file(made, "one.gpkg"), "--layer", "plots")
    assert terminal.run("find", "plots", "کارگاه").strip() == "کارگاه 1"
    assert terminal.run("find", "plots", "12/2").strip() == "انبار 2"
    assert "nothing" in terminal.run("find", "plots", "سوله")


def test_errors_stop_a_load_and_reports_show_them(terminal: Terminal) -> None:
    bad = terminal.file(plots((0, 20), (15, 40)), "bad.gpkg")
    reports = [str(terminal.folder / n) for n in ("r.html", "r.gpkg", "r.json")]
    words = [w for r in reports for w in ("--report", r)]
    with pytest.raises(CheckFailed, match="1 problem would stop the load"):
        terminal.run("load", bad, "--layer", "plots", *words)
    assert "Overlap" in terminal.printed and "P-1" in terminal.printed
    assert all(Path(r).stat().st_size > 500 for r in reports)
    document = json.loads(Path(reports[2]).read_text("utf-8"))
    assert document["tallies"]["overlap"]["count"] == 1
    places = gpd.read_file(reports[1], layer="problem_areas")
    assert places.geometry[0].area == pytest.approx(100.0)
    with pytest.raises(CheckFailed):
        terminal.run("check", bad, "--layer", "plots")
    with pytest.raises(InputError, match=r"report of kind '\.pdf'"):
        terminal.run("check", bad, "--layer", "plots", "--report", str(terminal.folder / "x.pdf"))


def test_quarantine_gives_rows_back_in_the_format_of_the_source(terminal: Terminal) -> None:
    made = plots((0, 20), (15, 40), (60, 80), owner=["الف", "ب", "پ"])
    path = terminal.file(made, "some.geojson.gpkg")
    out = terminal.run("load", path, "--layer", "plots", "--partial")
    assert "1 rows" in out and "2 rows are in quarantine" in out
    (load,) = terminal.json("quarantine")
    assert (load["layer"], load["rows"], load["format"]) == ("plots", 2, "GeoPackage")
    terminal.run("quarantine", "--load", load["id"], "--out", str(terminal.folder / "back.gpkg"))
    back = gpd.read_file(terminal.folder / "back.gpkg")
    assert list(back["owner"]) == ["الف", "ب"]
    assert list(back["source_row"]) == [1, 2]
    assert "overlap" in back["reasons"][0]
    assert back.geometry[0].area == pytest.approx(400.0)
    assert back.crs.to_epsg() == 32639
    assert "2 refused rows" in terminal.run("quarantine", "--load", load["id"], "--drop")
    assert terminal.json("quarantine") == []


def test_a_mapping_file_and_options_beside_it(terminal: Terminal) -> None:
    made = plots((0, 20), (20, 40)).rename(columns={"code": "SHENASEH", "number": "SHOMAREH"})
    made["MASAHAT"] = [0.04, 0.04]
    made["TARIKH"] = ["۱۴۰۲/۰۵/۳۱", "1402/12/30"]
    path = terminal.file(made, "province.gpkg")
    mapping = terminal.folder / "mine.yaml"
    mapping.write_text(
        "fields:\n  code: SHENASEH\n  number: SHOMAREH\n"
        "  area_m2: {from: MASAHAT, unit: ha}\nsource: Company of the province\n",
        encoding="utf-8",
    )
    terminal.run("load", path, "--layer", "plots", "--mapping", str(mapping))
    out = terminal.folder / "back.gpkg"
    terminal.run("export", "plots", str(out))
    back = gpd.read_file(out)
    assert list(back["area_m2"]) == [400.0, 400.0]
    with pytest.raises(InputError, match="FIELD=COLUMN"):
        terminal.run("check", path, "--layer", "plots", "--map", "code")
    with pytest.raises(InputError):
        terminal.run("check", path, "--layer", "plots", "--repair", "magic")
