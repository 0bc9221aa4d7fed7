"""torchreid's models as backbones: their own features, any head."""

import socket
from pathlib import Path

import pytest
import torch
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torchreid.reid.models import build_model

from amlfs_mm.models import TorchreidBackbone

SMALL = (64, 32)
MODELS_OF_TORCHREID = [
    ('osnet_x0_25', (64, 32)),
    ('mlfn', (64, 32)),
    ('hacnn', (160, 64)),
    ('pcb_p4', (96, 32)),
    ('mobilenetv2_x1_0', (64, 32)),
]


@pytest.mark.parametrize(('name', 'size'), MODELS_OF_TORCHREID)
def test_the_feature_is_torchreids_and_it_trains(
    name: str, size: tuple, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*args, **kwargs):
        raise AssertionError('something tried to use the network')

    monkeypatch.setattr(socket.socket, 'connect', refuse)
    backbone = TorchreidBackbone(name, input_size=size)
    peer = build_model(name, 5, pretrained=False, use_gpu=False)
    missing = peer.load_state_dict(backbone.model.state_dict(), strict=False).missing_keys
    assert missing
    assert all('classifier' in key for key in missing)
    x = torch.randn(4, 3, *size)
    backbone.eval()
    with torch.no_grad():
        torch.testing.assert_close(backbone(x)[0], peer.eval()(x))
    assert backbone.feature_dim == backbone(x)[0].shape[1]

    head = MODELS.build(
        dict(type='amlfs_mm.AMLFSHead', num_classes=5, in_channels=backbone.feature_dim)
    )
    backbone.train()
    samples = [DataSample().set_gt_label(i) for i in range(4)]
    head.loss(backbone(x), samples)['loss'].backward()
    for parameter in backbone.parameters():
        assert (parameter.grad is not None) == parameter.requires_grad


def test_nothing_that_is_used_is_frozen():
    assert all(
        p.requires_grad for p in TorchreidBackbone('osnet_x0_25', input_size=SMALL).parameters()
    )
    pcb = TorchreidBackbone('pcb_p4', input_size=SMALL)
    frozen = [name for name, p in pcb.named_parameters() if not p.requires_grad]
    assert frozen
    assert all('conv5' in name for name in frozen)


@pytest.mark.parametrize(
    ('name', 'size', 'shapes'),
    [('pcb_p4', (96, 32), [(4, 256)] * 4), ('hacnn', (160, 64), [(4, 512)] * 2)],
)
def test_parts_are_what_torchreids_classifiers_get(name: str, size: tuple, shapes: list):
    """Its logits are a linear map of each part; its test feature is untouched."""
    backbone = TorchreidBackbone(name, input_size=size, parts=True)
    peer = build_model(name, 5, pretrained=False, use_gpu=False)
    peer.load_state_dict(backbone.model.state_dict(), strict=False)
    x = torch.randn(4, 3, *size)
    torch.manual_seed(0)  # PCB has dropout
    parts = backbone(x)
    torch.manual_seed(0)
    logits = peer(x)
    assert [tuple(part.shape) for part in parts] == shapes
    layers = [module for name, module in peer.named_modules() if name.startswith('classifier')]
    linear = [layer for layer in layers if isinstance(layer, torch.nn.Linear)]
    for part, layer, expected in zip(parts, linear, logits, strict=True):
        torch.testing.assert_close(layer(part), expected)
    backbone.eval(), peer.eval()
    # The statistics of batch norm have followed the same batch.
    torch.testing.assert_close(backbone(x)[0], peer(x))
    assert all(parameter.requires_grad for parameter in backbone.parameters())


def test_parts_of_a_model_with_one_classifier():
    with pytest.raises(ValueError, match=r"parts=True .* 'osnet_x0_25' has 1: leave parts out"):
        TorchreidBackbone('osnet_x0_25', input_size=SMALL, parts=True)


def test_weights_from_a_file(tmp_path: Path):
    """As torchreid saves them, with its classifier, from several GPUs."""
    peer = build_model('osnet_x0_25', 5, pretrained=False, use_gpu=False)
    weights = {f'module.{name}': weight for name, weight in peer.state_dict().items()}
    torch.save(dict(state_dict=weights), tmp_path / 'osnet.pth')
    backbone = TorchreidBackbone(
        'osnet_x0_25', input_size=SMALL, pretrained=str(tmp_path / 'osnet.pth')
    )
    backbone.init_weights()
    for name, weight in backbone.model.state_dict().items():
        assert torch.equal(weight, peer.state_dict()[name]), name

    del weights['module.conv1.conv.weight']
    torch.save(weights, tmp_path / 'osnet.pth')
    with pytest.raises(ValueError, match=r"osnet\.pth lacks 1 of .*'conv1\.conv\.weight'"):
        backbone.init_weights()


def test_unknown_model():
    with pytest.raises(ValueError, match=r"no model 'osnet_x9'.*osnet_x1_0"):
        TorchreidBackbone('osnet_x9')
