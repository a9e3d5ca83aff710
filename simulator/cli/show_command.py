"""`simulator show`."""

from __future__ import annotations

import click


@click.command("show")
@click.argument("words", nargs=-1, required=True, metavar="[KIND] NAME")
def command(words: tuple[str, ...]) -> None:
    """Print a catalogue entry as it is written, sources included; KIND is needed only where two kinds share the name."""
    from simulator.cli.kinds import known_kind
    from simulator.errors import did_you_mean
    from simulator.scenario import CATALOGUES, entries, raw_entry

    if len(words) > 2:
        raise click.UsageError("show takes a name, or a kind and a name")
    kinds = [known_kind(words[0])] if len(words) == 2 else list(CATALOGUES)
    name = words[-1]
    found = [kind for kind in kinds if name in entries(kind)]
    if not found:
        everything = sorted({entry for kind in kinds for entry in entries(kind)})
        raise click.UsageError(f"there is no entry {name!r}; {did_you_mean(name, everything)}")
    if len(found) > 1:
        raise click.UsageError(f"{name!r} is in {' and '.join(found)}; say which: simulator show {found[0]} {name}")
    click.echo(f"# {found[0]}/{name}.yaml", err=True)
    click.echo(raw_entry(found[0], name), nl=False)
