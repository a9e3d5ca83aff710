"""What one accelerator does in one optimizer step, how long, how many bytes."""

from simulator.step.job import Job, Machines, StepAnswer

__all__ = ["Job", "Machines", "StepAnswer"]
