from .fixed_length_batch_sampler import FixedLengthBatchSampler
from .identity_batch_sampler import IdentityBatchSampler

__all__ = ['FixedLengthBatchSampler', 'IdentityBatchSampler']
