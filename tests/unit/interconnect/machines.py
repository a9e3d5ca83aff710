"""The machine that tests of networks join."""

from simulator.hardware import Accelerator, Node, NodePower, ScaleUp

ACCELERATOR = Accelerator(name="a", peak={"bf16": 1e15}, memory=80e9, memory_bandwidth=3e12, power=700.0, launched="2022-09")


def node(*, accelerators=8, nics=8, kind="switch", domain=None, rate=450e9, nic_rate=50e9):
    return Node(
        accelerator=ACCELERATOR,
        accelerators=accelerators,
        scale_up=ScaleUp(kind=kind, rate=rate, domain=domain),
        nics=nics,
        nic_rate=nic_rate,
        power=NodePower(rated=1.0, training=1.0, idle=1.0),
    )
