"""An MMEngine Runner whose world is one candidate."""

from __future__ import annotations

import copy
import logging
import os
from contextlib import nullcontext
from pathlib import Path

import torch
from mmengine.config import Config, ConfigDict
from mmengine.dist import is_distributed, is_main_process, sync_random_seed
from mmengine.evaluator import Evaluator
from mmengine.hooks import CheckpointHook, Hook
from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper, revert_sync_batchnorm
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner, ValLoop
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader

from amlfs_mm.registry import RUNNERS
from amlfs_mm.utils.atomic_files import atomic_write
from amlfs_mm.utils.devices import this_device
from amlfs_mm.utils.model_wrappers import unwrapped
from amlfs_mm.utils.paths import expand_home_in_config

from .checks import (
    check_earlier_search,
    check_evaluation,
    check_resumable,
    check_run,
    check_trained_classes,
)
from .distributed.failures import dead_workers_awaited, explain_failure
from .distributed.launch import init_distributed
from .distributed.population import Population
from .distributed.sharded_weights import agree_on_steps, keep_out_of_ddp, keep_own_moments
from .loops.batch_val_loop import BatchValLoop
from .options import read_runner_options
from .runner_access import (
    checkpoint_to_load,
    is_resuming,
    is_training_loader,
    keep_hooks,
    set_checkpoint_to_load,
    set_work_dir,
    work_dir_of,
)
from .state.checkpoints import (
    expand_checkpoint,
    find_checkpoints,
    is_remote,
    is_whole,
    last_remote_checkpoint,
    read_checkpoint,
    reading,
)
from .state.earlier_run import set_aside_earlier_run, set_aside_later_files
from .state.optimizers import each_wrapper
from .state.training_state import whole_checkpoint
from .state.weights import Comparison, check_same_weights, check_some_weights, log_weights
from .state.work_dir_lock import only_training_in
from .whole_batches import (
    evaluate_whole_batches,
    leave_batches_whole,
    let_linear_heads_check_features,
    load_training_batches,
    load_whole_batches,
)


@RUNNERS.register_module()
class LossSearchRunner(Runner):
    """One of G sub-runners; the job's processes form a (candidate x replica) grid.

    Every stock part of MMEngine sees the sub-runner as its whole world. Only ``LossSearchHook``
    communicates between sub-runners. Sub-runner 0 writes to the work dir, sub-runner k > 0 to
    ``candidate_<k>/``. Only sub-runner 0 prints and saves checkpoints.

    This runner also works with several processes on a CPU, and with more processes than GPUs, where
    MMEngine's does not. A checkpoint appears whole or not at all, also if its class weights are
    spread over the replicas (``sharded=True`` of a head).

    Its options stand in the config's ``loss_search``; see :class:`RunnerOptions`. With
    ``in_memory_gib`` at the top of the config, each data loader's images are kept in memory if they
    take no more GiB than that, and a batch of them is one tensor from the data to the metric.
    """

    # 'test' or 'validation', if the run is only that: its checkpoint must fit exactly.
    evaluated: str | None = None

    def __init__(self, *args, **kwargs) -> None:
        self._acting: dict[str, tuple[list[Hook], list[Hook]]] = {}
        super().__init__(*args, **kwargs)

    @classmethod
    def from_cfg(cls, cfg: Config | ConfigDict) -> Runner:
        """Build the runner of a config; ``~/`` in any of its paths is the home directory."""
        cfg = copy.deepcopy(cfg)
        expand_home_in_config(cfg)
        return super().from_cfg(cfg)

    def setup_env(self, env_cfg: dict) -> None:
        """Join the job, let the sub-runner be this process's world, set torch's threads."""
        options = read_runner_options(self.cfg.get('loss_search', {}))
        dist_cfg = dict(timeout=1800) | env_cfg.get('dist_cfg', {})
        if self.distributed and not is_distributed():
            init_distributed(self.launcher, **dist_cfg)
        self.population = Population.split_world(
            options.replicas_per_candidate, dist_cfg['timeout']
        )
        if options.threads_per_process is not None:
            torch.set_num_threads(options.threads_per_process)
        self.search_dir = work_dir_of(self)
        if self.population.sub_runner > 0:
            own = os.path.join(self.search_dir, f'candidate_{self.population.sub_runner}')
            os.makedirs(own, exist_ok=True)
            set_work_dir(self, own)
        super().setup_env(env_cfg)

    def set_randomness(self, seed: int | None, **kwargs) -> None:
        """Seed this process; all sub-runners get one seed."""
        if seed is None:
            seed = self.population.agree_on(sync_random_seed())
        super().set_randomness(seed, **kwargs)

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """The logger; only the main process of the job prints more than errors."""
        logger = super().build_logger(*args, **kwargs)
        if not self.population.is_main:
            for handler in logger.handlers:
                if not isinstance(handler, logging.FileHandler):
                    handler.setLevel(logging.ERROR)
        return logger

    def register_default_hooks(self, hooks: dict | None = None) -> None:
        """mmengine's default hooks; none of them waits for the device in each iteration."""
        deferred = dict(type='amlfs_mm.DeferredRuntimeInfoHook')
        super().register_default_hooks(dict(runtime_info=deferred) | dict(hooks or {}))

    def register_hooks(self, *args, **kwargs) -> None:
        """Register the hooks; only sub-runner 0 keeps those that save checkpoints."""
        super().register_hooks(*args, **kwargs)
        if self.population.sub_runner > 0:
            keep_hooks(self, [hook for hook in self.hooks if not isinstance(hook, CheckpointHook)])

    def call_hook(self, fn_name: str, **kwargs) -> None:
        """Call all hooks; in each iteration only those that have something to do then.

        Most hooks do nothing between two epochs. Of a small network's iteration, to call them all
        takes percents.
        """
        if not fn_name.endswith('_iter'):
            self._acting.clear()
            super().call_hook(fn_name, **kwargs)
            return
        hooks, acting = self._acting.get(fn_name, (None, []))
        if hooks != self.hooks:
            acting = [hook for hook in self.hooks if acts(hook, fn_name)]
            self._acting[fn_name] = list(self.hooks), acting
        for hook in acting:
            getattr(hook, fn_name)(self, **kwargs)

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """The model in DDP over the replicas of its candidate, on any kind of device."""
        if is_model_wrapper(model) or not self.distributed:
            return super().wrap_model(model_wrapper_cfg, model)
        if self.world_size == 1:
            # DDP over one process would only copy gradients; SyncBN would refuse a CPU.
            return revert_sync_batchnorm(model.to(this_device()))
        keep_out_of_ddp(model)
        # mmengine passes device_ids=[LOCAL_RANK] in any case, which DDP refuses on a CPU, and which
        # is not this process's GPU where processes share them.
        device = this_device()
        defaults = dict(
            type='MMDistributedDataParallel',
            broadcast_buffers=False,
            find_unused_parameters=self.cfg.get('find_unused_parameters', False),
            device_ids=None if device.type == 'cpu' else [device.index],
        )
        return super().wrap_model({**defaults, **(model_wrapper_cfg or {})}, model)

    def build_model(self, model: nn.Module | dict) -> nn.Module:
        """The model; it normalises a whole batch at once if the batch is one tensor."""
        built = super().build_model(model)
        leave_batches_whole(built)
        let_linear_heads_check_features(built)
        return built

    def build_dataloader(self, dataloader: DataLoader | dict, *args, **kwargs) -> DataLoader:
        """The loader; with ``in_memory_gib`` its images lie in memory."""
        built = Runner.build_dataloader(dataloader, *args, **kwargs)
        if is_training_loader(self, dataloader):
            return load_training_batches(self, built)
        return load_whole_batches(built, self.cfg.get('in_memory_gib', 0))

    def build_evaluator(self, evaluator: dict | list | Evaluator) -> Evaluator:
        """The evaluator; its accuracy counts whole batches."""
        return evaluate_whole_batches(super().build_evaluator(evaluator))

    def build_val_loop(self, loop: BaseLoop | dict) -> BaseLoop:
        """The validation loop, which takes whole batches."""
        built = super().build_val_loop(loop)
        if type(built) is not ValLoop:
            return built
        return BatchValLoop(self, built.dataloader, built.evaluator, built.fp16)

    def build_optim_wrapper(
        self, optim_wrapper: Optimizer | OptimWrapper | dict
    ) -> OptimWrapper | OptimWrapperDict:
        """The optimizer wrapper; all replicas of a sharded head clip and skip updates alike."""
        built = super().build_optim_wrapper(optim_wrapper)
        agree_on_steps(each_wrapper(built), self.model)
        return built

    def train(self) -> nn.Module:
        """Train; an error says which rank failed, with which candidate, epoch and iteration.

        Raises:
            CandidateError: Training failed in this process.
            SystemExit: With code 1, another process of the job failed first; with code 75, the job
                was stopped on request and can be resumed.
            BlockingIOError: Another process trains in the work dir.
        """
        holds = only_training_in(self.search_dir) if self.population.is_main else nullcontext()
        try:
            check_run(self)
            with holds:
                return super().train()
        except Exception as error:
            if self.population.liveness.position == 'the start':  # a config to mend: as it is
                raise
            with dead_workers_awaited(error) as cause:
                raise explain_failure(cause, self.population) from cause

    def test(self) -> dict:
        """Evaluate the test data, with the weights of the checkpoint and no others."""
        self.evaluated = 'test'
        check_evaluation(self, self.evaluated)
        return super().test()

    def val(self) -> dict:
        """Evaluate the validation data, with the weights of the checkpoint and no others."""
        self.evaluated = 'validation'
        check_evaluation(self, self.evaluated)
        return super().val()

    def load_or_resume(self) -> None:
        """Load the checkpoint that the config names, or resume from the newest whole one.

        Raises:
            ValueError: There are checkpoints, but all are damaged, or those of a search are gone.
        """
        if is_resuming(self) and checkpoint_to_load(self) is None:
            checkpoints = find_checkpoints(self.search_dir, self._other_checkpoint_dirs())
            if not checkpoints:
                self._check_nothing_to_resume()
                self.logger.warning(
                    f'Nothing to resume: {self.search_dir} has no checkpoint yet. Starting anew.'
                )
                self._set_aside(loaded=None)
                return
            whole = next((path for path in checkpoints if is_whole(path)), None)
            if whole is None:
                raise ValueError(
                    f'all checkpoints of {self.search_dir} are damaged: '
                    f'{[path.name for path in checkpoints]}. Remove them to start anew'
                )
            for path in checkpoints[: checkpoints.index(whole)]:
                self.logger.warning(f'{path} is damaged, perhaps cut short: passing it over')
            set_checkpoint_to_load(self, str(whole))
            self.logger.info(f'Resuming from {whole}')
        loaded = checkpoint_to_load(self) if is_resuming(self) else None
        super().load_or_resume()
        if self.evaluated is None:
            self._set_aside(loaded)

    def resume(self, filename: str, *args, **kwargs) -> None:
        """Resume from a checkpoint; of sharded weights this replica keeps its rows."""
        super().resume(filename, *args, **kwargs)
        keep_own_moments(self.model, each_wrapper(self.optim_wrapper))

    def load_checkpoint(self, filename: str, *args, **kwargs) -> dict:
        """Load weights: to resume or to test exactly the model's, to start training what fits.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It cannot be read, or does not fit; the message names it.
        """
        filename = expand_checkpoint(filename)
        remote = is_remote(filename)
        if not remote:  # before any weight is changed, and before hooks see the content
            content = read_checkpoint(filename, tensors=False)
            for hook in self.hooks:
                if getattr(hook, 'decides_loss', False):  # first: was it a run of this kind?
                    hook.after_load_checkpoint(self, content)
            found = self._compare_weights(content, filename)
        with reading(filename):
            checkpoint = super().load_checkpoint(filename, *args, **kwargs)
        if remote:
            found = self._compare_weights(checkpoint, filename)
        log_weights(found, filename)
        if self.evaluated is not None:
            check_trained_classes(self, self.evaluated, checkpoint, filename)
        if is_resuming(self):
            check_resumable(checkpoint, found, filename)
        return checkpoint

    def _compare_weights(self, checkpoint: dict, filename: str) -> Comparison:
        exactly = self.evaluated is not None or is_resuming(self)
        check = check_same_weights if exactly else check_some_weights
        return check(unwrapped(self.model), checkpoint, filename)

    def _other_checkpoint_dirs(self) -> list[Path]:
        """Where hooks save checkpoints, if not in the work dir."""
        name = Path(self.search_dir).absolute().name
        given = [h.out_dir for h in self.hooks if isinstance(h, CheckpointHook) and h.out_dir]
        return [Path(directory) / name for directory in given if not is_remote(directory)]

    def _set_aside(self, loaded: str | None) -> None:
        """Move away what does not belong to the run that goes on from a checkpoint, or anew."""
        if not self.population.is_main:
            return
        name = f'earlier_{self.timestamp}'
        for place in [Path(self.search_dir), *self._other_checkpoint_dirs()]:
            if loaded is None:
                moved = set_aside_earlier_run(place, name)
            elif is_remote(loaded):
                moved = []
            else:
                reached = dict(epoch=self.epoch, iter=self.iter)
                moved = set_aside_later_files(
                    place, name, reached, Path(expand_checkpoint(loaded)), is_over(self)
                )
            if moved:
                self.logger.warning(
                    f'{place} has files of another run, or of later epochs. They are now in '
                    f'{place / name}: {", ".join(moved)}'
                )

    def _check_nothing_to_resume(self) -> None:
        if remote := last_remote_checkpoint(self.search_dir):
            raise ValueError(
                f'the last checkpoint of {self.search_dir} is {remote}, which --resume does not '
                f'look for: give it by name, --resume {remote}'
            )
        intervals = [hook.interval for hook in self.hooks if isinstance(hook, CheckpointHook)]
        check_earlier_search(self.search_dir, max(intervals, default=1))

    def save_checkpoint(self, out_dir: str, filename: str, *args, **kwargs) -> None:
        """Save a checkpoint, whole or not at all; only sub-runner 0 does."""
        if self.population.sub_runner > 0:
            return
        with whole_checkpoint(self, self.population.replica_group):
            if '://' in str(out_dir) or not is_main_process():
                super().save_checkpoint(out_dir, filename, *args, **kwargs)
                return
            with atomic_write(Path(out_dir) / filename) as temporary:
                super().save_checkpoint(str(out_dir), temporary.name, *args, **kwargs)


def is_over(runner: Runner) -> bool:
    """Whether a run that goes on from a checkpoint has nothing left to train."""
    if isinstance(runner.train_loop, EpochBasedTrainLoop):
        return runner.epoch >= runner.max_epochs
    return runner.iter >= runner.max_iters


def acts(hook: Hook, stage: str) -> bool:
    """Whether a hook does something at a stage, such as ``'before_train_iter'``."""
    if stage not in Hook.stages:  # of a loop of one's own
        return hasattr(hook, stage)
    return stage in vars(hook) or stage in hook.get_triggered_stages()
