"""The step as a function against torch's optimizer."""

import pytest
import torch

from amlfs_mm.engine.teaching.sgd import SGDOptions, sgd_step


@pytest.mark.parametrize(
    'options',
    [
        dict(lr=0.1),
        dict(lr=0.1, weight_decay=0.3),
        dict(lr=0.1, momentum=0.9),
        dict(lr=0.1, momentum=0.9, weight_decay=0.3, nesterov=True),
        dict(lr=0.1, momentum=0.9, dampening=0.4),
    ],
    ids=str,
)
def test_equals_torchs(options: dict):
    torch.manual_seed(0)
    parameter = torch.nn.Parameter(torch.randn(3, 2, dtype=torch.float64))
    weight, velocity = parameter.detach().clone(), None
    optimizer = torch.optim.SGD([parameter], **options)
    for _ in range(4):
        parameter.grad = torch.randn_like(parameter)
        of_group = SGDOptions.of_group(optimizer.param_groups[0])
        weight, velocity = sgd_step(weight, velocity, parameter.grad, of_group)
        optimizer.step()
        torch.testing.assert_close(weight, parameter.detach(), rtol=0, atol=1e-15)
