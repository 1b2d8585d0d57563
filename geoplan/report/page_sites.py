"""The sites on the page: the chosen ones, those left out, and the sources that serve them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geoplan.catalogue import RESOURCES
from geoplan.report.order import by_rank, site_numbers
from geoplan.report.tables import settle_flows
from geoplan.siting.result import SitingResult

__all__ = ["chosen_sites", "joint_limits", "left_out", "site_labels", "sources_used"]

_FULL = 0.999
"""Share of what may be taken of a headroom from which a source counts as used up."""


def chosen_sites(result: SitingResult) -> list[dict[str, Any]]:
    """Return the chosen sites, best first, each with its number, reasons, criteria and supply."""
    numbers = site_numbers(result)
    supply = by_rank(settle_flows(result.supply, result.sources), result)
    found = []
    for row in by_rank(result.portfolio, result).to_dict("records"):
        site = str(row["site_id"])
        candidate = result.candidates.loc[row["site_id"]]
        found.append(
            {
                **row,
                "number": numbers[site],
                "rank": candidate["rank"],
                "industrialisation": candidate["industrialisation"],
                "less_industrialised": _true(candidate["less_industrialised"]),
                "acceptability": candidate.get("inclusion_acceptability"),
                "jobs": candidate.get("jobs"),
                # The supply stands in a table beside the reasons, with its basis marked.
                "reasons": [r for r in result.reasons.get(site, ()) if r.code != "supply"],
                "criteria": [
                    (
                        name,
                        criterion,
                        candidate[f"measured_{name}"],
                        candidate[f"contribution_{name}"],
                    )
                    for name, criterion in result.scenario.criteria.items()
                ],
                "supply": supply[supply["site_id"] == row["site_id"]].to_dict("records"),
            }
        )
    return found


def site_labels(result: SitingResult) -> dict[str, dict[str, Any]]:
    """Return the columns of each candidate by its id, with ``number`` where it is chosen."""
    numbers = site_numbers(result)
    frame = pd.DataFrame(result.candidates.drop(columns="geometry", errors="ignore"))
    keep = [c for c in frame.columns if c.startswith("region") or c in ("rank", "score")]
    return {
        str(site): {**row, "number": numbers.get(str(site))}
        for site, row in zip(frame.index, frame[keep].to_dict("records"), strict=True)
    }


def _true(value: Any) -> bool:
    return bool(pd.notna(value) and value)


def left_out(result: SitingResult) -> list[dict[str, Any]]:
    """Return candidates better than the last chosen one that the plan does not hold."""
    frame = result.candidates
    chosen = frame[frame["in_portfolio"].astype(bool)]
    last = chosen["rank"].max() if len(chosen) else 0
    out = frame[~frame["in_portfolio"].astype(bool) & (frame["rank"] < last)].sort_values("rank")
    rows = pd.DataFrame(out.drop(columns="geometry", errors="ignore")).reset_index()
    return [
        {**row, "reasons": result.reasons.get(str(row["site_id"]), ())}
        for row in rows.to_dict("records")
    ]


def sources_used(result: SitingResult) -> dict[str, list[dict[str, Any]]]:
    """Return the network sources in use by resource, the fullest first."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in RESOURCES}
    frame = result.sources
    if not len(frame):
        return found
    frame = frame[(frame["used"] > 0) & ~frame["kind"].isin(["own", "shortfall"])]
    built = frame["modules"] if "modules" in frame.columns else pd.Series(0.0, frame.index)
    # What is built at a source stands beside the headroom that it has: a share of one would
    # pass 100 % and say nothing.
    share = (frame["used"] / frame["headroom"].where(frame["headroom"] > 0)).clip(upper=1.0)
    frame = frame.assign(share=share, modules=built.fillna(0.0)).sort_values(
        ["share", "source_id"], ascending=[False, True], kind="stable"
    )
    for row in frame.to_dict("records"):
        name = str(row["resource"])
        allowed = getattr(result.scenario.supply, name).headroom_share_max
        found[name].append({**row, "binds": row["share"] >= _FULL * allowed})
    return found


def joint_limits(result: SitingResult) -> list[dict[str, Any]]:
    """Return the limits that sources share, the fullest first."""
    frame = result.caps
    if not len(frame):
        return []
    share = frame["used"] / frame["max"].where(frame["max"] > 0)
    frame = frame.assign(share=share, binds=share >= _FULL)
    frame = frame.sort_values(["share", "id"], ascending=[False, True], kind="stable")
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]
