from .amlfs_head import AMLFSHead
from .l2t_dlf_head import L2TDLFHead
from .mgn_head import MGNHead, PerBranchMGNHead
from .parts_head import PartsHead
from .sft_head import SFTHead
from .softmax_head import SoftmaxHead

__all__ = [
    'AMLFSHead',
    'L2TDLFHead',
    'MGNHead',
    'PartsHead',
    'PerBranchMGNHead',
    'SFTHead',
    'SoftmaxHead',
]
