"""Conditions on the answer: paths, units, operators."""

import pytest

from simulator.errors import MendableError
from simulator.scenario.expectations import expectation


@pytest.mark.parametrize(
    ("path", "condition", "operator", "value"),
    [
        ("a.run.goodput", "> 0.8", ">", 0.8),
        ("a.run.goodput", ">= 80%", ">=", 0.8),
        ("a.run.wall_clock_s.mean", "< 30 d", "<", 30 * 86400.0),
        ("a.run.wall_clock_s.p90", "<2592000", "<", 2592000.0),
        ("a.run.parts_s.productive", "< 1 h", "<", 3600.0),
        ("a.run.accelerator_hours", "< 1e6", "<", 1e6),
        ("a.bill.total_usd", "<= 4.6 MUSD", "<=", 4.6e6),
        ("a.bill.usd_per_million_tokens", "< 20", "<", 20.0),
        ("a.memory.total_bytes", "< 80 GiB", "<", 80 * 2**30),
        ("a.energy.total_mwh", "< 1287 MWh", "<", 1287.0),
        ("a.carbon.operational_kg", "< 552 t", "<", 552e3),
        ("a.step.tokens_per_s", "> 1e5", ">", 1e5),
        ("a.accelerators", "== 1024", "==", 1024.0),
        ("a.feasible", "!= true", "!=", 1.0),
        ("a.phases.0.step.mfu", "> 40%", ">", 0.4),
    ],
)
def test_reads(path: str, condition: str, operator: str, value: float) -> None:
    found = expectation(path, condition, ["a"])
    assert (found.operator, found.value) == (operator, pytest.approx(value))
    assert ".".join((found.alternative, *found.path)) == path


def test_a_condition_is_met_or_not() -> None:
    assert expectation("a.run.goodput", "> 0.8", ["a"]).met(0.81)
    assert not expectation("a.run.goodput", "> 0.8", ["a"]).met(0.8)


@pytest.mark.parametrize(
    ("path", "condition"),
    [
        ("a", "> 1"), ("b.run.goodput", "> 1"), ("a.run", "> 1"), ("a.run.goodput.mean", "> 1"), ("a.name", "> 1"),
        ("a.run.goodput", "high"),
        ("a.run.goodput", "> nan"), ("a.run.goodput", "> inf"), ("a.run.goodput", ">"), ("a.accelerators", "> 3 GB"), ("", ""),
        ("a.run.wall_clock_s.mean", "< 30 GB"), ("a.step.tokens_per_s", "> 5 s"),
    ],
)  # fmt: skip
def test_refuses(path: str, condition: str) -> None:
    with pytest.raises(MendableError):
        expectation(path, condition, ["a"])
