"""The catalogue: every bundled file is valid, every mistake is told with its remedy."""

from pathlib import Path

import pytest
import yaml

from geoplan.catalogue import Catalogue
from geoplan.errors import FileMissing, ProblemsFound, UnknownName

STANDARD = Catalogue.standard()


def test_every_bundled_file_is_valid() -> None:
    layers = STANDARD.layers()
    assert {"provinces", "counties", "roads", "elevation"} <= set(layers)
    for name in STANDARD.profiles():
        profile = STANDARD.profile(name)
        assert {level.layer for level in profile.region_levels} <= set(layers)
        for indicator in profile.index.indicators:
            assert indicator.layer is None or indicator.layer in layers
    for name in STANDARD.packs():
        pack = STANDARD.pack(name)
        assert {entry.layer for entry in pack.entries} <= set(layers)
        assert pack.profile in STANDARD.profiles()
    for name in STANDARD.scenarios():
        assert STANDARD.scenario(name).profile in STANDARD.profiles()


def test_every_layer_is_titled_in_both_languages() -> None:
    for layer in STANDARD.layers().values():
        assert layer.title.fa, f"{layer.id} has no Persian title"
        for name, field in layer.fields.items():
            assert field.title is None or field.title.fa, f"{layer.id}.{name}"


def test_figures_that_are_not_law_say_so() -> None:
    profile = STANDARD.profile("iran")
    known = {c.status for c in profile.coefficients.values()}
    assert "unverified" in known
    statuses = {
        getattr(demand, part).status
        for demand in profile.demand_classes.values()
        for part in ("water", "return_ratio", "connected_power", "coincidence", "jobs")
    }
    assert statuses <= {"proposed", "unverified"}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_all_problems_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "s.yaml",
        "id: x\ntitle: {en: a}\nspacin: 3\ncandidates: {area_ha: [3, 1], compactnes: 1}\n"
        "demand: {mix: {metal: 0.4}}\n",
    )
    with pytest.raises(ProblemsFound) as error:
        STANDARD.scenario(str(path))
    text = str(error.value)
    assert "did you mean 'compactness'?" in text
    assert "unknown key 'spacin'" in text
    assert "sum to 0.4, not 1" in text
    assert "'portfolio' is missing" in text
    assert str(path) in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty or not a mapping"),
        ("- a\n- b\n", "empty or not a mapping"),
        ("id: [unclosed", "not valid YAML"),
        ("a: !!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_a_broken_file_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, "s.yaml", text)
    with pytest.raises(ProblemsFound, match=message):
        STANDARD.scenario(str(path))


def test_unknown_names_are_told_with_a_near_one() -> None:
    with pytest.raises(UnknownName, match="'iren'") as error:
        STANDARD.profile("iren")
    assert "did you mean 'iran'?" in error.value.remedy


def test_missing_files_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileMissing, match="no scenario file"):
        STANDARD.scenario(str(tmp_path / "none.yaml"))
    with pytest.raises(FileMissing, match="layers folder does not exist"):
        Catalogue.standard(tmp_path / "none")


def test_an_extra_folder_adds_and_replaces(tmp_path: Path) -> None:
    roads = STANDARD.layer("roads").model_dump(mode="json", exclude_none=True)
    roads["title"] = {"en": "Ways", "local": "Caminos"}
    write(tmp_path, "roads.yaml", yaml.safe_dump(roads, allow_unicode=True))
    catalogue = Catalogue.standard(tmp_path)
    assert catalogue.layer("roads").title.in_language("local") == "Caminos"
    assert set(STANDARD.layers()) <= set(catalogue.layers())


def test_a_file_named_otherwise_than_its_id_is_told(tmp_path: Path) -> None:
    text = "id: a\ntitle: {en: A}\ntheme: water\nkind: vector\ngeometry: point\n"
    write(tmp_path, "b.yaml", text)
    with pytest.raises(ProblemsFound, match=r"b\.yaml"):
        Catalogue.standard(tmp_path).layers()
