"""Where the nodes are: in the job, ready as hot or warm spares, in the pool, with others, under repair; and how long each stood there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from simulator.reliability import Spares


class Lemons:
    """The nodes that have the fault of one failure class.

    Attributes:
        faulty: wherever they are.
        exposed: those that the failures can strike at the moment.
    """

    __slots__ = ("_at", "exposed", "faulty")

    def __init__(self, faulty: Iterable[int]) -> None:
        self.faulty = set(faulty)
        self.exposed: list[int] = []
        self._at: dict[int, int] = {}

    def expose(self, nodes: Iterable[int]) -> None:
        """Failures can strike those of these nodes that are faulty."""
        for node in nodes:
            if node in self.faulty:
                self._at[node] = len(self.exposed)
                self.exposed.append(node)

    def withdraw(self, node: int) -> None:
        """Failures can strike it no more; its place in the row goes to the last."""
        at = self._at.pop(node, None)
        if at is not None:
            last = self.exposed.pop()
            if last != node:
                self.exposed[at] = last
                self._at[last] = at

    def clear(self) -> None:
        """Failures can strike none."""
        self.exposed.clear()
        self._at.clear()


class Fleet:
    """Every node by its number, and the node-seconds that follow. Neighbours in number are neighbours in the machine room.

    Attributes:
        promised: nodes that the availability grants at the moment.
        job: nodes of the job that are up, spares on their way in included; its size's worth of them, from the first on, are in use.
        hot: hot spares that are up.
        warm: warm spares; failures do not strike them.
        pool: nodes that can be had on demand; neither held nor paid.
        others: nodes of lower-priority jobs that can be had.
        away: nodes out for repair, by what the repair was told.
        lemons: one per failure class that strikes a share of the nodes.
        training_s, idle_s, spare_s: node-seconds of nodes that trained, that stood, of spares that are held [s].
        repair_s: node-seconds of repairs that have ended, less the starts of those that have not [s].
        ready_at: when the last spare on its way in is there [s].
        selections, borrowings: how often hosts were selected anew after hot and warm spares ran out; nodes taken from others.
    """

    def __init__(self, promised: int, spares: Spares, lemons: tuple[Lemons, ...] = ()) -> None:
        self._spares = spares
        self._repairs: dict[int, int] = {}
        self.lemons = lemons
        self.training_s = self.idle_s = self.spare_s = self.repair_s = 0.0
        self.selections = self.borrowings = 0
        self.promised = promised
        self._free: deque[int] = deque()
        self._place()

    def _place(self) -> None:
        """All nodes whole and in their first places."""
        spares = self._spares
        first, second = self.promised, self.promised + spares.hot
        warm, third = second + spares.warm, second + spares.warm + spares.pool
        self._fresh = third + spares.borrowed
        self.job = list(range(first))
        self.hot = deque(range(first, second))
        self.warm = deque(range(second, warm))
        self.pool = deque(range(warm, third))
        self.others = deque(range(third, self._fresh))
        self._free.clear()
        self.repairing = self._coming = 0
        self.ready_at = 0.0
        self._at = {node: at for at, node in enumerate(self.job)}
        struck = second if spares.struck else first
        for kind in self.lemons:
            kind.clear()
            kind.expose(range(struck))

    @property
    def present(self) -> int:
        """Nodes of the job that are up, spares on their way in included."""
        return len(self.job)

    @property
    def held(self) -> int:
        """Nodes held: the job's and the spares that are."""
        return len(self.job) + self._standing

    @property
    def _standing(self) -> int:
        """Spares that are held."""
        return len(self.hot) + len(self.warm) if self._spares.warm_held else len(self.hot)

    @property
    def exposed(self) -> int:
        """Nodes that failures can strike."""
        return len(self.job) + len(self.hot) if self._spares.struck else len(self.job)

    @property
    def held_s(self) -> float:
        """Node-seconds held so far."""
        return self.training_s + self.idle_s + self.spare_s

    def book(self, seconds: float, training: bool, held: bool) -> None:
        """Add up `seconds` in the present state.

        Args:
            training: the job trains or writes checkpoints.
            held: the machines are with the run, and not in a queue.
        """
        if held:
            self.spare_s += seconds * self._standing
            if training:
                self.training_s += seconds * len(self.job)
            else:
                self.idle_s += seconds * len(self.job)

    def place(self, fault: int | None, chance: float) -> int:
        """Where a failure strikes: a place among the nodes that it can, those of the job first, then the hot spares.

        Args:
            fault: which of the lemons it strikes; None where it may be any node.
            chance: uniform in [0, 1).
        """
        if fault is None:
            return int(chance * self.exposed)
        exposed = self.lemons[fault].exposed
        node = exposed[int(chance * len(exposed))]
        at = self._at.get(node)
        return len(self.job) + self.hot.index(node) if at is None else at

    def node(self, place: int) -> int:
        """The node at a place."""
        return self.job[place] if place < len(self.job) else self.hot[place - len(self.job)]

    def works(self, node: int) -> bool:
        """Whether a node is one of the job's."""
        return node in self._at

    def whereabouts(self, node: int) -> int | None:
        """The place of a node among those that can be struck; None where it is elsewhere."""
        at = self._at.get(node)
        return len(self.job) + self.hot.index(node) if at is None and node in self.hot else at

    def foremost(self, place: int, block: int) -> int:
        """The first place in the job of a node of the block of the one at `place`; beyond the last where there is none."""
        first = self.node(place) // block * block
        return min((self._at[node] for node in range(first, first + block) if node in self._at), default=len(self.job))

    def lose(self, place: int, now: float) -> int:
        """The node at a place among those that can be struck goes to repair."""
        if place < len(self.job):
            node = self.job[place]
            last = self.job.pop()
            del self._at[node]
            if place < len(self.job):
                self.job[place] = last
                self._at[last] = place
        else:
            node = self.hot[place - len(self.job)]
            del self.hot[place - len(self.job)]
        self._withdraw(node)
        self.repairing += 1
        self.repair_s -= now
        return node

    def lose_block(self, place: int, block: int, now: float) -> tuple[int, ...]:
        """The node at a place goes to repair, and with it all its block, wherever they are, other than under repair already."""
        first = self.node(place) // block * block
        down = range(first, first + block)
        lost: list[int] = []
        for nodes in (self.job, self.hot, self.warm, self.pool, self.others, self._free):
            there = [node for node in nodes if node in down]
            if there:
                kept = [node for node in nodes if node not in down]
                nodes.clear()
                nodes.extend(kept)
            lost += there
        self._at = {node: at for at, node in enumerate(self.job)}
        for kind in self.lemons:
            for node in lost:
                kind.withdraw(node)
        self.repairing += len(lost)
        self.repair_s -= now * len(lost)
        return tuple(lost)

    def promise(self, nodes: int) -> None:
        """The availability changes: new nodes come at once and whole, leaving ones are taken from those present."""
        for _ in range(min(max(0, nodes - self.promised), nodes - len(self.job))):
            node = self._free.popleft() if self._free else self._fresh
            self._fresh = max(self._fresh, node + 1)
            self._join(node)
        while len(self.job) > nodes:
            node = self.job.pop()
            del self._at[node]
            self._withdraw(node)
            self._free.append(node)
        self.promised = nodes

    def hand_out(self, now: float) -> None:
        """A new job is handed all its nodes whole; those under repair are the site's business from here."""
        self.repair_s += self.repairing * now
        self._place()
        self.ready_at = now

    def replace(self, known: float) -> list[int]:
        """Set hot spares, then warm ones, nodes of the pool, others' aside for the job; called for when the failure is `known` [s].

        They are there at `ready_at`.
        """
        spares = self._spares
        missing = self.promised - len(self.job)
        came: list[int] = []
        for source, delay in ((self.hot, spares.hot_swap), (self.warm, spares.warm_delay)):
            count = min(missing - len(came), len(source))
            for _ in range(count):
                node = source.popleft()
                if source is self.hot and spares.struck:
                    self._append(node)
                else:
                    self._join(node)
                came.append(node)
            if count:
                self.ready_at = max(self.ready_at, known + delay)
        pool = min(missing - len(came), len(self.pool))
        others = min(missing - len(came) - pool, len(self.others))
        if not (pool or others):
            return came
        for _ in range(pool):
            came.append(self.pool.popleft())
            self._join(came[-1])
        for _ in range(others):
            came.append(self.others.popleft())
            self._join(came[-1])
        while len(self.hot) < spares.hot and self.pool:
            self._stand_by(self.pool.popleft())
        while len(self.warm) < spares.warm and self.pool:
            self.warm.append(self.pool.popleft())
        self.selections += 1
        self.borrowings += others
        self.ready_at = max(self.ready_at, known + spares.pool_delay + others * spares.borrow_delay)
        return came

    def call(self, known: float) -> list[tuple[float, int]]:
        """As `replace`, for a job that does not wait: (when [s], node) of each spare that is on its way from now on."""
        spares = self._spares
        missing = self.promised - len(self.job) - self._coming
        called: list[tuple[float, int]] = []
        at = known + spares.hot_swap
        for source, delay in ((self.hot, spares.hot_swap), (self.warm, spares.warm_delay), (self.pool, spares.pool_delay)):
            count = min(missing - len(called), len(source))
            for _ in range(count):
                node = source.popleft()
                if source is self.hot and spares.struck:
                    self._withdraw(node)
                called.append((known + delay, node))
            if source is self.pool and count:
                self.selections += 1
                at = known + delay
        while len(called) < missing and self.others:
            at += spares.borrow_delay
            called.append((at, self.others.popleft()))
            self.borrowings += 1
        self._coming += len(called)
        return called

    def arrive(self, node: int) -> None:
        """A spare that was called is there."""
        self._coming -= 1
        self._settle(node)

    def turn_away(self, node: int, now: float) -> None:
        """A spare that was called does not work: it goes to repair."""
        self._coming -= 1
        self.repairing += 1
        self.repair_s -= now

    def repaired(self, node: int, cured: bool, now: float) -> None:
        """A node is back: into the job where one is missing, else to the spares, else to the pool; one too many goes."""
        self.repairing -= 1
        self.repair_s += now
        if cured:
            for kind in self.lemons:
                kind.faulty.discard(node)
        self._settle(node)

    def _settle(self, node: int) -> None:
        """Where a node is needed: the job, the hot spares, the warm ones, the pool; else it goes."""
        if len(self.job) < self.promised:
            self._join(node)
        elif len(self.hot) < self._spares.hot:
            self._stand_by(node)
        elif len(self.warm) < self._spares.warm:
            self.warm.append(node)
        elif len(self.pool) < self._spares.pool + self._spares.borrowed - len(self.others):
            self.pool.append(node)
        else:
            self._free.append(node)

    def wears_out(self, node: int, limit: int | None) -> bool:
        """Count a repair of the node; whether it is one too many."""
        if limit is None:
            return False
        count = self._repairs[node] = self._repairs.get(node, 0) + 1
        return count >= limit

    def retire(self, now: float) -> None:
        """A node that was lost does not come back."""
        self.repairing -= 1
        self.repair_s += now

    def _append(self, node: int) -> None:
        self._at[node] = len(self.job)
        self.job.append(node)

    def _join(self, node: int) -> None:
        """Into the job, from where failures do not strike."""
        self._append(node)
        for kind in self.lemons:
            kind.expose((node,))

    def _stand_by(self, node: int) -> None:
        """To the hot spares, from where failures do not strike."""
        self.hot.append(node)
        if self._spares.struck:
            for kind in self.lemons:
                kind.expose((node,))

    def _withdraw(self, node: int) -> None:
        """To where failures do not strike."""
        for kind in self.lemons:
            kind.withdraw(node)
