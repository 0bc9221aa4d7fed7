# The search of amlfs_resnet20_digits.py with B = 4.
#   tools/dist_train.sh configs/small/digits/amlfs_resnet20_digits_b4.py 2
# Cost: half of amlfs_resnet20_digits.py's.
# Expected: no number yet.
_base_ = ['./amlfs_resnet20_digits.py']
loss_search = dict(num_candidates=4)
