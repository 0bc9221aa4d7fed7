# Paper: Table 3, "ArcFace". The paper ran it "in CosineFace's setting" and gives neither s nor m.
# Here s = 30, as in the others, and ArcFace's m = 0.5.
#   tools/dist_train.sh configs/baseline_arcface_sphereface20_casia.py 2
# Cost: 30k iterations of batch 256.
# Expected: 72.4 % MegaFace rank-1 at 1e6 (paper's number).
_base_ = ['./baseline_softmax_sphereface20_casia.py']
model = dict(head=dict(scale=30.0, margin=dict(type='amlfs_mm.ArcFaceMargin', m=0.5)))
