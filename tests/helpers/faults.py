"""Registered parts for tests: hooks that break a run at a chosen place, or watch it."""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import torch
from mmcv.transforms import BaseTransform
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModule
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.registry import HOOKS, METRICS, MODELS, OPTIM_WRAPPERS, TRANSFORMS
from torch import Tensor, nn
from torch.utils.data import get_worker_info


def this_rank() -> int:
    return int(os.environ.get('RANK', 0))


@HOOKS.register_module()
class Misbehave(Hook):
    """Does something bad in chosen candidates' epochs, after their third iteration.

    Args:
        what: ``raise``, ``hang``, ``kill``, ``nan`` (a weight), ``explode`` (all weights); ``slow``
            (2 s an iteration, in all of the epoch).
        where: (epoch from 1, candidate); candidate None means each.
        rank: The rank that does it; None means each.
        once: A file that exists from the first time on; then it does nothing any more.
    """

    def __init__(
        self, what: str, where: list, rank: int | None = None, once: str | None = None
    ) -> None:
        self.once = None if once is None else Path(once)
        self.what = what
        self.where = {tuple(place) for place in where}
        self.rank = rank

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        candidate = int(runner.message_hub.get_scalar('train/candidate').current())
        epoch = runner.epoch + 1
        if self.rank not in (None, this_rank()) or (batch_idx != 2 and self.what != 'slow'):
            return
        if not {(epoch, candidate), (epoch, None)} & self.where:
            return
        if self.once is not None:
            if self.once.exists():
                return
            self.once.touch()
        parameters = list(runner.model.parameters())
        if self.what == 'raise':
            raise KeyError('a bug in a plug-in')
        if self.what == 'hang':
            time.sleep(10_000)
        if self.what == 'slow':
            time.sleep(2)
        if self.what == 'kill':
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == 'nan':
            parameters[0].data.fill_(math.nan)
        if self.what == 'explode':
            for parameter in parameters:
                parameter.data.mul_(1e30)


@HOOKS.register_module()
class KillAtCall(Hook):
    """SIGKILL at a random call of a Python function, anywhere in training, saving, handing over.

    Args:
        seed: Chooses the call.
        calls: How many calls a whole run makes, about.
        rank: The rank that is killed.
        note: File that tells where it was; if it exists, nothing is killed.
    """

    priority = 'VERY_HIGH'

    def __init__(self, seed: int, calls: int, note: str, rank: int = 0) -> None:
        self.left = random.Random(seed).randrange(calls)
        self.note = Path(note)
        self.rank = rank

    def before_train(self, runner) -> None:
        if self.rank == this_rank() and not self.note.exists():
            sys.setprofile(self._count)

    def _count(self, frame, event: str, argument) -> None:
        if event != 'call':
            return
        self.left -= 1
        if self.left < 0:
            sys.setprofile(None)
            code = frame.f_code
            caller = frame.f_back.f_code
            text = f'{Path(code.co_filename).name}:{code.co_name} < {caller.co_name}'
            with open(self.note, 'w') as file:
                file.write(text)
            os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class KillAtEvent(Hook):
    """SIGKILL at the n-th audit event of Python's of one kind, in one rank.

    Args:
        event: ``open`` (of a temporary file: first to write it, then to sync it) or ``os.rename``
            (it is about to take its place); or the name of a function that is called.
        number: Which one, from 1.
        note: File that tells where it was; if it exists, nothing is killed.
        rank: The rank that is killed.
    """

    priority = 'VERY_HIGH'

    def __init__(self, event: str, number: int, note: str, rank: int = 0) -> None:
        self.event = event
        self.left = number
        self.note = Path(note)
        self.rank = rank

    def before_train(self, runner) -> None:
        if self.rank != this_rank() or self.note.exists():
            return
        if self.event in ('open', 'os.rename'):
            sys.addaudithook(self._audit)
        else:
            sys.setprofile(self._profile)

    def _audit(self, event: str, arguments: tuple) -> None:
        if event == self.event and str(arguments[0]).endswith('.part'):
            self._count(f'{event} {Path(arguments[0]).name}')

    def _profile(self, frame, event: str, argument) -> None:
        if event == 'call' and frame.f_code.co_name == self.event:
            self._count(f'{Path(frame.f_code.co_filename).name}:{self.event}')

    def _count(self, place: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.event = None
            self.note.write_text(place)
            os.kill(os.getpid(), signal.SIGKILL)


@HOOKS.register_module()
class CountCalls(Hook):
    """Writes how many calls of Python functions each rank makes from before_train on."""

    priority = 'VERY_HIGH'

    def __init__(self, note: str) -> None:
        self.note = f'{note}_{this_rank()}'
        self.calls = 0

    def before_train(self, runner) -> None:
        sys.setprofile(self._count)

    def after_train(self, runner) -> None:
        sys.setprofile(None)
        Path(self.note).write_text(str(self.calls))

    def _count(self, frame, event: str, argument) -> None:
        self.calls += event == 'call'


@HOOKS.register_module()
class RecordLosses(Hook):
    """Writes each iteration's loss of this process: (epoch, candidate, loss) lines."""

    def __init__(self, directory: str) -> None:
        self.path = Path(directory) / f'losses_{this_rank()}.txt'

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        candidate = int(runner.message_hub.get_scalar('train/candidate').current())
        with open(self.path, 'a') as file:
            file.write(f'{runner.epoch} {candidate} {float(outputs["loss"])!r}\n')


@METRICS.register_module()
class Scripted(BaseMetric):
    """``script/reward``: by epoch what the script says, and a little of the accuracy."""

    default_prefix = 'script'

    def __init__(self, script: list[float]) -> None:
        super().__init__()
        self.script = script

    def process(self, data_batch, data_samples) -> None:
        self.results += [float(s['pred_label'].item() == s['gt_label']) for s in data_samples]

    def compute_metrics(self, results: list) -> dict[str, float]:
        epoch = MessageHub.get_current_instance().get_info('epoch')
        return dict(reward=self.script[epoch] + sum(results) / len(results) / 10)


@TRANSFORMS.register_module()
class KillLoader(BaseTransform):
    """SIGKILL for the loader worker that loads the sample with this index."""

    def __init__(self, index: int) -> None:
        self.index = index

    def transform(self, results: dict) -> dict:
        if results['sample_idx'] == self.index and get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return results


@TRANSFORMS.register_module()
class NoteWorker(BaseTransform):
    """Leaves a file for each loader worker that loads a sample."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def transform(self, results: dict) -> dict:
        if (worker := get_worker_info()) is not None:
            (self.folder / f'rank{this_rank()}_worker{worker.id}').touch()
        return results


@OPTIM_WRAPPERS.register_module()
class CPUAmpOptimWrapper(AmpOptimWrapper):
    """mmengine's AmpOptimWrapper, which refuses to be made without a GPU, on a CPU in bfloat16.

    The scale doubles every 3 updates, so that its state matters.
    """

    def __init__(self, **kwargs) -> None:
        OptimWrapper.__init__(self, **kwargs)
        self._scale_update_param = None
        self.cast_dtype = torch.bfloat16
        self.loss_scaler = torch.amp.GradScaler('cpu', init_scale=2.0**16, growth_interval=3)

    @contextmanager
    def optim_context(self, model):
        with torch.autocast('cpu', torch.bfloat16), OptimWrapper.optim_context(self, model):
            yield


@HOOKS.register_module()
class SaveEveryRank(Hook):
    """Each process writes its model, averaged model and loss scale at the end."""

    def __init__(self, directory: str) -> None:
        self.directory = Path(directory)

    def after_train(self, runner) -> None:
        model = getattr(runner.model, 'module', runner.model)
        (ema,) = [hook.ema_model for hook in runner.hooks if hasattr(hook, 'ema_model')]
        state = dict(
            model=model.state_dict(),
            ema=ema.state_dict(),
            scale=runner.optim_wrapper.loss_scaler.get_scale(),
        )
        torch.save(state, self.directory / f'rank_{this_rank()}.pth')


@MODELS.register_module()
class PoolWithSpareLayer(BaseModule):
    """Global average pooling, and a layer that nothing uses."""

    def __init__(self) -> None:
        super().__init__()
        self.spare = nn.Linear(2, 2)

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (maps[-1].mean((2, 3)),)
