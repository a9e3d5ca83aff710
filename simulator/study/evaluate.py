"""One scenario -> its outcome: plans, lives, bills, comparisons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from simulator import __version__
from simulator.economics import Usage, spread
from simulator.engine import RunRecord, live, summarise
from simulator.errors import SimulatorError
from simulator.outcome import (
    Alternative,
    Drawing,
    Infeasible,
    LayoutUsed,
    Outcome,
    Phase,
    Provenance,
    Term,
)
from simulator.reliability import Elastic
from simulator.scenario import Question, Scenario, settings
from simulator.scenario.question import Anchored, Replications
from simulator.study.assumptions import resting_on
from simulator.study.comparisons import Samples, compare
from simulator.study.degraded import Degrading
from simulator.study.expectations import check
from simulator.study.lives import life_of, records, too_full, without_step_error
from simulator.study.money import Money
from simulator.study.plan import PhasePlan, Plan, anchor, plan
from simulator.study.priced import PricedStep
from simulator.study.run_terms import run_terms
from simulator.study.workers import Progress, run_tasks, silent

_BATCH = 50
"""Replications between two looks at the stopping rule."""

_LIBRARIES = ("numpy", "simpy", "networkx")


def answer(scenario: Scenario, *, measured: Scenario | None = None, workers: int = 1, progress: Progress = silent) -> Outcome:
    """Everything that a scenario asks for; the same bytes for any number of workers.

    Args:
        measured: the scenario as written, where `scenario` has overrides or is a point of a sweep: anchors were measured on it.
        workers: processes.
        progress: is told how far it is.

    Raises:
        SimulatorError: a price that the date does not have, workers that died, an anchor that cannot be priced.
    """
    questions = scenario.alternatives
    plans = {
        name: anchored(questions[name], found, (measured or scenario, scenario))
        for name, found in _plans(questions, workers=workers, progress=progress).items()
    }
    plans = {name: (isinstance(found, Plan) and too_full(questions[name], found)) or found for name, found in plans.items()}
    feasible = {name: found for name, found in plans.items() if isinstance(found, Plan)}
    lived = _live(scenario, feasible, workers=workers, progress=progress)
    alternatives, samples = [], {}
    for name, found in plans.items():
        if isinstance(found, Infeasible):
            alternatives.append(Alternative(name=name, feasible=False, reason=str(found)))
            continue
        told, samples[name] = _told(name, questions[name], found, lived[name], scenario)
        alternatives.append(told)
    return Outcome(
        scenario=scenario.name,
        question=scenario.question,
        date=scenario.date.isoformat(),
        provenance=_provenance(scenario, alternatives),
        alternatives=tuple(alternatives),
        comparisons=compare(samples),
        expectations=check(scenario.expect, alternatives),
    )


def _plans(questions: Mapping[str, Question], *, workers: int, progress: Progress) -> dict[str, Plan | Infeasible]:
    """The plan of each alternative; those that train the same on the same machines share one."""
    different: list[Question] = []
    shares = {}
    for name, question in questions.items():
        same = (i for i, other in enumerate(different) if _planned(other) == _planned(question))
        shares[name] = next(same, len(different))
        different += [question] if shares[name] == len(different) else []
    found = run_tasks(plan, different, workers=workers, progress=progress, what="layouts")
    return {name: found[share] for name, share in shares.items()}


def _planned(question: Question) -> tuple[object, ...]:
    """What a plan depends on."""
    recovery = question.reliability.recovery
    return question.training, question.cluster, recovery if isinstance(recovery, Elastic | Degrading) else None


def anchored(question: Question, found: Plan | Infeasible, scenarios: Sequence[Scenario]) -> Plan | Infeasible:
    """Scale a plan to its measurement: that of the first alternative with the same anchor, which is the configuration measured.

    Args:
        scenarios: where that alternative is looked for, in this order.
    """
    stated = question.training.step
    if isinstance(found, Infeasible) or not isinstance(stated, Anchored):
        return found
    same = (q for scenario in scenarios for q in scenario.alternatives.values() if q.training.step == stated)
    reference = plan(next(same, question))
    if isinstance(reference, Infeasible):
        raise SimulatorError(f"the measured configuration cannot be priced: {reference}")
    return anchor(found, stated.measured / reference.phases[-1].largest.time.time_s, stated)


@dataclass(frozen=True)
class _Lived:
    records: list[RunRecord]
    certain: list[RunRecord]
    """The same replications without the step model's own error; empty where it has none."""
    log: RunRecord


def _live(scenario: Scenario, plans: Mapping[str, Plan], *, workers: int, progress: Progress) -> dict[str, _Lived]:
    questions = scenario.alternatives
    lives = {name: life_of(questions[name], found) for name, found in plans.items()}
    wanted = scenario.replications
    rule, most = (wanted, wanted.at_most) if isinstance(wanted, Replications) else (None, wanted)
    lived: dict[str, list[RunRecord]] = {name: [] for name in lives}
    done = 0
    while lives and done < most:
        upto = min(done + _BATCH, most) if rule else most
        more = records(lives, scenario.seed, range(done, upto), workers=workers, progress=progress)
        lived = {name: lived[name] + more[name] for name in lives}
        done = upto
        if rule and done > 1 and all(_known(lived[name], rule.until.half_width) for name in lives):
            break
    uncertain = {name: without_step_error(life) for name, life in lives.items() if life.step_sigma}
    certain = records(uncertain, scenario.seed, range(done), workers=workers, progress=progress)
    return {
        name: _Lived(lived[name], certain.get(name, []), live(replace(life, step_sigma=0.0), scenario.seed, 0, log=True))
        for name, life in lives.items()
    }


def _known(lived: Sequence[RunRecord], half_width: float) -> bool:
    """Whether the mean wall-clock is known to within `half_width` of itself (95 %, normal approximation)."""
    clocks = np.array([record.wall_clock_s for record in lived])
    return bool(1.96 * clocks.std(ddof=1) / math.sqrt(clocks.size) <= half_width * clocks.mean())


def _told(name: str, question: Question, found: Plan, lived: _Lived, scenario: Scenario) -> tuple[Alternative, Samples]:
    """The answer for one feasible alternative, and its figures per replication for the comparisons."""
    step = found.phases[-1].largest
    node = question.cluster.node
    run = summarise(lived.records, lived.certain)
    money = Money(question, scenario.date)
    usages = [_usage(record, question) for record in lived.records]
    mean = _mean(usages)
    drawn = money.energy(mean)
    paid = spread(money.bill(mean), run.accelerator_hours_by_part, run.accelerator_hours_by_cause)
    emitted = money.carbon(mean)
    each = [(money.energy(usage), money.bill(usage)) for usage in usages]
    whole = [record.finished for record in lived.records]
    figures = {
        "wall_clock_s": [usage.wall_clock_s for usage in usages],
        "project_usd": [paid.payer_usd.get("project", 0.0) for _, paid in each],
        "total_usd": [paid.total_usd for _, paid in each],
        "energy_mwh": [drawn.total_mwh for drawn, _ in each],
        "operational_kg": [money.carbon(usage).operational_kg for usage in usages],
    }
    samples = {name: [x if done else math.nan for x, done in zip(xs, whole, strict=True)] for name, xs in figures.items()}
    figures_from = (
        *step.terms,
        *run_terms(life_of(question, found), run, question.reliability.checkpoint, found.checkpoint_bytes),
        *money.terms(mean),
    )
    phases = found.phases if len(found.phases) > 1 or len(found.phases[0].steps) > 1 else ()
    told = Alternative(
        name=name,
        feasible=True,
        layout=_layout(step, found.phases[-1]),
        accelerator=" + ".join(kind.accelerator.name for kind, _ in question.cluster.kinds),
        accelerators=question.cluster.count * node.accelerators,
        accelerators_used=step.accelerators_used,
        step=step.time,
        memory=step.memory,
        run=run,
        bill=paid,
        energy=drawn,
        carbon=emitted,
        phases=tuple(_phase(phase, size, phase.steps[size]) for phase in phases for size in sorted(phase.steps)),
        assumptions=_assumptions(question, found, figures_from),
        terms=(*figures_from, *_settings(scenario, name)),
        drawing=Drawing(pipeline=step.bars, network=found.network.levels, traffic=step.traffic, log=lived.log.log),
    )
    return told, samples


def _usage(record: RunRecord, question: Question) -> Usage:
    return Usage(
        nodes=question.cluster.count + question.reliability.spares.held,
        accelerators_per_node=record.accelerators_per_node,
        training_node_s=record.training_node_s,
        idle_node_s=record.idle_node_s,
        spare_node_s=record.spare_node_s,
        wall_clock_s=record.wall_clock_s,
        tokens=record.tokens,
    )


def _mean(usages: Sequence[Usage]) -> Usage:
    def over(name: str) -> float:
        return math.fsum(getattr(usage, name) for usage in usages) / len(usages)

    return replace(
        usages[0],
        training_node_s=over("training_node_s"),
        idle_node_s=over("idle_node_s"),
        spare_node_s=over("spare_node_s"),
        wall_clock_s=over("wall_clock_s"),
        tokens=over("tokens"),
    )


def _layout(step: PricedStep, phase: PhasePlan) -> LayoutUsed | None:
    layout = step.layout
    if layout is None:
        return None
    return LayoutUsed(
        tensor=layout.tensor,
        context=layout.context,
        pipeline=layout.pipeline,
        virtual=layout.virtual,
        data=layout.data,
        expert=layout.expert,
        expert_tensor=layout.expert_tensor or layout.tensor,
        microbatch=layout.microbatch,
        global_batch=phase.global_batch,
        schedule=layout.schedule,
        sharding=layout.sharding,
        sequence_parallel=layout.sequence_parallel,
        recompute=layout.recompute,
        recompute_layers=layout.recompute_layers,
    )


def _phase(phase: PhasePlan, nodes: int, step: PricedStep) -> Phase:
    name = " ".join(part for part in (phase.name, f"on {nodes} nodes" if len(phase.steps) > 1 else "") if part)
    return Phase(name=name, tokens=phase.tokens, layout=_layout(step, phase), step=step.time, memory=step.memory)


def _assumptions(question: Question, found: Plan, terms: Sequence[Term]) -> tuple[str, ...]:
    """What the alternative rests on, each once: notes of the rooms, and every figure whose source says assumed or unverified."""
    steps = (note for phase in found.phases for step in phase.steps.values() for note in step.assumptions)
    return tuple(dict.fromkeys((*steps, *resting_on(question, terms))))


def _settings(scenario: Scenario, name: str) -> tuple[Term, ...]:
    """Every resolved setting of an alternative and where it came from: its own place, or that of the mapping that holds it."""
    origins = scenario.origins.get(name, {})

    def origin(path: str) -> str:
        while path and path not in origins:
            path = path.rpartition(".")[0]
        return origins.get(path, "default")

    return tuple(Term(path=path, value=text, source=origin(path)) for path, text in settings(scenario.alternatives[name]).items())


def _provenance(scenario: Scenario, alternatives: Sequence[Alternative]) -> Provenance:
    libraries = {}
    for library in _LIBRARIES:
        try:
            libraries[library] = version(library)
        except PackageNotFoundError:
            libraries[library] = "unknown"
    hindsight = ("hindsight: hardware and software later than the date are allowed",) if scenario.hindsight else ()
    return Provenance(
        version=__version__,
        seed=scenario.seed,
        inputs=scenario.inputs,
        assumptions=tuple(dict.fromkeys((*hindsight, *(note for alternative in alternatives for note in alternative.assumptions)))),
        libraries=libraries,
        overrides=scenario.overrides,
    )
