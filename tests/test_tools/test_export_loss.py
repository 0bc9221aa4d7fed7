"""tools/analysis/export_loss.py prints and writes what the search found."""

import json
from pathlib import Path

import pytest
import torch
from helpers.work_dirs import run_tool

from amlfs_mm.cli import zoo
from amlfs_mm.models import AMLFSHead
from amlfs_mm.search import SearchSpace, formulas


@pytest.fixture
def export(capsys, tmp_path: Path):
    """Run the tool in this process: the loss file and what was printed."""

    def call(*arguments) -> tuple[dict, str]:
        out = tmp_path / 'loss.json'
        run_tool('export_loss.py', *arguments, '--out', out)
        return json.loads(out.read_text()), capsys.readouterr().out

    return call


def test_work_dir_schedule_and_checkpoint_agree(export, tiny_run: Path, tiny_records: list[dict]):
    for source in (tiny_run, tiny_run / 'loss_schedule.json', tiny_run / 'epoch_3.pth'):
        loss, printed = export(source)
        assert (loss['what'], loss['epoch']) == ('mu', 3)
        assert loss['theta'] == tiny_records[-1]['mu']
        loss, printed = export(source, '--what', 'winner', '--epoch', 2)
        assert loss['theta'] == tiny_records[1]['theta'][tiny_records[1]['best']]
        for name, lines in formulas(SearchSpace(6), torch.tensor(loss['theta'])).items():
            assert loss['formulas'][name] == lines
            assert '\n  '.join([f'{name} =', *lines]) in printed


def test_a_head_trains_with_it(export, tiny_run: Path, tmp_path: Path):
    loss, _ = export(tiny_run)
    head = AMLFSHead(10, 16, theta=str(tmp_path / 'loss.json'))
    assert head.theta.tolist() == loss['theta']
    again, _ = export(tmp_path / 'loss.json')
    assert again['theta'] == loss['theta']
    schedule = AMLFSHead(10, 16, theta=str(tiny_run / 'loss_schedule.json'))
    assert schedule.theta.tolist() == loss['theta']


def test_options_of_the_head(export, tiny_run: Path, tmp_path: Path, capsys):
    """From a schedule, a checkpoint and a loss file; the file written for torch has them too."""
    head = dict(min_slope=1.0, tau_floor='constant')
    was, now = "type='amlfs_mm.AMLFSHead'", "min_slope=1.0, tau_floor='constant', type='AMLFSHead'"
    schedule = json.loads((tiny_run / 'loss_schedule.json').read_text())
    checkpoint = torch.load(tiny_run / 'epoch_3.pth', weights_only=True)
    assert was in schedule['config']
    schedule['config'] = schedule['config'].replace(was, now)
    checkpoint['meta']['cfg'] = checkpoint['meta']['cfg'].replace(was, now)
    sources = [tmp_path / name for name in ('loss_schedule.json', 'epoch_3.pth', 'loss.json')]
    sources[0].write_text(json.dumps(schedule))
    torch.save(checkpoint, sources[1])
    for source in sources:
        loss, _ = export(source)
        theta = torch.tensor(loss['theta'])
        assert loss['head'] == head
        assert loss['formulas'] == formulas(SearchSpace(6), theta, 1.0)
        assert loss['formulas'] != formulas(SearchSpace(6), theta)
    zoo.main(['export', str(tmp_path / 'loss.json')])
    text = capsys.readouterr().out
    assert 'MIN_SLOPE = 1.0' in text
    assert "TAU_FLOOR = 'constant'" in text


def test_default_place(tiny_run: Path, tmp_path: Path):
    schedule = tmp_path / 'loss_schedule.json'
    schedule.write_text((tiny_run / 'loss_schedule.json').read_text())
    run_tool('export_loss.py', tmp_path)
    assert (tmp_path / 'loss_mu_epoch_3.json').is_file()


def test_refused(export, tiny_run: Path, tmp_path: Path):
    other = tmp_path / 'other.json'
    other.write_text('{"accuracy/top1": 90.0}')
    torch.save(dict(state_dict={}), tmp_path / 'plain.pth')
    (tmp_path / 'empty').mkdir()
    schedule = (tiny_run / 'loss_schedule.json').read_text()
    (tmp_path / 'cut.json').write_text(schedule[:-200])
    (tmp_path / 'no_epochs.json').write_text(json.dumps({**json.loads(schedule), 'epochs': []}))
    loss = dict(search_space='SearchSpace(num_intervals=6)', theta=[1.0] * 23)
    (tmp_path / 'short.json').write_text(json.dumps(loss))
    for arguments, message in (
        ([tiny_run, '--epoch', 4], 'no epoch 4; there are 1 to 3'),
        ([tmp_path / 'empty'], 'has neither loss_schedule.json nor checkpoints'),
        ([tmp_path / 'no.pth'], 'there is no file'),
        ([other], 'is neither a loss nor a loss schedule'),
        ([tmp_path / 'cut.json'], 'cut.json is no JSON, or is cut short'),
        ([tmp_path / 'no_epochs.json'], 'no_epochs.json is no loss schedule: it has no epochs'),
        ([tmp_path / 'short.json'], 'short.json is a loss of .* with 23 numbers'),
        ([tmp_path / 'plain.pth'], "no 'loss_search' state"),
    ):
        with pytest.raises(SystemExit, match=message):
            export(*arguments)


def test_a_file_that_no_config_could_name(tiny_run: Path, tmp_path: Path, capsys):
    with pytest.raises(SystemExit):
        run_tool('export_loss.py', tiny_run, '--out', tmp_path / 'mine')
    assert 'must end in .json' in capsys.readouterr().err
    assert not (tmp_path / 'mine').exists()
