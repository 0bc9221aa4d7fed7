# Paper: section 4.6, on Market-1501. Losses are sampled from the initial distribution, which is
# never updated.
#   tools/dist_train.sh configs/frozen_spherereid_market.py 64
# Cost: 32 x the baseline's compute.
# Expected: 84.0 % mAP (paper's number).
_base_ = ['./amlfs_spherereid_market.py']
loss_search = dict(policy=dict(lr=0.0))
