# Control for amlfs_spherereid_synthetic.py: section 4.6, the distribution is never updated.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/frozen_spherereid_synthetic.py 2
# Cost: that of amlfs_spherereid_synthetic.py.
_base_ = ['./amlfs_spherereid_synthetic.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].policy.lr = 0.0
