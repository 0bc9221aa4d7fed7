from .backbones import CIFARResNet
from .heads import AMLFSHead

__all__ = ['AMLFSHead', 'CIFARResNet']
