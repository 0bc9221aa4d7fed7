from .amlfs_head import AMLFSHead
from .l2t_dlf_head import L2TDLFHead
from .mgn_head import MGNHead, PerBranchMGNHead
from .parts_head import PartsHead
from .sft_head import SFTHead
from .softmax_head import SoftmaxHead

<<<<<<< HEAD
__all__ = ['AMLFSHead', 'L2TDLFHead', 'MGNHead', 'PerBranchMGNHead', 'SFTHead', 'SoftmaxHead']
=======
__all__ = ['AMLFSHead', 'MGNHead', 'PartsHead', 'PerBranchMGNHead', 'SFTHead', 'SoftmaxHead']
>>>>>>> 0c4adea (Add configs for folders of photos and for torchreid's PCB, MLFN, HA-CNN and OSNet)
