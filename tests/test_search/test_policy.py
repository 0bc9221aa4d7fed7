"""GaussianPolicy against REINFORCE (Eq. 20) and Adam (Kingma & Ba, algorithm 1) by hand."""

import copy
import io
import math

import numpy as np
import pytest
import torch

from amlfs_mm.search import GaussianPolicy, SearchSpace, normalise_rewards

NAN, INF = float('nan'), float('inf')


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def naive_advantage(reward: list[float]) -> list[float]:
    """Section 4.1: zero mean, unit variance; a diverged candidate gets the lowest of the rest."""
    alive = [r for r in reward if math.isfinite(r)]
    if not alive or min(alive) == max(alive):
        return [0.0] * len(reward)
    mean = sum(alive) / len(alive)
    std = math.sqrt(sum((r - mean) ** 2 for r in alive) / len(alive))
    lowest = (min(alive) - mean) / (std + 1e-8)
    return [(r - mean) / (std + 1e-8) if math.isfinite(r) else lowest for r in reward]


class NaiveReinforce:
    """Eq. 20 one number at a time, the gradient of log g with respect to mu, and Adam upwards."""

    def __init__(self, mu, sigma, lr, betas=(0.9, 0.999)):
        self.mu = [float(v) for v in mu]
        self.sigma, self.lr, self.betas = sigma, lr, betas
        self.first = [0.0] * len(self.mu)
        self.second = [0.0] * len(self.mu)
        self.steps = 0

    def update(self, theta, reward):
        advantage = naive_advantage(reward)
        if not any(advantage):
            return
        self.steps += 1
        b1, b2 = self.betas
        for d in range(len(self.mu)):
            # d/dmu of log N(theta; mu, sigma^2) = (theta - mu) / sigma^2
            gradient = sum(
                a * (float(row[d]) - self.mu[d]) / self.sigma**2
                for a, row in zip(advantage, theta, strict=True)
            ) / len(reward)
            self.first[d] = b1 * self.first[d] + (1 - b1) * gradient
            self.second[d] = b2 * self.second[d] + (1 - b2) * gradient**2
            first = self.first[d] / (1 - b1**self.steps)
            second = self.second[d] / (1 - b2**self.steps)
            self.mu[d] += self.lr * first / (math.sqrt(second) + 1e-8)


def adam_state(policy: GaussianPolicy) -> dict:
    return copy.deepcopy(policy.state_dict()['optimizer'])


def assert_same_state(one: dict, other: dict) -> None:
    assert one['param_groups'] == other['param_groups']
    assert one['state'].keys() == other['state'].keys()
    for key in one['state']:
        assert one['state'][key].keys() == other['state'][key].keys()
        for name, value in one['state'][key].items():
            assert torch.equal(value, other['state'][key][name]), name


# Sampling, Eq. 19


@pytest.mark.parametrize('antithetic', [False, True])
@pytest.mark.parametrize('sigma', [0.2, 0.5])
def test_sample_has_the_stated_mean_and_deviation(sigma, antithetic):
    mean = SearchSpace().identity()
    policy = GaussianPolicy(mean=mean, sigma=sigma, antithetic=antithetic)
    n = 20000
    theta = policy.sample(n, generator(0))
    assert theta.shape == (n, 24)
    assert theta.dtype == torch.float32
    # five standard errors of a mean, sigma / sqrt(n), and of a deviation, sigma / sqrt(2 n)
    assert (theta.mean(0) - mean).abs().max() < 5 * sigma / math.sqrt(n)
    # a pair is one draw for the deviation: n / 2 independent squares
    independent = n / 2 if antithetic else n
    assert (theta.std(0) - sigma).abs().max() < 5 * sigma / math.sqrt(2 * independent)
    # coordinates are independent, and so are the candidates of different pairs
    correlation = torch.corrcoef(theta.T) - torch.eye(24)
    assert correlation.abs().max() < 5 / math.sqrt(independent)
    residual = theta - mean
    serial = (residual[:-2] * residual[2:]).mean() / sigma**2
    assert serial.abs() < 5 / math.sqrt(independent * 24)


@pytest.mark.parametrize('antithetic', [False, True])
def test_sample_depends_on_the_generator_alone(antithetic):
    policy = GaussianPolicy(dim=24, antithetic=antithetic)
    torch.manual_seed(0)
    first = policy.sample(7, generator(3))
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert torch.equal(policy.sample(7, generator(3)), first)
    assert torch.equal(torch.get_rng_state(), state)  # training's randomness is left alone
    assert not torch.equal(policy.sample(7, generator(4)), first)


@pytest.mark.parametrize('antithetic', [False, True])
def test_mu_itself_as_candidate_0(antithetic):
    """The others are drawn as ever; in Eq. 20 its score is 0, its reward moves the mean alone."""
    options = dict(mean=torch.linspace(-1, 1, 24), antithetic=antithetic)
    policy, plain = GaussianPolicy(**options, include_mean=True), GaussianPolicy(**options)
    theta = policy.sample(5, generator(0))
    assert torch.equal(theta[0], policy.mean)
    assert torch.equal(theta[1:], plain.sample(4, generator(0)))
    reward = torch.tensor([3.0, 1.0, 2.0, 5.0, 4.0], dtype=torch.float64)
    policy.update(theta, reward)
    advantage = (reward - 3) / math.sqrt(2)
    ascent = (advantage[1:, None] * (theta[1:] - options['mean'])).sum(0)
    assert torch.equal((policy.mean - options['mean']).sign(), ascent.float().sign())
    assert torch.equal(policy.sample(1), policy.mean[None])


@pytest.mark.parametrize('n', [1, 2, 5, 8])
def test_antithetic_candidates_mirror_each_other(n):
    mean = torch.linspace(-1, 1, 24)
    policy = GaussianPolicy(mean=mean, sigma=0.3, antithetic=True)
    theta = policy.sample(n, generator(0))
    assert theta.shape == (n, 24)
    noise = theta - mean
    for i in range(0, n - 1, 2):
        torch.testing.assert_close(noise[i], -noise[i + 1], rtol=0, atol=1e-6)
        assert noise[i].abs().max() > 0.1
    assert len({tuple(row.tolist()) for row in theta}) == n
    # without the option they do not
    plain = GaussianPolicy(mean=mean, sigma=0.3).sample(2, generator(0)) - mean
    assert (plain[0] + plain[1]).abs().max() > 0.1


def test_mean_is_a_copy_and_the_start_is_not_shared():
    start = torch.ones(3)
    policy = GaussianPolicy(mean=start)
    start[0] = 9
    policy.mean[1] = 9
    assert policy.mean.tolist() == [1, 1, 1]
    assert GaussianPolicy(dim=3).mean.tolist() == [0, 0, 0]
    assert GaussianPolicy(mean=[1.0, 2.0]).mean.tolist() == [1, 2]


# The update, Eq. 20


@pytest.mark.parametrize('antithetic', [False, True])
@pytest.mark.parametrize(('sigma', 'lr'), [(0.2, 0.05), (0.5, 0.01)])
def test_update_equals_naive_reinforce_with_adam(sigma, lr, antithetic):
    mean = SearchSpace().identity()
    policy = GaussianPolicy(mean=mean, sigma=sigma, lr=lr, antithetic=antithetic)
    naive = NaiveReinforce(mean.tolist(), sigma, lr)
    random = generator(0)
    target = torch.randn(24, generator=random)
    for step in range(50):
        theta = policy.sample(8, random)
        reward = -(theta - target).square().sum(1)
        if step % 10 == 3:
            reward[step % 8] = NAN
        if step % 10 == 7:
            reward[:2] = torch.tensor([INF, -INF])
        if step == 20:
            reward[:] = 0.5
        policy.update(theta, reward)
        naive.update(theta.tolist(), reward.tolist())
        np.testing.assert_allclose(policy.mean.numpy(), naive.mu, rtol=0, atol=1e-5)
    assert (policy.mean - mean).abs().max() > 10 * lr / 2  # it went somewhere
    # Adam forgets the gradient's size; its moments (of the descent's gradient) remember it
    moments = policy.state_dict()['optimizer']['state'][0]
    np.testing.assert_allclose(-moments['exp_avg'].numpy(), naive.first, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(moments['exp_avg_sq'].numpy(), naive.second, rtol=1e-3)
    assert moments['step'] == naive.steps == 49


def test_other_betas_reach_adam():
    policy = GaussianPolicy(dim=3, sigma=0.2, lr=0.1, betas=(0.5, 0.9))
    naive = NaiveReinforce([0.0] * 3, 0.2, 0.1, (0.5, 0.9))
    random = generator(1)
    for _ in range(10):
        theta = policy.sample(4, random)
        reward = torch.randn(4, generator=random)
        policy.update(theta, reward)
        naive.update(theta.tolist(), reward.tolist())
    np.testing.assert_allclose(policy.mean.numpy(), naive.mu, rtol=0, atol=1e-5)


def test_mu_moves_towards_the_better_candidate():
    """The sign of Eq. 20: the printed nabla_theta would move away."""
    policy = GaussianPolicy(dim=4, sigma=0.2, lr=0.05)
    theta = torch.tensor([[0.1, -0.2, 0.3, 0.0], [-0.1, 0.2, -0.3, 0.0]])
    policy.update(theta, torch.tensor([1.0, 0.0]))
    # Adam's first step is lr times the gradient's sign
    torch.testing.assert_close(policy.mean, torch.tensor([0.05, -0.05, 0.05, 0.0]))
    policy = GaussianPolicy(dim=4, sigma=0.2, lr=0.05)
    policy.update(theta, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(policy.mean, torch.tensor([-0.05, 0.05, -0.05, 0.0]))


@pytest.mark.parametrize('antithetic', [False, True])
def test_search_climbs(antithetic):
    target = torch.tensor([0.7, -0.4, 1.2])
    policy = GaussianPolicy(dim=3, sigma=0.2, lr=0.05, antithetic=antithetic)
    random = generator(5)
    for _ in range(150):
        theta = policy.sample(16, random)
        policy.update(theta, -(theta - target).square().sum(1))
    assert (policy.mean - target).abs().max() < 0.15


def test_the_gradient_is_at_mu_of_the_raw_sample():
    """Candidates at equal distances on one side of mu, with opposite advantages, cancel."""
    policy = GaussianPolicy(mean=[1.0], sigma=0.2, lr=0.05)
    policy.update(torch.tensor([[1.3], [1.3]]), torch.tensor([0.0, 1.0]))
    assert policy.mean.item() == pytest.approx(1.0, abs=1e-6)


# Rewards


@pytest.mark.parametrize(
    'reward',
    [
        [0.1, 0.5, 0.9],
        [91.2, 91.3, 91.1, 91.2],
        [0.0, 1.0],
        [NAN, 0.2, 0.4, 0.9],
        [INF, -INF, 0.2, 0.4, NAN],
        [1e-9, 2e-9, 3e-9],
        [1e9, 1e9 + 1, 1e9 + 2],
    ],
)
def test_advantage_has_zero_mean_and_unit_variance_over_the_living(reward):
    advantage = normalise_rewards(torch.tensor(reward, dtype=torch.float64))
    assert advantage.dtype == torch.float64
    np.testing.assert_allclose(advantage.numpy(), naive_advantage(reward), rtol=1e-6, atol=1e-9)
    alive = torch.tensor([math.isfinite(r) for r in reward])
    assert advantage[alive].mean().abs() < 1e-6
    if max(r for r in reward if math.isfinite(r)) > 1e-3:
        assert advantage[alive].std(correction=0).item() == pytest.approx(1, rel=1e-5)
    assert torch.isfinite(advantage).all()


def test_diverged_candidates_get_the_lowest_advantage():
    advantage = normalise_rewards(torch.tensor([0.3, NAN, 0.1, INF, 0.2, -INF]))
    # of 0.3, 0.1, 0.2: mean 0.2, deviation sqrt(0.02 / 3)
    top = 0.1 / math.sqrt(0.02 / 3)
    expected = [top, -top, -top, -top, 0.0, -top]
    np.testing.assert_allclose(advantage.numpy(), expected, atol=1e-5)


def test_an_update_pushes_away_from_a_diverged_candidate():
    policy = GaussianPolicy(dim=1, sigma=0.2, lr=0.05)
    # the living cancel: +-1 at the same theta; what is left is the diverged one at +0.4
    policy.update(torch.tensor([[0.1], [0.1], [0.4]]), torch.tensor([1.0, 0.0, NAN]))
    assert policy.mean.item() == pytest.approx(-0.05, rel=1e-4)


@pytest.mark.parametrize(
    'reward',
    [
        [0.1, 0.1, 0.1],
        [NAN, NAN, NAN],
        [NAN, 0.7, INF],
        [NAN, 0.7, 0.7],
        [-INF, INF, NAN],
        [0.0, 0.0, 0.0],
        [1e9, 1e9, 1e9],
        [91.37] * 7,
        [NAN, *[0.1] * 10],
    ],
)
@pytest.mark.parametrize('warm', [False, True])
def test_equal_rewards_change_neither_mu_nor_adam(reward, warm):
    """In float64 the mean of three 0.1 is not 0.1: what is left over must not become a step."""
    policy = GaussianPolicy(dim=2, lr=0.05)
    theta = policy.sample(len(reward), generator(0))
    if warm:
        policy.update(theta, torch.arange(len(reward)))
    mean, adam = policy.mean, adam_state(policy)
    advantage = policy.update(theta, torch.tensor(reward, dtype=torch.float64))
    assert advantage.tolist() == [0] * len(reward)
    assert torch.equal(policy.mean, mean)
    assert_same_state(adam_state(policy), adam)


def test_sigma_zero_samples_mu_and_never_moves():
    mean = torch.linspace(0, 1, 5)
    policy = GaussianPolicy(mean=mean, sigma=0)
    theta = policy.sample(4, generator(0))
    assert torch.equal(theta, mean.expand(4, 5))
    advantage = policy.update(theta, torch.tensor([1.0, 2.0, 3.0, NAN]))
    np.testing.assert_allclose(advantage.numpy(), naive_advantage([1.0, 2.0, 3.0, NAN]))
    assert torch.equal(policy.mean, mean)


def test_lr_zero_is_random_search():
    mean = torch.linspace(0, 1, 5)
    policy = GaussianPolicy(mean=mean, sigma=0.2, lr=0)
    for seed in range(5):
        theta = policy.sample(4, generator(seed))
        assert (theta - mean).abs().max() > 0.1
        policy.update(theta, torch.tensor([1.0, 2.0, 3.0, 5.0]))
    assert torch.equal(policy.mean, mean)


def test_update_returns_the_advantages_and_accepts_any_real_rewards():
    policy = GaussianPolicy(dim=2)
    theta = policy.sample(3, generator(0))
    for reward in (torch.tensor([1, 2, 3]), torch.tensor([1.0, 2.0, 3.0]).half()):
        advantage = policy.update(theta, reward)
        np.testing.assert_allclose(advantage.numpy(), naive_advantage([1.0, 2.0, 3.0]))
    assert policy.mean.dtype == torch.float32
    assert not policy.mean.requires_grad


# State


def train(policy: GaussianPolicy, seeds: range) -> None:
    for seed in seeds:
        theta = policy.sample(6, generator(seed))
        policy.update(theta, theta.sum(1).sin())


def make(**changes) -> GaussianPolicy:
    return GaussianPolicy(**{**dict(mean=torch.ones(8), sigma=0.2, lr=0.05), **changes})


@pytest.mark.parametrize('steps', [0, 1, 7])
def test_a_saved_policy_goes_on_bit_identically(steps):
    whole, first, second = make(), make(), make()
    train(whole, range(15))
    train(first, range(steps))
    buffer = io.BytesIO()
    torch.save(first.state_dict(), buffer)
    buffer.seek(0)
    train(second, range(3))  # leaves another mu and Adam state, to be replaced
    second.load_state_dict(torch.load(buffer, weights_only=True))
    assert torch.equal(first.mean, second.mean)
    train(second, range(steps, 15))
    assert torch.equal(second.mean, whole.mean)
    assert_same_state(adam_state(second), adam_state(whole))


def test_a_loaded_state_is_not_shared():
    first, second, third = make(), make(), make()
    train(first, range(5))
    state = first.state_dict()
    second.load_state_dict(state)
    third.load_state_dict(state)
    mean, adam = second.mean, adam_state(second)
    train(first, range(5, 10))
    train(third, range(5, 10))
    assert torch.equal(second.mean, mean)
    assert_same_state(adam_state(second), adam)
    assert torch.equal(first.mean, third.mean)


def test_a_state_kept_in_memory_is_a_snapshot():
    """Training on after state_dict() must not change what it returned."""
    policy, resumed, whole = make(), make(), make()
    train(whole, range(10))
    train(policy, range(5))
    state = policy.state_dict()
    train(policy, range(50, 60))
    resumed.load_state_dict(state)
    train(resumed, range(5, 10))
    assert torch.equal(resumed.mean, whole.mean)


def test_a_state_of_another_dimension_is_refused():
    with pytest.raises(ValueError, match=r'dimension 8, this one 16.*num_intervals'):
        GaussianPolicy(dim=16).load_state_dict(make().state_dict())


@pytest.mark.parametrize(
    ('theta', 'reward'), [((3, 8), 4), ((4, 7), 4), ((8,), 8), ((4, 8, 1), 4), ((8, 4), 4)]
)
def test_shapes_that_do_not_fit_are_refused(theta, reward):
    policy = make()
    with pytest.raises(ValueError, match='dimension 8') as e:
        policy.update(torch.zeros(theta), torch.arange(reward, dtype=torch.float32))
    assert str(theta) in str(e.value)
    assert f'{reward} rewards' in str(e.value)
    assert torch.equal(policy.mean, torch.ones(8))


@pytest.mark.parametrize(
    ('options', 'says'),
    [
        (dict(), 'exactly one'),
        (dict(dim=2, mean=[0.0, 0.0]), 'exactly one'),
        (dict(dim=2, sigma=-0.1), 'sigma'),
        (dict(dim=2, sigma=NAN), 'sigma'),
        (dict(dim=2, sigma=INF), 'sigma'),
        (dict(dim=2, lr=-0.1), 'lr'),
        (dict(dim=2, lr=NAN), 'lr'),
        (dict(mean=[[0.0, 1.0]]), 'mean'),
        (dict(mean=[0.0, NAN]), 'mean'),
    ],
)
def test_wrong_options_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        GaussianPolicy(**options)


def test_the_first_argument_is_mu_0_or_its_length():
    one, other = GaussianPolicy(3, 0.1, 0.02), GaussianPolicy(dim=3, sigma=0.1, lr=0.02)
    assert one.mean.tolist() == other.mean.tolist() == [0.0] * 3
    assert GaussianPolicy(torch.tensor([1.0, 2.0]), 0.3).mean.tolist() == [1.0, 2.0]
    assert (one.sigma, GaussianPolicy([1.0], 0.3).sigma) == (0.1, 0.3)
