from .ranking import cumulative_match, reid_metrics, score_queries
from .reid_metric import ReIDMetric
from .reranking import k_reciprocal_rerank

__all__ = [
    'ReIDMetric',
    'cumulative_match',
    'k_reciprocal_rerank',
    'reid_metrics',
    'score_queries',
]
