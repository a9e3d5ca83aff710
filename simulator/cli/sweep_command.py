"""`simulator sweep`."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from simulator.cli.exits import MISSED, PARTIAL
from simulator.cli.options import all_overrides, check_out, deliver, running, writing


@click.command("sweep")
@running
@click.option(
    "--axis", "axes", multiple=True, required=True, metavar="PATH=A,B,C", help="Settings to go through; several axes make a grid."
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep every point's answer in this file; what is there already is not worked out again.",
)
@writing
@click.pass_context
def command(
    ctx: click.Context,
    scenario: str,
    axes: tuple[str, ...],
    store: Path | None,
    overrides: tuple[str, ...],
    seed: int | None,
    replications: int | None,
    workers: int,
    form: str | None,
    out: Path | None,
) -> None:
    """Answer SCENARIO at every point of a grid, e.g. --axis cluster.count=64,128,256.

    Ends with code 5 where some points failed.
    """
    run_sweep(ctx, scenario, dict(axis(text) for text in axes), all_overrides(overrides, seed, replications), workers, form, out, store)


def run_sweep(
    ctx: click.Context,
    scenario: str,
    axes: dict[str, tuple[str, ...]],
    overrides: tuple[str, ...],
    workers: int,
    form: str | None,
    out: Path | None,
    store: Path | None = None,
) -> None:
    """Sweep, deliver, and exit with the code that says how it went."""
    from simulator.cli.progress import watched
    from simulator.study import Store, sweep

    check_out(form, out)
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(contextlib.closing(Store(store))) if store else None
        progress = stack.enter_context(watched())
        swept = sweep(scenario, axes, overrides=overrides, store=kept, workers=workers, progress=progress)
    deliver(swept.outcome, form, out)
    for point, reason in swept.failed.items():
        click.echo(f"simulator: {point} failed: {reason}", err=True)
    if swept.failed:
        ctx.exit(PARTIAL)
    if not any(each.feasible for each in swept.outcome.alternatives) or not all(line.met for line in swept.outcome.expectations):
        ctx.exit(MISSED)


def axis(text: str) -> tuple[str, tuple[str, ...]]:
    """`path=a,b,c` -> the path and its values; commas inside brackets, braces and quotes do not part values.

    Raises:
        UsageError: no path or no value.

    >>> axis("cluster.count=64,128")
    ('cluster.count', ('64', '128'))
    >>> axis("economics.price={kind: rate, rate: 2 USD/h},x")[1]
    ('{kind: rate, rate: 2 USD/h}', 'x')
    """
    path, equals, values = text.partition("=")
    parts, depth, quote = [""], 0, ""
    for letter in values:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        depth += (letter in "[{") - (letter in "]}") if not quote else 0
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    found = tuple(part.strip() for part in parts)
    if not equals or not path.strip() or not all(found):
        raise click.UsageError(f"--axis {text!r}: write a path and values, for example cluster.count=64,128,256")
    return path.strip(), found
