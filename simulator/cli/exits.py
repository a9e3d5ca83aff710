"""Exit codes: a script can tell what happened."""

ANSWERED = 0
BUG = 1
USAGE = 2
INVALID = 3
MISSED = 4
"""Ran, but an expectation was missed or nothing was feasible."""
PARTIAL = 5
"""Some runs of a sweep failed."""
INTERRUPTED = 130
