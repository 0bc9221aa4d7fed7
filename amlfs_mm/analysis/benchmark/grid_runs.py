"""The runs of a grid of static losses, and the test of the ones that D_v chooses."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.config import Config

from ..runs.run import TEST_FILES
from ..runs.work_dirs import read_run
from .benchmark_runs import Launcher, Training
from .grid_choice import GRID_FILE, choose_losses, read_choice, write_choice
from .loss_grid import StaticLoss, grid_of


@dataclass(frozen=True)
class Grid:
    """A grid of one seed.

    Attributes:
        seed: Of its trainings.
        work_dir: Where the choice and the tests go.
        losses: The losses.
        trainings: One for each loss. Grids of several sizes share them.
    """

    seed: int
    work_dir: Path
    losses: list[StaticLoss]
    trainings: list[Training]

    def check(self) -> None:
        """Refuse a work dir that holds another grid, or trainings with other settings.

        Raises:
            ValueError: The work dir holds one of these.
        """
        for training in self.trainings:
            training.check()
        if (self.work_dir / GRID_FILE).is_file():
            then = [score['loss'] for score in read_choice(self.work_dir)['scores']]
            if then != list(map(str, self.losses)):
                raise ValueError(
                    f'{self.work_dir} holds a grid of other losses ({", ".join(then)}): remove the '
                    'folder, or give another --work-dir'
                )

    def finish(self, launcher: Launcher, trained: Sequence[Future]) -> None:
        """Choose by D_v when the trainings are done, and test what is chosen, once."""
        for future in trained:
            future.result()
        if launcher.failed.is_set():
            return
        runs = [read_run(training.work_dir) for training in self.trainings]
        metric = self.trainings[0].keep_best
        assert metric is not None
        choice = choose_losses(runs, list(map(str, self.losses)), metric)
        write_choice(choice, self.work_dir)
        for model, chosen in choice['chosen'].items():
            training = self.trainings[list(map(str, self.losses)).index(chosen['loss'])]
            launcher.test(training, model, self.work_dir / TEST_FILES[model])


def plan_grid(baseline: Training, size: int) -> Grid:
    """The grid of the first ``size`` losses for a baseline.

    Args:
        baseline: Its ``work_dir`` is the folder for all grids and their trainings.
        size: B.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: It is not one of plain softmax, or the grid has fewer losses.
    """
    name, seed = baseline.config.stem, baseline.seed
    if not baseline.config.is_file():
        raise FileNotFoundError(f'there is no config {baseline.config}')
    if baseline.is_search:
        raise ValueError(f'{baseline.config} searches a loss: a grid starts from a baseline')
    losses = grid_of(Config.fromfile(baseline.config), size)
    trainings = [
        replace(
            baseline,
            work_dir=baseline.work_dir / 'grid' / f'{name}_{loss}_seed{seed}',
            options=(*baseline.options, *(f'{k}={v}' for k, v in loss.options.items())),
        )
        for loss in losses
    ]
    return Grid(seed, baseline.work_dir / f'grid{size}_of_{name}_seed{seed}', losses, trainings)
