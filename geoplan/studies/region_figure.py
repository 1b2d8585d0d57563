"""One figure by region out of the database, with what is not known about it."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue.pattern import Figure
from geoplan.catalogue.text import Text
from geoplan.errors import UnknownName
from geoplan.expression import evaluate, select
from geoplan.regions import ancestors, measure_indicator
from geoplan.siting.sentences import both
from geoplan.store import read
from geoplan.studies.index import region_code_at

__all__ = ["Figures", "Measured"]

_NEAR_M = 5_000


@dataclass(frozen=True, eq=False)
class Measured:
    """A figure by region.

    Parameters
    ----------
    value : Series, index region
        NaN: not known.
    assumed : Series of bool, index region
        Some of the region's figure is assumed.
    rows : int
        Features that were counted or summed; 0 for a fact.
    sizes : tuple of float
        The size of every feature, where all are known: the plants of an activity.
    as_of, source : str
        Of what it was read from.
    notices : tuple of Text
        What a reader must be told.
    """

    value: pd.Series
    assumed: pd.Series
    rows: int = 0
    sizes: tuple[float, ...] = ()
    as_of: str = ""
    source: str = ""
    notices: tuple[Text, ...] = ()


class Figures:
    """Reads figures; each layer is read and placed in its regions once.

    Parameters
    ----------
    session : Session
        Database.
    regions : GeoDataFrame
        From `geoplan.studies.index.all_regions`.
    level : int
        Region level of the results.
    """

    def __init__(self, session: Session, regions: gpd.GeoDataFrame, level: int) -> None:
        self._session, self._regions, self._level = session, regions, level
        self._facts = read.region_facts(session)
        self._layers: dict[tuple[str, int], gpd.GeoDataFrame] = {}
        self._measured: dict[str, Measured] = {}
        codes = regions.loc[regions["level"] == level, "code"]
        self.codes = pd.Index(sorted(codes), name="region")

    def measure(self, figure: Figure, name: Text) -> Measured:
        """Return one figure; not known anywhere, with a notice, where nothing of it is loaded.

        The same figure is measured once, and its notices carry the first name it was asked by.

        Raises
        ------
        RangeError
            A fact is given twice for a region.
        """
        key = figure.model_dump_json(exclude={"basis", "unit", "unit_fa"})
        if key not in self._measured:
            read_it = self._of_fact if figure.layer is None else self._of_layer
            self._measured[key] = read_it(figure, name)
        return self._measured[key]

    def _of_fact(self, figure: Figure, name: Text) -> Measured:
        try:
            found = measure_indicator(
                figure.as_indicator("figure"), regions=self._regions,
                index_level=self._level, facts=self._facts,
            )  # fmt: skip
        except UnknownName:
            return self._absent(figure, name)
        found = found.reindex(self.codes)
        dates = sorted({str(d) for d in found["as_of"].dropna()})
        sources = sorted({str(s) for s in found["source"].dropna()})
        return Measured(
            found["value"].astype(float),
            self._everywhere(figure.known_as == "assumed"),
            as_of=", ".join(dates[:3]),
            source="; ".join(sources[:3]),
        )

    def _absent(self, figure: Figure, name: Text) -> Measured:
        told = both(
            "'{name}' is not known: '{what}' is not loaded",
            "«{name}» معلوم نیست: «{what}» بارگذاری نشده است",
            name=name, what=str(figure.layer or figure.variable),
        )  # fmt: skip
        nothing = pd.Series(np.nan, index=self.codes)
        return Measured(nothing, self._everywhere(False), notices=(told,))

    def _everywhere(self, yes: bool) -> pd.Series:
        return pd.Series(yes, index=self.codes, dtype=bool)

    def _of_layer(self, figure: Figure, name: Text) -> Measured:
        layer = str(figure.layer)
        versions = read.layer_versions(self._session, [layer])
        if layer not in versions:
            return self._absent(figure, name)
        features = self._placed(layer, figure.level)
        rows = features[select(figure.where, features)] if figure.where else features
        size = (
            pd.to_numeric(
                pd.Series(evaluate(figure.value, rows), index=rows.index), errors="coerce"
            )
            if figure.value
            else pd.Series(1.0, index=rows.index)
        )
        notices = []
        unplaced = int(rows["region_code"].isna().sum())
        if unplaced:
            notices.append(
                both("'{name}': {n} rows lie in no region and are not counted",
                     "«{name}»: {n} ردیف در هیچ منطقه‌ای نیست و شمرده نشده است",
                     name=name, n=unplaced)
            )  # fmt: skip
        # The layer lists what exists, so a region without a feature has 0; one whose features have
        # no figure is unknown, which `measure_indicator` cannot tell apart.
        by_own = pd.DataFrame({"at": rows["region_code"], "size": size, "n": 1.0})
        by_own["known"] = size.notna().astype(float)
        place = self._up(figure.level)
        sums = by_own.groupby(by_own["at"].map(place))[["size", "n", "known"]].sum()
        sums = sums.reindex(self.codes).fillna(0.0)
        value = (sums["size"] * figure.scale).where((sums["n"] == 0) | (sums["known"] > 0))
        lost = int((by_own["known"] == 0).sum())
        if lost:
            notices.append(
                both("'{name}': {lost} of {n} rows have no figure; regions that have others too "
                     "are counted at least so high, regions that have none but these are unknown",
                     "«{name}»: {lost} ردیف از {n} رقم ندارد؛ منطقه‌ای که ردیف دیگری هم دارد "
                     "دست‌کم همین اندازه است و منطقه‌ای که تنها این‌ها را دارد نامعلوم است",
                     name=name, lost=lost, n=len(rows))
            )  # fmt: skip
        assumed = self._everywhere(figure.known_as == "assumed")
        if figure.known_as is None and "basis" in rows:
            at = rows.loc[rows["basis"] == "assumed", "region_code"].map(place)
            assumed = pd.Series(self.codes.isin(at.dropna()), index=self.codes, dtype=bool)
        version = versions[layer]
        return Measured(
            value,
            assumed,
            rows=len(rows),
            sizes=() if lost or unplaced else tuple((size[size > 0] * figure.scale).tolist()),
            as_of=str(version.get("as_of") or ""),
            source=str(version.get("source") or ""),
            notices=tuple(notices),
        )

    def _placed(self, layer: str, level: int) -> gpd.GeoDataFrame:
        """Return a layer's features with ``region_code`` at ``level``."""
        if (layer, level) not in self._layers:
            features = read.layer_frame(self._session, layer)
            if "region_code" not in features.columns or features["region_code"].isna().all():
                own = self._regions[self._regions["level"] == level]
                features["region_code"] = region_code_at(
                    features.geometry.representative_point(), own, near_m=_NEAR_M
                )
            else:
                moved: dict[str, str] = {}
                for finer in sorted(set(self._regions["level"])):
                    if finer >= level:
                        lifted = ancestors(self._regions, int(finer))[level]
                        moved |= {str(c): p for c, p in lifted.items() if isinstance(p, str)}
                features["region_code"] = features["region_code"].map(moved)
            self._layers[layer, level] = features
        return self._layers[layer, level]

    def _up(self, level: int) -> dict[str, str]:
        lifted = ancestors(self._regions, level)[self._level]
        return {str(c): p for c, p in lifted.items() if isinstance(p, str)}
