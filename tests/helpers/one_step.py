"""A config without its runner: a training step, an evaluation on D_v, one on the test data."""

from __future__ import annotations

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from mmpretrain.registry import MODELS
from torch import nn


def train_a_step_and_evaluate(cfg: Config) -> tuple[dict, dict]:
    """The metrics on D_v and on the test data; every trained weight had a gradient."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = build_model(cfg)
        batch = next(iter(Runner.build_dataloader(cfg.train_dataloader, seed=0)))
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
        loss, _ = model.parse_losses(model(**model.data_preprocessor(batch, True), mode='loss'))
        loss.backward()
        assert torch.isfinite(loss)
        assert all(p.grad is not None for p in model.parameters() if p.requires_grad)
        optimizer.step()
        model.eval()
        return (
            evaluate(model, cfg.val_dataloader, cfg.val_evaluator),
            evaluate(model, cfg.test_dataloader, cfg.test_evaluator),
        )


def build_model(cfg: Config) -> nn.Module:
    """The config's model with its preprocessor; needs the config's default scope."""
    preprocessor = {'type': 'ClsDataPreprocessor', **cfg.data_preprocessor}
    return MODELS.build(dict(cfg.model, data_preprocessor=preprocessor))


def evaluate(model: nn.Module, dataloader: dict, evaluator: dict | list) -> dict:
    """The metrics of a model on a config's data."""
    data = Runner.build_dataloader(dataloader, seed=0)
    evaluator = Evaluator(evaluator)
    evaluator.dataset_meta = data.dataset.metainfo
    for batch in data:
        evaluator.process(model.val_step(batch), batch)
    return evaluator.evaluate(len(data.dataset))
