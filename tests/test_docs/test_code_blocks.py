"""What documents tell a reader to type works: blocks as :mod:`helpers.pages` runs them."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest
from helpers.commands import check_command, expand
from helpers.pages import find_blocks
from helpers.runs import ROOT, free_port, run

PAGES = sorted([ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *(ROOT / 'docs').rglob('*.md')])
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
CONFIG_PAGES = [str(page.relative_to(ROOT)) for page in sorted((ROOT / 'configs').rglob('*.md'))]
COMMAND = re.compile(
    r'(?:[A-Z_]+=\S+ )*(?:python (?:-m |tools|benchmarks)|amlfs_mm \w|tools/\S+ |bash )'
)


def has(page: Path, *marks: str | None) -> bool:
    return any(block.mark in marks for block in find_blocks(page))


RUN = [name for name, page in zip(NAMES, PAGES, strict=True) if has(page, None, 'file')]
SLOW = [name for name, page in zip(NAMES, PAGES, strict=True) if has(page, 'slow')]


@pytest.fixture
def tree(tmp_path: Path, tiny_run: Path) -> Path:
    """A folder that looks like the repository, with a finished search in ``work_dirs``."""
    for path in ROOT.iterdir():
        if not path.name.startswith('.') and path.name not in ('work_dirs', 'data', 'site'):
            (tmp_path / path.name).symlink_to(path)
    shutil.copytree(tiny_run, tmp_path / 'work_dirs' / 'amlfs_resnet20_digits')
    return tmp_path


def run_page(name: str, tree: Path, *options: str) -> None:
    tools = Path(sys.executable).parent
    done = run(
        ['env', '-C', tree, sys.executable, ROOT / 'tests/helpers/pages.py', ROOT / name, *options],
        PATH=f'{tools}:/usr/bin:/bin',
        PYTHONPATH=f'{tree}:{ROOT}',
        PORT=str(free_port()),
        OMP_NUM_THREADS='1',
    )
    assert done.returncode == 0, done.stdout[-5000:]


@pytest.mark.parametrize('name', RUN)
def test_blocks_run(name: str, tree: Path):
    run_page(name, tree)


@pytest.mark.slow
@pytest.mark.parametrize('name', SLOW)
def test_slow_blocks_run(name: str, tree: Path):
    run_page(name, tree, '--slow')


@pytest.mark.parametrize('name', [*NAMES, *CONFIG_PAGES])
def test_commands_exist_and_take_their_options(name: str, tmp_path: Path):
    """Of all blocks, run or not, and of commands in the text."""
    for path in ('amlfs_mm', 'benchmarks', 'configs', 'tests', 'tools'):
        (tmp_path / path).symlink_to(ROOT / path)
    blocks = find_blocks(ROOT / name)
    made = {block.detail for block in blocks if block.mark == 'file'}
    for block in blocks:
        if block.language == 'python':
            ast.parse(block.code)
            continue
        for command in expand(block.code, tmp_path):
            check_command(command, made)
    for code in re.findall(r'(?<!`)`([^`\n]+)`(?!`)', (ROOT / name).read_text()):
        if COMMAND.match(code):
            for command in expand(code, tmp_path):
                check_command(command, made)


@pytest.mark.parametrize(
    'command',
    [
        'python tools/none.py',
        'python tools/train.py configs/none.py',
        'python tools/test.py CONFIG CHECKPOINT --no-such-option 1',
        'tools/dist_train.sh CONFIG',
        'tools/dist_train.sh CONFIG many',
        'for config in CONFIG; do python tools/train.py; done',
        'python -m pytest tests/none.py',
        'amlfs_mm no_such_command CONFIG',
        'amlfs_mm train configs/none.py',
        'python -m amlfs_mm test CONFIG CHECKPOINT --no-such-option 1',
        'bash tools/none.sh',
        'python -m amlfs_mm none',
        'python -m amlfs_mm new my_search.py',
        'pip install -r requirements/none.txt',
    ],
)
def test_a_wrong_command_is_found(command: str, tmp_path: Path):
    (found,) = expand(command, tmp_path)
    with pytest.raises(AssertionError):
        check_command(found, made=set())
