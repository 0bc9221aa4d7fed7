# Paper: where the search of Table 3 starts. SphereFace-20 on CASIA-WebFace with plain softmax
# without bias.
#   tools/dist_train.sh configs/baseline_softmax_sphereface20_casia.py 2
# Cost: 30k iterations of batch 256.
# Expected: no number in the paper.
_base_ = [
    './_base_/models/sphereface20.py',
    './_base_/datasets/casia_webface.py',
    './_base_/schedules/casia_30k.py',
    './_base_/default_runtime.py',
]
