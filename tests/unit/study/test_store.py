"""Answers kept in a file."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simulator.errors import MendableError
from simulator.outcome import Outcome, from_plain, to_plain
from simulator.scenario import Scenario, load
from simulator.study import Store, answer, sweep

FILE = str(Path(__file__).parent / "small.yaml")


def test_an_outcome_is_read_back_whole(flagship: Outcome, swept: Outcome) -> None:
    for outcome in (flagship, swept, answer(load(FILE, ("replications=2",)))):
        assert from_plain(Outcome, to_plain(outcome)) == outcome


def test_a_sweep_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "answers.sqlite")
    half = sweep(FILE, {"economics.pue": ("1.1", "1.2")}, overrides=("replications=2",), store=store)
    asked: list[str] = []

    def counted(scenario: Scenario, measured: Scenario | None) -> Outcome:
        asked.append(scenario.name)
        return answer(scenario, measured=measured)

    monkeypatch.setattr(sys.modules["simulator.study.sweep"], "answer", counted)
    whole = sweep(FILE, {"economics.pue": ("1.1", "1.2", "1.3")}, overrides=("replications=2",), store=store)
    assert len(asked) == 1
    assert whole.outcome.alternatives[: len(half.outcome.alternatives)] == half.outcome.alternatives
    again = sweep(FILE, {"economics.pue": ("1.1", "1.2", "1.3")}, overrides=("replications=2",))
    assert again == whole
    store.close()


def test_another_seed_is_another_entry(tmp_path: Path) -> None:
    store = Store(tmp_path / "answers.sqlite")
    scenario = load(FILE, ("replications=1",))
    store.put(scenario, answer(scenario))
    assert store.get(scenario) is not None
    assert store.get(load(FILE, ("replications=1", "seed=8"))) is None
    store.close()


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no database" * 100)
    with pytest.raises(MendableError, match="not a store"):
        Store(other)
