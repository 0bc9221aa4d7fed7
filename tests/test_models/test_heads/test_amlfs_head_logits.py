"""AMLFSHead's logits and predictions, which do not depend on theta."""

import pytest
import torch
from helpers.searched_head import labels, make_head, make_problem, make_theta
from mmpretrain.models.heads import ArcFaceClsHead, LinearClsHead


@pytest.mark.parametrize('scale', [None, 30.0])
@pytest.mark.parametrize('training', [True, False])
def test_logits_and_predictions_never_depend_on_theta(scale, training):
    x, weight, y = make_problem(10, seed=2)
    head = make_head(weight, scale=scale).train(training)
    logits = head((x,))
    scores = torch.stack([s.pred_score for s in head.predict((x,), labels(y))])
    loss = head.loss((x,), labels(y))['loss']
    for seed in range(3):
        head.set_theta(make_theta('0.5', seed))
        assert torch.equal(head((x,)), logits)
        again = head.predict((x,), labels(y))
        assert torch.equal(torch.stack([s.pred_score for s in again]), scores)
        assert [s.pred_label.item() for s in again] == logits.argmax(1).tolist()
        assert not torch.equal(head.loss((x,), labels(y))['loss'], loss)
    torch.testing.assert_close(scores, logits.softmax(1))


@pytest.mark.parametrize('scale', [14.0, 64.0])
def test_normalised_logits_are_mmpretrains(scale):
    x, weight, _ = make_problem(10, seed=2)
    peer = ArcFaceClsHead(10, 16, scale=scale)
    peer.norm_product.weight.data.copy_(weight)
    torch.testing.assert_close(make_head(weight, scale=scale)((x,)), peer((x,)))


def test_plain_logits_are_mmpretrains():
    x, weight, _ = make_problem(10, seed=2)
    peer = LinearClsHead(10, 16)
    peer.fc.weight.data.copy_(weight)
    peer.fc.bias.data.zero_()
    torch.testing.assert_close(make_head(weight)((x,)), peer((x,)))


def test_features_may_be_a_tuple_of_stages_or_a_tensor():
    x, weight, y = make_problem(10, seed=2)
    head = make_head(weight)
    early = torch.zeros(len(x), 3)
    assert torch.equal(head((early, x)), head(x))
    assert torch.equal(head.loss((early, x), labels(y))['loss'], head.loss(x, labels(y))['loss'])
    assert head.pre_logits((early, x)) is x
