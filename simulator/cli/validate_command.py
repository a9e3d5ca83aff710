"""`simulator validate`."""

from __future__ import annotations

from pathlib import Path

import click

FORMATS = ("table", "json", "markdown")


@click.command("validate")
@click.option(
    "--cases",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE_OR_DIR",
    help="Measured runs, a YAML file or a directory of them (default: those of the catalogue).",
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="How to show the answer (default: table).")
@click.option("--out", type=click.Path(path_type=Path), help="Write to a file; Markdown with its pictures in a folder beside it.")
def command(cases: Path | None, form: str | None, out: Path | None) -> None:
    """Predict measured runs and compare: step time, memory, what fits; calibration and held-out cases apart.

    \b
    simulator validate
    simulator validate --cases my-runs.yaml --format json
    simulator validate --format markdown --out reports/validation.md
    """
    import json

    from simulator.cli.options import colour, width
    from simulator.outcome import to_json
    from simulator.study.validate import validate

    endings = {".json": "json", ".md": "markdown"}
    chosen = form or (endings.get(out.suffix, "table") if out is not None else "table")
    if out is not None:
        if out.is_dir():
            raise click.UsageError(f"--out {out} is a directory; name a file")
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"--out {out}: {error.strerror}") from error
    answer = validate(cases)
    if chosen == "json":
        text = json.dumps(to_json(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    elif chosen == "markdown":
        from simulator.report.markdown import document
        from simulator.report.validation import TITLE, validation_sections

        text = document(TITLE, validation_sections(answer), f"{out.stem}-figures" if out is not None else "")
        if out is not None:
            from simulator.report.figures import drawn

            folder = out.parent / f"{out.stem}-figures"
            folder.mkdir(exist_ok=True)
            for file, picture in drawn(validation_sections(answer)).items():
                (folder / file).write_text(picture, encoding="utf-8", newline="\n")
    else:
        from simulator.report.terminal import screen
        from simulator.report.validation import TITLE, validation_sections

        text = screen(TITLE, validation_sections(answer), width=width() if out is None else 120, colour=out is None and colour())
    if out is None:
        click.echo(text, nl=False, color=True)
    else:
        out.write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"wrote {out}", err=True)
