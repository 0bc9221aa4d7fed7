"""Every figure of tools/analysis/figures.py is written, PNG and SVG, from real runs."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import BASELINE, make_result, run_tool
from PIL import Image

from amlfs_mm.analysis import read_results, write_results


def check(directory: Path, names: set[str]) -> None:
    assert {path.name for path in directory.iterdir()} == {
        f'{name}.{kind}' for name in names for kind in ('png', 'svg')
    }
    for name in names:
        assert min(Image.open(directory / f'{name}.png').size) > 400
        assert ElementTree.parse(directory / f'{name}.svg').getroot().tag.endswith('svg')


def test_losses(tmp_path: Path):
    run_tool('figures.py', 'losses', '--num-intervals', 3, '--out-dir', tmp_path)
    check(tmp_path, {'known_losses'})


@pytest.mark.slow  # test_report.py draws the same pictures
def test_search_up_to_a_checkpoint(tiny_run: Path, tmp_path: Path):
    arguments = ['search', tiny_run / 'epoch_2.pth', '--epoch', 1, '--null-runs', tiny_run]
    run_tool('figures.py', *arguments, '--out-dir', tmp_path)
    kinds = ('mu', 'reward', 'occupancy', 'loss', 'population')
    check(tmp_path, {f'search_{kind}' for kind in kinds})


def test_gradients(tiny_run: Path, tmp_path: Path):
    pairs = [TINY_SEARCH, tiny_run / 'epoch_2.pth', TINY_SEARCH, tiny_run / 'epoch_3.pth']
    options = ['--names', 'epoch 2', 'epoch 3', '--max-samples', 32, '--out-dir', tmp_path]
    run_tool('figures.py', 'gradients', *pairs, *options)
    check(tmp_path, {'gradients'})
    assert 'epoch 3' in (tmp_path / 'gradients.svg').read_text()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['search', 'nowhere'], 'there is no work dir or checkpoint nowhere'),
        (['search', '{run}', '--epoch', '9'], 'the search has epochs 1 to 3, got --epoch 9'),
        (['gradients', TINY_SEARCH], 'give a CHECKPOINT after each CONFIG'),
        (['gradients', TINY_SEARCH, 'none.pth'], "there is no checkpoint 'none.pth'"),
        (['gradients', 'none.py', 'none.pth'], "there is no config 'none.py'"),
        (
            ['gradients', BASELINE, '{run}/epoch_3.pth'],
            'epoch_3.pth is the checkpoint of another model',
        ),
        (['losses', '--num-intervals', '0'], 'num_intervals must be a whole number >= 1'),
        (['losses', '--num-classes', '1'], 'num_classes 2 or more'),
    ],
)
def test_mistakes(arguments: list, message: str, tiny_run: Path, tmp_path: Path):
    arguments = [str(argument).format(run=tiny_run) for argument in arguments]
    with pytest.raises(SystemExit, match=message):
        run_tool('figures.py', *arguments, '--out-dir', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_a_benchmark(tmp_path: Path):
    for data, gain in (('mlp_x_40', 2.0), ('mlp_x_0', -1.0)):
        results = [
            make_result(name, seed, 80.0 + shift + 0.1 * seed, validation={1: 60.0, 2: 70.0 + seed})
            for name, shift in (('baseline_mlp_x', 0.0), ('amlfs_mlp_x', gain))
            for seed in (0, 1)
        ]
        write_results(results, tmp_path / f'{data}.jsonl')
    files, out = [tmp_path / 'mlp_x_40.jsonl', tmp_path / 'mlp_x_0.jsonl'], tmp_path / 'figures'
    run_tool('figures.py', 'gains', *files, '--out-dir', out)
    run_tool('figures.py', 'curves', files[0], '--out-dir', out)
    check(out, {'gains', 'curves_mlp_x_40'})
    drawn = (out / 'gains.svg').read_text()
    for text in ('mlp_x_40', 'mlp_x_0', 'amlfs', 'test minus baseline, points'):
        assert f'<!-- {text}' in drawn
    more = make_result('robust_mlp_x', 0, 81.0), make_result('robust_mlp_x', 1, 82.0)
    write_results([*read_results(files[0]), *more], files[0])
    run_tool('figures.py', 'gains', *files, '--rows', 'robust', 'amlfs', '--out-dir', out)
    assert '<!-- robust' in (out / 'gains.svg').read_text()  # one of the files has it
    with pytest.raises(SystemExit, match=r"no results of \['none'\]; there are \['amlfs', 'robust"):
        run_tool('figures.py', 'gains', *files, '--rows', 'none', '--out-dir', out)
    with pytest.raises(SystemExit, match=r"no results of \['long'\]; there are \['baseline', 'am"):
        run_tool('figures.py', 'gains', *files, '--reference', 'long', '--out-dir', out)


def test_two_files_of_one_name(tmp_path: Path):
    """The stem is the data set's name: the second file would take the place of the first."""
    files = [tmp_path / folder / 'results.jsonl' for folder in ('g1', 'g2')]
    for file in files:
        file.parent.mkdir()
        names = ('baseline_mlp_x', 'amlfs_mlp_x')
        write_results([make_result(name, seed, 80.0) for name in names for seed in (0, 1)], file)
    message = 'g1/results.jsonl and .*g2/results.jsonl .*give the files different names'
    with pytest.raises(SystemExit, match=message):
        run_tool('figures.py', 'gains', *files, '--out-dir', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
