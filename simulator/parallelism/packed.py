"""Nodes in the order of the machine room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.spec import require


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Ranks fill nodes, leaves and pods in order.

    Args:
        among: nodes of the machine room; those of the job alone where absent. Whatever else runs there keeps quiet, unless it is listed
            under `neighbours`.
    """

    kind: Literal["packed"] = "packed"
    among: int | None = None

    def room(self, count: int) -> int:
        """Nodes of the machine room whose network is built."""
        require(self.among is None or self.among >= count, f"{count} nodes do not fit among {self.among}", f"write among: {count} or more")
        return self.among or count

    def stands(self, count: int) -> NDArray[np.int64]:
        """Place in the machine room of each of the job's nodes."""
        return np.arange(count, dtype=np.int64)
