from .label_noise import LabelNoise
from .load_image import LoadWholeImage

__all__ = ['LabelNoise', 'LoadWholeImage']
