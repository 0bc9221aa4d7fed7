from .cached_transforms import CachedTransforms
from .label_noise import LabelNoise
from .load_image import LoadWholeImage

__all__ = ['CachedTransforms', 'LabelNoise', 'LoadWholeImage']
