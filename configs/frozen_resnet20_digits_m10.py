# Control for amlfs_resnet20_digits_m10.py: the distribution of losses is never updated.
#   tools/dist_train.sh configs/frozen_resnet20_digits_m10.py 2
# Cost: that of amlfs_resnet20_digits.py.
_base_ = ['./frozen_resnet20_digits.py']
model = dict(head=dict(num_intervals=10))
