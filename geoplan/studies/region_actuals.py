"""Target against actual by quarter, with ranks overall and among peers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue.slices import TargetSpec
from geoplan.catalogue.text import Text
from geoplan.regions.peers import peer_groups
from geoplan.regions.quarters import against_target
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.store import read
from geoplan.studies.region_run import NAMES

__all__ = ["STATUS", "actuals_sheet", "standing"]

STATUS = {
    "green": Text(en="on target", fa="در هدف"),
    "amber": Text(en="near it", fa="نزدیک هدف"),
    "red": Text(en="below it", fa="پایین‌تر از هدف"),
    "not reported": Text(en="not reported", fa="گزارش نشده"),
    "not due": Text(en="not due", fa="سررسید نشده"),
    "no target": Text(en="no target", fa="بی هدف"),
}


def standing(
    session: Session, spec: TargetSpec, targets: pd.DataFrame, actuals: pd.DataFrame, *, until: int
) -> pd.DataFrame:
    """Return target against actual by region and quarter, with ranks at the last quarter.

    Parameters
    ----------
    session : Session
        For the figures that make regions alike; only read.
    spec : TargetSpec
    targets : DataFrame
        From `geoplan.regions.quarters.quarter_targets`.
    actuals : DataFrame
        See `geoplan.regions.quarters.against_target`.
    until : int
        Last quarter that has ended, 1–4.

    Returns
    -------
    DataFrame
        As `against_target`, with ``rank`` among the regions of the level by the cumulative ratio
        at ``until`` (1 is the best; NaN where nothing was reported), ``peers`` (group; missing
        where none) and ``peer_rank``.
    """
    frame = against_target(targets, actuals, spec.quarters, until=until)
    last = frame[frame["quarter"] == until].copy()
    last["rank"] = last.groupby("level")["cumulative_ratio"].rank(ascending=False, method="min")
    last["peers"] = _peers(session, spec, last)
    last["peer_rank"] = last.groupby(["level", "peers"])["cumulative_ratio"].rank(
        ascending=False, method="min"
    )
    keys = ["level", "code"]
    return frame.merge(last[[*keys, "rank", "peers", "peer_rank"]], on=keys, how="left")


def _peers(session: Session, spec: TargetSpec, last: pd.DataFrame) -> pd.Series:
    peers = spec.scorecard.peers if spec.scorecard is not None else None
    out = pd.Series(pd.NA, index=last.index, dtype=object)
    if peers is None:
        return out
    level = int(last["level"].min())
    codes = pd.Index(last.loc[last["level"] == level, "code"], name="code")
    indicators = None
    if peers.variables:
        facts = read.region_facts(session)
        mine = facts[(facts["level"] == level) & facts["variable"].isin(peers.variables)]
        indicators = mine.pivot(index="region_code", columns="variable", values="value")
        indicators = indicators.reindex(index=codes, columns=list(peers.variables)).astype(float)
    found = peer_groups(peers, codes, indicators)
    here = last["level"] == level
    out[here] = last.loc[here, "code"].map(found.group)
    return out


def actuals_sheet(frame: pd.DataFrame, unit: str) -> Sheet:
    """Return the table of `standing`, with names, as a sheet."""
    told = frame.copy()
    for language in ("en", "fa"):
        told[f"status_{language}"] = [
            STATUS[s].in_language(language) if s in STATUS else s for s in told["status"]
        ]
    told["earlier"] = [
        ", ".join(f"{v:g}" for v in e) if isinstance(e, tuple) else "" for e in told["earlier"]
    ]
    told["cumulative_ratio"] = told["cumulative_ratio"].replace([np.inf, -np.inf], np.nan)
    columns = (
        SheetColumn("level", Text(en="Level", fa="سطح"), "integer"),
        *NAMES,
        SheetColumn("quarter", Text(en="Quarter", fa="سه‌ماهه"), "integer"),
        SheetColumn("target", Text(en="Target", fa="هدف"), "number", unit, decimals=0),
        SheetColumn("actual", Text(en="Actual", fa="عملکرد"), "number", unit, decimals=1),
        SheetColumn("ratio", Text(en="Actual / target", fa="عملکرد به هدف"), "share", decimals=1),
        SheetColumn("status_en", Text(en="State", fa="وضعیت")),
        SheetColumn("status_fa", Text(en="State", fa="وضعیت")),
        SheetColumn("cumulative_ratio", Text(en="Since the first quarter", fa="از آغاز سال"),
                    "share", decimals=1),
        SheetColumn("rank", Text(en="Rank", fa="رتبه"), "integer"),
        SheetColumn("peers", Text(en="Peer group", fa="گروه همتا")),
        SheetColumn("peer_rank", Text(en="Rank among peers", fa="رتبه میان همتایان"), "integer"),
        SheetColumn("earlier", Text(en="Earlier figures", fa="رقم‌های پیشین")),
        SheetColumn("reason", Text(en="Reason for the change", fa="دلیل تغییر")),
    )  # fmt: skip
    title = Text(en="Target against actual", fa="هدف و عملکرد")
    return Sheet("actuals", title, columns, told.reset_index(drop=True))
