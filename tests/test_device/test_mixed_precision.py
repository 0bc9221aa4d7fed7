"""``--amp`` without a GPU: a whole search in bfloat16."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.jobs import Job, no_survivors  # noqa: F401
from helpers.runs import build, load

from amlfs_mm.analysis.runs.records import read_records

EPOCHS = 3


def test_a_search_in_bfloat16_is_within_noise_of_float32(
    tmp_path: Path, tiny_records: list
) -> None:
    Job(tmp_path, '--amp').finish()
    records = read_records(tmp_path / 'loss_search.jsonl')
    assert len(records) == len(tiny_records) == EPOCHS
    rewards, wanted = (
        np.array([r['reward'] for r in run], float) for run in (records, tiny_records)
    )
    assert np.isfinite(rewards).all()
    # A candidate's reward is the share of 100 images: the noise of a difference is about 7 points.
    assert abs(rewards.mean() - wanted.mean()) < 5
    assert (rewards != wanted).any()  # it was not float32
    state = load(tmp_path / f'epoch_{EPOCHS}.pth')['state_dict']
    assert all(t.isfinite().all() and t.dtype != torch.bfloat16 for t in state.values())


def test_the_forward_pass_is_in_bfloat16_and_the_loss_in_float32(tmp_path: Path) -> None:
    runner = build(tmp_path, **{'optim_wrapper.type': 'amlfs_mm.BFloat16OptimWrapper'})
    wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    dtypes = []
    runner.model.backbone.register_forward_hook(lambda *args: dtypes.append(args[-1][-1].dtype))
    batch = next(iter(runner.build_dataloader(runner.cfg.train_dataloader)))
    losses = runner.model.train_step(batch, wrapper)
    assert dtypes == [torch.bfloat16]
    assert losses['loss'].dtype == torch.float32


def test_a_processor_without_bfloat16_is_named(tmp_path: Path, capfd) -> None:
    """It would train several times slower than in float32, without a word."""
    flags = Path('/proc/cpuinfo')
    if not flags.exists():
        pytest.skip('only Linux lists what its processor can do')
    able = {'avx512_bf16', 'amx_bf16', 'avx512bw'} & set(flags.read_text().split())
    build(tmp_path).build_optim_wrapper(
        dict(type='amlfs_mm.BFloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
    )
    written = ''.join(capfd.readouterr())
    assert ('has no bfloat16 instructions' in written) == (not able)
