from .digits import Digits
from .drawn_classes import DrawnClasses
from .face import FaceDataset
from .face_pairs import FacePairs
from .image_folder import ImageFolder
from .in_memory_images import InMemoryImages
from .insightface_record import InsightFaceRecord
from .insightface_record_writer import write_insightface_record
from .reid import ReIDDataset
from .reproducible import make_reproducible
from .samplers import FixedLengthBatchSampler, IdentityBatchSampler
from .transforms import CachedTransforms, LabelNoise, LoadWholeImage

__all__ = [
    'CachedTransforms',
    'Digits',
    'DrawnClasses',
    'FaceDataset',
    'FacePairs',
    'FixedLengthBatchSampler',
    'IdentityBatchSampler',
    'ImageFolder',
    'InMemoryImages',
    'InsightFaceRecord',
    'LabelNoise',
    'LoadWholeImage',
    'ReIDDataset',
    'make_reproducible',
    'write_insightface_record',
]
