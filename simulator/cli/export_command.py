"""`simulator export`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from simulator.cli.options import all_overrides, put


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
    from simulator.scenario import load
    from simulator.study.trace import trace as traced

    asked = load(scenario, overrides)
    put(_trace_text(traced(asked, _chosen(list(asked.alternatives), alternative))), out)


@command.command("log")
@click.argument("scenario")
@click.option("--alternative", metavar="NAME", help="Which alternative; needed where there are several.")
@click.option("--replication", type=click.IntRange(min=0), default=0, show_default=True, help="Which of the lives of the run.")
@click.option("--format", "form", type=click.Choice(("jsonl", "trace")), default="jsonl", show_default=True, help="Lines or Perfetto.")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a setting; may be repeated.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of all random streams.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of printing.")
def log(
    scenario: str,
    alternative: str | None,
    replication: int,
    form: str,
    overrides: tuple[str, ...],
    seed: int | None,
    out: Path | None,
) -> None:
    """Write one life of the run of SCENARIO as its operator would have logged it: every state, every event.

    As JSON lines (one per state and event in order of time, the ledger last), or as a trace: open it at https://ui.perfetto.dev.
    """
    from simulator.scenario import load
    from simulator.study import as_written
    from simulator.study.operator_log import lines, story
    from simulator.study.operator_log import trace as traced

    asked = load(scenario, all_overrides(overrides, seed, None))
    name = _chosen(list(asked.alternatives), alternative)
    told = story(asked, name, replication, as_written(scenario) if overrides else None)
    if form == "trace":
        put(_trace_text(traced(told, scenario=asked.name, alternative=name, seed=asked.seed, replication=replication)), out)
    else:
        put("".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines(told)), out)


def _chosen(names: list[str], alternative: str | None) -> str:
    """The alternative that is asked for.

    Raises:
        UsageError: there is none of that name, or several and none is named.
    """
    from simulator.errors import did_you_mean

    if alternative is None and len(names) > 1:
        raise click.UsageError(f"say which alternative: --alternative {' or '.join(names)}")
    if alternative is not None and alternative not in names:
        raise click.UsageError(f"there is no alternative {alternative!r}; {did_you_mean(alternative, names)}")
    return alternative or names[0]


def _trace_text(found: dict[str, Any]) -> str:
    """A trace as JSON, an event a line."""
    head = json.dumps({name: value for name, value in found.items() if name != "traceEvents"}, indent=1)
    events = ",\n".join(json.dumps(event, separators=(",", ":")) for event in found["traceEvents"])
    return head.removesuffix("\n}") + f',\n "traceEvents": [\n{events}\n]}}\n'
