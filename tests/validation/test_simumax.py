"""SimuMax's runs on a B200 node: equal but for the number of microbatches, so that the step falls into what each takes and what is left.

Source: MooreThreads/SimuMax, docs/b200/b200_release_v1.2_summary.md (times), simu_tools/megatron_scripts/scripts (what was switched on).
"""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np

from simulator.scenario import entry, measurements
from simulator.step import clock
from simulator.study.cases import Case, case, rows


def families() -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = defaultdict(list)
    for file in measurements():
        if file.document.get("case_source") == "simumax-b200":
            for row in rows(file.document):
                if name := re.match(r"(.*)_mbc\d+", str(row["id"])):
                    found[name[1]].append(case(row, entry))
    return {name: cases for name, cases in found.items() if len(cases) > 2}


def line(cases: list[Case], seconds: list[float]) -> tuple[float, float]:
    """Seconds of one more microbatch, and of a step with none of them."""
    count = [each.job.global_batch / each.layout.data for each in cases]
    slope, rest = np.polyfit(count, seconds, 1, w=1 / np.array(seconds))
    return float(slope), float(rest)


def test_reduction_gathering_and_update_take_what_they_took() -> None:
    """Not a constant of the host's: what is left of a step without its microbatches is the traffic and the update that were predicted."""
    errors, slopes = [], []
    for cases in families().values():
        assert not any(each.job.software.overlap_gradient_reduction for each in cases)
        slope, rest = line(cases, [each.seconds for each in cases])
        predicted = line(cases, [clock(each.job, each.layout, each.machines).total for each in cases])
        slopes.append(predicted[0] / slope - 1)
        errors.append(predicted[1] - rest)
    print(f"rest of a step: {1e3 * np.median(errors):+.0f} ms in the median, {[round(1e3 * each) for each in errors]} of {len(errors)}")
    print(f"a microbatch: {np.median(slopes):+.1%} in the median, {[f'{each:+.0%}' for each in slopes]}")
    assert len(errors) == 12
    assert abs(np.median(errors)) < 0.012
    assert np.median(np.abs(errors)) < 0.015
    assert np.median(np.abs(slopes)) < 0.08
