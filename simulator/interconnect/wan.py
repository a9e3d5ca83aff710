"""Sites joined by wide-area links: data centres, campuses, homes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.hardware import Node
from simulator.interconnect.attached import Ports, Step, attached, domain_of, ports_of
from simulator.interconnect.network import Interconnect
from simulator.outcome import NetworkLevel
from simulator.spec import BytesPerSecond, Ratio, Seconds, Sourced, require


@dataclass(frozen=True, kw_only=True)
class Site:
    """Nodes at one place.

    Args:
        name: of the site.
        nodes: how many.
        times: sites like this one.
        up, down: rate of its link to the world, out and in [B/s]; as much as its nodes' interfaces carry where absent.
        latency: of that link, one way [s].
        leaf_nodes: nodes of the site on one switch; all where absent.
        leaf_oversubscription: bandwidth below such a switch over bandwidth above it.
    """

    name: str
    nodes: int
    times: int = 1
    up: BytesPerSecond | None = None
    down: BytesPerSecond | None = None
    latency: Seconds = 0.0
    leaf_nodes: int | None = None
    leaf_oversubscription: Ratio = 1.0

    def __post_init__(self) -> None:
        require(self.nodes >= 1, f"nodes is {self.nodes}, at least 1 is expected")
        require(self.times >= 1, f"times is {self.times}, at least 1 is expected")
        require(self.leaf_nodes is None or self.leaf_nodes >= 1, f"leaf_nodes is {self.leaf_nodes}, at least 1 is expected")
        require(self.leaf_oversubscription > 0, "leaf_oversubscription is 0: no network", "write 1 for a non-blocking level")


@dataclass(frozen=True, kw_only=True)
class SitePath:
    """What was measured between two sites.

    Args:
        source, target: names of the sites.
        rate: that the path carries [B/s].
        latency: one way [s].
        both: the same holds for the way back, unless that is listed, too.
    """

    source: str
    target: str
    rate: BytesPerSecond
    latency: Seconds
    both: bool = True


@dataclass(frozen=True, kw_only=True)
class Wan(Sourced):
    """Sites, each with its own network inside, an access link and paths to the others.

    Args:
        sites: in the order in which nodes fill them.
        paths: measured between pairs of sites; a pair that is not listed has its access links alone.
        hop_latency: network interface to network interface inside a site, and of each switch level above [s].
    """

    kind: Literal["wan"] = "wan"
    sites: tuple[Site, ...]
    paths: tuple[SitePath, ...] = ()
    hop_latency: Seconds = 5e-6

    def __post_init__(self) -> None:
        require(bool(self.sites), "sites is empty", "write at least one site")
        names = [site.name for site in self.sites]
        require(len(set(names)) == len(names), "sites carry one name twice", "name them differently")
        single = {site.name for site in self.sites if site.times == 1}
        for path in self.paths:
            for end in (path.source, path.target):
                require(end in single, f"paths name {end!r}, which is no single site", f"one of {', '.join(sorted(single)) or 'none'}")
            require(path.source != path.target, f"paths lead from {path.source} to itself", "leave it out")
            require(path.rate > 0, f"paths carry nothing from {path.source} to {path.target}", "write a rate above 0")

    def build(self, node: Node, count: int) -> Interconnect:
        """The network of all sites with `count` nodes in the first of them.

        Assumes: traffic that leaves a site is held up inside it by interfaces and leaf links alone. What was measured between two sites
        is all that their nodes have together.

        Raises:
            MendableError: more nodes than the sites hold, or a scale-up domain across sites.
        """
        each = [site for site in self.sites for _ in range(site.times)]
        most = sum(site.nodes for site in each)
        require(count <= most, f"{count} nodes do not fit into sites of {most}", "write more nodes at the sites, or times: ..")
        span = domain_of(node) // node.accelerators
        require(all(site.nodes % span == 0 for site in each), f"a scale-up domain of {span} nodes does not fit evenly into every site")
        ports, rate = ports_of(node), node.nics * node.nic_rate
        names = [f"{s.name}{k}" if s.times > 1 else s.name for s in self.sites for k in range(s.times)]
        leaf_nodes = np.array([site.leaf_nodes or site.nodes for site in each])
        leaves = np.array([-(-site.nodes // (site.leaf_nodes or site.nodes)) if site.leaf_nodes else 0 for site in each])
        measured = {(path.target, path.source): path for path in self.paths if path.both}
        measured |= {(path.source, path.target): path for path in self.paths}
        place = {name: number for number, name in enumerate(names)}
        wiring = _Sites(
            names=tuple(names),
            first_node=np.concatenate([[0], np.cumsum([site.nodes for site in each])]),
            ports=ports,
            leaf_nodes=leaf_nodes,
            first_leaf=np.concatenate([[0], np.cumsum(leaves)]),
            leaf_rate=np.repeat([(site.leaf_nodes or 0) * rate / site.leaf_oversubscription for site in each], leaves),
            up=np.array([site.nodes * rate if site.up is None else site.up for site in each]),
            down=np.array([site.nodes * rate if site.down is None else site.down for site in each]),
            access=np.array([site.latency for site in each]),
            pairs=np.array([[place[one], place[other]] for one, other in measured], dtype=np.int64).reshape(-1, 2),
            pair_rate=np.array([path.rate for path in measured.values()]),
            pair_latency=np.array([path.latency for path in measured.values()]),
            hop=self.hop_latency,
            below=np.array([site.nodes * rate for site in each]),
        )
        return attached(node, count, wiring, touching=tuple((f"{name}.gate", "world") for name in names))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sites:
    """Uplinks and downlinks of leaves, uplinks and downlinks of sites, measured pairs."""

    names: tuple[str, ...]
    first_node: NDArray[np.int64]
    ports: int
    leaf_nodes: NDArray[np.int64]
    first_leaf: NDArray[np.int64]
    leaf_rate: NDArray[np.float64]
    up: NDArray[np.float64]
    down: NDArray[np.float64]
    access: NDArray[np.float64]
    pairs: NDArray[np.int64]
    pair_rate: NDArray[np.float64]
    pair_latency: NDArray[np.float64]
    hop: float
    below: NDArray[np.float64]
    edge: str = "site"

    @property
    def edge_latency(self) -> float:
        return self.hop / 2

    @property
    def _leaves(self) -> int:
        return len(self.leaf_rate)

    @property
    def capacity(self) -> NDArray[np.float64]:
        return np.concatenate([self.leaf_rate, self.leaf_rate, self.up, self.down, self.pair_rate])

    @property
    def latency(self) -> NDArray[np.float64]:
        return np.concatenate([np.full(2 * self._leaves, self.hop / 2), self.access, self.access, self.pair_latency])

    @property
    def levels(self) -> tuple[NetworkLevel, ...]:
        levels = []
        if self._leaves:
            levels.append(NetworkLevel(name="leaf-site", links=self._leaves, rate=float(self.leaf_rate.min()), oversubscription=1.0))
        worst = int(np.argmin(self.up))
        blocking = float(self.below[worst] / self.up[worst])
        levels.append(NetworkLevel(name="site-world", links=len(self.names), rate=float(self.up[worst]), oversubscription=blocking))
        if len(self.pairs):
            rate = float(self.pair_rate.min())
            levels.append(NetworkLevel(name="site-site", links=len(self.pairs), rate=rate, oversubscription=float(self.below.max() / rate)))
        return tuple(levels)

    def steps(self, out: Ports, into: Ports) -> list[Step]:
        """Up to the site, out of it, across, and down again."""
        (site, leaf), (goal, last) = self._at(out), self._at(into)
        apart = site != goal
        climbs = apart | (leaf != last)
        first, sites = 2 * self._leaves, len(self.names)
        between: list[Step] = []
        if len(self.pairs):
            key = self.pairs @ [sites, 1]
            order = np.argsort(key)
            wanted = site * sites + goal
            found = order[np.minimum(np.searchsorted(key, wanted, sorter=order), len(key) - 1)]
            between.append((apart & (key[found] == wanted), first + 2 * sites + found))
        return [
            (climbs & (leaf >= 0), leaf),
            (apart, first + site),
            *between,
            (apart, first + sites + goal),
            (climbs & (last >= 0), self._leaves + last),
        ]

    def _at(self, port: Ports) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Site of each interface, and its leaf (-1 where the site has none)."""
        node = port // self.ports
        site = np.searchsorted(self.first_node, node, side="right") - 1
        leaf = self.first_leaf[site] + (node - self.first_node[site]) // self.leaf_nodes[site]
        return site, np.where(self.first_leaf[site + 1] > self.first_leaf[site], leaf, -1)

    def ends(self, link: int) -> tuple[str, str]:
        """A leaf, a site, its gate to the others."""
        sites = len(self.names)
        if link < 2 * self._leaves:
            leaf = link % self._leaves
            site = self.names[int(np.searchsorted(self.first_leaf, leaf, side="right")) - 1]
            return (f"leaf{leaf}", site) if link < self._leaves else (site, f"leaf{leaf}")
        link -= 2 * self._leaves
        if link < 2 * sites:
            name = self.names[link % sites]
            return (name, f"{name}.gate") if link < sites else (f"{name}.gate", name)
        one, other = self.pairs[link - 2 * sites]
        return f"{self.names[one]}.gate", f"{self.names[other]}.gate"

    def level(self, link: int) -> tuple[int, int]:
        """Above the leaves, out of a site, or between two sites."""
        leaves, sites, above = self._leaves, len(self.names), int(self._leaves > 0)
        if link < 2 * leaves:
            return 0, link % leaves
        link -= 2 * leaves
        return (above, link % sites) if link < 2 * sites else (above + 1, link - 2 * sites)

    def beside(self, port: int) -> str:
        """The leaf or the site of an interface."""
        site, leaf = (int(value[0]) for value in self._at(np.array([port])))
        return f"leaf{leaf}" if leaf >= 0 else self.names[site]
