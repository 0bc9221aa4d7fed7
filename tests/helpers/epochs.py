"""A runner of the tiny search, and one epoch of its training after another."""

from __future__ import annotations

from pathlib import Path

from mmengine.runner import Runner

from amlfs_mm.datasets import make_reproducible
from amlfs_mm.utils.randomness import seed_process
from helpers.runs import build


def start(tmp_path: Path, optim_wrapper: dict | None = None, **options) -> Runner:
    """A runner before its first iteration, without the search; options as in --cfg-options."""
    runner = build(tmp_path, custom_hooks=[dict(type='EMAHook', momentum=0.1)], **options)
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.optim_wrapper = runner.build_optim_wrapper(optim_wrapper or runner.optim_wrapper)
    runner.param_schedulers = runner.build_param_scheduler(runner.param_schedulers)
    runner.train_loop.dataloader = make_reproducible(runner.train_dataloader, 0)
    runner.call_hook('before_run')
    runner.optim_wrapper.initialize_count_status(runner.model, 0, runner.max_iters)
    runner.call_hook('before_train')
    return runner


def epoch(runner: Runner, number: int) -> dict:
    """Train an epoch and say everything about where it ended."""
    seed_process(number)
    runner.train_dataloader.batch_sampler.set_epoch(number, 0)
    runner.call_hook('before_train_epoch')
    runner.model.train()
    for index, batch in enumerate(runner.train_dataloader):
        runner.train_loop.run_iter(index, batch)
    (ema,) = [hook.ema_model for hook in runner.hooks if hasattr(hook, 'ema_model')]
    return dict(
        model={k: v.clone() for k, v in runner.model.state_dict().items()},
        ema={k: v.clone() for k, v in ema.state_dict().items()},
        optimizer={
            f'{i}.{k}': v.clone()
            for i, state in enumerate(runner.optim_wrapper.optimizer.state.values())
            for k, v in state.items()
        },
        gradients=[p.grad.clone() for p in runner.model.parameters() if p.grad is not None],
        lr=[group['lr'] for group in runner.optim_wrapper.optimizer.param_groups],
        schedulers=[s.state_dict() for s in runner.param_schedulers],
        counts=dict(iter=runner.iter, inner=runner.optim_wrapper._inner_count),
    )
