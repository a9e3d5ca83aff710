"""When a checkpoint is written, how long the job stands for it, and how long reading it back takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.reliability.closed_forms import daly_interval, optimal_interval, young_interval
from simulator.spec import BytesPerSecond, Fraction, Quantity, Seconds, require


@dataclass(frozen=True, kw_only=True)
class NearTier:
    """Checkpoints that stay near, between those that go on to storage: in the memory of a peer, or on the node's own disks.

    Args:
        every: of them one goes on to storage, beside the training.
        bandwidth: of one accelerator to and from where they lie; the job stands for the copy [B/s].
        survives: the largest loss after which they can still be read: of the processes (own memory, own disk), of single nodes (a peer has
            a copy), of a block of nodes (the peer stands in another); never an outage.
    """

    every: int = 10
    bandwidth: BytesPerSecond
    survives: Literal["process", "node", "block"] = "node"

    def __post_init__(self) -> None:
        require(self.every >= 1, "of no checkpoint does one go on to storage", "write every: 1 or more")
        require(self.bandwidth > 0, "a checkpoint with a bandwidth of 0 B/s never ends")


@dataclass(frozen=True, kw_only=True)
class CheckpointPolicy:
    """Periodic checkpoints to storage.

    Args:
        interval: training time between the end of a checkpoint and the start of the next: `young`, `daly` or `optimal` (from the job's
            own failure rate and the blocking write; `optimal` is the exact least of Daly's run time), or a time [s].
        bandwidth: of the storage, the whole job together [B/s].
        read_bandwidth: `bandwidth` where absent.
        asynchronous: the job stands only for the copy to host memory; the write drains beside the training.
        copy_bandwidth: of one accelerator to host memory, for asynchronous checkpoints [B/s].
        setup: fixed cost of one checkpoint beside the bytes [s].
        written: share of the state that one checkpoint writes (differential checkpoints); all of it is read back.
        fails: share of the checkpoints that turn out to be unreadable when they are needed; the one before is read then.
        near: a nearer tier beside the storage.
    """

    interval: Literal["young", "daly", "optimal"] | Annotated[float, Quantity("time")] = "young"
    bandwidth: BytesPerSecond
    read_bandwidth: BytesPerSecond | None = None
    asynchronous: bool = False
    copy_bandwidth: BytesPerSecond = 10e9
    setup: Seconds = 0.0
    written: Fraction = 1.0
    fails: Fraction = 0.0
    near: NearTier | None = None

    def __post_init__(self) -> None:
        require(self.bandwidth > 0 and self.copy_bandwidth > 0, "a checkpoint with a bandwidth of 0 B/s never ends")
        require(self.read_bandwidth is None or self.read_bandwidth > 0, "a checkpoint with a read_bandwidth of 0 B/s is never read")
        require(self.written > 0, "a checkpoint writes nothing", "leave written out: all of the state")
        require(self.fails < 1, "every checkpoint is unreadable", "write a share below 1")
        require(
            self.interval in ("young", "daly", "optimal") or float(self.interval) > 0,
            "a checkpoint interval of 0 s",
            "write young or a time",
        )


def blocking_seconds(policy: CheckpointPolicy, size: float, accelerators: int) -> float:
    """How long the job stands for one checkpoint of `size` bytes [s]: the whole write, or only the copy to host memory.

    Args:
        size: of the checkpoint, the whole job together [B].
        accelerators: that hold it, in equal shares.
    """
    if policy.near:
        rate = policy.near.bandwidth * accelerators
    else:
        rate = policy.copy_bandwidth * accelerators if policy.asynchronous else policy.bandwidth
    return policy.setup + policy.written * size / rate


def drain_seconds(policy: CheckpointPolicy, size: float) -> float:
    """How long one checkpoint of `size` bytes is written beside the training before it is durable [s]; 0 where the job stands for it.

    Of a near tier that is the time until a checkpoint that goes on to storage is durable there.
    """
    return policy.written * size / policy.bandwidth if policy.asynchronous or policy.near else 0.0


def read_seconds(policy: CheckpointPolicy, size: float) -> float:
    """How long reading a checkpoint of `size` bytes back from storage takes [s]."""
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
    if policy.interval == "optimal":
        return optimal_interval(blocking, mtbf)
    return policy.interval
