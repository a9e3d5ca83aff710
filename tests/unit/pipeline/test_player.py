"""The pipeline player on cases small enough to check by hand, and what it refuses."""

from __future__ import annotations

import pytest

from simulator.errors import MendableError
from simulator.pipeline import (
    SCHEDULES,
    DualPipe,
    GPipe,
    Interleaved,
    OneForwardOneBackward,
    ZeroBubbleH1,
    ZeroBubbleH2,
    ZeroBubbleV,
    play,
)


def test_two_stages_and_two_microbatches_by_hand() -> None:
    # stage 0: F0 0-1, F1 1-2, B0 4-6, B1 7-9; stage 1: F0 1-2, B0 2-4, F1 4-5, B1 5-7
    played = play(OneForwardOneBackward(), stages=2, microbatches=2, forward=1.0, backward=2.0, bars=8)
    shown = {(bar.lane, bar.label, bar.microbatch): (bar.start_s, bar.end_s) for bar in played.bars}
    assert shown == {
        (0, "forward", 0): (0, 1), (0, "forward", 1): (1, 2), (0, "backward", 0): (4, 6), (0, "backward", 1): (7, 9),
        (1, "forward", 0): (1, 2), (1, "backward", 0): (2, 4), (1, "forward", 1): (4, 5), (1, "backward", 1): (5, 7),
    }  # fmt: skip
    assert played.total_s == 9
    assert played.stage_busy_s == (6, 6)
    assert played.stage_idle_s == (3, 3)


def test_overlapped_transfers_delay_and_blocking_ones_hold_too() -> None:
    times = {"stages": 2, "microbatches": 1, "forward": 1.0, "backward": 2.0, "transfer": 0.5}
    overlapped, blocking = play(GPipe(), **times), play(GPipe(), **times, overlapped=False)
    assert overlapped.total_s == blocking.total_s == 7.0
    assert overlapped.transfer_s == 1.0
    assert overlapped.stage_busy_s == (3.0, 3.0)
    assert blocking.stage_busy_s == (3.5, 3.5)


def test_one_slow_stage_sets_the_pace() -> None:
    played = play(OneForwardOneBackward(), stages=4, microbatches=1000, forward=[1, 1, 2, 1], backward=[2, 2, 4, 2])
    assert played.compute_s == 6000
    assert played.bubble == pytest.approx(0, abs=0.003)


def test_one_stage_has_no_bubble() -> None:
    played = play(OneForwardOneBackward(), stages=1, microbatches=7, forward=1.0, backward=2.0, transfer=5.0)
    assert (played.total_s, played.bubble_s, played.transfer_s) == (21.0, 0.0, 0.0)


def test_a_schedule_is_named_as_in_a_layout() -> None:
    assert {name: type(kind) for name, kind in SCHEDULES.items()} == {
        "gpipe": GPipe, "1f1b": OneForwardOneBackward, "interleaved": Interleaved, "zb_h1": ZeroBubbleH1, "zb_h2": ZeroBubbleH2,
        "zb_v": ZeroBubbleV, "dualpipe": DualPipe,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"microbatches": 6}, "4 or 8 microbatches"),
        ({"microbatches": 3}, "4 microbatches would do"),
        ({"virtual": 1}, "at least 2 of both"),
        ({"forward": [1.0, 2.0]}, "one per stage"),
        ({"backward": -1.0}, "negative"),
        ({"transfer": float("nan")}, "not finite"),
    ],
)
def test_what_it_refuses_comes_with_the_mend(change: dict[str, object], what: str) -> None:
    asked = {"stages": 4, "virtual": 2, "microbatches": 8, "forward": 1.0, "backward": 2.0}
    with pytest.raises(MendableError, match=what):
        play(Interleaved(), **(asked | change))


def test_plain_schedules_have_no_chunks() -> None:
    for kind in (GPipe(), OneForwardOneBackward()):
        with pytest.raises(MendableError, match="write schedule: interleaved"):
            play(kind, stages=2, virtual=2, microbatches=2, forward=1.0, backward=1.0)
        with pytest.raises(MendableError, match="at least 1"):
            play(kind, stages=2, microbatches=0, forward=1.0, backward=1.0)


def test_two_stages_of_zb_h1_by_hand() -> None:
    # The last stage is one behind with its weights: F0 1-2, B0 2-3, F1 3-4, B1 4-5, W0 5-6, W1 6-7.
    played = play(ZeroBubbleH1(), stages=2, microbatches=2, forward=1.0, backward=2.0, weight=1.0, bars=12)
    shown = {(bar.lane, bar.label.removesuffix(" gradient"), bar.microbatch): bar.start_s for bar in played.bars}
    assert shown == {
        (0, "forward", 0): 0, (0, "forward", 1): 1, (0, "input", 0): 3, (0, "weight", 0): 4, (0, "input", 1): 5, (0, "weight", 1): 6,
        (1, "forward", 0): 1, (1, "input", 0): 2, (1, "forward", 1): 3, (1, "input", 1): 4, (1, "weight", 0): 5, (1, "weight", 1): 6,
    }  # fmt: skip
    assert (played.total_s, played.bubble_s) == (7, 1)


def test_stages_that_begin_the_next_step_alone_are_timed_alone() -> None:
    played = play(ZeroBubbleH2(), stages=4, microbatches=8, forward=1.0, backward=2.0, weight=1.0)
    assert played.stage_start_s == (0, 1, 2, 3)
    assert played.stage_end_s == (24, 25, 26, 27)
    assert (played.total_s, played.bubble_s) == (24, 0)


def test_joint_slots_start_and_end_together() -> None:
    played = play(DualPipe(), stages=2, microbatches=4, forward=1.0, backward=2.0, weight=1.0, bars=100)
    order = DualPipe().order(0, 2, 1, 4)
    bars = [bar for bar in played.bars if bar.lane == 0]
    pairs = [(bars[at], bars[at + 1]) for at, slot in enumerate(order) if slot.phase == "joint_forward"]
    assert pairs
    assert all(ahead.label == "forward" and back.label == "backward" and ahead.end_s == back.start_s for ahead, back in pairs)


def test_dualpipe_needs_pairs_and_enough_microbatches() -> None:
    for counts, what in (({"stages": 3, "microbatches": 8}, "not even"), ({"stages": 4, "microbatches": 6}, "at least 8")):
        with pytest.raises(MendableError, match=what):
            play(DualPipe(), **counts, forward=1.0, backward=2.0)
    with pytest.raises(MendableError, match="virtual: 2"):
        play(ZeroBubbleV(), stages=4, microbatches=8, forward=1.0, backward=2.0)
    with pytest.raises(MendableError, match="part of backward"):
        play(ZeroBubbleH1(), stages=4, microbatches=8, forward=1.0, backward=2.0, weight=3.0)


def test_many_microbatches_cost_a_few_periods() -> None:
    """Counted, not timed: the rows laid out for a million microbatches are those of a few."""
    played = play(OneForwardOneBackward(), stages=8, microbatches=10**6, forward=1.0, backward=2.0, transfer=0.01)
    assert played.total_s == pytest.approx(3e6, rel=0.01)
