"""A simulator of distributed training clusters: what will it take to train this model on that cluster, and what will go wrong?"""

__version__ = "0.1.0"
