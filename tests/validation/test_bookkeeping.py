"""Bookkeeping: published totals that must come out exactly once the published rate, power, price and grid are given.

These are checks of arithmetic and units on real figures, not predictions: the FLOP rate, the power and the price are inputs.
"""

from __future__ import annotations

import dataclasses
import datetime

import pytest

from simulator.economics import Extras, FixedRate, OnDemand, Usage, bill, carbon, energy
from simulator.model import parameters
from simulator.scenario import entry

HOUR, DAY, YEAR = 3600.0, 86400.0, 365.25 * 86400.0


def gpt3_flop() -> float:
    """6 N D of GPT-3 [FLOP]: all 174.6 billion parameters, 300 billion tokens, as the sources count."""
    model = entry("models", "gpt3-175b")
    assert parameters(model).total == pytest.approx(174.6e9, rel=1e-4)
    return 6 * parameters(model).total * 300e9


def held(accelerators: int, seconds: float, per_node: int = 8, tokens: float = 300e9) -> Usage:
    nodes = accelerators / per_node
    return Usage(nodes=nodes, accelerators_per_node=per_node, training_node_s=nodes * seconds, wall_clock_s=seconds, tokens=tokens)


def test_gpt3_takes_355_v100_years_and_4_6_million_dollars() -> None:
    """Lambda, 2020: 28 TFLOP/s per V100 at 1.50 USD/h. Their year has 365 days and their FLOP 3.14e23: within 0.5 % and 2 %."""
    seconds = gpt3_flop() / 28e12
    assert seconds / YEAR == pytest.approx(355, rel=0.005)
    node = entry("nodes", "azure-gpt3-v100")
    usage = held(1, seconds, per_node=1)
    price = OnDemand(list=entry("prices", "v100-lambda-2020"))
    answer = bill(usage, price, node, datetime.date(2020, 6, 3), Extras(), energy(usage, node, 1.1))
    assert answer.total_usd == pytest.approx(4.6e6, rel=0.02)


def test_gpt3_takes_14_8_days_1287_mwh_and_552_tonnes() -> None:
    """Patterson et al., arXiv:2104.10350, Table 4: 10,000 V100 at 24.6 TFLOP/s, 330 W each, PUE 1.1, 0.429 kg/kWh."""
    seconds = gpt3_flop() / 24.6e12 / 10_000
    assert round(seconds / DAY, 1) == 14.8
    node, usage = entry("nodes", "azure-gpt3-v100"), held(10_000, seconds)
    drawn = energy(usage, node, 1.1, per_accelerator=330.0)
    assert drawn.total_mwh == pytest.approx(1287, rel=0.002)
    assert carbon(drawn, entry("grids", "patterson-gpt3"), node, usage).operational_kg == pytest.approx(552e3, rel=0.002)
    # The catalogue's own power of such a node is that same 330 W per accelerator.
    assert energy(usage, node, 1.1).total_mwh == pytest.approx(drawn.total_mwh, rel=1e-9)


def test_deepseek_v3_costs_5_576_million_dollars() -> None:
    """DeepSeek-AI, arXiv:2412.19437, Table 1: 2.788 million H800-hours at 2 USD."""
    node = entry("nodes", "dgx-h800")
    usage = held(2048, 2.788e6 * HOUR / 2048, tokens=14.8e12)
    for price in (FixedRate(rate=2.0 / HOUR, source="arXiv:2412.19437, Table 1"), OnDemand(list=entry("prices", "deepseek-v3-h800"))):
        answer = bill(usage, price, node, datetime.date(2025, 1, 1), Extras(), energy(usage, node, 1.1))
        assert answer.total_usd == pytest.approx(5.576e6, rel=1e-9)
        assert answer.usd_per_million_tokens == pytest.approx(5.576 / 14.8, rel=1e-9)


def test_bloom_draws_433_2_mwh_and_emits_24_69_tonnes() -> None:
    """Luccioni et al., arXiv:2211.02001: 1,082,990 A100-hours at 400 W, 57 g/kWh; embodied 11.2 t, idle 256.6 MWh and 14.6 t beside."""
    node, grid = entry("nodes", "jean-zay-a100"), entry("grids", "bloom-jean-zay")
    usage = held(384, 1_082_990 * HOUR / 384, tokens=366e9)
    drawn = energy(usage, node, 1.0, per_accelerator=400.0)
    answer = carbon(drawn, grid, node, usage)
    assert drawn.total_mwh == pytest.approx(433.2, abs=0.05)
    assert answer.operational_kg == pytest.approx(24.69e3, abs=5.0)
    assert answer.embodied_kg == pytest.approx(11.2e3, rel=0.005)
    idle = energy(dataclasses.replace(usage, training_node_s=0.0, idle_node_s=usage.training_node_s), node, 1.0)
    assert idle.total_mwh == pytest.approx(256.646, rel=0.005)
    assert carbon(idle, grid, node, usage).operational_kg == pytest.approx(14.6e3, rel=0.01)


def test_llama_3_1_405b_emits_8930_tonnes() -> None:
    """Model card: 30.84 million H100-hours at 700 W. PUE 1.08 and 0.385 kg/kWh are not on it: they fit within 1 %."""
    node = entry("nodes", "meta-grand-teton-h100")
    usage = held(16_384, 30.84e6 * HOUR / 16_384, tokens=15.6e12)
    drawn = energy(usage, node, 1.08, per_accelerator=700.0)
    assert carbon(drawn, entry("grids", "llama-3.1-us"), node, usage).operational_kg == pytest.approx(8930e3, rel=0.01)
