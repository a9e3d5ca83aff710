"""The command line: the only place that prints, exits, and reads `argv` or the environment.

Commands are loaded when they are called, so that `--help` and completion never import numpy, networkx or the validation library.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from simulator import __version__
from simulator.cli.exits import BUG, INTERRUPTED, INVALID

_COMMANDS = {
    "run": "Answer a scenario: time, utilisation, cost, energy and carbon of each alternative.",
    "check": "Read a scenario and say everything that is wrong with it; run nothing.",
    "explain": "Show where each second, byte and dollar of an answer comes from.",
    "sweep": "Answer a scenario at every point of a grid of settings.",
    "validate": "Predict measured runs, published or your own, and compare.",
    "collective": "Price a collective on a network, as nccl-tests would measure it.",
    "flows": "Say when flows that share links have ended.",
    "init": "Write a commented starter scenario.",
    "list": "List what the catalogue holds.",
    "show": "Print one catalogue entry with its sources.",
    "export": "Write one training step as a trace for Perfetto, or one life of the run as its operator's log.",
    "calibrate": "Turn measurements of your own card into an accelerator of the catalogue.",
    "fit": "Turn a log of failures, or a trace of spot machines, into failure classes.",
    "import": "Turn a Hugging Face config.json into a model of the catalogue.",
    "schema": "Print the JSON schema of a scenario, for editors.",
}


class _Commands(click.Group):
    """A group whose commands are modules of this package, imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"simulator.cli.{cmd_name}_command")
        command = module.command
        return command if isinstance(command, click.Command) else None

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " See `simulator --help`."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="simulator")
def cli() -> None:
    """What will it take to train this model on that cluster, and what will go wrong?

    \b
    simulator run scenarios/donated-vs-hyperscaler.yaml
    simulator run SCENARIO --format json | jq .alternatives[0].step
    simulator explain SCENARIO step
    """


def main() -> None:
    """Run the command line and exit with its code (see `simulator.cli.exits`)."""
    try:
        code = cli.main(prog_name="simulator", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        code = stop.exit_code
    except click.ClickException as wrong:
        wrong.show()
        code = wrong.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has had enough: not an error; silence the interpreter's own flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        code = _report(error)
    sys.exit(code if isinstance(code, int) else 0)


def _report(error: Exception) -> int:
    from simulator.errors import ProblemsError, SimulatorError, render

    if isinstance(error, ProblemsError):
        click.echo(render(error.problems), err=True)
        return INVALID
    if isinstance(error, SimulatorError):
        click.echo(f"simulator: {error}", err=True)
        return INVALID
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    click.echo("simulator: this is a bug; please report it with the scenario and the lines above", err=True)
    return BUG
