# Control for amlfs_spherereid_synthetic.py: mu learns from random rewards. The best on D_v still
# goes on.
#   DATA_ROOT=data/synthetic \
#       tools/dist_train.sh configs/small/synthetic_people/null_reward_spherereid_synthetic.py 2
# Cost: that of amlfs_spherereid_synthetic.py.
# Expected: no number yet.
_base_ = ['./amlfs_spherereid_synthetic.py']
loss_search = dict(reward_filter=dict(type='amlfs_mm.NullReward'))
