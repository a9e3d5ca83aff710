"""`simulator schema`."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("kind", required=False)
def command(kind: str | None) -> None:
    """Print the JSON schema of a scenario, or of catalogue entries of KIND: an editor completes and checks with it."""
    from simulator.cli.kinds import known_kind
    from simulator.scenario import json_schema

    click.echo(json.dumps(json_schema(known_kind(kind)) if kind and kind != "scenario" else json_schema(), indent=2, ensure_ascii=False))
