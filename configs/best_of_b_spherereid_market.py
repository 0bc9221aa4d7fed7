# Control for amlfs_spherereid_market.py, which the paper lacks: the best of 32 copies of the
# baseline an epoch. Market-1501.
#   tools/dist_train.sh configs/best_of_b_spherereid_market.py 64
# Cost: that of amlfs_spherereid_market.py.
_base_ = ['./amlfs_spherereid_market.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.sigma = 0.0
