"""Progress of long work, on stderr: a bar on a terminal, a plain line every ten seconds elsewhere, nothing for short work."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from simulator.study.workers import Progress

_QUIET_S = 10.0


@contextmanager
def watched() -> Iterator[Progress]:
    """A progress callback for as long as the work lasts."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        shown: dict[str, int] = {}

        def tell(what: str, done: int, of: int) -> None:
            if what not in shown:
                shown[what] = int(bars.add_task(what, total=of))
            bars.update(next(task.id for task in bars.tasks if int(task.id) == shown[what]), completed=done, total=of)

        yield tell


def _plain() -> Progress:
    last = time.monotonic()

    def tell(what: str, done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _QUIET_S:
            last = time.monotonic()
            click.echo(f"{what}: {done} of {of}", err=True)

    return tell
