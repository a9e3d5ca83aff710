"""Options that several commands share, and how an answer reaches the user."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from simulator.outcome import Outcome

FORMATS = ("table", "json", "csv", "markdown", "html")
_SUFFIXES = {".json": "json", ".csv": "csv", ".md": "markdown", ".html": "html", ".txt": "table"}

Command = TypeVar("Command", bound=Callable[..., Any])


def running(command: Command) -> Command:
    """Options of every command that answers a scenario."""
    for option in reversed(
        (
            click.argument("scenario"),
            click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a setting; may be repeated."),
            click.option("--seed", type=click.IntRange(min=0), help="Seed of all random streams."),
            click.option("--replications", type=click.IntRange(min=1), help="Lives of the run per alternative."),
            click.option(
                "--workers",
                type=click.IntRange(min=1),
                default=lambda: os.cpu_count() or 1,
                show_default="one per processor",
                help="Processes to use; every number gives the same bytes.",
            ),
        )
    ):
        command = option(command)
    return command


def writing(command: Command) -> Command:
    """Options of every command that shows an outcome."""
    command = click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="Write to a file (its ending picks the format), or all formats into a directory.",
    )(command)
    return click.option("--format", "form", type=click.Choice(FORMATS), help="How to show the answer (default: table).")(command)


def all_overrides(overrides: tuple[str, ...], seed: int | None, replications: int | None) -> tuple[str, ...]:
    """`--seed` and `--replications` as the `--set` they stand for."""
    extra = [f"{name}={value}" for name, value in (("seed", seed), ("replications", replications)) if value is not None]
    return (*overrides, *extra)


def colour() -> bool:
    """Whether to colour what goes to stdout: `NO_COLOR` and `FORCE_COLOR` decide before the terminal does."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or sys.stdout.isatty()


def width() -> int:
    """Columns to fill: those of the terminal, 120 where there is none."""
    return shutil.get_terminal_size((120, 40)).columns if sys.stdout.isatty() else int(os.environ.get("COLUMNS") or 120)


def check_out(form: str | None, out: Path | None) -> None:
    """Refuse what could not be written, before the work is done.

    Raises:
        UsageError: the ending names no format, a format for a directory, or a place where nothing can be written.
    """
    if out is None:
        return
    folder = form is None and (out.is_dir() or not out.suffix)
    if form is None and not folder and out.suffix not in _SUFFIXES:
        raise click.UsageError(f"--out {out}: the ending names no format; use one of {', '.join(_SUFFIXES)} or give --format")
    if form is not None and out.is_dir():
        raise click.UsageError(f"--out {out} is a directory; without --format all formats are written into it")
    try:
        (out if folder else out.parent).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"--out {out}: {error.strerror}") from error
    if not os.access(out if folder else out.parent, os.W_OK) or (out.is_file() and not os.access(out, os.W_OK)):
        raise click.UsageError(f"--out {out}: nothing can be written there")


def deliver(outcome: Outcome, form: str | None, out: Path | None) -> None:
    """Print the outcome, or write it to a file or a directory (see `check_out`)."""
    if out is None:
        click.echo(_text(outcome, form or "table", colour=colour(), columns=width()), nl=False, color=True)
        return
    if form is None and (out.is_dir() or not out.suffix):
        click.echo(_text(outcome, "table", colour=colour(), columns=width()), nl=False, color=True)
        click.echo(f"wrote {', '.join(str(path) for path in _write_all(out, outcome))}", err=True)
        return
    click.echo(f"wrote {_write(out, outcome, form or _SUFFIXES[out.suffix])}", err=True)


def _write_all(folder: Path, outcome: Outcome) -> list[Path]:
    """Every format, and the pictures that the Markdown shows in a folder of their own."""
    from simulator.report.figures import pictures
    from simulator.report.markdown import markdown

    name = outcome.scenario
    written = [_write(folder / f"{name}{suffix}", outcome, form) for suffix, form in _SUFFIXES.items() if form in ("json", "csv", "html")]
    drawn = folder / f"{name}-figures"
    drawn.mkdir(exist_ok=True)
    for file, text in pictures(outcome).items():
        (drawn / file).write_text(text, encoding="utf-8", newline="\n")
    (folder / f"{name}.md").write_text(markdown(outcome, figures=drawn.name), encoding="utf-8", newline="\n")
    return [*written, folder / f"{name}.md"]


def _write(path: Path, outcome: Outcome, form: str) -> Path:
    path.write_text(_text(outcome, form, colour=False, columns=120), encoding="utf-8", newline="\n")
    return path


def _text(outcome: Outcome, form: str, *, colour: bool, columns: int) -> str:
    if form == "json":
        from simulator.outcome import to_json

        return json.dumps(to_json(outcome), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if form == "csv":
        from simulator.report.csv import csv

        return csv(outcome)
    if form == "markdown":
        from simulator.report.markdown import markdown

        return markdown(outcome)
    if form == "html":
        from simulator.report.html import html

        return html(outcome)
    from simulator.report.terminal import terminal

    return terminal(outcome, width=columns, colour=colour)


def put(text: str, out: Path | None) -> None:
    """Print a text, or write it to a file."""
    if out is None:
        click.echo(text, nl=False)
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8", newline="\n")
    click.echo(f"wrote {out}", err=True)
