"""One HTML file about one or more runs: comparison, warnings, selection bias, figures, configs.

    python tools/analysis/report.py WORK_DIR [WORK_DIR ...] --out report.html

A WORK_DIR is one run of `tools/train.py`, or holds runs. Test results are those of its `test.json`,
which `tools/test.py CONFIG CHECKPOINT --out WORK_DIR/test.json` writes. Runs that differ in their
seed alone are one config; figures, epochs and the config are shown of its first run. The file needs
nothing besides itself.
"""

import argparse
import base64
import re
import shlex
import sys
from pathlib import Path

import jinja2
import torch
from markupsafe import Markup, escape

from amlfs_mm.analysis import (
    NullDrift,
    Run,
    compare_groups,
    describe_run,
    diagnose,
    drift_without_signal,
    estimate_bias,
    find_runs,
    group_runs,
    measure_gradients,
    tabulate_epochs,
)
from amlfs_mm.search import SearchSpace
from amlfs_mm.utils.atomic_files import atomic_write
from amlfs_mm.utils.paths import user_path
from amlfs_mm.version import __version__
from amlfs_mm.visualization import (
    Picture,
    pictures_of_search,
    plot_gradients,
    plot_known_losses,
)
from amlfs_mm.visualization.figures import to_svg

TEMPLATE = Path(__file__).with_name('report.html.jinja')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dirs', nargs='+', type=user_path, metavar='WORK_DIR')
    parser.add_argument('--out', type=user_path, default=Path('report.html'))
    parser.add_argument('--metric', help="of the test; default the search's reward")
    parser.add_argument(
        '--controls', nargs='+', metavar='NAME', help='config names; default all but the last'
    )
    parser.add_argument(
        '--null-runs',
        type=user_path,
        nargs='+',
        default=[],
        metavar='WORK_DIR',
        help='searches with random rewards, in place of simulated ones',
    )
    parser.add_argument(
        '--gradients',
        type=int,
        metavar='N',
        help='also draw Fig. 4, from N training images, which have to be there',
    )
    return parser.parse_args()


def choose_metric(runs: list[Run]) -> str | None:
    """The reward of a search, or else the first metric of a test; None if none was tested."""
    tested = [run for run in runs if run.test]
    rewards = [run.reward for run in tested if run.records and run.reward in run.test]
    return (rewards or [next(iter(run.test)) for run in tested] or [None])[0]


def find_warnings(
    groups: dict[str, list[Run]], nulls: dict[str, NullDrift | None]
) -> list[tuple[str, list[str]]]:
    """Under each config's name what there is to doubt; first what concerns the comparison."""
    single = [f'{name}: one seed only.' for name, runs in groups.items() if len(runs) == 1]
    found = [('Seeds', [*single, 'Differences may be luck.'])] if single else []
    for name, runs in groups.items():
        texts = [(run.seed, text) for run in runs for text in diagnose(run, nulls[name])]
        untested = 'Not tested, hence no part of the comparison.'
        texts += [(run.seed, untested) for run in runs if not run.test]
        if texts:
            found.append((name, [f'Seed {seed}: {text}' for seed, text in texts]))
    return found


def shared_pictures(groups: dict[str, list[Run]], samples: int | None) -> list[Picture]:
    """What does not belong to one run: known losses (Fig. 1), gradients (Fig. 4)."""
    pictures = []
    searches = [runs[0] for runs in groups.values() if runs[0].records]
    if searches and isinstance(space := searches[0].search_space, SearchSpace):
        caption = 'Known losses (lines) and the closest point of the search space (dotted): Fig. 1.'
        plot = lambda columns: plot_known_losses(space, columns=columns)  # noqa: E731
        pictures.append(Picture('known_losses', caption, plot))
    if samples:
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
        gradients = {
            name: measure_gradients(
                runs[0].config.filename, runs[0].last_checkpoint, device, samples
            )
            for name, runs in groups.items()
        }
        caption = (
            "Size of each training sample's gradient with respect to the target's activation, "
            'against its cosine, with the last checkpoints (Fig. 4 of the paper).'
        )
        plot = lambda columns: plot_gradients(gradients, columns=columns)  # noqa: E731
        pictures.append(Picture('gradients', caption, plot))
    return pictures


def embed(picture: Picture) -> dict[str, str]:
    """A picture twice, for wide screens and in one column for phones, with its caption."""

    def encode(columns: int) -> str:
        svg = base64.b64encode(to_svg(picture.plot(columns)).encode()).decode()
        return f'data:image/svg+xml;base64,{svg}'

    return dict(wide=encode(2), narrow=encode(1), caption=picture.caption)


def describe_group(name: str, runs: list[Run], metric: str | None, null: NullDrift | None) -> dict:
    """What the template says of a config: of all its runs, and more of the first."""
    first = runs[0]
    return dict(
        name=name,
        id=re.sub(r'\W+', '-', name),
        bias=estimate_bias(runs, metric),
        runs=[describe_run(run, metric) for run in runs],
        figures=map(embed, pictures_of_search(first, null) if first.records else []),
        epochs=tabulate_epochs(first),
        config=Path(first.config.filename).read_text(),
    )


def breakable(name: object) -> Markup:
    """A long name, escaped, that a narrow screen may break behind _ and /."""
    return Markup(re.sub('([_/])', r'\1<wbr>', str(escape(str(name)))))


def write_report(groups: dict[str, list[Run]], args: argparse.Namespace) -> None:
    """Put everything into the template."""
    runs = [run for members in groups.values() for run in members]
    metric = args.metric or choose_metric(runs)
    controls = args.controls or list(groups)[:-1]
    null_runs = find_runs(args.null_runs)
    nulls = {
        # The longest run's serves all: the band after fewer updates is its beginning.
        name: drift_without_signal(max(members, key=lambda run: len(run.updates)), null_runs)
        for name, members in groups.items()
    }
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters['breakable'] = breakable
    html = environment.from_string(TEMPLATE.read_text()).render(
        title=f'Loss search report: {", ".join(groups)}',
        version=__version__,
        command=shlex.join(['tools/analysis/report.py', *sys.argv[1:]]),
        metric=metric,
        controls=controls,
        rows=compare_groups(groups, metric, controls),
        warnings=find_warnings(groups, nulls),
        groups=[
            describe_group(name, members, metric, nulls[name]) for name, members in groups.items()
        ],
        shared=[embed(picture) for picture in shared_pictures(groups, args.gradients)],
    )
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(args.out) as temporary:
        temporary.write_text(html)


def main() -> None:
    args = parse_args()
    try:
        groups = group_runs(find_runs(args.work_dirs))
        write_report(groups, args)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f'report.py: {error}') from error
    print(args.out)


if __name__ == '__main__':
    main()
