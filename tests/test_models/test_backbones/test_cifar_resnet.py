"""CIFARResNet against section 4.2 of He et al. (arXiv 1512.03385)."""

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import nn

import amlfs_mm  # noqa: F401
from amlfs_mm.models import CIFARResNet
from amlfs_mm.models.backbones.cifar_resnet import OptionAShortcut


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def naive_count(n: int) -> int:
    """3x3 convolutions without bias, each with a batch norm's scale and shift: 6n + 1 of them."""
    convs = [(3, 16)]
    channels = 16
    for width in (16, 32, 64):
        for _ in range(n):
            convs += [(channels, width), (width, width)]
            channels = width
    return sum(9 * i * o + 2 * o for i, o in convs)


def randomise(net: nn.Module, seed: int) -> None:
    """Weights that keep activations alive, and batch-norm statistics that are not 0 and 1."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name.endswith('num_batches_tracked'):
                continue
            noise = torch.randn(value.shape, generator=random)
            if value.ndim == 4:
                value.copy_(noise * (2 / value[0].numel()) ** 0.5)
            elif name.endswith(('weight', 'running_var')):
                value.copy_(1 + 0.2 * noise.tanh())
            else:
                value.copy_(0.1 * noise)


def naive_forward(state: dict, x: torch.Tensor, n: int) -> torch.Tensor:
    """The network of the paper, read from top to bottom: 6n + 1 convolutions, identity shortcuts
    that are subsampled and padded with zero channels where the size changes."""

    def conv_norm(x, conv, norm, stride=1):
        x = F.conv2d(x, state[conv + '.weight'], stride=stride, padding=1)
        names = ('running_mean', 'running_var', 'weight', 'bias')
        return F.batch_norm(x, *(state[f'{norm}.{name}'] for name in names))

    x = conv_norm(x, 'conv1', 'bn1').relu()
    for stage in (1, 2, 3):
        for block in range(n):
            stride = 2 if stage > 1 and block == 0 else 1
            name = f'layer{stage}.{block}'
            y = conv_norm(x, f'{name}.conv1', f'{name}.bn1', stride).relu()
            y = conv_norm(y, f'{name}.conv2', f'{name}.bn2')
            if stride == 2:
                padding = x.new_zeros(len(x), x.shape[1] // 2, *y.shape[2:])
                x = torch.cat([padding, x[:, :, ::2, ::2], padding], 1)
            x = (x + y).relu()
    return x


def test_resnet20_has_he_et_als_parameters():
    net = CIFARResNet(depth=20)
    assert count(net) + count(nn.Linear(64, 10)) == 269_722
    assert count(net) + count(nn.Linear(64, 10, bias=False)) == 269_712


@pytest.mark.parametrize('depth', [8, 14, 20, 32, 44, 56, 110])
def test_parameters_of_every_depth(depth):
    net = CIFARResNet(depth=depth)
    assert count(net) == naive_count((depth - 2) // 6)
    # weighted layers: the convolutions and the classifier
    assert sum(isinstance(module, nn.Conv2d) for module in net.modules()) == depth - 1


@pytest.mark.parametrize('depth', [8, 20])
def test_forward_is_the_papers_network(depth):
    net = CIFARResNet(depth=depth)
    net.eval()  # returns None in mmpretrain
    randomise(net, seed=depth)
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    (out,) = net(x)
    assert out.shape == (2, 64, 8, 8)
    assert out.std() > 0.1
    torch.testing.assert_close(
        out, naive_forward(net.state_dict(), x, (depth - 2) // 6), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize('batch', [1, 3])
def test_feature_map_of_a_32x32_image(batch):
    net = MODELS.build(dict(type='amlfs_mm.CIFARResNet', depth=8))
    assert isinstance(net, CIFARResNet)
    outputs = net(torch.randn(batch, 3, 32, 32))
    assert isinstance(outputs, tuple)
    assert len(outputs) == 1
    assert outputs[0].shape == (batch, 64, 8, 8)
    outputs[0].mean().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_options_reach_resnet():
    net = CIFARResNet(depth=8, base_channels=8, in_channels=1, out_indices=(0, 1, 2))
    shapes = [tuple(out.shape) for out in net(torch.randn(2, 1, 28, 28))]
    assert shapes == [(2, 8, 28, 28), (2, 16, 14, 14), (2, 32, 7, 7)]


@pytest.mark.parametrize(('new', 'old', 'stride'), [(32, 16, 2), (7, 4, 2), (5, 5, 3), (6, 3, 1)])
def test_option_a_shortcut_is_subsampling_and_zero_channels(new, old, stride):
    shortcut = OptionAShortcut(old, new, stride)
    assert count(shortcut) == 0
    x = torch.randn(2, old, 7, 8, generator=torch.Generator().manual_seed(0))
    out = shortcut(x)
    height, width = -(-7 // stride), -(-8 // stride)
    assert out.shape == (2, new, height, width)
    first = (new - old) // 2
    for channel in range(new):
        source = channel - first
        for i in range(height):
            for j in range(width):
                value = out[:, channel, i, j]
                if 0 <= source < old:
                    assert torch.equal(value, x[:, source, i * stride, j * stride])
                else:
                    assert torch.equal(value, torch.zeros(2))


def test_shortcuts_are_where_the_size_changes():
    net = CIFARResNet(depth=20)
    kinds = {
        f'{stage}.{block}': getattr(net, f'layer{stage}')[block].downsample
        for stage in (1, 2, 3)
        for block in range(3)
    }
    for where, shortcut in kinds.items():
        if where in ('2.0', '3.0'):
            assert isinstance(shortcut, OptionAShortcut)
        else:
            assert shortcut is None


def test_a_residual_branch_starts_alive():
    """zero_init_residual is off, as in the paper: the last batch norm of a block starts at 1."""
    net = CIFARResNet(depth=8)
    net.init_weights()
    for stage in (1, 2, 3):
        assert torch.equal(
            getattr(net, f'layer{stage}')[0].norm2.weight, torch.ones(16 * 2 ** (stage - 1))
        )


@pytest.mark.parametrize('depth', [18, 0, 9, 50])
def test_another_depth_is_refused(depth):
    with pytest.raises(ValueError, match=rf'\[8, 14, 20, 32, 44, 56, 110\], got {depth}'):
        CIFARResNet(depth=depth)
