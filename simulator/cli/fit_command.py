"""`simulator fit`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from simulator.cli.options import put


@click.group("fit")
def command() -> None:
    """Turn what was observed into an entry of the catalogue."""


@command.command("failures")
@click.argument("log", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--detection", required=True, metavar="TIME", help="From a failure to the decision to restart: no log of failures tells it.")
@click.option("--nodes", type=click.IntRange(min=1), help="How many were watched; needed for a table of failures.")
@click.option("--span", metavar="TIME", help="How long they were watched; needed for a table of failures.")
@click.option("--new", is_flag=True, help="The nodes of a table were new when it begins.")
@click.option("--replay", is_flag=True, help="Write the failures of a table at their times and nodes, in place of chance.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the samples that tell how good a fit is.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, for example failures/mine.yaml.")
def failures(log: Path, detection: str, nodes: int | None, span: str | None, new: bool, replay: bool, seed: int, out: Path | None) -> None:
    """Fit rates and distributions of failures to LOG, and write them as a set of failure classes.

    LOG: a table with a header (time [h],node,cause) or the same rows as JSON; a spot trace of SkyPilot (JSON) or Bamboo (CSV, text).
    Exponential, Weibull and lognormal times by maximum likelihood; how well each fits is said and written into the entry.
    """
    from dataclasses import replace

    from simulator import units
    from simulator.errors import ProblemsError
    from simulator.scenario.writing import entry_text
    from simulator.study.failure_logs import failure_set, findings, read

    data = log.read_bytes()
    try:
        seconds = [None if text is None else units.parse(text, "time") for text in (span, detection)]
        found = read(data.decode("utf-8"), nodes=nodes, span=seconds[0], new=new)
    except UnicodeDecodeError:
        raise click.UsageError(f"{log} is not text") from None
    except ProblemsError as error:
        raise ProblemsError(tuple(replace(problem, file=str(log)) for problem in error.problems)) from None
    fitted = findings(found, seed)
    for each in fitted:
        click.echo(f"{each.cause.name}: {each.told()}", err=True)
    origin = f"{log.name}, sha256 {hashlib.sha256(data).hexdigest()[:16]}"
    try:
        entry = failure_set(fitted, detection=seconds[1] or 0.0, origin=origin, log=found, replay=replay)
    except ProblemsError as error:
        raise ProblemsError(tuple(replace(problem, file=str(log)) for problem in error.problems)) from None
    put(entry_text(entry), out)
