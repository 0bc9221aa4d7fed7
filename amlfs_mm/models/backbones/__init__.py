from .cifar_resnet import CIFARResNet
from .mgn_backbone import MGNBackbone
from .torchreid_backbone import TorchreidBackbone

__all__ = ['CIFARResNet', 'MGNBackbone', 'TorchreidBackbone']
