"""The operator's log of one life, whole: every stretch that the job spent in one state, and every event between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from simulator.engine.job import Events, Job, Recovering, Signal
from simulator.engine.life import Life, RunRecord
from simulator.outcome import LogEntry


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """The job in one state.

    Args:
        state: `training`, or a part of the ledger: `checkpoint`, `detection`, `restart`, ….
        start_s, end_s: since the start of the run [s].
        tokens: accepted by its end, safe or not.
        nodes: of the job that are up at its end, spares on their way in included.
        hot: hot spares that are up at its end.
        repairing: nodes under repair at its end.
    """

    state: str
    start_s: float
    end_s: float
    tokens: float
    nodes: int
    hot: int
    repairing: int


@dataclass(frozen=True, kw_only=True)
class Story:
    """One life, told.

    Args:
        record: as `live` gives it.
        stretches: in order of time, without a gap, from 0 s to the wall-clock.
        events: in order of time.
    """

    record: RunRecord
    stretches: tuple[Stretch, ...]
    events: tuple[LogEntry, ...]


class Watched(Job):
    """A life that is written down as it is lived; what happens in it is the same.

    Time per checkpoint, and no more per failure: two stretches for each periodic checkpoint.
    """

    def __init__(self, life: Life, policy: Recovering, seed: int, replication: int) -> None:
        self._stretches: list[Stretch] = []
        self._events: list[LogEntry] = []
        self._seen = (0, 0, 0)
        super().__init__(life, policy, seed, replication, log_limit=0)

    def story(self) -> Story:
        """Live it."""
        record = self.run()
        return Story(record=record, stretches=tuple(self._stretches), events=tuple(self._events))

    def note(self, what: str, cause: str = "") -> None:
        """A line of the operator's log."""
        self._events.append(LogEntry(time_s=self.now, what=what, cause=cause, tokens=self._progress.tokens, nodes=self.size))

    def spend(self, *stages: tuple[str, float]) -> Events:
        """Let time pass under parts of the ledger, as the job does, and write down which."""
        at = self.now
        signal = yield from super().spend(*stages)
        if signal is Signal.DONE:
            self._look()
        for part, seconds in stages:
            end = min(at + max(seconds, 0.0), self.now)
            self._write(part, at, end, self._progress.tokens)
            at = end
        # Sums of floats: the last stage ends when the clock says so.
        self._write(self._stretches[-1].state if self._stretches else "", at, self.now, self._progress.tokens)
        return signal

    def _close(self, book: Callable[[float, bool], None], begun: float, end: float) -> bool:
        self._look()
        return super()._close(book, begun, end)

    def _book(self, elapsed: float, to_end: bool) -> None:
        self._look()
        at, tokens, pace = self.now - elapsed, self._progress.tokens, self._pace()
        stretches = list(self._progress.stretches(elapsed, pace))
        super()._book(elapsed, to_end)
        for state, seconds in stretches:
            tokens = min(tokens + pace.tokens_per_s * seconds, self._progress.tokens) if state == "training" else tokens
            self._write(state, at, at + seconds, tokens)
            at += seconds

    def _look(self) -> None:
        """The fleet as it is, before anything happens to it."""
        self._seen = (self.fleet.present, len(self.fleet.hot), self.fleet.repairing)

    def _write(self, state: str, start: float, end: float, tokens: float) -> None:
        """A stretch more, or the last one longer."""
        if end <= start:
            return
        last = self._stretches[-1] if self._stretches else None
        if last and last.state == state and (last.nodes, last.hot, last.repairing) == self._seen:
            self._stretches[-1] = replace(last, end_s=end, tokens=tokens)
        else:
            nodes, hot, repairing = self._seen
            told = Stretch(state=state, start_s=start, end_s=end, tokens=tokens, nodes=nodes, hot=hot, repairing=repairing)
            self._stretches.append(told)
