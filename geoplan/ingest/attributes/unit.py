"""Units of source columns: a closed table, and what a number is multiplied by between two."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from geoplan.errors import InputError

__all__ = ["UNITS", "convert", "unit_factor"]

UNITS: dict[str, tuple[str, Fraction]] = {
    # area: m²
    "m2": ("area", Fraction(1)),
    "ha": ("area", Fraction(10_000)),  # ha × 10 000 m²/ha = m²
    "km2": ("area", Fraction(1_000_000)),  # km² × (1 000 m/km)² = m²
    # length: m
    "mm": ("length", Fraction(1, 1_000)),
    "cm": ("length", Fraction(1, 100)),
    "m": ("length", Fraction(1)),
    "km": ("length", Fraction(1_000)),
    # flow: m³/day
    "m3/day": ("flow", Fraction(1)),
    "m3/h": ("flow", Fraction(24)),  # m³/h × 24 h/day = m³/day
    "m3/s": ("flow", Fraction(86_400)),  # m³/s × 86 400 s/day = m³/day
    "l/s": ("flow", Fraction(864, 10)),  # l/s × m³/1 000 l × 86 400 s/day = m³/day
    # real power: kW. Not to be mixed with apparent power, which needs a cos φ.
    "kw": ("power", Fraction(1)),
    "mw": ("power", Fraction(1_000)),
    # apparent power: kVA
    "kva": ("apparent power", Fraction(1)),
    "mva": ("apparent power", Fraction(1_000)),
    # voltage: kV
    "v": ("voltage", Fraction(1, 1_000)),
    "kv": ("voltage", Fraction(1)),
    # share: 0 to 1
    "share": ("share", Fraction(1)),
    "%": ("share", Fraction(1, 100)),  # % × 1/100 = share
}
"""Unit, in lower case → what it measures, and how much of that measure's base unit one is."""

_ALIASES = {
    "m²": "m2",
    "km²": "km2",
    "m³/day": "m3/day",
    "m3/d": "m3/day",
    "m³/d": "m3/day",
    "m³/h": "m3/h",
    "m³/s": "m3/s",
    "percent": "%",
    "هکتار": "ha",
    "مترمربع": "m2",
    "متر مربع": "m2",
}


def _known(unit: str) -> str | None:
    text = unit.strip().lower()
    text = _ALIASES.get(text, text)
    return text if text in UNITS else None


def unit_factor(source: str, target: str) -> Fraction:
    """Return by what a number in one unit is multiplied to be in another.

    Parameters
    ----------
    source, target : str
        Units of :data:`UNITS`; case does not matter.

    Returns
    -------
    Fraction
        Exact: ``[source] × factor = [target]``, the quotient of both in their base unit.

    Raises
    ------
    InputError
        A unit is not known, or the two measure different things.

    Examples
    --------
    >>> unit_factor("l/s", "m3/day"), unit_factor("m2", "ha")
    (Fraction(432, 5), Fraction(1, 10000))
    """
    if source.strip() == target.strip():
        return Fraction(1)  # units outside the table (persons, t/y) fit themselves
    a, b = _known(source), _known(target)
    for given, name in ((source, a), (target, b)):
        if name is None:
            raise InputError(
                f"'{given}' is not a unit that can be converted",
                remedy=f"known: {', '.join(UNITS)}",
            )
    (kind, size), (wanted, base) = UNITS[str(a)], UNITS[str(b)]
    if kind != wanted:
        same = [u for u, (k, _) in UNITS.items() if k == wanted]
        raise InputError(
            f"'{source}' is {kind} and '{target}' is {wanted}",
            remedy=f"units of {wanted}: {', '.join(same)}",
        )
    return size / base


def convert(value: Any, factor: Fraction) -> Any:
    """Return a number or an array of numbers times a factor, rounded as few times as possible.

    A multiplication by the numerator and a division by the denominator are exact for whole
    numbers; the quotient as one float would not be (0.1 has none).
    """
    out = value
    if factor.numerator != 1:
        out = out * float(factor.numerator)
    if factor.denominator != 1:
        out = out / float(factor.denominator)
    return out
