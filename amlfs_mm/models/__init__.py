from .backbones import MLP, CIFARResNet, IResNet, MGNBackbone, SphereFace20, TorchreidBackbone
from .classifiers import EmbeddingClassifier
from .data_preprocessors import BatchDataPreprocessor
from .heads import AMLFSHead, MGNHead, PerBranchMGNHead, SFTHead, SoftmaxHead
from .layers.sharded_linear import ShardedLinear
from .losses import AMSoftmaxMargin, ArcFaceMargin, ASoftmaxMargin, BatchHardTripletLoss
from .necks import EmbeddingNeck, MGNNeck

__all__ = [
    'MLP',
    'AMLFSHead',
    'AMSoftmaxMargin',
    'ASoftmaxMargin',
    'ArcFaceMargin',
    'BatchDataPreprocessor',
    'BatchHardTripletLoss',
    'CIFARResNet',
    'EmbeddingClassifier',
    'EmbeddingNeck',
    'IResNet',
    'MGNBackbone',
    'MGNHead',
    'MGNNeck',
    'PerBranchMGNHead',
    'SFTHead',
    'ShardedLinear',
    'SoftmaxHead',
    'SphereFace20',
    'TorchreidBackbone',
]
