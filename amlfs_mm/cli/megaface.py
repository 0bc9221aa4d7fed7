"""MegaFace's rank-k rates from feature files: raw and, with lists of noise, refined.

    amlfs_mm megaface features/facescrub features/megaface \\
        --probe-list devkit/templatelists/facescrub_features_list.json \\
        --distractor-lists devkit/templatelists/megaface_features_list.json_{10,1000000}_1

Prints rank<k>@<distractors> in percent by the raw protocol, which the paper's Table 3 uses. With
--noise, insightface's lists of noisy probes and distractors, it also prints the refined protocol,
rank<k>_refined@<distractors>: noisy distractors are left out, and noisy probes are replaced by the
mean of their person. Raw and refined rates cannot be compared. amlfs_mm.MegaFaceFeatures writes the
feature files.
"""

import argparse
from collections.abc import Sequence

import numpy as np
import torch

from amlfs_mm.evaluation import identification_rate
from amlfs_mm.evaluation.faces.megaface import (
    FaceList,
    check_noise,
    is_noise,
    read_features,
    read_list,
    read_noise,
    refine_probes,
)
from amlfs_mm.utils.command_line import errors_as_messages, positive_int
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import write_json


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'probes', type=user_path, help='folder with the features of the probes (FaceScrub)'
    )
    parser.add_argument(
        'distractors', type=user_path, help='folder with the features of the distractors (MegaFace)'
    )
    parser.add_argument(
        '--probe-list', type=user_path, required=True, help="JSON with 'path' and 'id'"
    )
    parser.add_argument(
        '--distractor-lists', type=user_path, nargs='+', required=True, help="JSON with 'path'"
    )
    parser.add_argument(
        '--suffix',
        default='.bin',
        help='what is added to the path of an image to name its feature file',
    )
    parser.add_argument(
        '--noise', type=user_path, nargs='+', default=[], help='lists of noisy images'
    )
    parser.add_argument('--ranks', type=positive_int, nargs='+', default=[1], help='values of k')
    parser.add_argument('--device', default='cpu', help='where to compare, such as cuda')
    parser.add_argument('--out', type=user_path, help='also write the rates to this JSON file')
    return parser.parse_args(arguments)


def rates(args: argparse.Namespace, probes: np.ndarray, ids: list, paths: list[str]) -> dict:
    """Rank-k rates in percent of probes (N, D) among the distractors with these paths."""
    chunks = read_features(args.distractors, paths, args.suffix)
    return identification_rate(torch.as_tensor(probes, device=args.device), ids, chunks, args.ranks)


def read_noise_lists(args: argparse.Namespace, probes: list[str]) -> set[str]:
    """The images in all lists of noise; prints how many images each list names."""
    lists = {path: read_noise(path) for path in args.noise}
    if not lists:
        return set()
    images = set(probes).union(*(read_list(path).paths for path in args.distractor_lists))
    found = {path: sum(is_noise(image, lists[path]) for image in images) for path in lists}
    check_noise(found, len(images))
    for path, count in found.items():
        print(f'{path.name}: {count} of {len(images)} probes and distractors are in it')
    return set().union(*lists.values())


def evaluate(args: argparse.Namespace, probe_list: FaceList) -> dict[str, float]:
    """Print and return the rates of each list of distractors, by both protocols with --noise."""
    noise = read_noise_lists(args, probe_list.paths)
    probes = np.concatenate(list(read_features(args.probes, probe_list.paths, args.suffix)))
    noisy = np.array([is_noise(path, noise) for path in probe_list.paths])
    print(f'{len(probes)} probes of {len(set(probe_list.ids))} persons, {noisy.sum()} are noise')
    result = {}
    for distractor_list in args.distractor_lists:
        paths = read_list(distractor_list).paths
        protocols = {'': rates(args, probes, probe_list.ids, paths)}
        if args.noise:
            clean = [path for path in paths if not is_noise(path, noise)]
            print(f'{distractor_list.name}: {len(paths) - len(clean)} of {len(paths)} are noise')
            refined = refine_probes(probes, probe_list.ids, noisy)
            protocols['_refined'] = rates(args, refined, probe_list.ids, clean)
        for protocol, of_ranks in protocols.items():
            for name, value in of_ranks.items():
                result[f'{name}{protocol}@{len(paths)}'] = value
                print(f'{name}{protocol}@{len(paths)}: {value:.2f}', flush=True)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        for path in (args.probe_list, *args.distractor_lists, *args.noise):
            if not path.is_file():
                raise FileNotFoundError(f'there is no file {path}')
        probe_list = read_list(args.probe_list)
        if probe_list.ids is None:
            raise ValueError(f"{args.probe_list} names no persons ('id')")
        result = evaluate(args, probe_list)
        if args.out:
            write_json(args.out, result)
