"""A measure of regions as it is shown, written and stored: values, tables, map, provenance."""

from __future__ import annotations

import hashlib
import math
import platform
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy.orm import Session

from geoplan import __version__
from geoplan.catalogue import Profile
from geoplan.catalogue.text import Text
from geoplan.errors import UnknownName
from geoplan.report.choropleth_classes import Classing
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.store import read
from geoplan.store.region_study import VALUE_COLUMNS, put_region_study
from geoplan.studies.document import canonical

__all__ = [
    "NAMES",
    "RegionStudy",
    "Variable",
    "jsonable",
    "layer_record",
    "save_study",
    "tidy",
]

NAMES = (
    SheetColumn("code", Text(en="Code", fa="کد")),
    SheetColumn("name_en", Text(en="Name", fa="نام انگلیسی")),
    SheetColumn("name_local", Text(en="Local name", fa="نام")),
)
"""The first columns of every sheet by region."""

_LIBRARIES = ("numpy", "pandas", "scipy", "geopandas", "shapely")


@dataclass(frozen=True, slots=True)
class Variable:
    """One value by region, as a map shows it.

    Parameters
    ----------
    title : Text
    unit : str
        Empty for none.
    classes : Classing
        How the map makes classes.
    centre : float
        For ``diverging``.
    count : int
        Classes.
    """

    title: Text
    unit: str = ""
    classes: Classing = "quantiles"
    centre: float = 0.0
    count: int = 5


@dataclass(frozen=True, eq=False)
class RegionStudy:
    """What a command found.

    Parameters
    ----------
    kind : str
        ``index``, ``composite``, ``inequality``, ``specialisation``, ``pattern``, ``slices``.
    spec_id : str
        Name of what was asked.
    spec : dict
        All of what was asked; its sha256 identifies it.
    title : Text
    profile : Profile
    level : int
        Region level that the map shows.
    regions : GeoDataFrame
        From `geoplan.studies.index.all_regions`.
    document : dict
        The answer, ready for JSON.
    values : DataFrame
        `geoplan.store.region_study.VALUE_COLUMNS`.
    variables : dict of str to Variable
        The first one is what the map shows when nothing else is asked.
    sheets : tuple of Sheet
        Columns that end with ``_en`` or ``_fa`` (but for names) are one text in two languages.
    rows : str
        Name of the sheet with the regions, which is what a CSV holds.
    shown : dict of sheet name to column names
        What a terminal shows.
    layers : dict
        Layer id → version record of what was read.
    formula : Text, optional
    notices, assumptions : tuple of Text
    made : datetime
    """

    kind: str
    spec_id: str
    spec: dict[str, Any]
    title: Text
    profile: Profile
    level: int
    regions: gpd.GeoDataFrame
    document: dict[str, Any]
    values: pd.DataFrame
    variables: dict[str, Variable]
    sheets: tuple[Sheet, ...]
    rows: str
    shown: dict[str, tuple[str, ...]]
    layers: dict[str, dict[str, Any]]
    formula: Text | None = None
    notices: tuple[Text, ...] = ()
    assumptions: tuple[Text, ...] = ()
    made: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def sha256(self) -> str:
        """sha256 of what was asked."""
        return hashlib.sha256(canonical(self.spec).encode()).hexdigest()

    @property
    def synthetic(self) -> bool:
        """Whether the country or any layer is made up."""
        made_up = any(v.get("synthetic") for v in self.layers.values())
        return bool(self.profile.synthetic) or made_up

    @property
    def shapes(self) -> str | None:
        """Layer of the regions of the study's level."""
        levels = self.profile.region_levels
        return next((r.layer for r in levels if r.level == self.level), None)

    def sheet(self, name: str) -> Sheet:
        """Return a sheet by its name."""
        return next(s for s in self.sheets if s.name == name)

    def variable(self, name: str | None) -> str:
        """Return the variable to be mapped.

        Raises
        ------
        UnknownName
            The study has no such variable at its level.
        """
        have = self.values.loc[self.values["level"] == self.level, "variable"]
        known = [v for v in self.variables if (have == v).any()]
        if name is None:
            return known[0]
        if name not in known:
            raise UnknownName(
                f"the study has no variable '{name}' at level {self.level}",
                where="--variable",
                remedy=f"known: {', '.join(known)}",
            )
        return name

    def column(self, variable: str) -> pd.Series:
        """Return a variable of the study's level by code; NaN: not known."""
        rows = self.values
        rows = rows[(rows["level"] == self.level) & (rows["variable"] == variable)]
        return rows.set_index("code")["value"].astype("float64")

    def record(self) -> dict[str, Any]:
        """Return what the answer rests on, for JSON."""
        return {
            "kind": self.kind,
            "spec_id": self.spec_id,
            "spec_sha256": self.sha256,
            "spec": self.spec,
            "title": self.title.model_dump(exclude_none=True),
            "profile": self.profile.id,
            "synthetic": self.synthetic,
            "level": self.level,
            "created_at": self.made.isoformat(timespec="seconds"),
            "formula": None if self.formula is None else self.formula.model_dump(exclude_none=True),
            # JSONB keeps no order of keys, so the first variable is named.
            "main": self.variable(None),
            "variables": {
                name: {"title": v.title.model_dump(exclude_none=True), "unit": v.unit,
                       "classes": v.classes, "centre": v.centre, "count": v.count}
                for name, v in self.variables.items()
            },
            "notices": [n.model_dump(exclude_none=True) for n in self.notices],
            "assumptions": [n.model_dump(exclude_none=True) for n in self.assumptions],
            "layers": self.layers,
            "software": _software(),
        }  # fmt: skip

    def whole(self) -> dict[str, Any]:
        """Return the answer and, as ``study``, what it rests on."""
        found: dict[str, Any] = jsonable({**self.document, "study": self.record()})
        return found


def _software() -> dict[str, str]:
    return {
        "geoplan": __version__,
        "python": platform.python_version(),
        **{name: installed(name) for name in _LIBRARIES},
    }


def jsonable(value: Any) -> Any:
    """Return plain values for JSON: missing is ``None``, infinity the word ``infinite``."""
    if isinstance(value, Mapping):
        return {str(k): jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        if math.isinf(value):
            return "infinite" if value > 0 else "-infinite"
        return None if math.isnan(value) else value
    return value


def layer_record(
    session: Session, profile: Profile, more: Iterable[str | None] = ()
) -> dict[str, dict[str, Any]]:
    """Return the versions of the regions' layers, of every layer of facts, and of ``more``."""
    names = {level.layer for level in profile.region_levels}
    names |= {str(x) for x in read.region_facts(session)["layer_id"].unique()}
    names |= {x for x in more if x}
    return read.layer_versions(session, sorted(names))


def tidy(
    frame: pd.DataFrame,
    variables: Mapping[str, tuple[str, str]],
    *,
    level: int | None = None,
    status: str | pd.Series = "known",
    assumed: pd.Series | None = None,
) -> pd.DataFrame:
    """Return columns of a frame by region as rows of values.

    Parameters
    ----------
    frame : DataFrame
        ``code`` (column or index), ``level`` where it is not given.
    variables : mapping of variable to (column, unit)
    level : int, optional
    status : str or Series
        Of every row; what is not known is ``unknown`` unless the row's status says more.
    assumed : Series of bool, optional
    """
    rows = frame if "code" in frame.columns else frame.rename_axis("code").reset_index()
    parts: list[pd.DataFrame] = []
    for variable, (column, unit) in variables.items():
        value = pd.to_numeric(rows[column], errors="coerce").astype("float64").to_numpy()
        part = pd.DataFrame({"level": rows["level"] if level is None else level,
                             "code": rows["code"].astype(str)})  # fmt: skip
        part["variable"], part["value"], part["unit"] = variable, value, unit
        part["status"] = status if isinstance(status, str) else status.astype(str).to_numpy()
        plain = part["status"].isin(["known", "nan", ""])
        part.loc[part["value"].isna() & plain, "status"] = "unknown"
        part["assumed"] = False if assumed is None else assumed.fillna(False).to_numpy(bool)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)[list(VALUE_COLUMNS)]


def save_study(session: Session, study: RegionStudy) -> str:
    """Store a study in the session's transaction; return its id."""
    stamp = study.made.strftime("%Y%m%d-%H%M%S")
    name = "-".join(_words(study.spec_id))
    study_id = f"{study.kind}-{name}-{stamp}-{secrets.token_hex(2)}"
    title = study.title
    record = study.record()
    put_region_study(
        session,
        study_id=study_id,
        kind=study.kind,
        spec_id=study.spec_id,
        spec_sha256=study.sha256,
        profile_id=study.profile.id,
        title=(title.en, title.local or title.fa),
        level=study.level,
        layers=study.layers,
        software=record["software"],
        synthetic=study.synthetic,
        document=study.whole(),
        values=study.values,
    )
    return study_id


def _words(name: str) -> Sequence[str]:
    plain = "".join(c if c.isascii() and c.isalnum() else " " for c in name.lower())
    return plain.split()[:4]
