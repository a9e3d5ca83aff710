"""When the next failure comes: one clock per class, none per machine.

A class of exponential times over n things is one clock of n times the rate: it rings when the *exposure* since its last ring (node-seconds
held, or seconds that the job ran) reaches a draw of the class. Exposure runs faster on a larger fleet, stands still where nothing is held,
and rescales nothing when machines come and go.

A class whose times are known is no clock: its failures are those still to come, as the followers of a burst are.

A class of other times is a renewal process per thing, exact and lazy: the first failures of n things of age a come in the order of
exponential spacings, H(a + t₍ᵢ₊₁₎) = H(a + t₍ᵢ₎) + E/(n − i) with the cumulative hazard H, and each thing that has failed starts again as
new, on a heap. Memory grows with the failures, not with the things.

# Assumes: all things of such a class are of one age when the run starts and age while machines are held; while fewer are held than the
# most of the run, each failure is kept with the share that is held, so that machines that are away age too.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple, Protocol

from simulator.engine.streams import Stream, Streams, exponential
from simulator.reliability import FailureClass, FailureSet, things

INTERVAL, VICTIM, RESTART, MANUAL, REPAIR, FIRST, KEPT, ESCALATES, MANUAL_REPAIR, CURED, SAVES, MORE = range(12)
"""Columns of a row of a failure class's stream, one row per failure."""
_COLUMNS = 12
MISLED, NEEDS_PART = range(12, 14)
"""Columns that come behind, from a stream of their own, where anything asks for them."""
_FURTHER = 4
_AGES = 1
"""The place of the ages of Weibull classes among the exposures: nodes held, ages, the job, each kind of lemons."""


class Clock(Protocol):
    """One failure class: where on its exposure it rings next."""

    failure: FailureClass

    @property
    def next(self) -> float:
        """Exposure at which it rings."""

    def ring(self, share: float) -> list[float] | None:
        """Go on to the ring after `next`; the draws of the failure, or None where it struck a thing that is not held.

        Args:
            share: things held / most things of the run.
        """


class Memoryless:
    """One competing clock for all things of the class."""

    __slots__ = ("_mean", "_row", "_stream", "failure", "next")

    def __init__(self, failure: FailureClass, mean: float, stream: Stream) -> None:
        """Args: mean: exposure between two failures."""
        self.failure = failure
        self._mean = mean
        self._stream = stream
        self._row = stream.row()
        self.next = exponential(self._row[INTERVAL]) * mean

    def ring(self, share: float) -> list[float] | None:
        row = self._row
        self._row = self._stream.row()
        self.next += exponential(self._row[INTERVAL]) * self._mean
        return row


class Renewal:
    """A renewal process per thing of the class, over time that machines are held [s]."""

    __slots__ = ("_age", "_first", "_fresh", "_hazard", "_row", "_stream", "_worn", "failure")

    def __init__(self, failure: FailureClass, count: int, stream: Stream) -> None:
        self.failure = failure
        self._age = partial(failure.distribution.age, mtbf=failure.mtbf)
        self._stream = stream
        self._fresh = count
        self._hazard = failure.distribution.hazard(failure.age, failure.mtbf)
        self._worn: list[float] = []
        self._row = stream.row()
        self._first = self._first_failure()

    @property
    def next(self) -> float:
        return min(self._first, self._worn[0]) if self._worn else self._first

    def ring(self, share: float) -> list[float] | None:
        row = self._row
        now = self.next
        self._row = self._stream.row()
        if self._worn and self._worn[0] <= self._first:
            heapq.heappop(self._worn)
        else:
            self._fresh -= 1
            self._first = self._first_failure()
        heapq.heappush(self._worn, now + self._age(exponential(row[INTERVAL])))
        return row if row[KEPT] < share else None

    def _first_failure(self) -> float:
        if not self._fresh:
            return math.inf
        self._hazard += exponential(self._row[FIRST]) / self._fresh
        return max(0.0, self._age(self._hazard) - self.failure.age)


class Exposure:
    """Something that adds up while time passes, and the clocks that ring on it.

    Attributes:
        rate: at which it grows at the moment [1/s].
        next: time of the next ring at that rate [s].
    """

    __slots__ = ("_clocks", "_since", "_value", "next", "rate")

    def __init__(self, clocks: list[Clock]) -> None:
        """Args: clocks: at least one."""
        self._clocks = [(clock.next, place, clock) for place, clock in enumerate(clocks)]
        heapq.heapify(self._clocks)
        self._value = 0.0
        self.rate = 0.0
        self._since = 0.0
        self.next = math.inf

    def set(self, now: float, rate: float) -> None:
        """From `now` [s] on it grows by `rate` per second."""
        self._value += (now - self._since) * self.rate
        self._since = now
        self.rate = rate
        left = self._clocks[0][0] - self._value
        self.next = math.inf if rate <= 0 else now + left / rate if left > 0 else now

    def ring(self, share: float) -> tuple[FailureClass, list[float] | None]:
        """The failure that is due, and its draws."""
        _, place, clock = self._clocks[0]
        row = clock.ring(share)
        heapq.heapreplace(self._clocks, (clock.next, place, clock))
        self.set(self._since, self.rate)
        return clock.failure, row


class Failure(NamedTuple):
    """One failure of something that is held; `draws` are its own random numbers, `node` whom it struck if that is known."""

    failure: FailureClass
    draws: list[float]
    node: int | None = None


class Hazards:
    """All failure classes of a run.

    Attributes:
        next: time of the next failure if nothing changes [s].
    """

    def __init__(
        self, failures: FailureSet | None, most_nodes: int, accelerators_per_node: int, streams: Streams, further: bool = False
    ) -> None:
        """Args:
        most_nodes: that are ever held at once, spares included.
        further: draws come with the further columns.
        """
        self._further = {each.cause: streams.stream(f"further/{each.cause}", _FURTHER) for each in _all(failures) if further}
        machines: list[Clock] = []
        ages: list[Clock] = []
        running: list[Clock] = []
        lemons: list[list[Clock]] = []
        self._bursts = {each.cause: streams.stream(f"burst/{each.cause}", _COLUMNS) for each in _all(failures) if each.burst}
        self._coming: list[tuple[float, int, Failure]] = []
        self._ordinal = 0
        for failure in _all(failures):
            stream = streams.stream(f"failure/{failure.cause}", _COLUMNS)
            if failure.times:
                self._recall(failure, stream)
                continue
            mean = failure.mtbf / things(failure, 1, accelerators_per_node)
            if failure.share < 1:
                lemons.append([Memoryless(failure, mean, stream)])
            elif failure.memoryless:
                (running if failure.of == "job" else machines).append(Memoryless(failure, mean, stream))
            else:
                renewal = Renewal(failure, math.ceil(things(failure, most_nodes, accelerators_per_node)), stream)
                (running if failure.of == "job" else ages).append(renewal)
        self._all = [(kind, Exposure(clocks)) for kind, clocks in enumerate((machines, ages, running, *lemons)) if clocks]
        self._due: tuple[int, Exposure]
        self._most_nodes = most_nodes
        self._nodes = 0
        self.next = self._coming[0][0] if self._coming else math.inf

    def _recall(self, failure: FailureClass, stream: Stream) -> None:
        """All failures of a class whose times are known."""
        for place, at in enumerate(failure.times):
            self._ordinal += 1
            node = failure.nodes[place] if failure.nodes else None
            heapq.heappush(self._coming, (at, self._ordinal, Failure(failure, stream.row(), node)))

    def expose(self, now: float, nodes: int, running: bool, lemons: Sequence[int] = ()) -> None:
        """From `now` [s] on, `nodes` are held, `lemons` of them of each class that has some, and the job runs or does not."""
        self._nodes = nodes
        rates = (nodes, nodes > 0, running, *lemons)
        self.next = self._coming[0][0] if self._coming else math.inf
        for each in self._all:
            kind, exposure = each
            if exposure.rate != rates[kind]:
                exposure.set(now, rates[kind])
            if exposure.next < self.next:
                self.next = exposure.next
                self._due = each

    def strike(self) -> Failure | None:
        """The failure that is due; None where it struck a thing that is not held."""
        if self._coming and self._coming[0][0] == self.next:
            follower = heapq.heappop(self._coming)[2]
            self._look()
            follower = self._whole(follower)
            return follower if self._nodes or follower.failure.of == "job" else None
        kind, exposure = self._due
        share = self._nodes / self._most_nodes if kind == _AGES else 1.0
        failure, draws = exposure.ring(share)
        if draws and failure.burst:
            self._burst(failure, draws[MORE])
        self._look()
        struck = self._whole(Failure(failure, draws or []))
        return None if draws is None else struck

    def _whole(self, struck: Failure) -> Failure:
        """With the further draws, where they are wanted."""
        return struck._replace(draws=struck.draws + self._further[struck.failure.cause].row()) if self._further else struck

    def _burst(self, failure: FailureClass, chance: float) -> None:
        """What a failure brings after it: a Poisson count by inversion, each at an exponential distance."""
        term = total = math.exp(-failure.burst)
        count = 0
        while chance >= total and term > 0:
            count += 1
            term *= failure.burst / count
            total += term
        for _ in range(count):
            row = self._bursts[failure.cause].row()
            self._ordinal += 1
            at = self.next + failure.burst_spread * exponential(row[INTERVAL])
            heapq.heappush(self._coming, (at, self._ordinal, Failure(failure, row)))

    def _look(self) -> None:
        self.next = self._coming[0][0] if self._coming else math.inf
        for each in self._all:
            if each[1].next < self.next:
                self.next = each[1].next
                self._due = each


def _all(failures: FailureSet | None) -> tuple[FailureClass, ...]:
    return failures.classes if failures else ()
