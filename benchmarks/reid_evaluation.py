"""Time ranking and re-ranking against torchreid's at Market-1501's size, in one run.

    OMP_NUM_THREADS=2 python benchmarks/reid_evaluation.py [--repeats 3] [--scale 0.5]

Features are drawn: 750 identities, 6 cameras, 3,368 queries, 15,913 gallery images, 2,048 numbers
each. Every measurement is a process of its own, so that its peak memory is its own; ours,
torchreid's and ours with twice the gallery take turns. Prints medians, ratios and the largest
difference of the results. Ranking starts from the distance matrix; re-ranking from the features,
with torchreid's own distances for torchreid (their root: its `re_ranking` squares what it gets).
torchreid's Cython is not in its wheel. Goals: ranking 15 x as fast; re-ranking 3 x as fast in a
third of the memory.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from measuring import (
    Goal,
    check,
    describe_machine,
    in_own_process,
    median_ratio,
    require,
    take_turns,
)

QUERIES, GALLERY, IDENTITIES, CAMERAS = 3368, 15913, 750, 6
SIDES = ('ours', 'torchreid')
TWICE = 'ours, 2 x the gallery'
GOALS = {'ranking': 15.0, 're-ranking': 3.0}
MEMORY_GOAL = 1 / 3


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--scale', type=float, default=1.0, help='of the numbers of images')
    parser.add_argument('--dim', type=int, default=2048)
    parser.add_argument('--tasks', nargs='+', choices=FUNCTIONS, default=list(FUNCTIONS))
    return parser.parse_args()


def draw_data(scale: float, dim: int, galleries: int = 1) -> dict[str, np.ndarray]:
    """Features around one centre an identity, so that rankings are neither random nor perfect."""
    draw = np.random.default_rng(0)
    sizes = dict(query=round(scale * QUERIES), gallery=galleries * round(scale * GALLERY))
    identities = max(2, round(scale * IDENTITIES))
    centres = draw.standard_normal((identities, dim), dtype=np.float32)
    data = {}
    for part, size in sizes.items():
        ids = draw.integers(0, identities, size)
        noise = draw.standard_normal((size, dim), dtype=np.float32)
        data[f'{part}_features'] = centres[ids] + 4 * noise
        data[f'{part}_ids'] = ids
        data[f'{part}_cameras'] = draw.integers(0, CAMERAS, size)
    return data


def rank_ours(data: dict) -> np.ndarray:
    from amlfs_mm.evaluation import reid_metrics

    metrics = reid_metrics(*ranking_arguments(data))
    return np.array([metrics['mAP'], metrics['rank1'], metrics['rank10']]) / 100


def rank_torchreid(data: dict) -> np.ndarray:
    from torchreid.reid.metrics import evaluate_rank

    cmc, mean = evaluate_rank(*ranking_arguments(data), use_cython=False)
    return np.array([mean, cmc[0], cmc[9]])


def ranking_arguments(data: dict) -> list:
    names = ('query_ids', 'gallery_ids', 'query_cameras', 'gallery_cameras')
    return [data['distance'], *(data[name] for name in names)]


def rerank_ours(data: dict) -> np.ndarray:
    from amlfs_mm.evaluation import k_reciprocal_rerank

    return k_reciprocal_rerank(data['query_features'], data['gallery_features'])


def rerank_torchreid(data: dict) -> np.ndarray:
    from torchreid.reid.metrics import compute_distance_matrix
    from torchreid.reid.utils import re_ranking

    query, gallery = (torch.from_numpy(data[f'{part}_features']) for part in ('query', 'gallery'))
    distances = [
        compute_distance_matrix(one, other).clamp_(min=0).sqrt_().numpy()
        for one, other in ((query, gallery), (query, query), (gallery, gallery))
    ]
    return re_ranking(*distances)


FUNCTIONS = {
    'ranking': dict(ours=rank_ours, torchreid=rank_torchreid),
    'ranking, float64': dict(ours=rank_ours, torchreid=rank_torchreid),
    're-ranking': dict(ours=rerank_ours, torchreid=rerank_torchreid),
}


def measure(task: str, whose: str, path: Path, result_path: Path) -> tuple[float, float]:
    """Run once in this process: seconds, peak memory in GB; the result goes into a file."""
    warnings.simplefilter('ignore')
    torch.manual_seed(0)
    data = dict(np.load(path))
    if task.startswith('ranking'):
        from amlfs_mm.evaluation.reid.distances import pairwise_distance

        features = (torch.from_numpy(data.pop(f'{p}_features')) for p in ('query', 'gallery'))
        distance = pairwise_distance(*features, 'cosine')
        # In float32 some distances are equal, which torchreid's sort leaves in any order.
        if task.endswith('float64'):
            distance = distance.double() + 1e-9 * torch.rand(distance.shape, dtype=torch.float64)
        data['distance'] = distance.numpy()
    for module in ('amlfs_mm.evaluation', 'torchreid.reid.metrics', 'torchreid.reid.utils'):
        importlib.import_module(module)  # not what is timed
    started = time.perf_counter()
    result = FUNCTIONS[task][whose](data)
    seconds = time.perf_counter() - started
    np.save(result_path, result)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def compare(task: str, folder: Path, repeats: int) -> list[Goal]:
    """Print a task's rows, and how far the results differ; its goals."""
    sides = {side: (side, 'data.npz') for side in SIDES} | {TWICE: ('ours', 'twice.npz')}
    runs = take_turns(
        {
            name: lambda name=name, whose=whose, data=data: in_own_process(
                measure, task, whose, folder / data, folder / f'{task}, {name}.npy'
            )
            for name, (whose, data) in sides.items()
        },
        repeats,
    )
    columns = {name: list(zip(*results, strict=True)) for name, results in runs.items()}
    ratios = {
        name: [median_ratio(of, ours) for of, ours in zip(column, columns['ours'], strict=True)]
        for name, column in columns.items()
    }
    for name, column in columns.items():
        seconds, memory = map(statistics.median, column)
        times, memories = ratios[name]
        print(f'| {task} | {name} | {seconds:.2f} | {times:.1f} | {memory:.2f} | {memories:.1f} |')
    one, other = (np.load(folder / f'{task}, {side}.npy') for side in SIDES)
    difference = np.abs(one - other)
    share = 100 * (difference > 1e-6).mean()
    print(
        f'\n{task}: largest difference of the results {difference.max():.1e}, '
        f'{share:.4f} % of the numbers differ by more than 1e-6\n',
        flush=True,
    )
    times, memories = ratios['torchreid']
    goals = []
    if task in GOALS:
        goals.append(Goal(f'{task}: times as fast as torchreid', times, GOALS[task], at_least=True))
    if task == 're-ranking':
        goals.append(Goal(f'{task}: memory / torchreid', 1 / memories, MEMORY_GOAL))
    return goals


def main() -> int:
    args = parse_args()
    require('torchreid.reid.metrics')
    describe_machine('torchreid', 'numpy')
    goals = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, galleries in (('data', 1), ('twice', 2)):
            data = draw_data(args.scale, args.dim, galleries)
            np.savez(folder / f'{name}.npz', **data)
            sizes = [len(data[f'{part}_ids']) for part in ('query', 'gallery')]
            print(f'{name}: {sizes[0]:,} queries, {sizes[1]:,} gallery images')
        print('\n| task | whose | seconds | times ours | peak memory, GB | times ours |')
        print('|---|---|---|---|---|---|')
        for task in args.tasks:
            goals += compare(task, folder, args.repeats)
    return check(goals)


if __name__ == '__main__':
    sys.exit(main())
