"""Pipeline schedules as tables of slots, and the one player that prices them."""

from simulator.pipeline.gpipe import GPipe
from simulator.pipeline.interleaved import Interleaved
from simulator.pipeline.one_forward_one_backward import OneForwardOneBackward
from simulator.pipeline.player import SCHEDULES, Schedule, Timeline, play
from simulator.pipeline.slot import Slot

__all__ = ["SCHEDULES", "GPipe", "Interleaved", "OneForwardOneBackward", "Schedule", "Slot", "Timeline", "play"]
