"""Nodes, spares and crews against the birth–death process of the machine-repair model.

N + S nodes of which N must be up; each that is held fails at rate λ, one crew repairs at rate µ. The number that is down is a birth–death
process, whose stationary probabilities are products of rates; the job waits while more than S are down.

Source: the machine-interference model, any text on queues (finite source M/M/1 with spares).
"""

from __future__ import annotations

import math

import pytest

from simulator.engine import Checkpoints, Life, Phase, live, workshop
from simulator.reliability import Allocation, FailureClass, FailureSet, Repair, Restart, Spares

NODES, SPARES, MTBF, REPAIR, DAYS = 6, 2, 40_000.0, 6_000.0, 400


def waiting_share() -> float:
    """P(more than the spares are down)."""
    weights = [1.0]
    for down in range(NODES + SPARES):
        weights.append(weights[-1] * (NODES + SPARES - down) / MTBF * REPAIR)
    return sum(weights[SPARES + 1 :]) / sum(weights)


def test_a_job_waits_for_nodes_as_long_as_the_birth_death_process_says(monkeypatch: pytest.MonkeyPatch) -> None:
    # Exponential repairs in place of lognormal ones; nothing else takes time.
    monkeypatch.setattr(workshop, "lognormal", lambda mean, sigma, uniform: -mean * math.log1p(-uniform))
    failure = FailureClass(cause="node", of="node", mtbf=MTBF, detection=0.0, source="a test")
    life = Life(
        phases=(Phase(tokens=1e12, tokens_per_step=1.0, step_s=((NODES, 1.0),)),),
        nodes=NODES,
        accelerators_per_node=8,
        failures=FailureSet(classes=(failure,)),
        spares=Spares(hot=SPARES, hot_swap=0.0),
        repair=Repair(mean=REPAIR, crews=1),
        recovery=Restart(restart=0.0),
        checkpoints=Checkpoints(interval_s=0.0),
        allocation=Allocation(end=DAYS * 86400.0),
    )
    shares = []
    for replication in range(10):
        record = live(life, 3, replication)
        assert record.wall_clock_s == DAYS * 86400.0
        shares.append(record.parts_s["wait_for_nodes"] / record.wall_clock_s)
    mean = sum(shares) / 10
    error = math.sqrt(sum((share - mean) ** 2 for share in shares) / 9 / 10)
    assert abs(mean - waiting_share()) < 3 * error
    assert error < 0.05 * mean, "the test would see nothing"
