"""Usage -> money, energy and carbon of a question, each kind of node by its own price, power and making."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simulator.economics import Extras, Usage, bill, bill_terms, carbon, carbon_terms, energy, energy_terms
from simulator.hardware import Node
from simulator.outcome import Bill, Carbon, Energy, Term
from simulator.scenario import Question


@dataclass(frozen=True)
class Money:
    """What usage costs, draws and emits.

    Assumes: of several kinds of node, each is held in its share of the cluster; spares are of the first.
    """

    question: Question
    date: datetime.date

    def energy(self, usage: Usage) -> Energy:
        """Of all nodes [MWh]; parts of other kinds than the first carry their names."""
        drawn = [self._drawn(node, share) for node, share in self._kinds(usage)]
        parts = self._named([each.parts_mwh for each in drawn])
        return drawn[0] if len(drawn) == 1 else Energy(total_mwh=math.fsum(parts.values()), parts_mwh=parts)

    def bill(self, usage: Usage) -> Bill:
        """Of all nodes; items of other kinds than the first carry their names."""
        paid = [
            bill(share, self.question.economics.price, node, self.date, extras, self._drawn(node, share))
            for (node, share), extras in zip(self._kinds(usage), self._extras(), strict=True)
        ]
        if len(paid) == 1:
            return paid[0]
        items = self._named([each.items_usd for each in paid])
        payers = dict.fromkeys(payer for each in paid for payer in each.payer_usd)
        total = math.fsum(items.values())
        worth = [each.donation_worth_usd for each in paid if each.donation_worth_usd is not None]
        return Bill(
            total_usd=total,
            items_usd=items,
            payer_usd={payer: math.fsum(each.payer_usd.get(payer, 0.0) for each in paid) for payer in payers},
            usd_per_million_tokens=total / usage.tokens * 1e6 if usage.tokens else None,
            donation_worth_usd=math.fsum(worth) if worth else None,
        )

    def carbon(self, usage: Usage) -> Carbon:
        """Of all nodes; what making them emitted is unknown where it is unknown of one kind."""
        grid = self.question.economics.grid
        emitted = [carbon(self._drawn(node, share), grid, node, share) for node, share in self._kinds(usage)]
        made = [each.embodied_kg for each in emitted if each.embodied_kg is not None]
        return Carbon(
            operational_kg=math.fsum(each.operational_kg for each in emitted),
            embodied_kg=math.fsum(made) if len(made) == len(emitted) else None,
        )

    def terms(self, usage: Usage) -> tuple[Term, ...]:
        """Each figure with its formula, numbers and source, for `explain`."""
        economics, power = self.question.economics, self.question.economics.power
        stated = (power.per_accelerator, power.source) if power else (None, "")
        found: list[Term] = []
        emissions: list[Term] = []
        for number, ((node, share), extras) in enumerate(zip(self._kinds(usage), self._extras(), strict=True)):
            drawn = self._drawn(node, share)
            told = (
                *bill_terms(share, economics.price, node, self.date, extras, drawn),
                *energy_terms(share, node, economics.pue, stated[0], stated[1], economics.pue_source),
            )
            suffix = f"_{node.accelerator.name}" if number else ""
            found += [replace(term, path=term.path + suffix) for term in told]
            emissions += [replace(term, path=term.path + suffix) for term in carbon_terms(drawn, economics.grid, node, share)]
        return (*found, *emissions)

    def _kinds(self, usage: Usage) -> Sequence[tuple[Node, Usage]]:
        """Each kind of node with its share of the usage."""
        cluster = self.question.cluster
        if not cluster.other_nodes:
            return ((cluster.node, usage),)
        return tuple(
            (
                node,
                replace(
                    usage,
                    nodes=count + (usage.nodes - cluster.count if number == 0 else 0),
                    training_node_s=usage.training_node_s * count / cluster.count,
                    idle_node_s=usage.idle_node_s * count / cluster.count,
                    spare_node_s=usage.spare_node_s if number == 0 else 0.0,
                ),
            )
            for number, (node, count) in enumerate(cluster.kinds)
        )

    def _extras(self) -> Sequence[Extras]:
        """What is paid beside the machines is paid once."""
        return (self.question.economics.extras, *(Extras() for _ in self.question.cluster.other_nodes))

    def _drawn(self, node: Node, usage: Usage) -> Energy:
        economics = self.question.economics
        return energy(usage, node, economics.pue, economics.power.per_accelerator if economics.power else None)

    def _named(self, parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
        others = (other.node.accelerator.name for other in self.question.cluster.other_nodes)
        suffixes = ("", *(f"_{name}" for name in others))
        return {name + suffix: value for suffix, each in zip(suffixes, parts, strict=True) for name, value in each.items()}
