"""The operator's log of a life: lines that add up to the ledger, a trace that viewers read, the same bytes every time."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.cli.export_command import command
from simulator.scenario import load
from simulator.study.evaluate import anchored
from simulator.study.lives import life_of, records
from simulator.study.plan import Plan, plan

SMALL = str(Path(__file__).parent / "small.yaml")
CALL = ["log", SMALL, "--alternative", "rented", "--replication", "2", "--set", "training.tokens=200B tokens"]


def called(*more: str) -> str:
    first, second = (CliRunner().invoke(command, [*CALL, *more]) for _ in range(2))
    assert first.exit_code == 0, first.output
    assert first.stdout == second.stdout
    return first.stdout


def test_lines_are_the_life_that_the_answer_takes() -> None:
    lines = [json.loads(line) for line in called().splitlines()]
    scenario = load(SMALL, ("training.tokens=200B tokens",))
    question = scenario.alternatives["rented"]
    found = anchored(question, plan(question), (scenario,))
    assert isinstance(found, Plan)
    record = records({"rented": life_of(question, found)}, scenario.seed, range(2, 3))["rented"][0]
    last = lines.pop()["record"]
    assert last["wall_clock_s"] == record.wall_clock_s
    assert last["parts_s"] == record.parts_s
    states = [line for line in lines if "state" in line]
    for part in ("checkpoint", "detection", "restart", "reload", "replacement"):
        told = sum(line["end_s"] - line["start_s"] for line in states if line["state"] == part)
        assert told == pytest.approx(record.parts_s[part], abs=1e-6), part
    struck = [line for line in lines if line.get("event") == "interruption"]
    assert len(struck) == sum(record.interruptions.values()) > 0
    assert {line["cause"] for line in struck} <= {"gpu", "software"}
    times = [line.get("time_s", line.get("start_s")) for line in lines]
    assert times == sorted(times)


def test_the_trace_shows_states_events_and_counters() -> None:
    found = json.loads(called("--format", "trace"))
    events = found["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X", "i", "C"}
    states = [event for event in events if event["ph"] == "X" and event["tid"] == 1]
    assert states[0]["ts"] == 0
    for one, other in itertools.pairwise(states):
        assert one["ts"] + one["dur"] == pytest.approx(other["ts"], abs=1.0)
    assert states[-1]["ts"] + states[-1]["dur"] == pytest.approx(found["otherData"]["wall_clock_s"] * 1e6, abs=1.0)
    tokens = [event for event in events if event["ph"] == "C" and event["name"] == "tokens"]
    assert tokens[-1]["args"]["tokens"] == pytest.approx(found["otherData"]["tokens"])
    assert any(later["args"]["tokens"] < earlier["args"]["tokens"] for earlier, later in itertools.pairwise(tokens))
    assert found["otherData"]["alternative"] == "rented"
    assert found["otherData"]["replication"] == 2


def test_an_alternative_must_be_named() -> None:
    asked = CliRunner().invoke(command, ["log", SMALL])
    assert asked.exit_code == 2
    assert "--alternative rented" in asked.output
