# Paper: Table 3, "SphereFace": A-softmax, m = 4, annealed as in the authors' code.
#   tools/dist_train.sh configs/baseline_asoftmax_sphereface20_casia.py 2
# Cost: 30k iterations of batch 256.
# Expected: 67.4 % MegaFace rank-1 at 1e6 (quoted in the paper, from a schedule of 28k iterations).
_base_ = ['./baseline_softmax_sphereface20_casia.py']
model = dict(head=dict(scale='feature', margin=dict(type='amlfs_mm.ASoftmaxMargin', m=4)))
