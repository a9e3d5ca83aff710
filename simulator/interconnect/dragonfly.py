"""Groups of switches that are all joined inside a group, and groups that are all joined to one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import Ports, Step, attached, ports_of
from simulator.interconnect.network import Interconnect
from simulator.outcome import NetworkLevel
from simulator.spec import BytesPerSecond, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class Dragonfly(Sourced):
    """A dragonfly of one-dimensional groups.

    Args:
        groups: how many.
        group_switches: switches in each, all joined to one another.
        switch_interfaces: network interfaces on each switch; nodes fill switch after switch.
        arc_links: links between each pair of groups, spread over the switches of both.
        local_links: links between two switches of a group.
        link_rate: of one link and direction [B/s]; that of a network interface where absent.
        hop_latency: of a link between switches; half of it between an interface and its switch [s].
        routing: `minimal`: at most one hop inside each of the two groups and one between them; `valiant`: over a third group, which
            spreads traffic between few groups at the cost of the double load.

    Source: Kim, Dally, Scott, Abts, Technology-driven, highly-scalable dragonfly topology, ISCA 2008.
    """

    kind: Literal["dragonfly"] = "dragonfly"
    groups: int
    group_switches: int
    switch_interfaces: int
    arc_links: int = 1
    local_links: int = 1
    link_rate: BytesPerSecond | None = None
    hop_latency: Seconds = 1e-6
    routing: Literal["minimal", "valiant"] = "minimal"

    def __post_init__(self) -> None:
        for name in ("groups", "group_switches", "switch_interfaces", "arc_links", "local_links"):
            require(getattr(self, name) >= 1, f"{name} is {getattr(self, name)}, at least 1 is expected")

    def build(self, node: Node, count: int) -> Interconnect:
        """The whole dragonfly with `count` nodes on its first switches.

        Raises:
            MendableError: more nodes than it holds.
        """
        ports = ports_of(node)
        most = self.groups * self.group_switches * self.switch_interfaces // ports
        require(count <= most, f"{count} nodes do not fit, {most} do", "write more groups, or more switches in each")
        wiring = _Groups(
            groups=self.groups,
            switches=self.group_switches,
            ports=self.switch_interfaces,
            arcs=self.arc_links,
            local=self.local_links,
            rate=self.link_rate or node.nic_rate,
            hop=self.hop_latency,
            valiant=self.routing == "valiant",
            interface=node.nics * node.nic_rate / ports,
        )
        return attached(node, count, wiring)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Groups:
    """Local links by switch and place of the other, then global links by group, other group and number in the arc."""

    groups: int
    switches: int
    ports: int
    arcs: int
    local: int
    rate: float
    hop: float
    valiant: bool
    interface: float
    edge: str = "switch"

    @property
    def _inside(self) -> int:
        return self.groups * self.switches * (self.switches - 1)

    @property
    def _between(self) -> int:
        return self.groups * (self.groups - 1) * self.arcs

    @property
    def edge_latency(self) -> float:
        return self.hop / 2

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.repeat([self.local * self.rate, self.rate], [self._inside, self._between])

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.full(self._inside + self._between, self.hop)

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        below = self.switches * self.ports * self.interface
        inside = NetworkLevel(
            name="switch-switch",
            links=self._inside // 2,
            rate=self.local * self.rate,
            oversubscription=2 * self.ports * self.interface / (self.switches * self.local * self.rate),
        )
        out = (self.groups - 1) * self.arcs * self.rate
        between = NetworkLevel(name="group-group", links=self._between // 2, rate=self.rate, oversubscription=below / out if out else 1.0)
        return tuple(level for level in (inside, between) if level.links)

    def _gateway(self, group: Ports, other: Ports, number: Ports) -> Ports:
        """Switch of `group` at which a link of the arc to `other` ends."""
        return ((other - group - 1) % self.groups * self.arcs + number) % self.switches

    def _local(self, group: Ports, switch: Ports, other: Ports) -> Step:
        link = (group * self.switches + switch) * (self.switches - 1) + other - (other > switch)
        return switch != other, link

    def _hop(self, group: Ports, switch: Ports, other: Ports, number: Ports) -> tuple[list[Step], Ports]:
        """To another group: (the steps, the switch at which one arrives); none where it is the same group."""
        gateway = np.where(group == other, switch, self._gateway(group, other, number))
        arc = self._inside + (group * (self.groups - 1) + other - (other > group)) * self.arcs + number
        steps = [self._local(group, switch, gateway), (group != other, arc)]
        return steps, np.where(group == other, switch, self._gateway(other, group, number))

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """Inside the group, to the other group, inside that group."""
        here, there = out // self.ports, into // self.ports
        group, switch = here // self.switches, here % self.switches
        goal, last = there // self.switches, there % self.switches
        number = into % self.arcs
        steps: list[Step] = []
        if self.valiant:
            # A group for each pair, spread by multiplicative hashing (Knuth, TAOCP 3, section 6.4).
            mixed = out * 0x9E3779B1 + into * 0x85EBCA77
            third = np.where(group == goal, group, (mixed ^ mixed >> 15) % self.groups)
            taken, switch = self._hop(group, switch, third, number)
            steps, group = taken, third
        taken, switch = self._hop(group, switch, goal, number)
        return [*steps, *taken, self._local(goal, switch, last)]

    def ends(self, link: int) -> tuple[str, str]:
        """The two switches."""
        if link < self._inside:
            switch, place = divmod(link, self.switches - 1)
            group, own = divmod(switch, self.switches)
            return self._name(group, own), self._name(group, place + (place >= own))
        pair, number = divmod(link - self._inside, self.arcs)
        group, place = divmod(pair, self.groups - 1)
        other = place + (place >= group)
        one, two, n = (np.array(value) for value in (group, other, number))
        return self._name(group, int(self._gateway(one, two, n))), self._name(other, int(self._gateway(two, one, n)))

    def level(self, link: int) -> tuple[int, int]:
        """Inside a group, or between groups."""
        if link < self._inside:
            return 0, link // 2
        return int(self._inside > 0), (link - self._inside) // 2

    def beside(self, port: int) -> str:
        """The switch of an interface."""
        return self._name(*divmod(port // self.ports, self.switches))

    def _name(self, group: int, switch: int) -> str:
        return f"group{group}.switch{switch}"
