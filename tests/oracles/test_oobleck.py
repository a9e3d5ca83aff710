"""Another simulator's answers: Varuna and Oobleck on 30 nodes of which one goes every 6 h, 3 h, 1 h, 30 min or 10 min, to 15 nodes.

Its step tables (nodes -> seconds, five models), removals, checkpoint and restart times are inputs here; its average throughput up to the
last removal is what is compared. Its trainings run on until the restart's timer is over, so that it charges for a removal only what the
half-finished step (Oobleck) or the fall back (Varuna) cost, and the stated restart not at all: its answer lies between ours without and
with that restart. Where the last checkpoint lay at each removal is chance on both sides; the tolerance is three standard deviations of it.

Source: SymbioticLab/Oobleck, branch sosp23-artifact, tools/simulator at e079df1 (artefact of Jang et al., SOSP 2023, figure 9), run to
record its answers; Varuna's interval of 10 steps becomes the time with the same share of checkpoints.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from simulator.engine import Checkpoints, Life, Phase, live
from simulator.reliability import Allocation, AvailabilityTrace, Morph, Replay, ScheduledNodes, Templates

DATA: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "oobleck.json").read_text(encoding="utf-8"))
FREQUENCIES = ("6h", "3h", "1h", "30m", "10m")
CASES = [(model, every) for model in DATA["models"] for every in FREQUENCIES]
_INSTANT = 1e-3
"""A last checkpoint that costs nothing would also be written before an owner's removal [s]."""


def availability(every: str, start_s: float) -> Replay:
    removals = DATA["removals_s"][every]
    there = [ScheduledNodes(at=max(0.0, at - start_s), nodes=29 - n) for n, at in enumerate(removals) if at > start_s]
    changes = (ScheduledNodes(at=0.0, nodes=there[0].nodes + 1), *there)
    return Replay(trace=AvailabilityTrace(changes=changes, length=2 * removals[-1], wanted=30, source="a test"), start=0.0)


def relative(model: str, system: str, every: str, *, restart: bool) -> float:
    """Our average throughput over theirs, less one."""
    case = DATA["models"][model][system]
    answer = case["answers"][every]
    table = tuple((int(nodes), seconds) for nodes, seconds in case["step_s"].items())
    pause = case["restart_s"] if restart else 0.0
    if system == "varuna":
        standing = case["checkpoint_s"]
        kept = math.fsum(10 / (10 * step + standing) for _, step in table) / math.fsum(1 / step for _, step in table)
        checkpoints = Checkpoints(interval_s=standing * kept / (1 - kept), blocking_s=standing)
    else:
        checkpoints = Checkpoints(interval_s=math.inf, blocking_s=_INSTANT)
    life = Life(
        phases=(Phase(tokens=1e12, tokens_per_step=DATA["models"][model]["samples"], step_s=table),),
        nodes=30,
        accelerators_per_node=1,
        recovery=Morph(restart=pause, drop=15) if system == "varuna" else Templates(regroup=pause, drop=15),
        checkpoints=checkpoints,
        availability=availability(every, answer["start_s"]),
        allocation=Allocation(end=answer["over_s"]),
        reshape_s=pause if system == "varuna" else 0.0,
        horizon_s=1e9,
    )
    record = live(life, 0)
    return record.tokens / record.wall_clock_s / answer["samples_per_s"] - 1


@pytest.mark.parametrize(("model", "every"), CASES)
def test_oobleck(model: str, every: str) -> None:
    without, stated = (relative(model, "oobleck", every, restart=restart) for restart in (False, True))
    assert abs(without) < 0.01
    assert -0.02 < stated < without


def period(model: str) -> float:
    """Seconds between two of Varuna's checkpoints, on average."""
    case = DATA["models"][model]["varuna"]
    steps = case["step_s"].values()
    return 10 * math.fsum(steps) / len(steps) + case["checkpoint_s"]


def between(every: str) -> float:
    removals = DATA["removals_s"][every]
    return removals[1] - removals[0]


HOPELESS = {("gpt-3-2.7b", "10m"), ("gpt-3-6.7b", "30m"), ("gpt-3-6.7b", "10m")}
"""No checkpoint falls between two removals: it trains only since it goes on during its restarts, and saves right after them."""


def test_where_nothing_can_be_kept_is_known_beforehand() -> None:
    assert {(model, every) for model, every in CASES if period(model) > between(every)} == HOPELESS


@pytest.mark.parametrize(("model", "every"), [case for case in CASES if case not in HOPELESS])
def test_varuna(model: str, every: str) -> None:
    without, stated = (relative(model, "varuna", every, restart=restart) for restart in (False, True))
    over_s = DATA["models"][model]["varuna"]["answers"][every]["over_s"]
    chance = math.sqrt(2 * len(DATA["removals_s"][every])) * period(model) / math.sqrt(12) / over_s
    assert stated - 3 * chance < 0 < without + 3 * chance


@pytest.mark.parametrize(("model", "every"), sorted(HOPELESS))
def test_varuna_keeps_next_to_nothing_where_no_checkpoint_fits(model: str, every: str) -> None:
    assert relative(model, "varuna", every, restart=False) < -0.5
