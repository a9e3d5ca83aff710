"""Switches and cables of a non-blocking fat tree: what one would have to buy."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class SwitchCounts:
    """Switches by level, and cables between each two levels (`cables` each: nobody is oversubscribed)."""

    leaf: int
    spine: int
    core: int
    cables: int


def switch_counts(nodes: int, *, rails: int = 8, radix: int = 64) -> SwitchCounts:
    """Switches of a full rail-optimised fat tree: half of the ports of each leaf down, half up.

    Two levels carry up to radix² / 2 interfaces; beyond that every level but the core halves its ports again.

    Args:
        nodes: with `rails` interfaces each, a multiple of radix / 2.
        radix: ports of every switch.

    Raises:
        MendableError: leaves would not be full, or three levels do not suffice.

    Accuracy: equals the counts that NVIDIA prints for DGX B200 from two scalable units on.
    """
    half = radix // 2
    require(nodes >= 1 and nodes * rails % half == 0, f"{nodes} nodes do not fill leaves of {half} ports", "count whole scalable units")
    ports = nodes * rails
    require(ports <= radix * half * half, f"{ports} interfaces need more than three levels of {radix} ports", "use larger switches")
    if ports <= radix * half:
        return SwitchCounts(leaf=ports // half, spine=-(-ports // radix), core=0, cables=ports)
    return SwitchCounts(leaf=ports // half, spine=ports // half, core=-(-ports // radix), cables=ports)
