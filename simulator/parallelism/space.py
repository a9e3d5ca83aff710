"""The small space of layouts that `layout: auto` searches exhaustively."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from simulator.hardware import Software
from simulator.model import Transformer
from simulator.parallelism.feasible import divisibility
from simulator.parallelism.groups import splits
from simulator.parallelism.layout import Layout, Recompute, Schedule, Sharding

WELL_USED = 0.9
"""Share of the accelerators that a candidate uses at least, where any can."""

MICROBATCHES = (1, 2, 4, 8)
MOST_STAGES = 128
MOST_CHUNKS = 8
CONTEXT_LENGTH = 4096
"""Context parallelism is tried down to this many tokens per rank."""


class _Shape(NamedTuple):
    """A candidate but for its microbatch and what follows from that."""

    tensor: int
    context: int
    pipeline: int
    virtual: int
    expert: int
    schedule: Schedule

    @property
    def replica(self) -> int:
        """Accelerators of one replica."""
        return self.tensor * self.context * self.pipeline


def candidates(
    model: Transformer,
    software: Software,
    *,
    global_batch: int,
    sequence: int | None = None,
    accelerators: int,
    domain: int,
    microbatch: int | None = None,
    schedules: tuple[Schedule, ...] = (),
) -> tuple[Layout, ...]:
    """Every layout of the stated space whose degrees divide what they must, in a fixed order.

    The space: tensor, a power of two up to the scale-up domain that divides the heads; context, a power of two that leaves 4096 tokens or
    more; pipeline up to 128 stages that split the layers (one less on the first and last allowed), under every schedule that is asked for:
    interleaved with 2 to 8 chunks that split the layers likewise, zb_v with its 2, the others with one; expert, a power of two up to 64
    that divides the experts (expert_tensor 1); microbatch 1, 2, 4, 8 or the one given; every recompute that the software has and that drops
    something there (selective: where attention is not fused, or by operation); sharding none, zero1, zero3 and, with a pipeline, zero2
    (each where the software has it); sequence_parallel where tensor > 1 and the software is of 2022 or later (Korthikanti et al.,
    arXiv:2205.05198). Data is the largest number of replicas that fits and divides the batch. Layouts that leave more than 10 % of the
    accelerators unused are left out, unless all do: then those that use at least 90 % of what the best one uses.

    Args:
        global_batch: sequences per step.
        sequence: [tokens]; the model's own where absent.
        accelerators: available.
        domain: accelerators in one scale-up domain.
        microbatch: sequences, where it is not to be chosen.
        schedules: of the pipeline; those of the software where none is named.
    """
    sequence = sequence or model.sequence
    shapes = [
        (shape, micro, data)
        for shape in _shapes(model, sequence, accelerators, domain, schedules or software.schedules)
        for micro in ((microbatch,) if microbatch else MICROBATCHES)
        if (data := _replicas(global_batch, micro * (shape.pipeline if shape.virtual > 1 else 1), accelerators // shape.replica))
        and shape.tensor * shape.context * data % shape.expert == 0
    ]
    used = [shape.replica * data for shape, _, data in shapes]
    most = max(used, default=0)
    least = WELL_USED * (accelerators if most >= WELL_USED * accelerators else most)
    drops = software.selective == "operations" or not software.fused_attention
    recomputes: tuple[Recompute, ...] = ("none", "selective", "full") if drops else ("none", "full")
    recomputes = tuple(kind for kind in recomputes if kind in software.recomputes)
    found = []
    for (shape, micro, data), count in zip(shapes, used, strict=True):
        shardings: tuple[Sharding, ...] = ("none",)
        if data * shape.context > 1 and software.year >= 2020:
            shardings = ("none", "zero1", "zero2", "zero3") if shape.pipeline > 1 else ("none", "zero1", "zero3")
        shardings = tuple(kind for kind in shardings if kind in software.shardings)
        for recompute, sharding in product(recomputes, shardings) if count >= least else ():
            layout = Layout(
                **shape._asdict(),
                data=data,
                expert_tensor=1 if model.experts else None,
                microbatch=micro,
                sharding=sharding,
                sequence_parallel=shape.tensor > 1 and software.year >= 2022,
                recompute=recompute,
            )
            if divisibility(layout, model, global_batch=global_batch, accelerators=accelerators, sequence=sequence):
                break  # neither recompute nor sharding changes what divides
            found.append(layout)
    return tuple(found)


def _shapes(model: Transformer, sequence: int, accelerators: int, domain: int, schedules: tuple[Schedule, ...]) -> Iterator[_Shape]:
    tensors = [size for size in _powers(domain) if model.heads % size == 0]
    contexts = [size for size in _powers(max(sequence // CONTEXT_LENGTH, 1)) if sequence % (2 * size) == 0 or size == 1]
    experts = [size for size in _powers(64) if model.experts.count % size == 0] if model.experts else [1]
    for tensor, context, pipeline in product(tensors, contexts, range(1, min(model.layers, MOST_STAGES) + 1)):
        if tensor * context * pipeline > accelerators or not splits(model.layers, pipeline):
            continue
        ways: list[tuple[int, Schedule]] = [(1, "1f1b")]
        if pipeline > 1:
            chunks: dict[str, tuple[int, ...]] = {"interleaved": tuple(range(2, MOST_CHUNKS + 1)), "zb_v": (2,)}
            ways = [(v, kind) for kind in schedules for v in chunks.get(kind, (1,)) if splits(model.layers, pipeline * v)]
        for (virtual, schedule), expert in product(ways, experts):
            yield _Shape(tensor, context, pipeline, virtual, expert, schedule)


def _powers(most: int) -> list[int]:
    return [2**power for power in range(most.bit_length())]


def _replicas(global_batch: int, share: int, most: int) -> int:
    """The largest data degree up to `most` that divides a batch in shares of so many sequences; 0 where there is none."""
    if global_batch % share:
        return 0
    divisors = _divisors(global_batch // share)
    at = bisect_right(divisors, most)
    return divisors[at - 1] if at else 0


@lru_cache(maxsize=64)
def _divisors(number: int) -> tuple[int, ...]:
    small = [d for d in range(1, int(number**0.5) + 1) if number % d == 0]
    return tuple(sorted({*small, *(number // d for d in small)}))
