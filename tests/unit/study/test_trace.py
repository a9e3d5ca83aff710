"""A step as a trace: the Trace Event Format, in order, the same bytes every time."""

from __future__ import annotations

import json

import jsonschema
import pytest
from click.testing import CliRunner

from simulator.cli.export_command import command
from simulator.errors import SimulatorError
from simulator.scenario import load
from simulator.study import answer
from simulator.study.trace import trace

# What the viewers read of the format: complete events with times in microseconds, and names of processes and threads.
SCHEMA = {
    "type": "object",
    "required": ["traceEvents", "displayTimeUnit", "otherData"],
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "traceEvents": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["ph", "pid", "tid", "name"],
                "properties": {
                    "pid": {"type": "integer", "minimum": 0},
                    "tid": {"type": "integer", "minimum": 0},
                    "name": {"type": "string"},
                },
                "oneOf": [
                    {
                        "required": ["ts", "dur", "cat"],
                        "properties": {
                            "ph": {"const": "X"},
                            "ts": {"type": "number", "minimum": 0},
                            "dur": {"type": "number", "minimum": 0},
                        },
                    },
                    {
                        "required": ["args"],
                        "properties": {
                            "ph": {"const": "M"},
                            "name": {"enum": ["process_name", "process_sort_index", "thread_name", "thread_sort_index"]},
                        },
                    },
                ],
            },
        },
    },
}


def test_the_trace_is_what_viewers_read_and_ends_when_the_step_does() -> None:
    call = ["trace", "oversubscribed-network"]
    first, second = (CliRunner().invoke(command, call) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert first.stdout == second.stdout
    found = json.loads(first.stdout)
    jsonschema.validate(found, SCHEMA)
    drawn = [event for event in found["traceEvents"] if event["ph"] == "X"]
    assert [event["ts"] for event in drawn] == sorted(event["ts"] for event in drawn)
    told = next(each for each in answer(load("oversubscribed-network", ("replications=1",))).alternatives if each.step)
    assert told.step is not None
    assert max(event["ts"] + event["dur"] for event in drawn) == pytest.approx(told.step.time_s * 1e6, abs=0.01)
    stages = {event["pid"] for event in drawn}
    assert told.layout is not None
    assert stages == set(range(told.layout.pipeline))


def test_what_has_no_timeline_says_so() -> None:
    with pytest.raises(SimulatorError, match="given, not modelled"):
        trace(load("gpt3-bookkeeping"), "at-28-tflops")
    asked = CliRunner().invoke(command, ["trace", "gpt3-bookkeeping"])
    assert asked.exit_code == 2
    assert "--alternative at-28-tflops" in asked.output
    assert CliRunner().invoke(command, ["trace", "gpt3-bookkeeping", "--alternative", "at"]).exit_code == 2
