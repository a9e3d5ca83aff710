"""Switches and cables of a non-blocking fat tree: what one would have to buy."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class SwitchCounts:
    """Switches by level, and cables between each two levels (`cables` each: nobody is oversubscribed); a cable carries what an interface
    can, over all planes."""

    leaf: int
    spine: int
    core: int
    cables: int


def switch_counts(nodes: int, *, rails: int = 8, radix: int = 64, planes: int = 1) -> SwitchCounts:
    """Switches of a full rail-optimised fat tree: half of the ports of each leaf down, half up.

    Two levels carry up to radix² / 2 interfaces; beyond that every level but the core halves its ports again. Every leaf has equally many
    cables to each spine, which may take a few spines more than would fill their ports.

    Args:
        nodes: with `rails` interfaces each, a multiple of radix / 2.
        radix: ports of every switch.
        planes: trees side by side, each with one port of every interface.

    Raises:
        MendableError: leaves would not be full, or three levels do not suffice.

    Accuracy: equals the counts that NVIDIA prints for DGX B200 from two scalable units on, and for DGX B300 on Ethernet and InfiniBand.
    """
    half = radix // 2
    require(nodes >= 1 and nodes * rails % half == 0, f"{nodes} nodes do not fill leaves of {half} ports", "count whole scalable units")
    ports = nodes * rails
    require(ports <= radix * half * half, f"{ports} interfaces need more than three levels of {radix} ports", "use larger switches")
    leaves, tops = ports // half, -(-ports // radix)
    if ports > radix * half:
        return SwitchCounts(leaf=planes * leaves, spine=planes * leaves, core=planes * tops, cables=ports)
    while half % tops:
        tops += 1
    return SwitchCounts(leaf=planes * leaves, spine=planes * tops, core=0, cables=ports)
