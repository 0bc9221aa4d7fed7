from .label_noise import LabelNoise

__all__ = ['LabelNoise']
