"""A link below its rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.links import links_named
from simulator.interconnect.network import Interconnect
from simulator.spec import Fraction, require


@dataclass(frozen=True, kw_only=True)
class DegradedLink:
    """Links that carry less than they should: some cables of a bundle unplugged, a port that came up at a lower speed.

    Args:
        link: its name as the report and `simulator collective` tell it, e.g. `leaf3 -> spine`; `*` stands for any letters.
        rate: share of its rate that is left.
        both: the way back as well.
    """

    kind: Literal["degraded_link"] = "degraded_link"
    link: str
    rate: Fraction
    both: bool = True

    def __post_init__(self) -> None:
        require(self.rate > 0, "rate is 0: the link is dead", "write kind: dead_link")

    def touches(self, network: Interconnect) -> tuple[NDArray[np.int64], float]:
        """The links that lose, and the share of their capacity that is left.

        Raises:
            MendableError: no such link.
        """
        return links_named(network, self.link, self.both), self.rate
