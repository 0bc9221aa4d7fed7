"""SphereFace-20 and IResNet: layer tables, counts, shapes, initialisation, names."""

import math

import pytest
import torch
from torch import nn

from amlfs_mm.models import IResNet, SphereFace20

# Wang et al.'s prototxt: (channels, convolutions, side lengths) of each stage.
SPHEREFACE = [(64, 3, (56, 48)), (128, 5, (28, 24)), (256, 9, (14, 12)), (512, 3, (7, 6))]


@pytest.fixture(scope='module')
def sphereface() -> SphereFace20:
    torch.manual_seed(0)
    return SphereFace20()


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_sphereface_is_the_layer_table(sphereface: SphereFace20):
    shapes = []
    hooks = [
        module.register_forward_hook(lambda m, _, y: shapes.append((m, y.shape[1:])))
        for module in sphereface.modules()
        if isinstance(module, nn.Conv2d)
    ]
    (feature,) = sphereface(torch.zeros(2, 3, 112, 96))
    assert feature.shape == (2, 512)
    for hook in hooks:
        hook.remove()
    expected = [
        (channels, *size)
        for channels, convolutions, size in SPHEREFACE
        for _ in range(convolutions)
    ]
    assert [tuple(shape) for _, shape in shapes] == expected
    strides = [module.stride[0] for module, _ in shapes]
    assert [i for i, stride in enumerate(strides) if stride == 2] == [0, 3, 8, 17]
    assert [m.bias is not None for m, _ in shapes] == [stride == 2 for stride in strides]
    assert len(shapes) == 20
    assert count(sphereface) == 22_666_944
    assert count(sphereface.fc) == 11_010_560
    slopes = [m.weight for m in sphereface.modules() if isinstance(m, nn.PReLU)]
    assert [len(slope) for slope in slopes] == [channels for channels, *_ in expected]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in sphereface.modules())


def test_sphereface_starts_as_the_table_says(sphereface: SphereFace20):
    for module in sphereface.modules():
        if isinstance(module, nn.PReLU):
            assert (module.weight == 0.25).all()
        if not isinstance(module, (nn.Conv2d, nn.Linear)):
            continue
        if module.bias is None:
            assert module.weight.std().item() == pytest.approx(0.01, rel=0.05)
        else:
            bound = math.sqrt(3 / module.weight[0].numel())
            assert bound * 0.98 < module.weight.abs().max().item() <= bound
            assert (module.bias == 0).all()


def test_a_residual_pair_is_its_formula():
    """x + PReLU(conv(PReLU(conv x))), the last operation of the smallest stage."""
    torch.manual_seed(1)
    net = SphereFace20(input_size=(16, 16), out_channels=5, base_channels=2)
    pair = net.stages[3][1]
    x = torch.randn(1, 16, 3, 3)
    first, second = pair.layers
    y = nn.functional.conv2d(x, first[0].weight, padding=1)
    y = torch.where(y > 0, y, 0.25 * y)
    y = nn.functional.conv2d(y, second[0].weight, padding=1)
    torch.testing.assert_close(pair(x), x + torch.where(y > 0, y, 0.25 * y))


def test_iresnet_50():
    torch.manual_seed(0)
    net = IResNet(50).eval()
    assert count(net) == 43_590_848
    (feature,) = net(torch.zeros(1, 3, 112, 112))
    assert feature.shape == (1, 512)
    # Some of the names and shapes of arcface_torch's backbone.pth.
    names = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    for name, shape in {
        'conv1.weight': (64, 3, 3, 3),
        'bn1.running_mean': (64,),
        'prelu.weight': (64,),
        'layer1.0.bn1.weight': (64,),
        'layer1.0.downsample.0.weight': (64, 64, 1, 1),
        'layer1.0.downsample.1.running_var': (64,),
        'layer2.3.prelu.weight': (128,),
        'layer3.13.conv2.weight': (256, 256, 3, 3),
        'layer4.2.bn3.bias': (512,),
        'bn2.weight': (512,),
        'fc.weight': (512, 25088),
        'fc.bias': (512,),
        'features.weight': (512,),
        'features.running_mean': (512,),
    }.items():
        assert names[name] == shape
    assert not any(name.startswith(('layer1.1.downsample', 'layer5')) for name in names)
    assert net.features.weight.requires_grad is False
    assert net.layer1[1].conv1.weight.std().item() == pytest.approx(0.1, rel=0.05)


def test_iresnet_ends_in_batch_norm_without_a_scale():
    net = IResNet(18, input_size=(16, 16), out_channels=6, base_channels=4).train()
    (feature,) = net(torch.randn(32, 3, 16, 16))
    torch.testing.assert_close(feature.mean(0), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(feature.std(0, correction=0), torch.ones(6), atol=1e-2, rtol=0)


@pytest.mark.parametrize('net', [SphereFace20, IResNet])
def test_other_sizes(net: type):
    small = net(input_size=(112, 92), out_channels=7, base_channels=2).eval()
    assert small(torch.zeros(1, 3, 112, 92))[0].shape == (1, 7)
    with pytest.raises(ValueError, match=r'built for images of 112 x 92 .* got 112 x 112'):
        small(torch.zeros(1, 3, 112, 112))
    with pytest.raises(ValueError, match='depth'):
        IResNet(51)
