"""What one accelerator does in one optimizer step, how long, how many bytes."""

from simulator.step.chunks import executed_flop
from simulator.step.clock import Clock, Known, Unplayed, clock, unplayed
from simulator.step.evaluate import CHECKPOINT_BYTES, answer, evaluate
from simulator.step.job import Job, Machines, StepAnswer
from simulator.step.memory import KnownKinds, fits, host_memory, memory_use, rank_memory
from simulator.step.memory_terms import memory_terms
from simulator.step.uncertainty import memory_interval

__all__ = [
    "CHECKPOINT_BYTES",
    "Clock",
    "Job",
    "Known",
    "KnownKinds",
    "Machines",
    "StepAnswer",
    "Unplayed",
    "answer",
    "clock",
    "evaluate",
    "executed_flop",
    "fits",
    "host_memory",
    "memory_interval",
    "memory_terms",
    "memory_use",
    "rank_memory",
    "unplayed",
]
