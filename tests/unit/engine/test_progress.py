"""The closed form against a twin that goes through training and checkpoints one by one."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine.life import Checkpoints, Phase
from simulator.engine.progress import Progress, pace


class Twin:
    """One checkpoint after the other, no closed form."""

    def __init__(self, tokens: float, rate: float, period: float, blocking: float, drain: float) -> None:
        self.left, self.rate, self.period, self.blocking, self.drain = tokens / rate, rate, period, blocking, drain
        self.now = self.trained = self.checkpoint = self.safe = 0.0
        self.due, self.writing, self.draining = period, 0.0, []

    def advance(self, elapsed: float) -> None:
        end = self.now + elapsed
        while self.now < end - 1e-12:
            if self.writing > 0:
                step = min(self.writing, end - self.now)
                self.now += step
                self.checkpoint += step
                self.writing -= step
                if self.writing <= 1e-12:
                    self.writing, self.due = 0.0, self.period
                    self.draining.append((self.now + self.drain, self.trained))
                continue
            step = min(self.due, end - self.now, self.left)
            self.now += step
            self.trained += step
            self.left -= step
            self.due -= step
            if self.left <= 1e-12:
                break
            if self.due <= 1e-12:
                self.writing = self.blocking
        for at, trained in self.draining:
            if at <= self.now + 1e-9:
                self.safe = trained


@settings(max_examples=50, deadline=None)
@given(
    st.floats(50.0, 5_000.0),
    st.floats(0.5, 3.0),
    st.integers(5, 400),
    st.floats(0.1, 40.0),
    st.sampled_from((0.0, 4.0)),
    st.lists(st.floats(0.0, 700.0), min_size=1, max_size=8),
)
def test_any_pieces_of_time_come_to_where_the_twin_is(
    tokens: float, rate: float, interval: int, blocking: float, drain: float, pieces: list[float]
) -> None:
    phase = Phase(tokens=tokens, tokens_per_step=rate, step_s=((4, 1.0),))
    checkpoints = Checkpoints(interval_s=float(interval), blocking_s=blocking, drain_s=drain)
    speed = pace(phase, 4, 4, checkpoints, 1.0)
    progress, twin, now = Progress((phase,), checkpoints), Twin(tokens, rate, speed.period_s, blocking, drain), 0.0
    progress.start(speed)
    for piece in pieces:
        left = progress.to_phase_end(speed)
        if piece >= left:
            progress.advance(left, speed, now + left, True)
            assert progress.complete
            assert progress.tokens == tokens
            twin.advance(left + 1.0)
            assert twin.left == pytest.approx(0, abs=1e-6)
            assert progress.checkpoint == pytest.approx(twin.checkpoint, abs=1e-6)
            return
        now += piece
        progress.advance(piece, speed, now, False)
        twin.advance(piece)
        assert progress.tokens == pytest.approx(twin.trained * rate, abs=1e-6)
        assert progress.checkpoint == pytest.approx(twin.checkpoint, abs=1e-6)
        assert progress.productive + progress.checkpoint == pytest.approx(now, abs=1e-6)
    progress.roll_back(now)
    assert progress.tokens == pytest.approx(twin.safe * rate, abs=1e-6)
    assert progress.lost + progress.productive == pytest.approx(twin.trained, abs=1e-6)


def test_periods_are_whole_steps_no_shorter_than_a_drain() -> None:
    phase = Phase(tokens=100.0, tokens_per_step=1.0, step_s=((2, 12.0), (4, 7.0)))
    assert pace(phase, 4, 4, Checkpoints(interval_s=100.0), 1.0).period_s == 98
    assert pace(phase, 4, 4, Checkpoints(interval_s=1.0), 1.0).period_s == 7
    assert pace(phase, 4, 4, Checkpoints(interval_s=1.0, drain_s=8.0), 1.0).period_s == 14
    assert pace(phase, 4, 4, Checkpoints(interval_s=math.inf), 1.0).period_s == math.inf
    slow = pace(phase, 2, 4, Checkpoints(interval_s=100.0), 1.5)
    assert slow.productive == pytest.approx(7 / 12)
    assert slow.tokens_per_s == pytest.approx(1 / 18)
    assert pace(phase, 2, 2, Checkpoints(interval_s=100.0), 1.0).productive == 1
