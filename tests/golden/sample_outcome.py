"""Made-up answers of a realistic shape for tests of the reports. No figure here is a prediction or a fact."""

from __future__ import annotations

import math
from typing import Any

from simulator.outcome import (
    Alternative,
    Bar,
    Bill,
    Carbon,
    Comparison,
    Drawing,
    Energy,
    Expectation,
    GroupTraffic,
    LayoutUsed,
    LogEntry,
    MemoryUse,
    NetworkLevel,
    Outcome,
    Phase,
    Provenance,
    RunTime,
    StepTime,
    Summary,
    Term,
)

DAY = 86400.0
TOKENS = 300e9


def layout(tensor: int, pipeline: int, data: int, **other: Any) -> LayoutUsed:
    chosen: dict[str, Any] = {
        "context": 1,
        "virtual": 1,
        "expert": 1,
        "expert_tensor": 1,
        "microbatch": 1,
        "global_batch": 1536,
        "schedule": "1f1b",
        "sharding": "zero1",
        "sequence_parallel": False,
        "recompute": "full",
    }
    return LayoutUsed(tensor=tensor, pipeline=pipeline, data=data, **(chosen | other))


def step(time_s: float, mfu: float, *, kind: str = "modelled", bubble: float = 0.05, accelerators: int = 1024) -> StepTime:
    shares = {
        "compute": 0.71 - bubble,
        "recompute": 0.17,
        "tensor_communication": 0.085,
        "pipeline_communication": 0.005,
        "bubble": bubble,
        "data_communication": 0.02,
        "optimizer": 0.01,
    }
    parts = {name: time_s * share for name, share in shares.items()}
    tokens = 1536 * 2048
    return StepTime(
        kind=kind,
        time_s=math.fsum(parts.values()),
        interval_s=(time_s * 0.9, time_s * 1.12),
        parts_s=parts,
        model_tflops_per_accelerator=mfu * 312,
        mfu=mfu,
        hfu=mfu * 4 / 3,
        tokens_per_s=tokens / time_s,
    )


def memory(capacity_gb: float, used_gb: float) -> MemoryUse:
    shares = {
        "weights": 0.12,
        "gradients": 0.12,
        "optimizer_state": 0.36,
        "activations": 0.3,
        "communication_buffers": 0.04,
        "fragmentation": 0.06,
    }
    parts = {name: used_gb * 1e9 * share for name, share in shares.items()}
    return MemoryUse(total_bytes=math.fsum(parts.values()), capacity_bytes=capacity_gb * 1e9, parts_bytes=parts)


def run(days: float, goodput: float, interruptions: float, accelerators: int, *, p_unfinished: float = 0.0) -> RunTime:
    wall = days * DAY
    lost = 1 - goodput
    parts = {
        "productive": wall * goodput,
        "checkpoints": wall * lost * 0.3,
        "lost_work": wall * lost * 0.3,
        "detection": wall * lost * 0.1,
        "restart": wall * lost * 0.2,
        "waiting_for_machines": wall * lost * 0.1,
    }
    causes = {"gpu": interruptions * 0.5, "network": interruptions * 0.2, "host": interruptions * 0.2, "software": interruptions * 0.1}
    mean = math.fsum(parts.values())
    return RunTime(
        wall_clock_s=Summary(mean=mean, p10=wall * 0.96, p50=wall * 0.998, p90=wall * 1.05),
        parts_s=parts,
        goodput=goodput,
        interruptions=Summary(mean=math.fsum(causes.values()), p10=interruptions * 0.6, p50=interruptions, p90=interruptions * 1.4),
        interruptions_by_cause=causes,
        accelerator_hours=days * 24 * accelerators,
        replications=100,
        p_unfinished=p_unfinished,
        monte_carlo_error_s=wall * 0.004,
        wall_clock_without_step_error_s=Summary(mean=mean, p10=wall * 0.99, p50=wall, p90=wall * 1.01),
    )


def bill(items: dict[str, float], payers: dict[str, float], worth: float | None = None) -> Bill:
    total = math.fsum(items.values())
    return Bill(total_usd=total, items_usd=items, payer_usd=payers, usd_per_million_tokens=total / (TOKENS / 1e6), donation_worth_usd=worth)


def energy(mwh: float) -> Energy:
    parts = {"computing": mwh * 0.7, "communicating": mwh * 0.1, "idle": mwh * 0.1, "cooling_and_losses": mwh * 0.1}
    return Energy(total_mwh=math.fsum(parts.values()), parts_mwh=parts)


def pipeline(stages: int, microbatches: int, forward: float, backward: float) -> tuple[Bar, ...]:
    """A plain 1F1B timeline, slot by slot."""
    done: dict[tuple[str, int, int], float] = {}
    order = {
        s: [("forward", m) for m in range(min(stages - s, microbatches))]
        + [
            slot
            for m in range(microbatches)
            for slot in ([("backward", m)] + ([("forward", m + stages - s)] if m + stages - s < microbatches else []))
        ]
        for s in range(stages)
    }
    clock, at, bars = [0.0] * stages, [0] * stages, []
    while any(at[s] < len(order[s]) for s in range(stages)):
        for s in range(stages):
            while at[s] < len(order[s]):
                what, m = order[s][at[s]]
                before = (what, s - 1, m) if what == "forward" else (what, s + 1, m)
                ready = 0.0 if before[1] < 0 else done.get(("forward", s, m)) if before[1] == stages else done.get(before)
                if ready is None:
                    break
                start = max(clock[s], ready)
                clock[s] = done[(what, s, m)] = start + (forward if what == "forward" else backward)
                bars.append(Bar(lane=s, label=what, microbatch=m, start_s=start, end_s=clock[s]))
                at[s] += 1
    return tuple(bars)


def log(days: float, rate: float, every: float, nodes: int) -> tuple[LogEntry, ...]:
    """A run with a failure every `every` days that loses a twelfth of a day of work."""
    entries = [LogEntry(time_s=0.0, what="start", nodes=nodes)]
    time, tokens, causes = 0.0, 0.0, ("gpu", "network", "host")
    for i in range(int(days / every)):
        time, tokens = time + every * DAY, tokens + every * DAY * rate
        entries.append(LogEntry(time_s=time, what="stopped", cause=causes[i % 3], tokens=tokens, nodes=nodes - 1))
        tokens -= rate * DAY / 12
        entries.append(LogEntry(time_s=time + 1, what="rolled back", tokens=tokens, nodes=nodes - 1))
        time += DAY / 8
        entries.append(LogEntry(time_s=time, what="restarted", tokens=tokens, nodes=nodes))
    entries.append(LogEntry(time_s=time + (TOKENS - tokens) / rate, what="finished", tokens=TOKENS, nodes=nodes))
    return tuple(entries)


TERMS = (
    Term(path="cluster.node.accelerator.peak.bf16", value=312e12, unit="FLOP/s", formula="catalogue", source="NVIDIA A100 datasheet"),
    Term(path="cluster.count", value=12, unit="nodes", formula="scenarios/donated-vs-hyperscaler.yaml:31"),
    Term(path="step.time_s", value=98.2, unit="s", formula="sum of parts_s"),
    Term(
        path="step.parts_s.compute",
        value=64.8,
        unit="s",
        formula="6 × 175e9 × 3.15e6 / (96 × 172e12)",
        source="roofline; Narayanan et al. 2021",
    ),
    Term(path="step.parts_s.bubble", value=4.9, unit="s", formula="(12 − 1) / 1536 × …"),
    Term(path="memory.parts_bytes.weights", value=7.3e9, unit="B", formula="2 B × 3.65e9"),
    Term(path="training.layout", value="auto → TP8·PP12·DP1", formula="the fastest of 41 candidates"),
)


def _alternatives() -> tuple[Alternative, ...]:
    rented = layout(8, 8, 16, virtual=2, schedule="interleaved", sequence_parallel=True, recompute="selective")
    ib = (
        NetworkLevel(name="accelerator-switch", links=1024, rate=300e9, oversubscription=1.0),
        NetworkLevel(name="nic-leaf", links=1024, rate=25e9, oversubscription=12.0),
        NetworkLevel(name="leaf-spine", links=512, rate=25e9, oversubscription=2.0),
    )
    ondemand = Alternative(
        name="hyperscaler-on-demand",
        feasible=True,
        layout=rented,
        accelerator="a100-sxm-80gb",
        accelerators=1024,
        accelerators_used=1024,
        step=step(8.9, 0.452),
        memory=memory(80, 61),
        run=run(10.4, 0.943, 6.2, 1024),
        bill=bill({"accelerators": 1_048_000.0, "storage": 9_400.0, "data_and_moving": 12_000.0}, {"project": 1_069_400.0}),
        energy=energy(148.0),
        carbon=Carbon(operational_kg=63_500.0, embodied_kg=7_900.0),
        assumptions=("the network is healthy",),
        terms=TERMS,
        drawing=Drawing(
            pipeline=pipeline(8, 24, 0.05, 0.1),
            network=ib,
            traffic=(
                GroupTraffic(
                    groups="data_context",
                    operation="reduce_scatter",
                    size_bytes=18.2e9,
                    ranks=64,
                    time_s=0.201,
                    algorithm="ring/Simple",
                    bottleneck="leaf3 -> spine",
                ),
            ),
            log=log(10.4, TOKENS / (9.81 * DAY), 1.7, 128),
        ),
    )
    reserved = Alternative(
        name="hyperscaler-reserved",
        feasible=True,
        layout=rented,
        accelerator="a100-sxm-80gb",
        accelerators=1024,
        accelerators_used=1024,
        step=step(8.9, 0.452),
        memory=memory(80, 61),
        run=run(10.4, 0.943, 6.2, 1024),
        bill=bill({"accelerators": 660_000.0, "storage": 9_400.0, "data_and_moving": 12_000.0}, {"project": 681_400.0}),
        energy=energy(148.0),
        carbon=Carbon(operational_kg=63_500.0, embodied_kg=7_900.0),
        drawing=Drawing(network=ib),
    )
    donated = Alternative(
        name="donated-96",
        feasible=True,
        layout=layout(8, 12, 1),
        accelerator="a100-sxm-40gb",
        accelerators=104,
        accelerators_used=96,
        step=step(98.2, 0.437, bubble=0.01),
        memory=memory(40, 37.4),
        run=run(112.6, 0.972, 7.9, 104),
        bill=bill(
            {"electricity": 14_300.0, "operations": 21_000.0, "data_and_moving": 12_000.0},
            {"project": 12_000.0, "coreweave": 35_300.0},
            worth=842_000.0,
        ),
        energy=energy(154.0),
        carbon=Carbon(operational_kg=66_100.0, embodied_kg=None),
        terms=TERMS,
        assumptions=("unverified: the donor's price of electricity", "eight idle accelerators are held as a hot spare"),
        drawing=Drawing(pipeline=pipeline(12, 36, 0.05, 0.1), log=log(112.6, TOKENS / (109.4 * DAY), 14.2, 12)),
    )
    growing = Alternative(
        name="donor-growing",
        feasible=True,
        layout=layout(8, 12, 4),
        accelerator="a100-sxm-40gb",
        accelerators=384,
        accelerators_used=384,
        step=step(25.1, 0.428),
        memory=memory(40, 38.9),
        run=run(31.8, 0.921, 13.0, 384, p_unfinished=0.12),
        bill=bill(
            {"electricity": 16_900.0, "operations": 24_000.0, "data_and_moving": 12_000.0},
            {"project": 12_000.0, "coreweave": 40_900.0},
            worth=871_000.0,
        ),
        energy=energy(161.0),
        carbon=Carbon(operational_kg=69_000.0, embodied_kg=None),
        phases=(
            Phase(name="warm-up", tokens=60e9, layout=layout(8, 12, 2, global_batch=768), step=step(24.0, 0.43), memory=memory(40, 38.0)),
            Phase(name="main", tokens=240e9, layout=layout(8, 12, 4), step=step(25.1, 0.428), memory=memory(40, 38.9)),
        ),
    )
    v100 = Alternative(
        name="gpt3-2020",
        feasible=False,
        accelerator="v100-sxm-16gb",
        accelerators=10_000,
        reason="memory of the worst rank is 21.3 GB, optimizer state alone 12.6 GB; a V100 of this node has 16 GB; pipeline: 32 would fit",
    )
    return ondemand, reserved, donated, growing, v100


def flagship_outcome() -> Outcome:
    return Outcome(
        scenario="donated-vs-hyperscaler",
        question="Is a donated cluster enough to train a GPT-3-class model, and what is the donation worth?",
        date="2021-06-01",
        provenance=Provenance(
            version="0.1.0",
            seed=7,
            inputs={"scenarios/donated-vs-hyperscaler.yaml": "9f" * 32, "topologies/coreweave-neox.yaml": "1a" * 32},
            assumptions=("collectives are played round by round, without kernel launch jitter", "prices hold for the whole run"),
            libraries={"numpy": "2.4.6", "simpy": "4.1.1"},
            overrides=("replications=100",),
        ),
        alternatives=_alternatives(),
        comparisons=(
            Comparison(
                a="hyperscaler-reserved",
                b="hyperscaler-on-demand",
                quantity="wall_clock_s",
                difference=0.0,
                interval=(0.0, 0.0),
                ratio=1.0,
                ratio_interval=(1.0, 1.0),
            ),
            Comparison(
                a="hyperscaler-reserved",
                b="hyperscaler-on-demand",
                quantity="total_usd",
                difference=-388_000.0,
                interval=(-395_000.0, -381_000.0),
                ratio=0.637,
            ),
            Comparison(
                a="donated-96",
                b="hyperscaler-on-demand",
                quantity="wall_clock_s",
                difference=102.2 * DAY,
                interval=(99.9 * DAY, 104.5 * DAY),
                ratio=10.83,
                ratio_interval=(10.6, 11.06),
            ),
            Comparison(a="donated-96", b="hyperscaler-on-demand", quantity="energy_mwh", difference=6.0, interval=(-1.2, 13.2), ratio=1.04),
        ),
        expectations=(
            Expectation(path="donated-96.run.goodput", condition="> 0.8", value=0.972, met=True),
            Expectation(path="gpt3-2020.run.goodput", condition="> 0.8", value=None, met=False),
        ),
    )


def swept_outcome() -> Outcome:
    points = []
    for count in (32, 64, 128, 256):
        for price in ("on_demand", "spot"):
            point = {"cluster.count": str(count), "economics.price.kind": price}
            name = f"base [cluster.count={count}, economics.price.kind={price}]"
            if count == 32:
                points.append(
                    Alternative(
                        name=name, feasible=False, reason="memory of the worst rank is 91 GB of 80 GB; data: 1 would fit", point=point
                    )
                )
                continue
            days = 1400 / count * (1 + count / 2000)
            usd = days * 24 * count * 8 * (2.1 if price == "on_demand" else 0.9)
            points.append(
                Alternative(
                    name=name,
                    feasible=True,
                    point=point,
                    layout=layout(8, 8, count // 8),
                    accelerator="a100-sxm-80gb",
                    accelerators=count * 8,
                    accelerators_used=count * 8,
                    step=step(9000 / count / 8, 0.46 - count / 8000),
                    memory=memory(80, 60),
                    run=run(
                        days, 0.97 - count / 5000, count / 20, count * 8, p_unfinished=0.0 if price == "on_demand" or count < 256 else 1.0
                    ),
                    bill=bill({"accelerators": usd}, {"project": usd}),
                    energy=energy(150 + count / 10),
                    carbon=Carbon(operational_kg=6e4, embodied_kg=None),
                )
            )
    return Outcome(
        scenario="how-many-nodes",
        question="How many nodes are worth their money?",
        date="2024-01-01",
        alternatives=tuple(points),
        provenance=Provenance(version="0.1.0", seed=1, inputs={}, assumptions=()),
    )
