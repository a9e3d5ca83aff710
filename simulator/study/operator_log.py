"""One replication as its operator would have logged it: every state and every event, as lines or as a trace for Perfetto."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simulator.engine import PARTS, Story, tell
from simulator.errors import SimulatorError
from simulator.outcome import Infeasible, LogEntry
from simulator.scenario import Scenario
from simulator.study.evaluate import anchored
from simulator.study.lives import life_of, too_full
from simulator.study.plan import Plan, plan

Json = dict[str, Any]

_COUNTERS = ("tokens", "nodes", "hot spares", "under repair")


def story(scenario: Scenario, alternative: str, replication: int, measured: Scenario | None = None) -> Story:
    """The life that `replication` of `alternative` is in the answer, the step model's error included.

    Args:
        replication: 0, 1, …; need not be one of those that the answer takes.
        measured: as for `study.answer`.

    Raises:
        SimulatorError: the alternative is infeasible.
    """
    question = scenario.alternatives[alternative]
    found = anchored(question, plan(question), (measured or scenario, scenario))
    if isinstance(found, Plan):
        found = too_full(question, found) or found
    if isinstance(found, Infeasible):
        raise SimulatorError(f"{alternative} is infeasible: {found}")
    return tell(life_of(question, found), scenario.seed, replication)


def lines(told: Story) -> list[Json]:
    """States and events in order of time, and the record as the last line; an event stands before the state that it begins."""
    record = told.record
    rows: list[tuple[float, int, Json]] = [(e.time_s, 0, {"event": e.what} | _without(asdict(e), "what")) for e in told.events]
    rows += [(s.start_s, 1, asdict(s)) for s in told.stretches]
    rows.sort(key=lambda row: row[:2])
    last = _without(asdict(record), "log") | {"parts_s": dict(record.parts_s), "interruptions": dict(record.interruptions)}
    return [*(row for _, _, row in rows), {"record": last}]


def _without(row: Json, name: str) -> Json:
    return {key: value for key, value in row.items() if key != name}


def trace(told: Story, **about: Any) -> Json:
    """The life in the Trace Event Format: a slice per state, an instant per event, counters of tokens and nodes; microseconds.

    Args:
        about: what a reader should know of it, by name.

    Accuracy: times are rounded to the microsecond; tokens rise within a slice of training, the counter steps at its end.
    Source: as `study.trace`; instants (i) and counters (C) beside it.
    """
    used = {stretch.state for stretch in told.stretches}
    states = [state for state in ("training", *PARTS) if state in used]
    record = told.record
    return {
        "displayTimeUnit": "ms",
        "otherData": about | {"ending": record.ending, "wall_clock_s": record.wall_clock_s, "tokens": record.tokens},
        "traceEvents": [*_names(states), *_slices(told, states), *(_instant(event) for event in told.events), *_counts(told)],
    }


def _names(states: list[str]) -> list[Json]:
    """The job is a process with a thread for all states and one per state; the fleet another."""
    answer: list[Json] = [
        {"ph": "M", "pid": pid, "tid": 0, "name": "process_name", "args": {"name": name}} for pid, name in ((0, "job"), (1, "fleet"))
    ]
    for tid, name in enumerate(("events", "state", *(f"only {state}" for state in states))):
        answer.append({"ph": "M", "pid": 0, "tid": tid, "name": "thread_name", "args": {"name": name}})
        answer.append({"ph": "M", "pid": 0, "tid": tid, "name": "thread_sort_index", "args": {"sort_index": tid}})
    return answer


def _slices(told: Story, states: list[str]) -> list[Json]:
    """Every stretch on the thread of all states; what is not training on that of its own state too, where it can be counted."""
    answer = []
    for stretch in told.stretches:
        start, end = round(stretch.start_s * 1e6), round(stretch.end_s * 1e6)
        told_of = {"tokens": stretch.tokens, "nodes": stretch.nodes, "hot": stretch.hot, "repairing": stretch.repairing}
        event = {"ph": "X", "pid": 0, "tid": 1, "ts": start, "dur": end - start, "name": stretch.state, "cat": "state", "args": told_of}
        answer.append(event)
        if stretch.state != "training":
            answer.append(event | {"tid": 2 + states.index(stretch.state)})
    return answer


def _instant(event: LogEntry) -> Json:
    name = f"{event.what}: {event.cause}" if event.cause else event.what
    instant = {"ph": "i", "s": "p", "pid": 0, "tid": 0, "ts": round(event.time_s * 1e6), "name": name, "cat": "event"}
    return instant | {"args": {"tokens": event.tokens, "nodes": event.nodes, "cause": event.cause}}


def _counts(told: Story) -> list[Json]:
    """A counter's value where it changes; tokens fall with the event that loses them."""
    points: list[tuple[float, int, tuple[float | None, ...]]] = [(e.time_s, 1, (e.tokens, None, None, None)) for e in told.events]
    for stretch in told.stretches:
        points.append((stretch.end_s, 0, (stretch.tokens, None, None, None)))
        points.append((stretch.start_s, 2, (None, stretch.nodes, stretch.hot, stretch.repairing)))
    points.sort(key=lambda point: point[:2])
    answer: list[Json] = []
    shown: dict[str, float] = {}
    for time_s, _, values in points:
        for name, value in zip(_COUNTERS, values, strict=True):
            if value is not None and shown.get(name) != value:
                shown[name] = value
                answer.append({"ph": "C", "pid": 1, "tid": 0, "ts": round(time_s * 1e6), "name": name, "args": {name: value}})
    return answer
