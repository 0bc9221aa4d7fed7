from .embedding_neck import EmbeddingNeck
from .mgn_neck import MGNFeatures, MGNNeck

__all__ = ['EmbeddingNeck', 'MGNFeatures', 'MGNNeck']
