# Ablation of amlfs_resnet20_digits_b4.py: candidates a quarter as far from mu, sigma = 0.05.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_small_sigma.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(policy=dict(sigma=0.05))
