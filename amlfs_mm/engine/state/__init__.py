"""What a search keeps while it runs: the training state, the round, checkpoints on disk."""
