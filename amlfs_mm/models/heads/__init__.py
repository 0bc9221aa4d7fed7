from .amlfs_head import AMLFSHead
from .mgn_head import MGNHead, PerBranchMGNHead
from .sft_head import SFTHead
from .softmax_head import SoftmaxHead

__all__ = ['AMLFSHead', 'MGNHead', 'PerBranchMGNHead', 'SFTHead', 'SoftmaxHead']
