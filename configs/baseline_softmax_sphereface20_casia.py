# Plain softmax without bias, the start of the paper's Table 3: SphereFace-20, CASIA-WebFace.
#   tools/dist_train.sh configs/baseline_softmax_sphereface20_casia.py 2
# Cost: 30k iterations of batch 256. Expected: no number of the paper's; docs/face.md.
_base_ = [
    './_base_/models/sphereface20.py',
    './_base_/datasets/casia_webface.py',
    './_base_/schedules/casia_30k.py',
    './_base_/default_runtime.py',
]
