"""`simulator collective`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from simulator.collectives.plan import Ranks

_OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "point_to_point")
_ALGORITHMS = ("auto", "ring", "tree", "nvls", "direct", "halving_doubling", "hierarchical", "multi_ring", "sharp")


@click.command("collective")
@click.option("--topology", required=True, metavar="NAME", help="A topology of the catalogue, or a file: YAML, GraphML, node-link JSON.")
@click.option("--operation", type=click.Choice(_OPERATIONS), default="all_reduce", show_default=True, help="What the ranks do.")
@click.option(
    "--bytes",
    "sizes",
    default="1KiB:8GiB",
    show_default=True,
    metavar="SIZE[:SIZE]",
    help="A size as nccl-tests define it, several with commas between, or a range that is gone through by doubling.",
)
@click.option("--node", default="dgx-h100", show_default=True, metavar="NAME", help="The machines that the topology joins.")
@click.option("--count", type=click.IntRange(min=1), help="Machines that are built (default: what the ranks need; 2 without --ranks).")
@click.option("--ranks", metavar="N|A,B,..", help="The first N accelerators, or these (default: all).")
@click.option(
    "--split",
    type=click.IntRange(min=1),
    default=1,
    metavar="K",
    help="K groups at once: rank r is in group r mod K (NCCL_TESTS_SPLIT=%K).",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="LINK=SHARE|{kind: ..}",
    help="What is wrong with the network: a link with the share of its rate that is left ('leaf0 -> spine=50%'; 0: dead), or one of a"
    " scenario's cluster.network_faults. May be repeated.",
)
@click.option(
    "--neighbour",
    "neighbours",
    multiple=True,
    metavar="{kind: ..}",
    help="What else sends over the network: one of a scenario's cluster.neighbours, on machines without ranks. May be repeated.",
)
@click.option("--algorithm", type=click.Choice(_ALGORITHMS), default="auto", show_default=True, help="auto chooses as NCCL would.")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to show the answer.")
def command(
    topology: str,
    operation: str,
    sizes: str,
    node: str,
    count: int | None,
    ranks: str | None,
    split: int,
    faults: tuple[str, ...],
    neighbours: tuple[str, ...],
    algorithm: str,
    form: str,
) -> None:
    """Price a collective on a network as nccl-tests would measure it: time, bandwidths, algorithm and the busiest link by size.

    \b
    simulator collective --topology dgx-h100-superpod --operation all_reduce --bytes 1GiB --count 16
    simulator collective --topology meta-24k-roce --node meta-grand-teton-h100 --operation all_to_all --ranks 64
    simulator collective --topology dgx-h100-superpod --count 64 --fault '{kind: lost_switches, lost: 1, of: 4}'
    """
    from dataclasses import asdict
    from typing import get_args

    import numpy as np

    from simulator.collectives import AlgorithmName, Operation, algorithm_bandwidth, bus_bandwidth, communicator
    from simulator.interconnect import Neighbour, with_faults, with_neighbours
    from simulator.scenario import entry, value

    known: Operation = get_args(Operation)[_OPERATIONS.index(operation)]
    chosen: AlgorithmName = get_args(AlgorithmName)[_ALGORITHMS.index(algorithm)]
    bytes_ = _sizes(sizes)
    family, machine = _family(topology), entry("nodes", node)
    members = _members(ranks)
    if count is None:
        count = 2 if members is None else max(members) // machine.accelerators + 1
    network = with_faults(family.build(machine, count), [_fault(written) for written in faults])
    if members is None:
        last = network.accelerators - 1
        members = [0, last] if operation == "point_to_point" else list(range(network.accelerators))
    groups = _groups(members, split, network.accelerators)
    others = [value(Neighbour, written, f"--neighbour {written}") for written in neighbours]
    network = with_neighbours(network, others, np.unique(groups // machine.accelerators))
    rows = []
    group = communicator(groups, network)
    for size in bytes_:
        priced = group.price(known, size, chosen)
        rows.append(
            {"bytes": size}
            | asdict(priced)
            | {
                "algorithm_bandwidth": algorithm_bandwidth(size, priced.time_s) if priced.time_s else None,
                "bus_bandwidth": bus_bandwidth(known, groups.shape[1], size, priced.time_s) if priced.time_s else None,
            }
        )
    about = {
        "topology": topology,
        "node": node,
        "count": count,
        "operation": operation,
        **({"faults": list(faults)} if faults else {}),
        **({"neighbours": list(neighbours)} if neighbours else {}),
        "groups": groups.shape[0],
        "ranks": groups.shape[1],
    }
    if form == "json":
        click.echo(json.dumps(about | {"sizes": rows}, indent=2, allow_nan=False))
        return
    click.echo(
        f"{operation} of {groups.shape[0]} x {groups.shape[1]} ranks on {count} x {node} in {topology} "
        "(bandwidths as nccl-tests define them; 1 GB/s = 10^9 B/s)"
    )
    click.echo(f"{'bytes':>14} {'time us':>12} {'algbw GB/s':>11} {'busbw GB/s':>11}  {'algorithm':18} busiest link")
    for row in rows:
        bands = [f"{row[key] / 1e9:11.2f}" if row[key] is not None else f"{'-':>11}" for key in ("algorithm_bandwidth", "bus_bandwidth")]
        click.echo(f"{row['bytes']:>14.0f} {row['time_s'] * 1e6:>12.2f} {bands[0]} {bands[1]}  {row['algorithm']:18} {row['bottleneck']}")


def _family(topology: str) -> Any:
    from simulator.interconnect import Topology
    from simulator.scenario import entry, value

    if topology.endswith((".graphml", ".json")):
        graph = {"kind": "explicit", "file": topology, "source": f"assumed: as given in {topology}"}
        return value(Topology, json.dumps(graph, ensure_ascii=False), f"--topology {topology}")
    return entry("topologies", topology)


def _fault(written: str) -> Any:
    from simulator.interconnect import DeadLink, DegradedLink, NetworkFault
    from simulator.scenario import value
    from simulator.units import parse

    if written.lstrip().startswith("{"):
        return value(NetworkFault, written, f"--fault {written}")
    link, equals, share = written.rpartition("=")
    if not equals:
        raise click.UsageError(f"--fault {written}: LINK=SHARE, e.g. 'leaf0 -> spine=50%', or a mapping {{kind: ..}}")
    left = parse(share.strip(), "fraction")
    return DegradedLink(link=link.strip(), rate=left) if left else DeadLink(link=link.strip())


def _sizes(written: str) -> list[float]:
    from simulator.units import parse

    found: list[float] = []
    for part in written.split(","):
        low, colon, high = part.partition(":")
        least = parse(low.strip(), "data")
        most = parse(high.strip(), "data") if colon else least
        if not 1 <= least <= most:
            raise click.UsageError(f"--bytes {part}: from 1 B on, and the smaller size first")
        while least <= most:
            found.append(least)
            least *= 2
    return found


def _members(written: str | None) -> list[int] | None:
    if written is None:
        return None
    try:
        numbers = [int(part) for part in written.split(",")]
    except ValueError:
        raise click.UsageError(f"--ranks {written}: a number of ranks, or accelerators with commas between") from None
    if "," not in written:
        if numbers[0] < 1:
            raise click.UsageError(f"--ranks {written}: at least 1")
        return list(range(numbers[0]))
    if len(set(numbers)) < len(numbers) or min(numbers) < 0:
        raise click.UsageError(f"--ranks {written}: different accelerators, numbered from 0")
    return numbers


def _groups(members: list[int], split: int, accelerators: int) -> Ranks:
    import numpy as np

    if max(members) >= accelerators:
        raise click.UsageError(f"accelerator {max(members)} is not among the {accelerators} of the network; --count builds more machines")
    if len(members) % split:
        raise click.UsageError(f"--split {split} does not divide {len(members)} ranks")
    return np.array(members, dtype=np.int64).reshape(-1, split).T
