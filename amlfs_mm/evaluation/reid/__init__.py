"""Person re-identification: distances, ranking, re-ranking and their metric."""
