# Paper: Table 3, "CosineFace": AM-softmax, m = 0.35, s = 30.
#   tools/dist_train.sh configs/baseline_amsoftmax_sphereface20_casia.py 2
# Cost: 30k iterations of batch 256.
# Expected: 72.5 % MegaFace rank-1 at 1e6 (quoted in the paper).
_base_ = ['./baseline_softmax_sphereface20_casia.py']
model = dict(head=dict(scale=30.0, margin=0.35))
