from .amlfs_loss import amlfs_loss, log_tau, transform_target_logit
from .fused_loss import fused_amlfs_loss
from .margins import AMSoftmaxMargin, ArcFaceMargin, ASoftmaxMargin
from .spectral import spectral_feature_transform
from .triplet import BatchHardTripletLoss

__all__ = [
    'AMSoftmaxMargin',
    'ASoftmaxMargin',
    'ArcFaceMargin',
    'BatchHardTripletLoss',
    'amlfs_loss',
    'fused_amlfs_loss',
    'log_tau',
    'spectral_feature_transform',
    'transform_target_logit',
]
