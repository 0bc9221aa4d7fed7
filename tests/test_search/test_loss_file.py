"""Losses by name, from files, and as formulas."""

import json
import re
from pathlib import Path

import pytest
import torch

from amlfs_mm.registry import search_space_of
from amlfs_mm.search import BranchSearchSpace, SearchSpace, find_loss, formulas

SPACE = SearchSpace(3)
BRANCHES = BranchSearchSpace(SPACE, 2)
THETA = SPACE.known_loss('am_softmax', m=0.2)


def write(path: Path, **content) -> str:
    path.write_text(json.dumps({'search_space': repr(SPACE), **content}))
    return str(path)


def test_by_name():
    assert torch.equal(find_loss(SPACE, 'softmax'), SPACE.identity())
    assert torch.equal(find_loss(SPACE, dict(name='am_softmax', m=0.2)), THETA)


def test_from_a_loss_file(tmp_path: Path):
    path = write(tmp_path / 'loss.json', theta=THETA.tolist())
    assert torch.equal(find_loss(SPACE, path), THETA)
    assert torch.equal(find_loss(BRANCHES, path), torch.cat([THETA, THETA]))


def test_from_a_file_of_all_branches(tmp_path: Path):
    theta = torch.arange(24.0)
    path = write(tmp_path / 'loss.json', search_space=repr(BRANCHES), theta=theta.tolist())
    assert torch.equal(find_loss(BRANCHES, path), theta)
    with pytest.raises(ValueError, match='with 24 numbers, which is not a point of SearchSpace'):
        find_loss(SPACE, path)


def test_the_final_mu_of_a_schedule(tmp_path: Path):
    epochs = [dict(mu=[0.0] * 12), dict(mu=THETA.tolist())]
    assert torch.equal(find_loss(SPACE, write(tmp_path / 's.json', epochs=epochs)), THETA)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (dict(search_space='SearchSpace(num_intervals=6)', theta=[0.0] * 24), 'with 24 numbers'),
        (dict(theta=[0.0] * 5), 'with 5 numbers, which is not a point'),
        (dict(theta=[float('nan')] * 12), 'must be finite numbers'),
        (dict(theta=[1] * 12), 'must be finite numbers'),
        (dict(theta=['a'] * 12), 'holds no loss'),
        (dict(epochs=[]), 'holds no loss'),
        (dict(theta=[0.0] * 12, head=3), "'head' must be an object"),
        (dict(), r"holds no loss \(KeyError: 'epochs'\)"),
    ],
)
def test_what_a_file_must_hold(tmp_path: Path, content: dict, message: str):
    path = write(tmp_path / 'loss.json', **content)
    with pytest.raises(ValueError, match=rf'{path}.*{message}.*expected is a loss file of tools/'):
        find_loss(SPACE, path)


def test_no_file(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no loss file 'nowhere\.json'; expected is"):
        find_loss(SPACE, 'nowhere.json')
    (tmp_path / 'half.json').write_text('{"theta": [1.0')
    with pytest.raises(ValueError, match='holds no loss'):
        find_loss(SPACE, str(tmp_path / 'half.json'))
    with pytest.raises(ValueError, match="unknown loss 'softmaks'"):
        find_loss(SPACE, 'softmaks')


def value_of(lines: list[str], variable: str, x: float) -> float:
    """What a reader makes of the lines at a point."""
    number = r'-?[\d.]+(?:e-?\d+)?'
    pattern = (
        rf'({number}) {variable} ([+-]) ({number}) for ({number}) <= {variable} (<=?) ({number})'
    )
    for line in lines:
        slope, sign, bias, left, below, right = re.fullmatch(pattern, line).groups()
        inside = x < float(right) or (below == '<=' and x == float(right))
        if float(left) <= x and inside:
            return float(slope) * x + float(f'{sign}{bias}')
    raise AssertionError(f'no line for {x}')


def test_formulas_are_the_function():
    space = SearchSpace(4)  # its edges are exact in decimals
    theta = space.identity() + 0.3 * torch.randn(16, generator=torch.Generator().manual_seed(0))
    t, tau = space.transforms(theta)
    lines = formulas(space, theta)
    for x in [-1.0, -0.5, 0.0, 0.5, 1.0, *torch.linspace(-0.99, 0.99, 38).tolist()]:
        assert value_of(lines['t'], 'cos', x) == pytest.approx(t(torch.tensor(x)).item(), abs=1e-3)
        p = (x + 1) / 2
        assert value_of(lines['tau'], 'p', p) == pytest.approx(
            tau(torch.tensor(p)).item(), abs=1e-3
        )


def test_formulas_of_branches():
    theta = torch.cat([SPACE.identity(), THETA])
    lines = formulas(BRANCHES, theta)
    assert list(lines) == ['t_0', 'tau_0', 't_1', 'tau_1']
    assert lines['t_1'] == formulas(SPACE, THETA)['t']


@pytest.mark.parametrize('space', [SPACE, BRANCHES], ids=repr)
def test_formulas_have_the_least_slope_of_the_head(space):
    for lines in formulas(space, space.identity(), min_slope=1.5).values():
        assert all(line.startswith('1.5 ') for line in lines)


@pytest.mark.parametrize('space', [SPACE, BRANCHES], ids=repr)
def test_a_space_from_its_name(space):
    assert repr(search_space_of(repr(space))) == repr(space)


@pytest.mark.parametrize(
    'text', ['Unknown()', 'SearchSpace(', 'SearchSpace(M=3)', "__import__('os').getcwd()"]
)
def test_no_space(text: str):
    with pytest.raises(ValueError, match='names no search space'):
        search_space_of(text)
