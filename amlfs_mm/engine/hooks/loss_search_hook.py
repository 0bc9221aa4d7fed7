"""Algorithm 1 of the paper as an MMEngine hook."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.datasets import make_reproducible
from amlfs_mm.randomness import derive_seed, seed_process
from amlfs_mm.registry import HOOKS, TASK_UTILS

from ..checks import (
    check_hard_labels,
    check_loops,
    check_num_classes,
    check_resumed,
    check_reward,
    find_heads,
)
from ..journal import Journal, best_file
from ..messages import announce, tell_epoch
from ..population import Population, everyone_agrees
from ..progress import CandidateProgress
from ..training_state import TrainingState, average_buffers, clear_optimizers


@HOOKS.register_module()
class LossSearchHook(Hook):
    """Searches the loss while the model trains (the paper's section 3.4).

    On a ``LossSearchRunner`` the candidates are spread over its sub-runners; on a plain Runner one
    sub-runner serves all in turn, with the same result.

    Hooks of higher priority (buffers, EMA, sampler seeds) act on every candidate's epoch and
    evaluation; those of lower priority (logger, schedulers by epoch, checkpoints) once an epoch, on
    the winner.

    Args:
        num_candidates: B.
        reward: Key of the validation metric to maximise.
        policy: Config of the policy.
        mu_0: Where the policy starts: a known loss's name, or ``dict(name='am_softmax', m=0.35)``.
        hand_over: ``'all'``: the winner's model, buffers, optimizer, scaler, EMA and schedules
            start the next epoch. ``'model'``: the same, but the optimizer starts empty.
        common_random_numbers: All candidates of an epoch see the same data order and augmentation.
            Default: each its own, as separate runs in the paper have.
        max_lost_epochs: Stop with an error after so many epochs in a row in which all diverged.
    """

    priority = 55  # after hooks of NORMAL priority, before the logger's

    def __init__(
        self,
        num_candidates: int = 32,
        reward: str = 'accuracy/top1',
        policy: dict = dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05),
        mu_0: str | dict = 'softmax',
        hand_over: str = 'all',
        common_random_numbers: bool = False,
        max_lost_epochs: int = 3,
    ) -> None:
        if not isinstance(num_candidates, int) or num_candidates < 1:
            raise ValueError(f'num_candidates must be a whole number >= 1, got {num_candidates!r}')
        if hand_over not in ('all', 'model'):
            raise ValueError(f"hand_over must be 'all' or 'model', got {hand_over!r}")
        if not isinstance(max_lost_epochs, int) or max_lost_epochs < 1:
            raise ValueError(f'max_lost_epochs must be >= 1, got {max_lost_epochs!r}')
        if not isinstance(mu_0, (str, dict)) or (isinstance(mu_0, dict) and 'name' not in mu_0):
            raise ValueError(
                "mu_0 must be a known loss, 'softmax' or dict(name='am_softmax', m=0.35), got "
                f'{mu_0!r}'
            )
        self.num_candidates = num_candidates
        self.reward = reward
        self.policy_cfg = dict(policy)
        self.mu_0_cfg = dict(name=mu_0) if isinstance(mu_0, str) else dict(mu_0)
        self.hand_over = hand_over
        self.common_random_numbers = common_random_numbers
        self.max_lost_epochs = max_lost_epochs
        self._loaded: dict | None = None

    def search(self, runner: Runner) -> Iterator[None]:
        """Algorithm 1, one pass of its loop. Each ``yield`` asks for one epoch of training."""
        # Sample B hyper-parameters theta_1 ... theta_B (Eq. 19), the same ones in every process.
        generator = torch.Generator().manual_seed(derive_seed(runner.seed, runner.epoch))
        theta = self.policy.sample(self.num_candidates, generator)

        # Train the model M_w for one epoch separately with each, and score it: R(theta_i).
        start = TrainingState.capture(runner)
        rewards, best_reward, best = {}, -math.inf, None
        for candidate in self.population.my_candidates(self.num_candidates):
            start.restore(runner)
            self.install(runner, candidate, theta[candidate])
            yield
            rewards[candidate] = self.score(runner)
            if rewards[candidate] > best_reward:
                best_reward, best = rewards[candidate], None  # one copy at a time
                best = TrainingState.capture(runner)

        # Decide the winner, the arg max; the first one of equals.
        reward = self.population.exchange_rewards(rewards, self.num_candidates)
        survivors = [i for i in range(self.num_candidates) if torch.isfinite(reward[i])]
        winner = max(survivors, key=lambda i: reward[i].item(), default=None)

        # Update mu (Eq. 20).
        mu_before = self.policy.mean
        advantage = self.policy.update(theta, reward)

        # The winner's model is everybody's start of the next epoch.
        if winner is None:
            start.restore(runner)
        else:
            self.take_over(runner, best, winner)
        self.report(runner, mu_before, theta, reward, advantage, winner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin a pass: MMEngine's loop trains the first candidate."""
        self.journal.remove_superseded()
        self._started = time.perf_counter()
        self._search = self.search(runner)
        next(self._search)

    def after_train_epoch(self, runner: Runner) -> None:
        """Finish the pass, training the other candidates that fall to this sub-runner."""
        for _ in self._search:
            self.train_epoch(runner)

    # Its steps ----------------------------------------------------------------------------------

    def install(self, runner: Runner, candidate: int, theta: Tensor) -> None:
        """Set the loss, the data order and all random numbers of a candidate's epoch."""
        for head in self.heads:
            head.set_theta(theta)
        stream = 0 if self.common_random_numbers else candidate
        runner.train_dataloader.batch_sampler.set_stream(runner.epoch, stream)
        seed_process(derive_seed(runner.seed, runner.epoch, stream, self.population.replica))
        self._finite = torch.ones((), dtype=torch.bool)
        runner.message_hub.update_scalar('train/candidate', candidate)  # shown beside the loss
        self.progress.start_candidate(runner.epoch + 1, candidate)

    def train_epoch(self, runner: Runner) -> None:
        """What MMEngine's loop does for the first candidate, for another one."""
        with self._earlier_hooks_only(runner):
            runner.call_hook('before_train_epoch')
        runner.model.train()
        for index, batch in enumerate(runner.train_dataloader):
            runner.train_loop.run_iter(index, batch)
        with self._earlier_hooks_only(runner):
            runner.call_hook('after_train_epoch')

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Note whether the loss is still finite, without waiting for the device."""
        if outputs and 'loss' in outputs:
            finite = torch.isfinite(torch.as_tensor(outputs['loss']).detach()).all()
            self._finite = finite & self._finite.to(finite.device)
        self.progress.advance()

    def score(self, runner: Runner) -> float:
        """The reward of the model as it stands; NaN if it, the loss or a weight is not finite."""
        average_buffers(runner)  # what is scored, handed over and saved is the same model
        weights = torch.stack([torch.isfinite(p).all() for p in runner.model.parameters()])
        if not everyone_agrees(bool(self._finite) and bool(weights.all())):
            return math.nan
        reward = float(self.evaluate(runner)[self.reward])
        return reward if math.isfinite(reward) else math.nan

    def evaluate(self, runner: Runner) -> dict:
        """All metrics of the model on D_v."""
        with self._earlier_hooks_only(runner):
            return runner.val_loop.run()

    def take_over(self, runner: Runner, best: TrainingState, winner: int) -> None:
        """Continue from the winner, which the sub-runner that trained it hands over."""
        holder = winner % self.population.num_sub_runners
        self.population.hand_over(best, holder).restore(runner)
        if self.hand_over == 'model':
            clear_optimizers(runner)

    def report(
        self,
        runner: Runner,
        mu_before: Tensor,
        theta: Tensor,
        reward: Tensor,
        advantage: Tensor,
        winner: int | None,
    ) -> None:
        """Write the epoch down, keep the best model so far, tell the user."""
        mu, share = self.policy.mean, self.interval_share()
        self.progress.finish_epoch()
        self.journal.record(
            mu_before=mu_before,
            mu=mu,
            sigma=self.policy.sigma,
            theta=theta,
            reward=reward,
            advantage=advantage,
            best=winner,
            interval_share=share,
        )
        self.journal.save_if_best_ever(runner)
        tell_epoch(
            runner,
            self.reward,
            reward,
            winner,
            mu_distance=(mu - self.mu_0).norm().item(),
            interval_share=share,
            seconds=time.perf_counter() - self._started,
        )
        if winner is None:
            self._survive_lost_epoch(runner)

    def interval_share(self) -> dict[str, list[float]]:
        """Share of the winner's training samples in each interval of t and tau (replica 0's)."""
        counts = [head.interval_counts() for head in self.heads]
        share = {}
        for name in counts[0]:
            count = sum(of_head[name] for of_head in counts).double()
            share[f'{name}_interval'] = (count / count.sum().clamp(min=1)).tolist()
        return share

    def _survive_lost_epoch(self, runner: Runner) -> None:
        lost = 0
        for record in reversed(self.journal.records):
            if record['best'] is not None:
                break
            lost += 1
        message = (
            f'all {self.num_candidates} candidates diverged (loss, weights or reward not finite) '
            f'in epoch {runner.epoch + 1}'
        )
        if lost >= self.max_lost_epochs:
            raise RuntimeError(
                f'{message}, {lost} epochs in a row: lower the learning rate, clip gradients, or '
                'lower sigma'
            )
        runner.logger.warning(f'{message}: model and mu stay as they were before it')

    @contextmanager
    def _earlier_hooks_only(self, runner: Runner) -> Iterator[None]:
        hooks = runner._hooks
        runner._hooks = hooks[: hooks.index(self)]
        try:
            yield
        finally:
            runner._hooks = hooks

    # Start, end, checkpoints ---------------------------------------------------------------------

    def before_train(self, runner: Runner) -> None:
        """Check the run, build the policy or resume it, tell the user what is going to happen."""
        check_loops(runner)
        check_hard_labels(runner.model)
        self.heads = find_heads(runner.model)
        check_num_classes(self.heads, runner.train_dataloader.dataset)
        self.population = getattr(runner, 'population', None) or Population()
        space = self.heads[0].search_space
        self.mu_0 = space.known_loss(**self.mu_0_cfg)
        self.policy = TASK_UTILS.build(self.policy_cfg, default_args=dict(mean=self.mu_0))
        directory = getattr(runner, 'search_dir', runner.work_dir)
        self.journal = Journal(directory, writes=self.population.is_main)
        if self._loaded is not None:
            self.policy.load_state_dict(self._loaded['policy'])
            self.journal.records = list(self._loaded['records'])

        loop = runner.train_loop
        loop.dataloader = make_reproducible(loop.dataloader, runner.seed)
        mine = self.population.my_candidates(self.num_candidates)
        self.progress = CandidateProgress(
            runner.max_epochs,
            len(mine),
            len(loop.dataloader),
            runner.logger,
            self.population.is_main,
        )
        self.population.hand_over(TrainingState.capture(runner), 0).restore(runner)
        metrics = self.evaluate(runner)
        check_reward(metrics, self.reward)
        announce(runner, self.population, self.num_candidates, self.reward, metrics[self.reward])

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the state of the search under the key ``loss_search``."""
        checkpoint['loss_search'] = dict(
            epoch=runner.epoch + 1,
            search_space=repr(self.heads[0].search_space),
            policy=self.policy.state_dict(),
            records=self.journal.records,
        )

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """If the run resumes, remember the state of the search; ``before_train`` takes it."""
        if runner._resume:
            space = find_heads(runner.model)[0].search_space
            check_resumed(checkpoint.get('loss_search'), space)
            self._loaded = checkpoint['loss_search']

    def after_train(self, runner: Runner) -> None:
        """Write the loss schedule and the plots."""
        self.journal.remove_superseded()
        space = self.heads[0].search_space
        self.journal.write_schedule(runner.seed, repr(space), runner.cfg.pretty_text)
        if not self.population.is_main or not self.journal.records:
            return
        from amlfs_mm.visualization import plot_search  # matplotlib: only when there is a plot

        plots = plot_search(self.journal.records, space, self.journal.directory)
        runner.logger.info('Search done. Plots: ' + ', '.join(path.name for path in plots))
        if epochs := self.journal.best_epochs():
            best = self.journal.records[epochs[-1] - 1]
            runner.logger.info(
                f'Best {self.reward} {best["reward"][best["best"]]:.2f} on D_v (optimistic: it was '
                f'selected there): {best_file(epochs[-1])}'
            )
