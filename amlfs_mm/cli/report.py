"""Write one HTML file about one or more runs: comparison, warnings, figures, configs.

    amlfs_mm report WORK_DIR [WORK_DIR ...] --out report.html

A WORK_DIR is one run of `amlfs_mm train`, or a folder of runs. Test results come from its
`test.json`, which `amlfs_mm test CONFIG CHECKPOINT --out WORK_DIR/test.json` writes. Runs that
differ in the seed alone are one config; the report shows figures, epochs and config of its first
run. The file needs no other file.
"""

import argparse
import base64
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from mmengine.device import get_device

from amlfs_mm.analysis import (
    NullDrift,
    Run,
    compare_results,
    describe_run,
    diagnose,
    drift_without_signal,
    estimate_bias,
    find_runs,
    group_runs,
    measure_gradients,
    results_of,
    tabulate_epochs,
)
from amlfs_mm.analysis.report.pictures import Picture, pictures_of_search
from amlfs_mm.search import SearchSpace
from amlfs_mm.utils.command_line import errors_as_messages, positive_int
from amlfs_mm.utils.optional_imports import needs_extra
from amlfs_mm.utils.paths import user_path
from amlfs_mm.utils.text_files import write_text
from amlfs_mm.version import __version__
from amlfs_mm.visualization import plot_gradients, plot_known_losses
from amlfs_mm.visualization.figures import to_svg

with needs_extra('analysis', 'the report'):
    import jinja2
    from markupsafe import Markup, escape

TEMPLATE = Path(__file__).with_name('report.html.jinja')


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dirs', nargs='+', type=user_path, metavar='WORK_DIR')
    parser.add_argument('--out', type=user_path, default=Path('report.html'), help='file to write')
    parser.add_argument('--metric', help="metric of the test; default: the search's reward")
    parser.add_argument(
        '--controls',
        nargs='+',
        metavar='NAME',
        help='names of the configs to compare with; default: all but the last',
    )
    parser.add_argument(
        '--null-runs',
        type=user_path,
        nargs='+',
        default=[],
        metavar='WORK_DIR',
        help='finished searches with random rewards, in place of simulated ones',
    )
    parser.add_argument(
        '--gradients',
        type=positive_int,
        metavar='N',
        help='also draw Fig. 4 from N training images; the data must be there',
    )
    return parser.parse_args(arguments)


def choose_metric(runs: list[Run]) -> str | None:
    """The reward of a tested search, or the first metric of a test; None without any test."""
    tested = [run for run in runs if run.test]
    rewards = [run.reward for run in tested if run.records and run.reward in run.test]
    return (rewards or [next(iter(run.test)) for run in tested] or [None])[0]


def find_warnings(
    groups: dict[str, list[Run]], nulls: dict[str, NullDrift | None]
) -> list[tuple[str, list[str]]]:
    """Reasons to doubt, by the name of their config; first those that concern the comparison."""
    single = [f'{name}: only one seed.' for name, runs in groups.items() if len(runs) == 1]
    found = [('Seeds', [*single, 'Differences may be chance.'])] if single else []
    for name, runs in groups.items():
        texts = [(run.seed, text) for run in runs for text in diagnose(run, nulls[name])]
        untested = 'Not tested, and therefore not in the comparison.'
        texts += [(run.seed, untested) for run in runs if not run.test]
        if texts:
            found.append((name, [f'Seed {seed}: {text}' for seed, text in texts]))
    return found


def shared_pictures(groups: dict[str, list[Run]], samples: int | None) -> list[Picture]:
    """Pictures that belong to no single run: known losses (Fig. 1), gradients (Fig. 4)."""
    pictures = []
    searches = [runs[0] for runs in groups.values() if runs[0].records]
    if searches and isinstance(space := searches[0].search_space, SearchSpace):
        caption = 'Known losses (lines) and the closest point of the search space (dotted): Fig. 1.'
        plot = lambda columns: plot_known_losses(space, columns=columns)  # noqa: E731
        pictures.append(Picture('known_losses', caption, plot))
    if samples:
        gradients = {
            name: measure_gradients(
                runs[0].config.filename, runs[0].last_checkpoint, get_device(), samples
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
    """A picture in two forms, for wide screens and in one column for phones, and its caption."""

    def encode(columns: int) -> str:
        svg = base64.b64encode(to_svg(picture.plot(columns)).encode()).decode()
        return f'data:image/svg+xml;base64,{svg}'

    return dict(wide=encode(2), narrow=encode(1), caption=picture.caption)


def describe_group(name: str, runs: list[Run], metric: str | None, null: NullDrift | None) -> dict:
    """What the template says about a config: about all of its runs, and more about the first."""
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
    """A name, escaped, that a narrow screen may break after _ and /."""
    return Markup(re.sub('([_/])', r'\1<wbr>', str(escape(str(name)))))


def write_report(
    groups: dict[str, list[Run]], args: argparse.Namespace, arguments: Sequence[str]
) -> None:
    """Fill the template and write it; ``arguments`` are the command line, for its header."""
    runs = [run for members in groups.values() for run in members]
    metric = args.metric or choose_metric(runs)
    controls = args.controls or list(groups)[:-1]
    null_runs = find_runs(args.null_runs)
    nulls = {
        # The one of the longest run serves all runs: after fewer updates, its beginning holds.
        name: drift_without_signal(max(members, key=lambda run: len(run.updates)), null_runs)
        for name, members in groups.items()
    }
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters['breakable'] = breakable
    html = environment.from_string(TEMPLATE.read_text()).render(
        title=f'Loss search report: {", ".join(groups)}',
        version=__version__,
        command=f'amlfs_mm report {shlex.join(arguments)}',
        metric=metric,
        controls=controls,
        rows=compare_results(results_of(runs, metric), metric or '', controls),
        warnings=find_warnings(groups, nulls),
        groups=[
            describe_group(name, members, metric, nulls[name]) for name, members in groups.items()
        ],
        shared=[embed(picture) for picture in shared_pictures(groups, args.gradients)],
    )
    write_text(args.out, html)


def main(arguments: Sequence[str] | None = None) -> None:
    arguments = sys.argv[1:] if arguments is None else arguments
    args = parse_args(arguments)
    with errors_as_messages():
        write_report(group_runs(find_runs(args.work_dirs)), args, arguments)
    print(args.out)
