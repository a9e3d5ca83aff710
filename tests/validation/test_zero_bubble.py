"""Gains of zero-bubble schedules over 1F1B, as Qi et al. 2024 measured them on 8 to 32 A100: calibration rows, but no gain was fitted."""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import pytest
import yaml

from simulator.scenario import entry
from simulator.step import clock
from simulator.study.cases import case, rows

FILE = Path(__file__).parents[2] / "simulator" / "catalog" / "measurements" / "step-zero-bubble-a100.yaml"


@pytest.fixture(scope="module")
def times() -> dict[str, tuple[float, float]]:
    """Case -> predicted and measured step time [s]."""
    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found = [case(row, entry) for row in rows(table) if "interleaved" not in row["id"]]
    return {each.name: (clock(each.job, each.layout, each.machines).total, each.seconds) for each in found}


@pytest.mark.parametrize(("schedule", "apart"), [("zb-1p", 0.02), ("zb-2p", 0.05)])
def test_gains_over_1f1b_are_near_the_published_ones(schedule: str, apart: float, times: dict[str, tuple[float, float]]) -> None:
    plain = [name for name in times if "1f1b" in name]
    assert len(plain) == 12
    predicted, published = [], []
    for name in plain:
        split = times[name.replace("1f1b", schedule)]
        predicted.append(times[name][0] / split[0] - 1)
        published.append(times[name][1] / split[1] - 1)
    assert mean(predicted) == pytest.approx(mean(published), abs=apart)
    # More microbatches, less gain: both fall within each model.
    for first in range(0, 12, 3):
        assert predicted[first] > predicted[first + 1] > predicted[first + 2]
