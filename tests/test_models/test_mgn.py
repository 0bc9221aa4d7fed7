"""MGN at its published size: maps, features, losses, numbers; and small, in training."""

import copy
import json

import pytest
import torch
import torch.nn.functional as F
from helpers.runs import ROOT
from mmengine.config import Config
from mmpretrain.models.backbones import ResNet
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import nn

from amlfs_mm.engine.searched_heads import find_heads
from amlfs_mm.models import AMLFSHead, EmbeddingClassifier, MGNBackbone, MGNHead
from amlfs_mm.search import SearchSpace

CLASSES = 676


@pytest.fixture(scope='module')
def mgn() -> EmbeddingClassifier:
    """The published MGN with random weights."""
    cfg = Config.fromfile(ROOT / 'configs' / 'baseline_mgn_market.py').model
    cfg.backbone.init_cfg = None
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg, data_preprocessor=dict(type='ClsDataPreprocessor')))
    return model.eval()


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def test_shapes_at_384_x_128(mgn: EmbeddingClassifier):
    x = torch.randn(2, 3, 384, 128)
    trunk = mgn.backbone.trunk(x)
    assert trunk.shape == (2, 1024, 24, 8)
    maps = [branch(trunk) for branch in mgn.backbone.branches]
    shapes = [tuple(branch.shape) for branch in maps]
    assert shapes == [(2, 2048, 12, 4), (2, 2048, 24, 8), (2, 2048, 24, 8)]
    feats = mgn.neck(maps)
    assert [z.shape for z in feats.pooled] == [(2, 2048)] * 3
    assert [f.shape for f in feats.reduced] == [(2, 256)] * 3
    assert [f.shape for f in feats.stripes] == [(2, 256)] * 5
    # The test feature, averaged with the mirror image's.
    one, mirrored = (mgn.extract_feat(i, stage='pre_logits') for i in (x, x.flip(3)))
    assert one.shape == (2, 2048)
    torch.testing.assert_close(mgn(x), (one + mirrored) / 2)
    assert [logits.shape for logits in mgn.head(feats)] == [(2, CLASSES)] * 8


def test_parameter_count(mgn: EmbeddingClassifier):
    """As docs/reid.md has it, from the layers' shapes."""
    resnet = count(ResNet(50))
    branch = count(mgn.backbone.branches[0])
    trunk = count(mgn.backbone.trunk)
    assert trunk + branch == resnet == 23_508_032
    assert count(mgn.backbone) == trunk + 3 * branch == 64_609_344
    assert count(mgn.neck) == 8 * (2048 * 256 + 2 * 256) == 4_198_400
    assert count(mgn.head) == CLASSES * (3 * 2048 + 5 * 256) == 5_018_624
    assert count(mgn) == 73_826_368
    text = (ROOT / 'docs' / 'reid.md').read_text()
    for number in (64_609_344, 4_198_400, 5_018_624, 73_826_368):
        assert f'{number:,}' in text


def test_nothing_is_shared_behind_the_trunk(mgn: EmbeddingClassifier):
    tensors = [p.data_ptr() for p in mgn.parameters()]
    assert len(set(tensors)) == len(tensors)
    convolutions = [m for m in mgn.neck.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) == 8
    assert all(conv.bias is None for conv in convolutions)
    heads = mgn.head.classifiers
    assert [head.in_channels for head in heads] == [2048] * 3 + [256] * 5
    assert all(head.fc.bias is None and head.scale is None for head in heads)


def small(classifier: str = 'SoftmaxHead', head: str = 'MGNHead') -> EmbeddingClassifier:
    cfg = Config.fromfile(ROOT / 'configs/small/synthetic_people/baseline_mgn_synthetic.py').model
    cfg.head.type = f'amlfs_mm.{head}'
    cfg.head.classifier = dict(type=f'amlfs_mm.{classifier}')
    torch.manual_seed(0)
    model = MODELS.build(dict(cfg, data_preprocessor=dict(type='ClsDataPreprocessor')))
    model.init_weights()
    return model


def batch() -> tuple[torch.Tensor, list[DataSample]]:
    x = torch.randn(8, 3, 96, 48, generator=torch.Generator().manual_seed(1))
    return x, [DataSample().set_gt_label(i // 2) for i in range(8)]


def test_eight_softmax_and_three_triplet_terms():
    model, (x, samples) = small(), batch()
    feats = model.extract_feat(x)
    losses = model.head.loss(feats, samples)
    softmax = [f'loss_softmax_{i}' for i in range(8)]
    triplet = [f'loss_triplet_{i}' for i in range(3)]
    assert list(losses) == softmax + triplet
    target = torch.tensor([i // 2 for i in range(8)])
    for i, feature in enumerate([*feats.pooled, *feats.stripes]):
        expected = F.cross_entropy(feature @ model.head.classifiers[i].fc.weight.T, target) / 8
        assert losses[softmax[i]].item() == pytest.approx(expected.item(), rel=1e-5)
    for i, feature in enumerate(feats.reduced):
        distance = torch.cdist(feature, feature)
        same = target[:, None] == target
        positive = distance.masked_fill(~same, 0).amax(1)
        negative = distance.masked_fill(same, 1e9).amin(1)
        expected = (1.2 + positive - negative).clamp(min=0).mean() / 3
        assert losses[triplet[i]].item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize('head', ['MGNHead', 'PerBranchMGNHead'])
def test_a_step_with_am_lfs_at_identity_is_the_baselines(head: str):
    baseline, searched = small(), small('AMLFSHead', head)
    searched.load_state_dict(baseline.state_dict(), strict=False)
    x, samples = batch()
    losses = [model.loss(x, samples) for model in (baseline, searched)]
    assert list(losses[0]) == list(losses[1])
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-6, atol=0)
    for loss in losses:
        sum(loss.values()).backward()
    gradients = [dict(model.named_parameters()) for model in (baseline, searched)]
    for name, parameter in gradients[0].items():
        torch.testing.assert_close(parameter.grad, gradients[1][name].grad, rtol=1e-4, atol=1e-6)


def test_one_theta_for_all_branches():
    model, (x, samples) = small('AMLFSHead'), batch()
    heads = find_heads(model)
    assert len(heads) == 8
    before = model.loss(x, samples)
    theta = SearchSpace().known_loss('am_softmax', m=0.3)
    for head in heads:
        head.set_theta(theta)
    after = model.loss(x, samples)
    for name in before:
        assert torch.equal(before[name], after[name]) == ('triplet' in name)


def test_a_theta_for_each_branch():
    model, (x, samples) = small('AMLFSHead', 'PerBranchMGNHead'), batch()
    (head,) = find_heads(model)  # the classifiers get their parts from it
    assert head.search_space.dim == len(head.theta) == 8 * 24
    assert torch.equal(head.theta, head.search_space.identity())
    before = model.loss(x, samples)
    theta = head.theta
    theta[3 * 24 : 4 * 24] = SearchSpace().known_loss('am_softmax', m=0.3)
    head.set_theta(theta)
    assert torch.equal(head.theta, theta)
    after = model.loss(x, samples)
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed == ['loss_softmax_3']
    assert head.interval_counts()['t'].sum() == 8 * 8
    with pytest.raises(ValueError, match=r'needs \(192,\)'):
        head.set_theta(torch.zeros(24))


def test_thetas_from_the_config(tmp_path):
    """One known loss for each branch, or a file of all; not given up to a checkpoint."""
    kind = dict(type='amlfs_mm.PerBranchMGNHead', num_classes=5, in_channels=4, reduced_channels=4)
    kind['classifier'] = dict(type='amlfs_mm.AMLFSHead', num_intervals=2)
    plain = MODELS.build(kind)
    head = MODELS.build(dict(kind, theta=dict(name='am_softmax', m=0.3)))
    assert torch.equal(head.theta, SearchSpace(2).known_loss('am_softmax', m=0.3).repeat(8))
    path = tmp_path / 'loss.json'
    theta = plain.theta + torch.arange(64.0)
    path.write_text(json.dumps(dict(search_space=repr(plain.search_space), theta=theta.tolist())))
    head = MODELS.build(dict(kind, theta=str(path)))
    assert torch.equal(head.theta, theta)
    head.load_state_dict(plain.state_dict())
    assert torch.equal(head.theta, theta)
    with pytest.raises(ValueError, match='a theta, which would not be trained with'):
        find_heads(head)
    with pytest.raises(ValueError, match='with 64 numbers, which is not a point of SearchSpace'):
        AMLFSHead(5, 4, num_intervals=2, theta=str(path))


def test_per_branch_needs_searched_classifiers():
    with pytest.raises(ValueError, match=r'AMLFSHead.*got SoftmaxHead'):
        small('SoftmaxHead', 'PerBranchMGNHead')


def test_branches_start_from_one_resnet(tmp_path):
    """As init_cfg initialises it, from a checkpoint too."""
    options = dict(depth=18, stem_channels=4, base_channels=4)
    resnet = ResNet(**options)
    for parameter in resnet.parameters():
        nn.init.normal_(parameter)
    torch.save(resnet.state_dict(), tmp_path / 'resnet.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'resnet.pth'))
    backbone = MGNBackbone(**options, init_cfg=init_cfg)
    backbone.init_weights()
    resnet.eval()
    backbone.eval()
    x = torch.randn(1, 3, 96, 48)
    maps = backbone(x)
    torch.testing.assert_close(maps[0], resnet(x)[-1])
    unstrided = ResNet(**options, strides=(1, 2, 2, 1))
    unstrided.eval()
    unstrided.load_state_dict(resnet.state_dict())
    for other in maps[1:]:
        torch.testing.assert_close(other, unstrided(x)[-1])
    # The same start, and lives of their own.
    first, second = (list(branch.parameters()) for branch in list(backbone.branches)[:2])
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    first[0].data.zero_()
    assert second[0].abs().sum() > 0


def test_stripes_are_pooled_from_top_to_bottom():
    neck = small().neck
    maps = [torch.zeros(1, 128, 6, 3) for _ in range(3)]
    maps[2][0, 0, 5, 1] = 7.0  # in the third of three stripes
    seen = []
    for reduction in neck.stripe_reductions:
        reduction.register_forward_pre_hook(lambda _, args: seen.append(args[0][0, 0].item()))
    neck.eval()(maps)
    assert seen == [0, 0, 0, 0, 7]


def test_heads_of_different_spaces_are_still_refused():
    model = small('AMLFSHead')
    model.head = copy.deepcopy(model.head)
    model.head.classifiers[2] = AMLFSHead(96, 128, num_intervals=3)
    assert isinstance(model.head, MGNHead)
    with pytest.raises(ValueError, match='search spaces differ'):
        find_heads(model)
