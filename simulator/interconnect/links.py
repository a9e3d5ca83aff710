"""Links by the names that a network tells them by."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from simulator.errors import did_you_mean
from simulator.interconnect.network import Interconnect
from simulator.spec import require


def between_switches(network: Interconnect) -> range:
    """Numbers of the links beyond the interfaces."""
    interfaces = network.accelerators // network.accelerators_per_node * network.ports
    return range(network.first_interface + 2 * interfaces, len(network.capacity))


def links_named(network: Interconnect, name: str, both: bool) -> NDArray[np.int64]:
    """Links with a name as told (`leaf3 -> spine`); `*` stands for any letters.

    Args:
        both: and those of the way back.

    Raises:
        MendableError: no such link.
    """
    tail, arrow, head = (part.strip() for part in name.partition("->"))
    require(bool(arrow and tail and head), f"link {name!r} has no two ends", "write for example 'leaf3 -> spine'")
    found = []
    for link in _candidates(network, tail, head):
        one, other = network.router.ends(link)
        if (fnmatchcase(one, tail) and fnmatchcase(other, head)) or (both and fnmatchcase(one, head) and fnmatchcase(other, tail)):
            found.append(link)
    require(bool(found), f"link {name!r} is none of this network", "" if found else did_you_mean(name, _forms(network)))
    return np.array(found, dtype=np.int64)


def _candidates(network: Interconnect, tail: str, head: str) -> Iterable[int]:
    """Links that can have such ends: those of one node alone where one is named, since a large network has too many to look at all."""
    numbers = [re.match(r"node(\d+)\.", end) for end in (tail, head)]
    node = next((int(found[1]) for found in numbers if found), None)
    if node is None:
        anywhere = any(end.startswith(("node", "*", "fabric")) for end in (tail, head))
        return range(len(network.capacity)) if anywhere else between_switches(network)
    count = network.accelerators // network.accelerators_per_node
    if node >= count:
        return ()
    first, ports, per_node = network.first_interface, network.ports, network.accelerators_per_node
    of_node = [range(first + way + node * ports, first + way + (node + 1) * ports) for way in (0, count * ports)]
    each = first // network.accelerators  # links per accelerator of a mesh: one to each place of its domain
    inside = [range(each * node * per_node, each * (node + 1) * per_node)] if network.scale_up.kind == "mesh" else [
        range(way + node * per_node, way + (node + 1) * per_node) for way in (0, network.accelerators) if first
    ]  # fmt: skip
    return itertools.chain(*inside, *of_node, between_switches(network))


def _forms(network: Interconnect) -> list[str]:
    """One link of each form and way, to show what names look like."""
    first, ports = network.first_interface, network.accelerators // network.accelerators_per_node * network.ports
    some = [*range(min(first, 1)), first, first + ports, *between_switches(network)]
    told = (" -> ".join(network.router.ends(link)) for link in reversed(some))
    return list({re.sub(r"\d+", "", name): name for name in told}.values())


def interface_links(network: Interconnect, nodes: tuple[int, ...], nic: int | None) -> NDArray[np.int64]:
    """Links of the network interfaces of some nodes, out and in.

    Args:
        nic: which of a node's, as routing sees them; all where None.

    Raises:
        MendableError: no such node or interface.
    """
    count = network.accelerators // network.accelerators_per_node
    beyond = [node for node in nodes if not 0 <= node < count]
    require(
        not beyond, f"nodes names node {beyond[0] if beyond else ''}, the network has {count}, from 0 on", "name places in the machine room"
    )
    require(
        nic is None or 0 <= nic < network.ports,
        f"nic is {nic}, a node has {network.ports}, from 0 on",
        "leave it out for all interfaces of the nodes",
    )
    chosen = np.arange(network.ports) if nic is None else np.array([nic])
    out = network.first_interface + (np.array(nodes, dtype=np.int64)[:, None] * network.ports + chosen).ravel()
    return np.concatenate([out, out + count * network.ports])
