"""Where each second of a run comes from, for `explain`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from simulator import units
from simulator.engine import Life
from simulator.outcome import RunTime, Term
from simulator.reliability import CheckpointPolicy, job_hazard, reclaims, things

_ENGINE = "engine: events between closed forms, mean over the replications"


def run_terms(life: Life, run: RunTime, policy: CheckpointPolicy, checkpoint_bytes: float) -> tuple[Term, ...]:
    """The parts of a wall-clock and the interruptions with their formula and source; what a formula gives is an expectation, the value is
    the mean over the replications."""
    return (*_interruptions(life, run), *_checkpoints(life, policy, checkpoint_bytes), *_parts(life, run))


def _interruptions(life: Life, run: RunTime) -> tuple[Term, ...]:
    classes = life.failures.classes if life.failures else ()
    days = units.format(run.wall_clock_s.mean, "time", 4)
    return tuple(
        Term(
            path=f"run.interruptions_by_cause.{each.cause}",
            value=run.interruptions_by_cause[each.cause],
            formula=f"{things(each, life.most_nodes, life.accelerators_per_node):.10g} of each {each.of} x {days} /"
            f" {units.format(each.mtbf, 'time', 6)} at full size" + ("" if each.share == 1 else f", for {each.share:.0%} of the nodes"),
            source=each.source,
        )
        for each in classes
        if not each.planned
    )


def _checkpoints(life: Life, policy: CheckpointPolicy, checkpoint_bytes: float) -> tuple[Term, ...]:
    found = life.checkpoints
    hazard = job_hazard(life.failures, life.most_nodes, life.accelerators_per_node) + reclaims(life.availability, life.nodes)
    mtbf = 1 / hazard if hazard else math.inf
    size = units.format(checkpoint_bytes, "data", 4)
    interval = {
        "young": (f"sqrt(2 x {found.blocking_s:.4g} s x {mtbf:.6g} s between failures of the job)", "Young 1974"),
        "daly": (f"higher order, of {found.blocking_s:.4g} s and {mtbf:.6g} s between failures of the job", "Daly 2006, eq. 37"),
    }.get(str(policy.interval), ("as given", "scenario"))
    rate = "copied to host memory by every accelerator" if policy.asynchronous else units.format(policy.bandwidth, "data_rate", 4)
    # No failures and no stated interval: no checkpoint but the last.
    told = found.interval_s if found.interval_s != float("inf") else "none but the last"
    return (
        Term(
            path="run.checkpoint.interval", value=told, unit="s" if isinstance(told, float) else "", formula=interval[0], source=interval[1]
        ),
        Term(path="run.checkpoint.blocking", value=found.blocking_s, unit="s", formula=f"{size}, {rate}", source="scenario"),
        Term(path="run.checkpoint.read", value=found.read_s, unit="s", formula=f"{size} read back", source="scenario"),
    )


def _parts(life: Life, run: RunTime) -> tuple[Term, ...]:
    recovery, spares, found = life.recovery, life.spares, life.checkpoints
    work = " + ".join(
        f"{phase.tokens:.6g} tokens / {phase.tokens_per_step:.6g} a step x {phase.step_s[-1][1]:.6g} s" for phase in life.phases
    )
    warm = f"{spares.warm_delay:.4g} s for warm ones, " if spares.warm else ""
    shown: Mapping[str, str] = {
        "productive": f"ideal time of the accepted tokens: {work}, each on the nodes promised at the time, x the step model's error",
        "checkpoint": f"{found.blocking_s:.4g} s after every {units.format(found.interval_s, 'time', 4)} of training"
        if found.interval_s != float("inf")
        else f"{found.blocking_s:.4g} s, once",
        "lost_work": "training since the last durable checkpoint: about half an interval for each interruption",
        "evaluation": "; ".join(f"{phase.evaluation_s:.4g} s per step" for phase in life.phases if phase.evaluation_s),
        "data": f"{life.phases[-1].stalled:.2%} of the training time, evaluations apart",
        "detection": "interruptions of each class x its time to be noticed",
        "outage": "failures of each class x its outage",
        "maintenance": "announced windows of each class: detection and outage",
        "manual": f"{recovery.manual:.0%} of the interruptions wait for a person",
        "replacement": f"{spares.hot_swap:.4g} s for a hot spare, {warm}{spares.pool_delay:.6g} s for nodes of the pool",
        "wait_for_nodes": "no spare was left, or the donor's machines were not there",
        "restart": f"{recovery.restart:.4g} s for each start",
        "reload": f"{found.read_s:.4g} s for each start",
        "warm_up": f"{recovery.warm_up:.4g} s for each start",
        "reshape": f"{life.reshape_s:.4g} s for each change of the fleet's size",
        "queue": f"{life.allocation.mean_wait:.6g} s on average before each job",
        "degraded": "what the tokens took beyond the ideal, on fewer nodes than promised or with slow ones",
        "idle": "held, with too little time left before a planned stop",
    }
    return tuple(
        Term(path=f"run.parts_s.{name}", value=seconds, unit="s", formula=shown.get(name, ""), source=_ENGINE)
        for name, seconds in run.parts_s.items()
    )
