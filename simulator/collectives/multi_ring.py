"""Rings along every dimension of a torus at once, in both directions, so that all links of every place carry data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.collectives.plan import Operation, Plan, Ranks, Round


@dataclass(frozen=True)
class MultiRing:
    """The data are cut into one part per dimension and direction. Part k is scattered by rings along dimension k, then k + 1 and so on
    around, and gathered the same way back; each dimension is busy with one part's share at any time.

    Args:
        shape: of the group, its ranks in the order of the first dimension first; a group without one is no torus, and has no such plan.

    Assumes: phases overlap, so that a link is busy for the sum of what crosses it; exact where all dimensions are equally long.
    Source: Jain, Sabharwal, Optimal bucket algorithms for large MPI collectives on torus interconnects, ICS 2010.
    """

    name: ClassVar[str] = "multi_ring"
    shape: tuple[int, ...] = ()

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        ranks, sides = domains * local, tuple(size for size in self.shape if size > 1)
        if not sides or math.prod(sides) != ranks or operation not in ("all_reduce", "reduce_scatter", "all_gather"):
            return None
        parts = [(dimension, way) for dimension in range(len(sides)) for way in (1, -1)]
        scatter: list[Round] = []
        gather: list[Round] = []
        owner = np.empty((len(parts), ranks), dtype=np.int64)
        for number, (first, way) in enumerate(parts):
            order = [(first + phase) % len(sides) for phase in range(len(sides))]
            scatter += _phases(sides, order, way, number, late=1)
            gather += reversed(list(_phases(sides, order, way, number, late=0)))
            owner[number, _block(sides, order, len(sides))] = np.arange(ranks)
        rounds = {"all_reduce": (*scatter, *gather), "reduce_scatter": tuple(scatter), "all_gather": tuple(gather)}[operation]
        chunks = len(parts) * ranks
        return Plan(ranks=ranks, chunks=chunks, unit=1 / chunks, rounds=rounds, owner=owner.ravel(), pipelined=True)


def _places(sides: tuple[int, ...]) -> Ranks:
    """Coordinates of each rank, shape (ranks, dimensions)."""
    return np.stack(np.unravel_index(np.arange(math.prod(sides)), sides, order="F"), axis=-1).astype(np.int64)


def _block(sides: tuple[int, ...], order: list[int], phases: int) -> Ranks:
    """First chunk, inside its part, of what each rank is left with after so many phases of scattering."""
    block, width = np.zeros(math.prod(sides), dtype=np.int64), math.prod(sides)
    for dimension in order[:phases]:
        width //= sides[dimension]
        block = block + width * _places(sides)[:, dimension]
    return block


def _phases(sides: tuple[int, ...], order: list[int], way: int, part: int, *, late: int) -> Iterator[Round]:
    """A ring along each dimension in turn; the parts run at once, so that the first alone stands for the hops of all."""
    ranks, rank = math.prod(sides), np.arange(math.prod(sides))
    for phase, dimension in enumerate(order):
        size, stride = sides[dimension], math.prod(sides[:dimension])
        at = _places(sides)[:, dimension]
        region = ranks // math.prod(sides[d] for d in order[:phase])
        width = region // size
        yield Round(
            source=rank,
            target=rank + ((at + way) % size - at) * stride,
            chunk=part * ranks + _block(sides, order, phase) + (at - way * late) % size * width,
            width=width,
            reduces=bool(late),
            repeat=size - 1,
            shift=-way * width,
            cycle=region,
            chained=True,
            steps=size - 1 if part == 0 else 0,
        )
