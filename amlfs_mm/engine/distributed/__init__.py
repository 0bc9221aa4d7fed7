"""The processes of a job: how they start, form a grid, watch each other and fail."""
