"""SIGKILL at random moments: resumed as often as it takes, the end is that of a quiet run.

The moment is the n-th call of a Python function, n drawn by a seed: in the middle of an iteration,
an evaluation, a hand-over, a write. ``tools/run_tests.sh --faults`` runs all and prints a report.
"""

import time
from pathlib import Path

import pytest
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import assert_same_run

OPTIONS = {
    1: [],
    2: [],
    4: ['--cfg-options', 'loss_search.replicas_per_candidate=2'],
}


@pytest.fixture(scope='module')
def quiet_runs(tmp_path_factory: pytest.TempPathFactory):
    """By number of processes: the work dir of an uninterrupted run, the calls of each rank."""
    done: dict[int, tuple[Path, list[int]]] = {}

    def quiet_run(processes: int) -> tuple[Path, list[int]]:
        if processes not in done:
            directory = tmp_path_factory.mktemp('quiet')
            note = directory / 'calls'
            config = config_with(directory, dict(type='CountCalls', note=str(note)))
            work_dir = directory / 'work'
            Job(work_dir, *OPTIONS[processes], config=config, processes=processes).finish()
            calls = [int(Path(f'{note}_{rank}').read_text()) for rank in range(processes)]
            done[processes] = work_dir, calls
        return done[processes]

    return quiet_run


def kill_and_resume(seed: int, processes: int, tmp_path: Path, quiet_runs, report) -> None:
    """Kill a rank twice on the way, resume each time; the end must be the quiet run's."""
    quiet, calls = quiet_runs(processes)
    rank = seed % processes
    kills = []
    for attempt in range(2):
        note = tmp_path / f'killed_{attempt}'
        kill = dict(
            type='KillAtCall',
            seed=100 * seed + attempt,
            calls=int(0.9 * calls[rank]) // (attempt + 1),
            note=str(note),
            rank=rank,
        )
        config = config_with(tmp_path, kill)
        work_dir = tmp_path / 'work'
        job = Job(work_dir, '--resume', *OPTIONS[processes], config=config, processes=processes)
        job.ranks[rank].join(120)
        job.kill()  # as a launcher does with the others
        if note.exists():
            kills.append(note.read_text())
    start = time.monotonic()
    resumed = Job(work_dir, '--resume', *OPTIONS[processes], processes=processes)
    resumed.wait_for('Loss search:', timeout=60)
    recovery = time.monotonic() - start
    resumed.finish()
    assert_same_run(quiet, work_dir)
    report.append((seed, processes, kills, recovery))
    assert kills


@pytest.mark.parametrize(('seed', 'processes'), [(100, 1), (101, 2)])
def test_some(seed: int, processes: int, tmp_path: Path, quiet_runs, fault_report):
    kill_and_resume(seed, processes, tmp_path, quiet_runs, fault_report)


@pytest.mark.faults
@pytest.mark.parametrize('processes', [1, 2, 4])
@pytest.mark.parametrize('seed', range(8))
def test_many(seed: int, processes: int, tmp_path: Path, quiet_runs, fault_report):
    kill_and_resume(seed, processes, tmp_path, quiet_runs, fault_report)


PLACES = [
    # (event, number, processes, rank): writing, syncing, renaming checkpoints and logs
    ('open', 1, 1, 0),
    ('open', 4, 1, 0),
    ('os.rename', 2, 1, 0),
    ('os.rename', 3, 1, 0),
    # meeting, handing over as the one that sends or receives, evaluating
    ('barrier', 2, 2, 1),
    ('broadcast', 8, 2, 0),
    ('broadcast', 8, 2, 1),
    ('evaluate', 4, 2, 0),
]


def kill_at(place: tuple, tmp_path: Path, quiet_runs, report) -> None:
    event, number, processes, rank = place
    quiet, _ = quiet_runs(processes)
    note = tmp_path / 'killed'
    kill = dict(type='KillAtEvent', event=event, number=number, note=str(note), rank=rank)
    work_dir = tmp_path / 'work'
    job = Job(work_dir, config=config_with(tmp_path, kill), processes=processes)
    job.ranks[rank].join(120)
    job.kill()
    start = time.monotonic()
    resumed = Job(work_dir, '--resume', processes=processes)
    resumed.wait_for('Loss search:', timeout=60)
    recovery = time.monotonic() - start
    resumed.finish()
    assert_same_run(quiet, work_dir)
    report.append((0, processes, [note.read_text()], recovery))


@pytest.mark.parametrize('place', [('open', 2, 1, 0)])
def test_while_writing(place: tuple, tmp_path: Path, quiet_runs, fault_report):
    kill_at(place, tmp_path, quiet_runs, fault_report)


@pytest.mark.faults
@pytest.mark.parametrize('place', PLACES, ids=lambda place: '-'.join(map(str, place)))
def test_at_a_place(place: tuple, tmp_path: Path, quiet_runs, fault_report):
    kill_at(place, tmp_path, quiet_runs, fault_report)
