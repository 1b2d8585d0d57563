"""A value function in words: its kind, its numbers with their units, what lies beyond."""

from __future__ import annotations

from typing import Any

from geoplan.catalogue.text import Text
from geoplan.catalogue.value import (
    CategoricalValue,
    IdentityValue,
    LinearValue,
    PiecewiseValue,
    Shape,
    SigmoidValue,
    ValueSpec,
)
from geoplan.report.language import Language

__all__ = ["kind_words", "value_words"]

_KINDS = {
    "identity": Text(en="Measure as it is", fa="خود اندازه"),
    "linear": Text(en="Linear", fa="خطی"),
    "sigmoid": Text(en="Sigmoid", fa="سیگموئید"),
    "piecewise": Text(en="Straight lines between points", fa="خط‌های راست میان نقطه‌ها"),
    "categorical": Text(en="By class", fa="بر پایهٔ طبقه"),
    "exponential": Text(en="Exponential", fa="نمایی"),
    "logarithm": Text(en="Logarithm", fa="لگاریتمی"),
    "power": Text(en="Power", fa="توانی"),
    "logistic_growth": Text(en="Logistic growth", fa="رشد لجستیک"),
    "logistic_decay": Text(en="Logistic decay", fa="افت لجستیک"),
    "symmetric_linear": Text(en="Symmetric linear", fa="خطی متقارن"),
    "gaussian": Text(en="Gaussian", fa="گاوسی"),
    "near": Text(en="Near", fa="نزدیک"),
    "large": Text(en="Large", fa="بزرگ"),
    "small": Text(en="Small", fa="کوچک"),
    "ms_large": Text(en="Large against the mean", fa="بزرگ نسبت به میانگین"),
    "ms_small": Text(en="Small against the mean", fa="کوچک نسبت به میانگین"),
    "triangular": Text(en="Triangular", fa="مثلثی"),
    "trapezoidal": Text(en="Trapezoidal", fa="ذوزنقه‌ای"),
    "s": Text(en="S curve", fa="منحنی S"),
    "z": Text(en="Z curve", fa="منحنی Z"),
    "pi": Text(en="Pi curve", fa="منحنی پی"),
    "bell": Text(en="Generalised bell", fa="زنگوله‌ای تعمیم‌یافته"),
}

_NUMBERS = {
    "best": Text(en="best", fa="بهترین"),
    "worst": Text(en="worst", fa="بدترین"),
    "midpoint": Text(en="midpoint", fa="نقطهٔ میانی"),
    "spread": Text(en="spread", fa="گستره"),
    "shift": Text(en="shift", fa="جابه‌جایی"),
    "base_factor": Text(en="base factor", fa="ضریب پایه"),
    "factor": Text(en="factor", fa="ضریب"),
    "exponent": Text(en="exponent", fa="نما"),
    "minimum": Text(en="minimum", fa="کمینه"),
    "maximum": Text(en="maximum", fa="بیشینه"),
    "y_intercept_percent": Text(en="height at the minimum", fa="ارتفاع در کمینه"),
    "mean_multiplier": Text(en="times the mean", fa="ضریب میانگین"),
    "std_multiplier": Text(en="times the standard deviation", fa="ضریب انحراف معیار"),
    "mean": Text(en="mean", fa="میانگین"),
    "std": Text(en="standard deviation", fa="انحراف معیار"),
    "corners": Text(en="corners", fa="گوشه‌ها"),
    "start": Text(en="from", fa="از"),
    "end": Text(en="to", fa="تا"),
    "width": Text(en="half-width", fa="نیم‌پهنا"),
    "slope": Text(en="slope", fa="شیب"),
    "lower": Text(en="lower threshold", fa="آستانهٔ پایین"),
    "upper": Text(en="upper threshold", fa="آستانهٔ بالا"),
    "below": Text(en="value below", fa="مقدار زیر آن"),
    "above": Text(en="value above", fa="مقدار بالای آن"),
}
_BARE = {
    "base_factor", "factor", "exponent", "mean_multiplier", "std_multiplier", "slope", "below",
    "above",
}  # fmt: skip
_HEDGES = {
    "very": Text(en="very", fa="خیلی"),
    "extremely": Text(en="extremely", fa="بی‌نهایت"),
    "somewhat": Text(en="somewhat", fa="تا اندازه‌ای"),
    "more_or_less": Text(en="more or less", fa="کم‌وبیش"),
    "not": Text(en="not", fa="نه"),
}
_RESCALED = Text(en="stretched to 0–1 between the thresholds", fa="کشیده به ۰ تا ۱ میان آستانه‌ها")
_MISSING = {
    "below": Text(en="no value below", fa="زیر آن بدون مقدار"),
    "above": Text(en="no value above", fa="بالای آن بدون مقدار"),
}
_HEDGED = Text(en="hedge", fa="قید")
_FIRST = ("lower", "below", "upper", "above")
_NO_NUMBER = ("kind", "rescale", "hedge", "unit", *_FIRST)


def kind_words(spec: ValueSpec, language: Language) -> str:
    """Return the name of the kind of a value function."""
    return language.text(_KINDS.get(spec.kind), spec.kind)


def _number(key: str, value: Any, spec: Shape, unit: str, language: Language) -> str:
    if isinstance(value, tuple):
        return language.comma.join(language.measured(v, unit) for v in value)
    if key == "y_intercept_percent":
        return language.measured(value, "%")
    # The spread of a sigmoid is a distance; that of the others is a shape without a unit to name.
    bare = key in _BARE or (key == "spread" and not isinstance(spec, SigmoidValue))
    return language.measured(value, "" if bare else unit)


def _plain(spec: ValueSpec, unit: str, language: Language) -> str | None:
    """Return the words that the report has for the plain kinds."""
    if isinstance(spec, IdentityValue):
        return language.t("value_identity")
    if isinstance(spec, CategoricalValue):
        return language.t("value_categorical", count=language.number(len(spec.values)))
    if isinstance(spec, LinearValue) and spec.best is not None and spec.worst is not None:
        best, worst = language.measured(spec.best, unit), language.measured(spec.worst, unit)
        return language.t("value_linear", best=best, worst=worst)
    if isinstance(spec, SigmoidValue):
        return language.t(
            "value_sigmoid",
            midpoint=language.measured(spec.midpoint, unit),
            spread=language.measured(spec.spread, unit),
        )
    if isinstance(spec, PiecewiseValue):
        arrow = "←" if language.direction == "rtl" else "→"
        return language.semicolon.join(
            f"{language.measured(x, unit)} {arrow} {language.compact(v)}" for x, v in spec.points
        )
    return None


def value_words(spec: ValueSpec, unit: str, language: Language, *, invert: bool = False) -> str:
    """Return a value function in words, with every number that it states.

    Parameters
    ----------
    spec : ValueSpec
        As `geoplan.mcda.value_fit.fitted` returns it, numbers from the data are said too.
    unit : str
        Unit of the criterion.
    language : Language
    invert : bool
        The criterion uses 1 − value.
    """
    words = _plain(spec, unit, language)
    parts = []
    if words is None and isinstance(spec, Shape):
        numbers = [
            f"{language.text(_NUMBERS.get(key), key)} {_number(key, value, spec, unit, language)}"
            for key in type(spec).model_fields
            if key not in _NO_NUMBER and (value := getattr(spec, key)) is not None
        ]
        words = kind_words(spec, language)
        parts.append(f"{words}: {language.comma.join(numbers)}" if numbers else words)
    else:
        parts.append(words or kind_words(spec, language))
    if isinstance(spec, Shape):
        for key in _FIRST:
            value = getattr(spec, key)
            if value == "missing":
                parts.append(language.text(_MISSING[key]))
            elif value is not None:
                number = _number(key, value, spec, unit, language)
                parts.append(f"{language.text(_NUMBERS[key])} {number}")
        if spec.rescale:
            parts.append(language.text(_RESCALED))
        if spec.hedge:
            hedges = language.comma.join(language.text(_HEDGES[h]) for h in spec.hedge)
            parts.append(f"{language.text(_HEDGED)} {hedges}")
    whole = language.semicolon.join(parts)
    return f"{whole} ({language.t('inverted')})" if invert else whole
