"""What candidates need: by one industry mix, or by the pattern of each site's region."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile, Scenario
from geoplan.catalogue.text import Text
from geoplan.siting.demand import site_demand
from geoplan.siting.sentences import both
from geoplan.studies.pattern import pattern_of, read_pattern

__all__ = ["Needs", "needs_of"]


@dataclass(frozen=True)
class Needs:
    """Demand of the candidates and where it comes from.

    Parameters
    ----------
    demand : DataFrame, index ``site_id``
        As `geoplan.siting.demand.site_demand`, to a thousandth of each unit.
    mixes : dict
        Region → industry mix that was used for its sites; empty: ``demand.mix`` for all.
    level : int
        Region level of ``mixes``; 0 where there are none.
    notices : tuple of Text
    """

    demand: pd.DataFrame
    mixes: dict[str, dict[str, float]]
    level: int
    notices: tuple[Text, ...]


def needs_of(session: Session, frame: pd.DataFrame, scenario: Scenario, profile: Profile) -> Needs:
    """Return the demand of the candidates.

    Parameters
    ----------
    session : Session
        For the pattern; only read.
    frame : DataFrame, index ``site_id``
        ``usable_ha`` and ``region{n}_code``.
    scenario, profile
        ``demand`` and the coefficients.
    """
    spec = scenario.demand
    # A thousandth of a unit is finer than any coefficient: what is published, planned and
    # checked is then one and the same number.
    if spec.mix_by_region is None:
        demand = site_demand(frame["usable_ha"], spec=spec, profile=profile).round(3)
        return Needs(demand, {}, 0, ())
    pattern = read_pattern(spec.mix_by_region)
    found = pattern_of(session, profile, pattern)
    codes = frame[f"region{pattern.level}_code"]
    parts = []
    used: dict[str, dict[str, float]] = {}
    for code, rows in frame.groupby(codes, dropna=False, sort=True):
        mix = found.mixes.get(str(code))
        if mix:
            used[str(code)] = mix
        own = spec.model_copy(update={"mix": mix or dict(spec.mix)})
        parts.append(site_demand(rows["usable_ha"], spec=own, profile=profile))
    demand = pd.concat(parts).reindex(frame.index).round(3)
    without = int((~codes.astype(str).isin(list(used))).sum())
    notice = both(
        "Demand follows the regional pattern '{pattern}' in {regions} regions; {sites} candidates "
        "lie where it gives no mix and take the scenario's own.",
        "نیاز از الگوی منطقه‌ای «{pattern}» در {regions} منطقه پیروی می‌کند؛ {sites} نامزد "
        "در جایی‌اند که الگو ترکیبی نمی‌دهد و ترکیب خود سناریو را دارند.",
        pattern=pattern.id,
        regions=len(used),
        sites=without,
    )
    return Needs(demand, used, pattern.level, (notice, *found.notices))
