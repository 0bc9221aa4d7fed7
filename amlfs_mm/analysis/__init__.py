"""Finished and unfinished runs: reading them back, comparing them, and reasons to doubt them."""

from .comparison import Row, compare_groups, compare_paired, group_runs, mean_interval
from .diagnosis import diagnose
from .gradients import measure_gradients
from .null_drift import NullDrift, drift_without_signal, simulate_null_drift
from .report_tables import describe_run, estimate_bias, tabulate_epochs
from .run import Run, search_options
from .selection_bias import expected_maximum, lead_of_winner
from .work_dirs import find_runs, read_run

__all__ = [
    'NullDrift',
    'Row',
    'Run',
    'compare_groups',
    'compare_paired',
    'describe_run',
    'diagnose',
    'drift_without_signal',
    'estimate_bias',
    'expected_maximum',
    'find_runs',
    'group_runs',
    'lead_of_winner',
    'mean_interval',
    'measure_gradients',
    'read_run',
    'search_options',
    'simulate_null_drift',
    'tabulate_epochs',
]
