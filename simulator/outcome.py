"""The grammar of answers: frozen, every total the sum of its named parts, checked when the answer is made.

Field names are the machine-readable contract (`to_json`); units stand in the names. A figure that does not exist is `None`, never NaN.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

SCHEMA_VERSION = 1
"""Of the JSON answer; grows when a name changes its meaning or goes."""

Parts = Mapping[str, float]
"""Named parts of a total, in the order in which they are shown."""


def partition(total: float, parts: Parts, of: str) -> None:
    """Check that `parts` sum to `total` within 1e-9 relative.

    Raises:
        ArithmeticError: they do not: a bug in the room that made the answer.
    """
    summed = math.fsum(parts.values())
    if not math.isclose(summed, total, rel_tol=1e-9, abs_tol=1e-9):
        raise ArithmeticError(f"the parts of {of} sum to {summed!r}, the total is {total!r}: {dict(parts)}")


@dataclass(frozen=True, kw_only=True)
class Infeasible:
    """An answer, not an exception: it cannot be done as asked, why, and the nearest change that would do."""

    reason: str
    mend: str = ""

    def __str__(self) -> str:
        return f"{self.reason}; {self.mend}" if self.mend else self.reason


@dataclass(frozen=True, kw_only=True)
class LayoutUsed:
    """The layout that was priced, as the contract names its degrees."""

    tensor: int
    context: int
    pipeline: int
    virtual: int
    data: int
    expert: int
    expert_tensor: int
    microbatch: int
    global_batch: int
    schedule: str
    sharding: str
    sequence_parallel: bool
    recompute: str
    recompute_layers: int | None = None


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """One optimizer step on healthy machines.

    Args:
        kind: `modelled`, `given` (by the scenario) or `anchored` (modelled, scaled to one measurement).
        interval_s: 90 % prediction interval of `time_s` [s].
        parts_s: critical path of the slowest rank [s]; sums to `time_s`.
        model_tflops_per_accelerator: model FLOP rate [TFLOP/s]; no recompute.
        mfu, hfu: model and hardware FLOP rate over the dense peak of the main matrix precision; attention counts full, not causal.
        tokens_per_s: of the whole job.
        mfu_causal: `mfu` with causal attention counted half; None where the two differ by 2 % or less.
    """

    kind: str
    time_s: float
    interval_s: tuple[float, float]
    parts_s: Parts
    model_tflops_per_accelerator: float
    mfu: float
    hfu: float
    tokens_per_s: float
    mfu_causal: float | None = None

    def __post_init__(self) -> None:
        partition(self.time_s, self.parts_s, "step time")


@dataclass(frozen=True, kw_only=True)
class MemoryUse:
    """Device memory of the worst rank at its peak [B]."""

    total_bytes: float
    capacity_bytes: float
    parts_bytes: Parts

    def __post_init__(self) -> None:
        partition(self.total_bytes, self.parts_bytes, "memory")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A quantity over replications: mean and percentiles."""

    mean: float
    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, kw_only=True)
class RunTime:
    """The life of the run over replications.

    Args:
        parts_s: partition of the mean wall-clock [s].
        goodput: ideal time of the accepted tokens / wall-clock, mean over replications.
        interruptions: count of stops that were not planned.
        interruptions_by_cause: mean count by failure class; sums to `interruptions.mean`.
        accelerator_hours: held, spares and idle included; mean.
        accelerator_hours_by_part: the same by what the wall-clock was spent on meanwhile; sums to it.
        lost_s_by_cause, accelerator_hours_by_cause: what each cause took of the wall-clock, and the accelerators held in it; mean.
        p_unfinished: share of the replications that did not reach their last token; their wall-clock ends where they gave up.
        monte_carlo_error_s: standard error of the mean wall-clock over replications [s].
        wall_clock_without_step_error: the same wall-clock with the step model's own uncertainty switched off, where it was drawn.
    """

    wall_clock_s: Summary
    parts_s: Parts
    goodput: float
    interruptions: Summary
    interruptions_by_cause: Parts
    accelerator_hours: float
    replications: int
    p_unfinished: float
    monte_carlo_error_s: float
    wall_clock_without_step_error_s: Summary | None = None
    accelerator_hours_by_part: Parts = field(default_factory=dict)
    lost_s_by_cause: Parts = field(default_factory=dict)
    accelerator_hours_by_cause: Parts = field(default_factory=dict)

    def __post_init__(self) -> None:
        partition(self.wall_clock_s.mean, self.parts_s, "wall-clock")
        partition(self.interruptions.mean, self.interruptions_by_cause, "interruptions")
        if self.accelerator_hours_by_part:
            partition(self.accelerator_hours, self.accelerator_hours_by_part, "accelerator-hours")


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What is paid, by item and by payer [USD]; the worth of a donation stands beside it and is in no total.

    The cost per million tokens is over accepted tokens, None where none was accepted.

    Args:
        machines_by_part_usd: what the machines cost (all items but storage, people, once), by what the wall-clock was spent on.
        machines_by_cause_usd: of that, what each cause of interruptions took.
    """

    total_usd: float
    items_usd: Parts
    payer_usd: Parts
    usd_per_million_tokens: float | None
    donation_worth_usd: float | None
    machines_by_part_usd: Parts = field(default_factory=dict)
    machines_by_cause_usd: Parts = field(default_factory=dict)

    @property
    def machines_usd(self) -> float:
        """Items of the machines: all but storage, people, once."""
        return math.fsum(usd for name, usd in self.items_usd.items() if name not in ("storage", "people", "once"))

    def __post_init__(self) -> None:
        partition(self.total_usd, self.items_usd, "bill")
        if self.machines_by_part_usd:
            partition(self.machines_usd, self.machines_by_part_usd, "machines")
        partition(self.total_usd, self.payer_usd, "payers")


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Energy drawn from the grid [MWh], cooling and losses (PUE) included."""

    total_mwh: float
    parts_mwh: Parts

    def __post_init__(self) -> None:
        partition(self.total_mwh, self.parts_mwh, "energy")


@dataclass(frozen=True, kw_only=True)
class Carbon:
    """Emissions [kg CO2e]: of the electricity, and the share of making the machines that falls to this run (None where unknown)."""

    operational_kg: float
    embodied_kg: float | None


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase of the run with its own layout, step and memory."""

    name: str
    tokens: float
    layout: LayoutUsed | None
    step: StepTime
    memory: MemoryUse | None


@dataclass(frozen=True, kw_only=True)
class Term:
    """One line of `simulator explain`: a figure, how it was obtained, and where it comes from.

    Args:
        path: dotted name, e.g. `step.parts_s.compute` or `cluster.node.accelerator.peak.bf16`.
        value: the figure in `unit`; text where it is not a number.
        formula: the equation with its numbers, or how it was resolved (`default`, `--set`, a file and line).
        source: paper, section, catalogue entry.
    """

    path: str
    value: float | str
    unit: str = ""
    formula: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One bar of a drawn timeline: `lane` is a pipeline stage, `label` what it does."""

    lane: int
    label: str
    microbatch: int
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True)
class LinkFault:
    """A link that has less than its rate, with its way back.

    Args:
        name: as told, e.g. `leaf3 -> spine`.
        place: among the links of its level.
        left: share of its rate that is left; 0 where it is dead.
    """

    name: str
    place: int
    left: float


@dataclass(frozen=True, kw_only=True)
class NetworkLevel:
    """One level of the network as drawn and as told: all its links together.

    Args:
        name: e.g. `accelerator-switch`, `nic-leaf`, `leaf-spine`.
        links: how many, per direction.
        rate: of one link and direction [B/s].
        oversubscription: endpoints' bandwidth below / bandwidth of this level.
        taken: the largest share of one of them that neighbours take.
        faulty: how many of them have less than their rate.
        faults: the worst of those in each stretch of the level, for a picture; the worst of all first.
    """

    name: str
    links: int
    rate: float
    oversubscription: float
    taken: float = 0.0
    faulty: int = 0
    faults: tuple[LinkFault, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GroupTraffic:
    """One kind of message of the groups of a step, as priced: the largest, with all groups at once on the network.

    Args:
        groups: whose: `tensor`, `context`, `data_context`, `expert`, ...; `stages` for sends through the pipeline, `ends` for its ends.
        operation: e.g. `all_reduce`.
        size_bytes: as nccl-tests define it [B].
        ranks: of one group.
        time_s: of one such collective [s].
        algorithm: and protocol, e.g. `ring/Simple`.
        bottleneck: the link that is busy longest, as `tail -> head`; where several are as busy, the first of them.
    """

    groups: str
    operation: str
    size_bytes: float
    ranks: int
    time_s: float
    algorithm: str
    bottleneck: str


@dataclass(frozen=True, kw_only=True)
class LogEntry:
    """One line of an operator's log of one replication.

    Args:
        time_s: since the start of the run [s].
        what: what happened, in an operator's words.
        cause: the failure class where it is a failure, empty otherwise: pictures mark the lines that have one.
        tokens: that count as done from this moment on; falls where work is lost.
        nodes: at work from this moment on.
    """

    time_s: float
    what: str
    cause: str = ""
    tokens: float = 0.0
    nodes: int = 0


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Bounded data for pictures and what stands beside them, since a report can reach nothing else."""

    pipeline: tuple[Bar, ...] = ()
    network: tuple[NetworkLevel, ...] = ()
    traffic: tuple[GroupTraffic, ...] = ()
    log: tuple[LogEntry, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """The answer for one alternative; infeasible ones carry the reason and None for every figure."""

    name: str
    feasible: bool
    reason: str = ""
    point: Mapping[str, str] = field(default_factory=dict)
    """The place in a sweep: dotted path -> value as written; empty outside one."""
    layout: LayoutUsed | None = None
    accelerator: str = ""
    accelerators: int | None = None
    accelerators_used: int | None = None
    step: StepTime | None = None
    memory: MemoryUse | None = None
    run: RunTime | None = None
    bill: Bill | None = None
    energy: Energy | None = None
    carbon: Carbon | None = None
    phases: tuple[Phase, ...] = ()
    assumptions: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    drawing: Drawing = field(default_factory=Drawing)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A difference a - b on common random numbers: paired over replications, with a 95 % confidence interval.

    Args:
        quantity: the figure by its name in the answer, unit included, e.g. `wall_clock_s`, `project_usd`, `total_usd`, `energy_mwh`.
        interval: of `difference`.
        ratio, ratio_interval: of the means, a / b, and its 95 % confidence interval; None where b is zero or it was not estimated.
    """

    a: str
    b: str
    quantity: str
    difference: float
    interval: tuple[float, float]
    ratio: float | None = None
    ratio_interval: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """A line of the scenario's `expect`, and whether it was met."""

    path: str
    condition: str
    value: float | None
    met: bool


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What a reader needs to get the same bytes again.

    Args:
        version: of the simulator and of the libraries that compute.
        inputs: path (relative where possible) -> sha256 of its bytes.
        assumptions: every simplification, default and unverified figure that the answer rests on.
        overrides: each `--set` as given.
    """

    version: str
    seed: int
    inputs: Mapping[str, str]
    assumptions: tuple[str, ...]
    libraries: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The answer to one scenario: all that a report may see."""

    schema_version: int = SCHEMA_VERSION
    scenario: str
    question: str
    date: str
    provenance: Provenance
    alternatives: tuple[Alternative, ...]
    comparisons: tuple[Comparison, ...] = ()
    expectations: tuple[Expectation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ValidatedCase:
    """One measured figure beside its prediction.

    Args:
        quantity: `step_time_s`, `memory_bytes` or `fits`.
        predicted: None where it cannot be predicted; `reason` then says why.
        error: predicted / measured - 1; of `fits` 0 where right, 1 where a misfit was admitted, -1 where one that fits was refused.
        interval: 90 % prediction interval; of `fits` the answers at both ends of the interval of memory.
        split: `calibration`, `held_out` or `blind`.
        evidence: on what the prediction rests, and what the case does not say and was filled in.
        family: `dense` or `moe`.
        baseline: step time of a constant MFU per accelerator and precision, fitted on calibration cases [s].
    """

    id: str
    quantity: str
    predicted: float | bool | None
    measured: float | bool | None
    error: float | None
    interval: tuple[float | bool, float | bool] | None
    split: str
    evidence: str
    source: str
    accelerator: str
    family: str
    model: str = ""
    accelerators: int | None = None
    global_batch: int | None = None
    baseline: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ErrorSummary:
    """Errors of a group of cases; figures are None where nothing in it was predicted.

    Args:
        by: `all`, `source`, `accelerator` or `family`; `name` says which.
        cases, predicted: how many there are, and how many of them could be predicted.
        bias: median of the signed errors; of `fits` the share admitted less the share refused wrongly.
        worst: the error that is largest in size, and `worst_id` whose it is.
        right: share of right answers of `fits`; None for other quantities. `commonest`: share of the commoner outcome.
        coverage: share of all cases, predicted or not, whose interval holds what was measured.
        baseline_bias, baseline_mean_error: of the constant MFU.
    """

    by: str
    name: str
    quantity: str
    split: str
    cases: int
    predicted: int
    bias: float | None
    median_error: float | None
    mean_error: float | None
    worst: float | None
    worst_id: str
    coverage: float | None
    right: float | None = None
    commonest: float | None = None
    baseline_bias: float | None = None
    baseline_mean_error: float | None = None


@dataclass(frozen=True, kw_only=True)
class OrderSummary:
    """How well predictions order the layouts of one model.

    Args:
        spearman: rank correlation of predicted and measured step times.
        baseline_spearman: of the constant MFU.
        regret: measured time of the layout that is predicted fastest over the fastest measured, - 1, mean over the groups at equal
            accelerators and batch; None where no such group has two layouts. `worst_regret` of them, `groups` how many.
    """

    source: str
    model: str
    cases: int
    spearman: float | None
    baseline_spearman: float | None
    regret: float | None
    worst_regret: float | None
    groups: int


@dataclass(frozen=True, kw_only=True)
class FirstLook:
    """The errors of a source's step times when they were first predicted, and the commit."""

    source: str
    commit: str
    cases: int
    median_error: float
    worst: float


@dataclass(frozen=True, kw_only=True)
class ValidationSummary:
    """What the cases say together.

    Args:
        first_look: of the sources among the cases that have one.
        coverage_by_source: mean over the sources of one split of the coverage of each; split -> share.
        coverage_interval: 90 % interval of that mean when sources are drawn again with replacement.
    """

    errors: tuple[ErrorSummary, ...]
    orders: tuple[OrderSummary, ...]
    first_look: tuple[FirstLook, ...]
    coverage_by_source: Mapping[str, float]
    coverage_interval: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Predictions beside published measurements, calibration and held-out apart."""

    cases: tuple[ValidatedCase, ...]
    summary: ValidationSummary


def to_json(answer: Any) -> Any:
    """An answer as the contract has it: dict, list, str, int, float, bool and None, fields in the order of their definition.

    `terms` and `drawing` (data for `explain` and for pictures) are left out; what is optional and empty too.

    Raises:
        ArithmeticError: a figure is NaN or infinite: a bug in the room that made it.
    """
    return _plain(answer, skipped=frozenset({"terms", "drawing"}), optional=_OPTIONAL)


_OPTIONAL = frozenset({"mfu_causal", "phases", "point", "overrides", "wall_clock_without_step_error_s"})


def to_plain(answer: Any) -> Any:
    """Everything that an answer holds, as plain JSON values; `from_plain` reads it back.

    Raises:
        ArithmeticError: a figure is NaN or infinite.
    """
    return _plain(answer, skipped=frozenset(), optional=frozenset())


def _plain(answer: Any, skipped: frozenset[str], optional: frozenset[str]) -> Any:
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        values = {f.name: getattr(answer, f.name) for f in dataclasses.fields(answer)}
        return {k: _plain(v, skipped, optional) for k, v in values.items() if k not in skipped and not (k in optional and not v)}
    if isinstance(answer, Mapping):
        return {str(key): _plain(value, skipped, optional) for key, value in answer.items()}
    if isinstance(answer, tuple | list):
        return [_plain(value, skipped, optional) for value in answer]
    if isinstance(answer, float) and not math.isfinite(answer):
        raise ArithmeticError("an answer holds a figure that is not finite")
    return answer


def from_plain(kind: Any, value: Any) -> Any:
    """The answer of a type from what `to_plain` made of it.

    Raises:
        TypeError: the value is not of that type: it was written by another version.
    """
    arguments = get_args(kind)
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return cast("type", kind)(**{name: from_plain(hints[name], inner) for name, inner in value.items()})
    if get_origin(kind) in (Union, types.UnionType):
        inner = next((a for a in arguments if a is not type(None) and (dataclasses.is_dataclass(a) or get_origin(a))), None)
        return value if value is None or inner is None else from_plain(inner, value)
    if get_origin(kind) is tuple:
        return tuple(from_plain(arguments[0], each) for each in value)
    if get_origin(kind) is Mapping:
        return {key: from_plain(arguments[1], inner) for key, inner in value.items()}
    return value
