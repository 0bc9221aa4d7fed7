"""``SearchSpace(searched='t' or 'tau')``: the other one is the identity for every theta."""

import json

import pytest
import torch

from amlfs_mm.export.standalone_loss import loss_table, standalone_loss
from amlfs_mm.models.losses import fused_amlfs_loss
from amlfs_mm.registry import search_space_of
from amlfs_mm.search import MonotoneSearchSpace, SearchSpace

KINDS = [SearchSpace, MonotoneSearchSpace]


def sample_theta(space: SearchSpace, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return (space.identity() + 0.3 * torch.randn(space.dim, generator=random)).double()


@pytest.mark.parametrize('ceiling', [False, True])
@pytest.mark.parametrize('searched', ['t', 'tau'])
@pytest.mark.parametrize('kind', KINDS)
def test_the_other_one_is_the_identity(kind, searched, ceiling):
    space, both = kind(6, ceiling, searched), kind(6, ceiling)
    theta = sample_theta(space)
    for name, ours, whole in zip(
        ('t', 'tau'), space.transforms(theta), both.transforms(theta), strict=True
    ):
        x = torch.linspace(-1 if name == 't' else 0, 1, 101, dtype=torch.float64)
        torch.testing.assert_close(ours(x), whole(x) if name == searched else x)
        assert not torch.allclose(whole(x), x)


@pytest.mark.parametrize('kind', KINDS)
def test_numbers_of_the_other_one_have_no_effect(kind):
    """On the loss, nor on its gradient."""
    random = torch.Generator().manual_seed(1)
    logits = torch.randn(20, 5, generator=random, dtype=torch.float64)
    target = torch.randint(5, (20,), generator=random)
    space = kind(4, searched='tau')
    losses = []
    for seed in (0, 1):
        theta = sample_theta(space, seed)
        theta[8:] = sample_theta(space, 2)[8:]  # tau's numbers
        leaf = logits.clone().requires_grad_()
        loss = fused_amlfs_loss(leaf, target, 2.0, *space.transforms(theta)).loss
        loss.sum().backward()
        losses.append((loss.detach(), leaf.grad))
    torch.testing.assert_close(losses[0], losses[1], rtol=0, atol=0)


def test_files_name_it_and_old_files_are_read_as_before():
    for space in (SearchSpace(6, searched='t'), MonotoneSearchSpace(3, True, 'tau')):
        assert repr(search_space_of(repr(space))) == repr(space)
    assert repr(SearchSpace()) == 'SearchSpace(num_intervals=6)'
    assert search_space_of('SearchSpace(num_intervals=6)').searched == 'both'


def test_a_known_loss_of_the_other_one_is_refused():
    space = SearchSpace(searched='tau')
    assert torch.equal(space.known_loss('robust', b=0.5), SearchSpace().known_loss('robust', b=0.5))
    assert torch.equal(space.known_loss('softmax'), space.identity())
    with pytest.raises(ValueError, match=r"searched='tau'.* has not the loss 'am_softmax'.* t$"):
        space.known_loss('am_softmax', m=0.35)


@pytest.mark.parametrize('searched', ['t', 'tau'])
@pytest.mark.parametrize('kind', KINDS)
def test_a_theta_of_another_length_is_refused(kind, searched):
    """Also if only numbers of the other one are missing."""
    space = kind(6, searched=searched)
    with pytest.raises(ValueError, match=r'theta has shape \(20,\)'):
        space.transforms(space.identity()[:20])


def test_another_value_is_refused():
    with pytest.raises(ValueError, match="searched must be 'both', 't' or 'tau', got 'both of'"):
        SearchSpace(searched='both of')


@pytest.mark.parametrize('searched', ['t', 'tau'])
def test_an_exported_file_has_the_same_loss(searched, tmp_path):
    space = SearchSpace(4, ceiling=True, searched=searched)
    theta = sample_theta(space).float()
    content = dict(search_space=repr(space), theta=theta.tolist())
    path = tmp_path / 'loss.json'
    path.write_text(json.dumps(content))
    text = standalone_loss(loss_table(str(path), content), 'torch', 'A loss.')
    module: dict = {}
    exec(compile(text, 'loss.py', 'exec'), module)
    logits, target = torch.randn(8, 5).clamp(-1, 1), torch.arange(8) % 5
    found = module['SearchedSoftmax'](scale=3.0, reduction='none')(logits, target)
    wanted = fused_amlfs_loss(3.0 * logits, target, 3.0, *space.transforms(theta)).loss
    torch.testing.assert_close(found, wanted)
