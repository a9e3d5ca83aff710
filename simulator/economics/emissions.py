"""Energy and time held -> emissions."""

from __future__ import annotations

from simulator import outcome
from simulator.economics.grid import Grid
from simulator.economics.item import HOUR, JOULES_PER_MWH
from simulator.economics.usage import Usage
from simulator.hardware import Node


def carbon(energy: outcome.Energy, grid: Grid, node: Node, usage: Usage) -> outcome.Carbon:
    """Emissions of a run [kg CO2e]: of its electricity (location-based mean), and its share of making the machines.

    Embodied = emissions of making one node x node-time held / life of a node; None where the node's figure is not known.

    Accuracy: published life-cycle figures of one server differ by a factor of two; buildings and network are not counted.

    Source: Luccioni et al., arXiv:2211.02001, section 4.
    """
    embodied = None if node.embodied is None else node.embodied * usage.node_s / node.life
    return outcome.Carbon(operational_kg=energy.total_mwh * JOULES_PER_MWH * grid.intensity, embodied_kg=embodied)


def carbon_terms(energy: outcome.Energy, grid: Grid, node: Node, usage: Usage) -> tuple[outcome.Term, ...]:
    """Each figure of `carbon` with its formula, numbers and source, for `explain`."""
    answer = carbon(energy, grid, node, usage)
    operational = outcome.Term(
        path="carbon.operational_kg",
        value=answer.operational_kg,
        unit="kg",
        formula=f"{energy.total_mwh:,.6g} MWh x {grid.intensity * JOULES_PER_MWH:.6g} kg/MWh ({grid.name or 'grid'}, {grid.year})",
        source=grid.source_of("intensity"),
    )
    if answer.embodied_kg is None or node.embodied is None:
        return (operational,)
    embodied = outcome.Term(
        path="carbon.embodied_kg",
        value=answer.embodied_kg,
        unit="kg",
        formula=f"{node.embodied:,.6g} kg per node x {usage.node_s / HOUR:,.6g} node-hours / {node.life / HOUR:,.6g} h",
        source=node.source_of("embodied"),
    )
    return (operational, embodied)
