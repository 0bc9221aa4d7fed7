# Control for l2t_dlf_mlp_fashion.py: the loss that its teacher starts with, -p / (1 + p). It stays
# the same.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/l2t_dlf_fixed_mlp_fashion.py
# Cost: that of baseline_mlp_fashion.py.
# Expected: no number yet.
_base_ = ['./baseline_mlp_fashion.py']
model = dict(head=dict(type='amlfs_mm.L2TDLFHead'))
