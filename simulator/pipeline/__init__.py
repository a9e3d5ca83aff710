"""Pipeline schedules as tables of slots, and the one player that prices them."""

from simulator.pipeline.dualpipe import DualPipe
from simulator.pipeline.gpipe import GPipe
from simulator.pipeline.interleaved import Interleaved
from simulator.pipeline.one_forward_one_backward import OneForwardOneBackward
from simulator.pipeline.player import SCHEDULES, Schedule, Timeline, play
from simulator.pipeline.slot import FORWARD, Route, Slot
from simulator.pipeline.zero_bubble_h1 import ZeroBubbleH1
from simulator.pipeline.zero_bubble_h2 import ZeroBubbleH2
from simulator.pipeline.zero_bubble_v import ZeroBubbleV

__all__ = [
    "FORWARD",
    "SCHEDULES",
    "DualPipe",
    "GPipe",
    "Interleaved",
    "OneForwardOneBackward",
    "Route",
    "Schedule",
    "Slot",
    "Timeline",
    "ZeroBubbleH1",
    "ZeroBubbleH2",
    "ZeroBubbleV",
    "play",
]
