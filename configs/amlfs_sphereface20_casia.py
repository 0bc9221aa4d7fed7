# Paper: Table 3, "AM-LFS", s = 30. A round of the search is 1,000 iterations.
#   tools/dist_train.sh configs/amlfs_sphereface20_casia.py 64
# Cost: 32 x a baseline's compute.
# Expected: 73.5 % MegaFace rank-1 at 1e6 (paper's number).
# Start at AM-softmax: --cfg-options loss_search.mu_0.name=am_softmax loss_search.mu_0.m=0.35
_base_ = ['./baseline_softmax_sphereface20_casia.py', './_base_/search/amlfs_face.py']
model = dict(head=dict(type='amlfs_mm.AMLFSHead', num_intervals=6, scale=30.0))
