"""`simulator export`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from simulator.cli.options import put


@click.group("export")
def command() -> None:
    """Write part of an answer in a form that other programs open."""


@command.command("trace")
@click.argument("scenario")
@click.option("--alternative", metavar="NAME", help="Which alternative; needed where there are several.")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a setting; may be repeated.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of printing.")
def trace(scenario: str, alternative: str | None, overrides: tuple[str, ...], out: Path | None) -> None:
    """Lay out one training step of SCENARIO as a trace: open it at https://ui.perfetto.dev or in chrome://tracing.

    A process per pipeline stage; a thread each for compute and for the communication of each kind of parallelism.
    """
    from simulator.errors import did_you_mean
    from simulator.scenario import load
    from simulator.study.trace import trace as traced

    asked = load(scenario, overrides)
    names = list(asked.alternatives)
    if alternative is None and len(names) > 1:
        raise click.UsageError(f"say which alternative: --alternative {' or '.join(names)}")
    if alternative is not None and alternative not in names:
        raise click.UsageError(f"there is no alternative {alternative!r}; {did_you_mean(alternative, names)}")
    found = traced(asked, alternative or names[0])
    head = json.dumps({name: value for name, value in found.items() if name != "traceEvents"}, indent=1)
    events = ",\n".join(json.dumps(event, separators=(",", ":")) for event in found["traceEvents"])
    put(head.removesuffix("\n}") + f',\n "traceEvents": [\n{events}\n]}}\n', out)
