# Paper: Table 3, "ArcFace", run by its authors in CosineFace's setting, which says neither s nor m:
# s = 30 as the others here, m = 0.5 of ArcFace.
#   tools/dist_train.sh configs/baseline_arcface_sphereface20_casia.py 2
# Cost: 30k iterations of batch 256. Expected: 72.4 % MegaFace rank-1 at 1e6 (paper's number).
_base_ = ['./baseline_softmax_sphereface20_casia.py']
model = dict(head=dict(scale=30.0, margin=dict(type='amlfs_mm.ArcFaceMargin', m=0.5)))
