"""`simulator init`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init")
@click.argument("file", type=click.Path(path_type=Path), default=Path("scenario.yaml"))
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(file: Path, force: bool) -> None:
    """Write a commented starter scenario to FILE (default: scenario.yaml)."""
    from simulator.scenario import starter

    if file.exists() and not force:
        raise click.UsageError(f"{file} is there; --force writes over it")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(starter(), encoding="utf-8", newline="\n")
    click.echo(f"wrote {file}; answer it with: simulator run {file}")
