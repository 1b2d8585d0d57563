"""Amounts from sources to sites, in whole ticks, grown by augmenting paths."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from geoplan.siting.caps import Cap, nested

__all__ = ["Transport"]


class Transport:
    """Amounts from sources to sites, grown by augmenting paths.

    All numbers are whole, so what fits is known exactly.

    Parameters
    ----------
    headroom : mapping of int to int
        Source → ticks that may be used.
    arcs : mapping
        Site → {source → most that the line may carry, ticks}.
    single : bool
        A site takes everything from one source; then nothing that is placed is moved again.
    caps : sequence of Cap
        Joint limits over sources. Exact where they nest; where two cross, they are kept, but what
        is placed is moved less.
    """

    def __init__(
        self,
        headroom: Mapping[int, int],
        arcs: Mapping[int, Mapping[int, int]],
        *,
        single: bool = False,
        caps: Sequence[Cap] = (),
    ) -> None:
        self.spare = dict(headroom)
        self.arcs = {j: dict(a) for j, a in arcs.items()}
        self.flow: dict[int, dict[int, int]] = {}
        self.taken: dict[int, dict[int, int]] = {}
        self.single = single
        self.tree = nested(caps)
        # From the innermost cap outwards.
        order = sorted(range(len(caps)), key=lambda c: (len(caps[c].members), c))
        self.over: dict[int, tuple[int, ...]] = {}
        for rank, c in enumerate(order):
            for s in caps[c].members:
                self.over[s] = (*self.over.get(s, ()), rank)
        self.members = [caps[c].members for c in order]
        self.cap_spare = [caps[c].limit for c in order]

    def copy(self) -> Transport:
        """Return an independent copy (arcs are shared)."""
        new = Transport.__new__(Transport)
        new.spare = self.spare.copy()
        new.arcs = self.arcs
        new.flow = {j: f.copy() for j, f in self.flow.items()}
        new.taken = {s: t.copy() for s, t in self.taken.items()}
        new.single = self.single
        new.tree, new.over, new.members = self.tree, self.over, self.members
        new.cap_spare = self.cap_spare.copy()
        return new

    def room(self, source: int) -> int:
        """Return what a source can still give, its caps included."""
        most = self.spare[source]
        for c in self.over.get(source, ()):
            most = min(most, self.cap_spare[c])
        return most

    def put(self, site: int, source: int, ticks: int) -> int:
        """Place up to ``ticks`` on one line; return what was placed."""
        held = self.flow.setdefault(site, {})
        room = min(ticks, self.room(source), self.arcs[site][source] - held.get(source, 0))
        if room > 0:
            self._move(site, source, room)
        return max(room, 0)

    def _move(self, site: int, source: int, ticks: int) -> None:
        held = self.flow.setdefault(site, {})
        held[source] = held.get(source, 0) + ticks
        self.taken.setdefault(source, {})[site] = held[source]
        if held[source] == 0:
            del held[source], self.taken[source][site]
        self.spare[source] -= ticks
        for c in self.over.get(source, ()):
            self.cap_spare[c] -= ticks

    def remove(self, site: int) -> None:
        """Take a site's amounts back."""
        for source, ticks in list(self.flow.get(site, {}).items()):
            self._move(site, source, -ticks)

    def place(self, site: int, ticks: int) -> int:
        """Place ``ticks`` for a site, moving others where needed; return what did not fit."""
        if self.single:
            for source, cap in self.arcs.get(site, {}).items():
                if cap >= ticks and self.room(source) >= ticks:
                    self._move(site, source, ticks)
                    return 0
            best = max(
                (min(c, self.room(s)) for s, c in self.arcs.get(site, {}).items()), default=0
            )
            return ticks - max(best, 0)
        if self.over and self.tree:
            return self._place_capped(site, ticks)
        while ticks > 0:
            path = self._path(site)
            if path is None:
                return ticks
            room = min(ticks, self.room(path[-1]))
            for k in range(0, len(path) - 1, 2):
                j, s = path[k], path[k + 1]
                room = min(room, self.arcs[j][s] - self.flow.get(j, {}).get(s, 0))
                if k + 2 < len(path):
                    room = min(room, self.flow[path[k + 2]][s])
            # The last source gains; those on the way only change hands.
            for k in range(0, len(path) - 1, 2):
                self._move(path[k], path[k + 1], room)
                if k + 2 < len(path):
                    self._move(path[k + 2], path[k + 1], -room)
            ticks -= room
        return 0

    def _path(self, site: int) -> list[int] | None:
        """Return site, source, site, source … to a source with room, the shortest."""
        queue = deque([site])
        came_site: dict[int, tuple[int, int] | None] = {site: None}
        seen: set[int] = set()
        while queue:
            j = queue.popleft()
            held = self.flow.get(j, {})
            for s, cap in self.arcs.get(j, {}).items():
                if s in seen or cap <= held.get(s, 0):
                    continue
                seen.add(s)
                if self.room(s) > 0:
                    path = [s, j]
                    step = came_site[j]
                    while step is not None:
                        path += [step[1], step[0]]
                        step = came_site[step[0]]
                    return path[::-1]
                for other in self.taken.get(s, {}):
                    if other not in came_site:
                        came_site[other] = (j, s)
                        queue.append(other)
        return None

    def _place_capped(self, site: int, ticks: int) -> int:
        """Place ticks where caps nest: amounts may also change hands between sources of a cap."""
        while ticks > 0:
            found = self._path_capped(site)
            if found is None:
                return ticks
            steps, room = found
            room = min(room, ticks)
            for j, s, sign in steps:
                self._move(j, s, sign * room)
            ticks -= room
        return 0

    def _path_capped(self, site: int) -> tuple[list[tuple[int, int, int]], int] | None:
        """Return the moves (site, source, gain or loss) of a shortest path, and its room.

        The network is site → source → innermost cap → … → outermost cap → out, with the way
        back wherever something flows.
        """
        start = ("site", site)
        queue = deque([start])
        came: dict[tuple[str, int], tuple[tuple[str, int], int]] = {}
        seen = {start}

        def visit(node: tuple[str, int], origin: tuple[str, int], room: int) -> None:
            if node not in seen:
                seen.add(node)
                came[node] = (origin, room)
                queue.append(node)

        end = ("out", 0)
        unlimited = sum(self.arcs.get(site, {}).values()) + 1
        while queue and end not in seen:
            node = queue.popleft()
            kind, k = node
            if kind == "site":
                held = self.flow.get(k, {})
                for s, most in self.arcs.get(k, {}).items():
                    if most > held.get(s, 0):
                        visit(("source", s), node, most - held.get(s, 0))
            elif kind == "source":
                up = self.over.get(k, ())
                if self.spare[k] > 0:
                    visit(("cap", up[0]) if up else end, node, self.spare[k])
                for j, held_here in self.taken.get(k, {}).items():
                    visit(("site", j), node, held_here)
            else:
                if self.cap_spare[k] > 0:
                    chain = self.over[self.members[k][0]]
                    after = chain.index(k) + 1
                    up_node = ("cap", chain[after]) if after < len(chain) else end
                    visit(up_node, node, self.cap_spare[k])
                for s in self.members[k]:
                    chain = self.over[s]
                    if self.taken.get(s):
                        at = chain.index(k)
                        below = ("cap", chain[at - 1]) if at else ("source", s)
                        visit(below, node, unlimited)
        if end not in seen:
            return None
        steps: list[tuple[int, int, int]] = []
        room = unlimited
        node = end
        while node != start:
            origin, most = came[node]
            room = min(room, most)
            if origin[0] == "site":
                steps.append((origin[1], node[1], 1))
            elif origin[0] == "source" and node[0] == "site":
                steps.append((node[1], origin[1], -1))
            node = origin
        return steps, room
