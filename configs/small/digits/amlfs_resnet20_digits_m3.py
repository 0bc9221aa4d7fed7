# The search of amlfs_resnet20_digits.py with M = 3.
#   tools/dist_train.sh configs/small/digits/amlfs_resnet20_digits_m3.py 2
# Cost: that of amlfs_resnet20_digits.py.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_digits.py']
model = dict(head=dict(num_intervals=3))
