"""`simulator run`."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.exits import MISSED
from simulator.cli.options import all_overrides, check_out, deliver, running, writing
from simulator.cli.sweep_command import run_sweep


@click.command("run")
@running
@writing
@click.pass_context
def command(
    ctx: click.Context,
    scenario: str,
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int,
    form: str | None,
    out: Path | None,
) -> None:
    """Answer SCENARIO: a YAML file, or the name of a shipped one.

    Ends with code 4 where an expectation of the scenario was missed or no alternative is feasible.
    """
    from simulator.cli.progress import watched
    from simulator.scenario import load
    from simulator.study import answer, as_written

    check_out(form, out)
    settings = all_overrides(overrides, seed, replications)
    asked = load(scenario, settings)
    if asked.sweep:
        run_sweep(ctx, scenario, dict(asked.sweep), settings, workers, form, out)
        return
    with watched() as progress:
        outcome = answer(asked, measured=as_written(scenario) if overrides else None, workers=workers, progress=progress)
    deliver(outcome, form, out)
    if not any(alternative.feasible for alternative in outcome.alternatives) or not all(line.met for line in outcome.expectations):
        ctx.exit(MISSED)
