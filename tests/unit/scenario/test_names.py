"""Names -> files: beside the scenario, among the shipped entries, as paths; and what a reader is told about them."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.errors import ProblemsError
from simulator.scenario import entries, entry, load, names, raw_entry
from simulator.scenario.names import FOLDERS, shipped
from simulator.scenario.shapes import CATALOGUES

MODEL = "layers: 2\nhidden: 64\nheads: 4\nffn: 256\nvocabulary: 1000\nsequence: 128\nsource: mine\n"


@pytest.mark.parametrize("place", ["mine.yaml", "models/mine.yaml"])
def test_an_entry_beside_the_scenario(place: str, text: str, write: Callable[..., str]) -> None:
    write(MODEL, place)
    found = load(write(text.replace("gpt3-175b", "mine")))
    assert found.alternatives["rented"].training.model.layers == 2
    assert found.alternatives["rented"].training.model.name == "mine"
    assert place in found.inputs
    assert found.origins["rented"]["training.model"] == place


def test_an_entry_by_path_names_its_own_neighbours(text: str, write: Callable[..., str]) -> None:
    chip = raw_entry("accelerators", "h100-sxm")
    write(chip, "parts/accelerators/my-chip.yaml")
    write(raw_entry("nodes", "dgx-h100").replace("accelerator: h100-sxm", "accelerator: my-chip"), "parts/nodes/box.yaml")
    rate = "price: {kind: rate, rate: 2 USD/h, source: x}"
    late = (
        text.replace("2022-06-01", "2024-06-01").replace("price: {kind: on_demand, list: cloud-2022}", rate).replace("  given:", "  more:")
    )
    late = late[: late.index("  more:")] + late[late.index("sweep:") :]
    found = load(write(late.replace("node: dgx-a100-80gb", "node: ./parts/nodes/box.yaml")))
    assert found.alternatives["rented"].cluster.node.accelerator.name == "my-chip"


def test_a_scenario_named_like_its_model_is_not_taken_for_it(text: str, write: Callable[..., str]) -> None:
    found = load(write(text, "gpt3-175b.yaml"))
    assert found.name == "gpt3-175b"
    assert found.alternatives["rented"].training.model.layers == 96


def test_problems_of_an_entry_are_told_once_and_in_its_own_file(text: str, write: Callable[..., str]) -> None:
    write(MODEL.replace("layers: 2", "layers: two").replace("source: mine\n", "name: yours\n"), "mine.yaml")
    with pytest.raises(ProblemsError) as caught:
        load(write(text.replace("gpt3-175b", "mine")))
    told = [(p.file, p.line, p.path) for p in caught.value.problems]
    assert told == [("mine.yaml", 1, ""), ("mine.yaml", 1, "layers"), ("mine.yaml", 7, "name")]


def test_an_entry_that_names_itself(text: str, write: Callable[..., str]) -> None:
    write(raw_entry("nodes", "dgx-a100-80gb").replace("accelerator: a100-sxm-80gb", "accelerator: box"), "box.yaml")
    with pytest.raises(ProblemsError):
        load(write(text.replace("node: dgx-a100-80gb", "node: box")))


def test_an_unreadable_file(text: str, write: Callable[..., str]) -> None:
    (Path.cwd() / "mine.yaml").mkdir()
    with pytest.raises(ProblemsError, match="not among the models"):
        load(write(text.replace("gpt3-175b", "mine")))


def test_no_folder_of_this_machine_enters_the_provenance(text: str, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(write(text, "deep/s.yaml")).resolve()
    (path.parent / "elsewhere").mkdir()
    monkeypatch.chdir(path.parent / "elsewhere")
    for asked in (path, Path("../s.yaml")):
        found = load(asked)
        assert found.alternatives == load(path).alternatives
        told = [*found.inputs, *(place for origins in found.origins.values() for place in origins.values())]
        assert not any(str(path.parents[1]) in place for place in told)
    assert next(iter(load(path).inputs)) == "deep/s.yaml"


def test_a_shipped_scenario_by_name_from_anywhere(
    text: str, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(text, "installed/scenarios/asked.yaml")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setattr(names, "shipped", lambda kind: tmp_path / "installed" / kind if kind == "scenarios" else shipped(kind))
    for name in ("asked", "scenarios/asked.yaml"):
        found = load(name)
        assert (found.name, next(iter(found.inputs))) == ("asked", "catalog:scenarios/asked.yaml")
    with pytest.raises(ProblemsError, match="did you mean asked"):
        load("askd")


def test_an_installation_finds_topologies_and_scenarios_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_PACKAGE", tmp_path / "simulator")
    assert shipped("topologies") == tmp_path / "topologies"
    (tmp_path / "simulator" / "_shipped" / "topologies").mkdir(parents=True)
    assert shipped("topologies") == tmp_path / "simulator" / "_shipped" / "topologies"


def test_entries_and_their_text() -> None:
    assert "gpt3-175b" in entries("models")
    assert raw_entry("models", "gpt3-175b").startswith("#") or "layers" in raw_entry("models", "gpt3-175b")
    assert entry("models", "gpt3-175b").layers == 96
    for call in (
        lambda: entries("modles"),
        lambda: raw_entry("models", "gpt"),
        lambda: entry("models", "gpt3"),
        lambda: entry("scenarios", "x"),
    ):
        with pytest.raises(ProblemsError):
            call()
    assert set(CATALOGUES) < set(FOLDERS)


def test_a_run_reads_only_what_it_names(text: str, write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: opened.append(os.fspath(self)) or read_bytes(self))
    found = load(write(text))
    assert len(opened) == len(found.inputs) == 9
