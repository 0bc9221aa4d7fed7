"""What loading costs a search, and what each way to load less saves.

    PYTHONPATH=. python benchmarks/input_pipeline.py [--turns 5] [--data-root DIR]

Needs no GPU and no data: scikit-learn's digits, and a folder of PNG files, DIR (one folder a class
in `train`) or 1,000 images of noise, 32 x 32. Each with its config's model and batch size, on one
thread, without loader workers. The ways take turns, an epoch each; printed are the medians over
the turns of

- us: microseconds of CPU to load, collate and normalise a sample;
- ratio: to `one by one`, of the same turn;
- share: of an epoch, the rest being the training steps (forward, backward, SGD).

The ways:

- one by one: the random generators put aside for each sample, as up to version 0.1;
- pipeline: put aside once a batch (what there is without an option);
- cached transforms: `amlfs_mm.CachedTransforms` over loading and resizing, after its first epoch;
- in memory: `amlfs_mm.InMemoryImages`;
- cached batches: the search hook's `batch_cache_gib`, a process's mean over 8 candidates.
"""

from __future__ import annotations

import argparse
import copy
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from measuring import describe_machine, median_ratio, take_turns
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader, Dataset

from amlfs_mm.datasets import make_reproducible
from amlfs_mm.utils.randomness import seeded

ROOT = Path(__file__).resolve().parent.parent
CANDIDATES = 8
STEPS = 5


class OneByOne(Dataset):
    """Samples with their seeds, the generators put aside for each."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __getitem__(self, index_and_seed: tuple[int, int]):
        index, seed = index_and_seed
        with seeded(seed):
            return self.dataset[index]

    def __len__(self) -> int:
        return len(self.dataset)


def loader_of(cfg: Config, dataset: dict | None = None, **options) -> DataLoader:
    """The config's training loader as a search has it, with another dataset if one is given."""
    loader = copy.deepcopy(cfg.train_dataloader)
    loader.update(num_workers=0, persistent_workers=False)
    loader.dataset = dataset or loader.dataset
    return make_reproducible(Runner.build_dataloader(loader, seed=0), 0, **options)


def one_by_one(cfg: Config) -> DataLoader:
    loader = loader_of(cfg)
    return DataLoader(
        OneByOne(loader.dataset.dataset),
        batch_sampler=loader.batch_sampler,
        collate_fn=loader.collate_fn,
    )


def ways_of(cfg: Config) -> dict[str, tuple[DataLoader, int]]:
    """The loaders, and how many candidates' epochs a turn of each is."""
    source = cfg.train_dataloader.dataset
    same, drawn = split_pipeline(source.pipeline)
    cached = [dict(type='amlfs_mm.CachedTransforms', transforms=same), *drawn]
    still = [step for step in source.pipeline if 'Random' not in step.type]
    in_memory = dict(type='amlfs_mm.InMemoryImages', dataset={**source, 'pipeline': still})
    if not drawn[:-1]:
        in_memory |= dict(padding=0, flip_prob=0)
    return {
        'one by one': (one_by_one(cfg), 1),
        'pipeline': (loader_of(cfg), 1),
        'cached transforms': (loader_of(cfg, {**source, 'pipeline': cached}), 1),
        'in memory': (loader_of(cfg, in_memory), 1),
        'cached batches': (loader_of(cfg, batch_cache_gib=4), CANDIDATES),
    }


def split_pipeline(pipeline: list[dict]) -> tuple[list[dict], list[dict]]:
    """The transforms before the first random one, or before PackInputs, and the others."""
    stop = next(
        i for i, step in enumerate(pipeline) if 'Random' in step.type or 'Pack' in step.type
    )
    return pipeline[:stop], pipeline[stop:]


def load(loader: DataLoader, epochs: int, preprocess: Callable) -> float:
    """CPU seconds of an epoch's loading, the mean over the candidates that a process serves."""
    if epochs > 1:
        loader.forget()
    begin = time.process_time()
    for _ in range(epochs):
        for batch in loader:
            preprocess(batch, training=True)
    return (time.process_time() - begin) / epochs


def train(cfg: Config, batch: dict, preprocess: Callable) -> float:
    """CPU seconds of a training step behind the loader and the preprocessor."""
    model = MODELS.build(cfg.model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    inputs = preprocess(batch, training=True)
    taken = []
    for _ in range(STEPS + 1):
        begin = time.process_time()
        model(**inputs, mode='loss')['loss'].backward()
        optimizer.step()
        optimizer.zero_grad()
        taken.append(time.process_time() - begin)
    return median(taken[1:])


def compare(name: str, cfg: Config, turns: int) -> None:
    """Print a table of the ways."""
    init_default_scope('mmpretrain')
    preprocess = MODELS.build(dict(type='ClsDataPreprocessor', **cfg.data_preprocessor))
    ways = ways_of(cfg)
    sides = {
        way: partial(load, loader, epochs, preprocess) for way, (loader, epochs) in ways.items()
    }
    seconds = take_turns(sides, turns, warm_up=1)
    loader = ways['pipeline'][0]
    steps = len(loader) * train(cfg, next(iter(loader)), preprocess)

    samples = len(loader.dataset)
    print(f'{name}: {samples} samples, training steps {1e6 * steps / samples:.0f} us a sample')
    print(f'{"":20}{"us":>7}{"ratio":>8}{"share":>8}')
    for way, taken in seconds.items():
        ratio = median_ratio(taken, seconds['one by one'])
        middle = median(taken)
        share = middle / (middle + steps)
        print(f'{way:20}{1e6 * middle / samples:7.0f}{ratio:8.2f}{100 * share:7.1f}%')


def write_noise(folder: Path, images: int = 1000) -> None:
    """A data set of one folder a class, without anything to learn."""
    draw = np.random.default_rng(0)
    for i in range(images):
        path = folder / 'train' / str(i % 10) / f'{i}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), draw.integers(0, 256, (32, 32, 3), dtype=np.uint8))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--turns', type=int, default=5)
    parser.add_argument('--data-root', type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)

    describe_machine('mmengine', 'mmpretrain')
    compare(
        'digits',
        Config.fromfile(ROOT / 'configs/small/digits/amlfs_resnet20_digits.py'),
        args.turns,
    )
    with tempfile.TemporaryDirectory() as noise:
        if args.data_root is None:
            write_noise(Path(noise))
        cfg = Config.fromfile(ROOT / 'configs/extras/amlfs_resnet20_folder.py')
        cfg.train_dataloader.dataset.data_root = str(args.data_root or noise)
        compare('folder', cfg, args.turns)


if __name__ == '__main__':
    main()
