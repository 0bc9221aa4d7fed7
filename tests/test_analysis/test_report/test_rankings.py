"""Rankings as Market-1501's protocol has them: who is left out, best and worst, the CMC curve."""

import pytest
import torch

from amlfs_mm.analysis.report.rankings import (
    best_and_worst,
    cmc_curves,
    collect_rankings,
    rank_gallery,
)
from amlfs_mm.evaluation.reid.features import Features


@pytest.fixture
def people() -> tuple[torch.Tensor, Features, Features]:
    """Distances of two queries, of identities 1 and 2, to a gallery of seven."""
    ids, cameras = [1, 2, 1, 1, -1, 2, 0], [1, 1, 0, 2, 3, 1, 4]
    paths = [f'{i}.png' for i in range(9)]
    query = Features(torch.zeros(2, 3), torch.tensor([1, 2]), torch.tensor([0, 0]), paths[:2])
    gallery = Features(torch.zeros(7, 3), torch.tensor(ids), torch.tensor(cameras), paths[2:])
    distance = torch.tensor(
        [[0.3, 0.1, 0.2, 0.9, 0.0, 0.5, 0.4], [0.1, 0.2, 0.3, 0.4, 0.0, 0.5, 0.6]]
    )
    return distance, query, gallery


def test_order(people: tuple):
    """Junk (4) is left out, and the first query's identity in its own camera (2)."""
    assert rank_gallery(*people, 0) == [1, 0, 6, 5, 3]
    assert rank_gallery(*people, 1) == [0, 1, 2, 3, 5, 6]


def test_what_is_drawn(people: tuple):
    first, second = collect_rankings(*people, [0, 1], top=4)
    assert first.query == '0.png'
    assert first.gallery == ['3.png', '2.png', '8.png', '7.png']
    assert first.cameras == [1, 1, 4, 1]
    assert first.distances == pytest.approx([0.1, 0.3, 0.4, 0.5])
    assert first.correct == [False, True, False, False]
    # Identity 1: positives at places 2 and 5, so AP is (1/2 + 2/5) / 2.
    assert first.average_precision == pytest.approx(0.45)
    assert second.correct == [False, True, False, False]


def test_best_and_worst(people: tuple):
    distance, query, gallery = people
    distance[1, 1] = 0.0
    assert best_and_worst(distance, query, gallery, 5) == dict(best=[1, 0], worst=[0, 1])
    assert best_and_worst(distance, query, gallery, 1) == dict(best=[1], worst=[0])
    strangers = query._replace(ids=torch.tensor([8, 9]))
    with pytest.raises(ValueError, match='none of the 2 queries has a positive'):
        best_and_worst(distance, strangers, gallery, 1)


def test_cmc(people: tuple):
    distance, query, gallery = people
    ((label, curve),) = cmc_curves(dict(plain=distance), query, gallery, max_rank=4).items()
    assert curve.tolist() == [0, 100, 100, 100]
    # Identity 2: positives at places 2 and 5 too.
    assert label == 'plain (mAP 45.0 %, rank-1 0.0 %)'
