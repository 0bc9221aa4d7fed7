"""Results of runs, and the file that keeps them."""

import json
from pathlib import Path

import pytest
from helpers.work_dirs import BASELINE, TINY_SEARCH, make_result, write_run

from amlfs_mm.analysis import find_runs, read_results, results_of, write_results
from amlfs_mm.analysis.benchmark.find_results import find_results

METRIC = 'accuracy/top1'


def test_every_model_of_a_run_that_was_tested(tmp_path: Path):
    curve = {1: {METRIC: 60.0}, 2: {METRIC: 80.0}, 3: {METRIC: 80.0}}
    run = write_run(tmp_path / 'a', BASELINE, 4, test={METRIC: 70.0}, validation=curve)
    (run / 'test_best.json').write_text(json.dumps({METRIC: 78.0}))
    write_run(tmp_path / 'b', TINY_SEARCH, 4)
    last, best, untested = results_of(find_runs([tmp_path]), METRIC)
    name = BASELINE.stem
    assert [result.name for result in (last, best)] == [name, f'{name} (best epoch)']
    assert (last.epoch, best.epoch) == (3, 2)  # the first of equal ones
    assert (last.test, best.test) == ({METRIC: 70.0}, {METRIC: 78.0})
    assert last.validation == best.validation == curve
    assert (untested.model, untested.test) == ('last', {})


def test_a_search_and_its_control(tiny_run: Path, tiny_records: list[dict], tmp_path: Path):
    records = [
        {**record, 'control': dict(reward=10.0 + i)} for i, record in enumerate(tiny_records)
    ]
    run = write_run(tmp_path / 'a', records=records, test={METRIC: 70.0})
    for model in ('best', 'kept', 'control'):
        (run / f'test_{model}.json').write_text(json.dumps({METRIC: 71.0}))
    choice = dict(kept='control', reward='accuracy/top1', search=70.0, control=71.0)
    choice |= dict(difference=-1.0, interval=None)
    (run / 'kept_model.json').write_text(json.dumps(choice))
    results = {result.model: result for result in results_of(find_runs([run]), 'reid/mAP')}
    assert {model: r.choice for model, r in results.items() if r.choice} == {'kept': 'control'}
    assert list(results) == ['last', 'best', 'kept', 'control']
    rewards = [record['reward'][record['best']] for record in records]
    winners = {epoch: {METRIC: reward} for epoch, reward in enumerate(rewards, 1)}
    assert results['kept'].validation == winners
    # A search keeps its best by its reward, whatever is tested.
    assert results['best'].epoch == rewards.index(max(rewards)) + 1
    assert results['control'].validation == {i + 1: {METRIC: 10.0 + i} for i in range(len(records))}


def test_a_file_of_results(tmp_path: Path):
    results = [
        make_result('plain', 0, 80.0, validation={1: 50.0, 2: 60.0}),
        make_result('grid4_of_plain', 1, 81.0, model='best', choice='focal_alpha2'),
    ]
    path = tmp_path / 'new' / 'plain_40.jsonl'
    write_results(results, path)
    assert read_results(path) == results
    assert find_results([path], METRIC) == results


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(model='first'), "line 2: model must be one of .*, got 'first'"),
        (dict(extra=1), "line 2, is no result: it has the keys .*'extra'"),
        (dict(validation={'one': {}}), 'line 2: validation must have epochs as its keys'),
        (dict(test=[80.0]), 'line 2: test and validation must hold metrics by name'),
    ],
)
def test_a_damaged_file(change: dict, message: str, tmp_path: Path):
    path = tmp_path / 'results.jsonl'
    write_results([make_result('plain', 0, 80.0), make_result('plain', 1, 80.0)], path)
    first, second = path.read_text().splitlines()
    path.write_text(f'{first}\n{json.dumps({**json.loads(second), **change})}\n')
    with pytest.raises(ValueError, match=f'results.jsonl, {message}'):
        read_results(path)
    path.write_text('')
    with pytest.raises(ValueError, match=r'results\.jsonl holds no results'):
        read_results(path)


def test_a_kept_model_that_is_not_named(tmp_path: Path):
    run = write_run(tmp_path / 'a', BASELINE)
    (run / 'kept_model.json').write_text('{"kept"')
    with pytest.raises(ValueError, match=r'kept_model\.json is not as a search'):
        find_runs([run])
