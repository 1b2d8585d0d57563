"""The criteria on the page: what is measured, and the value function as a picture with words."""

from __future__ import annotations

from markupsafe import Markup

from geoplan.catalogue.scenario import Criterion
from geoplan.errors import GeoPlanError
from geoplan.mcda.value_fit import fitted
from geoplan.report.language import Language
from geoplan.report.value_picture import value_picture
from geoplan.report.value_words import value_words
from geoplan.siting.result import SitingResult

__all__ = ["measure_words", "value_figure", "value_function_words"]


def measure_words(language: Language, name: str, criterion: Criterion) -> str:
    """Return what a criterion measures, with its unit."""
    what = criterion.layer or criterion.raster or criterion.fact or name
    if criterion.index:
        what = language.t("industrialisation")
    words = language.t(
        f"measure_{criterion.measure}", what=what, radius=language.compact(criterion.radius_km)
    )
    if criterion.unit in ("", "1", "index"):
        return words
    return f"{words} ({language.unit(criterion.unit)})"


def value_function_words(result: SitingResult, language: Language, name: str) -> str:
    """Return a value function in words; numbers that come from the data are said too."""
    criterion = result.scenario.criteria[name]
    try:
        spec = fitted(criterion.value, result.value_statistics.get(name))
    except GeoPlanError:
        spec = criterion.value
    return value_words(spec, criterion.unit, language, invert=criterion.invert)


def value_figure(result: SitingResult, language: Language, name: str) -> Markup | None:
    """Return the picture of a value function; None where its numbers are not known."""
    criterion = result.scenario.criteria[name]
    try:
        picture = value_picture(
            criterion.title or name,
            criterion.value,
            criterion.unit,
            result.value_statistics.get(name),
            result.value_histograms.get(name),
            language,
            invert=criterion.invert,
        )
    except GeoPlanError:
        return None
    return Markup(picture)  # noqa: S704, escaped there
