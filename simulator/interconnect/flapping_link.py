"""A link that goes down and comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.links import links_named
from simulator.interconnect.network import Interconnect
from simulator.spec import Fraction, require


@dataclass(frozen=True, kw_only=True)
class FlappingLink:
    """Links that are down for a share of the time. They count with their expected capacity: who waits for them waits on the mean as long
    as a link of that capacity would take.

    Assumes: flaps are shorter than the transport's patience (nobody crashes: that is a failure class of `reliability`), and routes stay.

    Args:
        link: its name as the report and `simulator collective` tell it, e.g. `leaf3 -> spine`; `*` stands for any letters.
        down: share of the time.
        both: the way back as well.
    """

    kind: Literal["flapping_link"] = "flapping_link"
    link: str
    down: Fraction
    both: bool = True

    def __post_init__(self) -> None:
        require(self.down < 1, "down is 100%: the link is dead", "write kind: dead_link")

    def touches(self, network: Interconnect) -> tuple[NDArray[np.int64], float]:
        """The links that lose, and the share of their capacity that is left on the mean.

        Raises:
            MendableError: no such link.
        """
        return links_named(network, self.link, self.both), 1.0 - self.down
