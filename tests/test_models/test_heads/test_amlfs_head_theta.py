"""AMLFSHead's theta: installed, saved, loaded, from the config."""

import copy
import json
import pickle

import pytest
import torch
from helpers.searched_head import labels, make_head, make_problem, make_theta
from mmengine.logging import MMLogger
from torch import nn

from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.models import AMLFSHead
from amlfs_mm.search import SearchSpace


def test_theta_is_saved_and_loaded():
    theta = make_theta('0.5', 0)
    head = AMLFSHead(10, 4)
    head.set_theta(theta)
    state = head.state_dict()
    assert set(state) == {'fc.weight', 'theta'}
    assert torch.equal(state['theta'], theta)
    other = AMLFSHead(10, 4)
    other.load_state_dict(state)
    assert torch.equal(other.theta, theta)
    assert 'theta' not in dict(other.named_parameters())
    theta[:] = 0  # a copy was installed
    assert head.theta.abs().sum() > 0


WAYS_TO_CHANGE_THETA = dict(
    set_theta=lambda head, theta: head.set_theta(theta),
    written_in_place=lambda head, theta: head.theta.copy_(theta),  # as a hand-over does
    loaded=lambda head, theta: head.load_state_dict(head.state_dict() | dict(theta=theta)),
    another_tensor=lambda head, theta: head._buffers.update(theta=theta.clone()),
    cast=lambda head, theta: head.double().float().set_theta(theta),
)


@pytest.mark.parametrize('way', WAYS_TO_CHANGE_THETA)
@pytest.mark.parametrize(
    'copied', [None, copy.deepcopy, lambda head: pickle.loads(pickle.dumps(head))]
)
@pytest.mark.parametrize('writes', range(4))  # torch counts them, from another number in a copy
def test_the_loss_is_that_of_theta_however_it_was_changed(way, copied, writes):
    """Also in a copy of a head that has trained, and without effect on the original."""
    x, weight, y = make_problem(10, seed=0)
    first, second, third = (make_theta('0.5', seed) for seed in range(3))
    expected = [make_head(weight, t).loss(x, labels(y))['loss'] for t in (first, second, third)]
    original = make_head(weight, first)
    for _ in range(writes):
        original.set_theta(first)
    assert torch.equal(original.loss(x, labels(y))['loss'], expected[0])
    head = original if copied is None else copied(original)
    for theta, loss in zip((second, third, second), (*expected[1:], expected[1]), strict=True):
        WAYS_TO_CHANGE_THETA[way](head, theta)
        assert torch.equal(head.loss(x, labels(y))['loss'], loss)
    if copied is not None:
        assert torch.equal(original.loss(x, labels(y))['loss'], expected[0])


def test_theta_from_the_config(tmp_path):
    """A known loss or a file; a checkpoint's theta gives way to it, its weights do not."""
    known = AMLFSHead(5, 4, theta=dict(name='am_softmax', m=0.35))
    assert torch.equal(known.theta, SearchSpace(6).known_loss('am_softmax', m=0.35))
    path = tmp_path / 'loss.json'
    theta = SearchSpace(3).known_loss('focal', alpha=1)
    path.write_text(json.dumps(dict(search_space=repr(SearchSpace(3)), theta=theta.tolist())))
    head = AMLFSHead(5, 4, num_intervals=3, theta=str(path))
    assert torch.equal(head.theta, theta)
    saved = AMLFSHead(5, 4, num_intervals=3).state_dict()
    head.load_state_dict(saved)
    assert torch.equal(head.theta, theta)
    assert torch.equal(head.fc.weight, saved['fc.weight'])
    assert torch.equal(saved['theta'], SearchSpace(3).identity())
    with pytest.raises(ValueError, match=r'loss\.json is a loss of SearchSpace\(num_intervals=3\)'):
        AMLFSHead(5, 4, theta=str(path))


def test_a_loss_of_the_zoo():
    """``loss='zoo:NAME'`` is ``theta='zoo:NAME'``."""
    name = 'zoo:fashion_mnist_noise40_constant'
    assert torch.equal(AMLFSHead(5, 4, loss=name).theta, AMLFSHead(5, 4, theta=name).theta)
    with pytest.raises(ValueError, match=f"loss='{name}' and theta='softmax': give one of them"):
        AMLFSHead(5, 4, loss=name, theta='softmax')


def test_a_search_refuses_a_theta_from_the_config():
    head = AMLFSHead(5, 4, theta='softmax')
    with pytest.raises(ValueError, match=r'a theta, which .* remove it.*mu_0'):
        find_heads(nn.ModuleDict(dict(head=head)))


@pytest.mark.parametrize('shape', [(16,), (23,), (25,), (1, 24), (4, 6)])
def test_set_theta_refuses_another_length_and_changes_nothing(shape):
    head = AMLFSHead(10, 4)
    head.loss((torch.randn(5, 4),), labels([0] * 5))
    with pytest.raises(ValueError, match=r'needs \(24,\)') as e:
        head.set_theta(torch.zeros(shape))
    assert str(tuple(shape)) in str(e.value)
    assert torch.equal(head.theta, make_theta('identity', 0))
    assert head.t_count.sum() == 5


@pytest.mark.parametrize('strict', [True, False])
@pytest.mark.parametrize('inside', [False, True])
def test_a_checkpoint_of_another_num_intervals_is_refused(inside, strict):
    saved, head = AMLFSHead(10, 4, num_intervals=4), AMLFSHead(10, 4, num_intervals=6)
    if inside:
        saved, head = nn.ModuleDict(dict(head=saved)), nn.ModuleDict(dict(head=head))
    with pytest.raises(ValueError, match='num_intervals') as e:
        head.load_state_dict(saved.state_dict(), strict=strict)
    assert '16 numbers' in str(e.value)
    assert 'SearchSpace(num_intervals=6) needs 24' in str(e.value)


def test_a_checkpoint_of_a_linear_head_keeps_theta():
    theta, weight = make_theta('0.5', 0), torch.randn(10, 4)
    head = AMLFSHead(10, 4)
    head.set_theta(theta)
    missing = head.load_state_dict({'fc.weight': weight}, strict=False).missing_keys
    assert missing == ['theta']
    assert torch.equal(head.theta, theta)
    assert torch.equal(head.fc.weight, weight)


def test_a_file_of_another_head_is_no_silent_matter(tmp_path, caplog, monkeypatch):
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'handlers', [caplog.handler])
    path = tmp_path / 'loss.json'
    space = SearchSpace(6)
    content = dict(search_space=repr(space), theta=space.identity().tolist())
    path.write_text(json.dumps(content | dict(head=dict(min_slope=0.5, tau_floor='constant'))))
    AMLFSHead(10, 4, theta=str(path), min_slope=0.5, tau_floor='constant')
    assert 'another shape' not in caplog.text
    AMLFSHead(10, 4, theta=str(path))
    assert "the head's min_slope is 0.01, that of the search was 0.5" in caplog.text
    assert "the head's tau_floor is 'relative', that of the search was 'constant'" in caplog.text
