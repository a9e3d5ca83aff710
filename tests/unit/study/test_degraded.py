"""Step tables on fewer nodes, as each recovery policy lays the job out: against arithmetic on the parts of the whole step."""

from pathlib import Path

import pytest

from simulator.errors import MendableError, ProblemsError
from simulator.outcome import Infeasible
from simulator.reliability import Morph, Redundant, Reroute, Templates
from simulator.scenario import load
from simulator.study.plan import PhasePlan, Plan, plan

FILE = str(Path(__file__).parent / "small.yaml")
# Eight nodes, eight pipelines of four stages with two accelerators each: a node holds four stages.
LAYOUT = "training.layout={tensor: 2, pipeline: 4, data: 8, microbatch: 4, recompute: full}"
GIVEN = "training.step={kind: given, time: 10 s, sizes: [{nodes: 6, time: 14 s}, {nodes: 7, time: 12 s}], source: a test}"


def question(*overrides: str):
    return load(FILE, ("cluster.count=8", *overrides)).alternatives["rented"]


def phase(*overrides: str) -> PhasePlan:
    found = plan(question(*overrides))
    assert isinstance(found, Plan), found
    (only,) = found.phases
    return only


def seconds(only: PhasePlan) -> dict[int, float]:
    """Of a step's worth of tokens at each size."""
    return {size: step.time.time_s / step.batch_share for size, step in only.steps.items()}


def recovery(text: str) -> str:
    return f"reliability.recovery={{{text}}}"


@pytest.fixture(scope="module")
def whole() -> PhasePlan:
    return phase(LAYOUT, recovery("kind: restart"))


def parts(only: PhasePlan) -> tuple[float, float, float]:
    """Work, bubble and all of the whole step."""
    found = only.largest.time.parts_s
    work = sum(found[name] for name in ("matrix", "attention", "memory_bound", "tensor_comm", "context_comm", "expert_comm"))
    return work, found["pipeline_bubble"], only.largest.time.time_s


@pytest.mark.parametrize("kind", ["morph", "templates", "reroute"])
def test_nothing_changes_while_all_nodes_are_there(whole: PhasePlan, kind: str) -> None:
    assert phase(LAYOUT, recovery(f"kind: {kind}")).steps[8].time == whole.largest.time


def test_reroute_gives_the_busiest_stage_the_micro_batches_of_the_lost(whole: PhasePlan) -> None:
    work, bubble, step = parts(whole)
    none = seconds(phase(LAYOUT, recovery("kind: reroute, drop: 3")))
    # A node holds four stages' workers: with k nodes gone, each of the four stages misses k of its eight workers.
    assert none == pytest.approx({8 - lost: step + work * lost / (8 - lost) for lost in range(4)})
    some = seconds(phase(LAYOUT, recovery("kind: reroute, drop: 3, absorbed: 30%")))
    assert some == pytest.approx({8 - lost: step + max(0.0, work * lost / (8 - lost) - 0.3 * bubble) for lost in range(4)})


def test_redundant_computes_forward_passes_twice_and_one_node_may_do_the_work_of_two(whole: PhasePlan) -> None:
    work, bubble, step = parts(whole)
    overhead = max(0.0, work / 3 - bubble)
    found = seconds(phase(LAYOUT, recovery("kind: redundant, drop: 2")))
    covered = step + overhead
    assert found[8] == pytest.approx(covered)
    # Seven of eight pipelines are faster than a node with two stages.
    assert found[7] == pytest.approx(covered * 8 / 7)
    stated = seconds(phase(LAYOUT, recovery("kind: redundant, drop: 2, overhead: 25%")))
    assert stated[8] == pytest.approx(1.25 * step)
    few = seconds(phase("cluster.count=2", "training.layout={pipeline: 8, data: 2, microbatch: 4}", recovery("kind: redundant, drop: 1")))
    assert few[1] < 2 * few[2], "with two pipelines the node with two stages is faster"


def test_redundant_needs_memory_for_two_stages() -> None:
    tight = ("training.model=megatron-22b", "training.layout={tensor: 2, pipeline: 4, data: 8, microbatch: 1, recompute: full}")
    assert isinstance(plan(question(*tight, recovery("kind: templates"))), Plan)
    found = plan(question(*tight, recovery("kind: redundant")))
    assert isinstance(found, Infeasible)
    assert "next stage" in found.reason


def test_morph_is_never_slower_than_leaving_a_replica_out() -> None:
    morphed = seconds(phase(LAYOUT, recovery("kind: morph, drop: 3")))
    elastic = seconds(phase(LAYOUT, recovery("kind: elastic, drop: 3")))
    assert set(morphed) >= {5, 6, 7, 8}
    # Elastic keeps each replica's share of the batch; morph rounds it to what the replicas share evenly.
    assert all(morphed[size] <= elastic[size] * (1 + 1e-9) for size in (6, 7, 8))


def test_templates_use_every_node(whole: PhasePlan) -> None:
    layout = "training.layout={tensor: 8, pipeline: 2, data: 4, microbatch: 4, recompute: full}"
    mixed = phase(layout, recovery("kind: templates, drop: 3, tolerate: 1"))
    found = seconds(mixed)
    elastic = seconds(phase(layout, recovery("kind: elastic, drop: 1")))
    # Seven nodes are three pipelines of two and one of one, or two of two and one of three; six are three of two.
    assert found[7] < elastic[6]
    assert found[6] == pytest.approx(elastic[6], rel=0.02)
    assert mixed.steps[7].accelerators_used == 56
    assert sorted(found.values(), reverse=True) == [found[size] for size in sorted(found)]


@pytest.mark.parametrize(
    ("layout", "policy", "why"),
    [
        ("{tensor: 8, pipeline: 8, data: 1}", "kind: templates", "only one pipeline"),
        ("{tensor: 8, pipeline: 8, data: 1}", "kind: reroute", "only one pipeline"),
        ("{tensor: 8, data: 8}", "kind: redundant", "only one stage"),
        ("{tensor: 8, pipeline: 4, data: 2}", "kind: templates, tolerate: 2", "2 losses at once"),
    ],
)
def test_layouts_with_which_a_policy_cannot_work(layout: str, policy: str, why: str) -> None:
    found = plan(question(f"training.layout={layout}", recovery(policy)))
    assert isinstance(found, Infeasible)
    assert why in found.reason
    assert "restart" in found.mend


@pytest.mark.parametrize("kind", ["restart", "elastic", "morph", "templates", "redundant", "reroute"])
def test_a_stated_table_is_taken_as_it_is(kind: str) -> None:
    assert seconds(phase(GIVEN, recovery(f"kind: {kind}"))) == {6: 14.0, 7: 12.0, 8: 10.0}


def test_a_quorum_lengthens_every_step() -> None:
    without, with_it = phase(LAYOUT, recovery("kind: elastic")), phase(LAYOUT, recovery("kind: elastic, quorum: 100 ms"))
    assert set(without.steps) == {6, 7, 8}
    assert {size: step.time.time_s for size, step in with_it.steps.items()} == pytest.approx(
        {size: step.time.time_s + 0.1 for size, step in without.steps.items()}
    )


def test_what_is_stated_must_fit_together() -> None:
    with pytest.raises(ProblemsError) as caught:
        question("training.step={kind: given, time: 10 s, source: a test}", recovery("kind: morph, drop: 8"))
    told = {problem.path: (problem.what, problem.mend) for problem in caught.value.problems}
    assert told["training.step"][1].startswith("add sizes: [{nodes: 7")
    assert told["reliability.recovery.drop"] == ("8 nodes can be missing, the cluster has 8", "write at most 7")
    with pytest.raises(ProblemsError) as caught:
        question(GIVEN, "cluster.count=7")
    assert "training.step.sizes.1.nodes" in [problem.path for problem in caught.value.problems]


@pytest.mark.parametrize("policy", [Morph, Templates, Redundant, Reroute])
def test_a_policy_for_no_missing_node_is_none(policy: type) -> None:
    with pytest.raises(MendableError, match="restart"):
        policy(drop=0)


@pytest.mark.parametrize("kind", ["morph", "templates"])
def test_other_depths_have_stages_as_equal_as_they_can_be(kind: str) -> None:
    """What is said of four stages says nothing of three or five."""
    uneven = LAYOUT.replace("microbatch", "stage_layers: [%s], microbatch")
    layers = question().training.model.layers
    few = layers // 4
    told = f"{few + 1}, {few}, {few}, {layers - 3 * few - 1}"
    only = phase(uneven % told, recovery(f"kind: {kind}, drop: 2"))
    assert len(only.steps) == 3
