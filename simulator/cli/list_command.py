"""`simulator list`."""

from __future__ import annotations

import click


@click.command("list")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """List the entries of KIND (accelerators, nodes, models, ..), or every kind with its number of entries."""
    from simulator.cli.kinds import known_kind
    from simulator.scenario import CATALOGUES, entries

    if kind is None:
        width = max(map(len, CATALOGUES))
        for each in CATALOGUES:
            click.echo(f"{each:<{width}}  {len(entries(each)):4d}")
        return
    for name in entries(known_kind(kind)):
        click.echo(name)
