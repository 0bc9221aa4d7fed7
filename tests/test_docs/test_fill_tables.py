"""The tables of the documents are what the files of results say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from helpers.runs import ROOT
from helpers.work_dirs import make_result

from amlfs_mm.analysis import write_results


@pytest.fixture(scope='module')
def fill():
    path = ROOT / 'docs' / 'hooks' / 'fill_tables.py'
    spec = importlib.util.spec_from_file_location('fill_tables', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fill


@pytest.mark.parametrize('page', sorted((ROOT / 'docs').rglob('*.md')), ids=lambda page: page.stem)
def test_tables_are_up_to_date(page: Path, fill):
    text = page.read_text()
    assert fill(text) == text, f'run: python docs/hooks/fill_tables.py {page.relative_to(ROOT)}'


def test_a_table_is_filled(fill, tmp_path: Path):
    results = [make_result('plain', seed, 80.0 + seed) for seed in (0, 1)]
    results += [make_result('search', seed, 82.0 + seed, choice='control') for seed in (0, 1)]
    write_results(results, tmp_path / 'x.jsonl')
    command = f'<!-- table: {tmp_path}/x.jsonl --controls plain -->'
    page = f'Before.\n\n{command}\nold\n<!-- end of table -->\n\nAfter: {{}}'
    filled = fill(page)
    assert filled.startswith(f'Before.\n\n{command}\n\n| config | candidate-epochs |')
    difference = '2.00 ± 0.00 (not tested: no spread, n = 2)'
    assert f'| search | 5 | 500 | 2 | 82.50 ± 6.35 | {difference} |' in filled
    assert '- search, by seed: 0: control, 1: control\n\n<!-- end of table -->' in filled
    assert filled.endswith('After: {}')
    assert 'old' not in filled
    assert fill(filled) == filled
    short = f'<!-- table: {tmp_path}/x.jsonl --rows search -->\n<!-- end of table -->'
    assert '| plain |' not in fill(short)
    with pytest.raises(ValueError, match='a table has no <!-- end of table -->'):
        fill(page.replace('<!-- end of table -->', '') + f'\n{page}')
