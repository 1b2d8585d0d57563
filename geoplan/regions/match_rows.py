"""The rows of a join of regions: what became of each, with its evidence in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.errors import RangeError
from geoplan.regions.match_words import sentence
from geoplan.regions.overlap import Overlap

__all__ = ["MATCH_COLUMNS", "MatchLimits", "Pair", "Sides", "Ties", "match_rows"]

Ties = dict[tuple[str, int], tuple[int, ...]]
"""Side and row of a region whose name fits several others equally well → their rows."""

MATCH_COLUMNS = (
    "accounts_for", "status", "method",
    "old_code", "old_name", "old_parent", "new_code", "new_name", "new_parent",
    "share_old", "share_new", "covered_old", "covered_new", "comparable", "conflict",
    "reason_en", "reason_fa",
)  # fmt: skip
"""``accounts_for``: both, old, new. ``status``: matched, renamed, split, merged, unmatched.
``method``: code, name, variant, geometry. ``share_old``, ``share_new``: common area as a share of
the old and the new region; ``covered_old``, ``covered_new``: share of the region that the other
source covers at all. ``comparable``: the border did not move. A split row names the old region
that held most of it, a merged row the new one that holds most of it."""

_ALSO = 0.05  # a second region is named from this share on


@dataclass(frozen=True, slots=True)
class MatchLimits:
    """Shares of area, 0 to 1, at which decisions fall.

    Parameters
    ----------
    inside : float
        A region lies in another with at least this share of what both sources cover.
    same : float
        Borders count as unmoved when both shares reach this: two drawings of one border never
        agree wholly.
    covered : float
        Less than this share covered by the other source: nothing is concluded from the rest.
    sliver : float
        Overlaps below this share of both regions are taken for noise of drawing, and left out of
        the crosswalk.
    """

    inside: float = 0.5
    same: float = 0.9
    covered: float = 0.5
    sliver: float = 0.05

    def __post_init__(self) -> None:
        for name in ("inside", "same", "covered", "sliver"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise RangeError(f"{name} is {value:g}", where="limits", remedy="give 0 to 1")
        if self.inside < 0.5:
            raise RangeError(
                f"inside is {self.inside:g}: a region could lie in two others",
                where="limits", remedy="give 0.5 to 1",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """An old and a new region that are one.

    Parameters
    ----------
    old, new : int
        Row numbers.
    method : str
        How it is known.
    alike : bool
        Whether their names agree.
    elsewhere : int or None
        Row of another new region that bears the old name, where they do not.
    """

    old: int
    new: int
    method: str
    alike: bool
    elsewhere: int | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sources, sorted by code, and the name columns that both have."""

    old: pd.DataFrame
    new: pd.DataFrame
    names: tuple[str, ...]

    def name(self, side: str, place: int) -> str | None:
        """Return the first name that a region has; None where it has none."""
        frame = self.old if side == "old" else self.new
        for column in (*self.names, "name_local", "name_en"):
            if column in frame.columns:
                found = frame[column].iat[place]
                if isinstance(found, str) and found.strip():
                    return found
        return None

    def label(self, side: str, place: int) -> str:
        """Return the name, else the code."""
        frame = self.old if side == "old" else self.new
        return self.name(side, place) or str(frame["code"].iat[place])


def match_rows(
    sides: Sides,
    pairs: Sequence[Pair],
    ambiguous: Ties,
    overlap: Overlap | None,
    *,
    limits: MatchLimits,
) -> pd.DataFrame:
    """Return one row per pair and per region that has no partner; see `MATCH_COLUMNS`."""
    rows = [_pair_row(sides, pair, overlap, limits) for pair in pairs]
    held = {("old", p.old) for p in pairs} | {("new", p.new) for p in pairs}
    for side, count in (("old", len(sides.old)), ("new", len(sides.new))):
        for place in range(count):
            if (side, place) not in held:
                tied = ambiguous.get((side, place), ())
                rows.append(_single_row(sides, side, place, overlap, limits, tied=tied))
    frame = pd.DataFrame(rows, columns=list(MATCH_COLUMNS))
    frame["comparable"] = frame["comparable"].astype("boolean")
    order = ["old_code", "accounts_for", "new_code"]
    return frame.sort_values(order, na_position="last", ignore_index=True)


def _row(
    sides: Sides, accounts_for: str, i: int | None, j: int | None, overlap: Overlap | None
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(MATCH_COLUMNS)
    row |= {"accounts_for": accounts_for, "conflict": False, "comparable": pd.NA}
    for side, frame, place in (("old", sides.old, i), ("new", sides.new, j)):
        if place is not None:
            row[f"{side}_code"] = frame["code"].iat[place]
            row[f"{side}_name"] = sides.name(side, place)
            parent = frame["parent_code"].iat[place]
            row[f"{side}_parent"] = None if pd.isna(parent) else str(parent)
    shares = ("share_old", "share_new", "covered_old", "covered_new")
    row |= dict.fromkeys(shares, np.nan)
    if overlap is not None:
        if i is not None:
            row["covered_old"] = float(overlap.cover_of_old[i])
        if j is not None:
            row["covered_new"] = float(overlap.cover_of_new[j])
        if i is not None and j is not None:
            row["share_old"] = float(overlap.of_old[i, j])
            row["share_new"] = float(overlap.of_new[i, j])
    return row


def _say(row: dict[str, Any], texts: Sequence[Text]) -> dict[str, Any]:
    row["reason_en"] = "; ".join(t.en for t in texts)
    row["reason_fa"] = "؛ ".join(t.fa or t.en for t in texts)
    return row


def _pair_row(
    sides: Sides, pair: Pair, overlap: Overlap | None, limits: MatchLimits
) -> dict[str, Any]:
    i, j = pair.old, pair.new
    row = _row(sides, "both", i, j, overlap)
    shaped = not np.isnan(row["share_old"]) and not np.isnan(row["share_new"])
    words: dict[str, Any] = {"old": sides.label("old", i), "new": sides.label("new", j)}
    if shaped and overlap is not None:
        words |= {"of_old": row["share_old"], "of_new": row["share_new"]}
    named = sides.name("old", i) is not None and sides.name("new", j) is not None
    renamed = not pair.alike and named and pair.method in ("code", "geometry")
    row |= {"status": "renamed" if renamed else "matched", "method": pair.method}
    texts: list[Text] = []
    if renamed:
        texts.append(sentence("renamed" if shaped else "renamed-code", **words))
    elif pair.method == "geometry":
        texts.append(sentence("geometry", **words))
    else:
        texts.append(sentence(pair.method, **words))
    parents = (row["old_parent"], row["new_parent"])
    if None not in parents and parents[0] != parents[1]:
        texts.append(sentence("moved", old_parent=parents[0], new_parent=parents[1]))
    if shaped and overlap is not None:
        inner = (float(overlap.in_old[i, j]), float(overlap.in_new[i, j]))
        row["comparable"] = min(inner) >= limits.same
        conflict = _conflict(sides, pair, overlap, limits, words)
        if conflict is None and not renamed and inner[0] < limits.same:
            texts.append(sentence("shrank", of_old=inner[0]))
        if conflict is None and not renamed and inner[1] < limits.same:
            texts.append(sentence("grew", of_new=inner[1]))
        if row["covered_new"] < limits.same:
            texts.append(sentence("sea", open=1.0 - row["covered_new"]))
    else:
        conflict = sentence("conflict-name", **words) if renamed else None
    if pair.elsewhere is not None:
        code = str(sides.new["code"].iat[pair.elsewhere])
        conflict = sentence("conflict-elsewhere", old=words["old"], code=code)
    if conflict is not None:
        row["conflict"] = True
        texts.insert(1, conflict)
    return _say(row, texts)


def _conflict(
    sides: Sides, pair: Pair, overlap: Overlap, limits: MatchLimits, words: dict[str, Any]
) -> Text | None:
    """Return what speaks against a pair that a code or a name made."""
    i, j = pair.old, pair.new
    if pair.method == "geometry":
        return None
    if max(overlap.in_old[i, j], overlap.in_new[i, j]) < limits.inside:
        return sentence("conflict-apart", method=pair.method,
                        of_old=words["of_old"], of_new=words["of_new"])  # fmt: skip
    rivals = overlap.both[i].copy()
    rivals[j] = 0.0
    rival = int(rivals.argmax())
    if rivals[rival] >= max(limits.inside, float(overlap.both[i, j])):
        return sentence("conflict-rival", rival=sides.label("new", rival),
                        of_rival=float(rivals[rival]))  # fmt: skip
    return None


def _single_row(
    sides: Sides,
    side: str,
    place: int,
    overlap: Overlap | None,
    limits: MatchLimits,
    *,
    tied: Sequence[int],
) -> dict[str, Any]:
    i, j = (place, None) if side == "old" else (None, place)
    row = _row(sides, side, i, j, overlap)
    row["status"] = "unmatched"
    covered = row[f"covered_{side}"]
    if overlap is None or np.isnan(covered):
        if tied:
            other = "new" if side == "old" else "old"
            named = ", ".join(sides.label(other, n) for n in tied)
            return _say(row, [sentence("ambiguous", others=named)])
        nameless = sides.name(side, place) is None
        return _say(row, [sentence("no-name" if nameless else "no-shape")])
    inner = overlap.in_old[place] if side == "old" else overlap.in_new[:, place]
    other = "new" if side == "old" else "old"
    # Equal shares go to the smaller code: argmax takes the first of the sorted rows.
    best = int(inner.argmax()) if len(inner) else 0
    named = _listed(sides, other, inner, _ALSO)
    if covered < limits.covered:
        texts = [sentence("uncovered", open=1.0 - float(covered))]
        if named:
            texts.append(sentence("nearest", others=named))
        return _say(row, texts)
    if inner[best] < limits.inside:
        return _say(row, [sentence("scattered", others=named)])
    i, j = (place, best) if side == "old" else (best, place)
    row = _row(sides, side, i, j, overlap)
    words = {"of_old": row["share_old"], "of_new": row["share_new"],
             "old": sides.label("old", i), "new": sides.label("new", j)}  # fmt: skip
    row |= {"status": "merged" if side == "old" else "split", "method": "geometry"}
    texts = [sentence(str(row["status"]), **words)]
    rest = inner.copy()
    rest[best] = 0.0
    more = _listed(sides, other, rest, _ALSO)
    if more and side == "new":
        texts.append(sentence("split-more", others=more))
    if 1.0 - covered > _ALSO:
        texts.append(sentence("sea", open=1.0 - float(covered)))
    return _say(row, texts)


def _listed(sides: Sides, side: str, shares: np.ndarray, least: float) -> str:
    places = [p for p in np.argsort(-shares, kind="stable") if shares[p] >= least][:4]
    return ", ".join(f"{sides.label(side, int(p))} ({100 * shares[p]:.0f}%)" for p in places)
