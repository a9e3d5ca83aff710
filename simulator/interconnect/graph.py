"""A built network as an explicit graph, for checks and drawing at small sizes: nothing that runs needs it."""

from __future__ import annotations

from typing import Any

import networkx

from simulator.interconnect.network import Interconnect


def graph(network: Interconnect) -> networkx.DiGraph[str]:
    """The network's links between its named vertices: edges carry `link`, `capacity` [B/s] and `latency` [s]."""
    wired: networkx.DiGraph[str] = networkx.DiGraph()
    for link in range(len(network.capacity)):
        tail, head = network.router.ends(link)
        attributes: dict[str, Any] = {"link": link, "capacity": float(network.capacity[link]), "latency": float(network.latency[link])}
        wired.add_edge(tail, head, **attributes)
    for one, other in network.router.attachments():
        wired.add_edge(one, other, latency=0.0)
        wired.add_edge(other, one, latency=0.0)
    return wired
