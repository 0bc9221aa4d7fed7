"""A search's winner, trained again without the search: bit for bit the same weights."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.runs import TINY_SEARCH, assert_equal, build, load
from mmengine.runner import Runner
from test_loss_search_hook import sabotaged

from amlfs_mm.engine import LossReplayHook
from amlfs_mm.engine.history.loss_schedule import LossSchedule

EMA = dict(type='EMAHook', momentum=0.1)
ENLARGED = [dict(type='Resize', scale=(16, 16)), dict(type='PackInputs')]
ENLARGE_FROM_4 = dict(
    type='mmpretrain.SwitchRecipeHook', schedule=[dict(action_epoch=4, train_pipeline=ENLARGED)]
)


def replay(schedule: Path | str, **options) -> list[dict]:
    """The hooks of a replay."""
    return [dict(type='amlfs_mm.LossReplayHook', schedule=str(schedule), **options)]


def assert_same_model(search: Path, again: Path, last: str = 'epoch_3.pth') -> None:
    """Weights, optimizer, schedules and the (averaged) model, bit for bit."""
    one, other = load(search / last), load(again / last)
    for key in ('state_dict', 'optimizer', 'param_schedulers', 'ema_state_dict'):
        assert_equal(one.get(key), other.get(key), key)
    assert one['meta']['iter'] == other['meta']['iter']


def searched_and_replayed(tmp_path: Path, options: dict, last: str, ruin: list = ()) -> dict:
    """Search, replay, compare the last checkpoints; the replay's ``compute.json``."""
    hooks = options.pop('hooks', [])
    search = sabotaged(tmp_path / 'search', list(ruin), **options)
    for hook in hooks:
        search.register_hook(dict(hook))
    search.train()
    kept = {key: value for key, value in options.items() if 'custom_hooks' not in key}
    schedule = tmp_path / 'search' / 'loss_schedule.json'
    again = build(tmp_path / 'again', **kept, custom_hooks=[*replay(schedule), *hooks])
    again.train()
    assert_same_model(tmp_path / 'search', tmp_path / 'again', last)
    return json.loads((tmp_path / 'again' / 'compute.json').read_text())


@pytest.fixture(scope='module')
def plain_replay(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny search's winner again, on mmengine's Runner."""
    work_dir = tmp_path_factory.mktemp('plain_replay')
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a LossSearchRunner sets it by itself
    try:
        hooks = replay(tiny_run / 'loss_schedule.json')
        build(work_dir, runner_type='Runner', custom_hooks=hooks).train()
    finally:
        torch.set_num_threads(threads)
    return work_dir


def test_on_a_plain_runner(tiny_run: Path, plain_replay: Path):
    assert_same_model(tiny_run, plain_replay)
    searched = json.loads((tiny_run / 'compute.json').read_text())
    assert searched == dict(candidate_epochs=12, images_per_epoch=96, images=12 * 96)
    replayed = json.loads((plain_replay / 'compute.json').read_text())
    assert replayed == dict(candidate_epochs=3, images_per_epoch=96, images=3 * 96)


def test_warm_up_rounds_a_lost_round_and_ema(tmp_path: Path):
    """Epochs 1 | 2 3 | 4 5 | 6, of which the third round is lost. It begins with other images."""
    options = {
        'train_cfg.max_epochs': 6,
        'custom_hooks.0.warmup_epochs': 1,
        'custom_hooks.0.search_every': 2,
        'custom_hooks.0.num_candidates': 2,
        'hooks': [EMA, ENLARGE_FROM_4],
    }
    compute = searched_and_replayed(tmp_path, options, 'epoch_6.pth', ruin=[(4, None)])
    assert compute['candidate_epochs'] == 4
    schedule = LossSchedule.read(tmp_path / 'search' / 'loss_schedule.json')
    assert [entry['round'] for entry in schedule.epochs] == [1, 2, 2, 3, 3, 4]
    assert [schedule.is_lost(epoch) for epoch in range(6)] == [False] * 3 + [True] * 2 + [False]
    searched = json.loads((tmp_path / 'search' / 'compute.json').read_text())
    assert searched['candidate_epochs'] == 1 + 2 * 5  # what was lost was paid for


def test_the_model_alone_handed_over_and_a_ceiling(tmp_path: Path):
    options = {
        'train_cfg.max_epochs': 2,
        'model.head.search_space': dict(type='amlfs_mm.SearchSpace', ceiling=True),
        'custom_hooks.0.hand_over': 'model',
        'custom_hooks.0.num_candidates': 2,
    }
    searched_and_replayed(tmp_path, options, 'epoch_2.pth')
    schedule = LossSchedule.read(tmp_path / 'search' / 'loss_schedule.json')
    assert schedule.search_space == 'SearchSpace(num_intervals=6, ceiling=True)'


@pytest.mark.slow
def test_accumulated_gradients_and_common_random_numbers(tmp_path: Path):
    """4 of 6 iterations an update, which crosses the epochs; one data order for all."""
    options = {
        'train_cfg.max_epochs': 2,
        'optim_wrapper.accumulative_counts': 4,
        'custom_hooks.0.common_random_numbers': True,
        'custom_hooks.0.num_candidates': 2,
    }
    searched_and_replayed(tmp_path, options, 'epoch_2.pth')
    schedule = LossSchedule.read(tmp_path / 'search' / 'loss_schedule.json')
    assert [entry['stream'] for entry in schedule.epochs] == [0, 0]


def test_resumed(tiny_run: Path, plain_replay: Path, tmp_path: Path):
    hooks = replay(tiny_run / 'loss_schedule.json')
    shutil.copy(plain_replay / 'epoch_2.pth', tmp_path)
    other = {'randomness.seed': 7}  # the checkpoint's is what counts
    build(tmp_path, custom_hooks=hooks, resume=True, **other).train()
    assert_same_model(tiny_run, tmp_path)

    search = str(tiny_run / 'epoch_2.pth')
    with pytest.raises(ValueError, match="no 'loss_replay' state: no replay wrote it"):
        build(tmp_path / 'bad', custom_hooks=hooks, resume=True, load_from=search).train()


@pytest.mark.slow
def test_two_replicas(tmp_path: Path):
    """A search on 2 sub-runners x 2 replicas, replayed on 1 x 2."""
    options = ['--cfg-options', 'loss_search.replicas_per_candidate=2', 'train_cfg.max_epochs=2']
    Job(tmp_path / 'search', *options, processes=4).finish()
    schedule = tmp_path / 'search' / 'loss_schedule.json'
    config = tmp_path / 'replay.py'
    config.write_text(f'_base_ = [{str(TINY_SEARCH)!r}]\ncustom_hooks = {replay(schedule)!r}\n')
    job = Job(tmp_path / 'again', *options, processes=2, config=config).finish()
    assert 'Replay:' not in job.log()
    assert_same_model(tmp_path / 'search', tmp_path / 'again', 'epoch_2.pth')
    job = Job(tmp_path / 'four', *options, processes=4, config=config)
    assert 0 not in job.wait()
    assert 'a replay trains one model, but there are 2 sub-runners' in job.everything()


def test_another_seed_is_told(tiny_run: Path, tmp_path: Path):
    options = {
        'randomness.seed': 1,
        'train_dataloader.dataset.indices': 48,
        'custom_hooks': replay(tiny_run / 'loss_schedule.json'),
    }
    runner = build(tmp_path, **options)
    runner.train()
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert "Replay: randomness.seed is 1, the search's was 0" in log
    assert "number of training images is 48, the search's was 96" in log


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'train_cfg.max_epochs': 2}, r'has 3 epochs, train_cfg.max_epochs is 2: set it to 3, or'),
        (
            {'model.head.num_intervals': 3},
            r'schedule of SearchSpace\(num_intervals=6\), the head has SearchSpace\(num_int.*=3\)',
        ),
        ({'model.head.theta': 'softmax'}, r"gives \['head'\] a theta"),
    ],
)
def test_refused_at_the_start(tiny_run: Path, tmp_path: Path, changes: dict, message: str):
    hooks = replay(tiny_run / 'loss_schedule.json')
    with pytest.raises(ValueError, match=message):
        build(tmp_path, **{'custom_hooks': hooks, **changes}).train()


@pytest.mark.parametrize(
    'options', [{}, dict(custom_hooks=replay('zoo:fashion_mnist_noise40', transfer='stretch'))]
)
def test_evaluated_after_the_training(options: dict, tmp_path: Path):
    """The same runner validates and tests the model that a search or a replay has trained."""
    runner = build(tmp_path, **options)
    runner.train()
    last = tmp_path / 'epoch_3.pth'
    again = build(tmp_path / 'again', **options, load_from=str(last))
    assert runner.val() == again.val()
    assert runner.test() == build(tmp_path / 'test', **options, load_from=str(last)).test()


@pytest.mark.parametrize('runner_type', ['Runner', 'amlfs_mm.LossSearchRunner'])
def test_the_work_dir_of_the_search_is_refused(runner_type: str, tiny_run: Path, tmp_path: Path):
    """Nothing of the search is moved or replaced."""
    own = tmp_path / 'own'
    shutil.copytree(tiny_run, own)
    rewritten = ('.py', '.lock')  # by each start
    before = {path: path.read_bytes() for path in own.glob('*.*') if path.suffix not in rewritten}
    hooks = replay(own / 'loss_schedule.json')
    with pytest.raises(ValueError, match=r'work dir of the search .* give the replay another --wo'):
        build(own, runner_type=runner_type, custom_hooks=hooks).train()
    assert {path: path.read_bytes() for path in before} == before


def test_unknown_transfer(tiny_run: Path):
    with pytest.raises(ValueError, match="None, 'stretch' or 'hold', got 'squeeze'"):
        LossReplayHook(str(tiny_run / 'loss_schedule.json'), transfer='squeeze')


def test_no_schedule(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"no loss schedule 'nowhere\.json': give"):
        build(tmp_path, custom_hooks=replay(Path('nowhere.json')))


def thetas_trained_with(runner: Runner) -> torch.Tensor:
    seen = []

    class Witness(type(runner.hooks[0])):
        def after_train_epoch(self, runner):
            seen.append(runner.model.head.theta.clone())

    runner.register_hook(Witness())
    runner.train()
    return torch.stack(seen)


def test_a_schedule_of_the_zoo_is_stretched(tmp_path: Path):
    """Two lines in a config; an option of the head that shapes the loss is compared."""
    hooks = [dict(type='amlfs_mm.LossReplayHook', schedule='zoo:fashion_mnist_noise40')]
    options = {'train_cfg.max_epochs': 2, 'custom_hooks': hooks}
    seen = thetas_trained_with(build(tmp_path, **options, **{'model.head.tau_floor': 'constant'}))
    assert torch.equal(seen, LossSchedule.read('zoo:fashion_mnist_noise40').stretched(2))
    log = next(tmp_path.glob('*/*.log')).read_text()
    assert "the head's tau_floor is 'constant', that of the search was 'relative'" in log


@pytest.mark.parametrize(('transfer', 'epochs'), [('stretch', 5), ('hold', 2), ('hold', 4)])
def test_transfer_to_another_training(tiny_run: Path, tmp_path: Path, transfer: str, epochs: int):
    """Another seed, another amount of data, another number of epochs."""
    path = tiny_run / 'loss_schedule.json'
    options = {
        'train_cfg.max_epochs': epochs,
        'train_dataloader.dataset.indices': 32,
        'custom_hooks': replay(path, transfer=transfer),
    }
    seen = thetas_trained_with(build(tmp_path, **options))
    name = dict(stretch='stretched', hold='held')[transfer]
    assert torch.equal(seen, getattr(LossSchedule.read(path), name)(epochs))
    assert json.loads((tmp_path / 'compute.json').read_text())['candidate_epochs'] == epochs
