"""What to say of a criterion that tells no cell from another."""

from __future__ import annotations

from geoplan.catalogue.text import Text
from geoplan.mcda.value_statistics import ValueStatistics
from geoplan.persian import to_persian_digits

__all__ = ["constant_notice"]

_UNITS_FA = {"km": "کیلومتر", "m": "متر", "%": "٪", "ha": "هکتار"}


def constant_notice(title: Text, statistics: ValueStatistics, unit: str = "") -> Text | None:
    """Return a notice where a measure is missing, or the same, in all allowed cells.

    Parameters
    ----------
    title : Text
        Name of the criterion.
    statistics : ValueStatistics
        Of its measure over the allowed cells.
    unit : str
        Unit of the measure.

    Returns
    -------
    Text or None
        One sentence in both languages; None where the measure differs from cell to cell.

    Notes
    -----
    A notice and not an error: such a criterion adds the same to every cell and changes no rank,
    so the run may go on. Where its value function has to take a range from the data there is
    none, and `geoplan.mcda.value_fit.fitted` raises.
    """
    en, fa = title.en, title.fa or title.en
    if statistics.missing:
        return Text(
            en=f"Criterion “{en}” has no measure in any allowed cell.",
            fa=f"معیار «{fa}» در هیچ‌یک از سلول‌های مجاز اندازه‌ای ندارد.",
        )
    if not statistics.constant:
        return None
    number = f"{statistics.min:,.6g}"
    persian = to_persian_digits(number.translate({ord(","): "٬", ord("."): "٫", ord("-"): "−"}))
    bare = unit in ("", "1", "class", "index")
    return Text(
        en=(
            f"Criterion “{en}” is {number}{'' if bare or unit == '%' else ' '}"
            f"{'' if bare else unit} in all allowed cells, so it tells no place from another."
        ),
        fa=(
            f"معیار «{fa}» در همهٔ سلول‌های مجاز {persian}{'' if bare or unit == '%' else ' '}"
            f"{'' if bare else _UNITS_FA.get(unit, unit)} است و هیچ جایی را از جای دیگر متمایز "
            "نمی‌کند."
        ),
    )
