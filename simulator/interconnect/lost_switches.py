"""Spines or cores that are gone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.links import between_switches
from simulator.interconnect.network import Interconnect
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class LostSwitches:
    """Spine or core switches that are down: every link that ends on them is gone, and what is left carries the traffic.

    Assumes: links are spread evenly over the switches of a level, and routing over those that are left.

    Args:
        level: `spine` (those above the leaves) or `core` (those above the pods).
        lost: how many are down.
        of: how many there are: in a pod where there are pods, else in all.
        pod: whose spines, counted from 0; those of every pod where absent.
    """

    kind: Literal["lost_switches"] = "lost_switches"
    level: Literal["spine", "core"] = "spine"
    lost: int = 1
    of: int
    pod: int | None = None

    def __post_init__(self) -> None:
        require(self.lost >= 1, f"lost is {self.lost}, at least 1 is expected", "leave the fault out")
        require(self.lost < self.of, f"lost is {self.lost} of {self.of}: nothing would be left", "leave at least one standing")
        require(self.pod is None or self.level == "spine", f"pod is {self.pod}, and core switches belong to no pod", "leave pod out")

    def touches(self, network: Interconnect) -> tuple[NDArray[np.int64], float]:
        """The links that lose, and the share of their capacity that is left.

        Raises:
            MendableError: the network has no such switches.
        """
        form = re.compile(r"(?:spine|pod)(\d*)(?:\.spine\d+)?" if self.level == "spine" else r"core(\d*)")

        def lost(vertex: str) -> bool:
            found = form.fullmatch(vertex)
            return found is not None and self.pod in (None, int(found[1] or 0))

        links = [link for link in between_switches(network) if any(map(lost, network.router.ends(link)))]
        whose = "" if self.pod is None else f" of pod {self.pod}"
        require(bool(links), f"level names {self.level} switches{whose}, this network has none", "name links with kind: degraded_link")
        return np.array(links, dtype=np.int64), 1.0 - self.lost / self.of
