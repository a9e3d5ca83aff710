"""When a checkpoint is written, how long the job stands for it, and how long reading it back takes."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Annotated, Literal

from simulator.reliability.closed_forms import daly_interval, optimal_interval, young_interval
from simulator.spec import Bytes, BytesPerSecond, Fraction, Quantity, Seconds, require


@dataclass(frozen=True, kw_only=True)
class NearTier:
    """Checkpoints that stay nearer than storage: in the memory of a peer, on the node's own disks, on a parallel file system.

    Args:
        every: of them one goes on to the next tier, or from the last to storage, beside the training.
        bandwidth: to and from where they lie; the job stands for the copy to the nearest tier [B/s].
        of: whose bandwidth that is: of one accelerator, or of the whole job together.
        survives: the largest loss after which they can still be read: of the processes (own memory, own disk), of single nodes (a peer has
            a copy), of a block of nodes (the peer stands in another), an outage (a file system elsewhere).
    """

    every: int = 10
    bandwidth: BytesPerSecond
    of: Literal["accelerator", "job"] = "accelerator"
    survives: Literal["process", "node", "block", "outage"] = "node"

    def __post_init__(self) -> None:
        require(self.every >= 1, "of no checkpoint does one go on to the next tier", "write every: 1 or more")
        require(self.bandwidth > 0, "a checkpoint with a bandwidth of 0 B/s never ends")

    def seconds(self, size: float, accelerators: int) -> float:
        """To copy so many bytes of a job on that many accelerators here or back [s]."""
        return size / (self.bandwidth * accelerators if self.of == "accelerator" else self.bandwidth)


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
        near: tiers nearer than the storage, the nearest first.
        retried: share of the writes for which the job stands that fail, are noticed at once and written again.
        capacity: of the storage, for checkpoints [B]; absent where it never fills.
        keep: of the checkpoints in storage the last so many; older ones are deleted once another is durable; all where absent.
        clearing: how long the job stands where the storage is full and all are kept, until a person has made room [s]; absent where nobody
            would come: the run then ends there.
    """

    interval: Literal["young", "daly", "optimal"] | Annotated[float, Quantity("time")] = "young"
    bandwidth: BytesPerSecond
    read_bandwidth: BytesPerSecond | None = None
    asynchronous: bool = False
    copy_bandwidth: BytesPerSecond = 10e9
    setup: Seconds = 0.0
    written: Fraction = 1.0
    fails: Fraction = 0.0
    near: tuple[NearTier, ...] = ()
    retried: Fraction = 0.0
    capacity: Bytes | None = None
    keep: int | None = None
    clearing: Seconds | None = None

    def __post_init__(self) -> None:
        require(self.bandwidth > 0 and self.copy_bandwidth > 0, "a checkpoint with a bandwidth of 0 B/s never ends")
        require(self.read_bandwidth is None or self.read_bandwidth > 0, "a checkpoint with a read_bandwidth of 0 B/s is never read")
        require(self.written > 0, "a checkpoint writes nothing", "leave written out: all of the state")
        reaches = [("process", "node", "block", "outage").index(tier.survives) for tier in self.near]
        require(reaches == sorted(reaches), "a tier further away survives less than a nearer one", "write the nearest tier first")
        require(self.retried < 1, "every write fails", "write a share below 1")
        require(self.keep is None or self.keep >= 1, "no checkpoint is kept", "write keep: 1 or more, or leave it out to keep all")
        require(
            self.clearing is None or (self.capacity is not None and self.keep is None),
            "clearing is said of a storage that never fills",
            "write its capacity and no keep, or leave clearing out",
        )
        require(self.fails < 1, "every checkpoint is unreadable", "write a share below 1")
        require(
            self.interval in ("young", "daly", "optimal") or float(self.interval) > 0,
            "a checkpoint interval of 0 s",
            "write young or a time",
        )


def blocking_seconds(policy: CheckpointPolicy, size: float, accelerators: int) -> float:
    """How long the job stands for one checkpoint of `size` bytes [s]: the whole write, or only the copy to host memory or the nearest tier.

    Args:
        size: of the checkpoint, the whole job together [B].
        accelerators: that hold it, in equal shares.

    # Assumes: writes that fail at once are spread evenly: each is written 1 ÷ (1 − share) times.
    """
    written = policy.written * size
    if policy.near:
        once = policy.near[0].seconds(written, accelerators)
    else:
        once = written / (policy.copy_bandwidth * accelerators if policy.asynchronous else policy.bandwidth)
    return (policy.setup + once) / (1.0 - policy.retried)


def drain_seconds(policy: CheckpointPolicy, size: float) -> float:
    """How long one checkpoint of `size` bytes is written beside the training before it is durable [s]; 0 where the job stands for it.

    Of near tiers that is the time for which a checkpoint is on its way from the last of them to storage.
    """
    return policy.written * size / policy.bandwidth if policy.asynchronous or policy.near else 0.0


def clearing_seconds(policy: CheckpointPolicy, size: float) -> float:
    """How long the job stands for a full storage, on average per checkpoint that goes there [s].

    # Assumes: spread evenly over the checkpoints; whoever clears deletes all but the last.
    """
    if policy.clearing is None:
        return 0.0
    return policy.clearing / max(1, stored(policy, size) - 1)


def stored(policy: CheckpointPolicy, size: float) -> int:
    """How many checkpoints of `size` bytes the storage holds.

    # Assumes: differential checkpoints each take the share of the state that they write.
    """
    return math.floor(policy.capacity / (policy.written * size)) if policy.capacity is not None else sys.maxsize


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
