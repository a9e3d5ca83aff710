"""The grammar of answers: totals are the sum of their parts, figures are finite, what is absent is null."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.outcome import Alternative, Bill, Energy, Infeasible, MemoryUse, StepTime, from_plain, partition, to_json, to_plain

parts = st.dictionaries(st.text(min_size=1, max_size=8), st.floats(0.0, 1e18, allow_nan=False), min_size=1, max_size=12)


@given(parts)
def test_a_sum_of_parts_is_a_partition(named: dict[str, float]) -> None:
    partition(math.fsum(named.values()), named, "a test")


@given(parts, st.floats(1e-6, 10.0))
def test_what_is_more_than_its_parts_is_refused(named: dict[str, float], more: float) -> None:
    with pytest.raises(ArithmeticError, match="a test"):
        partition(math.fsum(named.values()) * (1 + more) + 1.0, named, "a test")


def test_every_answer_with_parts_checks_itself() -> None:
    wrong = {"a": 1.0, "b": 1.0}
    rates = {"model_tflops_per_accelerator": 1.0, "mfu": 0.5, "hfu": 0.5, "tokens_per_s": 1.0}
    with pytest.raises(ArithmeticError, match="step time"):
        StepTime(kind="modelled", time_s=3.0, interval_s=(2.0, 4.0), parts_s=wrong, **rates)
    with pytest.raises(ArithmeticError, match="memory"):
        MemoryUse(total_bytes=3.0, capacity_bytes=4.0, parts_bytes=wrong)
    with pytest.raises(ArithmeticError, match="bill"):
        Bill(total_usd=3.0, items_usd=wrong, payer_usd={"project": 3.0}, usd_per_million_tokens=1.0, donation_worth_usd=None)
    with pytest.raises(ArithmeticError, match="payers"):
        Bill(total_usd=2.0, items_usd=wrong, payer_usd={"project": 3.0}, usd_per_million_tokens=1.0, donation_worth_usd=None)
    with pytest.raises(ArithmeticError, match="energy"):
        Energy(total_mwh=3.0, parts_mwh=wrong)


def test_an_infeasible_alternative_has_null_figures() -> None:
    told = to_json(Alternative(name="a", feasible=False, reason=str(Infeasible(reason="too big", mend="more memory"))))
    assert told["reason"] == "too big; more memory"
    assert [key for key in ("layout", "accelerators", "step", "memory", "run", "bill", "energy", "carbon") if told[key] is not None] == []
    assert "terms" not in told
    assert "drawing" not in told


@pytest.mark.parametrize("figure", [math.nan, math.inf])
def test_no_figure_is_nan_or_infinite(figure: float) -> None:
    with pytest.raises(ArithmeticError, match="not finite"):
        to_json({"figure": figure})


def test_an_answer_is_read_back() -> None:
    alternative = Alternative(name="a", feasible=False, reason="r", point={"cluster.count": "4"}, assumptions=("x", "y"))
    assert from_plain(Alternative, to_plain(alternative)) == alternative
