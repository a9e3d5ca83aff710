"""Where the nodes are: in the job, ready as hot spares, in the pool, under repair; and how long each stood there."""

from __future__ import annotations

from simulator.reliability import Spares


class Fleet:
    """Counts of nodes and the node-seconds that follow.

    Attributes:
        promised: nodes that the availability grants at the moment.
        present: nodes of the job that are up, spares on their way in included.
        hot: hot spares that are up.
        pool: nodes that can be had on demand; neither held nor paid.
        repairing: nodes out for repair.
        training_s, idle_s, spare_s: node-seconds of nodes that trained, that stood, of hot spares [s].
        repair_s: node-seconds of repairs that have ended, less the starts of those that have not [s].
        ready_at: when the last spare on its way in is there [s].
    """

    def __init__(self, promised: int, spares: Spares) -> None:
        self._spares = spares
        self.promised = promised
        self.present = promised
        self.hot = spares.hot
        self.pool = spares.pool
        self.repairing = 0
        self.ready_at = 0.0
        self.training_s = self.idle_s = self.spare_s = self.repair_s = 0.0

    @property
    def held(self) -> int:
        """Nodes held: the job's and the hot spares."""
        return self.present + self.hot

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
            self.spare_s += seconds * self.hot
            if training:
                self.training_s += seconds * self.present
            else:
                self.idle_s += seconds * self.present

    @property
    def full(self) -> bool:
        """Neither the job nor the hot spares lack a node: another one would change nothing that is held."""
        return self.present >= self.promised and self.hot >= self._spares.hot

    def lose(self, spare: bool, now: float) -> None:
        """A hot spare or a node of the job goes to repair."""
        if spare:
            self.hot -= 1
        else:
            self.present -= 1
        self.repairing += 1
        self.repair_s -= now

    def promise(self, nodes: int) -> None:
        """The availability changes: new nodes come at once and whole, leaving ones are taken from those present."""
        self.present = min(self.present + max(0, nodes - self.promised), nodes)
        self.promised = nodes

    def hand_out(self, now: float) -> None:
        """A new job is handed all its nodes whole; those under repair are the site's business from here."""
        self.repair_s += self.repairing * now
        self.present, self.hot, self.pool, self.repairing = self.promised, self._spares.hot, self._spares.pool, 0
        self.ready_at = now

    def replace(self, known: float) -> None:
        """Set hot spares, then nodes of the pool aside for the job; called for when the failure is `known` [s], there at `ready_at`."""
        hot = min(self.promised - self.present, self.hot)
        pool = min(self.promised - self.present - hot, self.pool)
        self.hot -= hot
        self.pool -= pool
        self.present += hot + pool
        if pool:
            self.ready_at = max(self.ready_at, known + self._spares.pool_delay)
        elif hot:
            self.ready_at = max(self.ready_at, known + self._spares.hot_swap)

    def repaired(self, now: float) -> None:
        """A node is back: into the job where one is missing, else to the hot spares, else to the pool; one too many goes."""
        self.repairing -= 1
        self.repair_s += now
        if self.present < self.promised:
            self.present += 1
        elif self.hot < self._spares.hot:
            self.hot += 1
        elif self.pool < self._spares.pool:
            self.pool += 1
