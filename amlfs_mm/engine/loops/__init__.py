"""The training loop of a search: the paper's Algorithm 1."""
