# Control for amlfs_resnet8_fashion.py: mu learns from random rewards.
#   tools/dist_train.sh configs/small/fashion_mnist/null_reward_resnet8_fashion.py 2
# Cost: that of amlfs_resnet8_fashion.py.
_base_ = ['./baseline_resnet8_fashion.py', '../../_base_/search/null_reward.py']
loss_search = dict(replicas_per_candidate=1)
custom_hooks = _base_.custom_hooks
custom_hooks[0].num_candidates = 4
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6))
