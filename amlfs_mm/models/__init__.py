from .backbones import MLP, CIFARResNet, IResNet, MGNBackbone, SphereFace20, TorchreidBackbone
from .classifiers import EmbeddingClassifier
from .data_preprocessors import BatchDataPreprocessor
from .heads import (
    AMLFSHead,
    L2TDLFHead,
    MGNHead,
    PartsHead,
    PerBranchMGNHead,
    SFTHead,
    SoftmaxHead,
)
from .layers.sharded_linear import ShardedLinear
from .losses import AMSoftmaxMargin, ArcFaceMargin, ASoftmaxMargin, BatchHardTripletLoss
from .necks import EmbeddingNeck, MGNNeck
from .teachers import AttentionTeacher, LSTMTeacher

__all__ = [
    'MLP',
    'AMLFSHead',
    'AMSoftmaxMargin',
    'ASoftmaxMargin',
    'ArcFaceMargin',
    'AttentionTeacher',
    'BatchDataPreprocessor',
    'BatchHardTripletLoss',
    'CIFARResNet',
    'EmbeddingClassifier',
    'EmbeddingNeck',
    'IResNet',
    'L2TDLFHead',
    'LSTMTeacher',
    'MGNBackbone',
    'MGNHead',
    'MGNNeck',
    'PartsHead',
    'PerBranchMGNHead',
    'SFTHead',
    'ShardedLinear',
    'SoftmaxHead',
    'SphereFace20',
    'TorchreidBackbone',
]
