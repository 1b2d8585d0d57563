"""Specialisation of the regions in the database: location quotients and concentration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.pattern import Activity, PatternSpec
from geoplan.catalogue.text import Text
from geoplan.errors import ProblemsFound
from geoplan.regions.activity_table import activity_table
from geoplan.regions.concentration import concentration_of_activities
from geoplan.regions.specialisation import Guards, location_quotients
from geoplan.siting.sentences import Named, both
from geoplan.studies.index import all_regions
from geoplan.studies.region_figure import Figures, Measured

__all__ = ["Specialisation", "measure_activities", "specialisation_of"]


@dataclass(frozen=True, eq=False)
class Specialisation:
    """What regions have of each activity.

    Parameters
    ----------
    amounts : DataFrame, region × activity
        In each activity's own unit; NaN: not known.
    base : Series, index region
        Size of each region, to which the quotients are related.
    quotients : DataFrame
        As `geoplan.regions.specialisation.location_quotients`.
    concentration : DataFrame, index activity
        As `concentration_of_activities`.
    measured : dict of activity to Measured
    notices : tuple of Text
    """

    amounts: pd.DataFrame
    base: pd.Series
    quotients: pd.DataFrame
    concentration: pd.DataFrame
    measured: dict[str, Measured]
    notices: tuple[Text, ...]


def specialisation_of(session: Session, profile: Profile, spec: PatternSpec) -> Specialisation:
    """Return how specialised the regions of a loaded country are.

    Parameters
    ----------
    session : Session
        Database.
    profile : Profile
    spec : PatternSpec
        Which activities there are and by what they are counted.
    """
    figures = Figures(session, all_regions(session, profile), spec.level)
    return measure_activities(figures, spec)


def measure_activities(figures: Figures, spec: PatternSpec) -> Specialisation:
    """Measure every activity that has a figure, and relate it to the size of the regions.

    Raises
    ------
    ProblemsFound
        A figure is negative or infinite, or is 0 in every region.
    """
    notices: list[Text] = []
    measured: dict[str, Measured] = {}
    for activity in spec.activities:
        if activity.amount is None:
            continue
        found = figures.measure(activity.amount, activity.title)
        notices += [n for n in found.notices if n not in notices]
        if found.value.notna().any():
            measured[activity.id] = found
    without = [a for a in spec.activities if a.id not in measured and a.demand_class is not None]
    if without:
        notices.append(
            both(
                "no figures by region are known for: {names}; their specialisation is left out",
                "برای این فعالیت‌ها آماری به تفکیک منطقه در دست نیست و تخصص آن‌ها شمرده نشده است: "
                "{names}",
                names=Named(
                    ", ".join(a.title.en for a in without),
                    "، ".join(a.title.in_language("fa") for a in without),
                ),
            )
        )
    amounts = pd.DataFrame({k: m.value for k, m in measured.items()}, index=figures.codes)
    base = _base(figures, spec, amounts, notices)
    by_id = {a.id: a for a in spec.activities}
    frames, spread = [], []
    for name, found in measured.items():
        quotients, concentration = _of_one(by_id[name], found, base, spec)
        frames.append(quotients)
        spread.append(concentration)
    columns = ["region", "activity", "amount", "lq", "low", "high", "reason"]
    return Specialisation(
        amounts,
        base,
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns),
        pd.concat(spread) if spread else pd.DataFrame(),
        measured,
        tuple(notices),
    )


def _base(
    figures: Figures, spec: PatternSpec, amounts: pd.DataFrame, notices: list[Text]
) -> pd.Series:
    if spec.base is None:
        return amounts.sum(axis=1, min_count=1).where(amounts.notna().all(axis=1))
    found = figures.measure(spec.base, Text(en="size of the regions", fa="اندازهٔ منطقه‌ها"))
    notices += found.notices
    return found.value


def _of_one(
    activity: Activity, found: Measured, base: pd.Series, spec: PatternSpec
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return quotients and concentration of one activity; each has its own unit and guard."""
    frame = found.value.to_frame(activity.id)
    # What is not known cannot be in the nation's total either: the total is that of the known.
    total = pd.Series({activity.id: float(found.value.sum())})
    try:
        table = activity_table(frame, base=base, activity_total=total, what=activity.title.en)
    except ProblemsFound as error:
        if [p.code for p in error.problems] != ["all-zero"]:
            raise
        empty = pd.DataFrame(
            {"region": frame.index, "activity": activity.id, "amount": found.value.to_numpy(),
             "lq": np.nan, "low": np.nan, "high": np.nan, "reason": "activity-small"}
        )  # fmt: skip
        return empty, pd.DataFrame()
    counts = activity.counted != "capacity"
    # Capacity has no number to guard it, but the plants behind it have.
    few = not counts and found.rows and found.rows < spec.guards.units_min
    least = Guards(
        spec.guards.region_min,
        np.inf if few else spec.guards.units_min if counts else 0.0,
    )
    quotients = location_quotients(table, counted=counts, guards=least)
    plants = {activity.id: found.sizes} if found.sizes and not few else None
    return quotients, concentration_of_activities(table, plants)
