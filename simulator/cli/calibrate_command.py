"""`simulator calibrate`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

from simulator.cli.options import put


@click.command("calibrate")
@click.argument("measured", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--accelerator", required=True, metavar="NAME", help="The data sheet: an accelerator of the catalogue, or the path of a file."
)
@click.option("--software", default="pytorch-2023", show_default=True, metavar="NAME", help="What measured the whole layers.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file, for example accelerators/mine.yaml.")
def command(measured: Path, accelerator: str, software: str, out: Path | None) -> None:
    """Turn what benchmarks/measure_accelerator.py MEASURED into an accelerator of the catalogue.

    The kernels are fitted, the data sheet is taken over. How far the fit is from shapes that it has not seen, and from whole layers, is
    said and written into the entry.
    """
    from dataclasses import replace

    from simulator.errors import Problem, ProblemsError
    from simulator.scenario import entry
    from simulator.scenario.writing import entry_text
    from simulator.study.calibration import calibrate

    data = measured.read_bytes()
    try:
        table = json.loads(data)
    except ValueError as error:
        raise ProblemsError((Problem(what=f"is not JSON: {error}", file=str(measured)),)) from None
    if not isinstance(table, dict):
        raise ProblemsError((Problem(what="is not a JSON object", file=str(measured)),))
    device = table.get("device")
    told = ", ".join(f"{name} {value}" for name, value in device.items()) if isinstance(device, dict) else ""
    origin = f"measured on {told or 'an unnamed device'}; {measured.name}, sha256 {hashlib.sha256(data).hexdigest()[:16]}"
    try:
        found = calibrate(table, entry("accelerators", accelerator), entry("software", software), origin=origin)
    except ProblemsError as error:
        raise ProblemsError(tuple(replace(problem, file=problem.file or str(measured)) for problem in error.problems)) from None
    for line in found.told:
        click.echo(line, err=True)
    for layer in found.layers:
        changes = f"{layer.before / layer.measured - 1:+.1%} before, {layer.after / layer.measured - 1:+.1%} after"
        click.echo(f"layer of {layer.name}: {layer.measured * 1e3:.4g} ms measured; predicted {changes}", err=True)
    click.echo(f"not measured: {', '.join(found.carried)}", err=True)
    put(entry_text(replace(found.accelerator, name="")), out)
