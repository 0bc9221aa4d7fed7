"""A script to call by hand: it writes the tables of a page from files of results.

    python docs/hooks/fill_tables.py docs/benchmarks.md

A table stands between two comments. The first one has the arguments of ``amlfs_mm benchmark``,
relative to the repository:

    <!-- table: docs/results/fashion_mlp_noise40.jsonl --controls recommended_mlp_fashion -->
    <!-- end of table -->
"""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from amlfs_mm.analysis.benchmark.find_results import find_results
from amlfs_mm.cli import benchmark
from amlfs_mm.utils.atomic_files import atomic_write

ROOT = Path(__file__).resolve().parents[2]
BEGIN = re.compile(r'^<!-- table: ', re.MULTILINE)
TABLE = re.compile(
    r'^(<!-- table: (.+?) -->\n).*?^(<!-- end of table -->)', re.DOTALL | re.MULTILINE
)


def fill(text: str) -> str:
    """The text of a page with its tables as the results are now.

    Raises:
        ValueError: A table has no end, or its command does not fit the results.
    """

    def table(found: re.Match) -> str:
        args = benchmark.parse_args(shlex.split(found[2]))
        results = find_results([ROOT / path for path in args.what], args.metric)
        return f'{found[1]}\n{benchmark.describe(results, args)}\n\n{found[3]}'

    if len(BEGIN.findall(text)) != len(TABLE.findall(text)):
        raise ValueError('a table has no <!-- end of table -->')
    return TABLE.sub(table, text)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('pages', nargs='+', type=Path, metavar='PAGE.md')
    for page in parser.parse_args().pages:
        text = fill(page.read_text())
        with atomic_write(page) as temporary:
            temporary.write_text(text)


if __name__ == '__main__':
    main()
