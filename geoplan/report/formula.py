"""Formulas written out for readers."""

from __future__ import annotations

from geoplan.catalogue.profile import IndexSpec

__all__ = ["index_formula"]


def index_formula(spec: IndexSpec) -> str:
    """Return the industrialisation index as one line of arithmetic.

    Examples
    --------
    ``(0.6*n(plants) + 0.4*n(jobs)) / 1 over indicators with data; n: percentile rank …``
    """
    total = sum(i.weight for i in spec.indicators)
    terms = " + ".join(f"{i.weight / total:.4g}*n({_argument(i.id, i)})" for i in spec.indicators)
    scaling = {
        "minmax": "n(x) = (x - min) / (max - min) over regions",
        "rank": "n(x) = fractional rank of x among regions, 0 to 1",
    }[spec.normalisation]
    return (
        f"index = ({terms}) / (sum of the weights of indicators with data); {scaling}; "
        f"empty where the indicators with data weigh less than {spec.coverage_min:g}"
    )


def _argument(name: str, indicator: object) -> str:
    text = f"ln(1+{name})" if getattr(indicator, "transform", "none") == "log1p" else name
    return f"-{text}" if getattr(indicator, "direction", "more") == "less" else text
