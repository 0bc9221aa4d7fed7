"""The losses of the grid are the ones that their names say, as heads train with them."""

import math

import pytest
import torch
from helpers.runs import ROOT
from mmengine.config import Config
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

import amlfs_mm.models  # noqa: F401
from amlfs_mm.analysis.benchmark.loss_grid import NORMALISED_HEAD, PLAIN_HEAD, StaticLoss, grid_of

BASELINE = ROOT / 'configs/small/digits/baseline_resnet20_digits.py'
COSINE = ROOT / 'configs/small/cifar5k/baseline_resnet20_cifar5k_cosine.py'
CLASSES, LENGTH = 5, 8


def naive_loss(loss: StaticLoss, features, weight, target, scale: float | None) -> float:
    """The mean loss from its formula, in float64, sample by sample."""
    total = 0.0
    for feature, label in zip(features.double(), target.tolist(), strict=True):
        cosines = weight.double() @ feature / weight.double().norm(dim=1) / feature.norm()
        norms = weight.double().norm(dim=1) * feature.norm()
        lengths = norms if scale is None else torch.full_like(norms, scale)
        cosine = cosines[label].item()
        if loss.name == 'am_softmax':
            cosine -= loss.parameter
        if loss.name == 'arcface':
            cosine = math.cos(math.acos(cosine) + loss.parameter)
        logits = lengths * cosines
        logits[label] = lengths[label] * cosine
        p = logits.softmax(0)[label].item()
        if loss.name == 'focal':
            total += -((1 - p) ** loss.parameter) * math.log(p)
        else:
            total += -math.log(p + (loss.parameter if loss.name == 'robust' else 0.0))
    return total / len(features)


@pytest.mark.parametrize('config', [BASELINE, COSINE], ids=['plain', 'normalised'])
def test_losses(config):
    cfg = Config.fromfile(config)
    for loss in grid_of(cfg, 16)[1:]:
        cfg = Config.fromfile(config)
        options = {'model.head.num_classes': CLASSES, 'model.head.in_channels': LENGTH}
        cfg.merge_from_dict({**options, **loss.options})
        head = MODELS.build(cfg.model.head)
        generator = torch.Generator().manual_seed(0)
        features = torch.randn(64, LENGTH, generator=generator)
        weight = 0.5 * torch.randn(CLASSES, LENGTH, generator=generator)
        head.fc.weight.data.copy_(weight)
        target = torch.randint(CLASSES, (64,), generator=generator)
        samples = [DataSample().set_gt_label(label) for label in target]
        found = head.loss((features,), samples)['loss'].item()
        expected = naive_loss(loss, features, weight, target, head.scale)
        # ArcFace ends where its angle passes pi; the focal loss is a curve.
        assert found == pytest.approx(expected, rel=0.02), str(loss)


def test_the_baseline_itself_is_in_every_grid():
    for config, losses in ((BASELINE, PLAIN_HEAD), (COSINE, NORMALISED_HEAD)):
        cfg = Config.fromfile(config)
        assert grid_of(cfg, 1)[0].options == {}
        assert grid_of(cfg, 8) == losses[:8] == grid_of(cfg, 16)[:8]
        assert len({str(loss) for loss in losses}) == len(losses) == 16


def test_no_grid():
    cfg = Config.fromfile(BASELINE)
    for size in (0, 17):
        with pytest.raises(ValueError, match=f'a grid has 1 to 16 losses, got {size}'):
            grid_of(cfg, size)
    for name in ('orl_faces/baseline_amsoftmax_sphereface20_orl', 'digits/focal_resnet20_digits'):
        cfg = Config.fromfile(ROOT / 'configs/small' / f'{name}.py')
        with pytest.raises(ValueError, match='a grid of losses starts from plain softmax in a'):
            grid_of(cfg, 4)
    for changed, message in (
        (dict(search_space=dict(type='amlfs_mm.SearchSpace')), 'leave model.head.search_space out'),
        (dict(loss=dict(type='LabelSmoothLoss', label_smooth_val=0.1)), 'plain cross entropy'),
    ):
        cfg = Config.fromfile(BASELINE)
        cfg.model.head.update(changed)
        with pytest.raises(ValueError, match=message):
            grid_of(cfg, 4)
