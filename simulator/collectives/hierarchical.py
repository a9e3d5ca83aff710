"""Inside each domain first, then between domains rail by rail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simulator.collectives.plan import Operation, Plan, Round


@dataclass(frozen=True)
class Hierarchical:
    """Ring reduce-scatter inside each domain, ring all-reduce between domains on each rail, ring all-gather inside each domain.

    Phases follow each other, as frameworks do that compose them from separate calls.
    """

    name: ClassVar[str] = "hierarchical"

    def plan(self, operation: Operation, domains: int, local: int) -> Plan | None:
        """Rounds of the operation; None where the algorithm does not offer it."""
        if domains == 1 or local == 1 or operation not in ("all_reduce", "reduce_scatter", "all_gather"):
            return None
        ranks = domains * local
        rank = np.arange(ranks)
        domain, place = np.divmod(rank, local)
        inside, across = domain * local + (place + 1) % local, (domain + 1) % domains * local + place

        def within(late: int) -> Round:
            return Round(
                source=rank, target=inside, chunk=(place - late) % local * domains, width=domains, reduces=bool(late),
                repeat=local - 1, shift=-domains, cycle=ranks, chained=True, steps=local - 1,
            )  # fmt: skip

        def between(late: int) -> Round:
            return Round(
                source=rank, target=across, chunk=place * domains + (domain - late) % domains, reduces=bool(late),
                repeat=domains - 1, shift=-1, cycle=domains, chained=True, steps=domains - 1,
            )  # fmt: skip

        down, up = (within(1), between(1)), (between(0), within(0))
        rounds = {"all_reduce": down + up, "reduce_scatter": down, "all_gather": up}[operation]
        chunk = np.arange(ranks)
        return Plan(ranks=ranks, chunks=ranks, unit=1 / ranks, rounds=rounds, owner=chunk % domains * local + chunk // domains)
