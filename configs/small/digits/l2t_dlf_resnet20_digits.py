# L2T-DLF (Wu et al., NeurIPS 2018), the other searched loss of Table 2, on the digits of
# scikit-learn, 20 % of the training labels wrong. A teacher gives the loss of every step and learns
# from D_v.
#   python tools/train.py configs/small/digits/l2t_dlf_resnet20_digits.py
# Cost: about 5 x the baseline's compute (benchmarks/l2t_dlf_step.py).
# Expected: no number yet.
_base_ = ['./baseline_resnet20_digits.py']
model = dict(head=dict(type='amlfs_mm.L2TDLFHead'))
train_cfg = dict(
    _delete_=True, type='amlfs_mm.L2TDLFLoop', max_epochs=20, val_interval=10, window=10
)
