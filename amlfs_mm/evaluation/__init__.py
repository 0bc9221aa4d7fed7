from .face_metrics import FaceIdentification, FaceVerification
from .identification import gallery_identification_rate, identification_rate
from .megaface_metric import MegaFaceFeatures
from .ranking import cumulative_match, reid_metrics, score_queries
from .reid_metric import ReIDMetric
from .reranking import k_reciprocal_rerank
from .verification import true_accept_rates, verification_accuracy

__all__ = [
    'FaceIdentification',
    'FaceVerification',
    'MegaFaceFeatures',
    'ReIDMetric',
    'cumulative_match',
    'gallery_identification_rate',
    'identification_rate',
    'k_reciprocal_rerank',
    'reid_metrics',
    'score_queries',
    'true_accept_rates',
    'verification_accuracy',
]
