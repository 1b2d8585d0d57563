"""The index from a database, and on the real provinces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.catalogue.composite import composite_named
from geoplan.errors import ProblemsFound, RangeError
from geoplan.regions.composite import CompositeResult, composite_of_facts
from geoplan.sample import make
from geoplan.settings import Settings
from geoplan.store.session import transaction
from geoplan.studies.composite import composite_document, composite_of, region_sentence
from geoplan.studies.index import all_regions
from geoplan.studies.pack import load_pack

CATALOGUE = Catalogue.standard()


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small") / "country", size="small").folder


@pytest.fixture
def loaded(delivery: Path, database: Engine, settings: Settings) -> Iterator[Engine]:
    pack = CATALOGUE.pack(str(delivery / "pack.yaml"))
    layers = {"provinces", "counties", "province_facts", "county_facts", "estates"}
    few = pack.model_copy(update={"entries": tuple(e for e in pack.entries if e.layer in layers)})
    load_pack(database, settings, CATALOGUE, few, delivery, loaded_by="test")
    yield database


def test_an_index_from_the_database_and_its_document(loaded: Engine) -> None:
    profile = CATALOGUE.profile("sample")
    spec = composite_named("sample_industrialisation")
    with transaction(loaded) as session:
        regions = all_regions(session, profile)
        result = composite_of(session, spec, profile)
        coarse = composite_of(session, spec, profile, level=1)
        with pytest.raises(RangeError, match="of profile 'sample', not 'iran'"):
            composite_of(session, spec, CATALOGUE.profile("iran"))
    counties = sorted(regions.loc[regions["level"] == 2, "code"])
    assert result.frame.index.tolist() == counties
    assert (result.frame["status"] == "indexed").all()
    # estate land is counted from the layer: the sum over counties is that of the layer
    land = result.detail[result.detail["indicator"] == "estate_land"].set_index("code")["value"]
    people = regions[regions["level"] == 2].set_index("code")["population"]
    assert (land * people / 1000).sum() > 0
    assert set(coarse.detail["origin"]) == {"summed"}
    document = composite_document(result, regions)
    again = json.loads(json.dumps(document, allow_nan=False))
    assert len(again["regions"]) == len(counties)
    first = again["regions"][0]
    assert first["name_local"] and first["sentence"]["en"].startswith("Rank ")
    assert sum(again["counts"]["verdicts"].values()) == again["counts"]["indexed"]
    assert again["indicators"][0]["weights"]["expert"] == pytest.approx(0.3)


def test_a_layer_that_is_not_loaded_is_named(loaded: Engine) -> None:
    spec = composite_named("sample_industrialisation")
    lost = tuple(f.model_copy(update={"layer": "lost_layer"}) for f in spec.layer_facts)
    with transaction(loaded) as session, pytest.raises(ProblemsFound) as error:
        composite_of(
            session, spec.model_copy(update={"layer_facts": lost}), CATALOGUE.profile("sample")
        )
    assert [p.code for p in error.value.problems] == ["layer-missing"]


# ------------------------------------------------------------------ the real provinces


@pytest.fixture(scope="module")
def provinces(iran_pack: Path) -> CompositeResult:
    spec = composite_named("iran_industrialisation").only(
        ["workshops10", "workshops100", "wastewater", "estates_zones"]
    )
    table = pd.read_csv(iran_pack / "provinces_facts_long.csv", dtype={"code": str})
    table = table.rename(columns={"code": "region_code"}).assign(level=1)
    names = table.drop_duplicates("region_code")
    regions = pd.DataFrame(
        {
            "code": names["region_code"], "parent_code": None, "level": 1,
            "name_en": names["name_en"], "name_local": names["name_fa"],
        }
    )  # fmt: skip
    plain = spec.model_copy(update={"sums": ()})
    return composite_of_facts(plain, regions=regions, facts=table)


@pytest.mark.pack
class TestIran:
    CODE: ClassVar = {
        "Semnan": "20",
        "Markazi": "00",
        "Qom": "25",
        "Sistan": "11",
        "Kohgiluyeh": "17",
    }

    def test_workshops_per_head_are_those_published(self, provinces: CompositeResult) -> None:
        # SCI yearbook 1394, table 8-9, over the 2016 census: Semnan 588 / 702,360 = 83.7 …
        detail = provinces.detail
        got = detail[detail["indicator"] == "workshops10"].set_index("code")["value"].round(1)
        assert got[self.CODE["Semnan"]] == 83.7 and got[self.CODE["Markazi"]] == 39.0
        assert got[self.CODE["Kohgiluyeh"]] == 4.3 and got[self.CODE["Sistan"]] == 4.4

    def test_provinces_without_an_estate_figure_are_named_and_not_zero(
        self, provinces: CompositeResult
    ) -> None:
        # a count of estates and zones was found for 21 provinces
        lost = provinces.frame["missing"].map(lambda ids: "estates_zones" in ids)
        assert len(lost) == 31 and int(lost.sum()) == 10 and bool(lost[self.CODE["Qom"]])
        assert provinces.frame["coverage"][self.CODE["Qom"]] == pytest.approx(0.45 / 0.6)
        assert provinces.frame["topsis"].notna().sum() == 21

    def test_the_ends_are_firm_and_the_middle_says_that_it_is_not(
        self, provinces: CompositeResult
    ) -> None:
        frame = provinces.frame
        assert frame.loc[self.CODE["Semnan"], "rank_high"] <= 5
        assert frame.loc[[self.CODE["Sistan"], self.CODE["Kohgiluyeh"]], "share_less"].min() > 0.95
        assert (frame["verdict"] == "depends-on-method").sum() >= 3
        assert provinces.draws.importance["share"].sum() == pytest.approx(1.0, abs=0.01)

    def test_a_sentence_is_complete_in_both_languages(self, provinces: CompositeResult) -> None:
        said = region_sentence(provinces, self.CODE["Semnan"])
        assert said.en.startswith("Rank ") and " of 31;" in said.en and "1,000 ways" in said.en
        assert said.fa is not None and "۳۱" in said.fa and "۱٬۰۰۰" in said.fa
        assert not any(c.isascii() and c.isalnum() for c in said.fa)
