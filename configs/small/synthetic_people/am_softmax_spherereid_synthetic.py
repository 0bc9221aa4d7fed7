# Control for amlfs_spherereid_synthetic.py: a hand-made loss that stays, AM-softmax with m = 0.35.
#   DATA_ROOT=data/synthetic \
#       python tools/train.py configs/small/synthetic_people/am_softmax_spherereid_synthetic.py
# Cost: that of baseline_spherereid_synthetic.py.
_base_ = ['./baseline_spherereid_synthetic.py']
theta = dict(name='am_softmax', m=0.35)
model = dict(head=dict(type='amlfs_mm.AMLFSHead', theta=theta))
