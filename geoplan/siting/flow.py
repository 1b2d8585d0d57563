"""Exact sharing of sources among a given set of sites, in whole ticks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from geoplan.siting.problem import Prepared, Resource

__all__ = ["Transport", "network_of", "serve_together"]


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
    """

    def __init__(
        self,
        headroom: Mapping[int, int],
        arcs: Mapping[int, Mapping[int, int]],
        *,
        single: bool = False,
    ) -> None:
        self.spare = dict(headroom)
        self.arcs = {j: dict(a) for j, a in arcs.items()}
        self.flow: dict[int, dict[int, int]] = {}
        self.taken: dict[int, dict[int, int]] = {}
        self.single = single

    def copy(self) -> Transport:
        """Return an independent copy (arcs are shared)."""
        new = Transport.__new__(Transport)
        new.spare = self.spare.copy()
        new.arcs = self.arcs
        new.flow = {j: f.copy() for j, f in self.flow.items()}
        new.taken = {s: t.copy() for s, t in self.taken.items()}
        new.single = self.single
        return new

    def put(self, site: int, source: int, ticks: int) -> int:
        """Place up to ``ticks`` on one line; return what was placed."""
        held = self.flow.setdefault(site, {})
        room = min(ticks, self.spare[source], self.arcs[site][source] - held.get(source, 0))
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

    def remove(self, site: int) -> None:
        """Take a site's amounts back."""
        for source, ticks in list(self.flow.get(site, {}).items()):
            self._move(site, source, -ticks)

    def place(self, site: int, ticks: int) -> int:
        """Place ``ticks`` for a site, moving others where needed; return what did not fit."""
        if self.single:
            for source, cap in self.arcs.get(site, {}).items():
                if cap >= ticks and self.spare[source] >= ticks:
                    self._move(site, source, ticks)
                    return 0
            best = max(
                (min(c, self.spare[s]) for s, c in self.arcs.get(site, {}).items()), default=0
            )
            return ticks - max(best, 0)
        while ticks > 0:
            path = self._path(site)
            if path is None:
                return ticks
            room = min(ticks, self.spare[path[-1]])
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
                if self.spare[s] > 0:
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


def network_of(
    resource: Resource, sites: Iterable[int], *, need: Mapping[int, int] | None = None
) -> Transport:
    """Return an empty `Transport` of a resource for ``sites``.

    Parameters
    ----------
    resource : Resource
    sites : iterable of int
    need : mapping, optional
        What each site takes from sources, ticks; absent: the residual demand.
    """
    wanted = set(sites)
    residual = resource.residual
    arcs: dict[int, dict[int, int]] = {j: {} for j in sorted(wanted)}
    for j, s in zip(resource.link_site.tolist(), resource.link_source.tolist(), strict=True):
        if j in wanted:
            most = int(residual[j]) if need is None else need[j]
            arcs[j][s] = min(most, int(resource.headroom[s]))
    return Transport(
        dict(enumerate(resource.headroom.tolist())), arcs, single=resource.rule.single_source
    )


def serve_together(prepared: Prepared, sites: Iterable[int]) -> dict[str, int]:
    """Return what each resource lacks, in ticks, when ``sites`` are served together.

    Exact unless a resource is ``single_source``, where it is an upper bound on the lack
    (placing whole demands is a packing question).
    """
    chosen = sorted(sites)
    lack: dict[str, int] = {}
    for resource in prepared.resources:
        transport = network_of(resource, chosen)
        residual = resource.residual
        order = sorted(chosen, key=lambda j: (-int(residual[j]), j))
        lack[resource.name] = sum(transport.place(j, int(residual[j])) for j in order)
    return lack
