"""How a search starts, is checkpointed, stops and ends: what surrounds Algorithm 1."""

from __future__ import annotations

import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner

from amlfs_mm.registry import TASK_UTILS
from amlfs_mm.search import find_loss

from ..checks import (
    check_checkpoints,
    check_epochs,
    check_hard_labels,
    check_held_out,
    check_num_classes,
    check_resumed,
    check_reward,
    check_validation,
)
from ..distributed.liveness import StopRequested
from ..distributed.population import Population, everyone_agrees
from ..distributed.stop_signal import EXIT_CODE, StopSignal
from ..history.compute import compute_of
from ..history.log import log_start
from ..history.progress import CandidateProgress
from ..history.search_history import SearchHistory, best_file
from ..loops.search_schedule import SearchSchedule
from ..searched_heads import find_heads
from ..state.search_round import SearchRound
from ..state.training_state import (
    TrainingState,
    all_pending_gradients,
    choose_memory,
    set_all_gradients,
)


class SearchLifecycle(Hook):
    """Options, start, checkpoints, stop and end of a search.

    :class:`LossSearchHook` adds the search itself, and describes the options.
    """

    def __init__(
        self,
        num_candidates: int = 32,
        reward: str = 'accuracy/top1',
        policy: dict = dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05),
        reward_filter: dict | None = None,
        mu_0: str | dict = 'softmax',
        hand_over: str = 'all',
        common_random_numbers: bool = False,
        max_lost_epochs: int = 3,
        warmup_epochs: int = 0,
        search_every: int = 1,
        captured_states: str = 'device',
        unreadable: str = 'error',
        batch_cache_gib: float = 0,
    ) -> None:
        if not isinstance(num_candidates, int) or num_candidates < 1:
            raise ValueError(f'num_candidates must be a whole number >= 1, got {num_candidates!r}')
        if hand_over not in ('all', 'model'):
            raise ValueError(f"hand_over must be 'all' or 'model', got {hand_over!r}")
        if not isinstance(max_lost_epochs, int) or max_lost_epochs < 1:
            raise ValueError(f'max_lost_epochs must be >= 1, got {max_lost_epochs!r}')
        if captured_states not in ('device', 'host'):
            raise ValueError(f"captured_states must be 'device' or 'host', got {captured_states!r}")
        if unreadable not in ('error', 'skip'):
            raise ValueError(f"unreadable must be 'error' or 'skip', got {unreadable!r}")
        if not isinstance(batch_cache_gib, (int, float)) or not batch_cache_gib >= 0:
            raise ValueError(f'batch_cache_gib must be a number >= 0, got {batch_cache_gib!r}')
        if batch_cache_gib and not common_random_numbers:
            raise ValueError(
                f'batch_cache_gib={batch_cache_gib!r} would keep batches that no other candidate '
                'trains on: it needs common_random_numbers=True'
            )
        if not isinstance(mu_0, (str, dict)) or (isinstance(mu_0, dict) and 'name' not in mu_0):
            raise ValueError(
                "mu_0 must be a known loss, 'softmax' or dict(name='am_softmax', m=0.35), or a "
                f"JSON file, 'loss.json'; got {mu_0!r}"
            )
        self.num_candidates = num_candidates
        self.reward = reward
        self.policy_cfg = dict(policy)
        self.reward_filter = TASK_UTILS.build(reward_filter) if reward_filter else None
        self.mu_0_cfg = mu_0
        self.hand_over = hand_over
        self.common_random_numbers = common_random_numbers
        self.max_lost_epochs = max_lost_epochs
        self.warmup_epochs = warmup_epochs
        self.search_every = search_every
        self.captured_states = captured_states
        self.unreadable = unreadable
        self.batch_cache_gib = batch_cache_gib
        self.round: SearchRound | None = None
        self._search = None
        self._loaded: dict | None = None
        self._saved_epoch = 0
        self._intervals: dict[CheckpointHook, int] = {}

    def before_train(self, runner: Runner) -> None:
        """Check the run, build the policy or resume it, tell the user what is going to happen."""
        check_epochs(runner)
        check_validation(runner)
        check_hard_labels(runner.model)
        self.heads = find_heads(runner.model)
        check_num_classes(self.heads, runner.train_dataloader.dataset)
        check_held_out(runner.train_dataloader.dataset, runner.val_dataloader.dataset)
        self.schedule = SearchSchedule(runner.max_epochs, self.warmup_epochs, self.search_every)
        self.schedule.check()
        check_checkpoints(runner, self.search_every)
        self.population = getattr(runner, 'population', None) or Population.of_world()
        self.stop_signal = StopSignal(self.population.liveness, self.population.replica_group)
        space = self.heads[0].search_space
        self.mu_0 = find_loss(space, self.mu_0_cfg)
        self.policy = TASK_UTILS.build(self.policy_cfg, default_args=dict(mean=self.mu_0))
        directory = getattr(runner, 'search_dir', runner.work_dir)
        self.history = SearchHistory(directory, writes=self.population.is_main)
        if self._loaded is not None:
            self.policy.load_state_dict(self._loaded['policy'])
            self.history.records = list(self._loaded['records'])
            set_all_gradients(runner, self._loaded['gradients'])
            self._saved_epoch = runner.epoch
        self.states_on_host = choose_memory(runner, self.captured_states)

        from amlfs_mm.datasets import make_reproducible  # mmpretrain: only when there is a run

        loop = runner.train_loop
        loop.dataloader = make_reproducible(
            loop.dataloader, runner.seed, self.unreadable, self.batch_cache_gib
        )
        mine = self.population.my_candidates(self.num_candidates)
        self.progress = CandidateProgress(
            runner.max_epochs,
            len(mine),
            len(loop.dataloader),
            runner.logger,
            self.population.is_main,
        )
        try:
            self.population.liveness.barrier('start')
        except StopRequested:
            raise SystemExit(EXIT_CODE) from None  # there is nothing to save yet
        self.population.hand_over(TrainingState.capture(runner), 0).restore(runner)
        metrics = self.evaluate(runner)
        check_reward(metrics, self.reward)
        log_start(
            runner,
            self.population,
            self.num_candidates,
            self.reward,
            metrics[self.reward],
            self.states_on_host,
        )

    @property
    def candidate_epochs(self) -> int:
        """Models trained for an epoch so far, those of warm-up and of lost rounds counted."""
        return self.history.candidate_epochs()

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Put the state of the search under the key ``loss_search``."""
        epoch = checkpoint['meta']['epoch']
        if 'optimizer' in checkpoint:  # not the best-ever model: one to resume from
            self._saved_epoch = epoch
        checkpoint['loss_search'] = dict(
            epoch=epoch,
            search_space=repr(self.heads[0].search_space),
            policy=self.policy.state_dict(),
            records=self.history.records,
            gradients=all_pending_gradients(runner),
        )

    def save_checkpoints(self, runner: Runner, wanted: bool) -> None:
        """Let MMEngine's hook save in this epoch, or not; a save that failed raised before this."""
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook):
                self._intervals.setdefault(hook, hook.interval)
                hook.interval = self._intervals[hook] if wanted else -1

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """If the run resumes, remember the state of the search; ``before_train`` takes it."""
        if runner._resume:
            space = find_heads(runner.model)[0].search_space
            check_resumed(checkpoint.get('loss_search'), space)
            self._loaded = checkpoint['loss_search']

    def after_train(self, runner: Runner) -> None:
        """Write the loss schedule and the plots."""
        self.stop_signal.release()
        self.history.remove_superseded(self._saved_epoch)
        space = self.heads[0].search_space
        self.history.write_schedule(
            seed=runner.seed,
            search_space=repr(space),
            reward=self.reward,
            hand_over=self.hand_over,
            common_random_numbers=self.common_random_numbers,
            replicas=self.population.replicas,
            threads=torch.get_num_threads(),
            compute=compute_of(runner, self.candidate_epochs, self.population.replicas),
            config=runner.cfg.pretty_text,
        )
        if not self.population.is_main or not self.history.records:
            return
        from amlfs_mm.visualization import plot_search  # matplotlib: only when there is a plot

        plots = plot_search(self.history.records, space, self.history.directory)
        runner.logger.info('Search done. Plots: ' + ', '.join(path.name for path in plots))
        if best := self.history.best_record():
            runner.logger.info(
                f'Best {self.reward} {best["reward"][best["best"]]:.2f} on D_v (optimistic: it was '
                f'selected there): {best_file(best["epoch"])}'
            )

    def stop(self, runner: Runner) -> None:
        """Save what the round has so far, and exit with code 75."""
        runner.logger.info(f'Stopping on request in {self.population.liveness.position}')
        self.round.save(runner, self.history.unfinished, self.population)
        first_epoch = self.round.epochs.start
        checkpoint = self.history.directory / f'epoch_{first_epoch}.pth'
        there = not self.population.is_main or checkpoint.is_file()
        if self.population.sub_runner == 0 and not everyone_agrees(there):
            # The resume starts from the round's start, which need not have been an epoch to save.
            # All replicas: each may hold a part of the class weights.
            self.round.start.restore(runner)
            meta = dict(epoch=first_epoch, iter=runner.iter)
            runner.save_checkpoint(str(checkpoint.parent), checkpoint.name, meta=meta)
        runner.logger.warning(
            f'Stopped on request. To go on, run the same command with --resume '
            f'(exit code {EXIT_CODE})'
        )
        self.population.liveness.close(stopping=True)
        self.stop_signal.ignore()
        raise SystemExit(EXIT_CODE)
