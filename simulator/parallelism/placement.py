"""Where ranks stand in the machine room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from simulator.spec import Kinds


@dataclass(frozen=True, kw_only=True)
class Packed:
    """Ranks fill nodes, leaves and pods in order."""

    kind: Literal["packed"] = "packed"

    def places(self, ranks: int) -> NDArray[np.int64]:
        """Accelerator of each rank."""
        return np.arange(ranks, dtype=np.int64)


Placement = Annotated[Packed, Kinds()]
