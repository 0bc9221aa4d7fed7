# Ablation of amlfs_resnet20_digits_b4.py: the constant floor of tau, 0.01, not the relative one.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_constant_floor.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
model = dict(head=dict(tau_floor='constant'))
