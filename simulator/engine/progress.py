"""How far the training is and what of it is safe: any stretch of training and periodic checkpoints in closed form, without a clock.

The pattern between two disturbances is: train `due` seconds, stand `blocking`, train `period`, stand `blocking`, … to the end of the phase.
A checkpoint is durable `drain` seconds after the job stood for it; `period` ≥ `drain`, so that at most one is under way.

# Assumes: tokens are accepted evenly within a step, evaluations and waits for data are spread evenly over the steps; periodic checkpoints
# fall on whole steps, planned ones where the job stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from simulator.engine.life import Checkpoints, Far, Phase

_ROUNDING = 1e-9
"""Of a count of checkpoints: a phase that ends with a period has no checkpoint just before its end through rounding."""

_INSTANT = 5e-324
"""What is left at least of a write that has begun and was not counted as done, so that rounding never writes it twice [s]."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it goes at the moment.

    Args:
        size: nodes used.
        tokens_per_s: accepted while training.
        productive: share of the training time that the same tokens would take on the nodes that were promised.
        evaluation, data: shares in which the job stands for evaluations and waits for data; the rest is degraded.
        period_s: training between two checkpoints.
    """

    size: int
    tokens_per_s: float
    productive: float
    period_s: float
    evaluation: float = 0.0
    data: float = 0.0

    @property
    def degraded(self) -> float:
        """Share of the training time that fewer or slower nodes cost."""
        return max(0.0, 1.0 - self.productive - self.evaluation - self.data) if self.evaluation or self.data else 1.0 - self.productive

    def gain(self, seconds: float) -> Mark:
        """What so much training brings, and on what it is spent."""
        rest = seconds * self.evaluation, seconds * self.data
        return Mark(seconds * self.tokens_per_s, seconds * self.productive, seconds * self.degraded, *rest)


def pace(phase: Phase, size: int, promised: int, checkpoints: Checkpoints, factor: float, slowdown: float = 1.0) -> Pace:
    """The pace on `size` nodes of `promised`.

    Args:
        factor: on every step time.
        slowdown: on the step times of the moment, by a node or a network that is slow.
    """
    bare = phase.seconds(size) * factor * slowdown
    step = bare / (1.0 - phase.stalled) + phase.evaluation_s
    ideal = phase.seconds(phase.size(promised) or size) * factor
    period = checkpoints.interval_s
    if math.isfinite(period):
        steps = max(1, round(period / step), math.ceil(checkpoints.drain_s / step - _ROUNDING))
        period = steps * step
    # Fewer nodes are not always slower in a table: what is faster than promised is still only productive.
    productive = min(bare, ideal) / step
    evaluation, data = phase.evaluation_s / step, bare * phase.stalled / (1.0 - phase.stalled) / step
    return Pace(size, phase.tokens_per_step / step, productive, period, evaluation, data)


class Mark(NamedTuple):
    """A place to fall back to: accepted tokens and the training time they took [s]."""

    tokens: float = 0.0
    productive: float = 0.0
    degraded: float = 0.0
    evaluation: float = 0.0
    data: float = 0.0


class Row(NamedTuple):
    """Checkpoints that became durable at `at`, `at` + `every`, …, `many` of them [s], from `mark` on, each `gain` after the one before.

    `first` counts the first of them among all of the run; `stored`: all are in storage already.
    """

    at: float
    every: float
    many: int
    mark: Mark
    gain: Mark
    first: int = 0
    stored: bool = False

    def nth(self, number: int) -> Mark:
        """The checkpoint of that number, from 0 on."""
        return Mark(*(start + number * more for start, more in zip(self.mark, self.gain, strict=True)))


class Progress:
    """Position of the run; changes with `advance`, `written` and `roll_back` alone.

    Attributes:
        tokens: accepted so far, safe or not.
        phase: index of the present phase; `len(phases)` behind the last token.
        productive, degraded, evaluation, data, checkpoint, lost: the ledger's parts of that name so far [s].
    """

    def __init__(self, phases: tuple[Phase, ...], checkpoints: Checkpoints, remembers: bool = False) -> None:
        """Args: remembers: all durable checkpoints, and not the last alone: the job may fall back further."""
        self._checkpoints = checkpoints
        self._rows: list[Row] | None = [] if remembers or checkpoints.remembered else None
        self._count = self._unread = 0
        self._ends: list[float] = []
        for phase in phases:
            self._ends.append((self._ends[-1] if self._ends else 0.0) + phase.tokens)
        self.phase = 0
        self.tokens = 0.0
        self.productive = self.degraded = self.evaluation = self.data = self.checkpoint = self.lost = 0.0
        self.writing = self._stretch = 0.0
        self._pace: Pace | None = None
        self._due = math.inf
        self._safe = Mark()
        self._draining: list[tuple[float, Mark]] = []

    @property
    def complete(self) -> bool:
        """All tokens are accepted, safe or not."""
        return self.phase == len(self._ends)

    @property
    def safe_tokens(self) -> float:
        """Tokens in the last durable checkpoint that is known of."""
        return self._safe.tokens

    def start(self, pace: Pace) -> None:
        """Training begins or begins again: the next checkpoint is due a period from here."""
        self._due = pace.period_s
        self._stretch = 0.0

    def to_phase_end(self, pace: Pace) -> float:
        """Seconds from here to the end of the present phase if nothing disturbs, checkpoints included."""
        work = self._work(pace)
        due = pace.period_s if self.writing > 0 else self._due
        return self.writing + work + _blocks(work, due, pace) * self._checkpoints.blocking_s

    def advance(self, elapsed: float, pace: Pace, now: float, to_end: bool) -> None:
        """Train for `elapsed` seconds up to `now`; `to_end`: that is exactly to the end of the phase."""
        if self.writing > 0:
            spent = self.writing if to_end else min(elapsed, self.writing)
            self.checkpoint += spent
            self.writing -= spent
            elapsed -= spent
            if self.writing > 0:
                return
            self.written(now - elapsed)
            self._due = pace.period_s
        work = self._work(pace)
        blocks = _blocks(work, self._due, pace)
        blocking = self._checkpoints.blocking_s
        if to_end:
            done, tail = blocks, work - (self._due + (blocks - 1) * pace.period_s if blocks else 0.0)
        else:
            done, tail = 0, elapsed
            if blocks and elapsed >= self._due + blocking:
                done = min(blocks, 1 + math.floor((elapsed - self._due - blocking) / (pace.period_s + blocking)))
                tail = elapsed - self._due - blocking - (done - 1) * (pace.period_s + blocking)
        # A count of checkpoints is rounded: nothing less than nothing is left of the last.
        tail = tail if tail > 0 else 0.0
        if done:
            self._train(self._due + (done - 1) * pace.period_s, pace)
            self.checkpoint += done * blocking
            if done > 1 and (self._rows is not None or self._checkpoints.drain_s > 0):
                self._settle_periods_before(pace, now - tail, done)
            self.written(now - tail)
            self._due = pace.period_s
        trained = tail if done == blocks or tail < self._due else self._due
        self._train(trained, pace)
        self._due = self._due - trained if self._due > trained else 0.0
        if done < blocks and tail > trained:
            self.checkpoint += tail - trained
            self.writing = max(blocking - (tail - trained), _INSTANT)
        if to_end:
            self.tokens = self._ends[self.phase]
            self.phase += 1

    def stretches(self, elapsed: float, pace: Pace) -> Iterator[tuple[str, float]]:
        """What `advance` would book for `elapsed` seconds from here, one after the other: (`training` or `checkpoint`, seconds)."""
        left, due, blocking = elapsed, self._due, self._checkpoints.blocking_s
        if self.writing > 0:
            yield "checkpoint", min(left, self.writing)
            left, due = left - self.writing, pace.period_s
        blocks = _blocks(self._work(pace), due, pace)
        while left > 0:
            trained = min(left, due) if blocks else left
            yield "training", trained
            left -= trained
            if blocks and left > 0 and blocking > 0:
                yield "checkpoint", min(left, blocking)
                left -= blocking
            blocks, due = blocks - 1, pace.period_s

    def written(self, at: float) -> None:
        """The job has stood for a checkpoint until `at` [s]; it drains from there."""
        self._settle(at)
        mark = self._here()
        if self._checkpoints.drain_s > 0:
            self._draining.append((at + self._checkpoints.drain_s, mark))
        else:
            self._keep(at, mark)

    def _keep(self, at: float, mark: Mark, stored: bool = False) -> None:
        """It is durable from `at` [s] on."""
        self._safe = mark
        if self._rows is not None:
            self._record(Row(at, 0.0, 1, mark, Mark(), self._count + 1, stored))

    def _record(self, row: Row) -> None:
        if self._rows is not None:
            self._rows.append(row)
            self._count += row.many
            self._unread += row.many

    def saved(self, now: float) -> None:
        """All accepted tokens are durable."""
        self._keep(now, self._here(), stored=True)
        self._draining.clear()
        self.writing = 0.0

    def unsaved(self, now: float) -> bool:
        """Whether anything would be lost if the job fell back at `now` [s]."""
        self._settle(now)
        return self.tokens > self._safe.tokens

    def roll_back(self, now: float, before: float = 0.0, far: Far | None = None, unreadable: int = 0) -> None:
        """Fall back to the last checkpoint that is durable at `now` [s].

        Args:
            before: that was durable this long ago already, where the state has been spoilt since [s]; needs `remembers`.
            far: that is in this tier: those nearer are lost.
            unreadable: of those written since the last time that one was read, how many of the last are no good.
        """
        self._settle(now)
        if before > 0:
            self._forget_since(now - before)
        if far:
            self._forget_nearer(now, far)
        if unreadable:
            for _ in range(min(unreadable, self._unread)):
                self._forget_last()
        self._unread = 0
        safe = self._safe
        self.lost += math.fsum(self._here()[1:]) - math.fsum(safe[1:])
        self.tokens, self.productive, self.degraded, self.evaluation, self.data = safe
        self._draining.clear()
        self.writing = 0.0
        while self.phase and self.tokens < self._ends[self.phase - 1]:
            self.phase -= 1

    def shed(self, tokens: float, now: float) -> None:
        """Lose the last `tokens`, no more than were trained at one pace without a break and are not durable at `now` [s]."""
        self._settle(now)
        pace = self._pace
        if pace is None:
            return
        seconds = min(tokens / pace.tokens_per_s, self._stretch, max(0.0, self.tokens - self._safe.tokens) / pace.tokens_per_s)
        self._stretch = 0.0
        self.tokens -= seconds * pace.tokens_per_s
        self._spend(-seconds, pace)
        self.lost += seconds
        self.writing = 0.0

    def _work(self, pace: Pace) -> float:
        return (self._ends[self.phase] - self.tokens) / pace.tokens_per_s

    def _train(self, seconds: float, pace: Pace) -> None:
        self._stretch = self._stretch + seconds if pace is self._pace else seconds
        self._pace = pace
        tokens, end = self.tokens + seconds * pace.tokens_per_s, self._ends[self.phase]
        self.tokens = tokens if tokens < end else end
        self._spend(seconds, pace)

    def _here(self) -> Mark:
        return Mark(self.tokens, self.productive, self.degraded, self.evaluation, self.data)

    def _spend(self, seconds: float, pace: Pace) -> None:
        self.productive += seconds * pace.productive
        self.degraded += seconds * pace.degraded
        self.evaluation += seconds * pace.evaluation
        self.data += seconds * pace.data

    def _settle(self, now: float) -> None:
        while self._draining and self._draining[0][0] <= now:
            self._keep(*self._draining.pop(0))

    def _settle_periods_before(self, pace: Pace, at: float, done: int) -> None:
        """The checkpoint before the last of a row is durable by the time of the last, since no period is shorter than a drain.

        Args:
            at: when the job has stood for the last of the row [s].
            done: checkpoints of the row, the last included.
        """
        seconds = pace.period_s
        gain = pace.gain(seconds)
        if self._rows is not None:
            # Those that were draining before the row have been settled by its first.
            self._settle(at)
            every = seconds + self._checkpoints.blocking_s
            first = Mark(*(now - (done - 1) * more for now, more in zip(self._here(), gain, strict=True)))
            self._record(Row(at - (done - 1) * every + self._checkpoints.drain_s, every, done - 1, first, gain, self._count + 1))
        self._draining.clear()
        self._safe = Mark(*(now - more for now, more in zip(self._here(), gain, strict=True)))

    def _forget_nearer(self, now: float, far: Far) -> None:
        """Only every so many of the checkpoints go on to the tier, and those that have not arrived by `now` [s] are lost too."""
        rows, every, drain = self._rows or [], far.every, far.drain_s
        while rows:
            row = rows.pop()
            last = row.many - 1
            if not row.stored:
                if row.every:
                    last = min(last, math.floor((now - drain - row.at) / row.every))
                elif row.at + drain > now:
                    last = -1
                last -= (row.first + last) % every
            if last >= 0:
                rows.append(row._replace(many=last + 1))
                self._safe = row.nth(last)
                return
        self._safe = Mark()

    def _forget_last(self) -> None:
        """The last checkpoint cannot be read."""
        rows = self._rows or []
        if rows and rows[-1].many > 1:
            rows[-1] = rows[-1]._replace(many=rows[-1].many - 1)
        elif rows:
            rows.pop()
        self._safe = rows[-1].nth(rows[-1].many - 1) if rows else Mark()

    def _forget_since(self, then: float) -> None:
        """No checkpoint that became durable after `then` [s] is any good."""
        rows = self._rows or []
        while rows and rows[-1].at > then:
            rows.pop()
        if not rows:
            self._safe = Mark()
            return
        row = rows.pop()
        last = min(row.many - 1, math.floor((then - row.at) / row.every)) if row.every else 0
        rows.append(row._replace(many=last + 1))
        self._safe = row.nth(last)


def _blocks(work: float, due: float, pace: Pace) -> int:
    """Checkpoints that begin before the end of `work` seconds of training, the first after `due` of them."""
    if work <= due or not math.isfinite(due):
        return 0
    # More than nothing is left, less a rounding: the ceiling is no less than 0.
    return math.ceil((work - due) / pace.period_s - _ROUNDING)
