"""`simulator import`."""

from __future__ import annotations

from pathlib import Path

import click

from simulator.cli.options import put


@click.group("import")
def command() -> None:
    """Turn a description made for something else into a catalogue entry."""


@command.command("hf")
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="How scenarios name the model; must be the name of the file it is written to.")
@click.option(
    "--sequence", type=click.IntRange(min=1), help="Length of a training sequence; default: the longest the configuration allows."
)
@click.option(
    "--ignore", "ignored", multiple=True, metavar="FIELD", help="A field that changes no shape and no operation; may be repeated."
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, for example models/NAME.yaml.")
def hugging_face(config: Path, name: str | None, sequence: int | None, ignored: tuple[str, ...], out: Path | None) -> None:
    """Convert a Hugging Face CONFIG (config.json) to a model.

    Every field is mapped, known to change nothing, or refused by name; what could not be taken over is said.
    """
    from simulator.scenario.conversion import model_entry

    if name is not None and out is not None and out.stem != name:
        raise click.UsageError(f"--name {name}: a model is named after its file, which is {out.name}")
    text, told = model_entry(config, name=name or "", sequence=sequence, ignored=ignored)
    for line in told:
        click.echo(line, err=True)
    put(text, out)
