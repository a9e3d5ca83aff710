"""One map over processes: order, progress, workers that die."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from simulator.errors import SimulatorError
from simulator.study.workers import run_tasks


def double(task: int) -> int:
    return 2 * task


def die_once(task: tuple[str, int]) -> int:
    flag, number = task
    if number == 3 and not Path(flag).exists():
        Path(flag).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(task: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return task


@pytest.mark.parametrize("workers", [1, 2])
def test_results_keep_the_order_of_the_tasks(workers: int) -> None:
    seen: list[tuple[int, int]] = []
    results = run_tasks(double, range(20), workers=workers, progress=lambda what, done, of: seen.append((done, of)), what="tasks")
    assert results == [2 * task for task in range(20)]
    assert seen == [(done, 20) for done in range(1, 21)]


def test_tasks_of_a_killed_worker_run_again(tmp_path: Path) -> None:
    flag = str(tmp_path / "died")
    assert run_tasks(die_once, [(flag, number) for number in range(8)], workers=2) == list(range(8))
    assert Path(flag).exists()


def test_a_task_that_always_kills_its_worker_is_given_up() -> None:
    with pytest.raises(SimulatorError, match="died"):
        run_tasks(die, [1, 2], workers=2)
