"""AMLFSHead counts the intervals that its training samples fall into."""

import numpy as np
import pytest
from helpers.searched_head import decided, labels, make_head, make_problem, make_theta, naive_batch


@pytest.mark.parametrize('scale', [None, 30.0])
def test_interval_counts_are_a_histogram_of_training(scale):
    theta = make_theta('0.5', 7)
    all_x, weight, all_y = make_problem(10, seed=0, n=400)
    head = make_head(weight, theta, scale=scale)
    t_count, tau_count = np.zeros(6, int), np.zeros(6, int)
    for batch in (slice(0, 200), slice(200, 400)):
        x, y = all_x[batch], all_y[batch]
        samples = naive_batch(
            x.double().numpy(), weight.double().numpy(), y, theta, scale, 'relative'
        )
        assert all(decided(s, 6, cosine=1e-6, probability=2e-6, floor=0) for s in samples)
        for s in samples:
            t_count[s.t_interval] += 1
            tau_count[s.tau_interval] += 1
        head.train()
        head.loss((x,), labels(y))
        assert head.t_count.tolist() == t_count.tolist()
        assert head.tau_count.tolist() == tau_count.tolist()

        head((x,))
        head.predict((x,), labels(y))
        head.eval()
        head.loss((x,), labels(y))
        assert head.t_count.tolist() == t_count.tolist()
        assert head.tau_count.tolist() == tau_count.tolist()
    assert t_count.sum() == tau_count.sum() == 400
    assert (tau_count > 0).all()
    assert (t_count > 0).all()

    head.set_theta(theta)
    assert head.t_count.tolist() == head.tau_count.tolist() == [0] * 6
    head.train().loss((x,), labels(y))
    assert head.t_count.sum() == 200
