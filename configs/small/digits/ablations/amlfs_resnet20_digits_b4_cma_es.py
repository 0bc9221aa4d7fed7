# Ablation of amlfs_resnet20_digits_b4.py: CMA-ES in place of REINFORCE.
#   tools/dist_train.sh configs/small/digits/ablations/amlfs_resnet20_digits_b4_cma_es.py 2
# Cost: that of amlfs_resnet20_digits_b4.py.
# Expected: no number yet.
_base_ = ['../amlfs_resnet20_digits_b4.py']
loss_search = dict(policy=dict(_delete_=True, type='amlfs_mm.CMAESPolicy', sigma=0.2))
