"""How long a step takes and where the time goes: operations and collectives of each stage, a played schedule, data-parallel traffic,
optimizer, jitter."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace

from simulator.collectives import HELD, Operation, taken
from simulator.hardware import stream_time
from simulator.model import layer_parameters, products
from simulator.outcome import Bar
from simulator.parallelism import Layout, ends_apart, held_layers
from simulator.pipeline import SCHEDULES, Timeline, play
from simulator.step.chunks import Held, held_dense, mixed
from simulator.step.job import Job, Machines
from simulator.step.layer import Lap, Pass, embedding_pass, layer_pass, output_pass, prediction_pass, slowest
from simulator.step.network import Network
from simulator.step.offload import drive_time, optimizer_time, waiting

UPDATE_BYTES = 28.0
"""Adam in fp32, per parameter: read gradient, weight and two moments (16), write weight and moments (12). Source: counting."""

ZERO_BYTES = 4.0
"""Of `Software.optimizer_passes`, what is done to every kept gradient even where the states are sharded: setting it to zero."""

CLIP_BYTES = 12.0
"""Likewise where every rank has all summed gradients: norm 4 and clipping 8."""

_PIECE = 6e-6
"""Host's seconds for one parameter's part of one rank where weights are gathered into lists: cutting out, flattening, cutting apart.

Source: measured with PyTorch 1.13 on one core of an EPYC, 170 parameters on 32 and 128 ranks: 5.9 and 6.5 us, device and network left out.
"""


_ROUNDING = 1e-9
"""Share by which two ways of adding up the same seconds differ at most."""

Known = dict[Hashable, tuple[Pass, Pass, Pass, Pass]]
"""What layouts share of their microbatches; see `unplayed`."""


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A step as timed.

    Args:
        parts: seconds of the critical path by part, in the order of the step.
        busiest: one microbatch on the stage that is busy longest.
        hidden: data-parallel traffic [s], all of it, exposed or not.
        parameters: on the rank that holds most.
        passes: one microbatch of each chunk of each stage.
        transfers: one microbatch's activations from each stage to the next [s].
        network: what priced the traffic.
    """

    parts: dict[str, float]
    timeline: Timeline
    busiest: Pass
    microbatches: int
    data_traffic: float
    parameters: float
    bars: tuple[Bar, ...]
    passes: list[list[Pass]]
    transfers: list[float]
    network: Network

    @property
    def total(self) -> float:
        """The whole step [s]."""
        return math.fsum(self.parts.values())


@dataclass(frozen=True, kw_only=True)
class Unplayed:
    """A step priced but for its schedule: enough to say how short it cannot be.

    Args:
        passes, transfers, network, microbatches, busiest, data_traffic, parameters: as in `Clock`.
        after: exposed data-parallel traffic and optimizer [s].
        jitter: of the step, over all the rest.
    """

    job: Job
    layout: Layout
    passes: list[list[Pass]]
    transfers: list[float]
    network: Network
    microbatches: int
    busiest: Pass
    data_traffic: float
    parameters: float
    after: tuple[float, float]
    jitter: float

    @property
    def lap(self) -> Lap:
        """Every microbatch on the busiest stage, forward and backward."""
        return (self.busiest.forward + self.busiest.backward) * self.microbatches

    @property
    def least_s(self) -> float:
        """A bound from below on `played().total` [s]: no stage is busy for longer, begins before its first input or ends before all others.

        Where microbatches go around the stages in order, a stage waits for the first of them to come through those before it, forward, and
        its last one goes back through them.
        """
        least = self.lap.total
        schedule = SCHEDULES[self.layout.schedule]
        if schedule.copies == 1 and schedule.slots == 2:
            way = 0.0
            for chunks, transfer in zip(self.passes, self.transfers, strict=True):
                least = max(least, way + self.microbatches * sum([chunk.total for chunk in chunks]))
                way += chunks[0].total + 2 * transfer
        return (least + math.fsum(self.after)) * (1.0 + self.jitter) * (1.0 - _ROUNDING)

    def played(self, bars: int = 0) -> Clock:
        """The schedule played, and the step in full."""
        job, layout, passes = self.job, self.layout, self.passes
        timeline = play(
            SCHEDULES[layout.schedule],
            stages=layout.pipeline,
            virtual=layout.virtual,
            microbatches=self.microbatches,
            forward=[[chunk.forward.total for chunk in chunks] for chunks in passes],
            backward=[[chunk.backward.total for chunk in chunks] for chunks in passes],
            weight=[[chunk.weight.total for chunk in chunks] for chunks in passes],
            transfer=self.transfers,
            overlapped=job.software.overlap_pipeline,
            bars=bars,
        )
        lap = self.lap
        parts = {
            "matrix": lap.matrix,
            "attention": lap.attention,
            "memory_bound": lap.memory_bound,
            "tensor_comm": lap.tensor_comm,
            "context_comm": lap.context_comm,
            "expert_comm": lap.expert_comm,
            "pipeline_bubble": max(timeline.total_s - lap.total - timeline.transfer_s, 0.0),
            "pipeline_comm": timeline.transfer_s,
            "data_comm": self.after[0],
            "optimizer": self.after[1],
        }
        parts["jitter"] = math.fsum(parts.values()) * self.jitter
        return Clock(
            parts=parts,
            timeline=timeline,
            busiest=self.busiest,
            microbatches=self.microbatches,
            data_traffic=self.data_traffic,
            parameters=self.parameters,
            bars=timeline.bars,
            passes=passes,
            transfers=self.transfers,
            network=self.network,
        )


def clock(job: Job, layout: Layout, machines: Machines, bars: int = 0) -> Clock:
    """Time one step; the layout divides what it must (`parallelism.divisibility`).

    Accuracy: stages are played without jitter; sends between stages do not slow what hides them.
    """
    return unplayed(job, layout, machines).played(bars)


def unplayed(job: Job, layout: Layout, machines: Machines, known: Known | None = None) -> Unplayed:
    """Price all of a step but its schedule.

    Args:
        known: microbatches priced before for the same job and machines, which layouts share; filled on the way.
    """
    network = Network(layout, machines)
    microbatches = job.global_batch // (layout.data * layout.microbatch)
    held = held_layers(layout, job.model.layers, job.output_layers)
    passes = _passes(job, layout, machines, network, held, {} if known is None else known)
    schedule = SCHEDULES[layout.schedule]
    if layout.schedule == "dualpipe":
        passes = [[_beside(chunk) for chunk in chunks] for chunks in passes]
    busiest = max(passes, key=lambda chunks: sum([chunk.total for chunk in chunks]))
    traffic = _Data(job, layout, machines, network, held)
    sharded = _gathered(job, layout, traffic, passes, microbatches)
    tokens = layout.microbatch * job.sequence / layout.context
    transfers = network.transfers(2.0 * tokens * job.model.hidden, job.software.scatter_sends, job.software.duplex_sends)
    nodes = -(-layout.accelerators // machines.node.accelerators)
    data = sharded if layout.sharding == "zero3" else traffic.exposed(passes, layout, microbatches)
    return Unplayed(
        job=job,
        layout=layout,
        passes=passes,
        transfers=transfers,
        network=network,
        microbatches=microbatches,
        busiest=sum(busiest[1:], busiest[0]) * (1 / schedule.copies),
        data_traffic=traffic.seconds() if layout.sharding != "zero3" else sharded,
        parameters=traffic.parameters,
        after=(data, traffic.optimizer(min(chunk.backward.total for chunk in busiest))),
        jitter=job.software.jitter * slowest(nodes),
    )


def _passes(
    job: Job,
    layout: Layout,
    machines: Machines,
    network: Network,
    held: Held,
    shared: Known,
) -> list[list[Pass]]:
    """One microbatch of every chunk of every stage."""
    alike = _alike(layout, network)
    if alike not in shared:
        shared[alike] = _pieces(job, layout, machines, network)
    usual, dense, embedding, output = shared[alike]
    known: dict[tuple[int, int], Pass] = {}
    answer: list[list[Pass]] = []
    for counts in zip(held, held_dense(job.model, layout, held), strict=True):
        answer.append([])
        for count, flat in zip(*counts, strict=True):
            if (count, flat) not in known:
                whole = usual * (count - flat) + dense * flat
                # Every one of them goes forward again before it goes backward, but for those that keep everything, of either kind alike.
                spared = 1 - layout.computed_again(count) / count if layout.recompute_layers and count else 0.0
                known[count, flat] = replace(whole, backward=whole.backward + whole.forward * -spared) if spared else whole
            answer[-1].append(known[count, flat])
    for route in SCHEDULES[layout.schedule].routes(layout.pipeline, layout.virtual):
        (first, one), (last, other) = route[0], route[-1]
        answer[first][one] += embedding
        answer[last][other] += output
    return answer


def _alike(layout: Layout, network: Network) -> Hashable:
    """What the passes of one microbatch depend on: equal for two layouts of one job, they are the same."""
    inside = ("tensor", "context", "expert")
    return (
        *(network.communicator(dimension) if getattr(layout, dimension) > 1 else None for dimension in inside),
        *(layout.tensor, layout.context, layout.expert, layout.expert_tensor, layout.microbatch),
        *(layout.sequence_parallel, layout.recompute, layout.offload),
    )


def _pieces(job: Job, layout: Layout, machines: Machines, network: Network) -> tuple[Pass, Pass, Pass, Pass]:
    """One microbatch of a layer, of a dense one where others have experts, of the embedding, and of what follows the last layer."""
    accelerator = machines.node.accelerator
    usual = layer_pass(job, layout, accelerator, network.communicate, dense=False)
    dense = layer_pass(job, layout, accelerator, network.communicate, dense=True) if mixed(job.model) else usual
    if "activations" in layout.offload:
        usual, dense = waiting(job, layout, machines, usual, False), waiting(job, layout, machines, dense, True)
    embedding = embedding_pass(job, layout, accelerator, network.communicate)
    output = output_pass(job, layout, accelerator, network.communicate)
    if job.model.prediction_heads:
        output += prediction_pass(job, layout, accelerator, usual, output)
    return usual, dense, embedding, output


def _beside(chunk: Pass) -> Pass:
    """A pass that runs beside one of the other direction: each one's exchange of tokens hides behind what the other computes.

    # Assumes: also where the pipeline fills and drains. Source: DeepSeek-V3, arXiv:2412.19437, section 3.2.1.
    """
    forward, backward = chunk.forward, chunk.backward

    def left(mine: Lap, other: Lap) -> Lap:
        computing = other.matrix + other.attention + other.memory_bound
        return replace(mine, expert_comm=added(mine.expert_comm, computing, HELD * mine.expert_comm))

    return replace(chunk, forward=left(forward, backward), backward=left(backward, forward))


def added(traffic: float, window: float, held: float) -> float:
    """Seconds that traffic adds to compute of `window` seconds beside it, from which it takes `held` seconds where all of it is hidden.

    While both run, compute keeps 1 - held / traffic of its rate; it ends at window + held, or with the traffic where that takes longer.

    >>> added(2.0, 10.0, 0.4), added(12.0, 10.0, 2.4), added(15.0, 10.0, 3.0)
    (0.4, 2.4, 5.0)
    """
    return max(traffic - window, held)


class _Data:
    """Gradients and weights of the rank that holds most, and their traffic over the data-parallel ranks."""

    def __init__(self, job: Job, layout: Layout, machines: Machines, network: Network, held: Held) -> None:
        self.job, self.layout, self.machines, self.network = job, layout, machines, network
        model = job.model
        usual, dense = layer_parameters(model), layer_parameters(model, dense=True)
        experts, ways = usual.get("experts", 0), layout.expert * (layout.expert_tensor or layout.tensor)
        routed, plain = sum(usual.values()) - experts, sum(dense.values())
        self.apart = ends_apart(layout)
        embedding = model.vocabulary * model.hidden / layout.tensor
        first = (1 if self.apart or model.tied_embeddings else 2) * embedding
        first += job.sequence * model.hidden if model.positions == "learned" else 0
        ends = [first, *[0.0] * (len(held) - 2), *([embedding if self.apart else 0.0] if len(held) > 1 else [])]
        # Of each stage: layers, those of them without experts, what an embedding adds.
        stages = {(sum(chunks), sum(flat), end) for chunks, flat, end in zip(held, held_dense(model, layout, held), ends, strict=True)}
        self.dense, self.experts, most = max(
            (
                (
                    (routed * (layers - flat) + plain * flat) / layout.tensor + 4 * model.hidden * layers + end,
                    experts * (layers - flat) / ways,
                    layers,
                )
                for layers, flat, end in stages
            ),
            key=lambda here: here[0] + here[1],
        )
        self.layers = max(most, 1)  # a stage may hold an embedding alone
        self.parameters = self.dense + self.experts
        # Fully sharded, the embedding is gathered and scattered together with the output matrix.
        self.last = max(1 / self.layers, (first if layout.sharding == "zero3" else embedding) / self.parameters)
        self.shards = 1 if layout.sharding == "none" else layout.data * layout.context

    @property
    def late(self) -> bool:
        """Every rank gets all gradients once the backward pass is over, although it needs its share alone."""
        software = self.job.software
        return self.layout.sharding == "zero1" and (software.sharded_reduction == "all_reduce" or software.casts(self.job.precision))

    @property
    def in_buckets(self) -> bool:
        """Every rank gets all gradients although it needs its share alone, bucket by bucket, and gathers weights after the update."""
        return self.layout.sharding in ("zero1", "zero2") and self.job.software.sharded_reduction == "buckets"

    @property
    def reduced_by(self) -> Operation:
        """The collective that gradients are reduced with."""
        return "all_reduce" if self.late or self.in_buckets or self.layout.sharding == "none" else "reduce_scatter"

    def reduction(self) -> float:
        """Seconds to reduce all gradients once, in buckets or not: all-reduce, or reduce-scatter where states are sharded."""
        software = self.job.software
        size = float(software.gradient_size(self.job.precision))
        # Fully sharded, a layer is a bucket.
        whole = software.bucket is None or self.late or self.layout.sharding == "zero3"
        return self._travel(self.reduced_by, size, 1 if whole else self._buckets((software.bucket or 0.0) / size))

    def _travel(self, operation: Operation, size: float, dense: int = 1) -> float:
        """Seconds for `size` bytes of each parameter, the dense ones in so many collectives; fully sharded layers one after the other."""
        layered = self.layers if self.layout.sharding == "zero3" else 1
        dense *= layered
        plain = dense * self.network.communicate(operation, size * self.dense / dense, "data_context")
        return plain + layered * self.network.communicate(operation, size * self.experts / layered, "expert_data")

    def _buckets(self, least: float) -> int:
        """How many collectives the dense parameters go in, last layer first: a bucket is closed by the parameter that fills it.

        Source: pytorch/pytorch, torch/csrc/distributed/c10d/reducer.cpp (compute_bucket_assignment_by_size).
        """
        layer = reversed(products(self.job.model, dense=True))
        weights = [each.k * each.n / (1 if each.split == "none" else self.layout.tensor) for each in layer]
        embedding = self.job.model.vocabulary * self.job.model.hidden / self.layout.tensor
        count, filled = 0, 0.0
        for weight in [*weights * self.layers, embedding]:
            filled += weight
            if filled >= least:
                count, filled = count + 1, 0.0
        return max(count + (filled > 0), 1)

    def gathering(self) -> float:
        """Seconds to gather all 16-bit weights once; 0 where every rank updates all of them."""
        if self.layout.sharding == "none":
            return 0.0
        return self._travel("all_gather", 2.0) + self._unpacking()

    def _unpacking(self) -> float:
        """Seconds to put gathered weights where they belong, a copy for every parameter of every rank; 0 where they are gathered in place.

        # Assumes: the host is not ahead of the accelerator.
        Source: huggingface/nanotron at c2528430, src/nanotron/distributed.py (all_gather_coalesced), src/nanotron/optim/zero.py.
        """
        ranks, norms = self.layout.data * self.layout.context, 2
        if self.job.software.reduction != "copies" or self.layout.sharding != "zero1" or ranks == 1:
            return 0.0
        pieces = ranks * (self.layers * (len(products(self.job.model, dense=True)) + norms) + 1)
        return pieces * _PIECE + stream_time(self.machines.node.accelerator, 0.0, pieces)

    def seconds(self) -> float:
        """Of both, and of the gradients of the embedding that first and last stage share."""
        return self.reduction() + self.gathering() + self._tied()

    def _tied(self) -> float:
        model, layout = self.job.model, self.layout
        if not self.apart or not model.tied_embeddings:
            return 0.0
        size = self.job.software.gradient_size(self.job.precision) * model.vocabulary * model.hidden / layout.tensor
        return self.network.communicate("all_reduce", float(size), "ends")

    def exposed(self, passes: list[list[Pass]], layout: Layout, microbatches: int) -> float:
        """Seconds of that traffic which nothing hides.

        The last gradients are never hidden: the first layer's, or the embedding's, which are complete when the backward pass is.
        Reduction hides behind the backward pass that is left once the first chunk's gradients are complete: the last microbatch of the
        last chunk, and with interleaving `pipeline` microbatches of each chunk before.
        """
        software = self.job.software
        overlapped = software.overlap_gradient_reduction and not self.late
        chunks = passes[0]
        backward = chunks[0].backward.total + layout.pipeline * math.fsum(chunk.backward.total for chunk in chunks[:-1])
        forward = chunks[0].forward.total + layout.pipeline * math.fsum(chunk.forward.total for chunk in chunks[1:])
        reduction, gathering = self.reduction(), self.gathering()
        held = self.held(self.reduced_by, software.gradient_size(self.job.precision))
        if layout.sharding == "zero2":
            # Gradients are scattered after every microbatch, since nobody keeps all of them.
            each = self._left(reduction, backward, held) if overlapped else reduction
            reduced = each * microbatches
        else:
            reduced = self._left(reduction, backward, held) if overlapped else reduction
        gathered = gathering
        if software.overlap_parameter_gather and gathering and not self.in_buckets:
            gathered = self._left(gathering, forward, self.held("all_gather", 2.0))
        return reduced + gathered + self._tied()

    def _left(self, traffic: float, window: float, held: float) -> float:
        return max(traffic - window * (1 - 1 / self.layers), traffic * self.last + held * (1 - self.last))

    def held(self, operation: Operation, each: float) -> float:
        """Seconds that this collective of `each` bytes per parameter takes from the compute beside it."""
        if self.machines.node.accelerator.transfers_apart:
            return 0.0
        ranks, rate = self.layout.data * self.layout.context, self.machines.node.scale_up.rate
        return taken(operation, ranks, each * self.dense, rate) + taken(operation, self._copies(), each * self.experts, rate)

    def _copies(self) -> int:
        """Ranks that hold the same experts."""
        layout = self.layout
        return max(layout.tensor * layout.context * layout.data // (layout.expert * (layout.expert_tensor or layout.tensor)), 1)

    def optimizer(self, backward: float) -> float:
        """Seconds of the optimizer step: the update and the passes around it, over the states of this rank.

        Args:
            backward: of the last microbatch, which hides what goes to the host [s].
        """
        accelerator = self.machines.node.accelerator
        layout = self.layout
        # Of an expert, fewer ranks hold a copy among which its states are shared.
        mine = self.dense / self.shards + self.experts / (1 if layout.sharding == "none" else self._copies())
        if layout.updates_on_host:
            on_host = optimizer_time(self.job, self.machines, mine, backward)
            return max(on_host, drive_time(self.machines, mine)) if "optimizer_nvme" in layout.offload else on_host
        passes = self.job.software.optimizer_passes
        whole = ZERO_BYTES + (CLIP_BYTES if self.late else 0.0)
        before = (
            0.0
            if layout.data * layout.context == 1
            else self.job.software.gradient_passes * self.job.software.gradient_size(self.job.precision)
        )
        return stream_time(accelerator, (UPDATE_BYTES + passes - whole) * mine + (whole + before) * self.parameters, 50)


def _gathered(job: Job, layout: Layout, traffic: _Data, passes: list[list[Pass]], microbatches: int) -> float:
    """Exposed seconds of fully sharded weights (zero3): gathered before each forward and backward, gradients scattered, layer by layer.

    Each hides behind the compute of its own pass but for the first gather and the last scatter, those of the embedding and of what else is
    in no layer, or of one layer where that is more.
    Source: Rajbhandari et al., arXiv:1910.02054, section 5.3; Zhao et al., arXiv:2304.11277, sections 3.3 and 4.1 (the root's unit holds
    what is in no other).
    """
    if layout.sharding != "zero3":
        return 0.0
    software = job.software
    gather, scatter = traffic.gathering() / software.sharded_share, traffic.reduction() / software.sharded_share
    forward = math.fsum(chunk.forward.total for chunk in passes[0])
    backward = math.fsum(chunk.backward.total for chunk in passes[0])
    last, gathers = traffic.last, traffic.held("all_gather", 2.0)
    ahead = added(gather, forward, gathers) + gather * last if software.overlap_parameter_gather else gather
    if software.overlap_parameter_gather and software.overlap_gradient_reduction:
        scatters = traffic.held("reduce_scatter", software.gradient_size(job.precision))
        back = added(gather + scatter, backward, gathers + scatters) + scatter * last
    else:
        back = gather + scatter
    return (ahead + back) * microbatches
