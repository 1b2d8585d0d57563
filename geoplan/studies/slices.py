"""The slices of a national target from the database."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.slices import Measure, TargetSpec
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound
from geoplan.regions import ancestors, coarser
from geoplan.regions.slice_claims import figures_wanted
from geoplan.regions.slice_words import digits
from geoplan.regions.slices import SliceResult, slices
from geoplan.store import read
from geoplan.studies.index import all_regions, index_of, region_code_at

__all__ = ["figures_of", "slices_of"]

_NEAR_M = 5_000.0
_RESOURCE_FA = {"water": "آب", "power": "برق", "wastewater": "تصفیهٔ فاضلاب"}


def slices_of(session: Session, profile: Profile, spec: TargetSpec) -> SliceResult:
    """Divide a national target among the loaded regions.

    Parameters
    ----------
    session : Session
        Database.
    profile : Profile
        Its index speaks for need; its regions take part.
    spec : TargetSpec
        The target.

    Raises
    ------
    ProblemsFound
        The target is for another profile, names facts or layers that are not loaded, or does not
        fit the regions; all at once.
    """
    if spec.profile != profile.id:
        raise ProblemsFound(
            "the target is for another country",
            [
                Problem(
                    "profile",
                    f"the target is for '{spec.profile}', the profile is '{profile.id}'",
                    f"choose profile {spec.profile}, or write profile: {profile.id}",
                    code="profile",
                )
            ],
            where=spec.id,
        )
    regions = all_regions(session, profile)
    result = slices(spec, regions, figures_of(session, profile, spec, regions))
    notices = result.notices + _supply_notices(session, spec)
    document = {
        **result.document,
        "notices": [n.model_dump(exclude_none=True) for n in notices],
    }
    return replace(result, notices=notices, document=document)


def _supply_notices(session: Session, spec: TargetSpec) -> tuple[Text, ...]:
    """Say on what the figures of free supply rest."""
    measures = [
        m
        for part in (spec.parts.need, spec.parts.capacity, spec.parts.past)
        for m in part.measures
        if m.kind == "headroom"
    ]
    out = []
    for measure in measures:
        rows = read.sources(session, measure.layers)
        rows = rows[rows["resource"] == measure.resource]
        known = rows["headroom"].notna()
        assumed = int((known & (rows["basis"] == "assumed")).sum())
        fa = _RESOURCE_FA.get(str(measure.resource), str(measure.resource))
        count, free, guess = (digits(float(n)) for n in (len(rows), int((~known).sum()), assumed))
        out.append(
            Text(
                en=f"Free {measure.resource} is summed over {count.en} sources; of {free.en} it "
                f"is not known, and of {guess.en} it is assumed.",
                fa=f"ظرفیت آزاد {fa} جمع {count.fa} منبع است؛ برای {free.fa} منبع معلوم نیست و "
                f"برای {guess.fa} منبع فرضی است.",
            )
        )
    return tuple(out)


def figures_of(
    session: Session, profile: Profile, spec: TargetSpec, regions: gpd.GeoDataFrame
) -> dict[int, dict[str, pd.Series]]:
    """Return the figures that a target needs, for each of its levels.

    Parameters
    ----------
    session : Session
    profile : Profile
    spec : TargetSpec
    regions : GeoDataFrame
        From `studies.index.all_regions`.

    Notes
    -----
    A fact that is listed for a coarser level only is handed down unchanged; one that is listed for
    a finer level only is not summed up, as a rate cannot be. The index goes up by population.
    Free supply is summed over the sources that lie in a region, those alone whose headroom is
    known; a region in which no source of known headroom lies is unknown, not 0.
    """
    wanted = figures_wanted(spec)
    facts = read.region_facts(session)
    problems: list[Problem] = []
    index = None
    if any(isinstance(w, Measure) and w.kind == "index" for w in wanted.values()):
        index = index_of(session, profile, regions).frame
    layers = {x for w in wanted.values() if isinstance(w, Measure) for x in w.layers}
    loaded = read.layer_versions(session, sorted(layers))
    supply = read.sources(session, sorted(loaded)) if loaded else None
    out: dict[int, dict[str, pd.Series]] = {}
    levels = [n for n in spec.levels if (regions["level"] == n).any()]
    for level in levels:
        codes = pd.Index(sorted(regions.loc[regions["level"] == level, "code"]), name="code")
        own: dict[str, pd.Series] = {}
        for name, what in wanted.items():
            if isinstance(what, Measure) and what.kind == "index" and index is not None:
                own[name] = _index_at(index, profile, regions, level).reindex(codes)
            elif isinstance(what, Measure) and what.kind == "headroom":
                absent = [x for x in what.layers if x not in loaded]
                if absent and level == levels[0]:
                    problems.append(
                        Problem(
                            f"parts, {name}",
                            f"layer {', '.join(absent)} is not loaded",
                            "load it, or take the measure out of the target",
                            code="layer",
                        )
                    )
                if supply is not None:
                    own[name] = _headroom(what, supply, regions, level).reindex(codes)
            else:
                variable = str(what.variable if isinstance(what, Measure) else what)
                values = _fact(facts, regions, variable, level)
                if values is None and level == levels[0]:
                    problems.append(_no_fact(name, variable, facts))
                if values is not None:
                    own[name] = values.reindex(codes)
        out[level] = own
    if problems:
        n = len(problems)
        raise ProblemsFound(
            f"the target has {n} problem{'s' if n > 1 else ''}", problems, where=spec.id
        )
    return out


def _index_at(
    index: pd.DataFrame, profile: Profile, regions: pd.DataFrame, level: int
) -> pd.Series:
    own = profile.index.level
    if level == own:
        return index["industrialisation"]
    if level < own:
        return coarser(index, regions, spec=profile.index, level=level)["industrialisation"]
    up = ancestors(regions, level)[own]
    return pd.Series(index["industrialisation"].reindex(up.to_numpy()).to_numpy(), index=up.index)


def _headroom(
    measure: Measure, supply: gpd.GeoDataFrame, regions: gpd.GeoDataFrame, level: int
) -> pd.Series:
    rows = supply[
        supply["layer_id"].isin(measure.layers) & (supply["resource"] == measure.resource)
    ]
    where = region_code_at(rows.geometry, regions[regions["level"] == level], near_m=_NEAR_M)
    return rows["headroom"].astype(float).groupby(where).sum(min_count=1)


def _fact(
    facts: pd.DataFrame, regions: pd.DataFrame, variable: str, level: int
) -> pd.Series | None:
    """Return a fact at a level; None where neither it nor a coarser level has it."""
    if variable == "population":
        people = regions[regions["level"] == level].set_index("code")["population"].astype(float)
        if people.notna().any():
            return people
    for source in range(level, 0, -1):
        rows = facts[(facts["level"] == source) & (facts["variable"] == variable)]
        rows = rows[rows["value"].notna()]
        if rows.empty:
            continue
        twice = rows[rows["region_code"].duplicated(keep=False)]
        clash = twice.groupby("region_code")["value"].nunique()
        if (clash > 1).any():
            code = clash.index[clash > 1][0]
            given = sorted(set(twice.loc[twice["region_code"] == code, "value"]))
            raise ProblemsFound(
                "a fact is given twice",
                [
                    Problem(
                        f"region {code}",
                        f"'{variable}' has the values {', '.join(map(str, given))}",
                        "keep one figure per region, variable and level",
                        code="fact-twice",
                    )
                ],
            )
        values = rows.drop_duplicates("region_code").set_index("region_code")["value"]
        if source == level:
            return values
        up = ancestors(regions, level)[source]
        known = values.reindex(up.to_numpy()).to_numpy()
        return pd.Series(np.asarray(known, dtype=float), index=up.index)
    return None


def _no_fact(name: str, variable: str, facts: pd.DataFrame) -> Problem:
    known = sorted(set(facts["variable"]))
    shown = ", ".join(known[:12]) + (f" … ({len(known)})" if len(known) > 12 else "")
    return Problem(
        name,
        f"no region of the first level has a fact '{variable}'",
        f"known facts: {shown or 'none'}",
        code="fact",
    )
