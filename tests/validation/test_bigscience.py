"""The day on which BigScience turned from fp16 to bf16 with gradients kept in fp32, all else alike.

Calibration rows, of which nothing but the spread of their generation was taken.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from simulator.scenario import entry
from simulator.step import clock, memory_use
from simulator.study.cases import Case, case, rows

FILE = Path(__file__).parents[2] / "simulator" / "catalog" / "measurements" / "step-bigscience-a100.yaml"


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    found = [case(row, entry) for row in rows(yaml.safe_load(FILE.read_text(encoding="utf-8")))]
    return {each.name: each for each in found}


@pytest.mark.parametrize("heads", [64, 96])
def test_what_bf16_with_fp32_gradients_costs_is_what_was_measured(heads: int, cases: dict[str, Case]) -> None:
    """5.6 and 6.1 s of 111 and 113; casting every fresh gradient before it is added is nearly half of it."""
    half, wide = (cases[f"bigscience-12288x106-h{heads}-tp4pp12dp8-mb2-b2048-{kind}"] for kind in ("fp16", "bf16"))
    assert half.layout == wide.layout
    before = clock(half.job, half.layout, half.machines).total
    after = clock(wide.job, wide.layout, wide.machines).total
    measured = wide.seconds - half.seconds
    assert after - before == pytest.approx(measured, rel=0.25)
    in_place = dataclasses.replace(wide.job, software=dataclasses.replace(wide.job.software, reduction="in_place"))
    assert clock(in_place, wide.layout, wide.machines).total - before < 0.6 * measured


def test_memory_grows_by_four_bytes_a_parameter(cases: dict[str, Case]) -> None:
    """As BigScience counted (chronicles-prequel.md, "Rebalancing layers"): fp32 gradients beside 16-bit ones; the peak moves a little."""
    half, wide = (cases[f"bigscience-12288x106-h96-tp4pp12dp8-mb2-b2048-{kind}"] for kind in ("fp16", "bf16"))
    more = memory_use(wide.job, wide.layout, wide.machines).total_bytes - memory_use(half.job, half.layout, half.machines).total_bytes
    assert more == pytest.approx(4 * clock(wide.job, wide.layout, wide.machines).parameters, rel=0.1)
