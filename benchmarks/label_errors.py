"""Which wrong labels does each method find, and what does a second training gain without them?

    DATA_ROOT=data/fashion_mnist python benchmarks/label_errors.py --data fashion --out labels.jsonl
    DATA_ROOT=data/cifar10_jpeg python benchmarks/label_errors.py --data cifar10 --out labels.jsonl
    python benchmarks/label_errors.py --table --data cifar10 --out labels.jsonl

Labels are made wrong with LabelNoise: a share `--noise`, to any other class or to the next one
(`--to`). Each cell (data, noise, kind, seed) trains

    plain     plain softmax; it judges by its last epoch (a) and by its best epoch on D_v (b).
    folds     plain softmax on all but one of K folds, K times, for out-of-fold probabilities, which
              cleanlab ranks (c): by the last epochs, and by the best epochs on D_v.
    search    the search, whose model ranks by p and by the weight (d), and by cleanlab.
    second_*  plain softmax without the suspects of each method, as many as the method estimates;
              and without exactly the wrong labels (oracle).

One line in `--out` for each cell and method: area under the ROC curve, precision at the true number
of wrong labels, the estimate of that number with its interval, images trained, and the test
accuracies after the second training. Started again after a kill, it goes on: trainings that are
done are not repeated, and lines that are there are not written again.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from mmengine.config import Config
from scipy.stats import rankdata

import amlfs_mm  # noqa: F401  (its cures for the OpenMMLab stack come first)
from amlfs_mm.analysis import mean_interval, read_run
from amlfs_mm.analysis.benchmark.benchmark_runs import Launcher, Training, best_checkpoint
from amlfs_mm.analysis.label_errors.cleaned_files import second_config, write_labels
from amlfs_mm.analysis.label_errors.judge import Judgement, judge_labels
from amlfs_mm.analysis.label_errors.noise_estimate import NoiseEstimate, estimate_noise
from amlfs_mm.analysis.label_errors.predictions import Predictions
from amlfs_mm.analysis.label_errors.ranking import rank_samples
from amlfs_mm.analysis.runs.records import read_json_lines
from amlfs_mm.analysis.runs.work_dirs import find_config, read_metrics
from amlfs_mm.engine.checks.annotations import annotation
from amlfs_mm.utils.command_line import errors_as_messages, positive_int
from amlfs_mm.utils.paths import user_path

ROOT = Path(__file__).resolve().parents[1]
METRIC = 'accuracy/top1'
DATA = dict(
    fashion=(
        'small/fashion_mnist',
        'baseline_mlp_fashion',
        'amlfs_mlp_fashion',
        ('loss_search.go_back=True',),
        0,
    ),
    cifar10=(
        'small/cifar10_jpeg',
        'baseline_resnet8_cifar10',
        'recommended_resnet8_cifar10',
        (
            'loss_search.control=False',
            'loss_search.num_candidates=4',
            'loss_search.go_back=True',
            'model.head.search_space.searched=both',
            'model.head.search_space.ceiling=True',
        ),
        1,
    ),
)
"""The configs' folder, the baseline, the search, options of the search, and the place of
LabelNoise in the pipeline."""
KINDS = dict(any='any other class', next='the next class')
METHODS = (
    'plain last',
    'plain best',
    'cleanlab out of fold last',
    'cleanlab out of fold best',
    'search p',
    'search weight',
    'search cleanlab',
)
MEASURES = {
    'Area under the ROC curve': 'auroc',
    'Precision at the true number of wrong labels': 'precision',
    'Wrong labels as estimated': 'estimate_wrong',
    'Test accuracy, second training without the suspects, last epoch, %': 'test_last',
    'The same, best epoch on D_v, %': 'test_best',
}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', nargs='+', choices=DATA, default=['fashion'])
    parser.add_argument('--noise', nargs='+', type=float, default=[0.1, 0.2, 0.4])
    parser.add_argument('--to', nargs='+', choices=['any', 'next'], default=['any', 'next'])
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2])
    parser.add_argument('--folds', type=positive_int, default=5)
    parser.add_argument(
        '--second', nargs='+', choices=METHODS, help='methods that train again, instead of all'
    )
    parser.add_argument('--processes', type=positive_int, default=1, help='of a search')
    parser.add_argument('--work-dir', type=user_path, default=Path('work_dirs/label_errors'))
    parser.add_argument('--out', type=user_path, default=Path('label_errors.jsonl'))
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], help='further settings of all trainings'
    )
    parser.add_argument('--table', action='store_true', help='print the means, train nothing')
    return parser.parse_args()


class Cell:
    """One data set with one kind and share of noise, and one seed."""

    def __init__(self, args: argparse.Namespace, data: str, to: str, noise: float, seed: int):
        self.key = dict(data=data, to=to, noise=noise, seed=seed)
        self.folds = args.folds
        self.second = args.second
        self.seed = seed
        self.directory = args.work_dir / f'{data}_{to}_{noise:g}' / f'seed{seed}'
        self.launcher = Launcher(ROOT / 'tools', args.processes, jobs=1)
        folder, baseline, search, of_search, place = DATA[data]
        changed = f'train_dataloader.dataset.pipeline.{place}'
        options = (f'{changed}.to={to}', f'{changed}.ratio={noise}', *args.cfg_options)
        configs = ROOT / 'configs' / folder
        self.plain = Training(
            configs / f'{baseline}.py', seed, self.directory / 'plain', options, METRIC
        )
        self.search = Training(
            configs / f'{search}.py', seed, self.directory / 'search', (*options, *of_search)
        )

    def measure(self, done: set[str]) -> Iterator[dict]:
        """A line for each method that is not done yet."""
        for method, (judged, kind, images) in self.judgements(done):
            wrong = true_labels(judged) != judged.train.given
            ranks = rank_samples(judged.train, kind)
            estimate = estimate_noise(judged.train, judged.val)
            suspects = ranks <= round(estimate.wrong)
            line = {
                **self.key,
                'method': method,
                **score_ranking(ranks, wrong),
                **summarise(estimate),
                'images': images,
            }
            if self.second is None or method in self.second:
                line |= self.train_again(method, judged, suspects)
            yield line
        if 'oracle' not in done:
            judged = self.judge_plain('last')
            wrong = true_labels(judged) != judged.train.given
            yield {**self.key, 'method': 'oracle', **self.train_again('oracle', judged, wrong)}
        if 'nothing dropped' not in done:
            self.launcher.test_all(self.plain)
            tests = read_tests(self.plain)
            yield {**self.key, 'method': 'nothing dropped', **tests}

    def judgements(self, done: set[str]) -> Iterator[tuple[str, tuple[Judgement, str, int]]]:
        """Each method that is not done: what it judges by, its ranking, and images trained."""
        self.launcher.train(self.plain)
        cost = read_run(self.plain.work_dir).images
        for model in ('last', 'best'):
            if f'plain {model}' not in done:
                yield f'plain {model}', (self.judge_plain(model), 'p', cost)
        for model in ('last', 'best'):
            if f'cleanlab out of fold {model}' not in done:
                judged, images = self.judge_out_of_fold(model)
                yield f'cleanlab out of fold {model}', (judged, 'cleanlab', images)
        for kind in ('p', 'weight', 'cleanlab'):
            if f'search {kind}' not in done:
                self.launcher.train(self.search)
                run = read_run(self.search.work_dir)
                yield f'search {kind}', (judge_labels(run, keep_all=True), kind, run.images)

    def judge_plain(self, model: str) -> Judgement:
        """What plain softmax says by its last epoch or by its best one on D_v."""
        self.launcher.train(self.plain)
        run = read_run(self.plain.work_dir)
        return judge_labels(run, self.plain.checkpoint(model), keep_all=True)

    def judge_out_of_fold(self, model: str) -> tuple[Judgement, int]:
        """What K models say, each about the fold that it was not trained on, and their images."""
        whole = self.judge_plain('last')
        count = len(whole.train)
        fold = np.random.default_rng(self.seed).permutation(count) % self.folds
        columns = dict(vars(whole.train))
        images = 0
        for number in range(self.folds):
            mine = fold == number
            training = self.cleaned(f'fold{number}', whole, ~mine)
            self.launcher.train(training)
            images += read_run(training.work_dir).images
            checkpoint = (
                read_run(training.work_dir).last_checkpoint
                if model == 'last'
                else best_checkpoint(training.work_dir, METRIC)
            )
            judged = judge_labels(read_run(self.plain.work_dir), checkpoint, keep_all=True)
            for name, column in vars(judged.train).items():
                if isinstance(column, np.ndarray):
                    columns[name] = columns[name].copy()
                    columns[name][mine] = column[mine]
        return whole._replace(train=Predictions(**columns), val=None), images

    def train_again(self, method: str, judged: Judgement, suspects: np.ndarray) -> dict:
        """Test accuracies of plain softmax without the suspects."""
        name = f'second_{method.replace(" ", "_")}'
        training = self.cleaned(name, judged, ~suspects)
        self.launcher.train(training)
        self.launcher.test_all(training)
        return dict(dropped=int(suspects.sum()), **read_tests(training))

    def cleaned(self, name: str, judged: Judgement, kept: np.ndarray) -> Training:
        """Plain softmax on some of the samples, with the labels that they have in this cell."""
        folder = self.directory / name
        folder.mkdir(parents=True, exist_ok=True)
        config = folder.parent / f'{name}.py'
        dumped = Config.fromfile(find_config(self.plain.work_dir))
        if kept.sum() % dumped.train_dataloader.batch_size == 1:
            # Batch normalisation refuses a last batch of one image.
            kept = kept & (np.arange(len(kept)) != np.flatnonzero(kept)[-1])
        positions = np.array(judged.samples.positions)[kept].tolist()
        labels = dict(zip(positions, judged.train.given[kept].tolist(), strict=True))
        write_labels(folder.parent / f'{name}.csv', labels)
        config.write_text(second_config(dumped, folder.parent, f'{name}.csv'))
        return replace(self.plain, config=config, work_dir=folder, options=())


def true_labels(judged: Judgement) -> np.ndarray:
    """(N,) The labels before LabelNoise changed them."""
    samples = judged.samples
    found = [(annotation(samples.dataset, index) or {})['gt_label'] for index in samples.indices]
    return np.array(found)


def score_ranking(ranks: np.ndarray, wrong: np.ndarray) -> dict:
    """Area under the ROC curve, and precision at the true number of wrong labels."""
    count, total = int(wrong.sum()), len(wrong)
    places = rankdata(-ranks)  # high: doubtful
    area = (places[wrong].sum() - count * (count + 1) / 2) / (count * (total - count))
    return dict(
        auroc=round(float(area), 4),
        precision=round(float(wrong[ranks <= count].mean()), 4),
        wrong=count,
        samples=total,
    )


def summarise(estimate: NoiseEstimate) -> dict:
    """The estimate in whole numbers."""
    names = ('wrong', 'low', 'high')
    return {f'estimate_{name}': round(getattr(estimate, name)) for name in names}


def read_tests(training: Training) -> dict:
    """Test accuracies of the last and the best epoch."""
    files = dict(test_last='test.json', test_best='test_best.json')
    return {key: read_metrics(training.work_dir / name)[METRIC] for key, name in files.items()}


def print_table(path: Path, wanted: list[str]) -> None:
    """The means over seeds with 95 % intervals, of each data set: a table a measure.

    Raises:
        ValueError: The file has no line of a data set.
    """
    cells = defaultdict(list)
    for line in read_json_lines(path):
        cells[line['method'], (line['data'], line['to'], line['noise'])].append(line)
    for data in wanted:
        of_data = [key for key in cells if key[1][0] == data]
        if not of_data:
            there = sorted({name for _, (name, _, _) in cells})
            raise ValueError(f'{path} has no line of {data!r}: give --data one of {there}')
        methods = list(dict.fromkeys(method for method, _ in of_data))
        noises = sorted({noise for _, noise in of_data})
        names = [f'{KINDS[to]}, {share:.0%} wrong' for _, to, share in noises]
        seeds = sorted({len(cells[key]) for key in of_data})
        print(f'{data}, seeds of a cell: {", ".join(map(str, seeds))}')
        for title, measure in MEASURES.items():
            rows = []
            for method in methods:
                found = [cells[method, noise] for noise in noises]
                values = [[line[measure] for line in lines if measure in line] for lines in found]
                if any(values):
                    digits = 3 if measure in ('auroc', 'precision') else 1
                    images = {
                        line['images'] for lines in found for line in lines if 'images' in line
                    }
                    cost = ''.join(f' ({count:,} images trained)' for count in images)
                    rows.append([method + cost, *(describe(each, digits) for each in values)])
            print(f'\n{title}:\n')
            print('| method | ' + ' | '.join(names) + ' |')
            print('|---' * (len(names) + 1) + '|')
            for row in rows:
                print('| ' + ' | '.join(row) + ' |')


def describe(values: list[float], digits: int) -> str:
    """The mean, with its interval if there are several values."""
    if len(values) < 2:
        return f'{values[0]:.{digits}f}' if values else ''
    mean = mean_interval(values)
    return f'{mean.mean:.{digits}f} ± {mean.half:.{digits}f}'


def main() -> None:
    args = parse_args()
    with errors_as_messages():
        if args.table:
            print_table(args.out, args.data)
            return
        for cell_key in product(args.data, args.to, args.noise, args.seeds):
            cell = Cell(args, *cell_key)
            lines = read_json_lines(args.out, last_may_be_cut=True) if args.out.is_file() else []
            mine = [line for line in lines if {k: line.get(k) for k in cell.key} == cell.key]
            for line in cell.measure({line['method'] for line in mine}):
                print(line, flush=True)
                append(args.out, line)


def append(path: Path, line: dict) -> None:
    """Add a line; one that a kill has cut short is removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'a+b') as file:
        file.seek(0)
        content = file.read()
        file.truncate(content.rfind(b'\n') + 1)
        file.write(json.dumps(line).encode() + b'\n')


if __name__ == '__main__':
    main()
