"""Two trainings at a time in one work dir: refused, or warned of."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.runs import build

from amlfs_mm.engine.state.work_dir_lock import LOCK_FILE, only_training_in

HOLD = """
import sys
from amlfs_mm.engine.state.work_dir_lock import only_training_in
with only_training_in(sys.argv[1]):
    print('held', flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """A process that trains in the work dir."""
    pipe = subprocess.PIPE
    command = [sys.executable, '-c', HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout.readline() == 'held\n'
        yield process
        process.kill()


def test_another_training_in_the_work_dir(tmp_path: Path, other_process: subprocess.Popen):
    (tmp_path / 'epoch_3.pth').touch()
    runner = build(tmp_path, **{'train_cfg.max_epochs': 1})
    message = rf'process {other_process.pid} trains in {tmp_path}: .*another --work-dir'
    with pytest.raises(BlockingIOError, match=message):
        runner.train()
    assert (tmp_path / 'epoch_3.pth').exists()
    other_process.kill()
    other_process.wait()
    with only_training_in(tmp_path):  # what ended holds nothing
        pass


def test_a_lock_of_another_machine(tmp_path: Path, other_process: subprocess.Popen):
    (tmp_path / LOCK_FILE).write_text('12 on node7')
    with (
        pytest.warns(UserWarning, match='process 12 on node7 trains in'),
        only_training_in(tmp_path),
    ):
        pass
