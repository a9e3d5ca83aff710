"""The scenario's `expect` lines held against the outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.outcome import Alternative, Expectation, to_json
from simulator.scenario import expectation


def check(expect: Iterable[Mapping[str, str]], alternatives: Iterable[Alternative]) -> tuple[Expectation, ...]:
    """Each line `{<alternative>.<path in the JSON answer>: '> 0.8'}`, in order; a figure that does not exist is a miss.

    Raises:
        MendableError: no such alternative or figure, or a condition that cannot be read.
    """
    answers = {alternative.name: to_json(alternative) for alternative in alternatives}
    return tuple(_one(path, str(condition), answers) for line in expect for path, condition in line.items())


def _one(path: str, condition: str, answers: Mapping[str, Any]) -> Expectation:
    expected = expectation(path, condition, answers)
    figure: Any = answers[expected.alternative]
    for key in expected.path:
        figure = figure.get(key) if isinstance(figure, dict) else None
    value = float(figure) if isinstance(figure, int | float) else None
    return Expectation(path=path, condition=condition, value=value, met=value is not None and expected.met(value))
