# Control for amlfs_spherereid_synthetic.py: the best of 8 copies of the baseline an epoch.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/best_of_b_spherereid_synthetic.py 2
# Cost: that of amlfs_spherereid_synthetic.py.
_base_ = ['./amlfs_spherereid_synthetic.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.sigma = 0.0
