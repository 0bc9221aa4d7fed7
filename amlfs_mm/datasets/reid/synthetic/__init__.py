"""Drawn pedestrians in Market-1501's layout, to try things without a download."""
