"""Nodes in the order of the machine room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simulator.parallelism.room import InRoom


@dataclass(frozen=True, kw_only=True)
class Packed(InRoom):
    """Ranks fill nodes, leaves and pods in order."""

    kind: Literal["packed"] = "packed"

    def stands(self, count: int) -> NDArray[np.int64]:
        """Place in the machine room of each of the job's nodes."""
        return np.arange(count, dtype=np.int64)
