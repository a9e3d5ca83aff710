"""Other jobs on the same links.

Assumes: neighbours send on the mean what is stated, at every moment; they neither stop for this job nor start with it. What they send
alone, under max-min fair sharing among themselves, is what they take at most; of a link that then has too little left, this job gets its
fair share by flows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.links import links_named
from simulator.interconnect.neighbour_job import NeighbourJob
from simulator.interconnect.neighbour_load import NeighbourLoad
from simulator.interconnect.network import Interconnect, Shared
from simulator.interconnect.sharing import max_min_rates
from simulator.spec import Kinds

Neighbour = Annotated[NeighbourJob | NeighbourLoad, Kinds()]
"""Everything that can contend with a job for the network: the union is the registry."""


def with_neighbours(network: Interconnect, neighbours: Sequence[Neighbour], nodes: NDArray[np.int64]) -> Interconnect:
    """The network as a job finds it beside others.

    Args:
        nodes: of the job; neighbours stand on others, in the order in which they are listed.

    Raises:
        MendableError: too few free nodes, or no such link.
    """
    if not neighbours:
        return network
    capacity, reserved = network.capacity, np.zeros(len(network.capacity))
    free = np.setdiff1d(np.arange(network.accelerators // network.accelerators_per_node), nodes)
    sources, targets, demands = [], [], []
    for neighbour in neighbours:
        if isinstance(neighbour, NeighbourLoad):
            links = links_named(network, neighbour.link, neighbour.both)
            reserved[links] = 1.0 - (1.0 - reserved[links]) * (1.0 - neighbour.share)
        else:
            one, other = neighbour.messages(free)
            each = neighbour.sends * neighbour.nodes * neighbour.times / len(one)
            sources.append(one)
            targets.append(other)
            demands.append(np.full(len(one), each))
            free = np.setdiff1d(free, one)
    taken, others = reserved.copy(), np.zeros(len(capacity))
    if sources:
        offsets, links, rates = _sent(network, np.concatenate(sources), np.concatenate(targets), np.concatenate(demands), reserved)
        flow = np.repeat(np.arange(len(rates)), np.diff(offsets))
        others = np.bincount(links, minlength=len(capacity)).astype(float)
        carried = np.bincount(links, weights=rates[flow], minlength=len(capacity))
        taken += np.divide(carried, capacity, out=np.zeros(len(capacity)), where=capacity > 0)
    shared = Shared(taken=np.minimum(taken, 1.0), others=others, reserved=reserved)
    cells = tuple(size for size in network.cells if size <= network.domain)
    most = np.zeros(len(network.levels))
    for link in np.flatnonzero(shared.taken).tolist():
        level, _ = network.router.level(link)
        most[level] = max(most[level], shared.taken[link])
    levels = tuple(replace(level, taken=float(share)) for level, share in zip(network.levels, most, strict=True))
    return replace(network, cells=cells, levels=levels, shared=shared, even=False)


def _sent(
    network: Interconnect,
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    demands: NDArray[np.float64],
    reserved: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Paths between nodes, one per interface, and their max-min fair rates, none above its demand [share of an interface's rate]."""
    ports, per_node = network.ports, network.accelerators_per_node
    beside = -(-np.arange(ports) * per_node // ports)  # the first accelerator beside each interface
    ends = [(nodes[:, None] * per_node + beside).ravel() for nodes in (sources, targets)]
    offsets, links = network.paths(*ends)
    out = network.first_interface + (sources[:, None] * ports + np.arange(ports)).ravel()
    demand = np.repeat(demands, ports) * network.capacity[out]
    # A demand is a link of the flow's own; a dead interface has no rate, and its messages another way.
    demand = np.where(demand > 0, demand, np.repeat(demands, ports) * network.capacity[network.first_interface :].max(initial=0.0))
    flows = len(demand)
    own = len(network.capacity) + np.arange(flows)
    extended = np.insert(links, offsets[1:], own)
    room = np.concatenate([network.capacity * (1.0 - reserved), demand])
    return offsets, links, max_min_rates(offsets + np.arange(flows + 1), extended, room)
