"""Shift-share: how much of a region's change is the nation's, its mix's and its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from geoplan.errors import Problem, ProblemsFound
from geoplan.regions.activity_table import activity_table

__all__ = ["ShiftShare", "shift_share"]

Method = Literal["dunn", "esteban_marquillas"]


@dataclass(frozen=True, eq=False)
class ShiftShare:
    """The parts of change.

    Parameters
    ----------
    cells : DataFrame
        One row per region and activity: ``region``, ``activity``, ``start``, ``end``, ``change``,
        ``national``, ``mix``, ``regional``; with Esteban-Marquillas also ``homothetic``,
        ``competitive``, ``allocation`` (competitive + allocation = regional) and ``entered``
        (the activity was not in the region at the start, so it has no rate there).
    by_region, by_activity : DataFrame
        The same sums by region and by activity.
    rates : Series, index activity
        Growth of each activity in the nation, share; ``growth`` is that of all.
    growth : float
    closed : bool
        The regions make up the nation, so that ``mix`` and ``regional`` each sum to 0.
    """

    cells: pd.DataFrame
    by_region: pd.DataFrame
    by_activity: pd.DataFrame
    rates: pd.Series
    growth: float
    closed: bool


def shift_share(
    start: pd.DataFrame,
    end: pd.DataFrame,
    *,
    nation_start: pd.Series | None = None,
    nation_end: pd.Series | None = None,
    method: Method = "dunn",
) -> ShiftShare:
    """Split the change of every region and activity.

    Parameters
    ----------
    start, end : DataFrame, index region, columns activity, ≥ 0
        Jobs or units at two dates: the same regions and activities, no missing cell.
    nation_start, nation_end : Series, index activity, optional
        The nation where the regions are only part of it; both or neither.
    method : {"dunn", "esteban_marquillas"}

    Returns
    -------
    ShiftShare

    Raises
    ------
    ProblemsFound
        All faults of the tables (see `activity_table`); regions or activities that are in one
        table only; an activity that the nation did not have at the start (it has no rate); a
        nation that is smaller than its regions.

    Notes
    -----
    With ``G`` the growth of all activities in the nation and ``g_a`` of activity a (Dunn 1960)::

        national = e_ra G      mix = e_ra (g_a − G)      regional = Δ_ra − national − mix

    The last is ``e_ra (g_ra − g_a)`` where the region had the activity, and its whole change where
    it had not: so the three always sum to the change. Esteban-Marquillas (1972) parts the last
    with ``h_ra = e_r E_a / E``, what the region would have with the nation's mix::

        competitive = h_ra (g_ra − g_a)      allocation = (e_ra − h_ra)(g_ra − g_a)

    Where the region had none there is no ``g_ra``: competitive is 0, allocation the whole regional
    part, and ``entered`` is True.
    """
    a, b = _checked(start, end)
    e0 = a.sum() if nation_start is None else _nation(nation_start, a.sum(), "start")
    e1 = b.sum() if nation_end is None else _nation(nation_end, b.sum(), "end")
    if (nation_start is None) != (nation_end is None):
        raise ProblemsFound(
            "the nation is given for one date only",
            [Problem("nation", "one of start and end is missing", "give both or neither")],
        )
    born = [str(name) for name in e0.index if e0[name] == 0 and e1[name] > 0]
    if born:
        raise ProblemsFound(
            "an activity has no rate",
            [
                Problem(
                    f"activity {name}",
                    f"the nation had 0 at the start and {e1[name]:g} at the end",
                    "join it to a related activity, or leave it out",
                    code="no-rate",
                )
                for name in born
            ],
        )
    growth = float(e1.sum() / e0.sum() - 1)
    rates = (e1 / e0.where(e0 > 0) - 1).fillna(0.0)
    change = b - a
    national = a * growth
    mix = a * (rates - growth)
    parts = {
        "start": a,
        "end": b,
        "change": change,
        "national": national,
        "mix": mix,
        "regional": change - national - mix,
    }
    if method == "esteban_marquillas":
        weight = e0 / e0.sum()
        homothetic = pd.DataFrame(np.outer(a.sum(axis=1), weight), index=a.index, columns=a.columns)
        own = (b / a.where(a > 0) - 1).sub(rates, axis=1)
        competitive = (homothetic * own).where(a > 0, 0.0)
        parts |= {
            "homothetic": homothetic,
            "competitive": competitive,
            "allocation": parts["regional"] - competitive,
            "entered": (a == 0) & (b > 0),
        }
    cells = pd.DataFrame(
        {
            "region": np.repeat(a.index.to_numpy(), a.shape[1]),
            "activity": np.tile(a.columns.to_numpy(), a.shape[0]),
        }
        | {name: frame.to_numpy().ravel() for name, frame in parts.items()}
    )
    summed = [name for name in parts if name != "entered"]
    return ShiftShare(
        cells,
        cells.groupby("region", sort=False)[summed].sum(),
        cells.groupby("activity", sort=False)[summed].sum(),
        rates,
        growth,
        nation_start is None,
    )


def _checked(start: pd.DataFrame, end: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    a = activity_table(start, what="table of the start").amounts
    b = activity_table(end, what="table of the end").amounts
    problems = []
    for name, one, other in (("region", a.index, b.index), ("activity", a.columns, b.columns)):
        for label in one.symmetric_difference(other):
            at = "start" if label in one else "end"
            problems.append(
                Problem(f"{name} {label}", f"only in the table of the {at}",
                        "give it in both tables; boundaries must be those of one date",
                        code="only-once")
            )  # fmt: skip
    if problems:
        raise ProblemsFound(f"the two tables differ in {len(problems)} names", problems)
    return a, b.reindex(index=a.index, columns=a.columns)


def _nation(given: pd.Series, regions: pd.Series, when: str) -> pd.Series:
    nation = given.reindex(regions.index).astype(float)
    problems = [
        Problem(
            f"activity {name}, {when}",
            "the nation's figure is missing" if np.isnan(nation[name])
            else f"the nation has {nation[name]:g}, its regions {regions[name]:g}",
            "give the figure of the whole nation",
            code="nation-small",
        )
        for name in regions.index
        if not nation[name] >= regions[name] * (1 - 1e-9)
    ]  # fmt: skip
    if problems:
        raise ProblemsFound("the nation does not hold its regions", problems)
    return nation
