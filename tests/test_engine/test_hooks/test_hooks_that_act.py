"""Which hooks the runner calls between two iterations."""

from pathlib import Path

from helpers.runs import build
from mmengine.hooks import Hook


class Counter(Hook):
    """Counts by the stage itself."""

    calls = 0

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        self.calls += 1


class CounterOfAnyIteration(Hook):
    """Counts by what mmengine calls from training, validation and test."""

    calls = 0

    def _after_iter(self, runner, batch_idx, data_batch=None, outputs=None, mode='train') -> None:
        self.calls += mode == 'train'


class Latecomer(Counter):
    """Is registered, and later changed, in the middle of an epoch."""


class Registrar(Hook):
    """Changes the hooks while the training runs."""

    def __init__(self) -> None:
        self.late = Latecomer()
        self.seen: list[int] = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None) -> None:
        if runner.iter == 1:
            runner.register_hook(self.late)

    def before_train_epoch(self, runner) -> None:
        if runner.epoch == 1:  # a method of this one object
            self.late.after_train_iter = lambda runner, **_: self.seen.append(runner.iter)


def test_every_hook_with_something_to_do_is_called(tmp_path: Path):
    hooks = Counter(), CounterOfAnyIteration(), Registrar()
    runner = build(tmp_path, custom_hooks=[], **{'train_cfg.max_epochs': 2})
    for hook in hooks:
        runner.register_hook(hook)
    runner.train()
    iterations = runner.iter
    assert iterations >= 6
    assert hooks[0].calls == iterations
    assert hooks[1].calls == iterations
    assert hooks[2].late.calls == iterations - 2
    assert hooks[2].seen == list(range(iterations // 2, iterations))
