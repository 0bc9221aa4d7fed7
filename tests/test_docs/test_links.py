"""What documents point at exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from helpers.runs import ROOT

PAGES = [
    *(ROOT / name for name in ('README.md', 'CONTRIBUTING.md')),
    *sorted((ROOT / 'docs').rglob('*.md')),
    *sorted((ROOT / 'configs').rglob('*.md')),
]
FOLDERS = ('amlfs_mm', 'benchmarks', 'configs', 'docs', 'requirements', 'tests', 'tools')
LINK = re.compile(r'\[[^]]*\]\(([^)#:]+)(?:#[^)]*)?\)')
PATH = re.compile(rf'`((?:{"|".join(FOLDERS)})/[^\s`:]*)')


def alternatives(pattern: str) -> list[str]:
    """The paths that ``a{b,c}[d]`` stands for: bash's braces, and brackets that may be left out."""
    for found in re.finditer(r'\{([^{}]*)\}|\[([^][]*)\]', pattern):
        parts = found[1].split(',') if found[1] is not None else ['', *found[2].split(',')]
        around = pattern[: found.start()], pattern[found.end() :]
        return [path for part in parts for path in alternatives(part.join(around))]
    return [pattern]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page(page: Path):
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f'there is no {target}'


@pytest.mark.parametrize('page', PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names(page: Path):
    for named in PATH.findall(page.read_text()):
        for path in alternatives(named):
            assert list(ROOT.glob(re.sub(r'<[^>]*>', '*', path.rstrip('/')))), f'there is no {path}'


def test_the_readme_is_short():
    assert len((ROOT / 'README.md').read_text().splitlines()) <= 110
