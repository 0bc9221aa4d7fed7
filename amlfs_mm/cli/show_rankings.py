"""Draw the rankings of the best and worst queries, and the CMC curve, from exported features.

amlfs_mm test CONFIG CHECKPOINT --cfg-options test_evaluator.features_file=features.npz
amlfs_mm show-rankings features.npz --out-dir rankings
"""

import argparse
import zipfile
from collections.abc import Sequence
from pathlib import Path

from amlfs_mm.analysis.report.rankings import best_and_worst, cmc_curves, collect_rankings
from amlfs_mm.evaluation.reid.distances import DISTANCES, pairwise_distance
from amlfs_mm.evaluation.reid.features import Features, load_features
from amlfs_mm.evaluation.reid.reid_metric import rerank_features
from amlfs_mm.utils.command_line import errors_as_messages, positive_int
from amlfs_mm.utils.paths import user_path
from amlfs_mm.visualization.figures import save
from amlfs_mm.visualization.reid_plots import draw_rankings, plot_cmc


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('features', type=user_path, help='.npz file that the test wrote')
    parser.add_argument(
        '--out-dir', type=user_path, default=Path('rankings'), help='where the pictures go'
    )
    parser.add_argument('--distance', choices=DISTANCES, default='cosine')
    parser.add_argument('--rerank', action='store_true', help='rank by the re-ranked distance')
    parser.add_argument(
        '--queries',
        type=positive_int,
        default=5,
        help='how many best queries, and how many worst',
    )
    parser.add_argument(
        '--top', type=positive_int, default=10, help='number of gallery images for each query'
    )
    return parser.parse_args(arguments)


def read(path: Path) -> tuple[Features, Features]:
    """Queries and gallery from a file of exported features.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It holds something else, or is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f'there is no file {path}')
    try:
        return load_features(path)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f'{path} is no file of exported features, or is damaged: {error}'
        ) from error


def draw(args: argparse.Namespace) -> None:
    """Write the pictures, and print their paths."""
    query, gallery = read(args.features)
    distances = {args.distance: pairwise_distance(query.features, gallery.features, args.distance)}
    if args.rerank:
        distances['re-ranked'] = rerank_features(query, gallery, args.distance, {})
    shown = list(distances.values())[-1]
    args.out_dir.mkdir(parents=True, exist_ok=True)
    for name, indices in best_and_worst(shown, query, gallery, args.queries).items():
        figure = draw_rankings(collect_rankings(shown, query, gallery, indices, args.top))
        print(save(figure, args.out_dir / f'ranking_{name}.png'))
    print(save(plot_cmc(cmc_curves(distances, query, gallery)), args.out_dir / 'cmc.png'))


def main(arguments: Sequence[str] | None = None) -> None:
    args = parse_args(arguments)
    with errors_as_messages():
        draw(args)
