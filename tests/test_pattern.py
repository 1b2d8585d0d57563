"""The regional and commodity pattern: by hand, as laws, in words, and from a database."""

from __future__ import annotations

import json
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
from geoplan.catalogue.pattern import MixSpec, PatternSpec
from geoplan.catalogue.supply import DemandSpec
from geoplan.errors import InputError, ProblemsFound, RangeError, UnknownName
from geoplan.regions.industry_mix import mix_of, mixes_of
from geoplan.regions.pattern import regional_pattern
from geoplan.regions.pattern_parts import Evidence, needs_of
from geoplan.regions.relatedness import density
from geoplan.sample import make
from geoplan.settings import Settings as AppSettings
from geoplan.store.session import transaction
from geoplan.studies.pack import load_pack
from geoplan.studies.pattern import pattern_of, patterns, read_pattern
from geoplan.studies.pattern_words import reasons_of
from geoplan.studies.specialisation import specialisation_of

laws = settings(max_examples=15, deadline=None, derandomize=True)
CATALOGUE = Catalogue.standard()
CLASSES = CATALOGUE.profile("iran").demand_classes
REGIONS = pd.Index(["01", "02", "03"], name="region")


def spec(**change: Any) -> PatternSpec:
    ore = {"layer": "ore", "value": "t", "unit": "t", "unit_fa": "تن", "basis": "test"}
    data: dict[str, Any] = {
        "id": "test",
        "title": {"en": "Test", "fa": "آزمون"},
        "profile": "iran",
        "base": {"variable": "shops", "unit": "shops", "basis": "test"},
        "weights": {"specialisation": 0.4, "resources": 0.2, "water": 0.2, "labour": 0.2},
        "activities": [
            {
                "id": "steel",
                "title": {"en": "Steel", "fa": "فولاد"},
                "demand_class": "melting",
                "resources": [
                    {"id": "ore", "title": {"en": "iron ore", "fa": "سنگ آهن"}, "figure": ore}
                ],
            },
            {"id": "food", "title": {"en": "Food", "fa": "غذا"}, "demand_class": "food"},
            {"id": "seen", "title": {"en": "Seen only", "fa": "فقط دیده"}},
        ],
    }
    return PatternSpec.model_validate(data | change)


def evidence(**change: Any) -> Evidence:
    nan = np.nan
    quotients = pd.DataFrame(
        [
            ("01", "steel", 9.0, 3.0, 2.0, 4.5, ""),
            ("02", "steel", 1.0, 0.25, 0.1, 0.7, ""),
            ("03", "steel", 1.0, nan, nan, nan, "region-small"),
        ],
        columns=["region", "activity", "amount", "lq", "low", "high", "reason"],
    )
    resources = pd.DataFrame(
        [("01", "steel", "ore", 5.0, False), ("02", "steel", "ore", 0.0, False),
         ("03", "steel", "ore", nan, False)],
        columns=["region", "activity", "resource", "value", "assumed"],
    )  # fmt: skip
    have = pd.DataFrame(
        {"water": [1_000.0, 27_000.0, nan], "labour": [4_000.0, 500.0, 8_000.0]}, index=REGIONS
    )
    given: dict[str, Any] = {
        "quotients": quotients, "resources": resources, "have": have,
        "assumed": pd.DataFrame({"water": [True, False, True]}, index=REGIONS),
    }  # fmt: skip
    return Evidence(**(given | change))


def row(frame: pd.DataFrame, region: str, activity: str) -> pd.Series:
    return frame[(frame["region"] == region) & (frame["activity"] == activity)].iloc[0]


# -- scores -----------------------------------------------------------------------------------


def test_needs_by_hand() -> None:
    steel = spec().activities[0]
    # Class 'melting': 30 m3/day/ha, 1200 kVA/ha at 0.7, 40 jobs/ha; on 100 ha.
    got = needs_of(steel, CLASSES, 100)
    assert got == pytest.approx({"water": 3000, "power": 84, "labour": 4000})


def test_scores_by_hand() -> None:
    got = regional_pattern(spec(), evidence(), CLASSES, REGIONS)
    first = row(got.frame, "01", "steel")
    # LQ 3 → 3/4; ore → 1; water 1000 / (1000 + 3000) = 1/4; labour 4000 / 8000 = 1/2.
    assert first["specialisation"] == pytest.approx(0.75)
    assert first["water"] == pytest.approx(0.25)
    assert first["score"] == pytest.approx(0.4 * 0.75 + 0.2 * 1 + 0.2 * 0.25 + 0.2 * 0.5)
    assert first["coverage"] == pytest.approx(1)
    assert (first["least"], first["most"]) == pytest.approx((first["score"],) * 2)
    second = row(got.frame, "02", "steel")
    assert second["score"] == pytest.approx(0.4 * 0.2 + 0.2 * 0 + 0.2 * 0.9 + 0.2 * 500 / 4500)


def test_what_is_not_known_is_left_out_and_counted() -> None:
    got = regional_pattern(spec(), evidence(), CLASSES, REGIONS)
    third = row(got.frame, "03", "steel")
    # Only labour is known (0.2 of 1): below the least coverage, no score and no rank.
    assert third["coverage"] == pytest.approx(0.2)
    assert np.isnan(third["score"])
    assert np.isnan(third["rank"])
    assert (third["least"], third["most"]) == pytest.approx((0.2 * 8 / 12, 0.2 * 8 / 12 + 0.8))
    # Food needs no resource: that part has no meaning for it and takes nothing from coverage.
    food = row(got.frame, "01", "food")
    assert food["coverage"] == pytest.approx(0.4 / 0.8)
    assert food["score"] == pytest.approx((1000 / 5500 + 4000 / 9000) / 2)
    kinds = got.parts[got.parts["activity"] == "food"]["part"].unique().tolist()
    assert kinds == ["specialisation", "water", "labour"]
    assert "seen" not in set(got.frame["activity"])


def test_rank_is_within_the_region_and_best_comes_first() -> None:
    got = regional_pattern(spec(), evidence(), CLASSES, REGIONS).frame
    assert got["region"].tolist() == ["01", "01", "02", "02", "03", "03"]
    assert got.loc[got["region"] == "01", "activity"].tolist() == ["steel", "food"]
    assert got.loc[got["region"] == "02", "activity"].tolist() == ["food", "steel"]
    assert got["rank"].iloc[:4].tolist() == [1, 2, 1, 2]


def test_an_activity_may_weigh_parts_its_own_way() -> None:
    own = spec().model_dump(mode="json")
    own["activities"][1]["weights"] = {"water": 0.6, "specialisation": 0.0}
    got = regional_pattern(PatternSpec.model_validate(own), evidence(), CLASSES, REGIONS)
    food = row(got.frame, "01", "food")
    assert food["coverage"] == pytest.approx(1)
    assert food["score"] == pytest.approx(0.75 * 1000 / 5500 + 0.25 * 4000 / 9000)


def test_relatedness_needs_enough_activities_and_regions() -> None:
    regions = pd.Index([f"{i:02d}" for i in range(12)], name="region")
    rng = np.random.default_rng(3)
    names = ["steel", "food", "seen", "a", "b"]
    quotients = pd.DataFrame(
        [
            (r, n, 1.0, float(v), np.nan, np.nan, "")
            for n in names
            for r, v in zip(regions, rng.lognormal(0, 1, 12), strict=True)
        ],
        columns=["region", "activity", "amount", "lq", "low", "high", "reason"],
    )
    weights = {"specialisation": 0.5, "relatedness": 0.5}
    base = evidence(quotients=quotients, have=pd.DataFrame(index=regions))
    got = regional_pattern(spec(weights=weights), base, CLASSES, regions)
    assert got.frame["relatedness"].between(0, 1).all()
    assert got.proximity.shape == (5, 5)
    # The rank of the density, worked out anew: the mean of the places that equal ones share.
    omega = density(got.presence, got.proximity)["steel"].to_numpy()
    place = [(np.sum(omega < o) + (np.sum(omega == o) - 1) / 2) / 11 for o in omega]
    steel = got.frame[got.frame["activity"] == "steel"].set_index("region")["relatedness"]
    assert steel.reindex(regions).tolist() == pytest.approx(place)
    few = evidence(quotients=quotients[quotients["activity"] != "b"], have=base.have)
    got = regional_pattern(spec(weights=weights), few, CLASSES, regions)
    assert got.frame["relatedness"].isna().all()
    rows = got.parts[got.parts["part"] == "relatedness"]
    assert set(rows["reason"]) == {"too-few"}


def test_an_unknown_class_is_named() -> None:
    bad = spec().model_dump(mode="json")
    bad["activities"][1]["demand_class"] = "bakery"
    with pytest.raises(ProblemsFound, match="does not fit") as error:
        regional_pattern(PatternSpec.model_validate(bad), evidence(), CLASSES, REGIONS)
    assert error.value.problems[0].where == "activity food"
    assert "bakery" in error.value.problems[0].what


def test_less_than_nothing_cannot_be_free() -> None:
    have = evidence().have.assign(water=[-1.0, np.inf, 5.0])
    with pytest.raises(ProblemsFound) as error:
        regional_pattern(spec(), evidence(have=have), CLASSES, REGIONS)
    assert [p.where for p in error.value.problems] == ["region 01, water", "region 02, water"]


@laws
@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=3), st.floats(0.1, 500))
def test_more_of_what_is_needed_never_lowers_a_score(water: list[float], more: float) -> None:
    def scores(extra: float) -> pd.DataFrame:
        have = evidence().have.assign(water=[w + extra for w in water])
        return regional_pattern(spec(), evidence(have=have), CLASSES, REGIONS).frame.set_index(
            ["region", "activity"]
        )

    before, after = scores(0.0), scores(more)
    after = after.reindex(before.index)
    known = before["score"].dropna()
    assert ((known >= 0) & (known <= 1)).all()
    assert (after["score"] >= before["score"] - 1e-12)[known.index].all()
    assert (before["least"] <= before["score"].fillna(before["least"]) + 1e-12).all()
    assert (before["score"].fillna(before["most"]) <= before["most"] + 1e-12).all()


# -- words ------------------------------------------------------------------------------------


def test_the_sentences_carry_the_numbers_in_both_languages() -> None:
    given_ = evidence()
    said = reasons_of(spec(), regional_pattern(spec(), given_, CLASSES, REGIONS), given_.resources)
    steel = said["01", "steel"]
    assert [t.en for t in steel.speaks_for] == [
        "is specialised in it: LQ 3.0 (95 %: 2.0 to 4.5)",
        "iron ore: 5 t in the region",
    ]
    assert steel.speaks_for[0].fa == "متخصص است: LQ ۳٫۰ (۹۵ درصد: ۲٫۰ تا ۴٫۵)"
    assert steel.speaks_for[1].fa == "سنگ آهن: ۵ تن در منطقه"
    assert [t.en for t in steel.against] == [
        "water: needs 3,000 m³/day per 100 ha, the region has 1,000 m³/day left (assumed)",
        "labour: 4,000 jobs per 100 ha, and 4,000 people are without work",
    ]
    assert steel.against[0].fa == (
        "آب: برای هر ۱۰۰ هکتار به ۳٬۰۰۰ مترمکعب در روز نیاز دارد و منطقه ۱٬۰۰۰ مترمکعب در روز "
        "آزاد دارد (فرضی)"
    )
    other = said["02", "steel"]
    assert "LQ 0.25 (95 %: 0.10 to 0.70)" in other.against[0].en
    assert other.against[1].en == "iron ore: none known in the region"
    assert other.speaks_for[0].en.endswith("only 11 % of the 27,000 m³/day that are left")
    third = said["03", "steel"]
    assert [t.en.split(":")[0] for t in third.unknown] == ["Specialisation", "iron ore", "Water"]
    assert "too few units" in third.unknown[0].en


def test_what_goes_with_it_the_market_and_ranks_are_told() -> None:
    regions = pd.Index([f"{i:02d}" for i in range(10)], name="region")
    # steel and seen are found together in 00–03; food, a and b in the others.
    rows = [
        (r, n, 1.0, 2.0 if (int(r) < 4) == (n in ("steel", "seen")) else 0.5, 0.4, 3.0, "")
        for n in ("steel", "seen", "food", "a", "b")
        for r in regions
    ]
    quotients = pd.DataFrame(rows, columns=list(evidence().quotients.columns))
    resources = pd.DataFrame(
        {"region": regions, "activity": "steel", "resource": "ore",
         "value": np.arange(1.0, 11.0), "assumed": True}
    )  # fmt: skip
    have = pd.DataFrame({"market": np.arange(10.0) * 1e4}, index=regions)
    asked = spec(weights=dict.fromkeys(["specialisation", "relatedness", "resources", "market"], 1))
    data = asked.model_dump(mode="json")
    data["activities"][0]["resources"][0]["shape"] = "rank"
    data["activities"] += [{"id": n, "title": {"en": n.upper()}} for n in ("a", "b")]
    asked = PatternSpec.model_validate(data)
    given_ = evidence(quotients=quotients, resources=resources, have=have)
    said = reasons_of(asked, regional_pattern(asked, given_, CLASSES, regions), resources)
    first, last = said["00", "steel"], said["09", "steel"]
    assert first.speaks_for[0].en == "what goes with it is there: Seen only (1.00); density 1.00"
    assert first.speaks_for[0].fa == (
        "فعالیت‌های هم‌پیوند در منطقه هستند: فقط دیده (۱٫۰۰)؛ چگالی ۱٫۰۰"
    )
    assert [t.en for t in first.against] == [
        "iron ore: 1 t, more than in only 0 of 9 others (assumed)",
        "market: 0 people per km of way within reach, in the lowest third of regions",
    ]
    # Limits that hold 1 speak neither for nor against.
    assert first.unknown[0].en == (
        "whether it is specialised cannot be told: LQ 2.0 (95 %: 0.40 to 3.0)"
    )
    assert "market: 90,000 people" in last.speaks_for[1].en
    assert last.speaks_for[0].en == "iron ore: 10 t in the region (assumed)"
    assert "density 0.00, in the lowest third" in last.against[0].en


def test_something_is_always_said_against() -> None:
    rich = evidence(have=pd.DataFrame({"water": [1e9] * 3, "labour": [1e9] * 3}, index=REGIONS))
    said = reasons_of(spec(), regional_pattern(spec(), rich, CLASSES, REGIONS), rich.resources)
    assert all(reason.against for reason in said.values())
    assert said["01", "food"].against[0].en.startswith("nothing known speaks plainly against it")
    nothing = evidence(quotients=evidence().quotients.head(0), have=pd.DataFrame(index=REGIONS))
    said = reasons_of(
        spec(), regional_pattern(spec(), nothing, CLASSES, REGIONS), nothing.resources
    )
    assert said["01", "food"].against[0].en == "nothing is known of it here"
    assert not said["01", "food"].speaks_for


# -- the mix ----------------------------------------------------------------------------------

KIND = {"steel": "melting", "food": "food", "tiles": "mineral", "cement": "mineral"}


def scored(**scores: float) -> pd.DataFrame:
    return pd.DataFrame({"region": "01", "activity": list(scores), "score": list(scores.values())})


def test_mix_by_hand() -> None:
    # Above 0.5: steel 0.3, tiles 0.2, cement 0.1 → mineral 0.3; food is below, the rest unknown.
    got = mix_of(scored(steel=0.8, tiles=0.7, cement=0.6, food=0.4), KIND, CLASSES)
    assert got == {"melting": 0.5, "mineral": 0.5}
    assert mix_of(scored(steel=0.8, tiles=0.7), KIND, CLASSES, MixSpec(top=1)) == {"melting": 1.0}
    thirds = mix_of(scored(steel=0.6, tiles=0.6, food=0.6), KIND, CLASSES)
    assert thirds == {"food": 0.3334, "melting": 0.3333, "mineral": 0.3333}
    assert DemandSpec(mix=thirds).mix == thirds


def test_a_mix_that_cannot_be_made_is_told() -> None:
    with pytest.raises(RangeError, match="region 01 scores above"):
        mix_of(scored(steel=0.5, food=np.nan), KIND, CLASSES)
    with pytest.raises(UnknownName, match="'bread'"):
        mix_of(scored(bread=0.9), KIND, CLASSES)
    two = pd.concat([scored(steel=0.9), scored(steel=0.9).assign(region="02")])
    with pytest.raises(RangeError, match="2 regions"):
        mix_of(two, KIND, CLASSES)
    low = pd.concat([scored(steel=0.9), scored(steel=0.2).assign(region="02")])
    assert mixes_of(low, KIND, CLASSES) == {"01": {"melting": 1.0}}


@laws
@given(st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=4, max_size=4),
       st.integers(1, 4))  # fmt: skip
def test_a_mix_sums_to_one(values: list[float], top: int) -> None:
    frame = scored(**dict(zip(KIND, values, strict=True)))
    if not (frame["score"] > 0.5).any():
        return
    got = mix_of(frame, KIND, CLASSES, MixSpec(top=top))
    assert sum(got.values()) == pytest.approx(1, abs=1e-12)
    assert all(share > 0 for share in got.values())
    assert DemandSpec(mix=got).mix == got


# -- the file ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": {}}, "at least 1"),
        ({"weights": {"water": -1}}, "must not be negative"),
        ({"weights": {"luck": 1}}, "luck"),
        ({"level": 2}, "cannot be handed down to level 2"),
        ({"activities": [{"id": "seen", "title": {"en": "Seen"}}]}, "nothing to propose"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        spec(**change)


def test_a_figure_has_one_source_and_activities_one_unit() -> None:
    with pytest.raises(ValidationError, match="either 'variable' or 'layer'"):
        spec(base={"variable": "a", "layer": "b", "unit": "1", "basis": "x"})
    data = spec().model_dump(mode="json")
    data["base"] = None
    for activity, unit in zip(data["activities"], ("t", "jobs"), strict=False):
        activity["amount"] = {"variable": "v", "unit": unit, "basis": "x"}
    with pytest.raises(ValidationError, match="jobs, t, which have no sum"):
        PatternSpec.model_validate(data)
    twice = spec().model_dump(mode="json")
    twice["activities"][1]["id"] = "steel"
    with pytest.raises(ValidationError, match="'steel' is given twice"):
        PatternSpec.model_validate(twice)


def test_every_bundled_pattern_fits_its_profile() -> None:
    assert set(patterns()) >= {"iran", "sample"}
    layers = CATALOGUE.layers()
    for name in patterns():
        read = read_pattern(name)
        assert read.id == name
        profile = CATALOGUE.profile(read.profile)
        for activity in read.activities:
            assert activity.demand_class is None or activity.demand_class in profile.demand_classes
            assert activity.title.fa
        for where, figure in read.figures().items():
            assert figure.layer is None or figure.layer in layers, where
    with pytest.raises(UnknownName, match="unknown pattern 'mars'"):
        read_pattern("mars")


# -- from a database --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small") / "country", size="small").folder


def test_the_pattern_of_a_small_country(
    delivery: Path, database: Engine, settings: AppSettings
) -> None:
    whole = CATALOGUE.pack(str(delivery / "pack.yaml"))
    wanted = (
        "provinces", "counties", "county_facts", "water_sources", "substations", "power_plants",
        "farmland", "ports",
    )  # fmt: skip
    part = whole.model_copy(
        update={"entries": tuple(e for e in whole.entries if e.layer in wanted)}
    )
    load_pack(database, settings, CATALOGUE, part, delivery, loaded_by="test")
    profile, asked = CATALOGUE.profile("sample"), read_pattern("sample")
    with transaction(database) as session:
        got = pattern_of(session, profile, asked)
        again = pattern_of(session, profile, asked)
        with pytest.raises(InputError, match="is for profile 'iran'"):
            pattern_of(session, profile, read_pattern("iran"))
    text = json.dumps(got.document, ensure_ascii=False, allow_nan=False)
    assert text == json.dumps(again.document, ensure_ascii=False, allow_nan=False)
    proposed = [a for a in asked.activities if a.demand_class]
    assert len(got.frame) == len(proposed) * got.frame["region"].nunique()
    assert got.frame["against"].map(len).min() >= 1
    assert got.frame["score"].dropna().between(0, 1).all()
    assert got.mixes
    for mix in got.mixes.values():
        assert DemandSpec(mix=mix).mix == mix
    # Half of the synthetic sources are assumed, and that is said beside the number and above all.
    assert any("assumed figures stand behind: Water, Power" in n.en for n in got.notices)
    # The sources of some counties are metered, of others assumed: each is marked by its own.
    marked = got.pattern.parts[got.pattern.parts["part"] == "power"].groupby("region")["assumed"]
    assert set(marked.first()) == {True, False}
    assert text.count("(assumed)") > 0
    # Related activities cannot be told from one branch.
    assert got.frame["relatedness"].isna().all()
    assert any("Related activities" in n.en for n in got.notices if "nowhere" in n.en)


def test_the_pattern_of_iran_says_what_has_no_data(
    iran_pack: Path, database: Engine, settings: AppSettings
) -> None:
    whole = CATALOGUE.pack("iran")
    wanted = ("provinces", "province_facts", "steel_plants", "cement_plants")
    part = whole.model_copy(
        update={"entries": tuple(e for e in whole.entries if e.layer in wanted)}
    )
    load_pack(database, settings, CATALOGUE, part, iran_pack, loaded_by="test")
    profile, asked = CATALOGUE.profile("iran"), read_pattern("iran")
    # A figure by county cannot be measured where counties are not loaded: it is told, not guessed.
    data = asked.model_dump(mode="json")
    data["have"]["unemployed"] = None
    asked = PatternSpec.model_validate(data)
    with transaction(database) as session:
        got = pattern_of(session, profile, asked)
        special = specialisation_of(session, profile, asked)
    assert got.frame["region"].nunique() == 31
    yazd = special.quotients.set_index(["region", "activity"]).loc[("21", "steel")]
    gilan = special.quotients.set_index(["region", "activity"]).loc[("01", "steel")]
    assert yazd["lq"] > 1.5
    assert gilan["lq"] == 0
    assert np.isnan(yazd["low"])  # capacity has no limits of chance
    cement = special.quotients[special.quotients["activity"] == "cement"].set_index("region")
    assert cement.loc["21", "amount"] == 1
    assert cement.loc["21", "low"] < cement.loc["21", "lq"] < cement.loc["21", "high"]
    told = " ".join(n.en for n in got.notices)
    assert "4 of 34 rows have no figure" in told
    assert "'water_sources' is not loaded" in told
    assert got.frame["water"].isna().all()
    assert special.concentration.loc["cement", "reason"] == ""
    assert special.concentration.loc["steel", "reason"] == "plants-unknown"
    # Without water, power and labour nearly all is unknown, so there is no score.
    assert got.frame.loc[got.frame["activity"] == "food", "score"].isna().all()
