"""What an override does: alternatives over base, `--set` over both, names that are changed rather than replaced."""

from collections.abc import Callable

import pytest

from simulator.economics import Donated, Reserved
from simulator.errors import ProblemsError
from simulator.hardware import Node
from simulator.interconnect import FatTree, SingleSwitch
from simulator.parallelism import Layout
from simulator.scenario import Scenario, load, resolve_sweep
from simulator.scenario.question import Replications

DAY = 86400.0


def scenario(write: Callable[..., str], text: str, *overrides: str, alternatives: str = "{}") -> Scenario:
    head, _, tail = text.partition("alternatives:")
    body = f"alternatives: {{a: {{}}, b: {alternatives}}}\nexpect:{tail.partition('expect:')[2].replace('rented', 'a')}"
    return load(write(head + body), overrides)


def test_merges_key_by_key_and_leaves_base_alone(text: str, write: Callable[..., str]) -> None:
    found = scenario(write, text, alternatives="{reliability: {spares: {hot: 5}}}")
    a, b = found.alternatives.values()
    assert (a.reliability.spares.hot, b.reliability.spares.hot) == (2, 5)
    assert a.reliability.spares.pool == b.reliability.spares.pool == 8
    assert a.training == b.training


def test_a_dotted_key_is_the_same_as_nesting(text: str, write: Callable[..., str]) -> None:
    dotted = scenario(write, text, alternatives="{reliability.spares.hot: 5, training: {layout.data: 4}}")
    nested = scenario(write, text, alternatives="{reliability: {spares: {hot: 5}}, training: {layout: {data: 4}}}")
    assert dotted.alternatives == nested.alternatives


def test_dotted_keys_at_the_top_of_the_file(text: str, write: Callable[..., str]) -> None:
    dotted = text.replace("replications: 10", "replications.until.half_width: 1%\nbase.cluster.count: 130").replace("    count: 128\n", "")
    found = load(write(dotted))
    assert found.alternatives["rented"].cluster.count == 130
    assert isinstance(found.replications, Replications)


def test_a_mapping_whose_kind_changes_is_replaced_whole(text: str, write: Callable[..., str]) -> None:
    found = scenario(write, text, alternatives="{economics.price: {kind: reserved, list: cloud-2022, term: 1 y}}")
    assert isinstance(found.alternatives["b"].economics.price, Reserved)
    with pytest.raises(ProblemsError, match="market is missing"):
        scenario(write, text, alternatives="{economics.price: {kind: donated, donor: {electricity: 0.07 USD/kWh, source: x}}}")


def test_a_list_is_replaced_and_its_places_can_be_reached(text: str, write: Callable[..., str]) -> None:
    phased = text.replace("precision: bf16", "phases: [{until: 20%}, {until: 40%}]")
    found = scenario(
        write, phased, "training.phases.1.until=50%", alternatives="{training.phases: [{until: 10%}, {until: 30%}, {until: 70%}]}"
    )
    assert [[f"{p.until:.0%}" for p in q.training.phases] for q in found.alternatives.values()] == [["20%", "50%"], ["10%", "50%", "70%"]]
    with pytest.raises(ProblemsError, match="a mapping where a list is expected"):
        scenario(write, phased, "training.phases.7.until=50%")


def test_base_runs_only_where_there_are_no_alternatives_or_it_is_listed(text: str, write: Callable[..., str]) -> None:
    alone = text.partition("alternatives:")[0]
    assert list(load(write(alone)).alternatives) == ["base"]
    assert list(load(write(text)).alternatives) == ["rented", "given"]
    assert list(load(write(alone + "alternatives: {base: {}, more: {cluster.count: 130}}")).alternatives) == ["base", "more"]


def test_set_reaches_every_alternative_one_alternative_or_the_scenario(text: str, write: Callable[..., str]) -> None:
    path = write(text)
    settings = (
        "cluster.count=200",
        "given.cluster.count=300",
        "seed=9",
        "date=2022-07-01",
        "replications={until: {half_width: 1%}}",
        "question=So?",
    )
    found = load(path, settings)
    assert [q.cluster.count for q in found.alternatives.values()] == [200, 300]
    assert (found.seed, f"{found.date}", found.question, found.overrides) == (9, "2022-07-01", "So?", settings)
    assert load(path, ("replications.at_most=5", "replications.until.half_width=1%")).replications == found.replications.__class__(
        until=found.replications.until,
        at_most=5,  # type: ignore[union-attr]
    )
    assert load(path, ("base.cluster.count=150",)).alternatives["given"].cluster.count == 150


def test_set_is_applied_after_the_alternatives_and_in_order(text: str, write: Callable[..., str]) -> None:
    found = scenario(write, text, "cluster.count=140", "cluster.count=150", alternatives="{cluster.count: 130}")
    assert [q.cluster.count for q in found.alternatives.values()] == [150, 150]


def test_set_takes_any_yaml(text: str, write: Callable[..., str]) -> None:
    found = load(write(text), ("training.layout=auto", "cluster.topology={kind: single_switch, source: mine}", "reliability.failures="))
    question = found.alternatives["rented"]
    assert question.training.layout == "auto"
    assert question.cluster.topology == SingleSwitch(source="mine")
    assert question.reliability.failures is None


@pytest.mark.parametrize(
    ("setting", "what"),
    [
        ("cluster.count", "is not path=value"),
        ("=3", "is not path=value"),
        ("cluster..count=3", "is not path=value"),
        ("cluster.count=[", "not YAML"),
        ("cluster.count=a\0b", "does not belong"),
        ("cluster.count=\udc80", "does not belong"),
        ("clutser.count=3", "did you mean cluster?"),
        ("rented=3", "there is no such path"),
        ("base=3", "there is no such path"),
        ("sweep={}", "there is no such path"),
        ("cluster.count=0", "--set cluster.count=0: cluster.count: count is 0"),
        ("cluster=3", "3 where a mapping"),
    ],
)
def test_set_that_cannot_be_meant(setting: str, what: str, text: str, write: Callable[..., str]) -> None:
    with pytest.raises(ProblemsError) as caught:
        load(write(text), (setting,))
    assert what in str(caught.value)


def test_a_change_of_a_named_entry_keeps_the_rest_and_is_labelled(text: str, write: Callable[..., str]) -> None:
    found = scenario(write, text, "b.cluster.node.accelerator.memory=60 GiB", alternatives="{cluster.node.nics: 4}")
    before, after = (q.cluster.node for q in found.alternatives.values())
    assert (before.nics, after.nics) == (8, 4)
    assert after.power == before.power
    assert after.name == "dgx-a100-80gb (changed)"
    assert after.source_of("nics").startswith("assumed: s.yaml:")
    assert after.accelerator.memory == 60 * 2**30
    assert after.accelerator.name == "a100-sxm-80gb"  # prices go by it
    assert after.accelerator.source_of("memory") == "assumed: --set b.cluster.node.accelerator.memory=60 GiB"
    assert found.origins["b"]["cluster.node"] == "catalog:nodes/dgx-a100-80gb.yaml, changed"
    assert found.origins["b"]["cluster.node.nics"].startswith("s.yaml:")
    assert found.origins["b"]["cluster.node.power.idle"].startswith("catalog:nodes/dgx-a100-80gb.yaml:")


def test_an_entry_in_the_likeness_of_another(text: str, write: Callable[..., str]) -> None:
    change = "{cluster.node: {like: dgx-a100-40gb, nics: 9, name: mine, source: my desk}}"
    node: Node = scenario(write, text, alternatives=change).alternatives["b"].cluster.node
    assert (node.name, node.nics, node.accelerator.name) == ("mine", 9, "a100-sxm-40gb")
    assert node.source_of("nics") == "my desk"
    assert node.source_of("power") != "my desk"


def test_a_complete_mapping_takes_the_place_of_a_name(text: str, write: Callable[..., str]) -> None:
    found = scenario(write, text, alternatives="{cluster.topology: {kind: fat_tree, leaf_nodes: 4, source: x}, training.layout.data: 2}")
    assert found.alternatives["b"].cluster.topology == FatTree(leaf_nodes=4, source="x")
    found = scenario(write, text.replace("{tensor: 8, pipeline: 16, data: 8}", "auto"), alternatives="{training.layout.data: 2}")
    assert found.alternatives["b"].training.layout == Layout(data=2)


def test_failures_written_as_a_list(text: str, write: Callable[..., str]) -> None:
    classes = "[{cause: gpu, of: accelerator, mtbf: 5 y, detection: 5 min, source: x}]"
    found = load(write(text.replace("rsc1-a100", classes)))
    failures = found.alternatives["rented"].reliability.failures
    assert failures is not None
    assert [c.cause for c in failures.classes] == ["gpu"]


def test_sweep_points_load_as_overrides(text: str, write: Callable[..., str]) -> None:
    swept = (
        "sweep: {cluster.count: [128, 256], given.economics.price: [{kind: spot, list: cloud-2021}], training.layout: [auto, {data: 4}]}"
    )
    path = write(text.replace("sweep: {cluster.count: [128, 256]}", swept))
    found = load(path)
    assert found.sweep["cluster.count"] == ("128", "256")
    assert found.sweep["training.layout"] == ("auto", "{data: 4}")
    points = [(f"cluster.count={n}", f"training.layout={found.sweep['training.layout'][1]}") for n in found.sweep["cluster.count"]]
    counts = [point.alternatives["rented"].cluster.count for point in resolve_sweep(path, points)]
    assert counts == [128, 256]
    assert [load(path, point).alternatives for point in points] == [point.alternatives for point in resolve_sweep(path, points)]


def test_inputs_of_a_point_do_not_depend_on_the_points_before(text: str, write: Callable[..., str]) -> None:
    path = write(text)
    points = [("training.model=llama-2-7b",), ("cluster.node=dgx-a100-40gb",), ()]
    assert [p.inputs for p in resolve_sweep(path, points)] == [load(path, point).inputs for point in points]
    assert "catalog:accelerators/a100-sxm-80gb.yaml" in load(path).inputs
    assert isinstance(load(path).alternatives["given"].economics.price, Donated)


def test_where_each_value_came_from(text: str, write: Callable[..., str]) -> None:
    origins = load(write(text), ("cluster.count=129",)).origins["given"]
    assert origins["training.tokens"] == "s.yaml:8"
    assert origins["cluster.count"] == "--set cluster.count=129"
    assert origins["training.step"] == "default"
    assert origins["cluster.node"] == "catalog:nodes/dgx-a100-80gb.yaml"
    assert origins["cluster.node.accelerator.memory"].startswith("catalog:accelerators/a100-sxm-80gb.yaml:")
    assert origins["economics.price.kind"] == "s.yaml:30"
