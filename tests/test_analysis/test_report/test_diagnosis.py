"""Each reason for doubt is told where it holds and not where it does not."""

import copy
from pathlib import Path

import pytest
import torch
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import BASELINE, write_run
from test_null_drift import search_records

from amlfs_mm.analysis import Run, diagnose, drift_without_signal, read_run
from amlfs_mm.analysis.report.diagnosis import floored_part
from amlfs_mm.models.losses.reference_loss import log_tau
from amlfs_mm.search import PiecewiseLinear, SearchSpace

SPACE = SearchSpace(6)


@pytest.fixture
def healthy(tmp_path: Path) -> Run:
    """A finished search for a signal, in the neighbourhood of the identity."""
    records = search_records(lambda theta, noise: theta.sum(1), updates=3)
    for record in records:
        identity = SPACE.identity().tolist()
        record['theta'] = [identity for _ in record['theta']]
    return read_run(write_run(tmp_path / 'healthy', TINY_SEARCH, records=records))


def test_nothing_to_say(healthy: Run):
    assert diagnose(healthy) == []


def test_reward_on_the_test_data(healthy: Run):
    healthy.config.val_dataloader = copy.deepcopy(healthy.config.test_dataloader)
    healthy.config.val_dataloader.dataset.pipeline = [dict(type='Other')]
    (text,) = diagnose(healthy)
    assert 'reward was measured on the test data' in text


def test_lost_rounds_and_unfinished_runs(healthy: Run):
    healthy.records[1].update(reward=[None] * 16, best=None, advantage=[0.0] * 16)
    healthy.records[0]['reward'][3] = None
    healthy.config.train_cfg.max_epochs = 9
    texts = '\n'.join(diagnose(healthy))
    assert '17 of 48 candidates diverged. In epoch 2 all of them did' in texts
    assert '3 of 9 epochs' in texts
    assert '1 of 3 rounds did not update mu' in texts


def test_empty_intervals(healthy: Run):
    healthy.records[-1]['interval_share']['t_interval'] = [0.0, 0.005, 0.2, 0.3, 0.3, 0.195]
    (text,) = diagnose(healthy)
    assert 'Empty intervals of t: 1, 2 of 6' in text


def test_clamped_slopes(healthy: Run):
    healthy.records[0]['theta'][0][0] = -0.3  # one of 3 x 16 x 12 slopes
    (text,) = diagnose(healthy)
    assert text.startswith('0.2% of the sampled slopes')


@pytest.mark.parametrize('floor', ['relative', 'constant'])
def test_floored_part_against_the_loss(floor: str):
    slope = torch.tensor([1.0, 0.4, 1.3, 0.9, 2.0, 1.0])
    bias = torch.tensor([-0.1, -0.15, -0.5, 0.3, -1.9, 0.0])
    tau = PiecewiseLinear(slope, bias, 0.0, 1.0)
    p = (torch.arange(6000, dtype=torch.float64) + 0.5) / 6000
    exact = slope[tau.locate(p)] * p + bias[tau.locate(p)]
    changed = ~torch.isclose(log_tau(p.log(), tau, floor).exp(), exact, rtol=1e-4, atol=0)
    expected = changed.view(6, 1000).double().mean(1)
    torch.testing.assert_close(floored_part(tau, floor).double(), expected, atol=3e-3, rtol=0)
    assert 0 < expected.mean() < 1


def test_floored_samples_are_told_as_a_share_of_the_winners(healthy: Run):
    for record in healthy.records:
        theta = SPACE.identity()
        SPACE.split(theta).tau_bias[1] = -1.0  # the whole second interval is floored
        record['theta'][record['best']] = theta.tolist()
        record['interval_share']['tau_interval'] = [0.1, 0.4, 0.1, 0.1, 0.1, 0.2]
    (text,) = diagnose(healthy)
    assert text.startswith("For about 40% of the winners' training samples")


def test_drift(tmp_path: Path):
    records = search_records(lambda theta, noise: noise, updates=3)
    noise = read_run(write_run(tmp_path / 'noise', TINY_SEARCH, records=records))
    null = drift_without_signal(noise)
    assert null.num_updates == 3
    assert [text for text in diagnose(noise, null) if 'random rewards move it by up to' in text]


def test_a_baseline_can_only_be_unfinished(tmp_path: Path):
    run = read_run(write_run(tmp_path / 'run', BASELINE, validation={5: {'accuracy/top1': 1.0}}))
    assert diagnose(run) == ['The run is not finished: 5 of 20 epochs.']
