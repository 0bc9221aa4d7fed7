"""The code blocks of a Markdown page: find them, run them, check their commands.

A block is run, in the order of the page, in a folder that looks like the repository. Python blocks
of a page share their names. An HTML comment in the line before a block says otherwise:

    <!-- file: NAME -->         a Python block that becomes this file; a config is read
    <!-- slow: REASON -->       run with the slow tests only
    <!-- not run: REASON -->    its syntax, files and options are checked only

    python tests/helpers/pages.py PAGE [--slow]     # runs the blocks of a page, in this folder
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(
    r'(?:^<!-- (?P<mark>[\w ]+?)(?:: (?P<detail>[^\n]+?))? -->\n)?'
    r'^```(?P<language>python|bash)\n(?P<code>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)
MARKS = (None, 'file', 'slow', 'not run')


class Block(NamedTuple):
    """A fenced block of Python or bash."""

    language: str
    code: str
    line: int
    mark: str | None
    detail: str | None


def find_blocks(page: Path) -> list[Block]:
    """The blocks of a page.

    Raises:
        ValueError: The comment before a block is none of those above.
    """
    text = page.read_text()
    blocks = []
    for found in BLOCK.finditer(text):
        line = text[: found.start('code')].count('\n') + 1
        block = Block(found['language'], found['code'], line, found['mark'], found['detail'])
        if block.mark not in MARKS or bool(block.mark) != bool(block.detail):
            raise ValueError(f'{page}:{line}: unknown comment before a block: {block.mark}')
        blocks.append(block)
    return blocks


def run_page(page: Path, slow: bool) -> None:
    """Run the blocks of a page in the working folder; the first that fails raises."""
    sys.path.insert(0, '')  # files that blocks make can be imported
    names: dict = {'__name__': '__main__'}
    for block in find_blocks(page):
        if block.mark == 'not run' or (block.mark == 'slow' and not slow):
            continue
        if block.mark == 'file':
            Path(block.detail).write_text(block.code)
            if '_base_' in block.code:
                from mmengine.config import Config

                Config.fromfile(block.detail)
        elif block.language == 'bash':
            print(f'--- {page.name}:{block.line}', flush=True)
            subprocess.run(['bash', '-euo', 'pipefail', '-c', block.code], check=True)
        else:
            exec(compile('\n' * (block.line - 1) + block.code, str(page), 'exec'), names)


if __name__ == '__main__':
    import amlfs_mm  # noqa: F401  (its cures for the OpenMMLab stack come before a config is read)

    run_page(Path(sys.argv[1]), slow='--slow' in sys.argv)
