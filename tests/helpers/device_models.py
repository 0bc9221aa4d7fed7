"""Small models of every head, loss, neck and backbone, and their first training steps."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from mmengine.optim import OptimWrapper
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from amlfs_mm.models import CIFARResNet
from amlfs_mm.utils.lazy_data_samples import LazyDataSamples

CLASSES = 10

AMLFS = dict(type='amlfs_mm.AMLFSHead')
PLAIN = dict(type='amlfs_mm.SoftmaxHead')
VECTOR_HEADS = {
    'plain': PLAIN,
    'cosine': PLAIN | dict(scale=14.0),
    'AM-softmax': PLAIN | dict(scale=14.0, margin=0.35),
    'ArcFace': PLAIN | dict(scale=14.0, margin=dict(type='amlfs_mm.ArcFaceMargin', m=0.5)),
    'A-softmax': PLAIN | dict(scale='feature', margin=dict(type='amlfs_mm.ASoftmaxMargin', m=4)),
    'AM-LFS': AMLFS,
    'AM-LFS, cosine': AMLFS | dict(scale=14.0, cal_acc=True),
    'AM-LFS, constant floor': AMLFS | dict(scale=14.0, tau_floor='constant'),
    'AM-LFS, sharded': AMLFS | dict(scale=14.0, sharded=True),
    'AM-LFS, sharded and sampled': AMLFS | dict(scale=14.0, sharded=True, sample_rate=0.5),
    'AM-LFS, ceiling': AMLFS | dict(search_space=dict(type='amlfs_mm.SearchSpace', ceiling=True)),
    'AM-LFS, monotone': AMLFS | dict(search_space=dict(type='amlfs_mm.MonotoneSearchSpace')),
    'Search-Softmax': AMLFS | dict(search_space=dict(type='amlfs_mm.SearchSoftmaxSpace')),
    'L2T-DLF': dict(type='amlfs_mm.L2TDLFHead', cal_acc=True),
    'SFT': dict(type='amlfs_mm.SFTHead', reduced_channels=12, classifier=AMLFS | dict(scale=15.0)),
}


@MODELS.register_module()
class Halves(CIFARResNet):
    """The pooled upper and lower half of the maps; in a row in evaluation, as PCB's stripes."""

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        halves = super().forward(images)[-1].chunk(2, dim=2)
        parts = tuple(half.mean(dim=(2, 3)) for half in halves)
        return parts if self.training else (torch.cat(parts, dim=1),)


def mgn_model(head: dict) -> dict:
    return dict(
        type='amlfs_mm.EmbeddingClassifier',
        backbone=dict(type='amlfs_mm.MGNBackbone', depth=18, stem_channels=8, base_channels=4),
        neck=dict(type='amlfs_mm.MGNNeck', in_channels=32, out_channels=16),
        head=dict(
            classifier=AMLFS, num_classes=CLASSES, in_channels=32, reduced_channels=16, **head
        ),
        flip='average',
    )


def vector_model(head: dict) -> dict:
    return dict(
        type='ImageClassifier',
        backbone=dict(type='amlfs_mm.CIFARResNet', depth=8, base_channels=4),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(head, num_classes=CLASSES, in_channels=16),
    )


MODELS_OF_TEST = {name: vector_model(head) for name, head in VECTOR_HEADS.items()} | {
    'SphereReID': dict(
        type='amlfs_mm.EmbeddingClassifier',
        backbone=dict(type='amlfs_mm.CIFARResNet', depth=8, base_channels=4),
        neck=dict(type='amlfs_mm.EmbeddingNeck', in_channels=16, out_channels=8),
        head=dict(AMLFS, scale=14.0, num_classes=CLASSES, in_channels=8),
        flip='average',
    ),
    'MGN': mgn_model(dict(type='amlfs_mm.MGNHead')),
    'MGN, a theta for each branch': mgn_model(dict(type='amlfs_mm.PerBranchMGNHead')),
    'parts': dict(
        type='amlfs_mm.EmbeddingClassifier',
        backbone=dict(type='Halves', depth=8, base_channels=4),
        head=dict(
            type='amlfs_mm.PartsHead',
            classifier=AMLFS | dict(scale=14.0),
            num_classes=CLASSES,
            in_channels=16,
            num_parts=2,
        ),
    ),
    'SphereFace-20': dict(
        type='amlfs_mm.EmbeddingClassifier',
        backbone=dict(
            type='amlfs_mm.SphereFace20', base_channels=4, input_size=(32, 32), out_channels=16
        ),
        head=dict(AMLFS, scale=30.0, num_classes=CLASSES, in_channels=16),
        flip='concatenate',
    ),
}


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    preprocessor = dict(type='ClsDataPreprocessor', mean=[127.0] * 3, std=[50.0] * 3)
    model = MODELS.build(dict(MODELS_OF_TEST[name], data_preprocessor=preprocessor))
    model.init_weights()
    draw = torch.Generator().manual_seed(3)
    for module in model.modules():
        if hasattr(module, 'set_theta') and hasattr(module, 'search_space'):
            space = module.search_space
            noise = torch.randn(space.dim, generator=draw)
            module.set_theta(space.identity() + 0.2 * noise)
    return model


def batch(number: int, device: torch.device) -> tuple[Tensor, LazyDataSamples]:
    draw = torch.Generator().manual_seed(number)
    images = torch.randn(8, 3, 32, 32, generator=draw)
    labels = torch.arange(8) // 2 + number
    return images.to(device), LazyDataSamples(labels.to(device), [DataSample()] * 8)


def train_two_steps(
    model: nn.Module,
    device: torch.device,
    around_step: Callable[[], AbstractContextManager] = nullcontext,
) -> dict[str, Tensor]:
    """The losses of two steps, the weights after them, and what the model says of a batch.

    Args:
        model: On the device.
        device: Where the batches go.
        around_step: Makes a context for each step, without the copy of its batch.
    """
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    wrapper = OptimWrapper(optimizer, accumulative_counts=1)
    torch.manual_seed(1)
    told = {}
    for number in range(2):
        images, samples = batch(number, device)
        with around_step():
            loss, logged = model.parse_losses(model.loss(images, samples))
            wrapper.update_params(loss)
        told |= {f'{name} {number}': value for name, value in logged.items()}
    model.eval()
    with torch.no_grad():
        told['output'] = model(batch(0, device)[0])
        told |= model.state_dict()
    return told
