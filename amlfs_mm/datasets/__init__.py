from .digits import Digits
from .image_folder import ImageFolder
from .reid import ReIDDataset
from .reproducible import make_reproducible
from .samplers import IdentityBatchSampler
from .transforms import LabelNoise, LoadWholeImage

__all__ = [
    'Digits',
    'IdentityBatchSampler',
    'ImageFolder',
    'LabelNoise',
    'LoadWholeImage',
    'ReIDDataset',
    'make_reproducible',
]
