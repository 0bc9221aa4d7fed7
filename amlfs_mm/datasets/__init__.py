from .digits import Digits
from .image_folder import ImageFolder
from .reproducible import make_reproducible
from .transforms import LabelNoise

__all__ = ['Digits', 'ImageFolder', 'LabelNoise', 'make_reproducible']
