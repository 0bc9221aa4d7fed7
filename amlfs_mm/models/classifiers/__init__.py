from .reid_classifier import ReIDClassifier

__all__ = ['ReIDClassifier']
