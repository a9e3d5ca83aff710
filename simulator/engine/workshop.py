"""Repairs: an automatic stage, then people, of whom there may be few; spares on their way. One heap, no process per node.

Every repair brings its own draws, so that what a repair takes depends on the failure and not on who else is being repaired. People serve
in the order in which the automatic stage hands over and the part is there. Each part that is used is ordered again at once: the policy of
stores for what is dear and rare, (S − 1, S).
"""

from __future__ import annotations

import heapq
import math
from typing import NamedTuple

from simulator.engine.hazards import CURED, ESCALATES, MANUAL_REPAIR, NEEDS_PART, REPAIR
from simulator.engine.streams import lognormal
from simulator.reliability import Repair


class Done(NamedTuple):
    """A repair that ends: when [s], of which nodes, and whether their faults are gone; `handed_over` where people only begin then [s].

    `part`: these still need a part. `spare` where it is no repair but a spare that is there.
    """

    at: float
    ordinal: int
    nodes: tuple[int, ...]
    cured: bool
    handed_over: float | None
    spare: bool = False
    part: bool = False


class Workshop:
    """All repairs under way.

    Attributes:
        next: when the next one ends or is handed over to people [s].
    """

    __slots__ = ("_crews", "_heap", "_ordinal", "_parts", "_repair", "next")

    def __init__(self, repair: Repair) -> None:
        self._repair = repair
        self._heap: list[Done] = []
        self._crews = [-math.inf] * repair.crews if repair.crews else []
        self._parts = [-math.inf] * (repair.parts or 0)
        self._ordinal = 0
        self.next = math.inf

    def take(self, nodes: tuple[int, ...], now: float, draws: list[float], mean: float | None = None) -> None:
        """What one failure took down comes in and is one repair [s].

        Args:
            mean: of the repair by people; the usual one where absent [s].
        """
        repair = self._repair
        ready, people = now, True
        if repair.automatic:
            ready += lognormal(repair.automatic, repair.sigma, draws[REPAIR])
            people = draws[ESCALATES] < repair.escalation
        self._ordinal += 1
        if not people:
            self._push(Done(ready, self._ordinal, nodes, draws[CURED] >= repair.automatic_silent, None))
            return
        seconds = lognormal(repair.mean if mean is None else mean, repair.sigma, draws[MANUAL_REPAIR if repair.automatic else REPAIR])
        cured = draws[CURED] >= repair.silent
        part = repair.parts is not None and (repair.parts_share == 1 or draws[NEEDS_PART] < repair.parts_share)
        if ready > now and (self._crews or part):
            self._push(Done(ready, self._ordinal, nodes, cured, seconds, part=part))
        else:
            self._hand_over(nodes, ready, seconds, cured, part)

    def expect(self, node: int, at: float) -> None:
        """A spare is there at a time [s]."""
        self._ordinal += 1
        self._push(Done(at, self._ordinal, (node,), False, None, True))

    def finish(self) -> Done | None:
        """What is due next; None where it was only handed over to people."""
        done = heapq.heappop(self._heap)
        self.next = self._heap[0].at if self._heap else math.inf
        if done.handed_over is None:
            return done
        self._hand_over(done.nodes, done.at, done.handed_over, done.cured, done.part)
        return None

    def clear(self) -> None:
        """Forget all: what is under repair is the site's business."""
        self._heap.clear()
        self._crews = [-math.inf] * len(self._crews)
        self._parts = [-math.inf] * len(self._parts)
        self.next = math.inf

    def _hand_over(self, nodes: tuple[int, ...], at: float, seconds: float, cured: bool, part: bool) -> None:
        """To people, where their part is there; else once it is [s]."""
        there = at
        if part:
            heapq.heappush(self._parts, at + self._repair.lead_time)
            there = max(at, heapq.heappop(self._parts))
        if not self._crews:
            self._push(Done(there + seconds, self._ordinal, nodes, cured, None))
        elif there > at:
            self._ordinal += 1
            self._push(Done(there, self._ordinal, nodes, cured, seconds))
        else:
            self._call(nodes, at, seconds, cured)

    def _call(self, nodes: tuple[int, ...], ready: float, seconds: float, cured: bool) -> None:
        """The crew that is free first begins, at the earliest when the nodes are ready [s]."""
        free = max(ready, self._crews[0]) + seconds
        heapq.heapreplace(self._crews, free)
        self._ordinal += 1
        self._push(Done(free, self._ordinal, nodes, cured, None))

    def _push(self, done: Done) -> None:
        heapq.heappush(self._heap, done)
        self.next = self._heap[0].at
