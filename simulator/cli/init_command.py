"""`simulator init`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("init")
@click.argument("file", type=click.Path(path_type=Path), default=Path("scenario.yaml"))
@click.option("--schema", is_flag=True, help="Write the JSON schema beside it, so that an editor completes and checks it.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(file: Path, schema: bool, force: bool) -> None:
    """Write a commented starter scenario to FILE (default: scenario.yaml)."""
    from simulator.scenario import json_schema, starter

    if file.exists() and not force:
        raise click.UsageError(f"{file} is there; --force writes over it")
    file.parent.mkdir(parents=True, exist_ok=True)
    line = ""
    if schema:
        described = file.with_name(f"{file.stem}.schema.json")
        described.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
        line = f"# yaml-language-server: $schema={described.name}\n"
    file.write_text(line + starter(), encoding="utf-8", newline="\n")
    click.echo(f"wrote {file}; answer it with: simulator run {file}")
