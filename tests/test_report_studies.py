"""What a planner sees of the studies on ``report.html``: every section, both languages, no more."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from example_result import example_document, example_result
from example_studies import studied_result, study_documents
from markupsafe import escape

from geoplan.catalogue import Scenario
from geoplan.catalogue.text import Text
from geoplan.mcda.leave_one_out import contribution_note
from geoplan.report import page
from geoplan.report.acceptability_picture import ranks_svg
from geoplan.report.language import Language
from geoplan.report.outline import outlines
from geoplan.report.page_studies import finest_name, place_names, removed_by
from geoplan.report.page_weights import weight_evidence
from geoplan.siting.result import SitingResult
from geoplan.studies.weighting import judged, weigh

STUDIES = ("firm", "ranks", "methods", "front", "others", "backtest")
ENGLISH, PERSIAN = Language("en"), Language("fa", "jalali")


def report(result: SitingResult) -> dict[str, str]:
    """Return the article of each language."""
    whole = page.report_html(result, example_document(), outlines(result))
    return {
        code: whole.split(f'<article class="{code}"')[1].split("</article>")[0]
        for code in ("en", "fa")
    }


@pytest.fixture(scope="module")
def articles() -> dict[str, str]:
    return report(studied_result())


def section(articles: dict[str, str], language: str, name: str) -> str:
    return articles[language].split(f'<section id="{language}-{name}">')[1].split("</section>")[0]


def plain(html: str) -> str:
    """Return what is read, without names that come from data."""
    html = re.sub(r"<(bdi|title|code)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.mark.parametrize("language", ["en", "fa"])
def test_every_study_has_its_section_and_its_place_in_the_contents(
    articles: dict[str, str], language: str
) -> None:
    places = [articles[language].index(f'<section id="{language}-{name}">') for name in STUDIES]
    assert places == sorted(places)
    contents = articles[language].split("<nav")[1].split("</nav>")[0]
    assert all(f'href="#{language}-{name}"' in contents for name in STUDIES)


@pytest.mark.parametrize("language", ["en", "fa"])
def test_a_run_without_studies_has_no_such_section(language: str) -> None:
    text = report(example_result())[language]
    assert not any(f"{language}-{name}" in text for name in STUDIES)


@pytest.mark.parametrize("name", sorted(study_documents()))
def test_each_study_stands_alone(name: str) -> None:
    own = {"pareto": "front", "inclusion": "firm", "alternatives": "others",
           "trade_offs": "others", "backtest": "backtest"}  # fmt: skip
    result = replace(example_result(), documents={name: study_documents()[name]})
    text = report(result)["en"]
    assert [s for s in STUDIES if f'<section id="en-{s}">' in text] == [own[name]]


def test_persian_sections_hold_no_english_words_and_no_latin_digits(
    articles: dict[str, str],
) -> None:
    # What the data of the example has in English alone; symbols of methods.
    data = r"s000\d|South|slope|habit|decree|Settlements|e2|Far estate|csv"
    for name in (*STUDIES, "exclusions"):
        text = re.sub(data, "", plain(section(articles, "fa", name)))
        assert not re.findall(r"[A-Za-z]{2,}", text), name
        assert not re.findall(r"[0-9]", text.replace("1378", "")), name


def test_front_tells_before_and_after_and_who_comes_and_goes(articles: dict[str, str]) -> None:
    english = section(articles, "en", "front")
    assert english.count("<svg") == 1
    assert "The plan of this run is point 1." in english
    assert "The front is not complete" in english
    rows = re.findall(r"<tr.*?</tr>", english.split("<tbody>")[1], flags=re.S)
    assert len(rows) == 3
    assert 'class="mine"' in rows[0]
    assert "0.4120" in english.split("<table")[0]
    third = plain(rows[2])
    assert "15,100" in third and "0.3710" in third and "0.2520" in third and "100%" in third
    assert "not proven" in third
    assert 'href="#en-site-1"' in rows[2].split("<td>")[-1]  # site 1 leaves
    assert "۰٫۳۷۱۰" in section(articles, "fa", "front")


def test_rank_acceptability_is_told_with_its_error_and_central_weights(
    articles: dict[str, str],
) -> None:
    result = studied_result()
    english = section(articles, "en", "ranks")
    document = result.documents["smaa"]
    first = document["sites"][0]
    row = re.findall(r"<tr>.*?</tr>", english, flags=re.S)[1]
    assert f"{100 * first['top_acceptability']:.1f}%" in row
    assert f"{100 * first['standard_error']:.1f}%" in row
    assert "concentration 100" in english
    assert '<span class="assumed">assumed</span>' in english
    assert "Central weights" in english and "Weights of the scenario" in english
    # 0.5 / sqrt(2000) = 1.1 %
    assert "at most 1.1%" in english
    assert "Never first" in english  # the second site, by the values of the example


def test_inclusion_shows_chosen_sites_and_the_others_that_come_in(
    articles: dict[str, str],
) -> None:
    english = section(articles, "en", "firm")
    chosen, others = english.split("Other candidates that come in most often")
    assert re.findall(r"(\d+)% <span class=\"dim\">± (\d+)%", chosen) == [("98", "2"), ("70", "7")]
    assert re.findall(r"(\d+)% <span class=\"dim\">± (\d+)%", others) == [("30", "7"), ("12", "5")]
    # 16 plans keep one site and 32 both: (16 + 64) / 48
    assert "On average 1.7 of the 2 chosen sites stay." in english
    assert "In 2 of 50 draws no plan exists." in english
    # The line of one standard error: 70 ± 6.6.
    assert "inset-inline-start:63.4%;width:13.2%" in english


def test_a_chosen_site_that_no_other_plan_holds_has_nought() -> None:
    document = study_documents()["inclusion"] | {"sites": []}
    text = report(studied_result(documents={"inclusion": document}))["en"]
    assert len(re.findall(r"0% <span class=\"dim\">± 0%", text)) == 2


def test_methods_stand_side_by_side_with_agreement_and_reversals(
    articles: dict[str, str],
) -> None:
    english = section(articles, "en", "methods")
    result = studied_result()
    for name in ("TOPSIS", "VIKOR", "PROMETHEE II", "SPOTIS"):
        assert english.count(name) >= 4
    pairs = {(a["first"], a["second"]): a for a in result.documents["methods"]["agreement"]}
    tau = pairs["score", "topsis"]["kendall_tau_b"]
    assert f"{tau:.2f}<small>" in english
    assert re.search(r"\d+ of \d+", english.split("Rank reversal")[1])
    site = result.methods.loc["s0002"]
    row = next(r for r in english.split("<tr>") if "s0002" in r)
    assert f">{int(site['topsis_rank'])}<" in row
    assert "تاپسیس" in section(articles, "fa", "methods")


def test_other_plans_tell_loss_and_exchange(articles: dict[str, str]) -> None:
    english = section(articles, "en", "others")
    assert "95.0% of the best" in english
    row = english.split("<tbody>")[1].split("</tr>")[0]
    assert "0.0300" in row and "1.7%" in row  # 0.03 of 1.80
    assert row.index("s0002") < row.index("s0005")
    assert "No such plan keeps all limits." in english
    out = english.split("What each chosen site is worth")[1]
    assert "0.2100" in out and "0.2090" in out


def test_the_back_test_is_a_sentence_and_a_table(articles: dict[str, str]) -> None:
    english = section(articles, "en", "backtest")
    assert "above 71.5 % of the allowed land" in english
    assert "Old estate" in english and "96.2" in english
    assert "Settlements 62%; Steep land 4%" in english
    last = english.split("Far estate")[1]
    assert last.count("–") == 3  # no score, no percentile, no rule
    persian = section(articles, "fa", "backtest")
    assert "شهرک کهن" in persian
    assert "شیب تند ۴٪" in persian


def test_rules_that_take_land_of_an_estate_go_by_their_titles() -> None:
    result = example_result()
    found = removed_by(result, ENGLISH, "slope (50 %); unknown rule (3 %)")
    assert found == [("Steep land", "50%"), ("unknown rule", "3%")]
    assert removed_by(result, ENGLISH, "") == []


def test_exclusions_tell_date_effect_and_share(articles: dict[str, str]) -> None:
    english = section(articles, "en", "exclusions")
    assert "<th>Dated</th>" in english and "<th>Of a cell</th>" in english
    assert "Effect" not in english  # no rule of this run forces land in
    row = english.split("Settlements")[1]
    assert "50%" in row and "1378/12/02" in row
    assert "۱۳۷۸/۱۲/۰۲" in section(articles, "fa", "exclusions")
    rules = example_result().exclusions.assign(effect=["include", "exclude"], share="")
    forced = report(example_result(exclusions=rules))
    assert "forces in" in section(forced, "en", "exclusions")
    assert "نگه‌داشتن" in section(forced, "fa", "exclusions")
    assert "Of a cell" not in section(forced, "en", "exclusions")


def test_levels_shortfalls_and_joint_limits_are_told_where_used(
    articles: dict[str, str],
) -> None:
    sites = section(articles, "en", "sites")
    assert '<th class="n">Built</th>' in sites and "50%" in sites
    assert "Demand that goes unserved" in sites and ">250<" in sites
    assert "basin-a" in section(articles, "en", "sources")
    whole = report(example_result())["en"]
    assert "Built</th>" not in whole
    assert "Demand that goes unserved" not in whole
    assert "Joint limits" not in whole


def test_each_value_function_is_a_picture_with_words(articles: dict[str, str]) -> None:
    for language in ("en", "fa"):
        text = section(articles, language, "weights")
        curves = text.split('<div class="curves">')[1]
        assert curves.count("<svg") == 3
        assert curves.count("<figcaption>") == 3
    english = section(articles, "en", "weights")
    assert "1 at 2 km, 0 at 40 km" in english
    assert "۱ در ۲ کیلومتر، ۰ در ۴۰ کیلومتر" in section(articles, "fa", "weights")


def test_a_function_whose_numbers_are_not_known_is_told_in_words() -> None:
    scenario = example_result().scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    scenario["criteria"]["road"]["value"] = {"kind": "linear"}
    result = example_result(scenario=Scenario.model_validate(scenario))
    curves = section(report(result), "en", "weights").split('<div class="curves">')[1]
    assert curves.count("<svg") == 2
    assert "<b>Distance to roads</b>" in curves


def test_a_score_that_is_no_sum_says_so_at_its_parts() -> None:
    scenario = example_result().scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    scenario["aggregation"] = {"method": "fuzzy_gamma", "gamma": 0.9}
    changed = Scenario.model_validate(scenario)
    note = contribution_note(changed.aggregation)
    assert note is not None
    texts = report(example_result(scenario=changed))
    words = str(escape(note.en))
    assert words in section(texts, "en", "weights")
    assert words in section(texts, "en", "why")
    assert str(note.fa) in section(texts, "fa", "weights")
    assert "γ = 0.9." in section(texts, "en", "weights")
    assert words not in report(example_result())["en"]


def test_hostile_names_in_studies_stay_text() -> None:
    bad = "<script>alert('x')</script>"
    documents = study_documents()
    documents["backtest"]["rows"][0]["name_en"] = bad
    documents["backtest"]["text"]["en"] = bad
    documents["alternatives"]["plans"][0]["enter"] = [bad]
    documents["inclusion"]["sites"][3]["site_id"] = bad
    candidates = studied_result().candidates.assign(region2_name_en=bad, region2_name_local=bad)
    caps = studied_result().caps.assign(id=bad)
    whole = report(studied_result(candidates=candidates, caps=caps, documents=documents
                                  | {"smaa": studied_result().documents["smaa"]}))  # fmt: skip
    for text in whole.values():
        assert "<script" not in text
        assert "&lt;script&gt;" in text


PAIRS = {"road/deprivation": 2, "road/slope": 3, "deprivation/slope": 2}
GROUPS = {"nature": {"criteria": ["slope"]},
          "people": {"criteria": ["road", "deprivation"],
                     "pairs": {"road/deprivation": 3}}}  # fmt: skip
WEIGHTS: dict[str, dict[str, Any]] = {
    "ahp": {"method": "ahp", "pairs": PAIRS},
    "hierarchy": {"method": "ahp", "groups": GROUPS, "pairs": {"nature/people": "1/2"}},
    "judges": {
        "method": "ahp",
        "judges": {"planner": {"weight": 2, "pairs": PAIRS},
                   "engineer": {"pairs": {**PAIRS, "road/slope": 4}}},
    },
    "bwm": {
        "method": "bwm", "best": "road", "worst": "slope",
        "best_to_others": {"deprivation": 2, "slope": 5},
        "others_to_worst": {"deprivation": 3, "road": 5},
    },
    "intervals": {
        "method": "bwm", "best": "road", "worst": "slope", "model": "nonlinear",
        "best_to_others": {"deprivation": 2, "slope": 5},
        "others_to_worst": {"deprivation": 3, "road": 5},
    },
    "roc": {"method": "roc", "order": ["road", "deprivation", "slope"]},
    "rank_sum": {"method": "rank_sum", "order": ["road", ["deprivation", "slope"]]},
    "rank_exponent": {"method": "rank_exponent", "exponent": 1.5,
                      "order": ["road", "deprivation", "slope"]},
    "rank_reciprocal": {"method": "rank_reciprocal", "order": ["road", "deprivation", "slope"]},
    "direct": {"method": "direct", "weights": {"road": 5, "deprivation": 3, "slope": 2}},
    "entropy": {"method": "entropy"}, "critic": {"method": "critic"},
    "merec": {"method": "merec"}, "std": {"method": "std"},
    "mix": {"method": "ahp", "pairs": PAIRS,
            "combine": {"objective": "critic", "how": "mix", "subjective_share": 0.7}},
}  # fmt: skip


def weighed(given: dict[str, Any]) -> tuple[dict[str, Any], Scenario, dict[str, float]]:
    plain_ = example_result().scenario.model_dump(mode="json", by_alias=True, exclude_unset=True)
    scenario = Scenario.model_validate(plain_ | {"weights": given})
    values = pd.DataFrame(
        {"road": [0.2, 0.5, 0.9, 0.4], "deprivation": [0.8, 0.3, 0.4, 0.6],
         "slope": [0.5, 0.6, 0.9, 0.2]}
    )  # fmt: skip
    found = weigh(scenario, lambda: values) if scenario.weights.objective else judged(scenario)
    assert found is not None
    return found.record, scenario, found.weights


@pytest.mark.parametrize("name", sorted(WEIGHTS))
@pytest.mark.parametrize("language", [ENGLISH, PERSIAN], ids=["en", "fa"])
def test_weights_show_their_evidence(name: str, language: Language) -> None:
    record, scenario, weights = weighed(WEIGHTS[name])
    parts = weight_evidence(record, scenario, language)
    assert parts and any(part.rows for part in parts)
    for part in parts:
        assert all(len(row) == len(part.header) for row in part.rows)
    texts = report(example_result(scenario=scenario, weights=weights, weight_record=record))
    shown = section(texts, language.code, "weights")
    assert language.t(f"method_{scenario.weights.method}") in shown
    for weight in weights.values():
        assert language.number(weight, 3) in shown


def test_consistency_of_each_table_and_judge_is_told() -> None:
    record, scenario, _ = weighed(WEIGHTS["hierarchy"])
    parts = weight_evidence(record, scenario, ENGLISH)
    assert [p.title for p in parts] == [
        "Groups of criteria", "Between the groups", "Within “people”",
    ]  # fmt: skip
    assert dict(parts[0].facts)["Consistency ratio CR"] == "0.000"
    assert ["people", "0.667", "Distance to roads, Less industrialised"] in parts[0].rows
    assert parts[1].rows[0][1:3] == ["1", "1/2"]
    record, scenario, weights = weighed(WEIGHTS["judges"])
    judges = weight_evidence(record, scenario, ENGLISH)[0]
    assert [row[:2] for row in judges.rows] == [["planner", "67%"], ["engineer", "33%"]]
    record, scenario, weights = weighed(WEIGHTS["bwm"])
    facts = dict(weight_evidence(record, scenario, ENGLISH)[0].facts)
    assert facts["ξ"] == f"{record['xi']:.4f}"
    record, scenario, weights = weighed(WEIGHTS["mix"])
    both = weight_evidence(record, scenario, ENGLISH)
    assert dict(both[1].facts)["Share of the judged weights"] == "70%"
    assert both[1].rows[0][-1] == f"{weights['road']:.3f}"


def test_many_criteria_are_compared_in_a_list_of_pairs() -> None:
    names = [f"c{n}" for n in range(9)]
    judgments = [[float(j + 1) / (i + 1) for j in range(9)] for i in range(9)]
    record = {"method": "ahp", "criteria": names, "weights": [1 / 9] * 9, "judgments": judgments}
    part = weight_evidence(record, example_result().scenario, ENGLISH)[0]
    assert len(part.rows) == 36
    assert part.rows[0] == ["c0 : c1", "2"]


def test_the_picture_of_ranks_is_mirrored_and_says_its_numbers() -> None:
    rows = [("a <b>", [0.75, 0.25]), ("c", [0.25, 0.75])]
    english, persian = ranks_svg(rows, ENGLISH, marked=1), ranks_svg(rows, PERSIAN, marked=1)
    assert "a &lt;b&gt;: rank 1: 75.0%" in english
    assert "رتبه ۱: ۷۵٫۰٪" in persian
    first = [float(re.search(r'<rect x="([\d.]+)"', svg)[1]) for svg in (english, persian)]  # type: ignore[index]
    width = float(re.search(r'viewBox="0 0 ([\d.]+)', english)[1])  # type: ignore[index]
    assert first[0] + first[1] + 24 == pytest.approx(width)
    assert ranks_svg(rows, ENGLISH, marked=1) == english
    assert ranks_svg([], ENGLISH).endswith("</svg>")


def test_every_word_has_both_languages_and_the_same_gaps() -> None:
    path = Path(page.__file__).parent / "words.yaml"
    for key, value in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        text = Text.model_validate(value)
        assert text.en.strip() and str(text.fa).strip(), key
        gaps = [set(re.findall(r"\{(\w+)\}", words)) for words in (text.en, str(text.fa))]
        assert gaps[1] <= gaps[0], key
        assert not re.search("[يك]", str(text.fa)), key


def test_a_year_that_no_gregorian_law_has_is_kept_as_printed() -> None:
    assert PERSIAN.date("1378-12-02") == "۱۳۷۸/۱۲/۰۲"
    assert ENGLISH.date("1378-12-02") == "1378/12/02"
    assert ENGLISH.date("2016-11") == "2016-11"


@pytest.mark.browser
def test_nothing_of_the_studies_is_wider_than_the_page(tmp_path: Path, browser: Any) -> None:
    result = studied_result()
    path = tmp_path / "report.html"
    path.write_text(page.report_html(result, example_document(), outlines(result)), "utf-8")
    sheet = browser.new_page(viewport={"width": 1100, "height": 800})
    sheet.goto(path.as_uri())
    for code in ("en", "fa"):
        sheet.locator(f"label[for=show-{code}]").click()
        assert sheet.evaluate("document.documentElement.scrollWidth") <= 1100
        wide = sheet.evaluate(
            "c => [...document.querySelectorAll(`article.${c} .wide`)]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 80))",
            code,
        )
        assert wide == []
        figures = sheet.locator(f"article.{code} .curves figure").all()
        assert len(figures) == 3
        assert all(f.bounding_box()["width"] > 300 for f in figures)
    sheet.close()


def test_a_chosen_site_far_behind_in_the_draws_is_told_all_the_same() -> None:
    result = studied_result()
    document = result.documents["smaa"]
    best = [row for row in document["sites"] if row["site_id"] != "s0002"]
    documents = {"smaa": {**document, "sites": best}}
    text = section(report(replace(result, documents=documents)), "en", "ranks")
    table = text.split("<tbody>")[1].split("</tbody>")[0]
    assert table.count("s0002") == 1
    assert "Never first: " in plain(text) and "s0002" in text.split("Never first")[1]


def test_a_level_without_regions_is_left_out_of_names() -> None:
    row = {"region1_code": "01", "region1_name_en": "One", "region1_name_local": "یک",
           "region2_code": None, "region2_name_en": None, "region2_name_local": np.nan}  # fmt: skip
    assert place_names(ENGLISH, row) == ["One"]
    assert finest_name(PERSIAN, row) == "یک"
    assert finest_name(PERSIAN, {}) == ""


def test_a_bound_below_nought_says_no_more_than_nought() -> None:
    trades = study_documents()["trade_offs"]
    trades["sites"][0]["loss_at_least"] = -119.8
    text = section(report(replace(example_result(), documents={"trade_offs": trades})), "en",
                   "others")  # fmt: skip
    assert "119" not in text
    assert "0.0000" in text
