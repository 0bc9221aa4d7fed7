"""What a report says of a run: tables, pictures, and reasons to doubt it."""
