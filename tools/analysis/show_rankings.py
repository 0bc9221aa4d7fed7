"""Ranking pictures of the best and worst queries, and the CMC curve, from exported features.

python tools/test.py CONFIG CHECKPOINT --cfg-options test_evaluator.features_file=features.npz
python tools/analysis/show_rankings.py features.npz --out-dir rankings
"""

import argparse
from pathlib import Path

import amlfs_mm  # noqa: F401
from amlfs_mm.evaluation.reid.distances import DISTANCES, pairwise_distance
from amlfs_mm.evaluation.reid.features import load_features
from amlfs_mm.evaluation.reid.reid_metric import rerank_features
from amlfs_mm.utils.paths import user_path
from amlfs_mm.visualization.figures import save
from amlfs_mm.visualization.reid_plots import best_and_worst, draw_rankings, plot_cmc


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('features', type=user_path, help='.npz that the test evaluator wrote')
    parser.add_argument('--out-dir', type=user_path, default=Path('rankings'))
    parser.add_argument('--distance', choices=DISTANCES, default='cosine')
    parser.add_argument('--rerank', action='store_true', help='rank by the re-ranked distance')
    parser.add_argument('--queries', type=int, default=5, help='best, and as many worst')
    parser.add_argument('--top', type=int, default=10, help='gallery images a query')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if not args.features.is_file():
        raise SystemExit(f'show_rankings.py: there is no file {args.features}')
    query, gallery = load_features(args.features)
    plain = pairwise_distance(query.features, gallery.features, args.distance)
    distances = {args.distance: plain}
    if args.rerank:
        distances['re-ranked'] = rerank_features(query, gallery, args.distance, {})
    shown = list(distances.values())[-1]
    args.out_dir.mkdir(parents=True, exist_ok=True)
    for name, indices in best_and_worst(shown, query, gallery, args.queries).items():
        figure = draw_rankings(shown, query, gallery, indices, args.top)
        print(save(figure, args.out_dir / f'ranking_{name}.png'))
    print(save(plot_cmc(distances, query, gallery), args.out_dir / 'cmc.png'))


if __name__ == '__main__':
    main()
