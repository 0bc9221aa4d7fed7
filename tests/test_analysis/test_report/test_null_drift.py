"""The drift of mu without a signal: what it is by hand, and that a signal leaves it."""

from pathlib import Path

import pytest
import torch
from helpers.runs import TINY_SEARCH
from helpers.work_dirs import write_run

from amlfs_mm.analysis import Run, drift_without_signal, read_run, simulate_null_drift
from amlfs_mm.search import GaussianPolicy

POLICY = dict(type='amlfs_mm.GaussianPolicy', sigma=0.2, lr=0.05)


def search_records(reward, updates: int = 20, candidates: int = 16) -> list[dict]:
    """A search with a reward that is a function of theta and of noise, without any training."""
    policy, generator, records = GaussianPolicy(dim=24), torch.Generator().manual_seed(3), []
    for epoch in range(1, updates + 1):
        before, theta = policy.mean, policy.sample(candidates, generator)
        rewards = reward(theta, torch.randn(candidates, generator=generator))
        advantage = policy.update(theta, rewards)
        share = dict(t_interval=[1 / 6] * 6, tau_interval=[1 / 6] * 6)
        records.append(
            dict(
                epoch=epoch,
                first_epoch=epoch,
                warmup=False,
                mu_before=before.tolist(),
                mu=policy.mean.tolist(),
                theta=theta.tolist(),
                reward=rewards.tolist(),
                advantage=advantage.tolist(),
                best=int(rewards.argmax()),
                interval_share=share,
            )
        )
    return records


def run_of(tmp_path: Path, name: str, reward) -> Run:
    return read_run(write_run(tmp_path / name, TINY_SEARCH, records=search_records(reward)))


def test_adams_first_step_is_the_learning_rate_everywhere():
    null = simulate_null_drift(POLICY, torch.zeros(24), [8, 8, 4], searches=20)
    assert null.deviation.shape == (4, 20, 24)
    assert null.deviation[0].abs().max() == 0
    torch.testing.assert_close(null.deviation[1].abs(), torch.full((20, 24), 0.05))
    torch.testing.assert_close(null.distance_band()[1], torch.tensor(0.05 * 24**0.5))


def test_the_band_holds_noise_and_not_a_signal(tmp_path: Path):
    null = simulate_null_drift(POLICY, torch.zeros(24), [16] * 20, searches=60)
    noise = run_of(tmp_path, 'noise', lambda theta, noise: noise)
    signal = run_of(tmp_path, 'signal', lambda theta, noise: theta.sum(1))

    def distance(run: Run) -> float:
        return torch.tensor(run.records[-1]['mu']).norm().item()

    assert distance(noise) < null.distance_band()[-1] < distance(signal)
    assert null.coordinate_band(0.5)[-1] < null.coordinate_band(0.95)[-1]


def test_searches_with_random_rewards_in_place_of_simulated_ones(tmp_path: Path):
    noise = run_of(tmp_path, 'noise', lambda theta, noise: noise)
    signal = run_of(tmp_path, 'signal', lambda theta, noise: theta.sum(1))
    null = drift_without_signal(signal, [noise])
    torch.testing.assert_close(
        null.deviation[:, 0], torch.tensor([[0.0] * 24] + [r['mu'] for r in noise.records])
    )
    noise.records = noise.records[:5]
    with pytest.raises(ValueError, match=r'noise updated mu 5 times, .* did so 20 times'):
        drift_without_signal(signal, [noise])


def test_no_drift_to_compare_with_where_mu_is_frozen(tmp_path: Path):
    frozen = run_of(tmp_path, 'frozen', lambda theta, noise: torch.ones(16))
    assert drift_without_signal(frozen) is None
