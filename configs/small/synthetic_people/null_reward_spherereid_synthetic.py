# Control for amlfs_spherereid_synthetic.py: mu learns from random rewards, the best on D_v goes on.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/null_reward_spherereid_synthetic.py 2
# Cost: that of amlfs_spherereid_synthetic.py.
_base_ = ['./amlfs_spherereid_synthetic.py']
custom_hooks = _base_.custom_hooks
custom_hooks[0].reward_filter = dict(type='amlfs_mm.NullReward')
