"""A loss as a file of its own: the head's numbers, in torch and in two other projects."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from helpers.searched_head import make_head, make_problem
from torch import Tensor

from amlfs_mm.engine.history.loss_schedule import interpolate, middles_of
from amlfs_mm.export.standalone_loss import LossTable, standalone_loss
from amlfs_mm.search import (
    BranchSearchSpace,
    MonotoneSearchSpace,
    SearchSoftmaxSpace,
    SearchSpace,
)

SPACES = [
    SearchSpace(6),
    SearchSpace(3, ceiling=True),
    MonotoneSearchSpace(4),
    MonotoneSearchSpace(5, ceiling=True),
    SearchSoftmaxSpace(),
]
HEAD = dict(min_slope=0.01, tau_floor='relative')


def table_of(space, floor: str = 'relative', rounds: int = 4) -> LossTable:
    random = torch.Generator().manual_seed(0)
    theta = space.identity() + 0.5 * torch.randn(rounds, space.dim, generator=random)
    return LossTable(space, theta, middles_of(rounds), HEAD | dict(tau_floor=floor))


def load(table: LossTable, target: str = 'torch') -> ModuleType:
    module = ModuleType('loss')
    exec(compile(standalone_loss(table, target, 'A loss.'), 'loss.py', 'exec'), module.__dict__)
    return module


def head_of(table: LossTable, weight: Tensor, progress: float, scale: float | None):
    name, _, arguments = repr(table.space).partition('(')
    space = dict(eval(f'dict({arguments}'), type=f'amlfs_mm.{name}')
    theta = table.at([progress])[0]
    return make_head(
        weight.float(), theta, search_space=space, scale=scale, tau_floor=table.head['tau_floor']
    ).to(weight.dtype)


def with_extremes(features: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """Features of which some lie on class weights, opposite to them, are 0, or are very long."""
    features[0], features[1] = weight[target[0]], -weight[target[1]]
    features[2] = 0
    features[3:6] *= 1e3
    features[6:9] *= 1e-6
    features[9] = 1e4 * weight[target[9]]
    features[10] = -1e4 * weight[target[10]]
    return features


@pytest.mark.parametrize('dtype', [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize('floor', ['relative', 'constant'])
@pytest.mark.parametrize('space', SPACES, ids=repr)
def test_value_and_gradient_are_those_of_the_head(space, floor: str, dtype: torch.dtype):
    """With logits and their norms, and with cosines and a scale."""
    table = table_of(space, floor)
    module = load(table)
    features, weight, y = make_problem(10, seed=1)
    features, weight, target = features.to(dtype), weight.to(dtype), torch.tensor(y)
    features = with_extremes(features, weight, target)
    tolerance = 1e-12 if dtype == torch.float64 else 1e-6
    for progress in (0.0, 0.31, 0.5, 1.0):
        for scale in (None, 30.0):
            head = head_of(table, weight, progress, scale)
            cosines = F.linear(F.normalize(features), F.normalize(weight))
            inputs = [(F.linear(features, weight) if scale is None else cosines).clone()]
            one, two = (inputs[0].clone().requires_grad_() for _ in range(2))
            logits = one if scale is None else scale * one
            of_head = head.per_sample_loss(logits, features, target)
            criterion = module.SearchedSoftmax(scale, reduction='none')
            norms = module.norms_of(features, weight, target) if scale is None else None
            found = criterion(two, target, progress, norms)
            torch.testing.assert_close(found, of_head, rtol=tolerance, atol=tolerance)
            of_head.sum().backward()
            found.sum().backward()
            assert torch.isfinite(found).all()
            torch.testing.assert_close(two.grad, one.grad, rtol=tolerance, atol=tolerance)


def test_the_gradient_reaches_features_and_weights_as_in_the_head():
    table = table_of(SearchSpace(6))
    module = load(table)
    features, weight, y = make_problem(10, seed=2)
    features = features.double().requires_grad_()
    head = head_of(table, weight.double(), 0.4, None)
    logits = F.linear(features, head.fc.weight)
    head.per_sample_loss(logits, features, torch.tensor(y)).mean().backward()
    expected = features.grad, head.fc.weight.grad
    again, layer = features.detach().requires_grad_(), weight.double().requires_grad_()
    norms = module.norms_of(again, layer, torch.tensor(y))
    module.SearchedSoftmax()(F.linear(again, layer), torch.tensor(y), 0.4, norms).backward()
    torch.testing.assert_close((again.grad, layer.grad), expected, rtol=1e-12, atol=1e-12)


def test_the_gradient_is_that_of_finite_differences():
    table = table_of(SearchSpace(2), rounds=1)
    random = torch.Generator().manual_seed(3)
    cosines = 2 * torch.rand(6, 4, generator=random, dtype=torch.float64) - 1
    criterion = load(table).SearchedSoftmax(scale=5.0)
    target = torch.tensor([0, 1, 2, 3, 0, 1])
    assert torch.autograd.gradcheck(lambda x: criterion(x, target), cosines.requires_grad_())


def test_between_two_rounds_the_loss_is_on_the_line():
    table = table_of(SearchSpace(3))
    criterion = load(table).SearchedSoftmax(1.0)
    theta = table.theta.double()
    for progress, expected in ((0.0, theta[0]), (0.25, theta[:2].mean(0)), (1.0, theta[-1])):
        found = interpolate(
            criterion.table, criterion.middles, torch.tensor([progress], dtype=torch.float64)
        )
        torch.testing.assert_close(found[0].double(), expected, rtol=1e-6, atol=1e-7)


def test_what_is_missing_is_said():
    module = load(table_of(SearchSpace(6)))
    logits, target = torch.zeros(2, 3), torch.tensor([0, 1])
    with pytest.raises(ValueError, match='give progress, the share of the training'):
        module.SearchedSoftmax(30.0)(logits, target)
    with pytest.raises(ValueError, match='from 0 to 1; got 7'):
        module.SearchedSoftmax(30.0)(logits, target, 7)
    with pytest.raises(ValueError, match='this loss has a margin: give scale'):
        module.SearchedSoftmax()(logits, target, 0.5)
    with pytest.raises(ValueError, match='scale must be None or a positive number, got 0'):
        module.SearchedSoftmax(0)


def test_a_constant_loss_without_a_margin_needs_neither_progress_nor_norms():
    space = SearchSpace(6)
    table = LossTable(space, space.known_loss('robust', b=0.5)[None], middles_of(1), HEAD)
    logits, target = torch.randn(8, 5), torch.arange(8) % 5
    p = logits.softmax(1).gather(1, target[:, None])
    expected = -(p + 0.5).log().mean()
    torch.testing.assert_close(load(table).SearchedSoftmax()(logits, target), expected)


def test_half_precision_counts_in_single():
    criterion = load(table_of(SearchSpace(6))).SearchedSoftmax(30.0)
    cosines, target = torch.rand(4, 3).half(), torch.tensor([0, 1, 2, 0])
    assert criterion(cosines, target, 0.2) == criterion(cosines.float(), target, 0.2)


def test_the_file_needs_torch_alone(tmp_path: Path):
    """In a Python in which nothing but torch and its own packages can be imported."""
    path = tmp_path / 'loss.py'
    path.write_text(standalone_loss(table_of(SearchSpace(6, ceiling=True)), 'torch', 'A loss.'))
    check = (
        'import sys\n'
        "for name in ('amlfs_mm', 'mmengine', 'mmpretrain', 'mmcv'):\n"
        '    sys.modules[name] = None\n'
        'import torch, loss\n'
        'print(loss.SearchedSoftmax(30.0)(torch.zeros(2, 3), torch.tensor([0, 1]), 0.5))\n'
        "assert 'Apache-2.0' in loss.__doc__ and 'arxiv.org/abs/1905.07375' in loss.__doc__\n"
    )
    subprocess.run([sys.executable, '-c', check], cwd=tmp_path, check=True, env={})


@pytest.mark.parametrize('target', ['torch', 'arcface_torch', 'pytorch_metric_learning'])
@pytest.mark.parametrize('space', SPACES, ids=repr)
def test_the_file_has_no_undefined_and_no_unused_names(space, target: str, tmp_path: Path):
    path = tmp_path / 'loss.py'
    path.write_text(standalone_loss(table_of(space), target, 'A loss.'))
    ruff = [sys.executable, '-m', 'ruff', 'check', '--isolated', '--select', 'F', str(path)]
    done = subprocess.run(ruff, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_cannot_be_written():
    with pytest.raises(ValueError, match=r'a loss of BranchSearchSpace.* cannot be written as a'):
        standalone_loss(table_of(BranchSearchSpace(SearchSpace(2), 2)), 'torch', 'A loss.')
    with pytest.raises(ValueError, match=r"for torch, arcface_torch, .*, got 'jax'"):
        standalone_loss(table_of(SearchSpace(2)), 'jax', 'A loss.')


def margins_only(table: LossTable) -> LossTable:
    theta = table.theta.clone()
    m = table.space.num_intervals
    theta[:, 2 * m : 3 * m], theta[:, 3 * m :] = 1, 0
    return table._replace(theta=theta)


def partial_fc(margin, features: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
    """The steps of PartialFC_V2.forward in one process: cosines, the margin, cross entropy."""
    labels = labels.view(-1, 1)
    cosines = F.linear(F.normalize(features), F.normalize(weight)).clamp(-1, 1)
    return F.cross_entropy(margin(cosines, labels), labels.view(-1))


def test_arcface_torch_takes_the_margin():
    """tau is the identity: the margin and cross entropy are the head's loss; -1 is left alone."""
    table = margins_only(table_of(SearchSpace(6)))
    margin = load(table, 'arcface_torch').SearchedMargin(s=64.0)
    features, weight, y = make_problem(10, seed=4)
    features, weight, target = features.double(), weight.double(), torch.tensor(y)
    margin.progress = 0.3
    head = head_of(table, weight, 0.3, 64.0)
    one, two = (features.clone().requires_grad_() for _ in range(2))
    cosines = F.linear(F.normalize(one), F.normalize(weight))
    expected = head.per_sample_loss(64.0 * cosines, one, target).mean()
    found = partial_fc(margin, two, weight, target)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    expected.backward()
    found.backward()
    torch.testing.assert_close(two.grad, one.grad, rtol=1e-10, atol=1e-12)

    logits = cosines.detach()
    elsewhere = torch.where(torch.arange(len(target)) % 2 == 0, -1, target)
    assert torch.equal(margin(logits, elsewhere)[::2], 64.0 * logits[::2])


def test_arcface_torch_gets_the_whole_criterion_where_tau_counts():
    table = table_of(SearchSpace(6))
    module = load(table, 'arcface_torch')
    assert not hasattr(module, 'SearchedMargin')
    criterion = module.SearchedCriterion(s=30.0)
    features, weight, y = make_problem(10, seed=5)
    target = torch.tensor(y)
    cosines = F.linear(F.normalize(features), F.normalize(weight)).double()
    head = head_of(table, weight.double(), 0.7, 30.0)
    criterion.progress = 0.7
    expected = head.per_sample_loss(30.0 * cosines, features.double(), target).mean()
    found = criterion(cosines, target.view(-1, 1))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def test_pytorch_metric_learning_trains_with_it():
    """Its own training step: embeddings, the loss with class weights, two optimizers."""
    pytest.importorskip('pytorch_metric_learning')
    table = table_of(SearchSpace(6))
    loss_func = load(table, 'pytorch_metric_learning').SearchedSoftmaxLoss(10, 16, scale=14.0)
    features, weight, y = make_problem(10, seed=6)
    target = torch.tensor(y)
    loss_func.W.data.copy_(weight.T)
    head = head_of(table, weight, 0.6, 14.0)
    loss_func.progress = 0.6
    expected = head.per_sample_loss(head((features,)), features, target).mean()
    torch.testing.assert_close(loss_func(features, target), expected, rtol=1e-5, atol=1e-6)

    trunk = torch.nn.Linear(16, 16)
    optimizer = torch.optim.SGD([*trunk.parameters(), *loss_func.parameters()], lr=0.05)
    values = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = loss_func(trunk(features), target)
        loss.backward()
        optimizer.step()
        values.append(loss.item())
    assert values[-1] < values[0]
