"""The searched loss, the hand-made margins, and the losses of re-identification.

The searched loss ``-log tau(p^t)`` (Eq. 4, 16) is written twice. The first is the reference. The
second gives the same numbers and has its gradient written out, so that a training step costs less.

=====================================  ===============  =======================================
function                               its gradient     called by
=====================================  ===============  =======================================
``reference_loss.amlfs_loss``          autograd         tests and benchmarks; read this one
``written_out_loss.fused_amlfs_loss``  written out      ``AMLFSHead`` with whole class weights
``reference_loss.transform``           autograd         ``ShardedLinear``: ``AMLFSHead`` and
                                                        ``SoftmaxHead`` with ``sharded=True``
``reference_loss.log_tau``             autograd         ``AMLFSHead`` with ``sharded=True``
``transform_target_logit``             autograd         ``SoftmaxHead`` with a margin
=====================================  ===============  =======================================

``l2t_dlf_loss`` is the loss network of another paper, for ``L2TDLFHead``.
"""

from .l2t_dlf_loss import l2t_dlf_loss
from .margins import AMSoftmaxMargin, ArcFaceMargin, ASoftmaxMargin
from .reference_loss import amlfs_loss, log_tau, transform_target_logit
from .spectral import spectral_feature_transform
from .triplet import BatchHardTripletLoss
from .written_out_loss import SearchedLoss, fused_amlfs_loss

__all__ = [
    'AMSoftmaxMargin',
    'ASoftmaxMargin',
    'ArcFaceMargin',
    'BatchHardTripletLoss',
    'SearchedLoss',
    'amlfs_loss',
    'fused_amlfs_loss',
    'l2t_dlf_loss',
    'log_tau',
    'spectral_feature_transform',
    'transform_target_logit',
]
