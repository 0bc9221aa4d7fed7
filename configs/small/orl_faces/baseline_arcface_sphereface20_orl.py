# ArcFace, m = 0.5, s = 30 on ORL's faces.
#   DATA_ROOT=... python tools/train.py configs/small/orl_faces/baseline_arcface_sphereface20_orl.py
# Cost: as baseline_softmax_sphereface20_orl.py. Expected: docs/benchmarks.md.
_base_ = ['./baseline_softmax_sphereface20_orl.py']
model = dict(head=dict(scale=30.0, margin=dict(type='amlfs_mm.ArcFaceMargin', m=0.5)))
