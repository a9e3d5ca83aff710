"""Whole answers through the study: steps given and anchored, phases, stopping rules, comparisons, sharing."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import pytest

from simulator.errors import ProblemsError, SimulatorError
from simulator.outcome import Alternative, Outcome, to_json
from simulator.scenario import Question, load
from simulator.study import answer, sweep
from simulator.study.lives import life_of
from simulator.study.plan import Plan, plan

FILE = str(Path(__file__).parent / "small.yaml")


def small(*overrides: str) -> Outcome:
    return answer(load(FILE, overrides))


def named(outcome: Outcome, name: str) -> Alternative:
    return next(alternative for alternative in outcome.alternatives if alternative.name == name)


@pytest.fixture(scope="module")
def plain() -> Outcome:
    return small()


def test_alternatives_that_differ_in_price_alone_live_the_same_lives(plain: Outcome) -> None:
    demand, reserved = named(plain, "rented"), named(plain, "reserved")
    assert demand.run == reserved.run
    assert demand.bill != reserved.bill
    same = [c for c in plain.comparisons if c.a == "reserved" and c.quantity == "wall_clock_s"]
    assert [(c.difference, c.interval) for c in same] == [(0.0, (0.0, 0.0))]


def test_a_donation_costs_the_project_nothing_and_has_a_worth(plain: Outcome) -> None:
    bill = named(plain, "donated").bill
    assert bill is not None
    assert bill.payer_usd["project"] == 0.0
    assert bill.payer_usd["gpu-cloud"] == bill.total_usd > 0.0
    assert bill.donation_worth_usd is not None
    assert bill.donation_worth_usd > bill.total_usd


def test_a_step_is_slower_where_neighbours_stand_apart() -> None:
    thin = ("cluster.topology={like: selene, source: a what-if, leaf_nodes: 2, leaf_oversubscription: 8}", "cluster.count=8")
    kinds = ("{kind: packed}", "{kind: spread, block: 2}", "{kind: given, nodes: [0, 2, 4, 6, 1, 3, 5, 7]}")
    packed, spread, listed = (named(small(*thin, f"cluster.placement={kind}"), "twice").step for kind in kinds)
    assert packed is not None
    assert spread is not None
    assert spread == listed
    assert spread.parts_s["data_comm"] > 1.5 * packed.parts_s["data_comm"]
    assert spread.parts_s["matrix"] == packed.parts_s["matrix"]


def test_given_time_is_taken_as_it_is() -> None:
    outcome = small("training.step={kind: given, time: 2 s, source: a stopwatch}", "reliability.failures=null")
    told = named(outcome, "rented")
    assert told.step is not None
    assert told.run is not None
    assert told.step.kind == "given"
    assert told.step.time_s == 2.0
    assert told.run.parts_s["productive"] == pytest.approx(2e9 / (512 * 2048) * 2.0)
    assert any("stopwatch" in note for note in told.assumptions)


def test_given_rate_counts_what_it_says() -> None:
    rates = [
        small("training.step={kind: given, flop_rate: 100 TFLOP/s, source: x, flop_accounting: " + accounting + "}").alternatives[0].step
        for accounting in ("model", "6N")
    ]
    assert rates[0] is not None
    assert rates[1] is not None
    assert rates[0].model_tflops_per_accelerator == pytest.approx(100.0)
    assert rates[1].model_tflops_per_accelerator > 100.0


def test_anchored_step_is_the_measurement_and_what_ifs_scale_with_the_model(plain: Outcome) -> None:
    outcome = small("training.step={kind: anchored, measured: 5 s, source: a stopwatch}")
    before, after = named(plain, "rented").step, named(outcome, "rented").step
    other, scaled = named(plain, "twice").step, named(outcome, "twice").step
    assert before is not None
    assert after is not None
    assert other is not None
    assert scaled is not None
    assert after.kind == "anchored"
    assert after.time_s == pytest.approx(5.0)
    assert scaled.time_s / after.time_s == pytest.approx(other.time_s / before.time_s)


def test_an_anchor_stays_where_it_was_measured(tmp_path: Path) -> None:
    text = (
        Path(FILE)
        .read_text(encoding="utf-8")
        .replace("software: megatron-2021", "software: megatron-2021\n    step: {kind: anchored, measured: 5 s, source: x}")
    )
    file = tmp_path / "anchored.yaml"
    file.write_text(text, encoding="utf-8")
    swept = sweep(str(file), {"training.global_batch": ("512", "1024")}).outcome
    steps = [alternative.step.time_s for alternative in swept.alternatives if alternative.name.startswith("rented") and alternative.step]
    assert steps[0] == pytest.approx(5.0)
    assert 8.0 < steps[1] < 10.0


def test_phases_have_a_layout_a_step_and_memory_each() -> None:
    outcome = small("training.phases=[{name: ramp, until: 20%, global_batch: 128}]", "reliability.failures=null")
    told = named(outcome, "rented")
    assert [phase.name for phase in told.phases] == ["ramp", "main"]
    assert [phase.tokens for phase in told.phases] == pytest.approx([0.4e9, 1.6e9])
    assert [phase.layout.global_batch for phase in told.phases if phase.layout] == [128, 512]
    assert told.run is not None
    ideal = math.fsum(
        phase.tokens / (phase.layout.global_batch * 2048) * phase.step.time_s for phase in told.phases if phase.layout is not None
    )
    assert told.run.wall_clock_without_step_error_s is not None
    assert told.run.wall_clock_without_step_error_s.mean == pytest.approx(ideal, rel=0.01)


def test_replications_stop_when_the_mean_is_known() -> None:
    outcome = small("replications={until: {half_width: 10%}, at_most: 400}")
    counts = {alternative.run.replications for alternative in outcome.alternatives if alternative.run}
    assert len(counts) == 1
    assert counts.pop() < 400
    for alternative in outcome.alternatives:
        assert alternative.run is not None
        assert 1.96 * alternative.run.monte_carlo_error_s <= 0.101 * alternative.run.wall_clock_s.mean


def test_infeasible_is_an_answer_with_a_reason() -> None:
    outcome = small("donated.training.model=gpt3-175b", "donated.training.global_batch=1024")
    told = named(outcome, "donated")
    assert not told.feasible
    assert "memory" in told.reason
    assert told.step is told.run is told.bill is None
    assert named(outcome, "rented").feasible
    assert all("donated" not in (c.a, c.b) for c in outcome.comparisons)


def test_every_labelled_figure_is_an_assumption(plain: Outcome) -> None:
    notes = named(plain, "donated").assumptions
    assert any("assumed: a price" in note for note in notes)
    assert set(notes) <= set(plain.provenance.assumptions)


def test_answers_hold_finite_figures(plain: Outcome) -> None:
    def walk(value: object) -> None:
        if isinstance(value, dict):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        elif isinstance(value, float):
            assert math.isfinite(value)

    walk(to_json(plain))


def test_zero_failures_leave_training_and_checkpoints(plain: Outcome) -> None:
    told = small("reliability.failures=null").alternatives[0]
    assert told.run is not None
    assert told.run.interruptions.mean == 0.0
    assert {name for name, part in told.run.parts_s.items() if part > 0} <= {"productive", "checkpoint"}


def test_terms_say_value_and_origin(plain: Outcome) -> None:
    terms = {term.path: term for term in named(plain, "donated").terms}
    assert terms["cluster.count"].value == "4"
    assert terms["cluster.count"].source.endswith("small.yaml:14")
    assert terms["training.model.hidden"].source.startswith("catalog:models/megatron-1.7b.yaml")
    assert terms["economics.price.donor.electricity"].value == "0.08 USD/kWh"


def test_every_second_byte_and_dollar_is_explained(plain: Outcome) -> None:
    for alternative in plain.alternatives:
        figures, terms = to_json(alternative), {term.path: term for term in alternative.terms}
        for room, parts in (
            ("step", "parts_s"),
            ("memory", "parts_bytes"),
            ("run", "parts_s"),
            ("run", "interruptions_by_cause"),
            ("bill", "items_usd"),
            ("energy", "parts_mwh"),
        ):
            for name, figure in figures[room][parts].items():
                term = terms[f"{room}.{parts}.{name}"]
                assert term.value == pytest.approx(figure)
                assert term.formula
                assert term.source or room == "energy"


def test_sweep_places_points_and_keeps_their_order() -> None:
    swept = sweep(FILE, {"reliability.spares.hot": ("0", "1"), "economics.pue": ("1.1", "1.2")})
    points = [tuple(alternative.point.values()) for alternative in swept.outcome.alternatives if alternative.name.startswith("donated")]
    assert points == [("0", "1.1"), ("0", "1.2"), ("1", "1.1"), ("1", "1.2")]
    assert not swept.failed


def test_an_anchor_that_cannot_be_priced_is_refused() -> None:
    scenario = load(FILE, ("training.step={kind: anchored, measured: 5 s, source: x}",))
    broken = {
        name: dataclasses.replace(question, training=dataclasses.replace(question.training, global_batch=7))
        for name, question in scenario.alternatives.items()
    }
    outcome = answer(dataclasses.replace(scenario, alternatives=broken, expect=()))
    assert not any(alternative.feasible for alternative in outcome.alternatives)
    first, *rest = scenario.alternatives.items()
    mixed = {first[0]: broken[first[0]], **dict(rest)}
    with pytest.raises(SimulatorError, match="measured configuration"):
        answer(dataclasses.replace(scenario, alternatives=mixed, expect=()))


def test_evaluations_and_waits_for_data_stand_in_the_ledger() -> None:
    told = named(
        small("training.evaluation={every: 0.1B tokens, takes: 100 s}", "training.data_stalls=10%", "reliability.failures=null"), "rented"
    )
    assert told.run is not None
    parts = told.run.parts_s
    assert parts["evaluation"] == pytest.approx(2e9 / 0.1e9 * 100.0)
    assert parts["data"] == pytest.approx(parts["productive"] / 9)
    with pytest.raises(ProblemsError) as refused:
        small("training.evaluation={every: 0 tokens, takes: 100 s}", "training.data_stalls=100%")
    assert {problem.what for problem in refused.value.problems} >= {"an evaluation every 0 tokens"}


def test_dollars_of_the_ledger_sum_to_the_machines(plain: Outcome) -> None:
    for name in ("rented", "donated"):
        told = named(plain, name)
        assert told.run is not None
        assert told.bill is not None
        assert math.fsum(told.run.accelerator_hours_by_part.values()) == pytest.approx(told.run.accelerator_hours)
        assert math.fsum(told.bill.machines_by_part_usd.values()) == pytest.approx(told.bill.machines_usd)
        assert set(told.bill.machines_by_cause_usd) == {"gpu", "software"}
        gone = told.run.wall_clock_s.mean - told.run.parts_s["productive"]
        assert 0 < math.fsum(told.run.lost_s_by_cause.values()) < gone


def test_tiers_of_checkpoints_follow_their_bandwidths() -> None:
    """A checkpoint of size S on 32 accelerators: peers, a file system of the job, the storage; each hop beside the training."""
    tiers = "[{every: 2, bandwidth: 1 GB/s}, {every: 5, bandwidth: 10 GB/s, of: job, survives: block}]"
    scenario = load(FILE, (f"reliability.checkpoint={{interval: 1 s, bandwidth: 2 GB/s, near: {tiers}, retried: 20%}}",))
    question = scenario.alternatives["rented"]
    found = plan(question)
    assert isinstance(found, Plan)
    size, kept = found.checkpoint_bytes, life_of(question, found).checkpoints
    assert kept.blocking_s == pytest.approx(size / 32e9 / 0.8)
    assert kept.read_s == pytest.approx(size / 32e9)
    assert [(tier.every, tier.survives) for tier in kept.far] == [(2, "block"), (10, "outage")]
    assert [tier.drain_s for tier in kept.far] == pytest.approx([size / 10e9, size / 10e9 + size / 2e9])
    assert [tier.read_s for tier in kept.far] == pytest.approx([size / 10e9, size / 2e9])
    assert kept.interval_s == pytest.approx(max(1.0, size / 10e9 / 2, size / 2e9 / 10))


def test_storage_fills() -> None:
    def told(more: str) -> Alternative:
        return named(small(f"reliability.checkpoint={{interval: 10 min, bandwidth: 5 GB/s, {more}}}", "replications=1"), "rented")

    # 23.1 GB each.
    assert told("capacity: 100 GB, keep: 3").feasible
    refused = told("capacity: 100 GB, keep: 4")
    assert not refused.feasible
    assert "holds 4 checkpoints" in refused.reason
    assert "116 GB would do" in refused.reason
    assert told("capacity: 116 GB, keep: 4").feasible
    assert "nobody makes room" in told("capacity: 100 GB").reason
    assert told("capacity: 10 TB").feasible
    cleared, plain = told("capacity: 100 GB, clearing: 30 min"), told("keep: 3")
    assert cleared.run is not None
    assert plain.run is not None
    # Three more fit after each clearing.
    writes = plain.run.parts_s["checkpoint"] / life_of(*_planned("interval: 10 min, bandwidth: 5 GB/s")).checkpoints.blocking_s
    assert cleared.run.parts_s["checkpoint"] - plain.run.parts_s["checkpoint"] == pytest.approx(writes * 600.0, rel=0.3)


def _planned(checkpoint: str) -> tuple[Question, Plan]:
    question = load(FILE, (f"reliability.checkpoint={{{checkpoint}}}",)).alternatives["rented"]
    found = plan(question)
    assert isinstance(found, Plan)
    return question, found
