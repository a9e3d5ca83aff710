"""Spines or cores that are gone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.attached import AttachedRouter
from simulator.interconnect.hashed import HashedTree
from simulator.interconnect.links import between_switches
from simulator.interconnect.network import Interconnect
from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class LostSwitches:
    """Spine or core switches that are down: every link that ends on them is gone, and what is left carries the traffic.

    Assumes: links are spread evenly over the switches of a level, and routing over those that are left; under ECMP cable n of a unit ends
    on switch n modulo their number, and the last switches are lost.

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
        router = network.router
        hashed = isinstance(router, AttachedRouter) and isinstance(router.fabric, HashedTree)
        lost = self._cable if hashed else self._share
        links = [link for link in between_switches(network) if lost(router.ends(link))]
        whose = "" if self.pod is None else f" of pod {self.pod}"
        mend = "write as many switches as a leaf has cables up, or fewer" if hashed else "name links with kind: degraded_link"
        require(
            bool(links), f"level names {self.level} switches{whose}, this network has none{' with that number' if hashed else ''}", mend
        )
        return np.array(links, dtype=np.int64), 0.0 if hashed else 1.0 - self.lost / self.of

    def _share(self, ends: tuple[str, str]) -> bool:
        """Whether one of the ends stands for all switches of the level, of the pod where one is named."""
        form = r"(?:spine|pod)(\d*)" if self.level == "spine" else r"core()"
        found = (re.fullmatch(form, vertex) for vertex in ends)
        return any(each is not None and self.pod in (None, int(each[1] or 0)) for each in found)

    def _cable(self, ends: tuple[str, str]) -> bool:
        """Whether a cable ends on one of the last switches."""
        told = " ".join(ends)
        pod, number, core = re.search(r"pod(\d+)", told), re.search(r"(?:spine|core)(\d+)", told), "core" in told
        meant = core or (self.level == "spine" and "spine" in told)
        if number is None or not meant or (self.pod is not None and (pod is None or int(pod[1]) != self.pod)):
            return False
        return int(number[1]) % self.of >= self.of - self.lost
