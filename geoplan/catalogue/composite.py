"""A composite index of regions: its indicators, its rules, and the choices that are drawn."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.folder import bundled_folder, read_model
from geoplan.catalogue.index_rules import (
    AGGREGATIONS,
    NORMALISATIONS,
    OUTLIER_RULES,
    WEIGHTINGS,
    Aggregation,
    DrawsSpec,
    MissingSpec,
    Normalisation,
    OutlierRule,
    OutlierSpec,
    Weighting,
)
from geoplan.catalogue.text import Identifier, Strict, Text
from geoplan.errors import GeoPlanError, UnknownName
from geoplan.expression import columns_of

__all__ = [
    "AGGREGATIONS",
    "NORMALISATIONS",
    "OUTLIER_RULES",
    "WEIGHTINGS",
    "Aggregation",
    "CompositeIndicator",
    "CompositeSpec",
    "DrawsSpec",
    "LayerFact",
    "MissingSpec",
    "Normalisation",
    "OutlierRule",
    "OutlierSpec",
    "SumCheck",
    "Weighting",
    "composite_named",
    "composite_specs",
    "read_composite",
]


class CompositeIndicator(Strict):
    """One indicator: an expression over the facts of regions."""

    id: Identifier
    title: Text
    formula: str = Field(
        min_length=1,
        description="Expression over facts of the indicator's level, with its denominator, for "
        "example 'workshops10_1394 / pop_2016 * 100000'",
    )
    level: int = Field(ge=1, le=3, description="Region level at which the facts are known")
    direction: Literal["more", "less"] = Field(
        "more", description="'more': a higher value is more industrialised"
    )
    unit: str = Field(description="Unit of the indicator, for example 'per 100,000 people'")
    denominator: tuple[str, ...] = Field(
        (),
        description="Facts that the formula divides by: where one is missing or not above 0, the "
        "indicator is missing",
    )
    source: str = Field(description="Who published the facts, and where they were read")
    as_of: str = Field(description="Date or year of the facts")
    weight: float = Field(1.0, gt=0, description="Relative expert weight")
    goalposts: tuple[float, float] | None = Field(
        None, description="Low and high goalpost, in the indicator's unit"
    )
    target: float | None = Field(None, description="Target value, in the indicator's unit")
    hand_down: bool = Field(
        False,
        description="Give every finer region the figure of the region that holds it, marked as "
        "handed down; without it, an indicator of a coarser level is refused",
    )
    sum_up: bool = Field(
        False,
        description="The facts are amounts that may be summed: an index of a coarser level applies "
        "the formula to the sums over each region's parts; without it, an indicator of a finer "
        "level is refused",
    )

    @model_validator(mode="after")
    def _fits(self) -> CompositeIndicator:
        if self.goalposts is not None and not self.goalposts[0] < self.goalposts[1]:
            raise ValueError(
                f"goalposts {self.goalposts[0]:g} and {self.goalposts[1]:g} of '{self.id}'; "
                "give the lower one first ('direction: less' turns them round)"
            )
        try:
            used = columns_of(self.formula)
        except GeoPlanError as error:
            raise ValueError(f"formula of '{self.id}': {error.what}; {error.remedy}") from error
        if not used:
            raise ValueError(f"formula {self.formula!r} of '{self.id}' uses no fact")
        strange = sorted(set(self.denominator) - set(used))
        if strange:
            raise ValueError(
                f"denominator {', '.join(strange)} of '{self.id}' is not in its formula; "
                f"facts of the formula: {', '.join(used)}"
            )
        return self

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts that the formula uses, sorted."""
        return columns_of(self.formula)


class LayerFact(Strict):
    """A fact that is counted or summed from a layer: what is not there counts 0."""

    variable: Identifier = Field(description="Name of the fact in formulas")
    layer: Identifier = Field(description="Layer whose features are counted in each region")
    level: int = Field(ge=1, le=3, description="Region level of the fact")
    where: str | None = Field(None, description="Expression that selects features")
    value: str | None = Field(None, description="Expression summed over features; absent: count")
    unit: str


class SumCheck(Strict):
    """Two facts that must agree: the sum over the parts, and the figure of the whole."""

    parts: str = Field(description="Fact of the finer level")
    whole: str = Field(description="Fact of the coarser level")
    level: int = Field(2, ge=2, le=3, description="Level of the parts; the whole is one coarser")
    tolerance: float = Field(
        0.005, ge=0, lt=1, description="Difference allowed, as a share of the whole"
    )


class CompositeSpec(Strict):
    """A composite index (``layers/indices/<id>.yaml``)."""

    id: Identifier
    title: Text
    profile: Identifier = Field(description="Country profile whose regions and facts it uses")
    level: int = Field(ge=1, le=3, description="Region level of the index; 1 is the coarsest")
    indicators: tuple[CompositeIndicator, ...] = Field(min_length=2)
    layer_facts: tuple[LayerFact, ...] = Field((), description="Facts made from layers")
    sums: tuple[SumCheck, ...] = Field((), description="Totals that must add up")
    outliers: OutlierSpec = Field(default_factory=OutlierSpec)
    missing: MissingSpec = Field(default_factory=MissingSpec)
    normalisation: Normalisation = Field(
        "minmax",
        description="minmax: (x − min) / (max − min); zscore: (x − mean) / standard deviation; "
        "rank: percentile of the rank; goalposts: between the indicator's goalposts, clipped to "
        "0–1; target: from the worst that occurs (0) to the target (1), not above 1",
    )
    weighting: Weighting = Field(
        "expert",
        description="equal; expert: the indicators' weights; pca: rotated principal components "
        "weighed by variance; pca-first: squared loadings of the first component; entropy",
    )
    aggregation: Aggregation = "arithmetic"
    zero_shift: float = Field(
        0.01,
        gt=0,
        le=1,
        description="Geometric: added to normalised values (after z-scores were moved to a least "
        "of 0), so that one 0 does not make the index 0; taken off again afterwards",
    )
    less_industrialised_below: float = Field(
        0.5, gt=0, lt=1, description="Quantile of the index below which a region is less "
        "industrialised"
    )  # fmt: skip
    least_below: float = Field(
        0.25, gt=0, lt=1, description="Quantile of the index below which it is among the least"
    )
    topsis: Literal["vector", "min_max", "max", "sum"] = Field(
        "vector", description="What TOPSIS, given as a further column, divides indicators by"
    )
    draws: DrawsSpec = Field(default_factory=DrawsSpec)
    notes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> CompositeSpec:
        ids = [i.id for i in self.indicators]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"indicators given twice: {', '.join(twice)}")
        wanted = {self.normalisation, *self.draws.normalisations}
        for kind, key in (("goalposts", "goalposts"), ("target", "target")):
            without = [i.id for i in self.indicators if getattr(i, key) is None]
            if kind in wanted and without:
                raise ValueError(f"normalisation '{kind}' needs '{key}' of {', '.join(without)}")
        return self

    def at_level(self, level: int) -> CompositeSpec:
        """Return the same index for regions of another level."""
        return self._with(level=level)

    def _with(self, **change: object) -> CompositeSpec:
        # validated again: model_copy would not
        given = {k: getattr(self, k) for k in type(self).model_fields}
        return CompositeSpec.model_validate({**given, **change})

    def only(self, ids: Iterable[str]) -> CompositeSpec:
        """Return the same index of some of its indicators, in its own order."""
        wanted = set(ids)
        known = [i.id for i in self.indicators]
        strange = sorted(wanted - set(known))
        if strange:
            raise UnknownName(
                f"index '{self.id}' has no indicator {', '.join(strange)}",
                remedy=f"known: {', '.join(known)}",
            )
        return self._with(indicators=tuple(i for i in self.indicators if i.id in wanted))


def read_composite(path: Path) -> CompositeSpec:
    """Read one index; every problem of the file is reported at once.

    Raises
    ------
    FileMissing, ProblemsFound
        See `geoplan.catalogue.folder.read_model`.
    """
    return read_model(path, CompositeSpec, what="index")


def composite_specs(folders: Iterable[Path] | None = None) -> dict[str, Path]:
    """Return the files of the indices by id, from the ``indices`` folder of each folder.

    Parameters
    ----------
    folders : iterable of Path, optional
        Catalogue folders (`Catalogue.folders`), later ones win; absent: the bundled one.
    """
    found: dict[str, Path] = {}
    for folder in (bundled_folder(),) if folders is None else folders:
        found.update({p.stem: p for p in sorted((folder / "indices").glob("*.yaml"))})
    return dict(sorted(found.items()))


def composite_named(name: str, folders: Iterable[Path] | None = None) -> CompositeSpec:
    """Return an index by id, or by the path of a .yaml file.

    Raises
    ------
    UnknownName
        No folder has this index; the message lists those that are known.
    """
    known = composite_specs(folders)
    if name in known:
        return read_composite(known[name])
    if Path(name).suffix in (".yaml", ".yml"):
        return read_composite(Path(name))
    close = get_close_matches(name, list(known), n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise UnknownName(
        f"unknown index '{name}'",
        remedy=f"{hint}known: {', '.join(known) or 'none'}; or give the path of a .yaml file",
    )
