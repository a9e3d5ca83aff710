"""Nodes of several kinds on one fabric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import domain_of, ports_of
from simulator.interconnect.links import interface_links
from simulator.interconnect.network import Interconnect
from simulator.spec import require


def joinable(node: Node, other: Node) -> None:
    """Refuse nodes that cannot work as ranks of one job beside the first kind.

    Raises:
        MendableError: they have another shape.
    """
    shapes = (
        ("accelerators", node.accelerators, other.accelerators),
        ("network interfaces", ports_of(node), ports_of(other)),
        ("accelerators in a scale-up domain", domain_of(node), domain_of(other)),
        ("fabric inside", node.scale_up.kind, other.scale_up.kind),
    )
    for what, one, two in shapes:
        require(
            one == two,
            f"node {other.name or 'of the other kind'} has as {what} {two}, {node.name or 'the first kind'} has {one}",
            "only nodes of one shape are mixed in a job; run the others as a job of their own",
        )


def with_nodes(network: Interconnect, node: Node, others: Sequence[tuple[Node, NDArray[np.int64]]]) -> Interconnect:
    """A network built for one kind of node, some of them of another kind: their interfaces and inner links have their own rates.

    Assumes: what is above the interfaces is as wide as for the first kind.

    Args:
        others: kind, and the nodes of that kind by place in the machine room.

    Raises:
        MendableError: another shape of node.
    """
    capacity, latency = network.capacity.copy(), network.latency.copy()
    per_node, first = network.accelerators_per_node, network.first_interface
    for other, nodes in others:
        joinable(node, other)
        links = interface_links(network, tuple(nodes.tolist()), None)
        capacity[links] *= other.nics * other.nic_rate / (node.nics * node.nic_rate)
        each = first // network.accelerators
        accelerators = (nodes[:, None] * per_node + np.arange(per_node)).ravel()
        inside = accelerators[:, None] * each + np.arange(each) if node.scale_up.kind == "mesh" else np.arange(each) * network.accelerators
        if node.scale_up.kind != "mesh":
            inside = accelerators[:, None] + inside
        capacity[inside.ravel()] *= other.scale_up.rate / node.scale_up.rate
        latency[inside.ravel()] *= other.scale_up.latency / node.scale_up.latency
    # Levels tell the mean, so that what all links carry together is right.
    inner = int(network.domain > 1)
    rates = [float(capacity[:first].mean() / network.capacity[:first].mean())] * inner
    rates.append(float(capacity[first : first + network.accelerators // per_node * network.ports].mean() / network.capacity[first]))
    told = (replace(level, rate=level.rate * rate) for level, rate in zip(network.levels, rates, strict=False))
    reduces = network.scale_up.reduction and all(other.scale_up.reduction for other, _ in others)
    return replace(
        network,
        capacity=capacity,
        latency=latency,
        cells=(),
        levels=(*told, *network.levels[len(rates) :]),
        even=False,
        scale_up=replace(network.scale_up, reduction=reduces),
    )
