"""A work dir of a real search, and a baseline's, read back."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.work_dirs import BASELINE, write_run

from amlfs_mm.analysis import find_runs, read_run
from amlfs_mm.search import SearchSpace


def test_a_search(tiny_run: Path, tiny_records: list[dict]):
    run = read_run(tiny_run)
    assert (run.name, run.seed, run.reward) == ('tiny_search', 0, 'accuracy/top1')
    assert run.records == run.searched == tiny_records
    assert run.epochs == 3
    assert run.candidate_epochs == 4 * 3
    assert run.moves_mu
    assert run.samples_losses
    assert isinstance(run.search_space, SearchSpace)
    assert run.tau_floor == 'relative'
    assert run.test == {}
    # mmengine logs the winner's metrics on D_v.
    last = tiny_records[-1]
    assert run.validation[3]['accuracy/top1'] == pytest.approx(last['reward'][last['best']])


def test_a_checkpoint_is_the_search_up_to_it(tiny_run: Path, tiny_records: list[dict]):
    assert read_run(tiny_run / 'epoch_2.pth').records == tiny_records[:2]


def test_a_baseline(tmp_path: Path):
    validation = {1: {'accuracy/top1': 50.0}, 2: {'accuracy/top1': 60.0}}
    work_dir = write_run(tmp_path / 'run', BASELINE, test={'a/b': 1.0}, validation=validation)
    (work_dir / 'compute.json').write_text(json.dumps(dict(candidate_epochs=2, images=1794)))
    (run,) = find_runs([work_dir])
    assert run.validation == validation
    assert (run.epochs, run.candidate_epochs, run.images) == (2, 2, 1794)
    assert run.test == {'a/b': 1.0}
    assert not run.moves_mu


def test_what_is_no_run(tmp_path: Path, tiny_run: Path):
    with pytest.raises(FileNotFoundError, match=r'there is no work dir or checkpoint .*nowhere'):
        find_runs([tmp_path / 'nowhere'])
    with pytest.raises(FileNotFoundError, match='no dumped config'):
        find_runs([tmp_path])
    shutil.copy(next(tiny_run.glob('*.py')), tmp_path)
    torch.save(dict(state_dict={}), tmp_path / 'epoch_1.pth')
    with pytest.raises(ValueError, match="no 'loss_search' state"):
        read_run(tmp_path / 'epoch_1.pth')
