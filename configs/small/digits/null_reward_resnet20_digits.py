# Control for amlfs_resnet20_digits.py: mu learns from random rewards, the best on D_v goes on.
#   tools/dist_train.sh configs/small/digits/null_reward_resnet20_digits.py 2
# Cost: that of amlfs_resnet20_digits.py.
_base_ = ['./baseline_resnet20_digits.py', '../../_base_/search/null_reward.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 8
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
