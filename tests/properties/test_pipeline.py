"""Laws that every pipeline schedule and the player keep."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.pipeline import SCHEDULES, Slot, play
from simulator.pipeline.slot import predecessor

HOLDS = {"forward": 1, "joint_forward": 1, "input": 0, "backward": -1, "joint_backward": -1, "weight": -1}
"""What each slot adds to the microbatches whose activations a stage holds."""

few = settings(max_examples=40, deadline=None)


@st.composite
def pipelines(draw, most_rounds=6):
    """A schedule with counts that it can run, and uneven durations for it."""
    kind = draw(st.sampled_from(sorted(SCHEDULES)))
    stages = draw(st.integers(1 if kind in ("gpipe", "1f1b", "zb_h1", "zb_h2") else 2, 6))
    stages += stages % 2 if kind == "dualpipe" else 0
    virtual = draw(st.integers(2, 4)) if kind == "interleaved" else 2 if kind == "zb_v" else 1
    microbatches = draw(st.integers(1, 6 * most_rounds))
    if kind == "interleaved":
        microbatches = stages * draw(st.integers(1, most_rounds))
    elif kind == "dualpipe":
        microbatches = 2 * (stages + draw(st.integers(0, 3 * most_rounds)))
    chunks = virtual * SCHEDULES[kind].copies
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    spread = draw(st.sampled_from([0.0, 1e-3, 0.5]))
    times = {
        "forward": random.uniform(1 - spread, 1 + spread, (stages, chunks)),
        "backward": 2 * random.uniform(1 - spread, 1 + spread, (stages, chunks)),
        "weight": random.uniform(0, 1, (stages, chunks)) if spread else np.full((stages, chunks), draw(st.sampled_from([0.0, 0.7, 1.0]))),
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
        copies = SCHEDULES[kind].copies
        each = counts["microbatches"] // copies
        wanted = {
            (microbatch, chunk)
            for copy in range(copies)
            for microbatch in range(copy * each, (copy + 1) * each)
            for chunk in range(copy * counts["virtual"], (copy + 1) * counts["virtual"])
        }
        passed = {}
        for slot in order:
            assert slot.stage == stage
            passed[slot.microbatch, slot.chunk] = (*passed.get((slot.microbatch, slot.chunk), ()), slot.phase.removeprefix("joint_"))
        assert set(passed) == wanted
        assert set(passed.values()) <= {("forward", "backward"), ("forward", "input", "weight")}
        follows = {first.phase: second.phase for first, second in pairwise(order) if "joint_forward" in (first.phase, second.phase)}
        assert follows.get("joint_forward", "joint_backward") == "joint_backward"


@few
@given(pipelines())
def test_the_activations_held_are_what_the_order_says(pipeline):
    kind, counts, _ = pipeline
    for stage in range(counts["stages"]):
        held = np.cumsum([HOLDS[slot.phase] for slot in SCHEDULES[kind].order(stage, **counts)])
        assert held[-1] == 0
        assert held.max() == SCHEDULES[kind].in_flight(stage, **counts)


@few
@given(pipelines(most_rounds=3))
def test_stages_do_one_thing_at_a_time_and_wait_for_their_input(pipeline):
    kind, counts, times = pipeline
    played = play(SCHEDULES[kind], **counts, **times, bars=10**6)
    stages = counts["stages"]
    lanes = {stage: [bar for bar in played.bars if bar.lane == stage] for stage in range(stages)}
    ends = {}
    starts = {}
    for stage, bars in lanes.items():
        order = SCHEDULES[kind].order(stage, **counts)
        assert [(bar.label.split()[0], bar.microbatch) for bar in bars] == [
            (slot.phase.removeprefix("joint_"), slot.microbatch) for slot in order
        ]
        assert all(after.start_s >= before.end_s - 1e-9 for before, after in pairwise(bars))
        for at, (slot, bar) in enumerate(zip(order, bars, strict=True)):
            # A joint pair ends as one: what waits for its forward waits for the backward beside it.
            done = bars[at + 1].end_s if slot.phase == "joint_forward" else bar.end_s
            starts[slot], ends[slot.microbatch, slot.stage, slot.chunk, _turn(slot)] = bar.start_s, done
            whole = times["backward"][stage, slot.chunk]
            weight = times["weight"][stage, slot.chunk]
            lengths = {"forward": times["forward"][stage, slot.chunk], "backward": whole, "input": whole - weight, "weight": weight}
            assert bar.end_s - bar.start_s == pytest.approx(lengths[bar.label.split()[0]], abs=1e-9)
    routes = SCHEDULES[kind].routes(stages, counts["virtual"])
    for slot, start in starts.items():
        needed = predecessor(slot, routes)
        if needed is not None:
            a, b = (needed.stage, slot.stage) if _turn(slot) == "forward" else (slot.stage, needed.stage)
            sent = 0.0 if a == b else times["transfer"][a if b == (a + 1) % stages else b]
            assert start >= ends[needed.microbatch, needed.stage, needed.chunk, _turn(needed)] + sent - 1e-9


def _turn(slot: Slot) -> str:
    return {"joint_forward": "forward", "input": "backward", "joint_backward": "backward"}.get(slot.phase, slot.phase)


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
    for name in ("forward", "backward", "transfer"):  # a longer backward pass with as much of it for the weights
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
    spans = np.subtract(played.stage_end_s, played.stage_start_s) if SCHEDULES[kind].staggered else played.stage_end_s
    assert max(spans) == pytest.approx(played.total_s)


@few
@given(
    kind=st.sampled_from(["1f1b", "gpipe", "interleaved"]),
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
@given(
    kind=st.sampled_from(["zb_h1", "zb_h2", "zb_v", "dualpipe"]),
    half=st.integers(1, 6),
    rounds=st.integers(2, 10),
    forward=st.floats(0.8, 1.0),
    inputs=st.floats(1.0, 1.5),
    weight=st.floats(0.5, 0.8),
)
def test_schedules_that_split_have_the_bubble_of_the_closed_form(kind, half, rounds, forward, inputs, weight):
    """With TW <= TF <= TB and enough microbatches: (p - 1)(TF + TB - TW) for ZB-H1 and (p - 1)(TF + TB - 2 TW) for ZB-H2, as
    arXiv:2401.10241, Table 1, states them; (p / 2 - 1)(F&B + B - 3 W) with F&B = F + B for DualPipe, as arXiv:2412.19437, Table 2.
    ZB-V: none where all three are alike."""
    stages, virtual = 2 * half, 2 if kind == "zb_v" else 1
    if kind == "zb_v":
        inputs = weight = forward
    times = {"forward": forward, "backward": inputs + weight, "weight": weight}
    played = play(SCHEDULES[kind], stages=stages, virtual=virtual, microbatches=2 * rounds * stages, **times)
    expected = {
        "zb_h1": (stages - 1) * (forward + inputs - weight),
        "zb_h2": (stages - 1) * (forward + inputs - 2 * weight),
        "zb_v": 0.0,
        "dualpipe": (half - 1) * (forward + 2 * (inputs + weight) - 3 * weight),
    }[kind]
    assert played.bubble_s == pytest.approx(expected, rel=1e-9, abs=1e-9 * played.total_s)


@pytest.mark.parametrize("kind", ["zb_h1", "zb_v"])
def test_memory_stays_within_that_of_1f1b(kind):
    """And ZB-H2 and DualPipe hold 2 p - 1 and p + 1 microbatches.

    Source: arXiv:2401.10241, Table 1 and section 6; arXiv:2412.19437, Table 2.
    """
    for stages in range(2, 10):
        virtual = 2 if kind == "zb_v" else 1
        held = [SCHEDULES[kind].in_flight(stage, stages, virtual, 4 * stages) / virtual for stage in range(stages)]
        assert max(held) == SCHEDULES["1f1b"].in_flight(0, stages, 1, 4 * stages)
        assert SCHEDULES["zb_h2"].in_flight(0, stages, 1, 4 * stages) == 2 * stages - 1
        assert SCHEDULES["dualpipe"].in_flight(0, stages, 1, 4 * stages) == stages + 1


@few
@given(pipelines(), st.floats(0.01, 100))
def test_time_has_no_unit(pipeline, scale):
    kind, counts, times = pipeline
    scaled = {name: value if name == "overlapped" else value * scale for name, value in times.items()}
    expected = play(SCHEDULES[kind], **counts, **times).total_s * scale
    assert play(SCHEDULES[kind], **counts, **scaled).total_s == pytest.approx(expected, rel=1e-9)
