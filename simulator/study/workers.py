"""One `map` over local processes: results in order, the same bytes for any number of workers, a killed worker's tasks run again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol, TypeVar

from simulator.errors import SimulatorError

Task = TypeVar("Task")
Result = TypeVar("Result")

_ATTEMPTS = 3
"""Pools that may die before the study gives up: a task that kills its worker each time would otherwise be tried for ever."""


class Progress(Protocol):
    """Called with what is being done, how many of its tasks are done and how many there are."""

    def __call__(self, what: str, done: int, of: int) -> None: ...


def silent(what: str, done: int, of: int) -> None:
    """Progress that nobody watches."""


def run_tasks(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    workers: int = 1,
    progress: Progress = silent,
    what: str = "",
    keep: Callable[[Task, Result], None] | None = None,
) -> list[Result]:
    """`function` of each task, in the order of the tasks.

    Args:
        function: importable by name where `workers` is above 1.
        workers: processes; 1 stays in this one.
        keep: is given each result as soon as it is there, in this process.

    Raises:
        SimulatorError: workers died `_ATTEMPTS` times (out of memory, for example).
    """
    results: dict[int, Result] = {}
    for index, result in _stream(function, tasks, workers):
        results[index] = result
        if keep is not None:
            keep(tasks[index], result)
        progress(what, len(results), len(tasks))
    return [results[index] for index in range(len(tasks))]


def _stream(function: Callable[[Task], Result], tasks: Sequence[Task], workers: int) -> Iterator[tuple[int, Result]]:
    if workers == 1 or len(tasks) < 2:
        yield from ((index, function(task)) for index, task in enumerate(tasks))
        return
    open_tasks = dict(enumerate(tasks))
    for _ in range(_ATTEMPTS):
        try:
            with ProcessPoolExecutor(min(workers, len(open_tasks))) as pool:
                futures: dict[Future[Result], int] = {pool.submit(function, task): index for index, task in open_tasks.items()}
                pending = set(futures)
                while pending:
                    finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in finished:
                        result = future.result()
                        del open_tasks[futures[future]]
                        yield futures[future], result
            return
        except BrokenProcessPool:
            continue
    raise SimulatorError(f"worker processes died {_ATTEMPTS} times; try --workers 1 (is there enough memory?)")
