"""Fixtures that tests of several folders share."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.jobs import Job

from amlfs_mm.analysis.runs.records import read_records


@pytest.fixture(scope='session')
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work dir of one finished tiny search on one process."""
    work_dir = tmp_path_factory.mktemp('tiny_run')
    Job(work_dir).finish()
    return work_dir


@pytest.fixture(scope='session')
def tiny_records(tiny_run: Path) -> list[dict]:
    return read_records(tiny_run / 'loss_search.jsonl')


FAULTS: list[tuple[int, int, list[str], float]] = []


@pytest.fixture(scope='session')
def fault_report() -> list[tuple[int, int, list[str], float]]:
    """(seed, processes, where it was killed, seconds until the resumed job trains) of survivors."""
    return FAULTS


def pytest_terminal_summary(terminalreporter) -> None:
    """Faults tried, survived, and the time to recovery."""
    if not FAULTS:
        return
    failed = sum('test_kills' in r.nodeid for r in terminalreporter.stats.get('failed', []))
    kills = [place for _, _, places, _ in FAULTS for place in places]
    seconds = sorted(recovery for *_, recovery in FAULTS)
    terminalreporter.section('SIGKILL at random moments')
    for seed, processes, places, recovery in FAULTS:
        terminalreporter.line(
            f'seed {seed}, {processes} processes, {recovery:4.1f} s: killed in {"; ".join(places)}'
        )
    terminalreporter.line(
        f'{len(FAULTS) + failed} runs, {len(kills)} kills; {len(FAULTS)} runs ended bit for bit as '
        f'if never killed, {failed} did not; seconds until a resumed job trained: median '
        f'{seconds[len(seconds) // 2]:.1f}, longest {seconds[-1]:.1f}'
    )
