"""The hook that turns a training run into a loss search."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from amlfs_mm.registry import HOOKS
from amlfs_mm.search.loss_file import describe_another_head
from amlfs_mm.utils.randomness import derive_seed, seed_process

from ..checks import (
    check_epochs,
    check_kept_states,
    check_policy_state,
    check_resumed,
    check_resumed_options,
    check_reward,
    check_search,
)
from ..checks.annotations import count_scored
from ..checks.search import options_to_keep
from ..distributed.liveness import StopRequested
from ..distributed.population import population_of
from ..distributed.stop_signal import EXIT_CODE, StopSignal
from ..history.interval_share import interval_share
from ..history.kept_model import keep_better_model
from ..history.log import log_round, log_start, summarise, warn_or_stop_after_lost_round
from ..history.progress import CandidateProgress
from ..history.results import write_results
from ..history.search_history import SearchHistory
from ..history.stopped_search import save_stopped_search
from ..loops.loss_search_loop import LossSearchLoop
from ..loops.policy_steps import PolicySteps
from ..options import overruled_options, read_search_options
from ..runner_access import is_in_training, is_resuming, job_directory, replace_train_loop
from ..search_schedule import SearchSchedule
from ..searched_heads import find_heads
from ..state.broadcast import broadcast_state
from ..state.earlier_run import set_aside_unfinished_round
from ..state.hand_over import take_over_winner
from ..state.kept_states import KeptStates, count_states
from ..state.memory import choose_memory
from ..state.optimizers import all_pending_gradients, clear_optimizers, set_all_gradients
from ..state.search_round import SearchRound
from ..state.training_state import TrainingState
from ..state.unfinished_round import resume_round
from ..whole_batches import train_whole_batches


@HOOKS.register_module()
class LossSearchHook(Hook):
    """Searches the loss while the model trains (section 3.4 of the paper).

    The hook puts a :class:`LossSearchLoop`, Algorithm 1, in the place of the runner's training
    loop. It takes the loop's steps that concern all sub-runners: it draws the candidates, exchanges
    their rewards, updates mu, hands the winner over, and keeps the history and the checkpoints.

    On a ``LossSearchRunner`` the candidates are spread over its sub-runners. On a plain Runner one
    sub-runner trains all of them in turn, with the same result.

    Args:
        options: See :class:`SearchOptions`. An option that is not given here is taken from the
            config's ``loss_search``.

    Raises:
        ValueError: There is no such option, or it cannot have the value.
    """

    priority = 55  # after hooks of NORMAL priority, before the logger's
    decides_loss = True  # one hook of a run at most

    def __init__(self, **options: Any) -> None:
        self.given = options
        self.options = read_search_options(options)
        self.loop: LossSearchLoop | None = None
        self.loaded: dict | None = None
        self.saved_epoch = 0

    # The start of a run ---------------------------------------------------------------------------

    def before_run(self, runner: Runner) -> None:
        """Read the options, check what the config says, put the loop in place.

        For a test or a validation, alone or after the training, nothing is done.
        """
        if not is_in_training(runner) or isinstance(runner.train_loop, LossSearchLoop):
            return
        self.runner = runner
        self.options = read_search_options(self.given, runner.cfg.get('loss_search'))
        for text in overruled_options(self.given, runner.cfg.get('loss_search')):
            runner.logger.warning(text)
        check_epochs(runner)
        self.population = population_of(runner)
        self.schedule = SearchSchedule(
            runner.max_epochs, self.options.warmup_epochs, self.options.search_every
        )
        check_search(runner, self.schedule)
        check_kept_states(runner, self.options)
        self.heads = find_heads(runner.model)
        train_whole_batches(runner)
        self.loop = LossSearchLoop(runner.train_loop, self)
        replace_train_loop(runner, self.loop)

    def before_train(self, runner: Runner) -> None:
        """Bring all sub-runners to the same start, and tell the user what is going to happen."""
        runner.train_dataloader.batch_sampler.reseed(runner.seed)  # a checkpoint's, in a resume
        self.space = self.heads[0].search_space
        self.steps = PolicySteps(self.space, self.options, self.schedule, runner.seed)
        self.policy = self.steps.policy
        for text in describe_another_head(self.options.mu_0, self.heads[0]):
            runner.logger.warning(text)
        self.build_history()
        num_states = count_states(self.options)
        on_host = choose_memory(runner, self.options.captured_states, num_states)
        self.kept = KeptStates(self.options, on_host)
        self.resume()
        self.stop_signal = StopSignal(self.population.liveness, self.population.replica_group)
        self.wait_for_all_sub_runners()
        broadcast_state(self.population, TrainingState.capture(runner), 0).restore(runner)
        metrics = runner.train_loop.evaluate()
        check_reward(metrics, self.options)
        log_start(runner, self.population, self.options, metrics, num_states, on_host)

    def build_history(self) -> None:
        """What the search writes down and shows."""
        directory = job_directory(self.runner)
        self.history = SearchHistory(directory, writes=self.population.is_main)
        if self.population.is_main and not is_resuming(self.runner):
            # Mmengine's own Runner starts among the files of an earlier run.
            set_aside_unfinished_round(Path(directory), f'earlier_{self.runner.timestamp}')
        self.progress = CandidateProgress(
            self.runner.max_epochs,
            len(self.population.my_candidates(self.options.num_candidates)),
            len(self.runner.train_dataloader),
            self.runner.logger,
            self.population.is_main,
        )

    def resume(self) -> None:
        """Take over the state of the search from the checkpoint that the runner has loaded."""
        if self.loaded is None:
            return
        check_policy_state(self.loaded['policy'], self.policy)
        self.policy.load_state_dict(self.loaded['policy'])
        self.history.records = list(self.loaded['records'])
        set_all_gradients(self.runner, self.loaded['gradients'])
        self.kept.load(self.loaded, self.runner)
        self.saved_epoch = self.runner.epoch

    def wait_for_all_sub_runners(self) -> None:
        """Wait until all processes of the job have come here."""
        try:
            self.population.liveness.barrier('start')
        except StopRequested:
            raise SystemExit(EXIT_CODE) from None  # there is nothing to save yet

    # The steps of Algorithm 1 that concern all sub-runners ----------------------------------------

    def sample(self, epoch: int) -> Tensor:
        """The candidates (B, D) of the round that begins with this epoch, from 0 (Eq. 19)."""
        return self.steps.sample(epoch)

    def begin_round(self, theta: Tensor) -> SearchRound:
        """A round that starts from the present state; with what a stopped job had done of it."""
        self.started = time.perf_counter()
        self.history.remove_superseded(self.saved_epoch)
        self.runner.train_dataloader.forget()  # the batches of the round before
        epochs = self.schedule.round_from(self.runner.epoch)
        control = None if self.schedule.is_warmup(epochs.start) else self.kept.control
        if control is not None and not self.control_has_begun:
            control.begin(self.runner, self.kept.on_host)
        search_round = SearchRound(self.runner, epochs, theta, control, self.kept.on_host)
        resumed = resume_round(search_round, self.history.unfinished, self.population)
        if resumed:
            self.runner.logger.info(f'Going on with candidates {resumed} where a job was stopped')
        return search_round

    @property
    def control_has_begun(self) -> bool:
        """Whether the control has been trained in an earlier round."""
        return any('control' in record for record in self.history.records)

    def my_candidates(self, theta: Tensor) -> list[int]:
        """Those of the candidates (B, D) that this sub-runner trains."""
        return self.population.my_candidates(len(theta))

    def install(self, search_round: SearchRound, epoch: int, candidate: int) -> None:
        """Set the state, the loss, the data order and all random numbers of a candidate's epoch."""
        stream = 0 if self.options.common_random_numbers else candidate
        seed_process(derive_seed(self.runner.seed, epoch, stream, self.population.replica))
        done = search_round.begin_epoch(self.runner, epoch)
        if not done:
            for head in self.heads:
                head.set_theta(search_round.theta[candidate])
        self.runner.train_dataloader.batch_sampler.set_epoch(epoch, stream, skip=done)
        self.runner.message_hub.update_scalar('train/candidate', candidate)  # beside the loss
        self.progress.start_candidate(epoch + 1, candidate)
        self.tell_position(f'candidate {candidate}', at_once=True)

    def exchange_rewards(self, search_round: SearchRound) -> Tensor:
        """The rewards of all samples (B,), once all sub-runners have theirs.

        The reward of a control is not among them: it is kept aside.
        """
        self.tell_position('waiting for the rewards of other sub-runners')
        try:
            self.population.liveness.barrier(f'rewards/{search_round.epochs.start}')
        except StopRequested:
            self.stop()
        self.tell_position('taking over and saving the winner')
        reward = self.population.exchange_rewards(search_round.rewards, len(search_round.theta))
        reward, of_control = reward.tensor_split([len(search_round.samples)])
        self.control_reward = of_control.item() if len(of_control) else None
        return reward

    def update_policy(self, search_round: SearchRound, reward: Tensor) -> Tensor:
        """Move mu (Eq. 20), and return the advantages (B,). The warm-up leaves mu as it is."""
        self.mu_before = self.policy.mean
        return self.steps.update(search_round, reward, self.num_scored)

    @cached_property
    def num_scored(self) -> int:
        """How many samples of D_v a reward is the mean of."""
        return count_scored(self.runner.val_dataloader.dataset)

    def hand_over(self, search_round: SearchRound, winner: int | None) -> None:
        """Put every sub-runner into the winner's state; if all diverged, back to the start."""
        take_over_winner(self.runner, search_round, winner, self.population)
        if winner is not None and self.options.hand_over == 'model':
            clear_optimizers(self.runner)
        if search_round.control is not None:
            search_round.control.hand_over(len(search_round.samples), self.population)

    def record(
        self, search_round: SearchRound, reward: Tensor, advantage: Tensor, winner: int | None
    ) -> None:
        """Write the round down, keep the best model so far, tell the user.

        Raises:
            RuntimeError: All candidates diverged for the ``max_lost_rounds``-th time in a row.
        """
        self.progress.finish_round()
        epochs, warmup = search_round.epochs, self.schedule.is_warmup(search_round.epochs.start)
        lineage = None
        if self.kept.best_round is not None:
            best_reward = None if winner is None else reward[winner].item()
            lineage = self.kept.best_round.note(
                self.runner,
                epochs.stop,
                best_reward,
                self.history.epoch_of_model(),
                self.num_scored,
                summarise(reward)['std'],
                warmup,
            )
        self.history.record(
            mu_before=self.mu_before,
            mu=self.policy.mean,
            sigma=self.policy.sigma,
            theta=search_round.samples,
            reward=reward,
            advantage=advantage,
            best=winner,
            interval_share=interval_share(self.heads),
            epochs=epochs,
            warmup=warmup,
            control=self.control_reward,
            lineage=lineage,
        )
        self.history.save_if_best_ever(self.runner)
        log_round(
            self.runner,
            self.options.reward,
            self.history.records,
            mu_distance=(self.policy.mean - self.steps.mu_0).norm().item(),
            seconds=time.perf_counter() - self.started,
        )
        if winner is None:
            warn_or_stop_after_lost_round(
                self.runner, self.history.records, self.options.max_lost_rounds
            )

    def go_back(self) -> None:
        """Put every sub-runner into the best round's state, if the record says so."""
        if self.kept.best_round is not None:
            self.kept.best_round.go_back(self.runner, self.history.records[-1]['lineage'])

    # Between the iterations -----------------------------------------------------------------------

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Give a sign of life, and stop if that was asked for."""
        search_round = runner.train_loop.round
        self.tell_position(
            f'candidate {search_round.candidate}, iteration {search_round.iteration + 1}'
        )
        if self.stop_signal.is_due():
            self.stop()

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Note whether the loss is still finite, without a wait for the device."""
        loss = torch.as_tensor((outputs or {}).get('loss', 0.0))
        runner.train_loop.round.note_loss(loss)
        self.progress.advance()

    def after_val_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Give a sign of life."""
        self.tell_position('evaluation of a candidate')

    def tell_position(self, position: str, at_once: bool = False) -> None:
        """Give a sign of life to the other processes, and note the position for error messages."""
        if self.loop is None or self.loop.round is None:  # evaluation before or without a search
            return
        self.population.liveness.position = f'epoch {self.runner.epoch + 1}, {position}'
        self.population.liveness.heartbeat(at_once)

    def stop(self) -> None:
        """Save what the round has so far, and exit with code 75."""
        save_stopped_search(
            self.runner, self.runner.train_loop.round, self.history, self.population
        )
        self.population.liveness.close(stopping=True)
        self.stop_signal.ignore()
        raise SystemExit(EXIT_CODE)

    # Checkpoints and the end ----------------------------------------------------------------------

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the state of the search under the key ``loss_search``."""
        epoch = checkpoint['meta']['epoch']
        if 'optimizer' in checkpoint:  # one to resume from, not the best-ever model
            self.saved_epoch = epoch
        checkpoint['loss_search'] = dict(
            epoch=epoch,
            search_space=repr(self.space),
            policy=self.policy.state_dict(),
            records=self.history.records,
            gradients=all_pending_gradients(runner),
            options=options_to_keep(self.options),
        )
        if 'optimizer' in checkpoint:
            checkpoint['loss_search'] |= self.kept.content(self.history.epoch_of_model())

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """If the run resumes, keep the state of the search for :meth:`resume`.

        Raises:
            ValueError: No search wrote the checkpoint, or one in another search space.
        """
        if is_resuming(runner):
            check_resumed(checkpoint.get('loss_search'), self.heads[0].search_space)
            check_resumed_options(checkpoint['loss_search'], self.options)
            self.loaded = checkpoint['loss_search']

    def after_train(self, runner: Runner) -> None:
        """Write the loss schedule and the plots; keep the better one of search and control."""
        self.stop_signal.release()
        self.history.remove_superseded(self.saved_epoch)
        self.history.remove_empty_directory()
        write_results(runner, self.history, self.options, self.population, self.space)
        if self.kept.control is not None and self.population.sub_runner == 0:
            evaluate = runner.train_loop.evaluate
            keep_better_model(
                runner, self.history, self.options.reward, self.kept.control, evaluate
            )
