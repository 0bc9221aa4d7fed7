"""Algorithm 1 of the paper as an MMEngine hook."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.hooks import ParamSchedulerHook
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.registry import HOOKS
from amlfs_mm.utils.randomness import derive_seed, seed_process

from ..distributed.liveness import StopRequested
from ..distributed.population import everyone_agrees
from ..history.log import log_round
from ..state.search_round import SearchRound
from ..state.training_state import clear_optimizers, synchronise_replicas
from .search_lifecycle import SearchLifecycle


@HOOKS.register_module()
class LossSearchHook(SearchLifecycle):
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
        reward_filter: Config of what the policy learns from in place of the rewards, such as
            ``NullReward``; see :mod:`amlfs_mm.search.reward_filters`.
        mu_0: Where the policy starts: a known loss, ``'softmax'`` or
            ``dict(name='am_softmax', m=0.35)``, or a JSON file as in ``AMLFSHead``'s ``theta``.
        hand_over: ``'all'``: the winner's model, buffers, optimizer, scaler, EMA and schedules
            start the next epoch. ``'model'``: the same, but the optimizer starts empty.
        common_random_numbers: All candidates of an epoch see the same data order and augmentation.
            Default: each its own, as separate runs in the paper have.
        max_lost_epochs: Stop with an error after so many rounds in a row in which all diverged.
        warmup_epochs: Epochs of the plain loss, one candidate, before the search starts.
        search_every: Epochs that a candidate trains before it is scored (a round).
        captured_states: ``'device'``: copies of the training state stay on the GPU if they fit;
            ``'host'``: in pinned host memory.
        unreadable: ``'error'``: a training image that cannot be read ends the run. ``'skip'``:
            another one takes its place, with a warning, and is counted.
        batch_cache_gib: GiB of a process's memory in which to keep a round's batches, augmented,
            for its next candidate. They are the same under ``common_random_numbers``, which it
            needs; epochs that take more are loaded anew for each. 0: keep none.
    """

    priority = 55  # after hooks of NORMAL priority, before the logger's

    def search(self, runner: Runner) -> Iterator[None]:
        """Algorithm 1, one pass of its loop. Each ``yield`` asks for one epoch of training."""
        # Sample B hyper-parameters theta_1 ... theta_B (Eq. 19), the same ones in every process.
        theta = self.sample(runner)

        # Train the model M_w separately with each, and score it: R(theta_i).
        self.begin_round(runner, theta)
        for candidate in self.round.remaining(self.population.my_candidates(len(theta))):
            for epoch in self.round.remaining_epochs():
                self.install(runner, epoch, candidate, theta[candidate])
                yield
            self.round.add(self.score(runner), runner)

        # Decide the winner, the arg max; the first one of equals.
        reward = self.exchange_rewards(runner)
        survivors = [i for i in range(len(theta)) if torch.isfinite(reward[i])]
        winner = max(survivors, key=lambda i: reward[i].item(), default=None)

        # Update mu (Eq. 20).
        mu_before = self.policy.mean
        advantage = self.update(runner, theta, reward)

        # The winner's model is everybody's start of the next round.
        self.take_over(runner, winner)
        self.report(runner, mu_before, theta, reward, advantage, winner)

    def before_train_epoch(self, runner: Runner) -> None:
        """Begin a pass, or go on with it: MMEngine's loop trains the first candidate."""
        if self._search is None:
            self._search = self.search(runner)
        # A job that was stopped after its last candidate has nothing left to train.
        if next(self._search, 'done') == 'done':
            runner.train_dataloader.batch_sampler.set_epoch(runner.epoch, 0, skip=sys.maxsize)

    def after_train_epoch(self, runner: Runner) -> None:
        """Finish the pass, training the other candidates that fall to this sub-runner."""
        if runner.epoch + 1 < self.round.epochs.stop:
            self.save_checkpoints(runner, False)  # what the loop trains is not yet the winner
            return
        for _ in self._search:
            self.train_epoch(runner)
        self._search = None
        self.save_checkpoints(runner, True)

    # Its steps ----------------------------------------------------------------------------------

    def sample(self, runner: Runner) -> Tensor:
        """The candidates (B, D) of the round that begins; in warm-up one, the plain loss."""
        if self.schedule.is_warmup(runner.epoch):
            return self.heads[0].search_space.identity()[None]
        generator = torch.Generator().manual_seed(derive_seed(runner.seed, runner.epoch))
        return self.policy.sample(self.num_candidates, generator)

    def begin_round(self, runner: Runner, theta: Tensor) -> None:
        """Remember the start, and what a stopped job had already done from it."""
        self.history.remove_superseded(self._saved_epoch)
        self._started = time.perf_counter()
        runner.train_dataloader.forget()  # the batches of the round before
        epochs = self.schedule.round_from(runner.epoch)
        self.round = SearchRound(runner, epochs, theta, on_host=self.states_on_host)
        if picked_up := self.round.pick_up(self.history.unfinished, self.population):
            runner.logger.info(
                f'Going on with candidates {picked_up} where a stopped job left them'
            )

    def install(self, runner: Runner, epoch: int, candidate: int, theta: Tensor) -> None:
        """Set the state, the loss, the data order and all random numbers of a candidate's epoch."""
        stream = 0 if self.common_random_numbers else candidate
        seed_process(derive_seed(runner.seed, epoch, stream, self.population.replica))
        done = self.round.begin_epoch(runner, epoch)
        if not done:
            for head in self.heads:
                head.set_theta(theta)
        runner.train_dataloader.batch_sampler.set_epoch(epoch, stream, skip=done)
        runner.message_hub.update_scalar('train/candidate', candidate)  # shown beside the loss
        self.progress.start_candidate(epoch + 1, candidate)
        self.say_where(runner, f'candidate {candidate}', at_once=True)

    def train_epoch(self, runner: Runner) -> None:
        """What MMEngine's loop does for the first candidate, for another one."""
        with self._hooks_up_to_this(runner, inclusive=False):
            runner.call_hook('before_train_epoch')
        runner.model.train()
        for index, batch in enumerate(runner.train_dataloader):
            runner.train_loop.run_iter(index, batch)
        with self._hooks_up_to_this(runner, inclusive=False):
            runner.call_hook('after_train_epoch')
        if runner.epoch + 1 < self.round.epochs.stop:  # as after the loop's epochs within a round
            for hook in runner.hooks:
                if isinstance(hook, ParamSchedulerHook):
                    hook.after_train_epoch(runner)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch=None) -> None:
        """Between two iterations: give a sign of life, and stop if that was asked for."""
        where = f'candidate {self.round.candidate}, iteration {self.round.iteration + 1}'
        self.say_where(runner, where)
        if self.stop_signal.is_due():
            self.stop(runner)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Note whether the loss is still finite, without waiting for the device."""
        self.round.note_loss(torch.as_tensor((outputs or {}).get('loss', 0.0)))
        self.progress.advance()

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch=None, outputs=None):
        """Give a sign of life."""
        self.say_where(runner, 'evaluation of a candidate')

    def score(self, runner: Runner) -> float:
        """The reward of the model as it stands; NaN if it, the loss or a weight is not finite."""
        synchronise_replicas(runner)  # what is scored, handed over and saved is the same model
        weights = torch.stack([torch.isfinite(p).all() for p in runner.model.parameters()])
        if not everyone_agrees(bool(self.round.finite) and bool(weights.all())):
            return math.nan
        reward = float(self.evaluate(runner)[self.reward])
        return reward if math.isfinite(reward) else math.nan

    def evaluate(self, runner: Runner) -> dict:
        """All metrics of the model on D_v."""
        with self._hooks_up_to_this(runner, inclusive=True):
            return runner.val_loop.run()

    def exchange_rewards(self, runner: Runner) -> Tensor:
        """The rewards (B,) of all candidates, once all sub-runners have theirs."""
        self.say_where(runner, 'waiting for the rewards of other sub-runners')
        try:
            self.population.liveness.barrier(f'rewards/{self.round.epochs.start}')
        except StopRequested:
            self.stop(runner)
        self.say_where(runner, 'taking over and saving the winner')
        return self.population.exchange_rewards(self.round.rewards, len(self.round.theta))

    def update(self, runner: Runner, theta: Tensor, reward: Tensor) -> Tensor:
        """Move mu; the advantages (B,). Warm-up leaves mu alone."""
        if self.schedule.is_warmup(self.round.epochs.start):
            return torch.zeros_like(reward)
        if self.reward_filter is not None:
            # The numbers of a candidate B, whom there is not.
            seed = derive_seed(runner.seed, self.round.epochs.start, len(theta))
            generator = torch.Generator().manual_seed(seed)
            reward = self.reward_filter(reward, generator, len(runner.val_dataloader.dataset))
        return self.policy.update(theta, reward)

    def take_over(self, runner: Runner, winner: int | None) -> None:
        """Continue from the winner, which the sub-runner that trained it hands over.

        If all diverged, from the start of the round.
        """
        runner.train_loop._epoch = self.round.epochs.stop - 1
        if winner is None:
            self.round.start.restore(runner)
            return
        holder = winner % self.population.num_sub_runners
        best, start = self.round.best, self.round.start
        self.round.best = self.round.start = None
        if holder != self.population.sub_runner:
            best = None  # the winner takes the memory of the start
        self.population.hand_over(best, holder, into=start).restore(runner)
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
        self.history.record(
            mu_before=mu_before,
            mu=mu,
            sigma=self.policy.sigma,
            theta=theta,
            reward=reward,
            advantage=advantage,
            best=winner,
            interval_share=share,
            epochs=self.round.epochs,
            warmup=self.schedule.is_warmup(self.round.epochs.start),
        )
        self.history.save_if_best_ever(runner)
        log_round(
            runner,
            self.reward,
            reward,
            winner,
            mu_distance=(mu - self.mu_0).norm().item(),
            interval_share=share,
            seconds=time.perf_counter() - self._started,
            warmup=self.history.records[-1]['warmup'],
            skipped=runner.train_dataloader.dataset.skipped,
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
        for record in reversed(self.history.records):
            if record['best'] is not None:
                break
            lost += 1
        message = (
            f'all {len(self.round.theta)} candidates diverged (loss, weights or reward not finite) '
            f'in epoch {runner.epoch + 1}'
        )
        if lost >= self.max_lost_epochs:
            raise RuntimeError(
                f'{message}, {lost} epochs in a row: lower the learning rate, clip gradients, or '
                'lower sigma'
            )
        runner.logger.warning(f'{message}: model and mu stay as they were before it')

    @contextmanager
    def _hooks_up_to_this(self, runner: Runner, inclusive: bool) -> Iterator[None]:
        hooks = runner._hooks
        runner._hooks = hooks[: hooks.index(self) + inclusive]
        try:
            yield
        finally:
            runner._hooks = hooks

    def say_where(self, runner: Runner, what: str, at_once: bool = False) -> None:
        """Give a sign of life, for the others and for the message of an error."""
        if self.round is None:  # evaluation before, or without, a search
            return
        self.population.liveness.position = f'epoch {runner.epoch + 1}, {what}'
        self.population.liveness.heartbeat(at_once)
