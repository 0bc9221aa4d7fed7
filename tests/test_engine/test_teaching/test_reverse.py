"""The teacher's gradient: against finite differences, and against one graph through all steps."""

from __future__ import annotations

import pytest
import torch
from helpers.taught_student import (
    CLASSES,
    Problem,
    problem,
    student_of,
    train_step,
    written_out_dev_loss,
)
from torch import Tensor, nn

from amlfs_mm.engine.teaching.reverse import reverse
from amlfs_mm.models import AttentionTeacher, LSTMTeacher

START = torch.cat([torch.eye(CLASSES), torch.zeros(CLASSES, 1)], 1).double()
SGDS = [
    dict(),
    dict(momentum=0.9),
    dict(momentum=0.8, nesterov=True, weight_decay=0.01),
    dict(momentum=0.5, dampening=0.3),
]


def random_phis(count: int) -> list[Tensor]:
    return [START + 0.3 * torch.randn_like(START) for _ in range(count)]


def trained(given: Problem, phis: list[Tensor], dev_loss: str = 'expected_error'):
    """(student, steps, gradient and loss on D_v) after a step with each phi."""
    student = student_of(given, dev_loss)
    steps = []
    for data, phi in zip(given.batches, phis, strict=True):
        steps.append(student.record(data, phi))
        train_step(given, data, phi.detach())
    gradient, loss, _ = student.dev_gradient([given.dev], len(given.dev['data_samples']))
    return student, steps, gradient, loss


@pytest.mark.parametrize('dev_loss', ['expected_error', 'cross_entropy'])
@pytest.mark.parametrize('earlier', [0, 2])
def test_equals_one_graph_through_all_steps(dev_loss: str, earlier: int):
    """Also where the optimizer has velocities before the window."""
    given = problem(4, momentum=0.9)
    for data, phi in zip(given.batches[:earlier], random_phis(earlier), strict=False):
        train_step(given, data, phi)
    phis = [phi.requires_grad_() for phi in random_phis(4)]
    wanted_loss = written_out_dev_loss(given, phis, dev_loss)
    wanted = torch.autograd.grad(wanted_loss, phis)
    student, steps, gradient, loss = trained(given, phis, dev_loss)
    assert loss == pytest.approx(wanted_loss.item(), rel=1e-10)
    for found, right in zip(reverse(student, steps, gradient), wanted, strict=True):
        assert right.abs().max() > 1e-6
        torch.testing.assert_close(found, right, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize('sgd', SGDS, ids=str)
@pytest.mark.parametrize('dropout', [0.0, 0.4])
def test_equals_finite_differences_through_torchs_own_steps(sgd: dict, dropout: float):
    """By coefficients of the first, a middle and the last step; dropout draws the same masks."""
    torch.manual_seed(1)
    phis = random_phis(4)

    def dev_loss(step: int, place: tuple[int, int], change: float) -> float:
        changed = [phi.clone() for phi in phis]
        changed[step][place] += change
        given = problem(4, dropout, **sgd)
        return trained(given, changed)[3]

    given = problem(4, dropout, **sgd)
    student, steps, gradient, _ = trained(given, phis)
    by_phi = reverse(student, steps, gradient)
    for step in (0, 2, 3):
        for place in ((0, 0), (1, 3), (2, CLASSES)):
            high, low = (dev_loss(step, place, change) for change in (1e-5, -1e-5))
            found = by_phi[step][place].item()
            assert found == pytest.approx((high - low) / 2e-5, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize('kind', [AttentionTeacher, LSTMTeacher])
def test_the_teachers_gradient_equals_finite_differences(kind: type[nn.Module]):
    """Through the window's steps and, of the LSTM, through its memory of them."""
    torch.manual_seed(2)
    teacher = kind(START, num_features=3).double()
    for parameter in teacher.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    states = torch.rand(3, 3, dtype=torch.float64)

    def losses() -> list[Tensor]:
        phis, hidden = [], None
        for state in states:
            phi, hidden = teacher(state, hidden)
            phis.append(phi)
        return phis

    def dev_loss() -> float:
        with torch.no_grad():
            phis = losses()
        return trained(problem(3, momentum=0.9), phis)[3]

    phis = losses()
    student, steps, gradient, _ = trained(problem(3, momentum=0.9), phis)
    torch.autograd.backward(phis, reverse(student, steps, gradient))
    for parameter in teacher.parameters():
        flat, index = parameter.data.view(-1), parameter.numel() // 2
        value = flat[index].item()
        found = []
        for change in (1e-5, -1e-5):
            flat[index] = value + change
            found.append(dev_loss())
        flat[index] = value
        wanted = (found[0] - found[1]) / 2e-5
        assert parameter.grad.view(-1)[index].item() == pytest.approx(wanted, rel=1e-3, abs=1e-9)


def test_nothing_of_the_student_changes():
    given = problem(3, 0.4, momentum=0.9)
    student, steps, gradient, _ = trained(given, random_phis(3))
    before = {name: tensor.clone() for name, tensor in given.model.state_dict().items()}
    random_state = torch.get_rng_state()
    modes = [module.training for module in given.model.modules()]
    reverse(student, steps, gradient)
    student.score([given.dev])
    for name, tensor in given.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert torch.equal(torch.get_rng_state(), random_state)
    assert [module.training for module in given.model.modules()] == modes
    assert given.model.head.take_training_accuracy() <= 1
    assert all(parameter.grad is not None for parameter in given.model.linear.parameters())


def test_one_steps_activations_are_kept_at_a_time():
    """The most bytes that autograd keeps do not grow with the window."""
    kept = {}
    for count in (2, 6):
        given = problem(count, momentum=0.9)
        student, steps, gradient, _ = trained(given, random_phis(count))
        alive, most = 0, 0

        class Saved:
            def __init__(self, tensor: Tensor) -> None:
                nonlocal alive, most
                self.tensor = tensor
                alive += tensor.nbytes
                most = max(most, alive)

            def __del__(self) -> None:
                nonlocal alive
                alive -= self.tensor.nbytes

        with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
            reverse(student, steps, gradient)
        kept[count] = most
    assert kept[2] > 0
    assert kept[6] <= 1.2 * kept[2]
