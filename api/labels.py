"""Two-language labels out of stored columns and documents, lenient about what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.schemas import Label

__all__ = ["dicts", "label", "number"]


def label(value: Any) -> Label:
    """Return a label from ``{en, local | fa}``, from a plain text (English), or from nothing."""
    if isinstance(value, Mapping):
        en, local = value.get("en"), value.get("local") or value.get("fa")
        return Label(en=str(en) if en else None, local=str(local) if local else None)
    return Label(en=str(value) if value else None)


def dicts(value: Any) -> list[dict[str, Any]]:
    """Return the mappings in a stored list; anything else is left out."""
    if not isinstance(value, list):
        return []
    return [dict(item) for item in value if isinstance(item, Mapping)]


def number(value: Any) -> float | None:
    """Return a stored number, or ``None`` for what is missing or no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # NaN and infinity have no place in JSON; missing is null.
    return float(value) if value == value and abs(value) != float("inf") else None
