"""Training loops: of a search (the paper's Algorithm 1), of a replay, and of a teacher."""
