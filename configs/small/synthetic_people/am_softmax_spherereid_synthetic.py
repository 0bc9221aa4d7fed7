# Control for amlfs_spherereid_synthetic.py: AM-softmax with m = 0.35, a loss that stays the same.
#   DATA_ROOT=data/synthetic \
#       python tools/train.py configs/small/synthetic_people/am_softmax_spherereid_synthetic.py
# Cost: that of baseline_spherereid_synthetic.py.
# Expected: no number yet.
_base_ = ['./baseline_spherereid_synthetic.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=theta))
