from .amlfs_loss import amlfs_loss, log_tau, transform_target_logit

__all__ = ['amlfs_loss', 'log_tau', 'transform_target_logit']
