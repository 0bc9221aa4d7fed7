from .cifar_resnet import CIFARResNet
from .iresnet import IResNet
from .mgn_backbone import MGNBackbone
from .mlp import MLP
from .sphereface import SphereFace20
from .torchreid_backbone import TorchreidBackbone

__all__ = ['MLP', 'CIFARResNet', 'IResNet', 'MGNBackbone', 'SphereFace20', 'TorchreidBackbone']
