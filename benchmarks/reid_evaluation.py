"""Time ranking and re-ranking against torchreid's at Market-1501's size, in one run.

    OMP_NUM_THREADS=2 python benchmarks/reid_evaluation.py [--repeats 3]

Features are drawn: 750 identities, 6 cameras, 3,368 queries, 15,913 gallery images, 2,048 numbers
each. Every measurement is a process of its own, so that its peak memory is its own; ours and
torchreid's take turns. Prints the medians, their ratios and the largest difference of the results.
Ranking starts from the distance matrix; re-ranking from the features, with torchreid's own
distances for torchreid (their root: its `re_ranking` squares what it gets). torchreid's Cython is
not in its wheel.
"""

import argparse
import importlib
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch

QUERIES, GALLERY, IDENTITIES, CAMERAS = 3368, 15913, 750, 6
SIDES = ('ours', 'torchreid')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=3)
    parser.add_argument('--scale', type=float, default=1.0, help='of the numbers of images')
    parser.add_argument('--dim', type=int, default=2048)
    return parser.parse_args()


def draw_data(scale: float, dim: int) -> dict[str, np.ndarray]:
    """Features around one centre an identity, so that rankings are neither random nor perfect."""
    draw = np.random.default_rng(0)
    sizes = dict(query=round(scale * QUERIES), gallery=round(scale * GALLERY))
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


def measure(task: str, whose: str, folder: str, pipe) -> None:
    """Run once in this process; send seconds, peak memory in GB; leave the result in a file."""
    warnings.simplefilter('ignore')
    torch.manual_seed(0)
    data = dict(np.load(Path(folder) / 'data.npz'))
    if task.startswith('ranking'):
        from amlfs_mm.evaluation.distances import pairwise_distance

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
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    np.save(Path(folder) / f'{task}_{whose}.npy', result)
    pipe.send((seconds, peak))


def in_own_process(task: str, whose: str, folder: str) -> tuple[float, float]:
    context = multiprocessing.get_context('spawn')
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=measure, args=(task, whose, folder, sender))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


def main() -> None:
    args = parse_args()
    busy, cores = os.getloadavg()[0], os.cpu_count()
    print(f'{cores} cores, torch threads {torch.get_num_threads()}, load before: {busy:.1f}')
    differences = []
    with tempfile.TemporaryDirectory() as folder:
        np.savez(Path(folder) / 'data.npz', **draw_data(args.scale, args.dim))
        print('\n| task | whose | seconds (median) | peak memory, GB | torchreid / ours |')
        print('|---|---|---|---|---|')
        for task in FUNCTIONS:
            runs = {side: [] for side in SIDES}
            for _ in range(args.repeats):
                for side in SIDES:
                    runs[side].append(in_own_process(task, side, folder))
            medians = {
                side: [statistics.median(column) for column in zip(*values, strict=True)]
                for side, values in runs.items()
            }
            for side, (seconds, peak) in medians.items():
                time_ratio, peak_ratio = (
                    theirs / own
                    for theirs, own in zip(medians['torchreid'], (seconds, peak), strict=True)
                )
                ratio = (
                    '' if side == 'torchreid' else f'{time_ratio:.1f} x, memory {peak_ratio:.1f} x'
                )
                print(f'| {task} | {side} | {seconds:.2f} | {peak:.2f} | {ratio} |', flush=True)
            one, other = (np.load(Path(folder) / f'{task}_{side}.npy') for side in SIDES)
            difference = np.abs(one - other)
            share = 100 * (difference > 1e-6).mean()
            differences.append(
                f'{task}: largest difference of the results {difference.max():.1e}, '
                f'{share:.4f} % of the numbers differ by more than 1e-6'
            )
        print('\n' + '\n'.join(differences))


if __name__ == '__main__':
    main()
