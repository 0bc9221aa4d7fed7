"""A small student in float64, and its training written out with one graph for all steps."""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.engine.taught_heads import find_taught_head
from amlfs_mm.engine.teaching.student import Student
from amlfs_mm.models import L2TDLFHead

CLASSES, INPUTS, HIDDEN = 4, 5, 6


class Classifier(BaseModel):
    """Linear, batch norm, tanh, and dropout if asked for; then the taught head."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.linear = nn.Linear(INPUTS, HIDDEN)
        self.norm = nn.BatchNorm1d(HIDDEN)
        self.dropout = nn.Dropout(dropout)
        self.unused = nn.Linear(2, 2)  # no gradient reaches it
        self.head = L2TDLFHead(CLASSES, HIDDEN)
        nn.init.normal_(self.head.fc.weight, std=0.5)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor]:
        return (self.dropout(torch.tanh(self.norm(self.linear(inputs)))),)

    def forward(self, inputs: Tensor, data_samples: list, mode: str = 'loss') -> dict:
        return self.head.loss(self.extract_feat(inputs), data_samples)


class Problem(NamedTuple):
    """A student in training mode, K batches, and D_v."""

    model: Classifier
    optimizer: torch.optim.SGD
    batches: list[dict]
    dev: dict


def problem(steps: int, dropout: float = 0.0, **sgd) -> Problem:
    torch.manual_seed(0)
    model = Classifier(dropout).double().train()
    groups = [
        dict(params=[*model.linear.parameters(), *model.norm.parameters()], weight_decay=0.01),
        dict(params=[*model.unused.parameters(), *model.head.parameters()], lr=0.3),
    ]
    optimizer = torch.optim.SGD(groups, **{'lr': 0.5, **sgd})
    return Problem(model, optimizer, [batch(8) for _ in range(steps)], batch(12))


def batch(size: int) -> dict:
    targets = torch.randint(CLASSES, (size,))
    samples = [DataSample().set_gt_label(target) for target in targets]
    return dict(inputs=torch.randn(size, INPUTS, dtype=torch.float64), data_samples=samples)


def student_of(given: Problem, dev_loss: str = 'expected_error') -> Student:
    return Student(given.model, find_taught_head(given.model), given.optimizer, dev_loss)


def train_step(given: Problem, data: dict, phi: Tensor) -> None:
    """A step of PyTorch's own training."""
    given.model.head.set_phi(phi)
    given.optimizer.zero_grad()
    given.model.parse_losses(given.model(**data))[0].backward()
    given.optimizer.step()


def written_out_dev_loss(given: Problem, phis: list[Tensor], dev_loss: str) -> Tensor:
    """The loss on D_v after a step with each phi, all steps in one graph, in plain tensors.

    The optimizer has one momentum, no dampening, and no nesterov.
    """
    model, (first, second) = given.model, given.optimizer.param_groups
    w = {name: p.detach().clone() for name, p in model.named_parameters() if 'unused' not in name}
    state = {name: given.optimizer.state[p] for name, p in model.named_parameters()}
    v = {name: state[name].get('momentum_buffer', torch.zeros_like(w[name])).clone() for name in w}
    w = {name: value.requires_grad_() for name, value in w.items()}
    for data, phi in zip(given.batches, phis, strict=True):
        log_p = log_probability(w, data['inputs'])
        target = classes(data)
        z = torch.stack([phi[y, :-1] @ log_p[i] + phi[y, -1] for i, y in enumerate(target)])
        loss = -(1 / (1 + torch.exp(-z))).mean()
        gradient = torch.autograd.grad(loss, list(w.values()), create_graph=True)
        for name, g in zip(list(w), gradient, strict=True):
            group = second if name.startswith('head') else first
            v[name] = group['momentum'] * v[name] + g + group['weight_decay'] * w[name]
            w[name] = w[name] - group['lr'] * v[name]
    log_p = log_probability(w, given.dev['inputs'])
    log_p_y = torch.stack([log_p[i, y] for i, y in enumerate(classes(given.dev))])
    return -log_p_y.mean() if dev_loss == 'cross_entropy' else 1 - log_p_y.exp().mean()


def log_probability(w: dict[str, Tensor], x: Tensor) -> Tensor:
    x = x @ w['linear.weight'].T + w['linear.bias']
    x = (x - x.mean(0)) / (x.var(0, unbiased=False) + 1e-5).sqrt()
    x = torch.tanh(x * w['norm.weight'] + w['norm.bias'])
    logits = x @ w['head.fc.weight'].T + w['head.fc.bias']
    return logits - logits.exp().sum(1, keepdim=True).log()


def classes(data: dict) -> list[int]:
    return [int(sample.gt_label) for sample in data['data_samples']]
