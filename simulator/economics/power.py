"""Usage -> energy: power x time, cooling and losses on top."""

from __future__ import annotations

import math

from simulator import outcome
from simulator.economics.item import JOULES_PER_MWH
from simulator.economics.usage import Usage
from simulator.hardware import Node
from simulator.spec import require


def energy(usage: Usage, node: Node, pue: float, per_accelerator: float | None = None) -> outcome.Energy:
    """Energy that a run draws from the grid [MWh], by what drew it.

    E = PUE x (P_training t_training + P_idle (t_waiting + t_spares)); waiting in a collective counts as training: spinning
    kernels and a loaded memory draw nearly what a matrix product does.

    Args:
        pue: power usage effectiveness: what the site draws over what the machines draw, at least 1.
        per_accelerator: mean power per accelerator with its share of the node [W], stated instead of the node's own; counts for
            all time held.

    Raises:
        MendableError: the PUE is below 1.

    Accuracy: nodes of one kind differ by about 10 % in power; the switches of the training network are in the PUE at best.

    Source: Luccioni et al., arXiv:2211.02001 (dynamic and idle energy apart); Patterson et al., arXiv:2104.10350.
    """
    machines = {name: time * power / JOULES_PER_MWH for name, (time, power) in _loads(usage, node, pue, per_accelerator).items()}
    parts = machines | {"cooling_and_losses": math.fsum(machines.values()) * (pue - 1.0)}
    return outcome.Energy(total_mwh=math.fsum(parts.values()), parts_mwh=parts)


def energy_terms(
    usage: Usage, node: Node, pue: float, per_accelerator: float | None = None, source: str = "", pue_source: str = ""
) -> tuple[outcome.Term, ...]:
    """Each part of `energy` with its formula, numbers and source, for `explain`.

    Args:
        source: of `per_accelerator`, where it is stated.
        pue_source: of the PUE.

    Raises:
        MendableError: as `energy`.
    """
    loads = _loads(usage, node, pue, per_accelerator)
    fields = {"training": "training", "waiting": "idle", "spares": "idle"}
    terms = [
        outcome.Term(
            path=f"energy.parts_mwh.{name}",
            value=time * power / JOULES_PER_MWH,
            unit="MWh",
            formula=f"{time / 3600:,.6g} node-hours x {power / 1e3:.6g} kW",
            source=source if per_accelerator is not None else node.source_of(f"power.{fields[name]}"),
        )
        for name, (time, power) in loads.items()
    ]
    machines = math.fsum(time * power for time, power in loads.values()) / JOULES_PER_MWH
    losses = outcome.Term(
        path="energy.parts_mwh.cooling_and_losses",
        value=machines * (pue - 1.0),
        unit="MWh",
        formula=f"{machines:,.6g} MWh x ({pue:.6g} - 1)",
        source=pue_source,
    )
    return (*terms, losses)


def _loads(usage: Usage, node: Node, pue: float, per_accelerator: float | None) -> dict[str, tuple[float, float]]:
    """What drew power -> (node-seconds, power of one node [W])."""
    require(pue >= 1.0, f"pue is {pue:.4g}, at least 1 is expected", "a PUE counts what the machines draw as 1; write for example 1.1")
    stated = None if per_accelerator is None else per_accelerator * usage.accelerators_per_node
    training, idle = (node.power.training, node.power.idle) if stated is None else (stated, stated)
    return {"training": (usage.training_node_s, training), "waiting": (usage.idle_node_s, idle), "spares": (usage.spare_node_s, idle)}
