"""One search, whatever machine runs it: real gloo processes, started as a user starts them."""

import re
import shutil
from pathlib import Path

import pytest
from helpers.jobs import Job, config_with, no_survivors  # noqa: F401
from helpers.runs import TINY_SEARCH, assert_same_run, free_port, load, run, train

from amlfs_mm.analysis.runs.records import read_records


@pytest.mark.parametrize(
    ('processes', 'options'),
    [
        (2, ['train_dataloader.num_workers=2', 'train_dataloader.persistent_workers=True']),
        (3, []),  # uneven: 2, 1, 1 candidates
        (4, ['train_dataloader.num_workers=2']),
    ],
)
def test_any_number_of_processes(tiny_run: Path, tmp_path: Path, processes: int, options: list):
    arguments = ['--cfg-options', *options] if options else []
    job = Job(tmp_path, *arguments, processes=processes).finish()
    assert f'{processes} process(es) = {processes} sub-runner(s) x 1 replica(s)' in job.log()
    assert_same_run(tiny_run, tmp_path)


def test_loader_workers(tmp_path: Path):
    """Images that are loaded one by one: without workers, and with two in each of two processes."""
    (tmp_path / 'notes').mkdir()
    config = config_with(
        tmp_path,
        more=f"""
note = dict(type='NoteWorker', folder={str(tmp_path / 'notes')!r})
train_dataloader = dict(dataset=dict(pipeline=[note, *_base_.train_pipeline]))
in_memory_gib = 0  # images in memory need no workers
""",
    )
    Job(tmp_path / 'one', config=config).finish()
    assert not list((tmp_path / 'notes').iterdir())
    options = ['train_dataloader.num_workers=2', 'train_dataloader.persistent_workers=True']
    Job(tmp_path / 'two', '--cfg-options', *options, config=config, processes=2).finish()
    assert sorted(note.name for note in (tmp_path / 'notes').iterdir()) == [
        f'rank{rank}_worker{worker}' for rank in range(2) for worker in range(2)
    ]
    assert_same_run(tmp_path / 'one', tmp_path / 'two')


@pytest.mark.slow
def test_cached_batches_on_two_processes_with_loader_workers(tmp_path: Path):
    one_by_one = 'in_memory_gib=0'  # images in memory need no workers
    options = ['--cfg-options', 'custom_hooks.0.common_random_numbers=True', one_by_one]
    Job(tmp_path / 'plain', *options).finish()
    options += ['custom_hooks.0.batch_cache_gib=0.1', 'train_dataloader.num_workers=2']
    Job(tmp_path / 'cached', *options, processes=2).finish()
    assert_same_run(tmp_path / 'plain', tmp_path / 'cached')
    (tmp_path / 'resumed').mkdir()
    shutil.copy(tmp_path / 'cached' / 'epoch_1.pth', tmp_path / 'resumed')
    Job(tmp_path / 'resumed', '--resume', *options).finish()
    assert_same_run(tmp_path / 'plain', tmp_path / 'resumed')


@pytest.mark.slow
def test_images_in_memory(tmp_path: Path):
    """The same search on two processes, and resumed; the loader workers are not used."""
    config = config_with(
        tmp_path,
        more="""
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='amlfs_mm.InMemoryImages',
        padding=1,
        dataset=dict(
            type='amlfs_mm.Digits',
            split='train',
            indices=96,
            pipeline=[
                dict(type='amlfs_mm.LabelNoise', ratio=0.2, num_classes=10),
                dict(type='PackInputs'),
            ],
        ),
    )
)
""",
    )
    one, two = tmp_path / 'one', tmp_path / 'two'
    Job(one, config=config).finish()
    workers = ['--cfg-options', 'train_dataloader.num_workers=2']
    Job(two, *workers, config=config, processes=2).finish()
    assert_same_run(one, two)
    for last in ('epoch_2.pth', 'epoch_3.pth', 'last_checkpoint'):
        (two / last).unlink()
    Job(two, '--resume', config=config).finish()
    assert_same_run(one, two)


def test_only_sub_runner_0_prints_and_saves(tmp_path: Path):
    done = train(tmp_path, '--cfg-options', 'train_cfg.max_epochs=1', processes=2)
    assert len(re.findall(r'Search epoch 1/1', done.stdout)) == 1
    assert (tmp_path / 'epoch_1.pth').is_file()
    assert not list((tmp_path / 'candidate_1').glob('*.pth'))
    assert not list((tmp_path / 'candidate_1').glob('*.json*'))
    assert list((tmp_path / 'candidate_1').glob('*/*.log'))


def test_more_sub_runners_than_candidates(tmp_path: Path):
    """The spare one repeats work, is told so, and changes nothing."""
    options = ['--cfg-options', 'custom_hooks.0.num_candidates=2', 'train_cfg.max_epochs=2']
    Job(tmp_path / 'one', *options).finish()
    job = Job(tmp_path / 'three', *options, processes=3).finish()
    assert '3 sub-runners for 2 candidates' in job.log()
    assert_same_run(tmp_path / 'one', tmp_path / 'three', 'epoch_2.pth')


def test_two_replicas_train_one_candidate_together(tiny_run: Path, tmp_path: Path):
    """2 candidates x 2 replicas: a replica sees half of the batch; resumed as if never stopped."""
    options = ['--cfg-options', 'loss_search.replicas_per_candidate=2', 'train_cfg.max_epochs=2']
    whole, resumed = tmp_path / 'whole', tmp_path / 'resumed'
    job = Job(whole, *options, processes=4).finish()
    assert '4 process(es) = 2 sub-runner(s) x 2 replica(s); 4 candidates, 2 each' in job.log()
    records = read_records(whole / 'loss_search.jsonl')
    assert len(records) == 2
    # The same draws as without replicas, and half as many iterations.
    assert records[0]['theta'] == read_records(tiny_run / 'loss_search.jsonl')[0]['theta']
    assert load(whole / 'epoch_2.pth')['meta']['iter'] == 2 * 3
    resumed.mkdir()
    shutil.copy(whole / 'epoch_1.pth', resumed)
    Job(resumed, '--resume', *options, processes=4).finish()
    assert_same_run(whole, resumed, 'epoch_2.pth')


def test_replicas_that_do_not_fit(tmp_path: Path):
    options = ['--cfg-options', 'loss_search.replicas_per_candidate=3']
    done = train(tmp_path, *options, processes=2, check=False)
    assert done.returncode != 0
    assert 'replicas_per_candidate=3' in done.stdout
    assert "allow one of [1, 2] or 'all'" in done.stdout


@pytest.mark.slow
def test_plain_baseline_on_two_cpu_processes(tmp_path: Path):
    """mmengine cannot; dist_train.sh and dist_test.sh can, each with one model on all processes."""
    options = [
        'train_cfg.max_epochs=1',
        'model.backbone.depth=8',
        'train_dataloader.dataset.indices=96',
    ]
    config = TINY_SEARCH.parents[2] / 'configs/small/digits/baseline_resnet20_digits.py'
    train(tmp_path, '--cfg-options', *options, config=config, processes=2)
    one, two = tmp_path / 'one.json', tmp_path / 'two.json'
    for processes, out in ((1, one), (2, two)):
        command = ['bash', 'tools/dist_test.sh', config, tmp_path / 'epoch_1.pth', processes]
        arguments = ['--work-dir', tmp_path / 't', '--out', out, '--cfg-options', options[1]]
        done = run([*command, *arguments], PORT=str(free_port()))
        assert done.returncode == 0, done.stdout[-3000:]
    assert one.read_text() == two.read_text()


def test_processes_of_two_nodes(tiny_run: Path, tmp_path: Path):
    """Ranks dealt out cyclically over two nodes: a candidate's replicas share one."""
    options = ['--cfg-options', 'loss_search.replicas_per_candidate=2', 'train_cfg.max_epochs=1']
    job = Job(tmp_path / 'two', *options, processes=4, nodes=[0, 1, 0, 1]).finish()
    grid = re.findall(
        r'sub-runner \d: rank (\d) on \S+/(\d) cpu, rank (\d) on \S+/(\d) cpu', job.log()
    )
    assert grid == [('0', '0', '2', '0'), ('1', '1', '3', '1')]
    Job(tmp_path / 'one', *options, processes=4).finish()
    assert_same_run(tmp_path / 'one', tmp_path / 'two', 'epoch_1.pth')


def test_the_start_tells_memory_and_layout(tmp_path: Path):
    """Momentum is not there yet, but counted: SGD's, for the start and the best so far."""
    job = Job(tmp_path, '--cfg-options', 'train_cfg.max_epochs=2', processes=2).finish()
    (told,) = re.findall(r'captured states take (\S+) MB a process on cpu', job.log())
    assert 'between sub-runners: gloo' in job.log()
    checkpoint = load(tmp_path / 'epoch_2.pth')
    weights = sum(w.nbytes for w in checkpoint['state_dict'].values())
    momentum = sum(s['momentum_buffer'].nbytes for s in checkpoint['optimizer']['state'].values())
    assert float(told) == pytest.approx(2 * (weights + momentum) / 2**20, abs=0.06)
