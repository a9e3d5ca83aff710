"""Two binary trees in each of which every inner vertex of the other is a leaf: rounds up and down between domains."""

from __future__ import annotations

import numpy as np

from simulator.collectives.plan import Round


def tree_rounds(domains: int, local: int) -> tuple[Round, ...]:
    """Reduction up to the root and back down, on each of `local` rails: tree 0 of rail c carries chunk 2c, tree 1 chunk 2c + 1.

    Tree 0 is a heap over the domains, tree 1 the same over the domains in opposite order.
    """
    up = []
    level, rail = 1, np.arange(local)
    while level < domains:
        child = np.arange(level, min(2 * level + 1, domains))
        parent = (child - 1) // 2
        source, target = (
            (np.array([end, domains - 1 - end])[..., None] * local + rail).ravel() for end in (child, parent)
        )  # tree, domain, rail
        chunk = np.broadcast_to(2 * rail + np.array([0, 1])[:, None, None], (2, len(child), local)).ravel()
        up.append((source, target, chunk))
        level = 2 * level + 1
    rising = tuple(Round(source=source, target=target, chunk=chunk, reduces=True) for source, target, chunk in reversed(up))
    sinking = tuple(Round(source=target, target=source, chunk=chunk) for source, target, chunk in up)
    return rising + sinking
