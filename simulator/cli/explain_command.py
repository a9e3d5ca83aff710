"""`simulator explain`."""

from __future__ import annotations

import click

from simulator.cli.options import all_overrides, running


@click.command("explain")
@running
@click.argument("path", required=False)
@click.option("--alternative", metavar="NAME", help="Only this alternative.")
def command(
    scenario: str,
    path: str | None,
    alternative: str | None,
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int,
) -> None:
    """Show where each second, byte and dollar of the answer to SCENARIO comes from: formula and source.

    PATH narrows it to what begins so, for example `step`, `bill.items_usd` or `cluster.node`.
    """
    from dataclasses import replace

    from simulator.cli.progress import watched
    from simulator.errors import did_you_mean
    from simulator.outcome import Alternative
    from simulator.report.explain import explain
    from simulator.scenario import load
    from simulator.study import answer, as_written

    asked = load(scenario, all_overrides(overrides, seed, replications))
    if alternative is not None and alternative not in asked.alternatives:
        raise click.UsageError(f"there is no alternative {alternative!r}; {did_you_mean(alternative, asked.alternatives)}")
    with watched() as progress:
        outcome = answer(asked, measured=as_written(scenario) if overrides else None, workers=workers, progress=progress)
    if path:
        asked_for = outcome.alternatives

        def narrowed(each: Alternative) -> Alternative:
            return replace(each, assumptions=(), terms=tuple(term for term in each.terms if f"{term.path}.".startswith(f"{path}.")))

        outcome = replace(outcome, alternatives=tuple(map(narrowed, outcome.alternatives)))
        if not any(each.terms for each in outcome.alternatives):
            rooms = dict.fromkeys(term.path.partition(".")[0] for each in asked_for for term in each.terms)
            raise click.UsageError(f"nothing begins with {path!r}; {did_you_mean(path, rooms)}")
    click.echo(explain(outcome, alternative), nl=False)
