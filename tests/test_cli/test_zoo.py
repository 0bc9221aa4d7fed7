"""The zoo: what is in it, and ``amlfs_mm zoo``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import torch
import yaml

from amlfs_mm.cli.zoo import main
from amlfs_mm.engine.history.loss_schedule import LossSchedule
from amlfs_mm.registry import search_space_of
from amlfs_mm.search import SearchSpace, find_loss, loss_path, zoo_names
from amlfs_mm.search.zoo_files import FOLDER

KEYS = {
    *('Name', 'Task', 'Status', 'Data', 'Net', 'Noise', 'B', 'Command', 'Commit'),
    *('Results on D_v', 'Results on the test', 'Helps', 'Does not help', 'Not measured'),
}
NAME = 'fashion_mnist_noise40'


def entries() -> list[dict]:
    return yaml.safe_load((FOLDER / 'metafile.yml').read_text())['Losses']


def test_every_loss_has_an_entry_with_all_keys():
    assert sorted(entry['Name'] for entry in entries()) == zoo_names()
    for entry in entries():
        assert set(entry) == KEYS, entry['Name']
        assert all(entry.values()), entry['Name']


@pytest.mark.parametrize('name', zoo_names())
def test_every_loss_can_be_used(name: str):
    """As a start of a search or a constant loss; a schedule also in a replay."""
    content = json.loads(loss_path(f'zoo:{name}').read_text())
    assert 'config' not in content  # it would name folders of somebody's machine
    space = search_space_of(content['search_space'])
    assert find_loss(space, f'zoo:{name}').shape == (space.dim,)
    if 'epochs' in content:
        assert LossSchedule.read(f'zoo:{name}').stretched(7).shape == (7, space.dim)


def test_an_unknown_name():
    for read in (LossSchedule.read, lambda name: find_loss(SearchSpace(6), name)):
        with pytest.raises(FileNotFoundError, match=f"zoo has no loss 'none': it has .*{NAME}"):
            read('zoo:none')


def test_list_and_show(capsys: pytest.CaptureFixture):
    main(['list'])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == zoo_names()
    main(['show', NAME])
    shown = capsys.readouterr().out
    assert 'Does not help' in shown
    assert 'a schedule in SearchSpace(num_intervals=6), 30 x 24 numbers' in shown
    assert shown.count('tau =') == 5


def test_show_of_a_file_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture):
    space = SearchSpace(2)
    path = tmp_path / 'loss.json'
    theta = space.known_loss('robust', b=0.5).tolist()
    path.write_text(json.dumps(dict(search_space=repr(space), theta=theta)))
    main(['show', str(path)])
    shown = capsys.readouterr().out
    assert 'a constant loss in SearchSpace(num_intervals=2), 1 x 8 numbers' in shown
    assert '1 p + 0.5 for 0 <= p < 0.5' in shown
    main(['export', str(path)])
    assert 'class SearchedSoftmax(' in capsys.readouterr().out
    path.rename(tmp_path / 'mine')
    main(['show', str(tmp_path / 'mine')])
    assert '1 p + 0.5 for 0 <= p < 0.5' in capsys.readouterr().out


def test_show_has_the_least_slope_of_the_head(tmp_path: Path, capsys: pytest.CaptureFixture):
    space = SearchSpace(1)
    content = dict(
        search_space=repr(space), theta=space.identity().tolist(), head=dict(min_slope=1.5)
    )
    path = tmp_path / 'loss.json'
    path.write_text(json.dumps(content))
    main(['show', str(path)])
    assert '1.5 p + 0 for 0 <= p <= 1' in capsys.readouterr().out


@pytest.mark.parametrize('suffix', ['png', 'svg'])
def test_plot(suffix: str, tmp_path: Path):
    out = tmp_path / f'loss.{suffix}'
    main(['plot', NAME, '--out', str(out)])
    start = b'\x89PNG' if suffix == 'png' else b'<?xml'
    assert out.read_bytes().startswith(start)


def test_export_says_where_the_loss_is_from(capsys: pytest.CaptureFixture):
    main(['export', f'zoo:{NAME}', '--to', 'torch'])
    text = capsys.readouterr().out
    names: dict = {'__name__': 'loss'}
    exec(compile(text, 'loss.py', 'exec'), names)
    assert NAME in names['__doc__']
    assert 'Commit: ' in names['__doc__']
    criterion = names['SearchedSoftmax'](scale=16.0)
    assert torch.isfinite(criterion(torch.zeros(2, 3), torch.tensor([0, 1]), 0.5))


def test_merge(tmp_path: Path, capsys: pytest.CaptureFixture):
    path, out = loss_path(f'zoo:{NAME}'), tmp_path / 'mine.json'
    main(['merge', str(path), f'zoo:{NAME}', '--smooth', '3', '--out', str(out)])
    assert 'Written' in capsys.readouterr().out
    one, two = LossSchedule.read(path).stretched(30).double(), LossSchedule.read(out).stretched(30)
    assert len(json.loads(out.read_text())['epochs']) == 30
    torch.testing.assert_close(two[1].double(), one[:3].mean(0), rtol=1e-6, atol=1e-6)


def test_one_loss_of_a_schedule(tmp_path: Path):
    """The zoo's constant loss is what this command makes of its schedule."""
    out = tmp_path / 'constant.json'
    main(['merge', f'zoo:{NAME}', '--constant', '--out', str(out)])
    assert out.read_text() == loss_path(f'zoo:{NAME}_constant').read_text()
    mean = LossSchedule.read(f'zoo:{NAME}').stretched(30).double().mean(0)
    assert torch.equal(find_loss(SearchSpace(6), str(out)), mean.float())


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            ['merge', f'zoo:{NAME}', '--smooth', '3', '--constant', '--out', 'o.json'],
            'leave out --smooth',
        ),
        (['show', 'none'], f"'none' is neither a loss of the zoo .*{NAME}.* nor a file"),
        (['export', 'zoo:none'], "'zoo:none' is neither"),
        (['merge', 'none.json', '--out', 'o.json'], r"no loss schedule 'none\.json'"),
        (['merge', f'zoo:{NAME}', '--smooth', '2', '--out', 'o.json'], 'must be 1, 3, 5'),
    ],
)
def test_errors_are_one_line(arguments, message, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['amlfs_mm zoo'])
    with pytest.raises(SystemExit, match=message):
        main(arguments)
    assert not Path('o.json').exists()


@pytest.mark.parametrize('options', [[], ['--constant']])
def test_merge_into_a_file_that_no_config_could_name(options: list, tmp_path: Path, capsys):
    with pytest.raises(SystemExit):
        main(['merge', f'zoo:{NAME}', *options, '--out', str(tmp_path / 'mine')])
    assert re.search(r"--out: must end in \.json, .* got '.*mine'", capsys.readouterr().err)
    assert not (tmp_path / 'mine').exists()


def test_a_file_that_is_cut_short(tmp_path: Path):
    path = tmp_path / 'half.json'
    path.write_text(loss_path(f'zoo:{NAME}').read_text()[:500])
    for action in ('show', 'export'):
        with pytest.raises(SystemExit, match='no JSON, or is cut short'):
            main([action, str(path)])
