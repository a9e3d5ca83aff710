"""When a checkpoint is written, how long the job stands for it, and how long reading it back takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.reliability.closed_forms import daly_interval, young_interval
from simulator.spec import BytesPerSecond, Quantity, Seconds, require


@dataclass(frozen=True, kw_only=True)
class CheckpointPolicy:
    """Periodic checkpoints to storage.

    Args:
        interval: training time between the end of a checkpoint and the start of the next: `young` or `daly` (from the job's own
            failure rate and the blocking write), or a time [s].
        bandwidth: of the storage, the whole job together [B/s].
        read_bandwidth: `bandwidth` where absent.
        asynchronous: the job stands only for the copy to host memory; the write drains beside the training.
        copy_bandwidth: of one accelerator to host memory, for asynchronous checkpoints [B/s].
        setup: fixed cost of one checkpoint beside the bytes [s].
    """

    interval: Literal["young", "daly"] | Annotated[float, Quantity("time")] = "young"
    bandwidth: BytesPerSecond
    read_bandwidth: BytesPerSecond | None = None
    asynchronous: bool = False
    copy_bandwidth: BytesPerSecond = 10e9
    setup: Seconds = 0.0

    def __post_init__(self) -> None:
        require(self.bandwidth > 0 and self.copy_bandwidth > 0, "a checkpoint with a bandwidth of 0 B/s never ends")
        require(self.read_bandwidth is None or self.read_bandwidth > 0, "a checkpoint with a read_bandwidth of 0 B/s is never read")
        require(self.interval in ("young", "daly") or float(self.interval) > 0, "a checkpoint interval of 0 s", "write young or a time")


def blocking_seconds(policy: CheckpointPolicy, size: float, accelerators: int) -> float:
    """How long the job stands for one checkpoint of `size` bytes [s]: the whole write, or only the copy to host memory.

    Args:
        size: of the checkpoint, the whole job together [B].
        accelerators: that hold it, in equal shares.
    """
    rate = policy.copy_bandwidth * accelerators if policy.asynchronous else policy.bandwidth
    return policy.setup + size / rate


def drain_seconds(policy: CheckpointPolicy, size: float) -> float:
    """How long one checkpoint of `size` bytes is written beside the training before it is durable [s]; 0 where the job stands for it."""
    return size / policy.bandwidth if policy.asynchronous else 0.0


def read_seconds(policy: CheckpointPolicy, size: float) -> float:
    """How long reading a checkpoint of `size` bytes back takes [s]."""
    return size / (policy.read_bandwidth or policy.bandwidth)


def interval_seconds(policy: CheckpointPolicy, blocking: float, mtbf: float) -> float:
    """The policy's training time between two checkpoints [s]; infinite where nothing fails and none is stated.

    A drain that outlasts it holds the next checkpoint back: the engine sees to that.

    Args:
        blocking: how long the job stands for one checkpoint [s].
        mtbf: of the whole job [s]; infinite where nothing fails.
    """
    if policy.interval == "young":
        return young_interval(blocking, mtbf)
    if policy.interval == "daly":
        return daly_interval(blocking, mtbf)
    return policy.interval
