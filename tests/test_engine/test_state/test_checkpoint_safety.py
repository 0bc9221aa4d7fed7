"""A checkpoint can be read without running anything that is in it."""

import os
import pickle
import signal
import sys
from pathlib import Path

import pytest
import torch
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.runs import TINY_SEARCH, assert_same_run, build, load, run, train
from mmengine.logging import HistoryBuffer


class Payload:
    """Unpickling this creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


class LookUp:
    """Unpickling this calls getattr(HistoryBuffer, name)."""

    def __init__(self, owner: object, name: str) -> None:
        self.arguments = owner, name

    def __reduce__(self):
        return getattr, self.arguments


def poisoned(checkpoint: Path, field: str, marker: Path, target: Path) -> Path:
    content = load(checkpoint)
    content[field]['poison'] = Payload(marker)
    torch.save(content, target)
    with pytest.raises(pickle.UnpicklingError):
        load(target)
    return target


@pytest.mark.parametrize('tool', ['train', 'test'])
def test_malicious_checkpoint_is_refused(tiny_run: Path, tmp_path: Path, tool: str):
    marker = tmp_path / 'ran'
    path = poisoned(tiny_run / 'epoch_1.pth', 'state_dict', marker, tmp_path / 'epoch_1.pth')
    if tool == 'train':
        done = train(tmp_path, '--resume', str(path), check=False)
    else:
        done = run([sys.executable, 'tools/test.py', TINY_SEARCH, path, '--work-dir', tmp_path])
    assert done.returncode != 0
    assert 'is refused' in done.stdout
    assert str(path) in done.stdout
    assert not marker.exists()
    # The payload is live: without the guard it runs.
    torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize('place', ['epoch_1.pth', 'best'])
def test_no_field_of_a_checkpoint_can_run_code(tiny_run: Path, tmp_path: Path, place: str):
    """Each field of each kind of checkpoint, and the top level."""
    (best,) = tiny_run.glob('best_reward_epoch_*.pth')
    checkpoint = best if place == 'best' else tiny_run / place
    fields = set(load(checkpoint))
    assert {'message_hub', 'meta', 'state_dict', 'loss_search'} <= fields
    assert place == 'best' or {'optimizer', 'param_schedulers'} <= fields
    for field in fields:
        content = load(checkpoint)
        content[field] = [content[field], Payload(tmp_path / 'ran')]
        torch.save(content, tmp_path / 'bad.pth')
        with pytest.raises(pickle.UnpicklingError):
            load(tmp_path / 'bad.pth')
        assert not (tmp_path / 'ran').exists(), field


def test_what_a_stopped_job_left_cannot_run_code(tmp_path: Path):
    """A poisoned file of an unfinished epoch: its candidate is trained again, nothing else."""
    options = ['--cfg-options', 'train_cfg.max_epochs=1']
    job = Job(tmp_path / 'work', *options)
    job.wait_for('candidate: 1')
    os.kill(job.pids[0], signal.SIGTERM)
    assert job.wait() == [75]
    first = tmp_path / 'work' / 'unfinished' / 'round_0_candidate_0_replica_0.pth'
    content = load(first)
    content['state'] = Payload(tmp_path / 'ran')
    torch.save(content, first)
    resumed = Job(tmp_path / 'work', '--resume', *options).finish()
    assert f'{first} is damaged' in resumed.log()
    assert not (tmp_path / 'ran').exists()
    train(tmp_path / 'whole', *options)
    assert_same_run(tmp_path / 'whole', tmp_path / 'work', 'epoch_1.pth')


def test_the_allow_list_is_minimal():
    """Nothing beyond arrays, dtypes and mmengine's histories; getattr only as a narrow stand-in."""
    names = set()
    for entry in torch.serialization.get_safe_globals():
        value, name = entry if isinstance(entry, tuple) else (entry, None)
        names.add(name or f'{value.__module__}.{value.__qualname__}')
    assert {name for name in names if not name.startswith('torch.')} == {  # torch has its own
        'mmengine.logging.history_buffer.HistoryBuffer',
        'builtins.getattr',
        'numpy._core.multiarray._reconstruct',
        'numpy._core.multiarray.scalar',
        'numpy.ndarray',
        'numpy.dtype',
        'numpy.dtypes.Float64DType',
        'numpy.dtypes.Float32DType',
        'numpy.dtypes.Int64DType',
    }


OFFLINE = """
import runpy, sys

def refuse(event, arguments):
    if event == 'socket.getaddrinfo' or event == 'socket.connect' and not isinstance(
        arguments[1], (str, bytes)
    ):
        host = arguments[0] if event == 'socket.getaddrinfo' else arguments[1][0]
        if host not in ('127.0.0.1', 'localhost', '::1'):
            raise SystemExit(f'touched the network: {event} {arguments}')

sys.addaudithook(refuse)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.mark.slow
def test_no_network_is_touched(tmp_path: Path):
    """Training and testing with every look-up and connection beyond this machine refused."""
    arguments = ['--work-dir', tmp_path, '--cfg-options', 'train_cfg.max_epochs=1']
    offline = [sys.executable, '-c', OFFLINE]
    done = run([*offline, 'tools/train.py', TINY_SEARCH, *arguments])
    assert done.returncode == 0, done.stdout[-3000:]
    done = run([*offline, 'tools/test.py', TINY_SEARCH, tmp_path / 'epoch_1.pth', *arguments[:2]])
    assert done.returncode == 0, done.stdout[-3000:]
    # The guard works.
    probe = tmp_path / 'probe.py'
    probe.write_text("import socket; socket.getaddrinfo('example.org', 80)")
    assert 'touched the network' in run([*offline, probe]).stdout


def test_a_damaged_checkpoint_is_named(tiny_run: Path, tmp_path: Path):
    path = tmp_path / 'cut.pth'
    whole = (tiny_run / 'epoch_1.pth').read_bytes()
    runner = build(tmp_path)
    for length in (0, 100, 5000, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r'cut\.pth is (damaged|refused)'):
            runner.load_checkpoint(str(path))


def test_histories_load_and_getattr_reaches_nothing_else(tmp_path: Path):
    history = HistoryBuffer([1.0, 2.0], [1, 1])
    torch.save(dict(history=history), tmp_path / 'history.pth')
    assert load(tmp_path / 'history.pth')['history'].mean() == 1.5
    for owner, name in ((HistoryBuffer, '__init__'), (HistoryBuffer, 'register_statistics')):
        torch.save(dict(x=LookUp(owner, name)), tmp_path / 'bad.pth')
        with pytest.raises(pickle.UnpicklingError, match='may not look up'):
            load(tmp_path / 'bad.pth')
