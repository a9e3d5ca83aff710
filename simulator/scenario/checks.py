"""What one field cannot know: values of a question that do not go together."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from simulator.economics import Donated, OnDemand, Owned, PriceList, Reserved, SpotRent
from simulator.economics.price_list import Column
from simulator.errors import MendableError
from simulator.hardware import Node
from simulator.interconnect import joinable, with_faults, with_neighbours
from simulator.parallelism import Layout
from simulator.reliability import Always, Morph, Redundant, Reroute, Schedule, Surviving, Templates
from simulator.scenario.question import Given, Question

Item = TypeVar("Item")

_YEAR = 365.25 * 86400.0


@dataclass(frozen=True)
class Finding:
    """A problem that has no place yet: `path` says which value to point at."""

    path: str
    what: str
    mend: str = ""


def findings(question: Question, date: datetime.date, hindsight: bool) -> Iterator[Finding]:
    """Everything in one alternative that cannot be meant."""
    yield from _positive(question)
    yield from _precision(question)
    yield from _layouts(question)
    yield from _microbatch(question)
    yield from _phases(question)
    yield from _availability(question)
    yield from _recovery(question)
    yield from _placement(question)
    others = list(_other_nodes(question))
    yield from others
    yield from _network(question) if not others else ()
    yield from _price(question, date)
    if not hindsight:
        yield from _later(question, date)


def _positive(question: Question) -> Iterator[Finding]:
    training, cluster, economics = question.training, question.cluster, question.economics
    counted = {
        "training.global_batch": training.global_batch,
        "training.microbatch": training.microbatch,
        "training.sequence": training.sequence,
        "training.tokens": training.tokens,
        "cluster.count": cluster.count,
    } | {
        f"training.phases.{n}.{name}": getattr(phase, name)
        for n, phase in enumerate(training.phases)
        for name in ("global_batch", "sequence")
    }
    for path, value in counted.items():
        if value is not None and value <= 0:
            name = path.rpartition(".")[2]
            yield Finding(path, f"{name} is {value:g}", "write at least 1" if name != "tokens" else "write for example 300B tokens")
    if economics.pue < 1:
        yield Finding("economics.pue", f"a PUE of {economics.pue:g} gives cooling for less than nothing", "write at least 1, e.g. 1.1")


def _nodes(question: Question) -> Iterator[tuple[str, Node]]:
    """Every kind of node and where it is written."""
    yield "cluster.node", question.cluster.node
    for n, other in enumerate(question.cluster.other_nodes):
        yield f"cluster.other_nodes.{n}.node", other.node


def _precision(question: Question) -> Iterator[Finding]:
    precision = question.training.precision
    for _, node in _nodes(question):
        if precision not in node.accelerator.peak:
            known = ", ".join(node.accelerator.peak)
            yield Finding(
                "training.precision", f"{node.accelerator.name or 'the accelerator'} has no peak for {precision}", f"it has {known}"
            )


def _other_nodes(question: Question) -> Iterator[Finding]:
    """What a job over several kinds of node cannot be asked."""
    cluster = question.cluster
    if not cluster.other_nodes:
        return
    others = sum(other.count for other in cluster.other_nodes)
    if others >= cluster.count:
        what = f"{others} of {cluster.count} nodes are of another kind: none is left of the first"
        yield Finding("cluster.other_nodes", what, "make the most frequent kind the cluster's node")
    for path, node in _nodes(question):
        try:
            joinable(cluster.node, node)
        except MendableError as error:
            yield Finding(path, error.what, error.mend)
    if not isinstance(cluster.availability, Always):
        what = "nodes of several kinds that come and go are not modelled: which kind leaves is not said"
        yield Finding("cluster.availability", what, "leave out availability, or other_nodes")
    if isinstance(question.reliability.recovery, Morph | Surviving):
        what = "nodes of several kinds are not modelled with recovery that goes on with fewer: which kind is lost is not said"
        yield Finding("reliability.recovery", what, "write kind: restart or hot_swap, or leave out other_nodes")


def _layouts(question: Question) -> Iterator[Finding]:
    training, cluster = question.training, question.cluster
    # A schedule may add nodes later, but never more than `count`.
    available = cluster.count * cluster.node.accelerators
    given = {"training.layout": (training.layout, training.global_batch)}
    given |= {
        f"training.phases.{n}.layout": (phase.layout, phase.global_batch or training.global_batch)
        for n, phase in enumerate(training.phases)
        if phase.layout is not None
    }
    for path, (layout, batch) in given.items():
        if isinstance(layout, Layout) and layout.accelerators > available > 0:
            yield Finding(path, *too_large(layout, available, batch))


def _microbatch(question: Question) -> Iterator[Finding]:
    """With a layout of its own the scenario's microbatch and schedules would go unheard."""
    training = question.training
    if isinstance(training.layout, Layout) and training.microbatch not in (None, training.layout.microbatch):
        what = f"microbatch is {training.microbatch}, that of the layout {training.layout.microbatch}"
        yield Finding("training.microbatch", what, f"write it in the layout alone: layout.microbatch: {training.microbatch}")
    if isinstance(training.layout, Layout) and training.schedules:
        yield Finding(
            "training.schedules", "the layout is given, nothing is chosen from these schedules", "write layout: auto, or leave them out"
        )


def too_large(layout: Layout, available: int, batch: int) -> tuple[str, str]:
    """What is wrong with a layout that needs more accelerators than there are, and what would fit and share a batch [sequences]."""
    degrees = {name: getattr(layout, name) for name in ("tensor", "context", "pipeline", "data") if getattr(layout, name) > 1}
    product = " × ".join(f"{name} {degree}" for name, degree in degrees.items())
    one = layout.accelerators // layout.data
    what = f"{product} = {_grouped(layout.accelerators)} accelerators, the cluster has {_grouped(available)}"
    share = layout.microbatch * (layout.pipeline if layout.schedule == "interleaved" else 1)
    fits = next((data for data in range(available // one, 0, -1) if batch % (data * share) == 0), None)
    if one <= available:
        return what, f"data: {fits} would fit" if fits else f"the batch of {batch} does not split over {share} x data; lower microbatch"
    return what, f"even data: 1 needs {_grouped(one)}; lower {max(degrees, key=lambda name: degrees[name])}"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", " ")


def _phases(question: Question) -> Iterator[Finding]:
    before = 0.0
    for n, phase in enumerate(question.training.phases):
        if phase.until <= before:
            what = f"ends at {phase.until:.4g} of the tokens, the phase before it at {before:.4g}"
            yield Finding(f"training.phases.{n}.until", what, "put the phases in order, each with a larger until")
        before = max(before, phase.until)


def _availability(question: Question) -> Iterator[Finding]:
    availability, count = question.cluster.availability, question.cluster.count
    if isinstance(availability, Schedule):
        for n, change in enumerate(availability.changes):
            if change.nodes > count:
                what = f"{change.nodes} nodes, the cluster has {count}"
                yield Finding(f"cluster.availability.changes.{n}.nodes", what, f"write at most {count}, or a larger cluster.count")


def _recovery(question: Question) -> Iterator[Finding]:
    """Nodes can be missing only where there are some, and a stated step is stated for what the policy goes on with."""
    recovery, step, count = question.reliability.recovery, question.training.step, question.cluster.count
    if isinstance(recovery, Morph | Templates | Redundant | Reroute):
        if recovery.drop >= count > 0:
            what = f"{recovery.drop} nodes can be missing, the cluster has {count}"
            yield Finding("reliability.recovery.drop", what, f"write at most {count - 1}")
        if isinstance(step, Given) and not step.sizes:
            what = f"the step is given for {count} nodes alone, and recovery: {recovery.kind} goes on with fewer"
            yield Finding("training.step", what, f"add sizes: [{{nodes: {count - 1}, time: 14 s}}], or write recovery: {{kind: restart}}")
    if not isinstance(step, Given):
        return
    for n, each in enumerate(step.sizes):
        if each.nodes >= count > 0:
            what = f"{each.nodes} nodes are stated, the cluster has {count}, whose step is time"
            yield Finding(f"training.step.sizes.{n}.nodes", what, f"write at most {count - 1}")


def _placement(question: Question) -> Iterator[Finding]:
    try:
        question.cluster.placement.room(question.cluster.count)
    except MendableError as error:
        yield Finding("cluster.placement", error.what, error.mend)


def _network(question: Question) -> Iterator[Finding]:
    """Faults name what is there and leave a way between any two nodes; neighbours find room."""
    cluster = question.cluster
    if not (cluster.network_faults or cluster.passing_faults or cluster.neighbours):
        return
    try:
        whole = cluster.topology.build(cluster.node, cluster.placement.room(cluster.count))
    except MendableError:
        return  # told where the network is built
    nodes = cluster.placement.stands(cluster.count)
    yield from _refused(cluster.network_faults, "cluster.network_faults", lambda some: with_faults(whole, some))
    failures = question.reliability.failures
    known = {each.cause for each in failures.classes} if failures else set()
    for n, passing in enumerate(cluster.passing_faults):
        if passing.cause in known:
            what = f"the cause {passing.cause!r} stands twice, here or among the failures"
            yield Finding(f"cluster.passing_faults.{n}.cause", what, "give each its own: it names its line in the ledger")
        known.add(passing.cause)
        try:
            with_faults(whole, (passing.fault,))
        except MendableError as error:
            field = re.split(r"\W", error.what, maxsplit=1)[0]
            path = f"cluster.passing_faults.{n}.fault{f'.{field}' if hasattr(passing.fault, field) else ''}"
            yield Finding(path, error.what, error.mend)
    yield from _refused(cluster.neighbours, "cluster.neighbours", lambda some: with_neighbours(whole, some, nodes))


def _refused(listed: Sequence[Item], path: str, build: Callable[[Sequence[Item]], object]) -> Iterator[Finding]:
    """Items of a list that cannot be built, each at its own place; or all together."""
    wrong = False
    for n, item in enumerate(listed):
        try:
            build((item,))
        except MendableError as error:
            wrong = True
            field = re.split(r"\W", error.what, maxsplit=1)[0]
            yield Finding(f"{path}.{n}{f'.{field}' if hasattr(item, field) else ''}", error.what, error.mend)
    if not wrong:
        try:
            build(listed)
        except MendableError as error:
            yield Finding(path, f"together: {error.what}", error.mend)


def _price(question: Question, date: datetime.date) -> Iterator[Finding]:
    """The price list has a price of every accelerator, of the kind asked for, that held on the date."""
    price = question.economics.price
    for name in dict.fromkeys(node.accelerator.name for _, node in _nodes(question)):
        asked: tuple[str, PriceList, Column] | None = None
        match price:
            case OnDemand():
                asked = "list", price.list, "on_demand"
            case SpotRent():
                asked = "list", price.list, "spot"
            case Reserved():
                asked = "list", price.list, "reserved_1y" if price.term < 2 * _YEAR else "reserved_3y"
            case Donated():
                asked = "market", price.market, "on_demand"
            case Owned() if price.costs.accelerator != name:
                told = name or "an accelerator without a name"
                what = f"the costs {price.costs.name} are those of {price.costs.accelerator}, the nodes have {told}"
                yield Finding("economics.price.costs", what, "name costs of this accelerator, or write them inline")
        if asked is not None:
            field, prices, column = asked
            try:
                prices.quote(name, date, column, getattr(price, "vendor", None))
            except MendableError as error:
                yield Finding(f"economics.price.{field}", error.what, error.mend)


def _later(question: Question, date: datetime.date) -> Iterator[Finding]:
    """Hardware and software that did not exist yet."""
    say = "or write hindsight: true"
    software = question.training.software
    for path, node in _nodes(question):
        accelerator = node.accelerator
        launched = accelerator.launched[:7]
        if re.fullmatch(r"\d{4}(-\d\d)?", launched) and launched > date.isoformat()[: len(launched)]:
            what = f"{accelerator.name or 'the accelerator'} was launched in {accelerator.launched}, later than the scenario's {date}"
            yield Finding(path, what, f"choose an older one, {say}")
    if software.year > date.year:
        what = f"{software.name or 'the software'} is of {software.year}, later than the scenario's {date}"
        yield Finding("training.software", what, f"choose an older one, {say}")
