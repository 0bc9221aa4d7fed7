"""The training loop of L2T-DLF: a teacher gives the loss of every step, and learns from D_v."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import OPTIMIZERS
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from amlfs_mm.registry import LOOPS, MODELS
from amlfs_mm.utils.randomness import derive_seed, generators_kept, seed_process, seeded

from ..checks.teaching import check_teaching
from ..runner_access import is_resuming, set_epoch
from ..state.checkpoints import read_checkpoint
from ..taught_heads import find_taught_head
from ..teaching.reverse import reverse
from ..teaching.student import Step, Student
from ..teaching.student_state import DevScores, StudentState
from ..whole_batches import train_whole_batches

DEV_LOSSES = ('expected_error', 'cross_entropy')
STATE = 'l2t_dlf'  # the key of a checkpoint


@LOOPS.register_module()
class L2TDLFLoop(EpochBasedTrainLoop):
    """Trains a student with the losses of a teacher, and the teacher with the loss on D_v.

    Before each step the teacher gives phi_t of the student's state s_t, and the student's head
    trains with it (:class:`amlfs_mm.L2TDLFHead`). The step itself is MMEngine's. After ``window``
    steps, and at the end of each epoch, the loss on D_v is differentiated through the steps of the
    window by the phi of each, and the teacher takes a step of its optimizer. The student goes on
    from where it is. D_v is ``val_dataloader``.

    Source: Wu et al., "Learning to Teach with Dynamic Loss Functions", NeurIPS 2018. Their teacher
    learns once from a whole training of a student, and then the next student starts anew. Here a
    window is short, and one student is trained. See ``docs/l2t_dlf.md``.

    Args:
        runner: The runner.
        dataloader: Of the training data.
        max_epochs: Epochs to train.
        val_begin: As in MMEngine's ``EpochBasedTrainLoop``.
        val_interval: As there.
        dynamic_intervals: As there.
        window: K, the steps that the loss on D_v is differentiated through. Copies of the weights
            and velocities before each of them are kept.
        teacher: Config of the teacher: ``AttentionTeacher``, ``LSTMTeacher``, or a module of your
            own with their ``forward``. It is built with ``start``, the head's phi (C, C + 1), and
            ``num_features``.
        teacher_optimizer: Config of the teacher's optimizer. None: the teacher stays as it is, and
            a step costs what a plain one costs.
        teacher_from: A checkpoint of an earlier run with the same teacher, to start from it.
        dev_loss: The loss on D_v. ``'expected_error'``: the mean of 1 - p_y. ``'cross_entropy'``:
            the mean of -log p_y.

    Raises:
        ValueError: An option has a value that it cannot have, or the model has no head that can be
            taught.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: DataLoader | dict,
        max_epochs: int,
        val_begin: int = 1,
        val_interval: int = 1,
        dynamic_intervals: list[tuple[int, int]] | None = None,
        window: int = 10,
        teacher: dict = dict(type='amlfs_mm.AttentionTeacher'),
        teacher_optimizer: dict | None = dict(type='Adam', lr=0.001),
        teacher_from: str | None = None,
        dev_loss: str = 'expected_error',
    ) -> None:
        if not isinstance(window, int) or window < 1:
            raise ValueError(f'window must be a whole number >= 1, got {window!r}')
        if dev_loss not in DEV_LOSSES:
            raise ValueError(f'dev_loss must be {" or ".join(DEV_LOSSES)}, got {dev_loss!r}')
        if not isinstance(teacher, dict) or 'type' not in teacher:
            raise ValueError(f"teacher must be a config, dict(type='...'), got {teacher!r}")
        if teacher_optimizer is not None and 'type' not in teacher_optimizer:
            raise ValueError(
                "teacher_optimizer must be a config, dict(type='...', lr=...), or None, got "
                f'{teacher_optimizer!r}'
            )
        super().__init__(runner, dataloader, max_epochs, val_begin, val_interval, dynamic_intervals)
        self.window = window
        self.dev_loss = dev_loss
        self.found = find_taught_head(runner.model)
        device = self.found.head.phi.device
        num_classes = self.found.head.num_classes
        self.state = StudentState(num_classes, device)
        self.teacher = self._build_teacher(teacher, num_classes, device)
        if teacher_from is not None:
            self._load_teacher(teacher_from)
        self.teacher_optimizer: Any = None
        if teacher_optimizer is not None:
            parameters = dict(params=self.teacher.parameters())
            self.teacher_optimizer = OPTIMIZERS.build(teacher_optimizer, default_args=parameters)
        self.hidden: Any = None
        self.steps: list[Step] = []
        self.steps_in_window = 0
        runner.register_hook(_TeachingHook(self))

    def run(self) -> nn.Module:
        """Train all epochs that are left."""
        self.student = Student(
            self.runner.model, self.found, self.runner.optim_wrapper.optimizer, self.dev_loss
        )
        if self.iter == 0:  # a resumed run has its scores from the checkpoint
            zero = self.state.scores.new_zeros(())
            self.state.update(zero, self.student.score(self.dev_batches()))
        return super().run()

    def run_epoch(self) -> None:
        """Train an epoch; its data order and random numbers depend on seed and epoch alone."""
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        seed_process(derive_seed(self.runner.seed, self.epoch, 0, 0))
        self.dataloader.batch_sampler.set_epoch(self.epoch, 0)
        for index, batch in enumerate(self.dataloader):
            self.run_iter(index, batch)
        if self.steps_in_window:
            self.finish_window()
        self.runner.call_hook('after_train_epoch')
        set_epoch(self, self.epoch + 1)

    def run_iter(self, idx: int, data_batch: Sequence[dict]) -> None:
        """Ask the teacher for the loss, and train a step with it."""
        with torch.set_grad_enabled(self.learns):
            state = self.state.vector(self.iter / self.max_iters)
            phi, self.hidden = self.teacher(state, self.hidden)
        self.found.head.set_phi(phi.detach())
        if self.learns:
            self.steps.append(self.student.record(data_batch, phi))
        super().run_iter(idx, data_batch)
        self.steps_in_window += 1
        if self.steps_in_window == self.window:
            self.finish_window()

    def finish_window(self) -> None:
        """Look at D_v, and let the teacher learn from the window's steps."""
        scores = self.teach() if self.learns else self.student.score(self.dev_batches())
        self.state.update(self.found.head.take_training_accuracy(), scores)
        self.hidden = _detached(self.hidden)
        self.steps, self.steps_in_window = [], 0

    def teach(self) -> DevScores:
        """A step of the teacher's optimizer; the student's scores on D_v.

        Raises:
            RuntimeError: The loss on D_v, or a gradient of the teacher, is not finite.
        """
        num_images = len(self.runner.val_dataloader.dataset)
        gradient, loss, scores = self.student.dev_gradient(self.dev_batches(), num_images)
        if not math.isfinite(loss):
            raise RuntimeError(
                f'the student diverged: its loss on D_v is {loss} after epoch {self.epoch + 1}, '
                f'iteration {self.iter}. Lower its learning rate, or that of the teacher'
            )
        by_phi = reverse(self.student, self.steps, gradient)
        self.teacher_optimizer.zero_grad()
        torch.autograd.backward([step.phi for step in self.steps], by_phi)
        parts = [p.grad.norm() for p in self.teacher.parameters() if p.grad is not None]
        size = float(torch.stack(parts).norm())
        if not math.isfinite(size):
            raise RuntimeError(
                f'the gradient of the teacher is {size} in epoch {self.epoch + 1}, iteration '
                f"{self.iter}. Set a shorter window, or lower the student's learning rate"
            )
        self.teacher_optimizer.step()
        hub = self.runner.message_hub
        hub.update_scalar('train/dev_loss', loss)
        hub.update_scalar('train/dev_accuracy', 100 * float(scores.accuracy))
        hub.update_scalar('train/teacher_gradient', size)
        return scores

    @property
    def learns(self) -> bool:
        """Whether the teacher learns."""
        return self.teacher_optimizer is not None

    def dev_batches(self) -> Iterator[Any]:
        """All batches of D_v; the random numbers of training do not depend on their loading."""
        with generators_kept():
            yield from self.runner.val_dataloader

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run needs besides MMEngine's state, at the end of an epoch."""
        return dict(
            teacher=self.teacher.state_dict(),
            optimizer=self.teacher_optimizer.state_dict() if self.learns else None,
            scores=self.state.scores,
            hidden=self.hidden,
        )

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`.

        Raises:
            ValueError: The state is that of another teacher.
        """
        if (saved['optimizer'] is not None) != self.learns:
            raise ValueError(
                'of the checkpoint to resume and the config, one has teacher_optimizer=None: '
                'resume with the teacher_optimizer that the run started with'
            )
        self._load_weights(saved, 'the checkpoint to resume')
        if self.learns:
            self.teacher_optimizer.load_state_dict(saved['optimizer'])
        device = self.state.scores.device
        self.state.scores = saved['scores'].to(device)
        self.hidden = _moved(saved['hidden'], device)

    def _build_teacher(self, config: dict, num_classes: int, device: torch.device) -> nn.Module:
        # By itself, so that the student starts with the weights of a run without a teacher.
        with seeded(derive_seed(self.runner.seed, 0)):
            made = dict(start=self.found.head.phi, num_features=StudentState.length(num_classes))
            return MODELS.build(config, default_args=made).to(device)

    def _load_teacher(self, path: str) -> None:
        saved = read_checkpoint(path).get(STATE)
        if saved is None:
            raise ValueError(
                f'teacher_from={path!r} holds no teacher: give a checkpoint that L2TDLFLoop wrote'
            )
        self._load_weights(saved, path)

    def _load_weights(self, saved: dict[str, Any], source: str) -> None:
        try:
            self.teacher.load_state_dict(saved['teacher'])
        except RuntimeError as error:
            raise ValueError(
                f'{source} has another teacher than the config, {type(self.teacher).__name__}: '
                f'{error}'
            ) from error


class _TeachingHook(Hook):
    """What the loop does at moments that MMEngine tells hooks alone. The loop registers it."""

    priority = 55  # as the search's
    decides_loss = True  # one hook of a run at most

    def __init__(self, loop: L2TDLFLoop) -> None:
        self.loop = loop
        self.loaded: dict | None = None

    def before_run(self, runner: Runner) -> None:
        """Check the config, before the weights are loaded."""
        from amlfs_mm.datasets import make_reproducible  # mmpretrain: only when there is a run

        check_teaching(runner)
        train_whole_batches(runner)
        self.loop.dataloader = make_reproducible(self.loop.dataloader, runner.seed)

    def before_train(self, runner: Runner) -> None:
        """Take over what a resume needs."""
        self.loop.dataloader.batch_sampler.reseed(runner.seed)  # a checkpoint's, in a resume
        if self.loaded is not None:
            self.loop.load_state_dict(self.loaded)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the teacher under the key ``l2t_dlf``."""
        checkpoint[STATE] = self.loop.state_dict()

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """If the run resumes, keep the state for ``before_train``.

        Raises:
            ValueError: No L2TDLFLoop wrote the checkpoint.
        """
        if is_resuming(runner):
            if STATE not in checkpoint:
                raise ValueError(
                    f'the checkpoint to resume has no {STATE!r} state: no L2TDLFLoop wrote it. To '
                    'start from its weights give it as load_from, without --resume'
                )
            self.loaded = checkpoint[STATE]


def _detached(hidden: Any) -> Any:
    if isinstance(hidden, tuple):
        return tuple(map(_detached, hidden))
    return hidden if hidden is None else hidden.detach()


def _moved(hidden: Any, device: torch.device) -> Any:
    if isinstance(hidden, (tuple, list)):
        return tuple(_moved(part, device) for part in hidden)
    return hidden if hidden is None else hidden.to(device)
