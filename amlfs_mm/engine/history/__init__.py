"""What a search tells: its record files, its log lines, its progress bar, its compute."""
