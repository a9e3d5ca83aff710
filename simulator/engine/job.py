"""One life of a run as SimPy processes, the job and the donor; repairs are a heap of their own.

An event is something that an operator would write in a log. Between two of them time is closed form (`Progress.advance`), so that a life
costs per failure, not per step, node or checkpoint.

Semantics
---------
*Failures* of accelerators and nodes strike whatever is held, hot spares (unless `struck` says no) and nodes beyond the job's size included,
as long as it is held; failures `of: job` strike while the job trains or recovers. A class with a `share` strikes its lemons alone: nodes
with a fault, picked by chance when the run starts; a repair that succeeds, whatever the node came in for, cures it. One that strikes a
node that the job does not use takes that node out and stops nothing. Nothing fails while the run queues, since nothing is held.

*A failure stops the job*: it falls back to the last durable checkpoint. Then, in order: detection; a person where one is needed;
replacement from the hot spares, then the pool; waiting for a repair or the donor where even the smallest size cannot be filled; restart;
reload; warm-up. Where spares are out and a smaller size is in the step table, the job goes on with it at once, and grows back, with a
checkpoint before, when a repair makes a larger size possible.

*Recorded failures* strike at their times since the start of the run, if their node, or anything, is up and held then; else nothing happens.

*Blast radius*: a class with a `block` takes down the whole block of the node that it strikes, spares and nodes of the pool included; it
comes back as one repair. The job stops where one of its nodes in use is among them. *Bursts*: further failures of the class follow, each
of any node; they strike whatever is held by then. *Outage*: nothing can run for so long after the detection.
*Silent corruption*: a `rollback` falls back to the last checkpoint that was durable so long before the failure is noticed.
*Slow nodes*: the job goes on at the pace of the slowest node in use; a slow node that stands aside slows nothing until it comes in. After
`detection` it leaves as a failure does, without another detection, or is well again. A node that was lost meanwhile is slow no more.
*Maintenance*: announced, hence after one more checkpoint where the job trains; at once where it stands. Its window is `detection` and
`outage` together. It is no interruption. A failure during that checkpoint is a failure; the window begins with it.

*Nodes that are taken* without notice enough for a checkpoint stop the job as a failure does, where it uses them: an interruption by cause
`reclaimed`, with nothing to detect; with notice enough, they are a planned stop. Nodes that come are used as soon as a larger prepared size
is there.
*Hot swap*: where the hot spares suffice and the job did not fail as a whole, rejoining takes the place of restart and reload.
*Elastic*: where a whole replica survives, half of the step in progress is lost and nothing else; the job regroups and trains on; spares
come in when they are there, each time in a stop of `rejoin`. A failure while it regroups begins that anew. Where no prepared size is
left, the job failed as a whole, or the state was spoilt, it is a restart from the last checkpoint.
*Templates*, *redundant*, *reroute*: as elastic, with their own step tables. The state of templates is lost too where more nodes than are
tolerated went since the job last trained; that of redundant, where a node beside a missing one, or several neighbours, went.
*Morph*: a restart on as many nodes as are there, spares and pool included.

*Tiers*: where checkpoints stay near and every so many go on to the next tier, and of these to the next, a failure falls back to the last
one in the nearest tier that it leaves: those in a tier are gone where it reaches further than they survive, and those on their way from
there with them. A second failure before the job trains again reads no nearer than the first. A checkpoint before a planned stop is waited
for until it is in storage. An unreadable checkpoint is noticed when it is needed; one that was read once stays good.

*Failure during recovery* (detection included): the recovery begins anew; detection then ends when the last of the failures so far is
detected. Spares are set aside at the failure and called for when it is detected; one that fails on its way in is one more lost node.
*Failure during a checkpoint*: that checkpoint is void; the time stays under `checkpoint`, the training since the last durable one is lost.
So is a checkpoint that still drains.
*Failure of a spare*: it goes to repair.
*Spares*: hot ones first, then warm ones, which failures do not strike. Where they do not suffice, hosts are selected anew: the pool fills
the job and these spares, and what it leaves open in the job is borrowed from others, one node after the other. A node that comes back fills
the job, the hot spares, the warm ones, the pool. A spare may turn out dead when it is there: it goes to repair, counted from the call, and
another is called then, by the same rules.
*Repair*: an automatic stage where there is one, then people where it escalates and once a part is there, first come first served by the
crews. A repair that waits for its part holds no crew; parts go to the repairs in the order in which people would begin; one is used up and
ordered anew for all that a failure took down together. Either stage may leave the fault in and say nothing. A node that has come in too
often is retired. After a queue all are free and all in stock.
*Misdiagnosis*, of a failure of a single node in use that is lost: the node behind it in the job leaves in its stead, and its repair takes
what it would have taken. The faulty one stays and fails again after its time, with detection, wherever it is then, unless it was lost
meanwhile; that may be misdiagnosed again.
*No node left*: the job waits for a repair or the donor. Where neither can come, the run ends there, unfinished.
*At one instant*: what is complete counts first (a checkpoint that ends with the failure is durable), then machines that come or go, then
planned stops, then failures one after the other.

*Planned stops* (end of a job's time limit, a date, a node-hour budget, nodes that the donor takes back): the job stops training early
enough to write and drain one checkpoint before. Where too little time is left to train at all, it stands idle. Where it still recovers at
the stop, the stop comes first. After a time limit it queues again, is handed whole nodes, restarts and reloads. A donor's growth is used
at once: checkpoint, reshape, reload.

*Who is to blame*: a failure, the owner who takes nodes back without notice, or maintenance for the work that it loses, and for all time
until the job trains again, a queue begins, or something else strikes: from there on that. Nodes held in a stretch of several parts count
for these by their seconds; those of training for what was kept, lost and written likewise.

*The end*: after the last token one more checkpoint is written and drained; then the run is finished. The first start is free of restart and
reload. A restart before the first checkpoint loads the initial state in the same time.

*A run that can never finish* ends in finite time: at its horizon; or where nothing can bring a node any more; or where, after any
1 000 failures and job starts, the pace of durable tokens over them would not end the run before its horizon.

*Evaluations and data*: an evaluation every so many tokens and a share of the time in which data are awaited make each step longer, whatever
its pace; what is spent on them after the last durable checkpoint is lost work like the rest.

# Assumes: donors keep their dates; the drain of a checkpoint does not slow the training; a batch system hands out whole nodes; a change
# of phase costs nothing.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import Any, NamedTuple

import simpy

from simulator.engine import donors
from simulator.engine.fleet import Fleet, Lemons
from simulator.engine.hazards import INTERVAL, MISLED, SAVES, VICTIM, Hazards
from simulator.engine.ledger import Ledger
from simulator.engine.life import Life, Phase, RunRecord
from simulator.engine.progress import Pace, Progress, pace
from simulator.engine.streams import Streams, exponential, lognormal, lognormal_factor
from simulator.engine.workshop import Workshop
from simulator.outcome import LogEntry
from simulator.reliability import Always, FailureClass, Replay, ScheduledNodes, Spot

_TIME_LIMIT = "the job's time limit is reached"
_HORIZON = "the horizon is reached"
RECLAIMED = "reclaimed"
"""The cause of an interruption where the owner takes nodes back without notice enough for a checkpoint."""
_PATIENCE = 1000
"""Failures and job starts after which the pace of the run is looked at."""


_STANDING = ("queue", "wait_for_nodes", "idle")
"""Parts of the ledger in which the job does not run."""
_REACH = {"process": 0, "node": 1, "block": 2, "outage": 3}
"""How much is gone, in order."""


def _reach(failure: FailureClass) -> int:
    """How much of what lies near the job a failure takes away."""
    if failure.outage > 0:
        return 3
    if failure.block > 1:
        return 2
    return 1 if failure.loses_node else 0


class Signal(enum.Enum):
    """How a stretch of time ended: as meant, by a failure, by nodes that came or went, by announced maintenance, since the pace changes, by
    a planned stop."""

    DONE = enum.auto()
    FAILED = enum.auto()
    CHANGED = enum.auto()
    ORDERED = enum.auto()
    PACED = enum.auto()
    STOPPED = enum.auto()


class Slow(NamedTuple):
    """A node that is slow until `until` [s], or the job as a whole where `node` is None; or one to fail again, `unseen` [s]."""

    until: float
    node: int | None
    failure: FailureClass
    draws: list[float]
    unseen: float = 0.0


Events = Generator[simpy.Event, Any, Signal]
"""A stretch of time, as a part of the job's process."""


class Recovering(NamedTuple):
    """What a recovery policy does.

    Args:
        recover: (job, `start`, `restart` or `reshape`) -> until it can train, or is stopped.
        fall_back: (job, the failure, or None where nodes came or went) -> what is lost.
        saves_to_grow: whether the job writes a checkpoint before it takes in nodes that came.
    """

    recover: Callable[[Job, str], Events]
    fall_back: Callable[[Job, FailureClass | None], None]
    saves_to_grow: bool = True


class Job:
    """One life: `run` lives it; what a recovery policy needs is public.

    Attributes:
        now: time since the first machine was requested [s].
        size: nodes in use; 0 while that is open.
        trained: nodes that were up when it last trained.
        known_at: when the last failure so far is detected [s].
        back_at, back_part: when an outage or a maintenance window ends [s], and which of the two.
        alive: the processes hold the state; only policies that keep it ask and tell.
        whole: a failure since the last recovery was of the job as a whole.
        read_s: to load the checkpoint that the job fell back to, from where it lies [s].
        draws: the random numbers of that failure; None after a planned stop.
        ending: why the run is given up; empty while it is not.
    """

    def __init__(self, life: Life, policy: Recovering, seed: int, replication: int, log_limit: int) -> None:
        self.life = life
        self._phases = (*life.phases, life.phases[-1])
        self._policy = policy
        self.alive = self.whole = False
        self.now = 0.0
        self.size = self.trained = 0
        self.known_at = self.back_at = 0.0
        self.back_part = "outage"
        self.draws: list[float] | None = None
        self.ending = ""
        streams = Streams(seed, replication)
        spares, classes = life.spares, life.failures.classes if life.failures else ()
        things = life.most_nodes + spares.hot + spares.warm + spares.pool + spares.borrowed
        faults = [each for each in classes if each.share < 1]
        self._faults = {each.cause: place for place, each in enumerate(faults)}
        lemons = tuple(Lemons(streams.chosen(f"lemons/{each.cause}", each.share, things)) for each in faults)
        self._donated = donors.changes(life.availability, life.nodes, streams)
        self.fleet = Fleet(next(self._donated).nodes, spares, lemons)
        self._factor = lognormal_factor(life.step_sigma, streams.stream(f"step/{life.step_stream}", 4).row()[0])
        self._queue = streams.stream("queue", 4)
        further = life.repair.misdiagnosed > 0 or life.repair.parts is not None
        self._hazards = Hazards(life.failures, life.most_nodes + spares.hot, life.accelerators_per_node, streams, further)
        # Rows as long as those of failures, for each spare that comes in and each fault that was left in.
        self._tried, self._again = streams.stream("spares", 16), streams.stream("relapse", 16)
        self._progress = Progress(life.phases, life.checkpoints, any(each.rollback for each in classes))
        self._paces: dict[tuple[int, int, int, float], Pace] = {}
        self._slow: list[Slow] = []
        self._slow_until = math.inf
        self._slowdown = 1.0
        self._ordered: list[tuple[FailureClass, int | None, list[float]]] = []
        self._margin = life.checkpoints.saving_s
        self._tier, self.read_s = -1, life.checkpoints.read_s
        self._horizon = life.horizon
        self._notice = donors.notice(life.availability)
        self._shifts = not isinstance(life.availability, Always)
        self._known: deque[ScheduledNodes] = deque()
        limits = (life.allocation.job_time_limit, life.allocation.node_hours, life.allocation.end)
        self._unplanned = limits == (None, None, None) and not (self._shifts and self._announces)
        self._ledger = Ledger()
        self._interruptions = {failure.cause: 0 for failure in classes if not failure.planned}
        if isinstance(life.availability, Spot | Replay):
            self._interruptions.setdefault(RECLAIMED, 0)
        self._held = self._running = self._struck = self._saving = self._stepping = False
        self._job_ends = math.inf
        self._setbacks = 0
        self._looked = (0.0, 0.0)
        self._why = ""
        self._log_limit = log_limit
        self._log: list[LogEntry] = []
        self._env = simpy.Environment()
        self._workshop = Workshop(life.repair)
        self._news: list[Callable[[], None]] = []
        self._process = self._env.process(self._live())
        if self._shifts:
            self._env.process(self._donor())

    def run(self) -> RunRecord:
        """Live it."""
        self._env.run(until=self._process)
        progress, fleet = self._progress, self.fleet
        self._blame("")
        if self.ending:
            progress.roll_back(self.now)
        ledger = self._ledger
        ledger.close(progress)
        return RunRecord(
            finished=not self.ending,
            ending=self.ending or "the last checkpoint is durable",
            wall_clock_s=self.now,
            tokens=progress.safe_tokens,
            parts_s=ledger.parts_s,
            interruptions=self._interruptions,
            training_node_s=fleet.training_s,
            idle_node_s=fleet.idle_s,
            spare_node_s=fleet.spare_s,
            repair_node_s=fleet.repair_s + fleet.repairing * self.now,
            accelerators_per_node=self.life.accelerators_per_node,
            step_factor=self._factor,
            selections=fleet.selections,
            borrowings=fleet.borrowings,
            parts_node_s=ledger.parts_node_s,
            causes_s=ledger.causes_s,
            causes_node_s=ledger.causes_node_s,
            log=tuple(self._log),
        )

    # -- what a recovery policy may ask ------------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """The present phase; the last one behind the last token."""
        return self._phases[self._progress.phase]

    def largest(self) -> int:
        """The largest size that the nodes present allow; 0 where none does."""
        phase, nodes = self.phase, len(self.fleet.job)
        most = phase.step_s[-1][0]
        return most if nodes >= most else phase.size(nodes)

    @property
    def hopeless(self) -> bool:
        """Nothing can bring another node: none is under repair, and the availability does not change any more."""
        return not self.fleet.repairing and self.now >= self.life.settled_at

    @property
    def _announces(self) -> bool:
        """Whether nodes leave with notice enough for a checkpoint before."""
        return self._notice >= self._margin

    def spend(self, *stages: tuple[str, float]) -> Events:
        """Let time pass under parts of the ledger, one after the other, the machines standing; less where something disturbs.

        Args:
            stages: (part, seconds).
        """
        left = [stage for stage in stages if stage[1] > 0]
        if not left:
            return Signal.DONE
        part = left[0][0]
        spent_on: list[tuple[str, float]] = []

        def book(elapsed: float, to_end: bool) -> None:
            while elapsed > 0:
                name, seconds = left[0]
                spent = elapsed if len(left) == 1 or elapsed < seconds else seconds
                spent_on.append((name, spent))
                left[0] = (name, seconds - spent)
                if len(left) > 1 and spent == seconds:
                    left.pop(0)
                elapsed -= spent

        self._stepping = False
        self._saving = part == "checkpoint"
        self._held, self._running = part != "queue", part not in _STANDING
        self._struck = self._saving or self.life.recovery.struck
        end = self.now + math.fsum([seconds for _, seconds in left])
        blamed, held_s = self._ledger.blamed, self.fleet.held_s
        signal = yield from self._pass(end, book, training=self._saving, growth=part == "wait_for_nodes")
        self._ledger.spend(spent_on, self.fleet.held_s - held_s, blamed)
        return signal

    def _blame(self, cause: str) -> None:
        """From now on that cause answers for what passes; none where it is empty."""
        self._ledger.blame(cause, self._progress.lost)

    def fall_back(self, failure: FailureClass | None = None) -> None:
        """Back to the last checkpoint that the failure has left and that can be read; None where it was none."""
        kept = self.life.checkpoints
        if failure is None:
            self._progress.roll_back(self.now)
            return
        reach = _reach(failure)
        far = (
            next((tier for tier in kept.far if _REACH[tier.survives] >= reach), kept.far[-1])
            if kept.far and reach > _REACH[kept.survives]
            else None
        )
        unreadable = 0
        if kept.fails and self.draws:
            unreadable = math.floor(math.log(max(self.draws[SAVES], 1e-300)) / math.log(kept.fails))
        self._progress.roll_back(self.now, failure.rollback, far, unreadable)
        if far and kept.far.index(far) >= self._tier:
            self._tier, self.read_s = kept.far.index(far), far.read_s

    def lose_step(self) -> None:
        """Half of a step is lost, where one was in progress."""
        if self.size and self._stepping:
            self._progress.shed(self.phase.tokens_per_step / 2, self.now)

    def replace(self, known: float) -> None:
        """Set spares aside for what is missing, called for when the failure is `known` [s]; for dead ones, others after that."""
        came = self.fleet.replace(known)
        while self.life.spares.dead and came:
            dead = [(node, draws) for node in came if (draws := self._tried.row())[VICTIM] < self.life.spares.dead]
            for node, draws in dead:
                place = self.fleet.whereabouts(node)
                if place is not None:
                    self._workshop.take((self.fleet.lose(place, self.now),), self.now, draws)
                    self.note("a spare is dead")
            came = self.fleet.replace(self.fleet.ready_at) if dead else []

    def _arrive(self, node: int) -> None:
        """A spare that was called is there, and works or does not."""
        dead = self.life.spares.dead
        if dead and (draws := self._tried.row())[VICTIM] < dead:
            self.fleet.turn_away(node, self.now)
            self._workshop.take((node,), self.now, draws)
            self.note("a spare is dead")
            self.call_spares(self.now)
        else:
            self.fleet.arrive(node)

    def call_spares(self, known: float) -> None:
        """Spares for what is missing are called for when the failure is `known` [s] and come in on their own."""
        for at, node in self.fleet.call(known):
            self._workshop.expect(node, at)

    def note(self, what: str, cause: str = "") -> None:
        """A line of the operator's log."""
        if len(self._log) < self._log_limit:
            self._log.append(LogEntry(time_s=self.now, what=what, cause=cause, tokens=self._progress.tokens, nodes=self.size))

    # -- processes ---------------------------------------------------------------------------------------------------------------------

    def _live(self) -> Generator[simpy.Event, Any, None]:
        yield from self._start_job()
        how = "start"
        while not self.ending:
            signal = yield from self._policy.recover(self, how)
            if signal is Signal.DONE:
                signal = yield from self._train()
                if signal is Signal.DONE:
                    self.size = 0
                    self.note("finished")
                    return
            how = "restart"
            if signal is not Signal.FAILED:
                if signal is Signal.CHANGED:
                    self._policy.fall_back(self, None)
                else:
                    self.alive = False
                    self.fall_back()
                self.size = 0
            for failure, node, draws in self._ordered:
                self._maintain(failure, node, draws)
            self._ordered.clear()
            if signal is Signal.CHANGED:
                how = "reshape"
                self.note("nodes come or go")
            if signal is Signal.STOPPED and not self.ending:
                yield from self._stop()
        self.note(self.ending)

    def _donor(self) -> Generator[simpy.Event, Any, None]:
        """Says what comes as soon as it is known, where that is early enough to matter."""
        notice = self._notice if self._announces else 0.0
        for change in self._donated:
            yield self._env.timeout(max(0.0, change.at - notice - self._env.now))
            if notice:
                self._tell(partial(self._known.append, change))
                self._env.process(self._change(change))
            else:
                self._tell(partial(self._promised, change))

    def _change(self, change: ScheduledNodes) -> Generator[simpy.Event, Any, None]:
        yield self._env.timeout(max(0.0, change.at - self._env.now))
        self._tell(partial(self._promised, change))

    def _promised(self, change: ScheduledNodes) -> None:
        if self._known and self._known[0] is change:
            self._known.popleft()
        self.fleet.promise(change.nodes)

    def _tell(self, news: Callable[[], None]) -> None:
        """Wake the job: it closes its books up to here before the fleet changes."""
        self._news.append(news)
        self._process.interrupt()

    # -- the job -----------------------------------------------------------------------------------------------------------------------

    def _start_job(self) -> Events:
        """Queue; then all nodes are handed out whole."""
        allocation = self.life.allocation
        self._blame("")
        self._job_ends = math.inf
        chance, waits = self._queue.row()[0], allocation.queue_waits
        wait = waits[int(chance * len(waits))] if waits else lognormal(allocation.queue_wait, allocation.queue_sigma, chance)
        signal = yield from self.spend(("queue", wait))
        if signal is Signal.STOPPED:
            self.ending = self._why
            return signal
        self.fleet.hand_out(self.now)
        self._workshop.clear()
        self._tier, self.read_s = len(self.life.checkpoints.far), self.life.checkpoints.start_read_s
        self._slow.clear()
        self._slow_until = math.inf
        self.known_at = self.back_at = self.now
        self.draws = None
        if allocation.job_time_limit:
            self._job_ends = self.now + allocation.job_time_limit
        self._setback()
        self.note("machines are handed out")
        return Signal.DONE

    def _stop(self) -> Events:
        """A planned stop is reached: the end, or the end of this job only."""
        if self._why != _TIME_LIMIT:
            self.ending = self._why
            return Signal.STOPPED
        self.note(self._why)
        return (yield from self._start_job())

    def _train(self) -> Events:
        """Train to the last token and write the last checkpoint."""
        progress = self._progress
        began = False
        while not progress.complete:
            self.size = self.largest()
            if not self.size:
                return Signal.CHANGED
            self.trained = self.fleet.present
            self._slowdown = 1.0
            if self._slow:
                slow = (each.failure.slowdown for each in self._slow if each.node is None or self.fleet.works(each.node))
                self._slowdown = max(slow, default=1.0)
            pace = self._pace()
            if not began:
                self._blame("")
                progress.start(pace)
                began = True
                self._tier, self.read_s = -1, self.life.checkpoints.read_s
                self.note("training")
            self._stepping = self._held = self._running = self._struck = True
            end = self.now + progress.to_phase_end(pace)
            held_s = self.fleet.held_s
            signal = yield from self._pass(end, self._book, training=True, margin=self._margin, growth=True)
            self._ledger.training_node_s += self.fleet.held_s - held_s
            if signal is Signal.FAILED:
                return signal
            if signal in (Signal.DONE, Signal.PACED):
                continue
            if self.ending or self.fleet.present < self.size:
                return signal
            if signal is Signal.CHANGED and not self._policy.saves_to_grow:
                return signal
            saved = yield from self._save()
            if saved is not Signal.DONE or signal in (Signal.CHANGED, Signal.ORDERED):
                return signal if saved is Signal.DONE else saved
            return (yield from self.spend(("idle", math.inf)))
        return (yield from self._save())

    def _pace(self) -> Pace:
        """The pace on the nodes in use, beside those promised at the moment."""
        key = (self._progress.phase, self.size, self.fleet.promised, self._slowdown)
        if key not in self._paces:
            self._paces[key] = pace(self.phase, self.size, self.fleet.promised, self.life.checkpoints, self._factor, self._slowdown)
        return self._paces[key]

    def _book(self, elapsed: float, to_end: bool) -> None:
        """Closed form for what was trained since the last look."""
        self._progress.advance(elapsed, self._pace(), self.now, to_end)

    def _save(self) -> Events:
        """Write a checkpoint and wait until it is durable; finish the one that is being written instead."""
        progress, checkpoints = self._progress, self.life.checkpoints
        if not progress.unsaved(self.now):
            return Signal.DONE
        signal = yield from self.spend(
            ("checkpoint", (progress.writing or checkpoints.blocking_s) - checkpoints.blocking_s + checkpoints.saving_s)
        )
        if signal is Signal.DONE:
            progress.saved(self.now)
        return signal

    # -- time --------------------------------------------------------------------------------------------------------------------------

    def _pass(self, end: float, book: Callable[[float, bool], None], training: bool, growth: bool, margin: float | None = None) -> Events:
        """Let time pass until `end`, or until something happens that the job must heed.

        Args:
            book: (elapsed, whether that is exactly to the end): closes the ledger's books.
            training: whether the nodes train or write checkpoints.
            growth: whether a larger size that has become possible is heeded.
            margin: by which planned stops are heeded early, for a checkpoint [s]; None where no checkpoint is to come.
        """
        env, fleet, hazards, workshop = self._env, self.fleet, self._hazards, self._workshop
        job = fleet.job
        begun = self.now
        closed = grown = False
        changed = True
        while True:
            now = self.now
            if self._news or workshop.next <= now:
                present = len(job)
                if self._news:
                    closed = self._close(book, begun, end)
                    begun = now
                    for news in self._news:
                        news()
                    self._news.clear()
                while workshop.next <= now:
                    done = workshop.finish()
                    if done:
                        for node in done.nodes:
                            if done.spare:
                                self._arrive(node)
                            else:
                                fleet.repaired(node, done.cured, now)
                grown = grown or (growth and len(job) > present)
                changed = True
            stop, why = (self._horizon, _HORIZON) if self._unplanned else self._planned(margin)
            if now >= end:
                if not closed:
                    book(now - begun, True)
                return Signal.DONE
            if len(job) < self.size or (grown and self.largest() > self.size):
                self._close(book, begun, end)
                if len(job) < self.size and not self._announces:
                    self._interruptions[RECLAIMED] += 1
                    self._blame(RECLAIMED)
                    self.note("interruption", RECLAIMED)
                return Signal.CHANGED
            if now >= stop:
                self._close(book, begun, end)
                self._why = why
                return Signal.STOPPED
            if changed:
                hazards.expose(now, *self._exposed())
                changed = False
            due = hazards.next
            if self._slow_until < due:
                due = self._slow_until
            if now >= due:
                self._close(book, begun, end)
                begun = now
                signal = self._quicken(margin is not None) if now >= self._slow_until else self._strike(margin is not None)
                if signal is not Signal.DONE:
                    return signal
                if self.ending:
                    return Signal.STOPPED
                changed = True
                continue
            target = end if end < stop else stop
            if due < target:
                target = due
            if workshop.next < target:
                target = workshop.next
            if self._shifts and env.peek() <= target:
                try:
                    # Two clocks may differ in the last bit: the job's own says when.
                    delay = target - env.now
                    yield env.timeout(delay if delay > 0 else 0)
                    self.now = target
                except simpy.Interrupt:
                    self.now = min(max(now, env.now), target)
            else:
                # Nobody else is due before: the clock need not be asked.
                self.now = target
            fleet.book(self.now - now, training, self._held)

    def _close(self, book: Callable[[float, bool], None], begun: float, end: float) -> bool:
        """Close the books from `begun` [s] up to now; whether that is the end."""
        closed = self.now >= end
        if closed or self.now > begun:
            book(self.now - begun, closed)
        return closed

    def _planned(self, margin: float | None) -> tuple[float, str]:
        """The next planned stop, less the margin [s], and what it is."""
        allocation = self.life.allocation
        stop, why = self._job_ends, _TIME_LIMIT
        if allocation.end is not None and allocation.end < stop:
            stop, why = allocation.end, "the end date is reached"
        if allocation.node_hours is not None and self._held and self.fleet.held:
            left = max(0.0, allocation.node_hours * 3600.0 - self.fleet.held_s)
            if self.now + left / self.fleet.held < stop:
                stop, why = self.now + left / self.fleet.held, "the node-hour budget is spent"
        if margin is not None:
            leaving = (change.at for change in self._known if change.at > self.now and self.phase.size(change.nodes) < self.size)
            stop = min(stop, next(leaving, math.inf)) - margin
        return (stop, why) if stop < self._horizon else (self._horizon, _HORIZON)

    def _exposed(self) -> tuple[int, bool, list[int]]:
        """What can fail at the moment: nodes, the job, lemons of each kind."""
        fleet = self.fleet
        if self._struck and self._held:
            return fleet.exposed, self._running, [len(kind.exposed) for kind in fleet.lemons]
        return 0, self._struck and self._running, [0] * len(fleet.lemons)

    def _strike(self, training: bool) -> Signal:
        """Something fails now; DONE where that disturbs nothing."""
        self._setback()
        struck = self._hazards.strike()
        if struck is None:
            return Signal.DONE
        failure, draws, known = struck
        if known is not None and self.fleet.whereabouts(known) is None:
            # A node that a log names is elsewhere in this life.
            return Signal.DONE
        fault = self._faults.get(failure.cause)
        if fault is not None and not self.fleet.lemons[fault].exposed:
            # The last of a burst may find no lemon left.
            return Signal.DONE
        if failure.of == "job":
            place = None
        else:
            place = self.fleet.place(fault, draws[VICTIM]) if known is None else self.fleet.whereabouts(known)
        if failure.planned or failure.slowdown > 1:
            node = None if place is None else self.fleet.node(place)
            return self._announced(failure, node, draws, training) if failure.planned else self._slow_down(failure, node, draws, training)
        return self._fail(failure, place, draws, failure.detection)

    def _fail(self, failure: FailureClass, place: int | None, draws: list[float], detection: float) -> Signal:
        """A failure at a place, or of the job as a whole; FAILED where that stops the job."""
        stops = True
        if place is not None:
            foremost = place if failure.block == 1 else self.fleet.foremost(place, failure.block)
            used = self.size or self.fleet.present
            stops = foremost < used
            if failure.loses_node:
                misled = self.life.repair.misdiagnosed
                if misled and stops and failure.block == 1 and used > 1 and draws[MISLED] < misled:
                    self._relapse(failure, self.fleet.node(place))
                    place = (place + 1) % used
                self._take_out(failure, place, draws)
        if not (stops and self._running):
            self.note("failure beside the job", failure.cause)
            return Signal.DONE
        self._interruptions[failure.cause] += 1
        known = self.now + detection
        if known > self.known_at:
            self.known_at = known
        if failure.outage:
            self.back_at, self.back_part = max(self.back_at, known + failure.outage), "outage"
        self.draws = draws
        self.whole = self.whole or failure.of == "job"
        self._blame(failure.cause)
        self._policy.fall_back(self, failure)
        self.size = 0
        self.note("interruption", failure.cause)
        return Signal.FAILED

    def _relapse(self, failure: FailureClass, node: int) -> None:
        """The fault stays where it is and will strike again; what is slow stays so."""
        draws = self._again.row()
        again = self.now + exponential(draws[INTERVAL]) * self.life.repair.relapse
        self._slow.append(Slow(again, node, failure, draws, failure.detection if failure.slowdown == 1 else 0.0))
        self._slow_until = min(self._slow_until, again)
        self.note("misdiagnosis", failure.cause)

    def _take_out(self, failure: FailureClass, place: int, draws: list[float]) -> None:
        """What goes down with the node at a place leaves for one repair; what has been repaired too often, for good."""
        fleet, limit = self.fleet, self.life.repair.retire_after
        down = (fleet.lose(place, self.now),) if failure.block == 1 else fleet.lose_block(place, failure.block, self.now)
        if limit is not None:
            worn = {node for node in down if fleet.wears_out(node, limit)}
            for _ in worn:
                fleet.retire(self.now)
            down = tuple(node for node in down if node not in worn)
        if down:
            self._workshop.take(down, self.now, draws, failure.repair)

    def _announced(self, failure: FailureClass, node: int | None, draws: list[float], training: bool) -> Signal:
        """Maintenance is due: after a checkpoint where the job trains or writes one, at once where it stands."""
        if training or self._saving:
            self._ordered.append((failure, node, draws))
            return Signal.ORDERED if training else Signal.DONE
        self._maintain(failure, node, draws)
        return Signal.FAILED if self._running else Signal.DONE

    def _maintain(self, failure: FailureClass, node: int | None, draws: list[float]) -> None:
        """The job stands for maintenance; the node, where it is about one, leaves."""
        place = None if node is None else self.fleet.whereabouts(node)
        if place is not None and failure.loses_node:
            self._take_out(failure, place, draws)
        self._blame(failure.cause)
        self.back_at, self.back_part = max(self.back_at, self.now + failure.detection + failure.outage), "maintenance"
        self.draws = draws
        self.size = 0
        self.note("maintenance", failure.cause)

    def _slow_down(self, failure: FailureClass, node: int | None, draws: list[float], training: bool) -> Signal:
        self._slow.append(Slow(self.now + failure.detection, node, failure, draws))
        self._slow_until = min(each.until for each in self._slow)
        self.note("slow", failure.cause)
        return Signal.PACED if training else Signal.DONE

    def _quicken(self, training: bool) -> Signal:
        """What was slow is so no more: the node leaves, or it is over."""
        slow = min(self._slow, key=lambda each: each.until)
        self._slow.remove(slow)
        self._slow_until = min((each.until for each in self._slow), default=math.inf)
        place = None if slow.node is None else self.fleet.whereabouts(slow.node)
        if slow.failure.loses_node and place is not None:
            return self._fail(slow.failure, place, slow.draws, slow.unseen)
        self.note("slow no more", slow.failure.cause)
        return Signal.PACED if training else Signal.DONE

    def _setback(self) -> None:
        """Give up where the pace over the last setbacks leads nowhere."""
        self._setbacks += 1
        if self._setbacks % _PATIENCE:
            return
        then, tokens = self._looked
        self._looked = (self.now, self._progress.safe_tokens)
        gained, left = self._looked[1] - tokens, self.life.tokens - self._looked[1]
        if (self.now - then) * left > (self._horizon - self.now) * gained or gained <= 0 < left:
            self.ending = f"{_PATIENCE} failures and job starts brought {gained:.3g} tokens: the run would outlast its horizon"
