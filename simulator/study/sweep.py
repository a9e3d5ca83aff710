"""The same scenario at every point of a grid of settings."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from simulator.errors import ProblemsError, SimulatorError
from simulator.outcome import Alternative, Outcome
from simulator.scenario import Scenario, load, resolve_sweep
from simulator.study.evaluate import answer
from simulator.study.store import Store
from simulator.study.workers import Progress, run_tasks, silent


@dataclass(frozen=True, kw_only=True)
class Swept:
    """The outcome of a sweep: every alternative at every point; and the points that failed, with the reason."""

    outcome: Outcome
    failed: Mapping[str, str]


def sweep(
    file: str,
    axes: Mapping[str, Sequence[str]],
    *,
    overrides: Sequence[str] = (),
    store: Store | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> Swept:
    """Answer a scenario at every combination of the axes' values; points run side by side.

    Args:
        file: path or name of the scenario.
        axes: dotted path -> values as YAML text.
        overrides: hold at every point, before the axes.
        store: answers found there are not worked out again, and every new one is kept there at once.

    Raises:
        ProblemsError: with every problem of the first point that is invalid, before anything runs.
    """
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    settings = [(*overrides, *(f"{path}={value}" for path, value in point.items())) for point in points]
    written = as_written(file)
    scenarios = list(resolve_sweep(file, settings))
    known = {index: found for index, each in enumerate(scenarios) if store and (found := store.get(each))}
    missing = [index for index in range(len(scenarios)) if index not in known]

    def keep(scenario: Scenario, result: Outcome | str) -> None:
        if store and isinstance(result, Outcome):
            store.put(scenario, result)

    attempt = partial(_attempt, written)
    new = run_tasks(attempt, [scenarios[index] for index in missing], workers=workers, progress=progress, what="points", keep=keep)
    done: dict[int, Outcome | str] = {**known, **dict(zip(missing, new, strict=True))}
    answers = [done[index] for index in range(len(scenarios))]
    failed = {_label(point): result for point, result in zip(points, answers, strict=True) if isinstance(result, str)}
    outcomes = [(point, result) for point, result in zip(points, answers, strict=True) if isinstance(result, Outcome)]
    if not outcomes:
        raise SimulatorError(f"every point failed; {'; '.join(f'{point}: {reason}' for point, reason in failed.items())}")
    first = outcomes[0][1]
    assumptions = dict.fromkeys(note for _, outcome in outcomes for note in outcome.provenance.assumptions)
    inputs = {path: digest for _, outcome in outcomes for path, digest in outcome.provenance.inputs.items()}
    whole = replace(
        first,
        provenance=replace(first.provenance, inputs=inputs, assumptions=tuple(assumptions), overrides=tuple(overrides)),
        alternatives=tuple(_placed(each, point) for point, outcome in outcomes for each in outcome.alternatives),
        comparisons=(),
        expectations=tuple(
            replace(line, path=f"{line.path} [{_label(point)}]") for point, outcome in outcomes for line in outcome.expectations
        ),
    )
    return Swept(outcome=whole, failed=failed)


def as_written(file: str) -> Scenario | None:
    """The scenario without any override, for its anchors; None where it holds only with some."""
    try:
        return load(file)
    except ProblemsError:
        return None


def _attempt(written: Scenario | None, scenario: Scenario) -> Outcome | str:
    try:
        return answer(scenario, measured=written)
    except SimulatorError as error:
        return str(error)


def _placed(alternative: Alternative, point: Mapping[str, str]) -> Alternative:
    return replace(alternative, name=f"{alternative.name} [{_label(point)}]", point=dict(point))


def _label(point: Mapping[str, str]) -> str:
    return ", ".join(f"{path}={value}" for path, value in point.items())
