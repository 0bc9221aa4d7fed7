from .embedding_classifier import EmbeddingClassifier
from .insightface_input import InsightFaceInput

__all__ = ['EmbeddingClassifier', 'InsightFaceInput']
