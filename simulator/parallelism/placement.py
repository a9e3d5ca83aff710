"""Where ranks stand in the machine room."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from simulator.parallelism.given import GivenNodes
from simulator.parallelism.packed import Packed
from simulator.parallelism.scattered import Scattered
from simulator.parallelism.spread import Spread
from simulator.spec import Kinds

Placement = Annotated[Packed | Spread | Scattered | GivenNodes, Kinds()]
"""Every way to place the nodes of a job: the union is the registry."""


@lru_cache(maxsize=64)
def places(placement: Placement, nodes: int, accelerators: int) -> NDArray[np.int64]:
    """Accelerator in the machine room's network of each rank of a job: ranks fill its nodes in order, and the nodes stand as placed.

    Args:
        nodes: of the job.
        accelerators: of a node.

    Raises:
        MendableError: the machine room has fewer nodes.
    """
    found = (placement.stands(nodes)[:, None] * accelerators + np.arange(accelerators)).ravel()
    found.flags.writeable = False
    return found
