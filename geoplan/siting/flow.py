"""Exact sharing of sources among a given set of sites, in whole ticks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geoplan.siting.problem import Prepared, Resource
from geoplan.siting.transport import Transport

__all__ = ["Transport", "network_of", "serve_together"]


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

    Notes
    -----
    Every source stands at its raised headroom, with all the modules it may have.
    """
    wanted = set(sites)
    residual, raised = resource.residual, resource.raised
    arcs: dict[int, dict[int, int]] = {j: {} for j in sorted(wanted)}
    for j, s in zip(resource.link_site.tolist(), resource.link_source.tolist(), strict=True):
        if j in wanted:
            most = int(residual[j]) if need is None else need[j]
            arcs[j][s] = min(most, int(raised[s]))
    return Transport(
        dict(enumerate(raised.tolist())),
        arcs,
        single=resource.rule.single_source,
        caps=resource.caps,
    )


def serve_together(prepared: Prepared, sites: Iterable[int]) -> dict[str, int]:
    """Return what each resource lacks, in ticks, when ``sites`` are served together.

    Exact unless a resource is ``single_source`` or has caps that cross, where it is an upper
    bound on the lack (placing whole demands is a packing question).
    """
    chosen = sorted(sites)
    lack: dict[str, int] = {}
    for resource in prepared.resources:
        transport = network_of(resource, chosen)
        residual = resource.residual
        order = sorted(chosen, key=lambda j: (-int(residual[j]), j))
        lack[resource.name] = sum(transport.place(j, int(residual[j])) for j in order)
    return lack
