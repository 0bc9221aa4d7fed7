from .backbones import CIFARResNet, MGNBackbone, TorchreidBackbone
from .classifiers import ReIDClassifier
from .heads import AMLFSHead, MGNHead, PerBranchMGNHead, SFTHead, SoftmaxHead
from .losses import BatchHardTripletLoss
from .necks import EmbeddingNeck, MGNNeck

__all__ = [
    'AMLFSHead',
    'BatchHardTripletLoss',
    'CIFARResNet',
    'EmbeddingNeck',
    'MGNBackbone',
    'MGNHead',
    'MGNNeck',
    'PerBranchMGNHead',
    'ReIDClassifier',
    'SFTHead',
    'SoftmaxHead',
    'TorchreidBackbone',
]
