from .classification.digits import Digits
from .classification.drawn_classes import DrawnClasses
from .classification.image_folder import ImageFolder, count_classes
from .classification.jpeg_archive import JPEGArchive
from .cleaned_dataset import CleanedDataset
from .faces.face_dataset import FaceDataset
from .faces.face_pairs import FacePairs
from .faces.records.insightface_record import InsightFaceRecord
from .faces.records.insightface_record_writer import write_insightface_record
from .loading.in_memory_images import InMemoryImages
from .loading.seeded_loader import make_reproducible
from .reid.reid_dataset import ReIDDataset
from .samplers import FixedLengthBatchSampler, IdentityBatchSampler
from .transforms import CachedTransforms, LabelNoise, LoadWholeImage

__all__ = [
    'CachedTransforms',
    'CleanedDataset',
    'Digits',
    'DrawnClasses',
    'FaceDataset',
    'FacePairs',
    'FixedLengthBatchSampler',
    'IdentityBatchSampler',
    'ImageFolder',
    'InMemoryImages',
    'InsightFaceRecord',
    'JPEGArchive',
    'LabelNoise',
    'LoadWholeImage',
    'ReIDDataset',
    'count_classes',
    'make_reproducible',
    'write_insightface_record',
]
