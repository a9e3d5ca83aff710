"""Laws that every pipeline schedule and the player keep."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.pipeline import SCHEDULES, Slot, play
from simulator.pipeline.slot import predecessor

few = settings(max_examples=40, deadline=None)


@st.composite
def pipelines(draw, most_rounds=6):
    """A schedule with counts that it can run, and uneven durations for it."""
    kind = draw(st.sampled_from(sorted(SCHEDULES)))
    interleaved = kind == "interleaved"
    stages = draw(st.integers(2 if interleaved else 1, 6))
    virtual = draw(st.integers(2, 4)) if interleaved else 1
    microbatches = stages * draw(st.integers(1, most_rounds)) if interleaved else draw(st.integers(1, 6 * most_rounds))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    spread = draw(st.sampled_from([0.0, 1e-3, 0.5]))
    times = {
        "forward": random.uniform(1 - spread, 1 + spread, (stages, virtual)),
        "backward": 2 * random.uniform(1 - spread, 1 + spread, (stages, virtual)),
        "transfer": draw(st.sampled_from([0.0, 0.05, 1.0])) * random.uniform(0.5, 1.5, stages),
        "overlapped": draw(st.booleans()),
    }
    return kind, {"stages": stages, "virtual": virtual, "microbatches": microbatches}, times


@few
@given(pipelines())
def test_every_microbatch_goes_forward_then_back_once_on_each_stage(pipeline):
    kind, counts, _ = pipeline
    for stage in range(counts["stages"]):
        order = SCHEDULES[kind].order(stage, **counts)
        wanted = {
            Slot(stage, microbatch, chunk, phase)
            for microbatch in range(counts["microbatches"])
            for chunk in range(counts["virtual"])
            for phase in ("forward", "backward")
        }
        assert len(order) == len(wanted)
        assert set(order) == wanted
        place = {slot: at for at, slot in enumerate(order)}
        assert all(place[slot] > place[slot._replace(phase="forward")] for slot in order if slot.phase == "backward")


@few
@given(pipelines())
def test_the_activations_held_are_what_the_order_says(pipeline):
    kind, counts, _ = pipeline
    for stage in range(counts["stages"]):
        held = np.cumsum([1 if slot.phase == "forward" else -1 for slot in SCHEDULES[kind].order(stage, **counts)])
        assert held[-1] == 0
        assert held.max() == SCHEDULES[kind].in_flight(stage, **counts)


@few
@given(pipelines(most_rounds=3))
def test_stages_do_one_thing_at_a_time_and_wait_for_their_input(pipeline):
    kind, counts, times = pipeline
    played = play(SCHEDULES[kind], **counts, **times, bars=10**6)
    stages, virtual = counts["stages"], counts["virtual"]
    lanes = {stage: [bar for bar in played.bars if bar.lane == stage] for stage in range(stages)}
    ends: dict[Slot, float] = {}
    starts: dict[Slot, float] = {}
    for stage, bars in lanes.items():
        order = SCHEDULES[kind].order(stage, **counts)
        assert [(bar.label, bar.microbatch) for bar in bars] == [(slot.phase, slot.microbatch) for slot in order]
        assert all(after.start_s >= before.end_s - 1e-9 for before, after in pairwise(bars))
        for slot, bar in zip(order, bars, strict=True):
            starts[slot], ends[slot] = bar.start_s, bar.end_s
            length = times[slot.phase][stage, slot.chunk]
            assert bar.end_s - bar.start_s == pytest.approx(length, abs=1e-9)
    for slot, start in starts.items():
        needed = predecessor(slot, stages, virtual)
        if needed is not None:
            link = needed.stage if slot.phase == "forward" else slot.stage
            assert start >= ends[needed] + times["transfer"][link] - 1e-9


@few
@given(pipelines(most_rounds=40))
def test_playing_a_few_periods_equals_playing_all(pipeline):
    kind, counts, times = pipeline
    quick, whole = play(SCHEDULES[kind], **counts, **times), play(SCHEDULES[kind], **counts, **times, bars=1)
    assert quick.total_s == pytest.approx(whole.total_s, rel=1e-9)
    assert quick.transfer_s == pytest.approx(whole.transfer_s, rel=1e-9, abs=1e-9 * whole.total_s)
    assert quick.bubble_s == pytest.approx(whole.bubble_s, rel=1e-9, abs=1e-9 * whole.total_s)
    assert quick.stage_end_s == pytest.approx(whole.stage_end_s, rel=1e-9)


@few
@given(pipelines(), st.integers(0, 2**30))
def test_longer_durations_are_never_faster(pipeline, which):
    kind, counts, times = pipeline
    before = play(SCHEDULES[kind], **counts, **times).total_s
    for name in ("forward", "backward", "transfer"):
        slower = times[name].copy()
        slower.reshape(-1)[which % slower.size] *= 1.3
        assert play(SCHEDULES[kind], **counts, **(times | {name: slower})).total_s >= before * (1 - 1e-12)


@few
@given(pipelines())
def test_the_parts_are_a_partition_and_no_stage_outlasts_the_whole(pipeline):
    kind, counts, times = pipeline
    played = play(SCHEDULES[kind], **counts, **times)
    assert played.compute_s + played.transfer_s + played.bubble_s == pytest.approx(played.total_s, rel=1e-12)
    assert min(played.compute_s, played.transfer_s, played.bubble_s) >= -1e-9 * played.total_s
    assert min(played.stage_idle_s) >= -1e-9 * played.total_s
    assert max(played.stage_end_s) == pytest.approx(played.total_s)


@few
@given(
    kind=st.sampled_from(sorted(SCHEDULES)),
    stages=st.integers(2, 12),
    virtual=st.integers(2, 4),
    rounds=st.integers(1, 30),
    forward=st.floats(0.1, 2),
    backward=st.floats(0.1, 4),
)
def test_equal_stages_have_the_bubble_of_the_closed_form(kind, stages, virtual, rounds, forward, backward):
    """(stages − 1) ÷ (virtual · microbatches) of ideal. Source: arXiv:2104.04473, sections 2.2.1 and 2.2.2."""
    virtual = virtual if kind == "interleaved" else 1
    played = play(SCHEDULES[kind], stages=stages, virtual=virtual, microbatches=rounds * stages, forward=forward, backward=backward)
    assert played.bubble == pytest.approx((stages - 1) / (virtual * rounds * stages), rel=1e-9)
    assert played.compute_s == pytest.approx(rounds * stages * virtual * (forward + backward), rel=1e-9)


@few
@given(pipelines(), st.floats(0.01, 100))
def test_time_has_no_unit(pipeline, scale):
    kind, counts, times = pipeline
    scaled = {name: value if name == "overlapped" else value * scale for name, value in times.items()}
    expected = play(SCHEDULES[kind], **counts, **times).total_s * scale
    assert play(SCHEDULES[kind], **counts, **scaled).total_s == pytest.approx(expected, rel=1e-9)
