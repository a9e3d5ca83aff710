"""Nodes as listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class GivenNodes:
    """The job's nodes stand where a list says: what a scheduler's log gives, or what one would like to try.

    Args:
        nodes: place in the machine room (from 0, in order of leaves and pods) of each of the job's nodes, in the order of their ranks.
        among: nodes of the machine room; as many as the list needs where absent.
    """

    kind: Literal["given"] = "given"
    nodes: tuple[int, ...]
    among: int | None = None

    def __post_init__(self) -> None:
        listed = self.nodes
        require(bool(listed), "a given placement lists no node", "write nodes: [0, 1, ...]")
        twice = sorted({node for node in listed if listed.count(node) > 1}) if len(set(listed)) < len(listed) else []
        require(not twice, f"nodes names node {', '.join(map(str, twice))} more than once", "name each node once")
        require(min(listed) >= 0, f"nodes names node {min(listed)}, 0 is the first")
        require(
            self.among is None or max(listed) < self.among,
            f"nodes names node {max(listed)}, and there are {self.among}",
            f"write among: {max(listed) + 1} or more",
        )

    def room(self, count: int) -> int:
        """Nodes of the machine room whose network is built."""
        require(count <= len(self.nodes), f"nodes lists {len(self.nodes)} nodes, the job has {count}", "list as many as cluster.count")
        return self.among or max(self.nodes) + 1

    def stands(self, count: int) -> NDArray[np.int64]:
        """Place in the machine room of each of the job's nodes; the first of the list where the job has fewer."""
        self.room(count)
        return np.array(self.nodes[:count], dtype=np.int64)
