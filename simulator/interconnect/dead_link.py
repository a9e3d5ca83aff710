"""A link that carries nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.interconnect.links import links_named
from simulator.interconnect.network import Interconnect


@dataclass(frozen=True, kw_only=True)
class DeadLink:
    """Links that are down for good: messages go around them where there is another way, and it is refused where there is none.

    Args:
        link: its name as the report and `simulator collective` tell it, e.g. `node3.nic0 -> *`; `*` stands for any letters.
        both: the way back as well.
    """

    kind: Literal["dead_link"] = "dead_link"
    link: str
    both: bool = True

    def touches(self, network: Interconnect) -> tuple[NDArray[np.int64], float]:
        """The links that are lost, and that nothing of them is left.

        Raises:
            MendableError: no such link.
        """
        return links_named(network, self.link, self.both), 0.0
