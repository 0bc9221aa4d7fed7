"""What all pictures share: colours, line styles, and how they are written to files."""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib

matplotlib.use('Agg')
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from amlfs_mm.utils.atomic_files import atomic_write

# Okabe and Ito's colours, which colour-blind readers can tell apart. Some look alike in grey print:
# there the line style tells the curves apart.
COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000', '#999999']
STYLES = ['-', '--', '-.', ':', (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 3))]
GREY = '#999999'
CORRECT, WRONG = '#009E73', '#D55E00'  # the green and the red of these colours

# No random ids and no dates in an SVG: the same picture gives the same file.
matplotlib.rcParams['svg.hashsalt'] = 'amlfs_mm'
METADATA = dict(png=None, svg={'Date': None})


def curve_style(index: int) -> dict:
    """Colour and line style of the index-th curve."""
    return dict(color=COLOURS[index % len(COLOURS)], linestyle=STYLES[index % len(STYLES)])


def panels(
    count: int, columns: int = 2, width: float = 5.0, height: float = 3.2, **options
) -> tuple[plt.Figure, list[Axes]]:
    """A figure of ``count`` panels in rows of ``columns``; a panel's size is in inches."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(width * columns, 0.6 + height * rows),
        squeeze=False,
        layout='constrained',
        **options,
    )
    for ax in axes.flat[count:]:
        ax.axis('off')
    return figure, list(axes.flat[:count])


def save(figure: plt.Figure, path: str | Path) -> Path:
    """Write a picture whole or not at all, as PNG or SVG by the path's suffix, and close it."""
    path = Path(path)
    kind = path.suffix[1:]
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=120, format=kind, metadata=METADATA[kind])
    plt.close(figure)
    return path


def save_both(figure: plt.Figure, directory: str | Path, name: str) -> list[Path]:
    """Write ``name.png`` and ``name.svg`` into a directory, which is made if needed."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    return [save(figure, directory / f'{name}.{kind}') for kind in ('png', 'svg')]


def to_svg(figure: plt.Figure) -> str:
    """The picture as SVG text; the figure is closed."""
    file = io.StringIO()
    figure.savefig(file, format='svg', metadata=METADATA['svg'])
    plt.close(figure)
    return file.getvalue()
