"""Missing, foreign and damaged work dirs: an error that names the file, never a wrong result."""

import copy
import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import BASELINE, write_run

from amlfs_mm.analysis import find_runs, read_run


def test_what_is_no_run(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r'there is no work dir or checkpoint .*nowhere'):
        find_runs([tmp_path / 'nowhere'])
    with pytest.raises(FileNotFoundError, match='no dumped config'):
        find_runs([tmp_path])


def test_foreign_python_files_are_not_run(tmp_path: Path):
    (tmp_path / 'setup.py').write_text('raise SystemExit("I was run")\nmodel = 1\n')
    (tmp_path / 'torn.py').write_text('model = dict(\nwork_dir =')
    with pytest.raises(FileNotFoundError, match='no dumped config'):
        find_runs([tmp_path])


def test_home_directory(tmp_path: Path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    write_run(tmp_path / 'run', BASELINE)
    assert find_runs(['~/run'])[0].directory == tmp_path / 'run'


def test_checkpoints_of_something_else(tmp_path: Path, tiny_run: Path):
    shutil.copy(next(tiny_run.glob('*.py')), tmp_path)
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict={}), path)
    with pytest.raises(ValueError, match=r"epoch_1.pth has no 'loss_search' state"):
        read_run(path)
    for content in (b'', b'no checkpoint', (tiny_run / 'epoch_1.pth').read_bytes()[:5000]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r'epoch_1.pth is (damaged|refused)'):
            read_run(path)


def test_a_history_without_its_search(tmp_path: Path, tiny_records: list[dict]):
    write_run(tmp_path / 'run', BASELINE, records=tiny_records)
    with pytest.raises(ValueError, match=r'baseline_resnet20_digits.py, has no LossSearchHook'):
        read_run(tmp_path / 'run')


def broken(records: list[dict], kind: str) -> str:
    """The text of a history that is wrong in one way."""
    records = copy.deepcopy(records)
    match kind:
        case 'empty':
            records = []
        case 'a round is missing':
            del records[1]
        case 'foreign':
            records = [dict(accuracy=1.0)]
        case 'no object':
            return '[1, 2]\n'
        case 'not a number':
            records[1]['mu'][3] = None
        case 'another dimension':
            records[2]['theta'][1].pop()
        case 'a reward too few':
            records[0]['reward'].pop()
        case 'a winner that diverged':
            records[0]['reward'][records[0]['best']] = None
        case 'a control without a reward':
            records[1]['control'] = dict(score=50.0)
        case 'from a later round':
            records[1]['lineage'] = dict(started_from=2, went_back_to=None)
        case 'back to itself':
            records[1]['lineage'] = dict(started_from=1, went_back_to=2)
    text = ''.join(json.dumps(record) + '\n' for record in records)
    return text[:-100] if kind == 'cut short' else text


@pytest.mark.parametrize(
    ('kind', 'message'),
    [
        ('empty', 'holds no round of a search'),
        ('cut short', 'line 3, is no JSON'),
        ('no object', 'line 1, is no JSON object'),
        ('foreign', r"round 1: it has no \['epoch', "),
        ('a round is missing', 'round 2: it starts with epoch 3, after epoch 1'),
        ('not a number', 'round 2: mu is no list of 24 finite numbers'),
        ('another dimension', 'round 3: theta of candidate 1 is no list of 24'),
        ('a reward too few', 'round 1: reward does not have a value for each of the 4'),
        ('a winner that diverged', r'round 1: its winner \(best\) is'),
        ('a control without a reward', 'round 2: the reward of its control is neither'),
        ('from a later round', 'round 2: lineage has no earlier epoch'),
        ('back to itself', 'round 2: it went back to 2, which is no earlier epoch'),
    ],
)
def test_histories(kind: str, message: str, tmp_path: Path, tiny_records: list[dict]):
    work_dir = write_run(tmp_path / 'run', TINY_SEARCH)
    (work_dir / 'loss_search.jsonl').write_text(broken(tiny_records, kind))
    with pytest.raises(ValueError, match=rf'run/loss_search.jsonl.*{message}'):
        read_run(work_dir)


@pytest.mark.parametrize('name', ['test.json', 'compute.json'])
@pytest.mark.parametrize('content', ['', '{"accuracy/top1": 9', '[1]', '{"a": "b"}'])
def test_metrics(name: str, content: str, tmp_path: Path):
    work_dir = write_run(tmp_path / 'run', BASELINE)
    (work_dir / name).write_text(content)
    with pytest.raises(ValueError, match=f'run/{name} (is no JSON|must hold numbers)'):
        read_run(work_dir)


@pytest.mark.parametrize('content', ['', '{"kept": "search"}', '[1]', '{"kept": "both"}'])
def test_the_choice_between_search_and_control(content: str, tmp_path: Path):
    work_dir = write_run(tmp_path / 'run', TINY_SEARCH)
    if 'both' in content:
        names = ('reward', 'search', 'control', 'difference', 'interval')
        content = json.dumps(dict.fromkeys(names) | dict(kept='both'))
    (work_dir / 'kept_model.json').write_text(content)
    with pytest.raises(ValueError, match=r'run/kept_model.json(: kept must| is not as)'):
        read_run(work_dir)


@pytest.mark.parametrize(('first', 'left'), [(1, []), (3, [1, 2])])
def test_scalars_of_an_earlier_run_in_the_work_dir(tmp_path: Path, first: int, left: list[int]):
    """One started anew there, or went on from an earlier epoch, and was killed."""
    old = {epoch: {'accuracy/top1': 60.0 + epoch} for epoch in range(1, 6)}
    work_dir = write_run(tmp_path / 'run', BASELINE, validation=old)
    scalars = work_dir / '20260102_000000' / 'vis_data' / 'scalars.json'
    scalars.parent.mkdir(parents=True)
    lines = [dict(loss=1.0, epoch=first, step=9), {'accuracy/top1': 20.0, 'step': first + 1}]
    scalars.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    assert list(read_run(work_dir).validation) == [*left, first + 1]


def test_scalars_of_a_killed_run(tmp_path: Path):
    """MMEngine appends to the file: only its last line can be cut short."""
    work_dir = write_run(tmp_path / 'run', BASELINE, validation={1: {'a/b': 5.0}, 2: {'a/b': 6.0}})
    (scalars,) = work_dir.glob('*/vis_data/scalars.json')
    whole = scalars.read_text()
    scalars.write_text(whole[:-10])
    assert read_run(work_dir).validation == {1: {'a/b': 5.0}}
    scalars.write_text(whole.replace('"step": 1}', '"ste', 1))
    with pytest.raises(ValueError, match=r'scalars.json, line 1, is no JSON'):
        read_run(work_dir)
