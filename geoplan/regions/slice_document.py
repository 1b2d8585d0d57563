"""The slices as one document for JSON: whole numbers whole, unknown ``None``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from geoplan.catalogue.slices import TargetSpec
from geoplan.catalogue.text import Text

__all__ = ["document_of", "rows_of"]


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as plain values; NaN and NA become ``None``."""
    return [
        {str(k): _plain(v) for k, v in zip(frame.columns, row, strict=True)}
        for row in frame.itertuples(index=False, name=None)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def document_of(
    spec: TargetSpec,
    frame: pd.DataFrame,
    by_activity: pd.DataFrame,
    notices: Sequence[Text],
    ties: Sequence[Sequence[str]],
) -> dict[str, Any]:
    """Return the document of a division.

    Parameters
    ----------
    spec : TargetSpec
    frame, by_activity : DataFrame
        Of `SliceResult`.
    notices : sequence of Text
    ties : sequence of sequence of str
        Codes whose claims to a last lot were equal.
    """
    return {
        "target": spec.model_dump(mode="json"),
        "slices": rows_of(frame),
        "by_activity": rows_of(by_activity),
        "sums": {str(level): int(rows["slice"].sum()) for level, rows in frame.groupby("level")},
        "ties": [list(t) for t in ties],
        "notices": [n.model_dump(exclude_none=True) for n in notices],
    }
