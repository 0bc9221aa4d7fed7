"""Finished and unfinished runs: reading them back, comparing them, and reasons to doubt them."""

from .benchmark.comparison import Row, compare_results, group_results, rows_as_data, tabulate
from .benchmark.convergence import Convergence, describe_convergence, measure_convergence
from .benchmark.results import Result, read_results, results_of, write_results
from .benchmark.statistics import compare_paired, holm, mean_interval
from .report.diagnosis import diagnose
from .report.gradients import measure_gradients
from .report.null_drift import NullDrift, drift_without_signal, simulate_null_drift
from .report.report_tables import describe_run, estimate_bias, tabulate_epochs
from .report.selection_bias import expected_maximum, lead_of_winner
from .runs.run import Run, search_options
from .runs.run_groups import group_runs
from .runs.work_dirs import find_runs, read_run

__all__ = [
    'Convergence',
    'NullDrift',
    'Result',
    'Row',
    'Run',
    'compare_paired',
    'compare_results',
    'describe_convergence',
    'describe_run',
    'diagnose',
    'drift_without_signal',
    'estimate_bias',
    'expected_maximum',
    'find_runs',
    'group_results',
    'group_runs',
    'holm',
    'lead_of_winner',
    'mean_interval',
    'measure_convergence',
    'measure_gradients',
    'read_results',
    'read_run',
    'results_of',
    'rows_as_data',
    'search_options',
    'simulate_null_drift',
    'tabulate',
    'tabulate_epochs',
    'write_results',
]
