"""Faults of the network that come and go: how much they slow a step is worked out, and the run is longer by their share of the time."""

from __future__ import annotations

import math

import pytest

from simulator.errors import ProblemsError
from simulator.scenario import load
from simulator.study import answer

TEXT = """\
question: What does a link that is half lost now and then cost?
date: 2024-07-01
replications: 40
base:
  training:
    model: llama-3.1-8b
    tokens: 400B tokens
    sequence: 8192
    global_batch: 64
    software: megatron-2023
    layout: {tensor: 8, data: 8, microbatch: 1, sharding: zero1, sequence_parallel: true}
  cluster:
    topology: {kind: fat_tree, rails: false, leaf_nodes: 4, source: "assumed: two racks"}
    node: dgx-h100
    count: 8
  reliability: {checkpoint: {interval: 30 min, bandwidth: 500 GB/s}}
  economics: {price: {kind: on_demand, list: cloud-2024}, grid: us-average, pue: 1.1}
alternatives:
  whole: {}
  always: {cluster.network_faults: [{kind: degraded_link, link: leaf0 -> spine, rate: 5%}]}
  sometimes:
    cluster.passing_faults:
      - {cause: optics, fault: {kind: degraded_link, link: leaf0 -> spine, rate: 5%}, mtbf: 6 h, lasts: 2 h, source: "assumed: a what-if"}
  unnoticed:
    cluster.passing_faults:
      - {cause: optics, fault: {kind: degraded_link, link: leaf0 -> spine, rate: 90%}, mtbf: 6 h, lasts: 2 h, source: "assumed: a what-if"}
"""


def test_the_run_is_longer_by_the_share_of_time_that_it_is_slow(tmp_path):
    """Beginnings are Poisson, whether one lasts or not: something is slow for 1 - exp(-lasts / mtbf) of the time."""
    file = tmp_path / "s.yaml"
    file.write_text(TEXT)
    found = {told.name: told for told in answer(load(file)).alternatives}
    times = found["always"].step.time_s / found["whole"].step.time_s
    assert times > 1.05
    assert found["sometimes"].step.time_s == found["whole"].step.time_s
    slow = 1 - math.exp(-2 / 6)
    clock = {name: told.run.wall_clock_without_step_error_s for name, told in found.items()}
    expected = clock["whole"].mean / (1 - slow + slow / times)
    spread = (clock["sometimes"].p90 - clock["sometimes"].p10) / 2.563 / math.sqrt(40)
    assert abs(clock["sometimes"].mean - expected) < 4 * spread
    assert clock["unnoticed"].mean == clock["whole"].mean
    terms = {term.path: term for term in found["sometimes"].terms}
    assert terms["run.interruptions_by_cause.optics"].source == "assumed: a what-if"


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("rate: 5%}, mtbf", "rate: 0}, mtbf", "cluster.passing_faults.0.fault", "the link is dead"),
        ("link: leaf0 -> spine, rate: 5%}, mtbf", "link: leaf7 -> spine, rate: 5%}, mtbf", "fault.link", "none of this network"),
        ("mtbf: 6 h", "mtbf: 0 h", "cluster.passing_faults.0.mtbf", "mtbf is 0"),
        ("lasts: 2 h", "lasts: 0 h", "cluster.passing_faults.0.lasts", "lasts is 0"),
        ("cause: optics", "cause: gpu", "cause", "stands twice"),
    ],
)
def test_problems_stand_where_they_are(old, new, path, what, tmp_path):
    file = tmp_path / "s.yaml"
    text = TEXT.replace(old, new, 1)
    if what == "stands twice":
        text = text.replace("reliability: {", 'reliability: {failures: [{cause: gpu, of: node, mtbf: 9 d, detection: 1 s, source: "x"}], ')
    file.write_text(text)
    with pytest.raises(ProblemsError) as caught:
        load(file)
    assert any(what in p.what and path in p.path and p.line for p in caught.value.problems), caught.value
