"""When a checkpoint is written, how long the job stands for it, and how long reading it back takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.spec import BytesPerSecond, Quantity, Seconds


@dataclass(frozen=True, kw_only=True)
class CheckpointPolicy:
    """Periodic checkpoints to storage.

    Args:
        interval: `young` or `daly` (from the job's own failure rate and the blocking write), or a time between the ends of two
            checkpoints [s].
        bandwidth: of the storage, the whole job together [B/s].
        read_bandwidth: `bandwidth` where absent.
        asynchronous: the job stands only for the copy to host memory; the write drains beside the training.
        copy_bandwidth: of one accelerator to host memory, for asynchronous checkpoints [B/s].
    """

    interval: Literal["young", "daly"] | Annotated[float, Quantity("time")] = "young"
    bandwidth: BytesPerSecond
    read_bandwidth: BytesPerSecond | None = None
    asynchronous: bool = False
    copy_bandwidth: BytesPerSecond = 10e9
    setup: Seconds = 0.0
    """Fixed cost of one checkpoint beside the bytes [s]."""
