"""One job over nodes of two kinds: everybody waits for the slowest, money and energy follow each kind."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import MendableError, ProblemsError
from simulator.interconnect import FatTree, with_nodes
from simulator.outcome import Alternative
from simulator.scenario import entry, load
from simulator.study import answer

TEXT = """\
question: What do two older nodes bring?
date: 2024-07-01
replications: 3
base:
  training:
    model: llama-3.1-8b
    tokens: 20B tokens
    sequence: 8192
    global_batch: 128
    software: megatron-2023
    layout: {tensor: 8, data: 8, microbatch: 1, sharding: zero1, sequence_parallel: true}
  cluster:
    topology: {kind: fat_tree, rails: false, leaf_nodes: 4, source: "assumed: two racks"}
    node: dgx-h100
    count: 8
  reliability:
    checkpoint: {interval: young, bandwidth: 50 GB/s}
  economics:
    price: {kind: on_demand, list: cloud-2024}
    grid: us-average
    pue: 1.2
    pue_source: "assumed: a what-if"
    extras: {once: 1000 USD, source: "assumed: a what-if"}
alternatives:
  new: {}
  old: {cluster.node: dgx-a100-80gb}
  mixed: {cluster.other_nodes: [{node: dgx-a100-80gb, count: 2}]}
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, Alternative]:
    file = tmp_path_factory.mktemp("mixed") / "s.yaml"
    file.write_text(TEXT)
    return {told.name: told for told in answer(load(file)).alternatives}


def test_everybody_waits_for_the_slowest(found):
    steps = {name: told.step.time_s for name, told in found.items()}
    assert steps["new"] < steps["mixed"] <= steps["old"]
    for part in ("matrix", "attention", "optimizer"):
        assert found["mixed"].step.parts_s[part] == found["old"].step.parts_s[part]
    assert found["mixed"].memory.capacity_bytes == min(told.memory.capacity_bytes for told in found.values())
    assert found["mixed"].accelerator == "h100-sxm + a100-sxm-80gb"
    assert any("as long as on dgx-a100-80gb alone" in note for note in found["mixed"].assumptions)


def test_utilisation_counts_what_all_cards_could_do(found):
    new, old = (entry("nodes", name).accelerator.peak["bf16"] for name in ("dgx-h100", "dgx-a100-80gb"))
    mixed = found["mixed"].step
    assert mixed.mfu == pytest.approx(mixed.model_tflops_per_accelerator * 1e12 / ((6 * new + 2 * old) / 8), rel=1e-12)


def test_money_and_energy_follow_each_kind(found):
    rents = {name: told.bill.items_usd["rent"] / told.run.accelerator_hours for name, told in found.items() if name != "mixed"}
    mixed, hours = found["mixed"].bill.items_usd, found["mixed"].run.accelerator_hours
    assert mixed["rent"] == pytest.approx(rents["new"] * hours * 6 / 8, rel=1e-9)
    assert mixed["rent_a100-sxm-80gb"] == pytest.approx(rents["old"] * hours * 2 / 8, rel=1e-9)
    assert mixed["once"] == 1000
    assert len(mixed) == 3
    new, old = (entry("nodes", name).power.training for name in ("dgx-h100", "dgx-a100-80gb"))
    parts = found["mixed"].energy.parts_mwh
    assert parts["training_a100-sxm-80gb"] / parts["training"] == pytest.approx(2 * old / (6 * new), rel=1e-9)
    assert found["mixed"].energy.total_mwh == pytest.approx(1.2 * sum(v for k, v in parts.items() if "cooling" not in k), rel=1e-9)
    terms = {term.path: term.value for term in found["mixed"].terms}
    assert all(terms[f"bill.items_usd.{name}"] == pytest.approx(usd) for name, usd in mixed.items())


def test_interfaces_have_the_rate_of_their_node():
    new, old = entry("nodes", "dgx-h100"), entry("nodes", "dgx-a100-80gb")
    network = FatTree(leaf_nodes=4).build(new, 3)
    mixed = with_nodes(network, new, [(old, np.array([1]))])
    ratio = {mixed.link_name(link): mixed.capacity[link] / network.capacity[link] for link in range(len(network.capacity))}
    assert {name for name, each in ratio.items() if each != 1} == {name for name in ratio if "node1." in name}
    assert ratio["node1.nic0 -> leaf0"] == pytest.approx(old.nics * old.nic_rate / (new.nics * new.nic_rate))
    assert ratio["node1.accelerator7 -> fabric1"] == pytest.approx(old.scale_up.rate / new.scale_up.rate)
    assert not mixed.scale_up.reduction
    outward = mixed.first_interface + np.arange(24)
    assert mixed.levels[1].links * mixed.levels[1].rate == pytest.approx(mixed.capacity[outward].sum())
    assert mixed.levels[0].links * mixed.levels[0].rate == pytest.approx(mixed.capacity[:24].sum())
    assert mixed.levels[2] == network.levels[2]
    with pytest.raises(MendableError, match="has as network interfaces 4, dgx-h100 has 8"):
        with_nodes(network, new, [(entry("nodes", "jean-zay-a100"), np.array([1]))])


@pytest.mark.parametrize(
    ("old", "new", "path", "what"),
    [
        ("count: 2}]", "count: 8}]", "mixed.cluster.other_nodes", "none is left of the first"),
        ("dgx-a100-80gb, count", "jean-zay-a100, count", "mixed.cluster.other_nodes.0.node", "only nodes of one shape"),
        ("    count: 8", "    count: 8\n    availability: {kind: schedule, changes: [{at: 0 d, nodes: 8}]}", "", "which kind leaves"),
        ("    checkpoint", "    recovery: {kind: elastic, drop: 1}\n    checkpoint", "", "which kind is lost"),
        ("2024-07-01", "2021-07-01", "", "h100-sxm was launched"),
    ],
)
def test_what_is_not_modelled_is_refused(old, new, path, what, tmp_path):
    file = tmp_path / "s.yaml"
    file.write_text(TEXT.replace(old, new, 1))
    with pytest.raises(ProblemsError) as caught:
        load(file)
    told = [p for p in caught.value.problems if what in f"{p.what}; {p.mend}"]
    assert told, caught.value
    assert told[0].line > 0
    assert path in ("", told[0].path)
