"""`simulator run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli.exits import MISSED
from simulator.cli.options import all_overrides, check_out, deliver, running, writing
from simulator.cli.sweep_command import run_sweep

if TYPE_CHECKING:
    from simulator.scenario import Scenario


@click.command("run")
@running
@click.option("--alternative", "names", multiple=True, metavar="NAME", help="Answer only this alternative; may be repeated.")
@writing
@click.pass_context
def command(
    ctx: click.Context,
    scenario: str,
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int,
    names: tuple[str, ...],
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
    asked = only(load(scenario, settings), names)
    if asked.sweep:
        if names:
            raise click.UsageError("--alternative does not go with the sweep of this scenario")
        run_sweep(ctx, scenario, dict(asked.sweep), settings, workers, form, out)
        return
    with watched() as progress:
        outcome = answer(asked, measured=as_written(scenario) if overrides else None, workers=workers, progress=progress)
    deliver(outcome, form, out)
    if not any(alternative.feasible for alternative in outcome.alternatives) or not all(line.met for line in outcome.expectations):
        ctx.exit(MISSED)


def only(scenario: Scenario, names: tuple[str, ...]) -> Scenario:
    """The scenario with the named alternatives alone, in its own order; all of them where none is named.

    Raises:
        UsageError: no such alternative.
    """
    from dataclasses import replace

    from simulator.errors import did_you_mean

    for name in names:
        if name not in scenario.alternatives:
            raise click.UsageError(f"there is no alternative {name!r}; {did_you_mean(name, scenario.alternatives)}")
    if not names:
        return scenario
    kept = {name: question for name, question in scenario.alternatives.items() if name in names}
    expect = tuple(line for line in scenario.expect if all(path.partition(".")[0] in kept for path in line))
    return replace(scenario, alternatives=kept, expect=expect)
