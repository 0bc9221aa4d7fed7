"""Processes that have their imports done."""

import fcntl
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from amlfs_mm.analysis.benchmark.warm_processes import run_warm

MODULE = """
import json, multiprocessing, os, sys
import torch

def main(arguments):
    print(json.dumps(dict(
        arguments=arguments,
        name=sys.argv[0],
        variables=sorted(os.environ),
        threads=torch.get_num_threads(),
        preloaded='amlfs_mm.engine.runner' in sys.modules,
        start=multiprocessing.get_start_method(allow_none=True),
    )))
    if arguments == ['exit']:
        raise SystemExit(3)
    if arguments == ['fail']:
        raise RuntimeError('broken')
    if arguments == ['wait']:
        sys.stdin = open(os.environ['GATE'])
        sys.stdin.read()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / 'of_a_test.py').write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    return 'of_a_test'


@pytest.mark.parametrize(
    ('argument', 'code', 'threads'), [('go', 0, '1'), ('exit', 3, '1,2'), ('fail', 1, '1')]
)
def test_a_command(argument: str, code: int, threads: str, module: str, tmp_path: Path):
    log = tmp_path / 'console.log'
    log.write_text('before\n')
    with open(log, 'a') as console:
        environment = {'ONLY': 'this', 'OMP_NUM_THREADS': threads}
        assert run_warm(module, [argument], console, environment) == code
    before, facts, *rest = log.read_text().splitlines()
    assert before == 'before'
    assert json.loads(facts) == dict(
        arguments=[argument],
        name=module,
        variables=['OMP_NUM_THREADS', 'ONLY'],
        threads=1,
        preloaded=True,
        start=None,
    )
    assert rest == [] if argument != 'fail' else rest[-1] == 'RuntimeError: broken'


def test_the_process_holds_the_lock(module: str, tmp_path: Path):
    """Also when the benchmark that started it is gone."""
    gate, log = tmp_path / 'gate', tmp_path / 'console.log'
    os.mkfifo(gate)
    console = log.open('w')  # the process holds the lock when this one has closed it
    fcntl.flock(console, fcntl.LOCK_EX)
    environment = dict(os.environ, GATE=str(gate))
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(run_warm, module, ['wait'], console, environment)
        with open(gate, 'w'), open(log) as other:  # the process reads the gate
            console.close()
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert done.result() == 0
        with open(log) as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
