from .faces.face_metrics import FaceIdentification, FaceVerification
from .faces.identification import gallery_identification_rate, identification_rate
from .faces.megaface_metric import MegaFaceFeatures
from .faces.verification import true_accept_rates, verification_accuracy
from .log_probability import MeanLogProbability
from .reid.ranking import cumulative_match, reid_metrics, score_queries
from .reid.reid_metric import ReIDMetric
from .reid.reranking import k_reciprocal_rerank

__all__ = [
    'FaceIdentification',
    'FaceVerification',
    'MeanLogProbability',
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
