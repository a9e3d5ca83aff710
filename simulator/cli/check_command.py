"""`simulator check`."""

from __future__ import annotations

import click


@click.command("check")
@click.argument("scenarios", nargs=-1, required=True, metavar="SCENARIO...")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a setting; may be repeated.")
@click.pass_context
def command(ctx: click.Context, scenarios: tuple[str, ...], overrides: tuple[str, ...]) -> None:
    """Read each SCENARIO and say everything that is wrong with it; run nothing."""
    from simulator.cli.exits import INVALID
    from simulator.errors import ProblemsError, render
    from simulator.scenario import load

    wrong = False
    for scenario in scenarios:
        try:
            read = load(scenario, overrides)
        except ProblemsError as error:
            wrong = True
            click.echo(render(error.problems), err=True)
            continue
        names = ", ".join(read.alternatives)
        click.echo(f"{scenario}: fine; {len(read.alternatives)} alternative{'s' if len(read.alternatives) != 1 else ''}: {names}")
    ctx.exit(INVALID if wrong else 0)
