"""Which training labels are wrong? Rank the training samples of a run, most doubtful first.

    amlfs_mm label-errors WORK_DIR [--drop | --relabel]

Writes label_errors.csv and label_errors.html into the work dir. The model of the last epoch, or of
--checkpoint, gives each training sample the probability p of its label; a search's winners of the
last epochs also give it a weight. --drop and --relabel write what a second training needs:
`amlfs_mm train WORK_DIR/cleaned_config.py`.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from mmengine.device import get_device

from amlfs_mm.analysis import Run, read_run
from amlfs_mm.analysis.label_errors.cleaned_files import dropped, relabelled, write_cleaned
from amlfs_mm.analysis.label_errors.judge import LAST_EPOCHS, Judgement, judge_labels
from amlfs_mm.analysis.label_errors.noise_estimate import NoiseEstimate, estimate_noise
from amlfs_mm.analysis.label_errors.ranking import METHODS, rank_samples
from amlfs_mm.analysis.label_errors.table import LabelDoubt, tabulate_doubts, write_table
from amlfs_mm.analysis.label_errors.thumbnails import thumbnail
from amlfs_mm.utils.command_line import errors_as_messages, positive_int
from amlfs_mm.utils.optional_imports import needs_extra
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import write_text
from amlfs_mm.version import __version__

with needs_extra('analysis', 'the page of label errors'):
    import jinja2

TEMPLATE = Path(__file__).with_name('label_errors.html.jinja')
ESTIMATED = -1
MOST_CLASSES = 20
"""With more classes than this, the page lists pairs in place of a matrix."""
MOST_PAIRS = 30


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dir', type=user_path, metavar='WORK_DIR', help='of a training')
    parser.add_argument(
        '--checkpoint', type=user_path, help="the model that judges; default: the last epoch's"
    )
    parser.add_argument(
        '--last-epochs',
        type=positive_int,
        default=LAST_EPOCHS,
        metavar='N',
        help="weights are means under the winners of the search's last N epochs "
        f'(default {LAST_EPOCHS})',
    )
    parser.add_argument(
        '--method',
        choices=METHODS,
        default='p',
        help='rank by p of the given label, by the weight, or by cleanlab (default p)',
    )
    second = parser.add_mutually_exclusive_group()
    for name, what in dict(drop='leave out', relabel="give the model's label to").items():
        second.add_argument(
            f'--{name}',
            type=positive_int,
            nargs='?',
            const=ESTIMATED,
            metavar='N',
            help=f'write what a second training needs to {what} the N most doubtful samples; '
            'without N: as many as are estimated to be wrong',
        )
    parser.add_argument(
        '--show',
        type=positive_int,
        default=300,
        metavar='N',
        help='thumbnails on the page, of the most doubtful samples (default 300)',
    )
    parser.add_argument('--device', default=get_device(), help='where the model runs')
    return parser.parse_args(arguments)


def find_label_errors(args: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Write the table, the page and, if asked for, the files of a second training."""
    run = read_run(args.work_dir)
    if not args.work_dir.is_dir():
        raise ValueError(f'{args.work_dir} is no folder: give the work dir, and --checkpoint FILE')
    keep_all = args.method == 'cleanlab'
    judged = judge_labels(run, args.checkpoint, args.last_epochs, args.device, keep_all)
    estimate = estimate_noise(judged.train, judged.val)
    ranks = rank_samples(judged.train, args.method)
    doubts = tabulate_doubts(judged.samples, judged.train, ranks)
    write_table(run.directory / 'label_errors.csv', doubts)
    write_text(run.directory / 'label_errors.json', summarise(estimate, args, run))
    write_page(run, args, arguments, judged, estimate, doubts)
    written = [run.directory / f'label_errors.{end}' for end in ('csv', 'html', 'json')]
    if args.drop or args.relabel:
        labels = (dropped if args.drop else relabelled)(doubts, count_suspects(args, estimate))
        written += write_cleaned(run.directory, run.config, judged.samples, doubts, labels)
    print(describe(estimate))
    if estimate.learned_by_heart:
        print(f'Warning: {by_heart(estimate)}')
    print(*written, sep='\n')


def count_suspects(args: argparse.Namespace, estimate: NoiseEstimate) -> int:
    """How many samples are dropped or relabelled."""
    count = args.drop or args.relabel
    if count == ESTIMATED:
        return round(estimate.wrong)
    if count > estimate.total:
        raise ValueError(f'there are {estimate.total} training samples, fewer than {count}')
    return count


def describe(estimate: NoiseEstimate) -> str:
    """The estimate as a sentence."""
    shares = [value / estimate.total for value in (estimate.wrong, estimate.low, estimate.high)]
    return (
        f'About {estimate.wrong:.0f} of {estimate.total} labels are wrong ({shares[0]:.1%}); '
        f'95 % interval {estimate.low:.0f} to {estimate.high:.0f} ({shares[1]:.1%} to '
        f'{shares[2]:.1%})'
    )


def by_heart(estimate: NoiseEstimate) -> str:
    """Why the estimate may be too low."""
    return (
        f'the model agrees with {estimate.agreement:.1%} of its training labels, but with '
        f'{estimate.accuracy:.1%} of those of D_v. It may have learned wrong labels by heart; then '
        'the estimate is too low and the ranking is poor. Use an earlier checkpoint (the best '
        'epoch on D_v), or a search'
    )


def summarise(estimate: NoiseEstimate, args: argparse.Namespace, run: Run) -> str:
    """The estimate as JSON; ``pairs`` are [given, true, number of samples]."""
    pairs = sorted(
        ([*pair, number] for pair, number in estimate.pairs.items()), key=lambda p: -p[2]
    )
    content = dict(
        samples=estimate.total,
        wrong=estimate.wrong,
        interval=[estimate.low, estimate.high],
        pairs=pairs,
        agreement=estimate.agreement,
        val_accuracy=estimate.accuracy,
        checkpoint=str(args.checkpoint or run.last_checkpoint),
        method=args.method,
        last_epochs=args.last_epochs if run.records else None,
    )
    return json.dumps(content, indent=1) + '\n'


def write_page(
    run: Run,
    args: argparse.Namespace,
    arguments: Sequence[str],
    judged: Judgement,
    estimate: NoiseEstimate,
    doubts: list[LabelDoubt],
) -> None:
    """Fill the template; ``arguments`` are the command line, for its footer."""
    classes = judged.samples.classes
    names = [classes[i] if i < len(classes) else str(i) for i in range(judged.train.num_classes)]
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(TEMPLATE.read_text()).render(
        title=f'Doubtful labels of {run.directory.name}',
        version=__version__,
        command=f'amlfs_mm label-errors {shlex.join(arguments)}',
        checkpoint=(args.checkpoint or run.last_checkpoint).name,
        method=args.method,
        last_epochs=args.last_epochs if run.records else None,
        sentence=describe(estimate),
        warning=by_heart(estimate) if estimate.learned_by_heart else None,
        names=names,
        pairs=estimate.pairs,
        matrix=len(names) <= MOST_CLASSES,
        top_pairs=sorted(estimate.pairs.items(), key=lambda item: -item[1])[:MOST_PAIRS],
        members=[int((judged.train.given == c).sum()) for c in range(len(names))]
        if len(names) <= MOST_CLASSES
        else [],
        groups=group_by_pair(run, args, judged, doubts, names),
        shown=min(args.show, len(doubts)),
        total=len(doubts),
    )
    write_text(run.directory / 'label_errors.html', page)


def group_by_pair(
    run: Run,
    args: argparse.Namespace,
    judged: Judgement,
    doubts: list[LabelDoubt],
    names: list[str],
) -> list[dict]:
    """The most doubtful samples with thumbnails, by (given, suggested), large groups first."""
    preprocessor = run.config.get('data_preprocessor') or {}

    def pair(doubt: LabelDoubt) -> tuple[int, int]:
        return doubt.given, doubt.suggested

    groups = []
    for (given, suggested), members in groupby(sorted(doubts[: args.show], key=pair), key=pair):
        images = [
            dict(
                asdict(doubt),
                picture=thumbnail(judged.samples[doubt.number]['inputs'], preprocessor),
            )
            for doubt in members
        ]
        groups.append(dict(given=names[given], suggested=names[suggested], images=images))
    return sorted(groups, key=lambda group: -len(group['images']))


def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parse_args(arguments)
    with errors_as_messages():
        find_label_errors(args, arguments)
