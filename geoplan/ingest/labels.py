"""What a source row is called in messages."""

from __future__ import annotations

import pandas as pd

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import PackEntry
from geoplan.ingest.columns import as_text

__all__ = ["label_rows"]


def label_rows(frame: pd.DataFrame, spec: LayerSpec, entry: PackEntry) -> pd.Series:
    """Return a name for each source row, for messages: the best column that the entry maps."""
    label = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    for field in ("name_en", "name_local", spec.key or ""):
        rule = entry.fields.get(field)
        source = rule if isinstance(rule, str) else rule.source if rule else None
        if source in frame.columns:
            label = label.where(label.notna(), as_text(frame[source]))
    numbers = pd.Series([f"row {i + 1}" for i in frame.index], index=frame.index)
    return label.where(label.notna(), numbers)
