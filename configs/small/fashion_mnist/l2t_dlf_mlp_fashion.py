# L2T-DLF (Wu et al., NeurIPS 2018), the other searched loss of Table 2, on the first 3,000 images
# of Fashion-MNIST. A teacher gives the loss of every step and learns from D_v.
#   DATA_ROOT=... LABEL_NOISE=0.4 \
#       python tools/train.py configs/small/fashion_mnist/l2t_dlf_mlp_fashion.py
# Cost: about 5 x the baseline's compute (benchmarks/l2t_dlf_step.py).
# Expected: no number yet.
_base_ = ['./baseline_mlp_fashion.py']
model = dict(head=dict(type='amlfs_mm.L2TDLFHead'))
train_cfg = dict(
    _delete_=True, type='amlfs_mm.L2TDLFLoop', max_epochs=30, val_interval=1, window=10
)
