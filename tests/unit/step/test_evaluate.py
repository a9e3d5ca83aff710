"""One step: what it refuses, what it counts, and what each part reacts to."""

from __future__ import annotations

import dataclasses
import statistics

import pytest

from simulator.collectives import taken
from simulator.hardware import Node, NodePower, ScaleUp, kernels_of, product_time, stream_time
from simulator.interconnect import DeadLink, FatTree, SingleSwitch, SlowInterface, with_faults
from simulator.model import Experts, Transformer, parameters, products
from simulator.outcome import Infeasible
from simulator.parallelism import Layout
from simulator.scenario import entry
from simulator.step import Clock, Job, Machines, StepAnswer, clock, evaluate
from simulator.step.layer import _casts, _Matrix, slowest

GPT3 = Transformer(layers=96, hidden=12288, heads=96, ffn=49152, vocabulary=51200, sequence=2048, positions="learned", biases=True)
MIXTRAL = Transformer(
    layers=32, hidden=4096, heads=32, key_value_heads=8, ffn=14336, vocabulary=32000, sequence=4096, gated=True, tied_embeddings=False,
    norm="rms", experts=Experts(count=8, active=2, ffn=14336),
)  # fmt: skip


def dgx(count: int, accelerator: str = "a100-sxm-80gb") -> Machines:
    node = Node(
        accelerator=entry("accelerators", accelerator),
        accelerators=8,
        scale_up=ScaleUp(kind="switch", rate=300e9),
        nics=8,
        nic_rate=25e9,
        power=NodePower(rated=6500.0, training=5000.0, idle=2000.0),
    )
    return Machines(node=node, count=count, network=SingleSwitch().build(node, count))


def job(software: str = "megatron-2021", global_batch: int = 1536, model: Transformer = GPT3, precision: str = "fp16") -> Job:
    return Job(model=model, sequence=2048, global_batch=global_batch, precision=precision, software=entry("software", software))


PTDP = Layout(tensor=8, pipeline=12, data=4, microbatch=1, recompute="full")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"tensor": 7}, "heads"),
        ({"pipeline": 13}, "layers"),
        ({"data": 5}, "accelerators"),
        ({"pipeline": 4, "data": 10}, "batch"),
        ({"pipeline": 1, "data": 2}, "memory"),
    ],
)
def test_what_cannot_be_done_is_an_answer_with_a_mend(change: dict[str, int], word: str) -> None:
    answered = evaluate(job(), dataclasses.replace(PTDP, **change), dgx(48))
    assert isinstance(answered, Infeasible)
    assert word in answered.reason
    assert answered.mend


def test_a_precision_that_the_accelerator_lacks_is_refused() -> None:
    answered = evaluate(job(precision="bf16"), PTDP, dgx(48, "v100-sxm2-32gb"))
    assert isinstance(answered, Infeasible)
    assert "fp16" in answered.mend


def test_an_answer_counts_flop_and_states() -> None:
    answered = evaluate(job(), PTDP, dgx(48), bars=10)
    assert isinstance(answered, StepAnswer)
    assert answered.accelerators_used == 384
    assert answered.checkpoint_bytes == 14 * parameters(GPT3).total
    assert answered.model_flop == pytest.approx(6 * 174.6e9 * 1536 * 2048, rel=0.05)
    rate = answered.model_flop / answered.time.time_s / 384
    assert answered.time.model_tflops_per_accelerator == pytest.approx(rate / 1e12)
    assert answered.time.mfu == pytest.approx(rate / 312e12)
    assert answered.time.hfu / answered.time.mfu == pytest.approx(4 / 3, rel=0.02)
    assert len(answered.bars) == 10


def test_an_unmeasured_accelerator_says_so_and_is_less_certain() -> None:
    measured, unmeasured = (evaluate(job("megatron-2023"), PTDP, dgx(48, name)) for name in ("a100-sxm-80gb", "h20"))
    assert isinstance(measured, StepAnswer)
    assert isinstance(unmeasured, StepAnswer)
    assert unmeasured.sigma > measured.sigma
    assert any("no kernel was measured" in text for text in unmeasured.assumptions)


def test_overlap_hides_data_parallel_traffic_but_not_the_last_bucket() -> None:
    layout = dataclasses.replace(PTDP, sharding="zero1")
    plain = dataclasses.replace(job(), software=dataclasses.replace(job().software, overlap_gradient_reduction=False))
    hidden = dataclasses.replace(job(), software=dataclasses.replace(job().software, overlap_gradient_reduction=True))
    without, beside = (clock(each, layout, dgx(48)).parts["data_comm"] for each in (plain, hidden))
    assert 0 < beside < without


def test_experts_exchange_tokens_only_where_they_are_spread() -> None:
    here = job("megatron-2023", 64, MIXTRAL, "bf16")
    alone = clock(here, Layout(data=16, microbatch=1), dgx(2))
    spread = clock(here, Layout(data=16, expert=8, expert_tensor=1, microbatch=1), dgx(2))
    assert alone.parts["expert_comm"] == 0
    assert spread.parts["expert_comm"] > 0
    assert spread.parts["matrix"] < alone.parts["matrix"] * 1.01


def test_the_slowest_of_many_is_the_expected_maximum() -> None:
    assert slowest(1) == 0
    # E[max] of 10 and of 100 standard normal draws: 1.5388, 2.5076 (order statistics tables).
    assert slowest(10) == pytest.approx(1.5388, rel=0.01)
    assert slowest(100) == pytest.approx(2.5076, rel=0.01)
    assert slowest(1000) < statistics.NormalDist().inv_cdf(0.9995)


@pytest.mark.parametrize(("change", "word"), [({"sharding": "zero3"}, "shard"), ({"recompute": "selective"}, "recompute")])
def test_what_a_generation_lacks_is_refused(change: dict[str, str], word: str) -> None:
    answered = evaluate(job("megatron-2021"), dataclasses.replace(PTDP, **change), dgx(48))  # type: ignore[arg-type]
    assert isinstance(answered, Infeasible)
    assert word in answered.reason
    assert answered.mend


def test_the_busiest_link_of_each_kind_of_group_is_named() -> None:
    even = dgx(48)
    thin = dataclasses.replace(even, network=FatTree(leaf_nodes=4, leaf_oversubscription=16.0).build(even.node, 48))
    told = {}
    for machines in (even, thin):
        found = evaluate(job(), PTDP, machines)
        assert isinstance(found, StepAnswer)
        told[machines is thin] = {(traffic.groups, traffic.operation): traffic for traffic in found.traffic}
        terms = {term.path: term for term in found.terms if term.path.startswith("step.traffic.")}
        assert len(terms) == len(found.traffic)
        assert terms["step.traffic.data_context.all_reduce"].value == told[machines is thin]["data_context", "all_reduce"].time_s
    kinds = {("tensor", "all_reduce"), ("tensor", "all_gather"), *((name, "all_reduce") for name in ("data_context", "ends"))}
    assert set(told[True]) == {*kinds, ("stages", "point_to_point")}
    assert told[True]["tensor", "all_reduce"] == told[False]["tensor", "all_reduce"]
    assert told[False]["stages", "point_to_point"].bottleneck == "node0.nic0 -> switch"
    assert told[True]["stages", "point_to_point"].bottleneck == "leaf0 -> spine"
    assert told[True]["stages", "point_to_point"].time_s > told[False]["stages", "point_to_point"].time_s


def test_a_slow_interface_slows_the_groups_that_use_it_and_nothing_else() -> None:
    """Node 40 holds ranks of stage 10: its gradients take four times as long, what stays inside nodes as long as before."""
    whole = dgx(48)
    faulty = dataclasses.replace(whole, network=with_faults(whole.network, [SlowInterface(nodes=(40,), rate=0.25)]))
    one, other = (evaluate(job(), PTDP, machines) for machines in (whole, faulty))
    assert isinstance(one, StepAnswer)
    assert isinstance(other, StepAnswer)
    before, after = ({(t.groups, t.operation): t for t in found.traffic} for found in (one, other))
    for key in before:
        if key[0] == "tensor":
            assert after[key] == before[key]
    reduced = "data_context", "all_reduce"
    assert after[reduced].bottleneck == "node40.nic0 -> switch (at 25 %)"
    assert after[reduced].time_s == pytest.approx(4 * before[reduced].time_s, rel=0.02)
    assert after["stages", "point_to_point"].time_s > 2 * before["stages", "point_to_point"].time_s
    assert after["ends", "all_reduce"].time_s == before["ends", "all_reduce"].time_s
    for part in ("matrix", "attention", "memory_bound", "tensor_comm", "optimizer"):
        assert other.time.parts_s[part] == one.time.parts_s[part]
    added = sum(other.time.parts_s[part] - one.time.parts_s[part] for part in ("data_comm", "pipeline_comm", "pipeline_bubble", "jitter"))
    assert added > 0
    assert other.time.time_s == pytest.approx(one.time.time_s + added, rel=1e-12)


def test_a_fault_that_nobody_meets_changes_nothing() -> None:
    layout = dataclasses.replace(PTDP, data=1, pipeline=12)
    some = job(global_batch=96)
    whole = dgx(24)
    spare = dataclasses.replace(whole, count=12, network=with_faults(whole.network, [DeadLink(link="node20.nic3 -> *")]))
    one, other = (evaluate(some, layout, machines) for machines in (dataclasses.replace(whole, count=12), spare))
    assert isinstance(one, StepAnswer)
    assert isinstance(other, StepAnswer)
    assert other.time.time_s == pytest.approx(one.time.time_s, rel=1e-12)


def test_a_root_mean_square_norm_without_a_kernel_moves_what_its_operations_do() -> None:
    """Two norms of 36 + 84 bytes an element in place of 4 + 10, at the rate of the memory, on the one rank of a dense model."""
    small = dataclasses.replace(MIXTRAL, experts=None, layers=4, hidden=2048, ffn=5504, heads=16, key_value_heads=16)
    fused = job(global_batch=64, model=small, precision="bf16")
    eager = dataclasses.replace(fused, software=dataclasses.replace(fused.software, fused_norm=False))
    layout = Layout(data=8, microbatch=1)
    one, other = (evaluate(each, layout, dgx(1)) for each in (fused, eager))
    assert isinstance(one, StepAnswer)
    assert isinstance(other, StepAnswer)
    elements = 64 / 8 * 2048 * small.hidden * small.layers
    least = 2 * (36 + 84 - 4 - 10) * elements / entry("accelerators", "a100-sxm-80gb").memory_bandwidth
    # Streams reach 60 to 100 % of the data sheet's rate, and launches come on top.
    assert least < other.time.parts_s["memory_bound"] - one.time.parts_s["memory_bound"] < least / 0.6
    layered = dataclasses.replace(small, norm="layer")
    one, other = (evaluate(dataclasses.replace(each, model=layered), layout, dgx(1)) for each in (fused, eager))
    assert one == other


def test_routed_experts_gather_among_their_own_tensor_ranks_alone() -> None:
    """What no expert is split over needs no collective but the exchange of tokens; attention keeps its own pair."""
    wanted = job("megatron-2025", 64, MIXTRAL, "bf16")
    whole = Layout(tensor=4, data=4, expert=8, expert_tensor=1, sequence_parallel=True)
    split = Layout(tensor=4, data=4, expert=4, expert_tensor=4, sequence_parallel=True)
    timed = {layout: clock(wanted, layout, dgx(2)) for layout in (whole, split)}
    gathers = {layout: [each for each in found.network.traffic() if each.groups == "expert_tensor"] for layout, found in timed.items()}
    assert not gathers[whole]
    assert {each.operation for each in gathers[split]} == {"all_gather", "reduce_scatter"}
    assert gathers[split][0].size_bytes == 2 * 2048 * 2 * 4096  # two experts for each of 2048 tokens
    assert timed[whole].parts["tensor_comm"] < timed[split].parts["tensor_comm"]


def test_states_of_experts_are_shared_by_those_who_hold_them() -> None:
    """With an expert on every rank, nobody else holds it: the update of its states shrinks no further."""
    wanted, single = job("megatron-2025", 64, MIXTRAL, "bf16"), Layout(data=8, expert=8, sharding="zero1")
    dense, routed = (clock(wanted, layout, dgx(1)).parts["optimizer"] for layout in (dataclasses.replace(single, expert=1), single))
    experts = 32 * 3 * 4096 * 14336
    per_byte = 1 / (entry("accelerators", "a100-sxm-80gb").memory_bandwidth * 0.8)
    # 58 bytes per parameter of the shard; for every kept gradient, 8 times the experts' for `dense`, 4 to set it to zero, 12 to check and
    # scale it.
    assert dense - routed == pytest.approx((4 + 12) * 7 * experts * per_byte, rel=0.01)


def test_adding_to_the_kept_gradient_takes_its_traffic() -> None:
    software = entry("software", "megatron-2025")
    one = dataclasses.replace(job("megatron-2025", 8, precision="bf16"), software=dataclasses.replace(software, gradient_bytes=2))
    four = dataclasses.replace(one, software=software)
    layout = Layout(tensor=8, microbatch=1)
    times = [clock(which, layout, dgx(1)).parts["matrix"] for which in (one, four)]
    matrices = (96 * 12 * 12288**2 + 51200 * 12288) / 8
    assert times[1] - times[0] == pytest.approx(8 * 4 * matrices / (2.039e12 * 0.8), rel=0.01)


def test_operands_of_eight_bit_products_travel_in_eight_bits() -> None:
    """Forward, one of two collectives of a pair halves; what is summed and what embedding and logits exchange does not."""
    layout = Layout(tensor=8, sequence_parallel=True)
    machines = dgx(1, "h100-sxm")
    times = [clock(job("nemo-2025", 8, precision=precision), layout, machines).parts["tensor_comm"] for precision in ("bf16", "fp8")]
    assert 0.5 < times[1] / times[0] < 0.9


LLAMA = Transformer(
    layers=32, hidden=4096, heads=32, ffn=14336, vocabulary=131072, sequence=4096, gated=True, tied_embeddings=False, norm="rms"
)  # fmt: skip


def data_comm(layout: Layout, nodes: int, **change: object) -> float:
    asked = job("nanotron-2025", layout.data * layout.microbatch, LLAMA, "bf16")
    software = dataclasses.replace(asked.software, **change)  # type: ignore[arg-type]
    return clock(dataclasses.replace(asked, software=software), layout, dgx(nodes)).parts["data_comm"]


def test_gradients_that_every_rank_gets_after_the_backward_pass_are_not_hidden() -> None:
    """All-reduce of everything in fp32, then the weights gathered: with nothing hidden, the whole traffic is what the step waits for."""
    layout = Layout(tensor=4, data=16, microbatch=1, sharding="zero1")
    asked = job("nanotron-2025", 16, LLAMA, "bf16")
    timed = clock(asked, layout, dgx(8))
    assert timed.parts["data_comm"] == pytest.approx(timed.data_traffic)
    reduced = timed.network.communicate("all_reduce", 4.0 * timed.parameters, "data_context")
    assert reduced < timed.parts["data_comm"]
    assert data_comm(layout, 8, sharded_reduction="scatter") < timed.parts["data_comm"] - reduced / 2


def test_gradients_summed_in_buckets_on_every_rank_hide_and_the_weights_gathered_after_the_update_do_not() -> None:
    """DeepSpeed's ZeRO-2: sixteen-bit gradients go to all ranks, 5e8 at a time, in each microbatch; weights wait for the update."""
    layout = Layout(data=16, microbatch=1, sharding="zero2")

    def timed(layout: Layout = layout, **change: object) -> Clock:
        asked = job("deepspeed-2024", 32, LLAMA, "bf16")
        software = dataclasses.replace(asked.software, **change)  # type: ignore[arg-type]
        return clock(dataclasses.replace(asked, software=software), layout, dgx(2))

    buckets, scattered = timed(), timed(sharded_reduction="scatter")
    gather = buckets.network.communicate("all_gather", 2.0 * buckets.parameters, "data_context")
    sent = 16 * buckets.network.communicate("all_reduce", 2.0 * buckets.parameters / 16, "data_context")
    assert buckets.data_traffic == pytest.approx(sent + gather, rel=0.02)  # 7.5e9 parameters: fifteen buckets and what is left
    assert scattered.data_traffic < buckets.data_traffic
    assert buckets.parts["data_comm"] > gather
    alone = timed(overlap_gradient_reduction=False, overlap_parameter_gather=False).parts["data_comm"]
    assert alone == pytest.approx(2 * (buckets.data_traffic - gather) + gather)
    assert buckets.parts["data_comm"] < alone - gather
    # Fully sharded, gradients are scattered and a layer is a bucket.
    whole = dataclasses.replace(layout, sharding="zero3")
    assert timed(whole).data_traffic == timed(whole, sharded_reduction="scatter", bucket=None).data_traffic


def test_weights_gathered_into_lists_are_copied_once_for_each_parameter_of_each_rank() -> None:
    """32 layers of four matrices and two norms, and an embedding: 193 parameters on 16 ranks, 6 us and a launch each."""
    layout = Layout(tensor=4, data=16, microbatch=1, sharding="zero1")
    listed, in_place = (data_comm(layout, 8, reduction=how) for how in ("copies", "in_place"))
    assert listed - in_place == pytest.approx(193 * 16 * 10e-6, rel=0.01)


def test_a_bucket_is_closed_by_the_parameter_that_fills_it() -> None:
    """On one of four tensor ranks, in fp32: down 59 MB | up 117 MB | out 17 MB, queries, keys and values 50 MB | embedding 537 MB.

    With 50 MiB three buckets a layer and the embedding: 97; with 1 GiB the whole 8.9 GB is eight.
    """
    layout = Layout(tensor=4, data=16, microbatch=1)
    found = {}
    for size in (50 * 2.0**20, 2.0**30):
        asked = job("nanotron-2025", 16, LLAMA, "bf16")
        software = dataclasses.replace(asked.software, bucket=size)
        timed = clock(dataclasses.replace(asked, software=software), layout, dgx(8))
        found[size] = next(told for told in timed.network.traffic() if told.groups == "data_context")
    whole = 4.0 * timed.parameters
    assert found[50 * 2.0**20].size_bytes == pytest.approx(whole / 97)
    assert found[2.0**30].size_bytes == pytest.approx(whole / 8)


def test_the_gradients_of_the_embedding_are_complete_too_late_to_hide() -> None:
    """However long the backward pass: more words leave more of the reduction behind it, at the rate of all of it. The rest slows it."""
    layout = Layout(tensor=4, data=16, microbatch=8)
    asked = job("nanotron-2025", 128, LLAMA, "bf16")
    timed = clock(asked, layout, dgx(8))
    embedding = LLAMA.vocabulary * LLAMA.hidden / 4 / timed.parameters
    assert embedding > 1 / LLAMA.layers
    beside = taken("all_reduce", 16, asked.software.gradient_size("bf16") * timed.parameters, 300e9)
    assert timed.parts["data_comm"] == pytest.approx(embedding * timed.data_traffic + (1 - embedding) * beside)


def test_fully_sharded_layers_each_pay_the_latency_of_their_collectives() -> None:
    """The same parameters in more layers: the bytes are the same, the collectives are more."""
    deep, flat = (dataclasses.replace(LLAMA, layers=layers, ffn=ffn) for layers, ffn in ((64, 6144), (32, 17748)))
    assert parameters(deep).total == pytest.approx(parameters(flat).total, rel=0.01)
    layout = Layout(data=64, microbatch=1, sharding="zero3")
    slow, fast = (clock(job("deepspeed-2021", 64, model, "fp16"), layout, dgx(8)).data_traffic for model in (deep, flat))
    assert slow > fast * 1.01


def test_a_gradient_that_is_cast_before_it_is_added_moves_its_copy_too() -> None:
    """DeepSpeed's BF16_Optimizer: 18 bytes a parameter and microbatch for Megatron-LM's 10; in fp16 both add in 16 bit."""
    cast, plain = entry("software", "deepspeed-2022"), entry("software", "megatron-2021")
    assert (cast.adding_bytes("bf16"), plain.adding_bytes("bf16"), cast.adding_bytes("fp16"), plain.adding_bytes("fp16")) == (18, 10, 6, 6)
    layout, machines = Layout(tensor=8, pipeline=8, data=4, sharding="zero1", recompute="full"), dgx(32)
    timed = {each: clock(job(each, precision="bf16"), layout, machines) for each in ("deepspeed-2022", "megatron-2021")}
    more = {part: timed["deepspeed-2022"].parts[part] - timed["megatron-2021"].parts[part] for part in ("memory_bound", "data_comm")}
    kept = timed["deepspeed-2022"].parameters - GPT3.hidden * (GPT3.sequence + 4 * GPT3.layers / 8)  # of products and embeddings
    rate = machines.node.accelerator.memory_bandwidth * kernels_of(machines.node.accelerator).memory
    assert more["memory_bound"] == pytest.approx(timed["deepspeed-2022"].microbatches * 8 * kept / rate, rel=0.02)
    # All ranks get the sum in fp32, where a distributed optimizer scatters it.
    assert more["data_comm"] > 0.3 * timed["megatron-2021"].parts["data_comm"]
    in_half = [clock(job(each, precision="fp16"), layout, machines).parts["data_comm"] for each in ("deepspeed-2022", "megatron-2021")]
    assert in_half[0] == in_half[1]


def test_sends_one_after_the_other_take_twice_as_long() -> None:
    layout, machines = Layout(tensor=8, pipeline=8, data=4), dgx(32)
    software = entry("software", "megatron-2022")
    both, turns = (
        clock(dataclasses.replace(job(), software=dataclasses.replace(software, duplex_sends=duplex)), layout, machines)
        for duplex in (True, False)
    )
    gather = both.network.communicate("all_gather", 2.0 * 2048 * GPT3.hidden, "tensor")
    assert [2 * (once - gather) for once in both.transfers] == pytest.approx([twice - gather for twice in turns.transfers])
    assert turns.parts["pipeline_comm"] > both.parts["pipeline_comm"]


LLAMA8 = Transformer(
    layers=8, hidden=4096, heads=32, key_value_heads=8, ffn=14336, vocabulary=128256, sequence=2048, gated=True, tied_embeddings=False,
    norm="rms",
)  # fmt: skip


def titan(precision: str = "bf16", **changes: object) -> Job:
    asked = job("torchtitan-2025", 16, LLAMA8, precision)
    return dataclasses.replace(asked, software=dataclasses.replace(asked.software, **changes))


def test_traffic_that_is_hidden_slows_the_compute_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its bytes: weights gathered twice and fp32 gradients scattered, 8 bytes per parameter, at 0.19 of the rate of the link."""
    layout, machines = Layout(data=8, microbatch=2, sharding="zero3"), dgx(1, "h100-sxm")
    slowed = clock(titan(), layout, machines)
    monkeypatch.setattr("simulator.collectives.pricing.HELD", 0.0)
    free = clock(titan(), layout, machines)
    expected = 0.19 * 8 * slowed.parameters * 7 / 8 / (300e9 * 0.823)
    assert slowed.parts["data_comm"] - free.parts["data_comm"] == pytest.approx(expected, rel=1e-6)
    assert slowed.parts["matrix"] == free.parts["matrix"]
    monkeypatch.undo()
    apart = dataclasses.replace(machines.node.accelerator, transfers_apart=True)
    engines = dataclasses.replace(machines, node=dataclasses.replace(machines.node, accelerator=apart))
    assert clock(titan(), layout, engines).parts["data_comm"] == pytest.approx(free.parts["data_comm"])


def test_projections_of_their_own_add_up_the_gradients_of_their_input() -> None:
    """Three of attention and two of the feed-forward block: 8 and 6 bytes per element of the input."""
    machines, layout = dgx(1, "h100-sxm"), Layout(data=8, microbatch=2)
    apart, fused = (clock(titan(fused_projections=flag), layout, machines).parts for flag in (False, True))
    bandwidth = 3.35e12 * 0.8
    assert apart["memory_bound"] - fused["memory_bound"] == pytest.approx(8 * 14 * 4096 * 4096 / bandwidth, rel=0.01)
    assert {name for name in fused if abs(fused[name] - apart[name]) > 1e-9} == {"matrix", "memory_bound"}


def test_recompute_may_stop_before_the_last_product() -> None:
    machines, layout = dgx(1, "h100-sxm"), Layout(data=8, microbatch=2, recompute="full")
    stopped, whole = (clock(titan(recomputes_last=flag), layout, machines).parts for flag in (False, True))
    last = product_time(machines.node.accelerator, "bf16", 4096, 4096, 14336)
    assert whole["matrix"] - stopped["matrix"] == pytest.approx(8 * last, rel=1e-6)
    assert {name for name in whole if abs(whole[name] - stopped[name]) > 1e-9} == {"matrix"}


def test_keys_that_are_gathered_before_attention_are_waited_for() -> None:
    """All heads of them; and fp32 gradients that go around are twice as many bytes, once more each."""
    machines, layout = dgx(1, "h100-sxm"), Layout(context=8, microbatch=1)
    asked = dataclasses.replace(titan(), global_batch=1)
    gathered = clock(asked, layout, machines)
    ring = clock(dataclasses.replace(asked, software=dataclasses.replace(asked.software, context="ring")), layout, machines)
    keys = gathered.network.communicate("all_gather", 2 * 2.0 * 2048 * 4096, "context")
    gradients = gathered.network.communicate("all_gather", 2 * 4.0 * 2048 * 4096, "context")
    assert gathered.parts["context_comm"] == pytest.approx(8 * (2 * keys + 8 / 7 * gradients))
    assert gathered.parts["memory_bound"] > ring.parts["memory_bound"]


def test_the_device_waits_for_a_slow_host_and_not_for_a_fast_one() -> None:
    """Layers of a few operations on few tokens: issuing them takes the host longer; a host ten times slower, ten times as long."""
    small = dataclasses.replace(GPT3, layers=8, hidden=512, heads=8, ffn=2048)
    asked = dataclasses.replace(job(model=small, global_batch=1), sequence=128)
    machines = dgx(1)

    def seconds(issue: float) -> float:
        accelerator = dataclasses.replace(machines.node.accelerator, issue=issue)
        there = dataclasses.replace(machines, node=dataclasses.replace(machines.node, accelerator=accelerator))
        return clock(asked, Layout(microbatch=1), there).parts["memory_bound"]

    compiled, usual, slow, slower = (seconds(issue) for issue in (0.0, machines.node.accelerator.issue, 1e-4, 2e-4))
    assert compiled < usual < slow < slower
    # Products, attention that writes its scores, passes over memory; backward at half the time of each.
    operations = 4 + 4 + 8 + (8 + 7 + 12) / 2
    assert slower - slow == pytest.approx(8 * operations * 1e-4)


def test_tokens_exchanged_for_heads_travel_once_each_way_and_are_waited_for() -> None:
    """Queries, keys and values of the rank's tokens go out, what attention makes of them comes back; 16 bit, forward and backward."""
    asked = dataclasses.replace(titan(), global_batch=1)
    asked = dataclasses.replace(asked, software=dataclasses.replace(asked.software, context="all_to_all"))
    timed = clock(asked, Layout(context=8, microbatch=1), dgx(1, "h100-sxm"))
    model = asked.model
    width = 128 * (2 * model.heads + 2 * (model.key_value_heads or model.heads))
    each = timed.network.communicate("all_to_all", 2.0 * asked.sequence / 8 * width, "context")
    assert timed.parts["context_comm"] == pytest.approx(2 * model.layers * each)


@pytest.mark.parametrize(("scaling", "forward", "backward"), [("tensor", (4, 0, 0), (0, 4, 2)), ("row", (5, 0, 3), (7, 8, 11))])
def test_casts_move_what_torchao_counts(scaling: str, forward: tuple[int, ...], backward: tuple[int, ...]) -> None:
    """Bytes per element of inputs, gradients of outputs and weights; where a norm comes before, it makes one of the rowwise casts."""
    asked, layout = titan("fp8", scaling=scaling), Layout(data=8, microbatch=2)
    accelerator = entry("accelerators", "h100-sxm")
    matrices = [_Matrix(asked, layout, accelerator, product, 4096.0, False) for product in products(LLAMA8)]
    found = _casts(asked, layout, matrices)
    # Three projections of attention and two of the feed-forward block cast their common input each.
    inputs, outputs, weights = 4096 * (6 * 4096 + 14336), 4096 * (6144 + 2 * 4096 + 2 * 14336), 218103808
    made = 2 * 2 * 4096 * 4096 if scaling == "row" else 0
    for moved, told in zip(found, (forward, backward), strict=False):
        counted = told[0] * inputs + told[1] * outputs + told[2] * weights - (made if told is forward else 0)
        assert moved == pytest.approx(counted)


def test_a_split_collective_hides_no_longer_than_its_product() -> None:
    """Products grow with the width of the layer, collectives do not: of a narrow one they stay exposed."""
    machines, layout = dgx(1, "h100-sxm"), Layout(tensor=8, microbatch=2, sequence_parallel=True)
    shares = []
    for width in (1024, 65536):
        asked = dataclasses.replace(titan(overlap_tensor=1.0), model=dataclasses.replace(LLAMA8, ffn=width))
        exposed, all_of_it = (
            clock(dataclasses.replace(asked, software=dataclasses.replace(asked.software, overlap_tensor=share)), layout, machines)
            for share in (1.0, 0.0)
        )
        shares.append(1 - exposed.parts["tensor_comm"] / all_of_it.parts["tensor_comm"])
    assert 0 < shares[0] < shares[1]


def test_what_is_split_within_sequences_is_copied_in_order() -> None:
    """Gathers and sums of the forward pass, gathers of the backward one, whose sums are written in order by the pass that adds them up."""
    machines, layout = dgx(1, "h100-sxm"), Layout(tensor=8, microbatch=2, sequence_parallel=True)
    asked = dataclasses.replace(titan(), global_batch=2)
    times = [
        clock(dataclasses.replace(asked, software=dataclasses.replace(asked.software, splits_within=flag)), layout, machines).parts
        for flag in (True, False)
    ]
    copied = stream_time(machines.node.accelerator, 4 * 2 * 2048 * 4096)
    assert times[0]["tensor_comm"] - times[1]["tensor_comm"] == pytest.approx(8 * (4 + 2) * copied)


def test_a_cast_between_gather_and_product_keeps_them_whole() -> None:
    """Scaled by row, only sums hide beside their products; scaled by tensor, gathers do, too."""
    machines, layout = dgx(1, "h100-sxm"), Layout(tensor=8, microbatch=2, sequence_parallel=True)
    saved = {}
    for scaling in ("row", "tensor"):
        whole, cut = (
            clock(titan("fp8", scaling=scaling, overlap_tensor=share, splits_within=False), layout, machines).parts["tensor_comm"]
            for share in (0.0, 0.5)
        )
        saved[scaling] = (whole - cut) / whole
    assert 0 < saved["row"] < saved["tensor"]


def test_ranks_that_are_late_by_a_time_hold_up_small_and_large_layers_alike() -> None:
    """1.42 standard deviations of eight ranks, forward once and backward one and a half times, of each of 32 layers; none on one rank."""
    asked = job("megatron-2025", 8, LLAMA, "bf16")
    prompt = dataclasses.replace(asked, software=dataclasses.replace(asked.software, tensor_lag=0.0))
    for microbatch in (1, 4):
        layout = Layout(tensor=8, microbatch=microbatch, sequence_parallel=True)
        late, early = (clock(each, layout, dgx(1)).parts["tensor_comm"] for each in (asked, prompt))
        waited = 2.5 * 32 * 8 / microbatch * slowest(8) * asked.software.tensor_lag
        assert late - early == pytest.approx(waited)
    alone = Layout(microbatch=1, recompute="full")
    assert clock(asked, alone, dgx(1)).parts["tensor_comm"] == clock(prompt, alone, dgx(1)).parts["tensor_comm"] == 0
