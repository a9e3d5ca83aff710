"""Predictions beside published measurements: every case of the catalogue, or anyone's in the same format."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import MendableError
from simulator.model import model_flop
from simulator.outcome import ErrorSummary, FirstLook, OrderSummary, ValidatedCase, Validation, ValidationSummary
from simulator.scenario import Measurements, entry, measurements
from simulator.step import answer, memory_interval, memory_use, rank_memory
from simulator.study.cases import Case, architectures, case, memory_cases, rows, split_of
from simulator.study.first_look import FIRST_LOOK

QUANTITIES = ("step_time_s", "memory_bytes", "fits")
SPLITS = ("calibration", "held_out", "blind")
_FEWEST = 8
"""Layouts of one model that make an order worth telling."""


def validate(place: Path | None = None) -> Validation:
    """Predict every measured case and compare.

    Args:
        place: a file or a directory of files of cases; the catalogue's where absent.

    Raises:
        ProblemsError: a file cannot be read.
        MendableError: a file is not one of cases.

    Accuracy: of each prediction as `step.evaluate` says; a case that cannot be predicted is kept with the reason, and its interval holds
        nothing.
    """
    shipped = measurements()
    files = shipped if place is None else measurements(place)
    known = architectures(file.document for file in (*shipped, *files))
    rate = _Rate(found for _, found in _cases(shipped, known) if isinstance(found, Case))
    validated = tuple(figure for row, found in _cases(files, known) for figure in _validated(row, found, rate))
    return Validation(cases=validated, summary=summary(validated))


def _cases(files: Iterable[Measurements], known: Mapping[str, Any]) -> Iterable[tuple[Mapping[str, Any], Case | MendableError]]:
    """Every case with its row, or why there is none."""
    for file in files:
        document = file.document
        if isinstance(document, Mapping) and "rows" in document and "case_source" not in document:
            name = Path(file.file).stem.removeprefix("memory-")
            yield from (({}, found) for found in memory_cases(name, document, entry))
            continue
        for row in rows(document, known):
            try:
                yield row, case(row, entry)
            except MendableError as refused:
                yield row, refused


class _Rate:
    """The baseline: one MFU per accelerator and precision, the median of the calibration cases; of all of them where there are none."""

    def __init__(self, calibration: Iterable[Case]) -> None:
        known: dict[tuple[str, str], list[float]] = defaultdict(list)
        for each in calibration:
            if each.split == "calibration" and each.seconds:
                known[self._key(each)].append(self._ideal(each) / each.seconds)
        self.share = {key: statistics.median(found) for key, found in known.items()}
        self.otherwise = statistics.median([found for all_found in known.values() for found in all_found]) if known else 0.4

    def seconds(self, of: Case) -> float:
        """Step time of that MFU [s]."""
        return self._ideal(of) / self.share.get(self._key(of), self.otherwise)

    @staticmethod
    def _key(of: Case) -> tuple[str, str]:
        return of.machines.node.accelerator.name, of.job.precision

    @staticmethod
    def _ideal(of: Case) -> float:
        flop = model_flop(of.job.model, of.job.sequence).total * of.job.sequence * of.job.global_batch
        return flop / of.layout.accelerators / of.machines.node.accelerator.peak[of.job.precision]


def _validated(row: Mapping[str, Any], found: Case | MendableError, rate: _Rate) -> Iterable[ValidatedCase]:
    """The figures of one case: step time, memory, whether it fits, as far as they were measured."""
    if isinstance(found, MendableError):
        yield _refused(row, found)
        return
    try:
        figures = list(_figures(found, rate))
    except MendableError as refused:  # a room below refuses what divides, e.g. a layout that its schedule cannot hold
        yield _refused(row, refused)
        return
    yield from figures or [_refused(row, MendableError("no step time, memory or outcome is printed"))]


def _figures(of: Case, rate: _Rate) -> Iterable[ValidatedCase]:
    accelerator = of.machines.node.accelerator
    known = accelerator.kernels is not None and not accelerator.kernels.calibrated_on.startswith("assumed")
    kernels = "kernels measured" if known else "no kernel measured"
    assumed = f"; assumed: {', '.join(of.assumed)}" if of.assumed else ""
    told = ValidatedCase(
        id=of.name,
        quantity="",
        predicted=None,
        measured=None,
        error=None,
        interval=None,
        split=of.split,
        evidence=f"{of.generation}, {kernels}{assumed}",
        source=of.source,
        accelerator=accelerator.name or "",
        family="moe" if of.job.model.experts else "dense",
        model=of.job.model.name,
        accelerators=of.layout.accelerators,
        global_batch=of.job.global_batch,
    )
    use = memory_use(of.job, of.layout, of.machines)
    low, high = memory_interval(use.total_bytes, of.job)
    if of.measured.seconds:
        step = answer(of.job, of.layout, of.machines, use).time
        yield replace(
            told,
            quantity="step_time_s",
            predicted=step.time_s,
            measured=of.measured.seconds,
            error=step.time_s / of.measured.seconds - 1,
            interval=step.interval_s,
            baseline=rate.seconds(of),
        )
    if of.measured.peak is not None:
        peak = of.measured.peak
        parts = use.parts_bytes if peak.stage is None else rank_memory(of.job, of.layout, peak.stage, use.capacity_bytes)
        held, whole = sum(size for part, size in parts.items() if part not in peak.without), sum(parts.values())
        yield replace(
            told,
            quantity="memory_bytes",
            predicted=held,
            measured=peak.size,
            error=held / peak.size - 1,
            interval=(held * low / whole, held * high / whole),
        )
    if of.measured.fitted is not None:
        fits = use.total_bytes <= use.capacity_bytes
        yield replace(
            told,
            quantity="fits",
            predicted=fits,
            measured=of.measured.fitted,
            error=float(fits) - float(of.measured.fitted),
            interval=(high <= use.capacity_bytes, low <= use.capacity_bytes),
        )


def _refused(row: Mapping[str, Any], why: MendableError) -> ValidatedCase:
    quantity = "fits" if "outcome" in row else "step_time_s"
    written = row.get("model")
    model = written if isinstance(written, Mapping) else {}
    hardware = row.get("hardware")
    gpu = hardware.get("gpu") if isinstance(hardware, Mapping) else row.get("gpu")
    count = row.get("num_gpus")
    return ValidatedCase(
        id=str(row.get("id", "unnamed")),
        quantity=quantity,
        predicted=None,
        measured=None,
        error=None,
        interval=None,
        split=split_of(row),
        evidence="",
        source=str(row.get("source") or "unnamed"),
        accelerator=str(gpu or ""),
        family="moe" if model.get("moe") else "dense",
        accelerators=count if isinstance(count, int) else None,
        reason=why.what,
    )


def summary(cases: Sequence[ValidatedCase]) -> ValidationSummary:
    """Errors of the splits as wholes and by source, accelerator and family; orders; coverage with every source weighing the same."""
    keys: tuple[tuple[str, Callable[[ValidatedCase], str]], ...] = (
        ("all", lambda each: "all"),
        ("source", lambda each: each.source),
        ("accelerator", lambda each: each.accelerator),
        ("family", lambda each: each.family),
    )
    errors = []
    for quantity in QUANTITIES:
        for split in SPLITS:
            chosen = [each for each in cases if (each.quantity, each.split) == (quantity, split)]
            for by, key in keys:
                names = sorted({key(each) for each in chosen})
                errors += [_errors(by, name, [each for each in chosen if key(each) == name]) for name in names]
    shares = {
        split: [
            each.coverage
            for each in errors
            if (each.by, each.quantity, each.split) == ("source", "step_time_s", split) and each.coverage is not None
        ]
        for split in SPLITS
    }
    return ValidationSummary(
        errors=tuple(errors),
        orders=tuple(_orders(cases)),
        first_look=tuple(
            FirstLook(source=source, commit=commit, cases=count, median_error=median, worst=worst)
            for source, (commit, count, median, worst) in FIRST_LOOK.items()
            if any(each.source == source for each in cases)
        ),
        coverage_by_source={split: statistics.mean(found) for split, found in shares.items() if found},
        coverage_interval={split: _drawn_again(found) for split, found in shares.items() if found},
    )


def _errors(by: str, name: str, cases: Sequence[ValidatedCase]) -> ErrorSummary:
    known = [each for each in cases if each.error is not None]
    errors = [each.error for each in known if each.error is not None]
    quantity = cases[0].quantity
    baseline = [float(each.baseline) / float(each.measured or 1) - 1 for each in known if each.baseline]
    worst = max(known, key=lambda each: abs(each.error or 0.0), default=None)
    covered = sum(each.interval is not None and each.interval[0] <= (each.measured or 0) <= each.interval[1] for each in cases)
    fits = quantity == "fits"
    ran = sum(bool(each.measured) for each in known)
    return ErrorSummary(
        by=by,
        name=name,
        quantity=quantity,
        split=cases[0].split,
        cases=len(cases),
        predicted=len(known),
        bias=(statistics.mean(errors) if fits else statistics.median(errors)) if errors else None,
        median_error=statistics.median([abs(error) for error in errors]) if errors else None,
        mean_error=statistics.mean([abs(error) for error in errors]) if errors else None,
        worst=worst.error if worst else None,
        worst_id=worst.id if worst else "",
        coverage=covered / len(cases),
        right=sum(error == 0 for error in errors) / len(cases) if fits else None,
        commonest=max(ran, len(known) - ran) / len(known) if fits and known else None,
        baseline_bias=statistics.median(baseline) if baseline else None,
        baseline_mean_error=statistics.mean([abs(error) for error in baseline]) if baseline else None,
    )


def _drawn_again(shares: Sequence[float], draws: int = 2000) -> tuple[float, float]:
    """5th and 95th percentile of the mean when sources are drawn again (cluster bootstrap)."""
    found = np.random.default_rng(0).choice(np.array(shares), size=(draws, len(shares))).mean(axis=1)
    return float(np.quantile(found, 0.05)), float(np.quantile(found, 0.95))


def _orders(cases: Sequence[ValidatedCase]) -> Iterable[OrderSummary]:
    """Of every model of a source with enough layouts."""
    models: dict[tuple[str, str], list[ValidatedCase]] = defaultdict(list)
    for each in cases:
        if each.quantity == "step_time_s" and each.predicted is not None and each.model:
            models[each.source, each.model].append(each)
    for (source, model), members in sorted(models.items()):
        if len(members) < _FEWEST:
            continue
        equal: dict[tuple[int | None, int | None], list[ValidatedCase]] = defaultdict(list)
        for each in members:
            equal[each.accelerators, each.global_batch].append(each)
        regrets = [_regret(group) for group in equal.values() if len(group) > 1]
        seconds = [float(each.measured or 0) for each in members]
        yield OrderSummary(
            source=source,
            model=model,
            cases=len(members),
            spearman=spearman([float(each.predicted or 0) for each in members], seconds),
            baseline_spearman=spearman([float(each.baseline or 0) for each in members], seconds),
            regret=statistics.mean(regrets) if regrets else None,
            worst_regret=max(regrets, default=None),
            groups=len(regrets),
        )


def _regret(group: Sequence[ValidatedCase]) -> float:
    chosen = min(group, key=lambda each: float(each.predicted or math.inf))
    return float(chosen.measured or 0) / min(float(each.measured or math.inf) for each in group) - 1


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Rank correlation, equal values sharing their mean rank; None where one of them is constant.

    >>> spearman([1, 2, 3], [10, 30, 20]), spearman([1, 1], [1, 2])
    (0.5, None)
    """
    ranks = []
    for values in (one, other):
        found = np.array(values)
        below = (found[:, None] > found[None, :]).sum(axis=1)
        ranks.append(below + ((found[:, None] == found[None, :]).sum(axis=1) - 1) / 2)
    if any(rank.std() == 0 for rank in ranks):
        return None
    return round(float(np.corrcoef(ranks[0], ranks[1])[0, 1]), 12)
