"""What reports say of a control beside the search, and of a search that goes back."""

import copy
import json
from pathlib import Path

import pytest
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import write_run

from amlfs_mm.analysis import Run, describe_run, diagnose, read_run, tabulate_epochs
from amlfs_mm.analysis.report.selection_bias import last_on_validation

BACK = [dict(started_from=0, went_back_to=None)] + 2 * [dict(started_from=1, went_back_to=1)]
CHOICE = dict(
    kept='control',
    reward='accuracy/top1',
    search=70.0,
    search_epoch=1,
    control=71.0,
    difference=-1.0,
    interval=[-3.25, 1.25],
    num_samples=100,
)


@pytest.fixture
def work_dir(tmp_path: Path, tiny_records: list[dict]) -> Path:
    """The first round is the best; after the second and the third the search went back to it."""
    records = copy.deepcopy(tiny_records)
    for record, lineage, best in zip(records, BACK, (70.0, 60.0, None), strict=True):
        record |= dict(lineage=lineage, control=dict(reward=71.0))
        record['reward'] = [best, *[None] * (len(record['reward']) - 1)]
        record['best'] = None if best is None else 0
    records[1]['control']['reward'] = None
    work_dir = write_run(tmp_path / 'run', TINY_SEARCH, records=records)
    (work_dir / 'kept_model.json').write_text(json.dumps(CHOICE))
    return work_dir


@pytest.fixture
def run(work_dir: Path) -> Run:
    return read_run(work_dir)


def test_the_row_of_the_run(run: Run):
    row = describe_run(run, 'accuracy/top1')
    assert row['kept'] == 'control: search minus control -1.00 [-3.25, +1.25]'
    assert row['returns'] == '2 of 3'
    assert row['last'] == '70.00'  # of the model that it went back to
    assert last_on_validation(run, None) == 70.0


@pytest.mark.parametrize(
    ('changes', 'text'),
    [
        (dict(interval=None), 'control: search minus control -1.00'),
        (dict(difference=None, interval=None), 'control: the other one has no reward'),
    ],
)
def test_without_an_interval(work_dir: Path, changes: dict, text: str):
    (work_dir / 'kept_model.json').write_text(json.dumps(CHOICE | changes))
    assert describe_run(read_run(work_dir), None)['kept'] == text


def test_the_rows_of_the_rounds(run: Run):
    rows = tabulate_epochs(run)
    assert [row['control'] for row in rows] == ['71.00', '', '71.00']
    assert [row['started from'] for row in rows] == [0, 1, 1]
    assert [row['went back to'] for row in rows] == ['', 1, 1]


def test_the_warning(run: Run):
    (text,) = [text for text in diagnose(run) if 'control' in text]
    assert 'is not behind on D_v: search minus control -1.00 [-3.25, +1.25]' in text
    run.kept = run.kept._replace(kept='search')
    assert not [text for text in diagnose(run) if 'control' in text]


def test_a_search_with_neither(tmp_path: Path, tiny_records: list[dict]):
    run = read_run(write_run(tmp_path / 'plain', TINY_SEARCH, records=tiny_records))
    row = describe_run(run, None)
    assert (row['kept'], row['returns']) == ('', '')
    assert not {'control', 'started from', 'went back to'} & set(tabulate_epochs(run)[0])
